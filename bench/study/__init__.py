"""What to run: bench.yaml as validated specs, and the trials that they name. Imports no torch."""
