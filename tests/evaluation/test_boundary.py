"""Boundary counts against brute force and SciPy, and boundary F1 against hand-checked numbers."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import distance_transform_edt
from scipy.optimize import linear_sum_assignment

from bench.evaluation.boundary import boundary_counts
from bench.evaluation.boundary_scores import boundary_f1, boundary_tolerance_px

VOID = 255
PROTOCOLS = ("paper", "distance", "davis")


def boundary_by_loop(mask):
    """Pixels whose 2x2 block (self, right, below, diagonal) is not constant; blocks end at the frame."""
    edge = np.zeros(mask.shape, dtype=bool)
    for y, x in np.ndindex(mask.shape):
        block = mask[y : y + 2, x : x + 2]
        edge[y, x] = block.any() and not block.all()
    return edge


def boundary_by_shifts(mask):
    padded = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    block = np.stack([padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]])
    return block.any(axis=0) & ~block.all(axis=0)


def counts_by_assignment(labels, predictions, num_classes, tolerance_px):
    """Protocol paper by a dense assignment; for tiny maps."""
    counts = np.zeros((len(labels), num_classes, 4), dtype=np.int64)
    for n, k in np.ndindex(counts.shape[:2]):
        predicted = np.argwhere(boundary_by_loop(predictions[n] == k))
        label = np.argwhere(boundary_by_loop(labels[n] == k))
        near = ((predicted[:, None] - label[None]) ** 2).sum(axis=2) <= tolerance_px**2
        matched = near[linear_sum_assignment(near, maximize=True)].sum()
        counts[n, k] = len(predicted), len(label), matched, matched
    return counts


def counts_by_distance_transform(labels, predictions, num_classes, tolerance_px):
    """Protocol distance by SciPy's Euclidean distance transform."""
    counts = np.zeros((len(labels), num_classes, 4), dtype=np.int64)
    for n, k in np.ndindex(counts.shape[:2]):
        predicted, label = (boundary_by_shifts(maps[n] == k) for maps in (predictions, labels))
        near_label = distance_transform_edt(~label) <= tolerance_px if label.any() else label
        near_predicted = distance_transform_edt(~predicted) <= tolerance_px if predicted.any() else predicted
        matched = (predicted & near_label).sum(), (label & near_predicted).sum()
        counts[n, k] = predicted.sum(), label.sum(), *matched
    return counts


