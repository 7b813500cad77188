"""Runs the trials of a suite one after another; what is finished is skipped, what fails is recorded."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from bench.data import DATASETS, SPLITS
from bench.errors import ConfigError, ResultsError
from bench.results.store import check_writable, outcome, panels_path, path_of
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
    """How many trials were run, were finished before (on another device), and did not end as done."""

    ran: int
    skipped: int
    elsewhere: int
    failed: list[tuple[Trial, Ending]]


def run_suite(trials: Sequence[Trial], device: str, threads: int, results: Path, watcher: Watcher) -> Summary:
    """Runs every trial that has no finished result yet.

    Raises:
        DataError: a data set is missing or damaged; found before the first training.
        ResultsError: a folder cannot be written or a stored file is damaged; likewise.
        KeyboardInterrupt: Ctrl-C; finished trials are stored, the current one starts afresh next time.
    """
    outcomes = [outcome(results, trial) for trial in trials]
    for found in outcomes:
        if found.status == "damaged":
            raise ResultsError(f"{found.reason}; nothing was run")
    open_trials = [trial for trial, found in zip(trials, outcomes, strict=True) if found.status != "done"]
    check_writable(results)
    check_data(open_trials)
    for folder in {path_of(results, trial).parent for trial in open_trials} | panel_folders(results, open_trials):
        check_writable(folder)
    failed = []
    for number, trial in enumerate(open_trials, start=1):
        watcher.trial_started(number, len(open_trials), trial)
        start = time.perf_counter()
        ending = run_isolated(trial, device, threads, results, watcher.trial_progress)
        watcher.trial_ended(number, len(open_trials), trial, ending, time.perf_counter() - start)
        if ending.status != "done":
            failed.append((trial, ending))
    elsewhere = sum(found.status == "done" and found.device != device for found in outcomes)
    return Summary(len(open_trials), len(trials) - len(open_trials), elsewhere, failed)


def panel_folders(results: Path, trials: Sequence[Trial]) -> set[Path]:
    """Returns the folders that the trials write pictures to."""
    return {panels_path(results, trial) for trial in trials if trial.kind == "training" and trial.panels}


def check_data(trials: Sequence[Trial]) -> None:
    """Reads every split that the trials need, which checks it and fills the cache.

    Raises:
        ConfigError: the authors' class weights are asked for and the data set has none.
        DataError: as the reader of the data set.
    """
    for trial in trials:
        if trial.weighting == "median_frequency_official" and DATASETS[trial.dataset].official_weights is None:
            raise ConfigError(
                f"weighting {trial.weighting}: the authors published weights for CamVid only, not for {trial.dataset}; "
                "use median_frequency, or a profile that trains on camvid"
            )
    needed = {
        (trial.dataset, trial.height, trial.width, str(trial.dataset_options)): trial
        for trial in trials
        if trial.kind == "training"
    }
    for trial in needed.values():
        for split in SPLITS:
            load_trial_split(trial, split)
