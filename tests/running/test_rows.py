"""Rows of a results file: what is stored of boundaries is enough to score them again."""

import numpy as np
import pytest
from single_rows import single_rows

from bench.data.split import Split
from bench.evaluation.boundary import boundary_counts
from bench.evaluation.boundary_scores import STORED, boundary_f1
from bench.results.schema import BOUNDARY_METRICS
from bench.running.rows import TrialRows

VOID = 255
CLASSES = ("sky", "road", "car")


@pytest.fixture(scope="module")
def scored() -> tuple[Split, np.ndarray, list[dict]]:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 3, (4, 6, 8), dtype=np.uint8)
    coarse[rng.random(coarse.shape) < 0.2] = VOID
    labels = coarse.repeat(5, axis=1).repeat(5, axis=2)
    predictions = np.where(labels == VOID, np.uint8(1), np.roll(labels, 1, axis=2) % 3)
    labels[2] = VOID
    predictions[2] = 1  # an image without any boundary under any rule
    images = np.zeros((*labels.shape, 3), np.uint8)
    split = Split(images, labels, ("a", "b", "c", "d"), CLASSES, "digest")
    rows = TrialRows({"test": split}, None)
    rows.add_boundaries("test", 6, predictions)
    return split, predictions, list(single_rows(rows.rows))


@pytest.mark.parametrize("name", STORED)
def test_boundary_scores_come_back_from_the_stored_counts(scored, name):
    split, predictions, rows = scored
    stored = [row for row in rows if row["record"] == "image_boundary" and row["protocol"] == name]
    images = sorted({row["image"] for row in stored})
    assert tuple(images) == split.names
    counts = np.zeros((len(images), len(CLASSES), 4), dtype=np.int64)
    for row in stored:
        at = images.index(row["image"]), CLASSES.index(row["class_name"]), BOUNDARY_METRICS.index(row["metric"])
        counts[at] += int(row["value"])
    np.testing.assert_array_equal(counts, boundary_counts(split.labels, predictions, 3, *STORED[name]))
    score = [row["value"] for row in rows if row["metric"] == "boundary_f1" and row["record"] == "score"]
    assert len(score) == len(STORED)
    assert boundary_f1(counts).boundary_f1 == score[list(STORED).index(name)] > 0
    for divisor in ("union", "gt"):
        direct = boundary_f1(boundary_counts(split.labels, predictions, 3, *STORED[name]), divisor)
        assert boundary_f1(counts, divisor).boundary_f1 == direct.boundary_f1


def test_an_image_without_boundary_keeps_one_row_of_zero_for_each_protocol(scored):
    _, _, rows = scored
    kept = [
        (row["protocol"], row["value"]) for row in rows if row["record"] == "image_boundary" and row["image"] == "c"
    ]
    assert kept == [(name, 0.0) for name in STORED]
