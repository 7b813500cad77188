"""Runs the command line with `python -m bench`."""

from bench.cli import main

main()
