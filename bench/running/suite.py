"""Runs the trials of a suite one after another; what is finished is skipped, what fails is recorded."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from bench.data import SPLITS
from bench.results.store import check_writable, outcome
from bench.running.isolation import Ending, run_isolated
from bench.running.trial import load_trial_split
from bench.study.trials import Trial
from bench.training.loop import Progress


class Watcher(Protocol):
    """What is told about a run while it goes on (see progress.py)."""

    def trial_started(self, number: int, total: int, trial: Trial) -> None:
        """A trial begins; `number` counts from 1."""

    def trial_progress(self, progress: Progress) -> None:
        """Some iterations later."""

    def trial_ended(self, number: int, total: int, trial: Trial, ending: Ending, seconds: float) -> None:
        """A trial is over."""


class Summary(NamedTuple):
    """How many trials were run, were finished before, and did not end as done (with the reason)."""

    ran: int
    skipped: int
    failed: list[tuple[Trial, Ending]]


def run_suite(trials: Sequence[Trial], device: str, threads: int, results: Path, watcher: Watcher) -> Summary:
    """Runs every trial that has no finished result yet.

    Raises:
        DataError: a data set is missing or damaged; found before the first training.
        ResultsError: the results folder cannot be written; likewise.
        KeyboardInterrupt: Ctrl-C; finished trials are stored, the current one starts afresh next time.
    """
    check_writable(results)
    open_trials = [trial for trial in trials if outcome(results, trial).status != "done"]
    check_data(open_trials)
    failed = []
    for number, trial in enumerate(open_trials, start=1):
        watcher.trial_started(number, len(open_trials), trial)
        start = time.perf_counter()
        ending = run_isolated(trial, device, threads, results, watcher.trial_progress)
        watcher.trial_ended(number, len(open_trials), trial, ending, time.perf_counter() - start)
        if ending.status != "done":
            failed.append((trial, ending))
    return Summary(len(open_trials), len(trials) - len(open_trials), failed)


def check_data(trials: Sequence[Trial]) -> None:
    """Reads every split that the trials need, which checks it and fills the cache.

    Raises:
        DataError: as the reader of the data set.
    """
    needed = {
        (trial.dataset, trial.height, trial.width, str(trial.dataset_options)): trial
        for trial in trials
        if trial.kind == "training"
    }
    for trial in needed.values():
        for split in SPLITS:
            load_trial_split(trial, split)
