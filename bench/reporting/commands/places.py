"""Where a command reads and writes, so that the one it proposes next does the same."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import NamedTuple

CONFIG_FILE = Path("bench.yaml")  # the default of --config
RESULTS_FOLDER = Path("results")  # the default of --results


class Places(NamedTuple):
    """The files that the last command was about.

    Attributes:
        results: the results folder.
        config: the study.
    """

    results: Path = RESULTS_FOLDER
    config: Path = CONFIG_FILE

    def command(self, name: str, suite: str | None, profile: str, *flags: str) -> str:
        """Returns a command on a suite (None: on all) and profile, to be pasted into a shell; defaults are left out."""
        words = [*self.bench(), name, *(["--suite", suite] if suite else []), "--profile", profile]
        if self.results != RESULTS_FOLDER:
            words += ["--results", str(self.results)]
        return shlex.join([*words, *flags])

    def bench(self) -> list[str]:
        """Returns the words before the name of a command."""
        return ["bench", *(["--config", str(self.config)] if self.config != CONFIG_FILE else [])]
