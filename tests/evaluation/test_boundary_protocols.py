"""Every stored boundary protocol against brute force, SciPy and scikit-image, and what each void rule leaves."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import binary_dilation, distance_transform_edt
from scipy.optimize import linear_sum_assignment
from skimage.morphology import disk

from bench.data.road_scenes import draw_scene
from bench.evaluation.boundary import boundary_counts
from bench.evaluation.boundary_scores import PROTOCOLS, STORED, VOID_RULES, boundary_f1

VOID = 255
MASKED = [name for name, (_, void) in STORED.items() if void == "masked"]


def counts_of(name, labels, predictions, num_classes):
    return boundary_counts(labels, predictions, num_classes, *STORED[name])


def reach_px(protocol, height, width):
    exact = np.hypot(height, width) * 0.0075
    return np.ceil(exact) if protocol == "davis" else exact


def edge_of(classes, k, label, void):
    """(H, W) bool, pixel by pixel: the 2x2 block holds k and something else, and no void if that is masked."""
    edge = np.zeros(classes.shape, dtype=bool)
    for y, x in np.ndindex(classes.shape):
        block = np.s_[y : y + 2, x : x + 2]
        of_class = classes[block] == k
        edge[y, x] = of_class.any() and not of_class.all()
        if void == "masked" and (label[block] == VOID).any():
            edge[y, x] = False
    return edge


def counts_by_force(name, labels, predictions, num_classes):
    """Every pair of boundary pixels; for tiny maps."""
    protocol, void = STORED[name]
    counts = np.zeros((len(labels), num_classes, 4), dtype=np.int64)
    for n, k in np.ndindex(counts.shape[:2]):
        predicted, label = (np.argwhere(edge_of(maps[n], k, labels[n], void)) for maps in (predictions, labels))
        near = np.linalg.norm(predicted[:, None] - label[None], axis=2) <= reach_px(protocol, *labels.shape[1:])
        if protocol == "paper":
            one_to_one = near[linear_sum_assignment(near, maximize=True)].sum()
            counts[n, k] = len(predicted), len(label), one_to_one, one_to_one
        else:
            counts[n, k] = len(predicted), len(label), near.any(axis=1).sum(), near.any(axis=0).sum()
    return counts


def edge_by_shifts(classes, k, label, void):
    """The same as edge_of, by whole arrays."""

    def block(maps):
        padded = np.pad(maps, ((0, 1), (0, 1)), mode="edge")
        return np.stack([padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]])

    of_class = block(classes == k)
    unlabelled = block(label == VOID).any(axis=0) & (void == "masked")
    return of_class.any(axis=0) & ~of_class.all(axis=0) & ~unlabelled


def counts_by_distance_transform(name, labels, predictions, num_classes):
    protocol, void = STORED[name]
    reach = reach_px(protocol, *labels.shape[1:])
    counts = np.zeros((len(labels), num_classes, 4), dtype=np.int64)
    for n, k in np.ndindex(counts.shape[:2]):
        predicted, label = (edge_by_shifts(maps[n], k, labels[n], void) for maps in (predictions, labels))
        near_label = distance_transform_edt(~label) <= reach if label.any() else label
        near_predicted = distance_transform_edt(~predicted) <= reach if predicted.any() else predicted
        matched = (predicted & near_label).sum(), (label & near_predicted).sum()
        counts[n, k] = predicted.sum(), label.sum(), *matched
    return counts


def check_against_scipy(labels, predictions, num_classes):
    for void in VOID_RULES:
        by_protocol = {STORED[name][0]: name for name in STORED if STORED[name][1] == void}
        for protocol in ("distance", "davis"):
            expected = counts_by_distance_transform(by_protocol[protocol], labels, predictions, num_classes)
            np.testing.assert_array_equal(counts_of(by_protocol[protocol], labels, predictions, num_classes), expected)
        paper, distance = (counts_of(by_protocol[p], labels, predictions, num_classes) for p in ("paper", "distance"))
        np.testing.assert_array_equal(paper[..., :2], distance[..., :2])
        assert (paper[..., 2] == paper[..., 3]).all()
        assert (paper[..., 2:] <= distance[..., 2:]).all()
        assert 0 < boundary_f1(paper).boundary_f1 < boundary_f1(distance).boundary_f1 < 1


def maps_from(seed, shape, num_classes, void):
    """Labels in small rectangles, and a prediction that is the labels moved by (1, 1), with noise."""
    rng = np.random.default_rng(seed)
    cell = int(rng.integers(1, 5))
    coarse = rng.integers(0, num_classes, (shape[0], shape[1] // cell + 1, shape[2] // cell + 1), dtype=np.uint8)
    coarse[rng.random(coarse.shape) < void] = VOID
    labels = coarse.repeat(cell, axis=1).repeat(cell, axis=2)[:, : shape[1], : shape[2]].copy()
    predictions = np.roll(labels, (1, 1), axis=(1, 2))
    noisy = (predictions == VOID) | (rng.random(shape) < 0.1)
    predictions[noisy] = rng.integers(0, num_classes, noisy.sum())
    return labels, predictions


def test_the_names_that_results_carry():
    assert list(STORED) == [
        "paper",
        "distance",
        "davis",
        "paper-void-masked",
        "distance-void-masked",
        "davis-void-masked",
    ]
    assert set(STORED.values()) == {(protocol, void) for protocol in PROTOCOLS for void in VOID_RULES}


# tolerances of 0.01, 0.06, 0.95, 2.003, 2.25 and 3.00001 px: a long map has a large one for few pixels
@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.sampled_from([(2, 1, 1), (2, 5, 6), (1, 9, 127), (1, 7, 267), (1, 3, 300), (2, 1, 400)]),
    num_classes=st.sampled_from([1, 2, 5]),
    void=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
)
def test_tiny_maps_equal_brute_force(seed, shape, num_classes, void):
    labels, predictions = maps_from(seed, shape, num_classes, void)
    for name in STORED:
        expected = counts_by_force(name, labels, predictions, num_classes)
        np.testing.assert_array_equal(counts_of(name, labels, predictions, num_classes), expected, err_msg=name)


@pytest.mark.parametrize("name", STORED)
def test_37_classes_equal_brute_force(name):
    labels, predictions = maps_from(37, (1, 7, 267), 37, 0.1)
    expected = counts_by_force(name, labels, predictions, 37)
    assert (expected[0, :, 2] > 0).sum() > 30
    np.testing.assert_array_equal(counts_of(name, labels, predictions, 37), expected)


def test_drawn_streets_equal_scipy():
    labels = np.stack([draw_scene(1511, "test", index, 360, 480)[1] for index in range(2)])
    assert (labels == VOID).any()
    predictions = np.roll(labels, (2, -3), axis=(1, 2))
    predictions[predictions == VOID] = 3
    check_against_scipy(labels, predictions, 11)


@pytest.mark.camvid
@pytest.mark.skipif("BENCH_CAMVID" not in os.environ, reason="needs the real CamVid images in BENCH_CAMVID")
def test_real_labels_equal_scipy():
    folder = Path(os.environ["BENCH_CAMVID"]) / "testannot"
    labels = np.stack([np.asarray(Image.open(file)) for file in sorted(folder.glob("*.png"))[:2]]).copy()
    labels[labels == 11] = VOID
    predictions = np.roll(labels, (3, 3), axis=(1, 2))
    predictions[predictions == VOID] = 5
    check_against_scipy(labels, predictions, 11)


def davis_f(predicted, label, bound_th):
    """The benchmark's f_measure of two masks, both with a boundary, from its definition."""

    def contour(mask):
        right, below, diagonal = (np.zeros_like(mask) for _ in range(3))
        right[:, :-1], below[:-1], diagonal[:-1, :-1] = mask[:, 1:], mask[1:], mask[1:, 1:]
        edge = (mask ^ right) | (mask ^ below) | (mask ^ diagonal)
        edge[-1] = mask[-1] ^ right[-1]
        edge[:, -1] = mask[:, -1] ^ below[:, -1]
        edge[-1, -1] = False
        return edge

    ball = disk(int(np.ceil(bound_th * np.linalg.norm(label.shape))))
    guess, truth = contour(predicted), contour(label)
    precision = (guess & binary_dilation(truth, ball)).sum() / guess.sum()
    recall = (truth & binary_dilation(guess, ball)).sum() / truth.sum()
    return 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize("size", [(90, 120), (120, 200), (360, 480)])
