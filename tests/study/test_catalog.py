"""The names of the study half are the ones that the torch half has."""

from bench.data import DATASETS
from bench.results.schema import COST_METRICS
from bench.study.catalog import DATASET_TITLES, MODEL_TITLES
from bench.study.tolerances import COST_METRIC_NAMES
from models import MODELS


def test_models() -> None:
    assert list(MODELS) == list(MODEL_TITLES)


def test_datasets() -> None:
    assert set(DATASETS) == set(DATASET_TITLES)


def test_cost_metrics() -> None:
    assert tuple(COST_METRICS) == COST_METRIC_NAMES
