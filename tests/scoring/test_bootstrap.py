"""Intervals over images, against a loop that scores each resample by the functions of the evaluation."""

import numpy as np
import pytest

from bench.errors import ResultsError
from bench.evaluation.boundary_scores import boundary_f1
from bench.evaluation.region_scores import region_scores
from bench.replication.statistics import Interval
from bench.scoring import bootstrap
from bench.scoring.bootstrap import image_intervals, paired_image_intervals
from bench.scoring.stored import Counts

METRICS = ("global_accuracy", "class_average_accuracy", "mean_iou", "boundary_f1")


def counts_of(images=7, classes=3, seed=0, rare=True) -> Counts:
    """Returns counts of which the last class is labelled in image 0 alone, so that most resamples lack it."""
    rng = np.random.default_rng(seed)
    confusion = rng.integers(0, 50, (images, classes, classes))
    if rare:
        confusion[1:, -1] = 0
    sizes = rng.integers(0, 40, (images, classes, 2))
    sizes[rng.random((images, classes)) < 0.3] = 0
    matched = np.minimum(sizes[..., 0], sizes[..., 1]) // 2
    boundary = np.stack([sizes[..., 0], sizes[..., 1], matched, matched], axis=2)
    names = tuple(f"image{number}" for number in range(images))
    return Counts(names, tuple("abcdefghij"[:classes]), confusion, {"paper": boundary, "davis": boundary // 2})


def by_hand(counts: Counts, protocol: str, resamples: int, seed: int) -> np.ndarray:
    """Returns the four scores of every resample (R, 4), one after the other."""
    number = len(counts.images)
    found = []
    for chosen in np.random.default_rng(seed).integers(0, number, (resamples, number)):
        regions = region_scores(counts.confusion[chosen].sum(axis=0))
        f1 = boundary_f1(counts.boundary[protocol][chosen]).boundary_f1
        found.append((regions.global_accuracy, regions.class_average_accuracy, regions.mean_iou, f1))
    return np.array(found)


@pytest.mark.parametrize(("protocol", "seed", "confidence"), [("paper", 0, 0.95), ("davis", 5, 0.8)])
def test_intervals_are_those_of_a_loop_over_resamples(protocol, seed, confidence):
    counts = counts_of()
    found = image_intervals(counts, protocol, resamples=200, seed=seed, confidence=confidence)
    assert list(found) == [(metric, "") for metric in METRICS]
    ends = np.quantile(by_hand(counts, protocol, 200, seed), [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    assert np.array(list(found.values())) == pytest.approx(ends.T, abs=1e-12)


def test_blocks_of_draws_are_the_same_as_all_at_once(monkeypatch):
    whole = image_intervals(counts_of(), resamples=50)
    monkeypatch.setattr(bootstrap, "DRAWS_AT_ONCE", 20)  # two resamples of seven images
    assert image_intervals(counts_of(), resamples=50) == whole


def test_paired_intervals_are_those_of_the_differences_of_a_loop():
    first, second = counts_of(), counts_of()
    better = second.confusion.copy()
    better[:, 0, 0] += better[:, 0, 1]
    better[:, 0, 1] = 0  # the same labels, more of them right
    second = Counts(second.images, second.class_names, better, second.boundary)
    found = paired_image_intervals(second, first, resamples=200)
    differences = by_hand(second, "paper", 200, 0) - by_hand(first, "paper", 200, 0)
    ends = np.quantile(differences, [0.025, 0.975], axis=0)
    assert np.array(list(found.values())) == pytest.approx(ends.T, abs=1e-12)
    assert found["global_accuracy", ""].low > 0
    assert found["boundary_f1", ""] == (0, 0)


def test_pairs_are_of_images_by_name():
    first = counts_of()
    turned = Counts(
        first.images[::-1],
        first.class_names,
        first.confusion[::-1],
        {protocol: values[::-1] for protocol, values in first.boundary.items()},
    )
    assert set(paired_image_intervals(first, turned, resamples=20).values()) == {Interval(0.0, 0.0)}


def test_equal_images_leave_no_doubt():
    """Two images of 3 right and 1 wrong pixel: every resample has G 3/4."""
    confusion = np.array([[[3, 1], [0, 0]]] * 2)
    counts = Counts(("a", "b"), ("x", "y"), confusion, {})
    # class y is never labelled and adds 0: C = (3/4 + 0) / 2, mIoU = (3/4 + 0/1) / 2
    assert image_intervals(counts) == {
        ("global_accuracy", ""): (0.75, 0.75),
        ("class_average_accuracy", ""): (0.375, 0.375),
        ("mean_iou", ""): (0.375, 0.375),
    }


def test_a_class_that_a_resample_lacks_adds_nothing():
    """Image a has class x alone, b has y alone, all right: a resample of one of them alone has C 1/2."""
    confusion = np.array([[[4, 0], [0, 0]], [[0, 0], [0, 4]]])
    found = image_intervals(Counts(("a", "b"), ("x", "y"), confusion, {}))
    assert found["global_accuracy", ""] == (1, 1)
    assert found["class_average_accuracy", ""] == found["mean_iou", ""] == (0.5, 1)


def test_images_without_labels():
    """Resamples of the void image alone have no G and do not count; in BF it is an image with 0."""
    confusion = np.array([[[4, 0], [0, 4]], [[0, 0], [0, 0]]])
    boundary = np.array([[[2, 2, 2, 2], [2, 2, 2, 2]], [[0, 0, 0, 0], [0, 0, 0, 0]]])
    found = image_intervals(Counts(("a", "b"), ("x", "y"), confusion, {"paper": boundary}))
    assert found["global_accuracy", ""] == (1, 1)
    assert found["boundary_f1", ""] == (0, 1)
    void = Counts(("a", "b"), ("x", "y"), confusion * 0, {"paper": boundary * 0})
    assert image_intervals(void) == {("boundary_f1", ""): (0, 0)}


def test_one_image_gives_no_interval():
    assert image_intervals(counts_of(images=1)) == {}
    assert paired_image_intervals(counts_of(images=1), counts_of(images=1)) == {}


def test_a_protocol_without_counts_gives_no_bf():
    assert [metric for metric, _ in image_intervals(counts_of(), "distance", resamples=5)] == list(METRICS[:3])


def test_other_images_labels_or_classes_are_no_pair():
    first = counts_of()
    fewer = counts_of(images=6)
    with pytest.raises(ResultsError, match="they have 7 and 6 test images, 6 in common"):
        paired_image_intervals(first, fewer)
    changed = first.confusion.copy()
    changed[2, 0, 0] += 1
    with pytest.raises(ResultsError, match="the labels of 1 of 7 test images are not the same, first image2"):
        paired_image_intervals(first, Counts(first.images, first.class_names, changed, first.boundary))
    with pytest.raises(ResultsError, match="other classes"):
        paired_image_intervals(first, Counts(first.images, ("x", "y", "z"), first.confusion, first.boundary))