def test_davis_is_the_f_measure_of_davis(size):
    label = draw_scene(1511, "test", 0, *size)[1]
    prediction = np.roll(label, (2, -3), axis=(0, 1))
    prediction[prediction == VOID] = 3
    scores = boundary_f1(boundary_counts(label[None], prediction[None], 11, "davis"))
    compared = [k for k in range(11) if (label == k).any() and (prediction == k).any()]
    assert len(compared) > 4
    for k in compared:
        assert scores.class_boundary_f1[k] == pytest.approx(davis_f(prediction == k, label == k, 0.0075))


# in pixels: 4.5, 1.125, 2.175, just above 2, exactly 3
@pytest.mark.parametrize(
    ("size", "reach"), [((360, 480), 5), ((90, 120), 2), ((200, 210), 3), ((7, 267), 3), ((240, 320), 3)]
)
def test_the_radius_of_davis_is_rounded_up(size, reach):
    def edge_at(column):
        maps = np.zeros((1, *size), dtype=np.uint8)
        maps[..., column:] = 1
        return maps

    for shift, matched in ((reach, size[0]), (reach + 1, 0)):
        counts = boundary_counts(edge_at(6), edge_at(6 + shift), 2, "davis")
        assert counts[0, 0].tolist() == [size[0], size[0], matched, matched]


