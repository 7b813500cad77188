"""What can be known before the first training is found out before it.

That is: folders, models and the images they take, pretrained weights, data, class weights, checkpoints, and whether the
results can be read back.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from bench.data import SPLITS, Split, dataset_of
from bench.data.pretrained import verified, weights_path
from bench.errors import ConfigError, DataError, one_line
from bench.results.store import check_writable, panels_path, path_of, predictions_path
from bench.running.checkpoints import check_resumable
from bench.running.device import decides_bits
from bench.running.dry_run import check_models, model_without_numbers
from bench.running.inputs import load_trial_split, num_classes_of
from bench.running.lease import is_held
from bench.running.leftovers import leases_path
from bench.running.most_rows import check_rows, classes_in
from bench.running.pretraining import fill, read_state
from bench.study.trials import Trial


def check(trials: Sequence[Trial], device: str, threads: int, results: Path) -> None:
    """Checks all that the trials need, what is quick first.

    Raises:
        ConfigError: images that a model does not take, class weights that the data set does not have, more results
            than are read, or a checkpoint that may not go on here.
        DataError: a data set or weights to start from are missing, damaged or do not fit.
        ResultsError: a folder cannot be written, or a checkpoint is another configuration's.
    """
    check_writable(results)
    _check_class_weights(trials)
    for trial in trials:
        check_rows(trial, [], num_classes_of(trial))
    check_models(trials)
    _check_pretrained(trials)
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


def _check_class_weights(trials: Sequence[Trial]) -> None:
    """Checks that there are published class weights where they are asked for, one for each class."""
    for trial in trials:
        if trial.weighting != "median_frequency_official":
            continue
        dataset = dataset_of(trial.dataset, trial.dataset_options)
        count, official = len(dataset.class_names), dataset.official_weights
        if official is None:
            raise ConfigError(
                f"weighting {trial.weighting}: the authors published weights for CamVid only, not for {trial.dataset}; "
                "use median_frequency, or a profile that trains on camvid"
            )
        if len(official) != count:
            raise ConfigError(
                f"weighting {trial.weighting}: there are {len(official)} published weights, but {trial.dataset} has "
                f"{count} classes; use median_frequency"
            )


def _check_pretrained(trials: Sequence[Trial]) -> None:
    """Finds, verifies and reads the weights that trainings start from, and lays them into models without numbers."""
    users: dict[tuple[str, ...], list[Trial]] = {}
    for trial in trials:
        if trial.kind == "training" and trial.pretrained:
            file = tuple(str(trial.pretrained.get(key)) for key in ("name", "sha256", "file"))
            users.setdefault(file, []).append(trial)
    for same in users.values():
        weights = same[0].pretrained
        assert weights is not None
        path = verified(weights_path(weights), weights["sha256"])
        state = read_state(path)
        for model, classes, size in sorted({(one.model, num_classes_of(one), (one.height, one.width)) for one in same}):
            fill(model_without_numbers(model, classes, size), state, path)


def _check_data(trials: Sequence[Trial]) -> None:
    """Reads every split that the trials need, which checks it and fills the cache; counts what they could store."""
    needed: dict[tuple[object, ...], list[Trial]] = {}
    for trial in trials:
        if trial.kind == "training":
            key = trial.dataset, trial.height, trial.width, str(trial.dataset_options)
            needed.setdefault(key, []).append(trial)
    for same in needed.values():
        for split in SPLITS:
            data = load_trial_split(same[0], split)
            _check_labels(same[0], split, data)
            if split == "test":
                classes = num_classes_of(same[0])
                labelled = classes_in(data.labels, classes)
                for trial in same:
                    check_rows(trial, labelled, classes)


def _check_labels(trial: Trial, name: str, split: Split) -> None:
    """Raises DataError where a label names no class of the data set."""
    classes = num_classes_of(trial)
    for image, labels in zip(split.names, split.labels, strict=True):
        highest = int((labels + np.uint8(1)).max()) - 1  # void, 255, becomes the lowest
        if highest >= classes:
            raise DataError(
                f"data set {trial.dataset}, split {name}, image {one_line(image)}: has label {highest}, but the "
                f"{classes} classes are 0 to {classes - 1}; correct its labels, or the classes in bench.yaml"
            )
