"""Every network learns: the stored smoke baselines lie clearly above predicting the most frequent class everywhere."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from bench.data import IGNORE_INDEX, load_split
from bench.replication.baseline import read_baseline
from bench.study.catalog import MODEL_TITLES
from bench.study.config import load_study
from bench.study.trials import plan

ROOT = Path(__file__).parents[2]
STUDY = load_study(ROOT / "bench.yaml")
# at the paper's learning rate the summed loss learns nothing, which is what its suite is there to show
TRAINED = [name for name, suite in STUDY.suites.items() if suite.weightings and suite.recipe.loss == "averaged"]
BASELINES = {name: ROOT / f"results/_baselines/{name}-smoke.csv" for name in TRAINED}
MARGIN = 0.1  # of global accuracy


@cache
def majority(suite: str) -> float:
    """The share of the most frequent class among the labelled test pixels of a suite's smoke run."""
    trial = plan(STUDY, suite, "smoke")[0]
    labels = load_split(trial.dataset, "test", trial.height, trial.width, trial.dataset_options).labels
    counts = np.bincount(labels[labels != IGNORE_INDEX])
    return float(counts.max() / counts.sum())


@pytest.mark.parametrize("suite", TRAINED)
def test_every_training_of_a_suite_beats_the_majority_class(suite):
    numbers = read_baseline(BASELINES[suite]).numbers
    found = {
        (place.model, place.weighting): one.value
        for place, one in numbers.items()
        if (place.metric, place.split, place.budget) == ("global_accuracy", "test", "")
    }
    planned = {(trial.model, trial.weighting) for trial in plan(STUDY, suite, "smoke") if trial.kind == "training"}
    assert planned <= set(found)
    poor = {cell: value for cell, value in found.items() if value < majority(suite) + MARGIN}
    assert poor == {}, f"the most frequent class has {majority(suite):.3f}"


def test_every_model_is_trained_by_some_suite():
    trained = {model for name in TRAINED for model in STUDY.suites[name].models}
    assert trained == set(MODEL_TITLES)
