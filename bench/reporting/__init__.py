"""What a reader gets to see: tables, figures and the report page, all drawn from stored results."""
