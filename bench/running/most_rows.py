"""How many rows the results of a trial could have, so that a file that cannot be read back is refused before any hours.

Bounds, not estimates. Of single images, with L classes in the labels and K in all: L · K confusion counts, since void
labels count for nothing, and for each protocol of boundaries K counts of predicted pixels and L of each other kind,
which need labels. Drawn rooms have 37 classes, 10 of them in a label map: 790 rows are possible for each image and
point, and predictions that are right in seven tenths of the image have 310 to 410.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.data import SPLITS
from bench.errors import ConfigError
from bench.evaluation.boundary_scores import STORED
from bench.evaluation.output_maps import PERIODS
from bench.profiling.timing import PAPER_PROTOCOLS
from bench.results.schema import BOUNDARY_METRICS, CHECKERBOARD_METRICS, CONDITIONS, COST_METRICS, TIMES
from bench.results.trial_file import MAX_IMAGE_ROWS, MAX_ROWS
from bench.running.cost_trial import training_steps
from bench.study.trials import Trial

REGIONS = 3  # scores of a split; two of them are of each class as well


def classes_in(labels: np.ndarray, classes: int) -> list[int]:
    """Returns how many classes each label map (N,H,W) has, void left out."""
    return [int(np.count_nonzero(np.bincount(one.ravel(), minlength=classes)[:classes])) for one in labels]


def check_rows(trial: Trial, labelled: Sequence[int], classes: int) -> None:
    """Finds out whether all rows of a trial can be read back, whatever it measures.

    Args:
        trial: training or measurement
        labelled: classes in the labels of each test image, void left out; none where they are not known yet, or nothing
            is trained
        classes: of the data set

    Raises:
        ConfigError: there could be more rows than are read.
    """
    where = f"suite {trial.suite}, profile {trial.profile}, model {trial.model}: its results could have"
    others = most_other_rows(trial, classes)
    if others > MAX_ROWS:
        fewer = "iterations" if trial.kind == "training" else "timing rounds or iterations"
        raise ConfigError(
            f"{where} {others} rows of curves, scores and times, at most {MAX_ROWS} are read back; use fewer {fewer}"
        )
    of_images = most_image_rows(trial, labelled, classes)
    if of_images > MAX_IMAGE_ROWS:
        raise ConfigError(
            f"{where} {of_images} counts of {len(labelled)} test images of {trial.dataset} at {points_of(trial)} "
            f"points, at most {MAX_IMAGE_ROWS} are read back; use fewer test images or budgets"
        )


def points_of(trial: Trial) -> int:
    """Returns how often a training scores the test split: at budgets, by each selection, and what is refined."""
    return len(trial.budgets) + 2 + bool(trial.refinement)


def most_image_rows(trial: Trial, labelled: Sequence[int], classes: int) -> int:
    """Returns how many rows of single images there are at most."""
    needs_labels = len(BOUNDARY_METRICS) - 1
    counts = (found * classes + len(STORED) * (classes + needs_labels * found) for found in labelled)
    return points_of(trial) * sum(counts)


def most_other_rows(trial: Trial, classes: int) -> int:
    """Returns how many other rows there are at most."""
    if trial.kind == "cost":
        paper = PAPER_PROTOCOLS[trial.timing_paper].passes if trial.timing_paper else 0
        passes = trial.timing_rounds * trial.timing_iterations + paper
        rounds = trial.timing_rounds + 1
        costs = 4 * len(COST_METRICS) * (2 + len(training_steps(trial)))  # a time has three besides
        return 1 + passes * len(TIMES) + rounds * len(CONDITIONS) + costs
    validations = trial.iterations // trial.validate_every
    regions = REGIONS + 2 * classes
    tests = points_of(trial) * (regions + len(STORED) * (1 + classes))
    of_classes = (1 + len(SPLITS)) * classes  # weights and frequencies
    besides = 100 + len(PERIODS) * len(CHECKERBOARD_METRICS)  # the outcome, parameters of what refines
    return trial.iterations + validations * (1 + regions) + regions + tests + of_classes + besides
