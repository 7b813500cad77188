"""What can be known before the first training is found out before it: folders, data, class weights, checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from bench.data import DATASETS, SPLITS
from bench.errors import ConfigError
from bench.results.store import check_writable, panels_path, path_of, predictions_path
from bench.running.checkpoints import check_resumable
from bench.running.device import decides_bits
from bench.running.inputs import load_trial_split
from bench.running.lease import is_held
from bench.running.leftovers import leases_path
from bench.study.trials import Trial


def check(trials: Sequence[Trial], device: str, threads: int, results: Path) -> None:
    """Checks all that the trials need.

    Raises:
        ConfigError: class weights that the data set does not have, or a checkpoint that may not go on here.
        DataError: a data set is missing or damaged.
        ResultsError: a folder cannot be written, or a checkpoint is another configuration's.
    """
    check_writable(results)
    _check_data(trials)
    for folder in {path_of(results, trial).parent for trial in trials} | _picture_folders(results, trials):
        check_writable(folder)
    here = decides_bits(torch.device(device), threads)
    for trial in trials:
        if trial.kind == "training" and not is_held(leases_path(results), f"{trial.id}-{trial.digest}"):
            check_resumable(results, trial, here)


def _picture_folders(results: Path, trials: Sequence[Trial]) -> set[Path]:
    """Returns the folders that the trials write pictures to."""
    trainings = [trial for trial in trials if trial.kind == "training"]
    panels = {panels_path(results, trial) for trial in trainings if trial.panels}
    return panels | {predictions_path(results, trial).parent for trial in trainings if trial.store_predictions}


def _check_data(trials: Sequence[Trial]) -> None:
    """Reads every split that the trials need, which checks it and fills the cache."""
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
