"""Where trials run, and what trainings that run at once share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench.study.trials import Trial


class Place(NamedTuple):
    """Where trials run and their results go, how long one may take, and how many trainings run at once.

    threads: of torch; trainings that run at once share them, a measurement has them all.
    """

    device: str
    threads: int
    results: Path
    time_limit_s: float | None = None
    jobs: int = 1

    @property
    def threads_of_training(self) -> int:
        """Threads of each training, the same for all: they decide the last bits of its numbers."""
        return max(1, self.threads // self.jobs)

    def threads_of(self, trial: Trial) -> int:
        """Threads of a trial."""
        return self.threads if trial.kind == "cost" else self.threads_of_training

    def shared(self, trials: Sequence[Trial]) -> str:
        """Says how many trainings run at once and what each has; empty where none do."""
        if self.jobs == 1 or all(trial.kind == "cost" for trial in trials):
            return ""
        each, together = _counted(self.threads_of_training), _counted(self.threads)
        line = f"{self.jobs} trainings at once, each with {each} of torch instead of {together}"
        if any(trial.kind == "cost" for trial in trials):
            line += f"; then the measurements of time and memory, one at a time, with {together}"
        return line


def _counted(threads: int) -> str:
    return f"{threads} thread{'s' * (threads != 1)}"
