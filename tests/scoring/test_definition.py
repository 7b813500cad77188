"""What the options mean, in words and in numbers."""

import numpy as np
import pytest

from bench.data.camvid_classes import CLASS_NAMES
from bench.errors import ConfigError, UnknownNameError
from bench.evaluation.boundary_scores import STORED
from bench.scoring.definition import Definition, Measure, definition_of, score_counts
from bench.scoring.scored_maps import score_maps


def given(protocols=(), divisor="union", average="authors", classes=None):
    return definition_of(protocols, divisor, average, classes, CLASS_NAMES)


def test_no_options_are_the_default_of_the_tables():
    assert given() == Definition()
    assert given().sentence == (
        "BF by paper, divisor union; G, C, mIoU by authors; classes: all. This is the default of the tables."
    )


def test_all_protocols_with_paper_first():
    definition = given(["all"])
    assert definition.protocols == tuple(STORED)
    assert definition.measures[3] == Measure("boundary_f1", "paper")
    assert definition.sentence.endswith(
        "G, C, mIoU and BF paper are by the default of the tables, the other BF are not."
    )


@pytest.mark.parametrize(
    "changes", [{"protocols": ["davis"]}, {"divisor": "gt"}, {"average": "present"}, {"classes": "Sky"}]
)
def test_anything_else_says_that_it_is_not_the_default(changes):
    assert given(**changes).sentence.endswith("This is NOT the default of the tables.")
    assert given(**changes).as_dict()["default_of_the_tables"] is False


def test_classes_come_in_the_order_of_the_data_set():
    assert given(classes=" car,SKY").classes == ("Sky", "Car")


def test_wrong_names():
    with pytest.raises(UnknownNameError, match="unknown boundary protocol 'bsds'"):
        given(["bsds"])
    with pytest.raises(UnknownNameError, match="unknown region rule 'x'"):
        given(average="x")
    with pytest.raises(UnknownNameError, match="unknown class 'Bus'"):
        given(classes="Bus")
    with pytest.raises(ConfigError, match="Sky is named twice"):
        given(classes="Sky,sky")


def test_a_subset_by_hand():
    # two classes side by side and a third that is only predicted, where the second is labelled
    labels = np.array([[[0, 0, 1, 1]] * 4], np.uint8)
    predictions = np.array([[[0, 0, 1, 2]] * 4], np.uint8)
    scores = score_maps(Definition(classes=("a", "b")), ("a", "b", "c"), labels, predictions)
    assert scores.values[Measure("global_accuracy")] == 12 / 16
    assert scores.values[Measure("mean_iou")] == (1 + 4 / 8) / 2
    # boundary of a: the same 4 pixels in both; of b: 4 labelled, 8 predicted, 4 of them matched
    assert scores.class_values[Measure("boundary_f1", "paper")].tolist() == [1.0, 2 * (4 / 8) / (4 / 8 + 1)]
    assert scores.values[Measure("boundary_f1", "paper")] == pytest.approx((1 + 2 / 3) / 2)
    assert scores.class_names == ("a", "b")


@pytest.mark.parametrize("divisor", ["union", "gt"])
def test_a_perfect_prediction_scores_1_for_a_class_that_is_in_some_images(divisor):
    """Class A is in the first of three images alone, B in all; the last two say nothing of A."""
    boundary = np.zeros((3, 2, 4), np.int64)
    boundary[0, 0] = boundary[:, 1] = 7
    confusion = np.eye(2, dtype=np.int64)[None].repeat(3, axis=0)
    scores = score_counts(Definition(divisor=divisor, classes=("A",)), ("A", "B"), confusion, {"paper": boundary})
    assert scores.values[Measure("boundary_f1", "paper")] == 1
    wrong = boundary.copy()
    wrong[2, 0] = [5, 0, 0, 0]  # imagined in the last: it counts there, and is worth nothing, unless labels decide
    scores = score_counts(Definition(divisor=divisor, classes=("A",)), ("A", "B"), confusion, {"paper": wrong})
    assert scores.values[Measure("boundary_f1", "paper")] == (0.5 if divisor == "union" else 1)


def test_a_protocol_without_counts_has_no_value():
    counts = np.ones((1, 2, 2), int)
    scores = score_counts(
        Definition(protocols=("paper", "davis")), ("a", "b"), counts, {"paper": np.ones((1, 2, 4), int)}
    )
    assert Measure("boundary_f1", "davis") not in scores.values
    assert scores.values[Measure("boundary_f1", "paper")] == 1.0


def test_counts_of_other_classes_are_refused():
    with pytest.raises(UnknownNameError, match="unknown class 'Sky'.*; known: a, b"):
        score_counts(given(classes="Sky"), ("a", "b"), np.ones((1, 2, 2), int), {})
