"""Results of several models, suites or drives beside each other, as rows and sentences."""
