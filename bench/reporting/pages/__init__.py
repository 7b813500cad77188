"""The report's pages: one for each suite, one for each group of suites, and one that leads to them all."""