@pytest.mark.parametrize("name", STORED)
def test_swapping_the_maps_swaps_precision_and_recall(name):
    labels, predictions = maps_from(3, (2, 60, 80), 5, 0)
    there, back = counts_of(name, labels, predictions, 5), counts_of(name, predictions, labels, 5)
    np.testing.assert_array_equal(there, back[..., [1, 0, 3, 2]])
    assert boundary_f1(there).boundary_f1 == pytest.approx(boundary_f1(back).boundary_f1)


@pytest.mark.parametrize("name", STORED)
def test_without_void_both_rules_are_one(name):
    labels, predictions = maps_from(4, (2, 60, 80), 5, 0)
    expected = boundary_counts(labels, predictions, 5, STORED[name][0])
    np.testing.assert_array_equal(counts_of(name, labels, predictions, 5), expected)


@pytest.mark.parametrize(("name", "moved"), [(name, 5 if "davis" in name else 4) for name in STORED])
def test_a_pole_of_one_pixel_within_reach_and_beyond(name, moved):
    labels, near, far = np.zeros((3, 1, 360, 480), np.uint8)
    labels[..., 100], near[..., 100 + moved], far[..., 100 + moved + 2] = 1, 1, 1
    # a pole of one pixel has two boundary columns, itself and the one on its left; no void, so no rule matters
    assert counts_of(name, labels, near, 2)[0].tolist() == [[720] * 4] * 2
    assert not counts_of(name, labels, far, 2)[..., 2:].any()


def test_a_void_region_by_hand():
    # columns: road road road | void void void | car car; the prediction has its edge right inside void
    labels = np.array([[[0, 0, 0, VOID, VOID, VOID, 1, 1]] * 4], dtype=np.uint8)
    predictions = np.array([[[0, 0, 0, 0, 0, 1, 1, 1]] * 4], dtype=np.uint8)
    for protocol in PROTOCOLS:
        # kept: the road ends in column 2 and the car begins in column 5; predicted, both in column 4
        kept = boundary_counts(labels, predictions, 2, protocol)
        assert kept[0, :, :2].tolist() == [[4, 4], [4, 4]]
        # masked: blocks of columns 2 to 5 hold void, and nothing else is an edge
        assert not boundary_counts(labels, predictions, 2, protocol, "masked").any()


