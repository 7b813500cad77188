"""How a command that is proposed names the trials that the last one was about."""

from __future__ import annotations

import shlex
from pathlib import Path

RESULTS_FOLDER = Path("results")  # the default of --results


def selection(suite: str, profile: str, results: Path) -> str:
    """Returns the options of a command on a suite and profile; with --results where it is not the default."""
    words = ["--suite", suite, "--profile", profile]
    if results != RESULTS_FOLDER:
        words += ["--results", str(results)]
    return shlex.join(words)
