"""What came out: one parquet file per trial, its columns and its provenance. Imports no torch."""