def test_only_blocks_with_void_are_left_out():
    # a horizontal edge below row 1, and one void pixel at (2, 4) that touches it
    labels = np.zeros((1, 4, 8), dtype=np.uint8)
    labels[:, 2:] = 1
    predictions = labels.copy()
    labels[0, 2, 4] = VOID
    counts = boundary_counts(labels, predictions, 2, "distance", "masked")
    # row 1 is the edge; of its eight blocks those of columns 3 and 4 hold the void pixel
    assert counts[0].tolist() == [[6, 6, 6, 6]] * 2


@pytest.mark.parametrize("name", MASKED)
def test_masked_never_reads_the_prediction_inside_void(name):
    labels, predictions = maps_from(8, (2, 60, 80), 5, 0.3)
    rng = np.random.default_rng(9)
    inside = labels == VOID
    other = predictions.copy()
    other[inside] = rng.integers(0, 5, inside.sum())
    assert (other != predictions).any()
    np.testing.assert_array_equal(counts_of(name, labels, predictions, 5), counts_of(name, labels, other, 5))
    kept = boundary_counts(labels, other, 5, STORED[name][0])
    assert (counts_of(name, labels, other, 5)[..., :2] < kept[..., :2]).all()


@pytest.mark.parametrize("name", MASKED)
def test_masked_scores_one_where_the_prediction_is_right_outside_void(name):
    labels, guesses = maps_from(10, (3, 60, 80), 5, 0.2)
    predictions = np.where(labels == VOID, guesses, labels)
    scores = boundary_f1(counts_of(name, labels, predictions, 5))
    assert scores.boundary_f1 == pytest.approx(1.0)
    assert boundary_f1(boundary_counts(labels, predictions, 5, STORED[name][0])).boundary_f1 < 0.95


@pytest.mark.parametrize("name", STORED)
def test_labels_of_void_alone(name):
    labels = np.full((1, 20, 30), VOID, dtype=np.uint8)
    predictions = np.zeros((1, 20, 30), dtype=np.uint8)
    predictions[..., 10:] = 1
    counts = counts_of(name, labels, predictions, 3)
    imagined = 0 if name in MASKED else 20
    assert counts[0].tolist() == [[imagined, 0, 0, 0], [imagined, 0, 0, 0], [0, 0, 0, 0]]
    for divisor in ("union", "gt"):
        assert boundary_f1(counts, divisor).boundary_f1 == 0.0


@pytest.mark.parametrize("name", STORED)
def test_one_class_has_a_boundary_against_void_only(name):
    labels = np.zeros((1, 20, 30), dtype=np.uint8)
    labels[..., 20:] = VOID
    counts = counts_of(name, labels, np.zeros_like(labels), 1)
    # the prediction has one class and no edge, the labels end in column 19
    assert counts.tolist() == [[[0, 0, 0, 0] if name in MASKED else [0, 20, 0, 0]]]


@pytest.mark.parametrize("name", STORED)
def test_divisors_differ_by_the_class_that_is_only_predicted(name):
    labels = np.zeros((1, 40, 40), dtype=np.uint8)
    labels[..., 20:] = 1
    predictions = labels.copy()
    predictions[0, 5:15, 2:8] = 2  # class 3 is nowhere
    counts = counts_of(name, labels, predictions, 4)
    per_class = boundary_f1(counts).class_boundary_f1
    assert per_class[1] == 1.0
    assert per_class[2] == 0.0
    assert np.isnan(per_class[3])
    assert boundary_f1(counts, "union").boundary_f1 == pytest.approx((per_class[0] + 1 + 0) / 3)
    assert boundary_f1(counts, "gt").boundary_f1 == pytest.approx((per_class[0] + 1) / 2)