def patches(rng, shape, num_classes, cell, void=0.1):
    """Random rectangles of about `cell` pixels, a tenth of them void."""
    n, height, width = shape
    coarse = rng.integers(0, num_classes, (n, height // cell + 1, width // cell + 1), dtype=np.uint8)
    coarse[rng.random(coarse.shape) < void] = VOID
    return coarse.repeat(cell, axis=1).repeat(cell, axis=2)[:, :height, :width].copy()


def predictions_from(rng, labels, num_classes, shift):
    """Labels moved by shift (y, x), void filled, with noise on a hundredth of the pixels."""
    moved = np.roll(labels, shift, axis=(1, 2))
    noisy = (moved == VOID) | (rng.random(moved.shape) < 0.01)
    moved[noisy] = rng.integers(0, num_classes, noisy.sum())
    return moved


def one(rows):
    return np.array([rows], dtype=np.uint8)


def test_tolerance():
    assert boundary_tolerance_px(360, 480) == 4.5
    assert boundary_tolerance_px(90, 120) == 1.125


def test_boundary_pixels_of_a_corner():
    # the mask of class 1 is the lower right 2x2; frame pixels compare with what they have
    labels = one([[0, 0, 0], [0, 1, 1], [0, 1, 1]])
    counts = boundary_counts(labels, labels, 2)
    # (0,0) (0,1) (0,2) (1,0) (2,0) differ from a neighbour to the right, below or diagonal
    assert counts[0, :, 0].tolist() == [5, 5]
    assert counts[0, :, 1].tolist() == [5, 5]


def test_image_frame_is_no_boundary():
    labels = np.zeros((1, 5, 6), dtype=np.uint8)
    for protocol in PROTOCOLS:
        assert not boundary_counts(labels, labels, 3, protocol).any()


@pytest.mark.parametrize("shape", [(3, 1, 1), (3, 1, 7), (3, 7, 1), (3, 2, 2), (3, 5, 9)])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_boundary_pixels_equal_a_loop_over_blocks(shape, protocol):
    rng = np.random.default_rng(0)
    labels, predictions = (rng.integers(0, 3, shape, dtype=np.uint8) for _ in range(2))
    labels[rng.random(shape) < 0.2] = VOID
    counts = boundary_counts(labels, predictions, 3, protocol)
    for n, k in np.ndindex(3, 3):
        assert counts[n, k, 0] == boundary_by_loop(predictions[n] == k).sum()
        assert counts[n, k, 1] == boundary_by_loop(labels[n] == k).sum()


# long narrow maps have a large tolerance for their size: 1x400 has 3.0 px, 2x600 has 4.5 px
LONG = [(4, 1, 400), (2, 2, 600), (3, 30, 40), (2, 7, 267)]


@pytest.mark.parametrize("shape", LONG)
def test_paper_protocol_equals_an_assignment(shape):
    rng = np.random.default_rng(1)
    labels = patches(rng, shape, 4, cell=3)
    predictions = predictions_from(rng, labels, 4, (1, 2))
    expected = counts_by_assignment(labels, predictions, 4, boundary_tolerance_px(*shape[1:]))
    np.testing.assert_array_equal(boundary_counts(labels, predictions, 4, "paper"), expected)


@pytest.mark.parametrize("shape", [*LONG, (1, 240, 320)])
def test_distance_protocol_equals_scipy(shape):
    rng = np.random.default_rng(2)
    labels = patches(rng, shape, 4, cell=3)
    predictions = predictions_from(rng, labels, 4, (1, 2))
    expected = counts_by_distance_transform(labels, predictions, 4, boundary_tolerance_px(*shape[1:]))
    np.testing.assert_array_equal(boundary_counts(labels, predictions, 4, "distance"), expected)


@pytest.mark.parametrize("num_classes", [1, 11, 16, 17, 32, 33, 37, 64])
def test_full_size_equals_scipy_for_every_width_of_the_class_code(num_classes):
    rng = np.random.default_rng(num_classes)
    labels = patches(rng, (1, 360, 480), num_classes, 40)
    predictions = predictions_from(rng, labels, num_classes, (3, -4))
    counts = boundary_counts(labels, predictions, num_classes, "distance")
    some = sorted({0, num_classes // 2, num_classes - 1})  # a distance transform takes 10 ms
    expected = counts_by_distance_transform(
        *(np.select([maps == k for k in some], range(len(some)), VOID) for maps in (labels, predictions)),
        len(some),
        boundary_tolerance_px(360, 480),
    )
    np.testing.assert_array_equal(counts[:, some], expected)
    matched = boundary_counts(labels, predictions, num_classes, "paper")
    np.testing.assert_array_equal(matched[..., :2], counts[..., :2])
    assert (matched[..., 2] == matched[..., 3]).all()
    assert (matched[..., 2:] <= counts[..., 2:]).all()


def test_swapping_the_maps_swaps_precision_and_recall():
    rng = np.random.default_rng(3)
    labels = patches(rng, (2, 60, 80), 5, 7, void=0)
    predictions = predictions_from(rng, labels, 5, (1, 0))
    for protocol in PROTOCOLS:
        there = boundary_counts(labels, predictions, 5, protocol)
        back = boundary_counts(predictions, labels, 5, protocol)
        np.testing.assert_array_equal(there, back[..., [1, 0, 3, 2]])
        assert boundary_f1(there).boundary_f1 == pytest.approx(boundary_f1(back).boundary_f1)


def vertical_edge(at, height=360, width=480):
    maps = np.zeros((1, height, width), dtype=np.uint8)
    maps[:, :, at:] = 1
    return maps


@pytest.mark.parametrize(("protocol", "reach"), [("paper", 4), ("distance", 4), ("davis", 5)])
def test_how_far_edges_match_at_full_size(protocol, reach):
    # the tolerance is 4.5 px; davis rounds it up
    for shift, matched in ((0, 360), (reach, 360), (-reach, 360), (reach + 1, 0), (-reach - 1, 0)):
        counts = boundary_counts(vertical_edge(200), vertical_edge(200 + shift), 2, protocol)
        assert counts[0, 0].tolist() == [360, 360, matched, matched]


@pytest.mark.parametrize(
    ("dy", "dx", "paper", "distance"),
    [(2, 4, 4, 4), (4, 2, 4, 4), (3, 3, 4, 4), (3, 4, 2, 3), (0, 5, 2, 2), (4, 6, 0, 0)],
)
def test_diagonal_distances_at_full_size(dy, dx, paper, distance):
    # One pixel has a 2x2 boundary block, so of two blocks (3, 4) apart the inner corners are (2, 3) apart.
    labels, predictions = np.zeros((1, 360, 480), np.uint8), np.zeros((1, 360, 480), np.uint8)
    labels[0, 100, 100], predictions[0, 100 + dy, 100 + dx] = 1, 1
    assert boundary_counts(labels, predictions, 2, "paper")[0, 1].tolist() == [4, 4, paper, paper]
    assert boundary_counts(labels, predictions, 2, "distance")[0, 1].tolist() == [4, 4, distance, distance]


def test_a_distance_equal_to_the_tolerance_matches():
    height, width = 240, 320  # tolerance 3.0 px exactly
    for shift, matched in ((3, height), (4, 0)):
        for protocol in PROTOCOLS:
            counts = boundary_counts(
                vertical_edge(100, height, width), vertical_edge(100 + shift, height, width), 2, protocol
            )
            assert counts[0, 0, 2] == matched


def test_matching_is_one_to_one_and_distance_is_not():
    # a thin pole in the labels, predicted as two poles close by: distance accepts both, matching one
    labels, predictions = np.zeros((1, 360, 480), np.uint8), np.zeros((1, 360, 480), np.uint8)
    labels[0, :, 100] = 1
    predictions[0, :, 98] = predictions[0, :, 102] = 1
    # a pole of one pixel has two boundary columns: itself and the one on its left
    assert boundary_counts(labels, predictions, 2, "distance")[0, 1].tolist() == [1440, 720, 1440, 720]
    assert boundary_counts(labels, predictions, 2, "paper")[0, 1].tolist() == [1440, 720, 720, 720]


def test_a_missed_pole_costs_its_class_only_recall():
    labels, predictions = np.zeros((1, 360, 480), np.uint8), np.zeros((1, 360, 480), np.uint8)
    labels[0, :, 100] = 1
    for protocol in PROTOCOLS:
        counts = boundary_counts(labels, predictions, 2, protocol)
        assert counts[0].tolist() == [[0, 720, 0, 0], [0, 720, 0, 0]]
        assert boundary_f1(counts).boundary_f1 == 0.0


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_edge_against_void_is_a_boundary_and_void_has_none_of_its_own(protocol):
    labels = vertical_edge(200)
    labels[labels == 1] = VOID
    counts = boundary_counts(labels, vertical_edge(200), 2, protocol)
    assert counts[0].tolist() == [[360, 360, 360, 360], [360, 0, 0, 0]]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_void_only_labels(protocol):
    labels = np.full((1, 360, 480), VOID, dtype=np.uint8)
    counts = boundary_counts(labels, vertical_edge(200), 3, protocol)
    assert counts[0].tolist() == [[360, 0, 0, 0], [360, 0, 0, 0], [0, 0, 0, 0]]
    assert boundary_f1(counts, "union").boundary_f1 == 0.0
    assert boundary_f1(counts, "gt").boundary_f1 == 0.0
    assert np.isnan(boundary_f1(counts, "gt").class_boundary_f1).all()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_perfect_predictions_score_one(protocol):
    labels = patches(np.random.default_rng(5), (3, 60, 80), 5, 20, void=0)
    assert boundary_f1(boundary_counts(labels, labels, 5, protocol)).boundary_f1 == pytest.approx(1.0)


def test_images_do_not_influence_each_other():
    rng = np.random.default_rng(6)
    labels = patches(rng, (3, 40, 50), 4, 8)
    predictions = predictions_from(rng, labels, 4, (0, 1))
    for protocol in PROTOCOLS:
        together = boundary_counts(labels, predictions, 4, protocol)
        for n in range(3):
            alone = boundary_counts(labels[n : n + 1], predictions[n : n + 1], 4, protocol)
            np.testing.assert_array_equal(together[n : n + 1], alone)


def test_no_images():
    nothing = np.empty((0, 4, 4), dtype=np.uint8)
    counts = boundary_counts(nothing, nothing, 3)
    assert counts.shape == (0, 3, 4)
    assert np.isnan(boundary_f1(counts).boundary_f1)
    assert np.isnan(boundary_f1(counts).class_boundary_f1).all()


# image 0: class 0 found in half (F1 0.5), class 1 imagined, class 2 nowhere
# image 1: class 0 perfect, class 1 missed, class 2 precision 1 and recall 1/3 (F1 0.5)
# image 2: no boundary at all
HAND = np.array(
    [
        [[10, 10, 5, 5], [4, 0, 0, 0], [0, 0, 0, 0]],
        [[8, 8, 8, 8], [0, 6, 0, 0], [3, 9, 3, 3]],
        [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]],
    ]
)


def test_union_divisor_by_hand():
    scores = boundary_f1(HAND)
    assert scores.boundary_f1 == pytest.approx(((0.5 + 0) / 2 + (1 + 0 + 0.5) / 3 + 0) / 3)
    assert scores.class_boundary_f1.tolist() == pytest.approx([0.75, 0.0, 0.5])


def test_gt_divisor_by_hand():
    scores = boundary_f1(HAND, divisor="gt")
    assert scores.boundary_f1 == pytest.approx((0.5 + (1 + 0 + 0.5) / 3 + 0) / 3)
    assert scores.class_boundary_f1.tolist() == pytest.approx([0.75, 0.0, 0.5])


def test_f1_of_unequal_matches():
    # P = 3/4, R = 1/2
    assert boundary_f1(np.array([[[4, 6, 3, 3]]])).boundary_f1 == pytest.approx(2 * 0.75 * 0.5 / 1.25)


def test_error_unknown_protocol():
    maps = np.zeros((1, 2, 2), np.uint8)
    with pytest.raises(ValueError, match="unknown boundary protocol 'bsds'; known: paper, distance, davis"):
        boundary_counts(maps, maps, 2, "bsds")


def test_error_unknown_void_rule():
    maps = np.zeros((1, 2, 2), np.uint8)
    with pytest.raises(ValueError, match="unknown void rule 'ignored'; known: kept, masked"):
        boundary_counts(maps, maps, 2, "paper", "ignored")


def test_error_too_many_classes():
    maps = np.zeros((1, 2, 2), np.uint8)
    with pytest.raises(ValueError, match="num_classes must be 1 to 64 for boundaries, got 65"):
        boundary_counts(maps, maps, 65)


def test_error_prediction_outside():
    maps = np.zeros((2, 2, 2), np.uint8)
    with pytest.raises(ValueError, match=r"predictions of image 0 contain 2; allowed: 0\.\.1$"):
        boundary_counts(maps, maps + np.uint8(2), 2)


def test_error_unknown_divisor():
    with pytest.raises(ValueError, match="unknown divisor 'all'; known: union, gt"):
        boundary_f1(HAND, divisor="all")


def test_error_shape_of_counts():
    with pytest.raises(ValueError, match=r"must be \(N, K, 4\) boundary counts, got shape \(3, 4\)"):
        boundary_f1(HAND[0])


@pytest.mark.camvid
@pytest.mark.skipif("BENCH_CAMVID" not in os.environ, reason="needs the real CamVid images in BENCH_CAMVID")
def test_real_labels_equal_scipy_and_matching_is_stricter():
    folder = Path(os.environ["BENCH_CAMVID"]) / "testannot"
    labels = np.stack([np.asarray(Image.open(file)) for file in sorted(folder.glob("*.png"))[:2]]).copy()
    labels[labels == 11] = VOID
    predictions = predictions_from(np.random.default_rng(8), labels, 11, (3, 3))
    counts = boundary_counts(labels, predictions, 11, "distance")
    np.testing.assert_array_equal(counts, counts_by_distance_transform(labels, predictions, 11, 4.5))
    matched = boundary_f1(boundary_counts(labels, predictions, 11, "paper")).boundary_f1
    assert matched < boundary_f1(counts).boundary_f1
