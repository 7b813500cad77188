"""Mean field against sums over all pairs of pixels, against the authors' later code, and what must hold exactly."""

import importlib.util

import numpy as np
import pytest

from bench.evaluation.crf_search import Grid, search_parameters
from bench.evaluation.dense_crf import CrfParameters, build_kernels, dense_crf, infer

DEEPLAB = CrfParameters(w1=4, theta_alpha=49, theta_beta=5)  # defaults of the public script


def scene(height=30, width=40, noise=4.0, seed=0):
    """A red, a blue and a green part; their labels 0, 1, 2; and what a weak network makes of them."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((height, width), np.uint8)
    labels[:, width // 2 :] = 1
    labels[height // 2 :, width // 4 : 3 * width // 4] = 2
    colours = np.array([(180, 60, 60), (60, 90, 170), (80, 160, 70)])[labels]
    image = np.clip(colours + rng.normal(0, noise, colours.shape), 0, 255).astype(np.uint8)
    unary = rng.gamma(1.0, 1.0, (4, height, width))  # a fourth class that is nowhere
    unary[labels, np.arange(height)[:, None], np.arange(width)] -= 1.0
    return image, unary.astype(np.float32), labels


def softmax(scores):
    powers = np.exp(scores - scores.max(axis=0))
    return powers / powers.sum(axis=0)


def mean_field_over_all_pairs(image, unary, parameters, iterations, normalisation):
    """O(N²), float64, from the formulas."""
    height, width = image.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    place = np.stack([rows.ravel(), columns.ravel()], axis=1).astype(np.float64)
    colour = image.reshape(-1, 3).astype(np.float64)

    def gaussian(features):
        return np.exp(-((features[:, None] - features[None]) ** 2).sum(axis=2) / 2)

    kernels = [
        gaussian(np.hstack([place / parameters.theta_alpha, colour / parameters.theta_beta])),
        gaussian(place / parameters.theta_gamma),
    ]
    for kernel in kernels:
        sums = kernel.sum(axis=1)
        kernel /= sums[:, None] if normalisation == "pixel" else np.sqrt(sums[:, None] * sums[None])
    scores = -unary.reshape(len(unary), -1).astype(np.float64)
    now = softmax(scores)
    for _ in range(iterations):
        now = softmax(scores + parameters.w1 * now @ kernels[0].T + parameters.w2 * now @ kernels[1].T)
    return now.reshape(unary.shape)


# --- against exact mean field


@pytest.mark.parametrize("normalisation", ["pixel", "symmetric"])
@pytest.mark.parametrize(
    "parameters",
    [
        DEEPLAB,
        CrfParameters(5, 10, 20),
        CrfParameters(0, 50, 3),  # smoothness alone
        CrfParameters(5, 50, 10, w2=0),  # appearance alone
    ],
)
def test_one_iteration_is_near_the_exact_one(parameters, normalisation):
    """The lattice changes a filtered value by 1 % or so, a weight of 8 makes that 8 % of a score, a quarter in Q."""
    image, unary, _ = scene()
    got = dense_crf(image, unary, parameters, 1, normalisation)
    exact = mean_field_over_all_pairs(image, unary, parameters, 1, normalisation)
    assert np.abs(got - exact).mean() < 0.005
    assert np.abs(got - exact).max() < 0.05


@pytest.mark.parametrize("normalisation", ["pixel", "symmetric"])
@pytest.mark.parametrize("parameters", [DEEPLAB, CrfParameters(5, 50, 10), CrfParameters(0, 50, 3)])
def test_ten_iterations_end_with_the_exact_labels(parameters, normalisation):
    """Where two classes are even, iterations carry a small difference far; so labels, and probabilities on average."""
    image, unary, _ = scene(noise=3)
    got = dense_crf(image, unary, parameters, 10, normalisation)
    exact = mean_field_over_all_pairs(image, unary, parameters, 10, normalisation)
    assert (got.argmax(axis=0) == exact.argmax(axis=0)).mean() > 0.99
    assert np.abs(got - exact).mean() < 0.005


def test_it_repairs_what_a_weak_network_makes_of_a_clear_image():
    image, unary, labels = scene()
    before = (unary.argmin(axis=0) == labels).mean()
    after = (dense_crf(image, unary, CrfParameters(5, 50, 10)).argmax(axis=0) == labels).mean()
    assert before < 0.8
    assert after > 0.98


def test_labels_follow_colour_where_the_appearance_kernel_counts():
    """A unary with the border three columns too far left is pulled to the edge of the image."""
    image = np.full((20, 30, 3), 40, np.uint8)
    image[:, 15:] = 200
    unary = np.zeros((2, 20, 30), np.float32)
    unary[0, :, 12:], unary[1, :, :12] = 0.5, 0.5
    assert (dense_crf(image, unary, CrfParameters(10, 20, 10, w2=0)).argmax(axis=0)[0] == (np.arange(30) >= 15)).all()
    assert (dense_crf(image, unary, CrfParameters(0, 20, 10)).argmax(axis=0)[0] == (np.arange(30) >= 12)).all()


# --- what holds exactly


def test_zero_weights_give_the_softmax_of_the_unary():
    image, unary, _ = scene()
    got = dense_crf(image, unary, CrfParameters(0, 49, 5, w2=0))
    np.testing.assert_allclose(got, softmax(-unary), atol=1e-6)
    assert np.array_equal(got, dense_crf(image, unary, DEEPLAB, iterations=0))


@pytest.mark.parametrize("normalisation", ["pixel", "symmetric"])
def test_classes_have_no_order(normalisation):
    image, unary, _ = scene()
    order = [2, 0, 3, 1]
    got = dense_crf(image, unary, DEEPLAB, 3, normalisation)
    np.testing.assert_allclose(dense_crf(image, unary[order], DEEPLAB, 3, normalisation), got[order], atol=1e-4)


def test_a_constant_for_all_classes_of_a_pixel_changes_nothing():
    image, unary, _ = scene()
    shift = np.random.default_rng(1).uniform(-20, 20, unary.shape[1:]).astype(np.float32)
    np.testing.assert_allclose(
        dense_crf(image, unary + shift, DEEPLAB, 2), dense_crf(image, unary, DEEPLAB, 2), atol=1e-3
    )


def test_probabilities_sum_to_one_and_repeat_bit_by_bit():
    image, unary, _ = scene()
    got = dense_crf(image, unary, DEEPLAB)
    assert got.shape == unary.shape
    assert got.dtype == np.float32
    assert got.flags.c_contiguous
    np.testing.assert_allclose(got.sum(axis=0), 1, atol=1e-5)
    assert np.array_equal(got, dense_crf(image.copy(), unary.copy(), DEEPLAB))


def test_an_even_unary_stays_even():
    """With pixel-wise normalisation every pixel gets the same message for all classes."""
    image, unary, _ = scene()
    np.testing.assert_allclose(dense_crf(image, 0 * unary, DEEPLAB), 0.25, atol=1e-6)


def test_large_scores_do_not_overflow():
    image, unary, _ = scene()
    got = dense_crf(image, 1000 * unary, DEEPLAB)
    assert np.isfinite(got).all()
    assert (got.argmax(axis=0) == unary.argmin(axis=0)).mean() > 0.99  # no message makes up for 1000


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1)])
def test_images_of_one_row_or_column(shape):
    image = np.zeros((*shape, 3), np.uint8)
    assert dense_crf(image, np.zeros((1, *shape), np.float32), DEEPLAB).tolist() == np.ones((1, *shape)).tolist()


def test_kernels_serve_several_weights():
    image, unary, _ = scene()
    kernels = build_kernels(image, DEEPLAB)
    for w1 in (0.0, 4.0, 9.0):
        expected = dense_crf(image, unary, CrfParameters(w1, 49, 5), 2)
        assert np.array_equal(infer(unary, kernels, (w1, 3.0), 2), expected)


def test_a_view_of_another_layout_gives_the_same():
    image, unary, _ = scene()
    transposed = np.ascontiguousarray(unary.transpose(1, 2, 0)).transpose(2, 0, 1)
    mirrored = np.ascontiguousarray(image[:, ::-1])[:, ::-1]
    assert np.array_equal(dense_crf(mirrored, transposed, DEEPLAB, 2), dense_crf(image, unary, DEEPLAB, 2))


# --- against the authors' later code, where it is installed


@pytest.mark.skipif(importlib.util.find_spec("pydensecrf") is None, reason="pydensecrf2 is not installed")
@pytest.mark.parametrize("normalisation", ["pixel", "symmetric"])
def test_like_pydensecrf(normalisation):
    """Both are lattices, laid differently over the pixels; so they agree as well as either does with the exact sums."""
    from pydensecrf import densecrf

    image, unary, _ = scene(60, 80, noise=6)
    how = {"pixel": densecrf.NORMALIZE_AFTER, "symmetric": densecrf.NORMALIZE_SYMMETRIC}[normalisation]
    for iterations, mean, most in ((1, 0.005, 0.15), (10, 0.01, 1.0)):
        theirs = densecrf.DenseCRF2D(80, 60, len(unary))
        theirs.setUnaryEnergy(unary.reshape(len(unary), -1))
        theirs.addPairwiseGaussian(sxy=3, compat=3, normalization=how)
        theirs.addPairwiseBilateral(sxy=49, srgb=5, rgbim=image, compat=4, normalization=how)
        expected = np.array(theirs.inference(iterations)).reshape(unary.shape)
        got = dense_crf(image, unary, DEEPLAB, iterations, normalisation)
        assert np.abs(got - expected).mean() < mean
        assert np.abs(got - expected).max() <= most
        assert (got.argmax(axis=0) == expected.argmax(axis=0)).mean() > 0.98


# --- wrong input


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image": np.zeros((30, 40), np.uint8)}, r"image must be \(H, W, 3\) uint8, got \(30, 40\) uint8"),
        ({"image": np.zeros((30, 40, 3), np.float32)}, r"must be \(H, W, 3\) uint8, got \(30, 40, 3\) float32"),
        (
            {"unary": np.zeros((4, 40, 30), np.float32)},
            r"unary must be \(K, 30, 40\) as the image is, got \(4, 40, 30\)",
        ),
        ({"unary": np.full((4, 30, 40), np.inf, np.float32)}, "unary must be finite: clip probabilities"),
        ({"iterations": -1}, "iterations must be 0 or more, got -1"),
        ({"normalisation": "none"}, "normalisation must be pixel or symmetric, got 'none'"),
        ({"parameters": CrfParameters(4, 1e-6, 5)}, "the deviations are too small"),
    ],
)
def test_wrong_input_is_refused(change, message):
    image, unary, _ = scene()
    with pytest.raises(ValueError, match=message):
        dense_crf(**({"image": image, "unary": unary, "parameters": DEEPLAB} | change))


@pytest.mark.parametrize("values", [(-1, 49, 5), (4, 0, 5), (4, 49, float("nan")), (4, 49, 5, 3, 0)])
def test_parameters_out_of_range_are_refused(values):
    with pytest.raises(ValueError, match="weights must be 0 or more and the thetas above 0, all finite"):
        CrfParameters(*values)


# --- search


def two_images():
    scenes = [scene(20, 24, noise=3, seed=seed) for seed in (5, 6)]
    return [[part[i] for part in scenes] for i in range(3)]


def test_the_search_finds_the_best_of_a_small_grid():
    images, unaries, labels = two_images()
    grid = Grid((1, 4), (2, 40), (2, 15))
    found = search_parameters(images, unaries, labels, grid, iterations=3)
    assert len(found.tried) == 8  # all of it: ends and middle
    assert found.mean_iou == max(score for _, score in found.tried)
    assert dict(found.tried)[found.parameters] == found.mean_iou
    assert (found.parameters.w2, found.parameters.theta_gamma) == (3, 3)
    by_hand = []
    for image, unary, label in zip(images, unaries, labels, strict=True):
        by_hand.append(dense_crf(image, unary, found.parameters, 3).argmax(axis=0) == label)
    assert np.mean(by_hand) > 0.95
    assert search_parameters(images, unaries, labels, grid, iterations=3) == found


def test_the_search_gets_finer_around_the_best(monkeypatch):
    """On a smooth hill with its top inside the grid it ends at the top, without trying all 6 * 6 * 8 = 288 points."""
    top = np.array([7, 70, 8])

    def counts(points, grid, *_):
        chosen = [np.array([axis[i] for axis, i in zip(grid.axes, point, strict=True)]) for point in points]
        hits = [int(1e6 - (((place - top) / (1, 10, 1)) ** 2).sum() * 1e4) for place in chosen]
        return np.array([[[hit, 1_000_000 - hit], [0, 0]] for hit in hits])

    monkeypatch.setattr("bench.evaluation.crf_search._counts", counts)
    images, unaries, labels = two_images()
    found = search_parameters(images, [unary[:2] for unary in unaries], labels)
    assert (found.parameters.w1, found.parameters.theta_alpha, found.parameters.theta_beta) == (7, 70, 8)
    assert 27 < len(found.tried) < 100
    assert len({parameters for parameters, _ in found.tried}) == len(found.tried)


def test_of_equals_the_first_is_taken():
    images, _, labels = two_images()
    certain = [np.where(np.arange(4)[:, None, None] == label, 0, 1000).astype(np.float32) for label in labels]
    found = search_parameters(images, certain, labels, Grid((1, 2), (5,), (5, 6)), iterations=1)
    assert found.mean_iou == 1
    assert found.parameters == CrfParameters(1, 5, 5)


def test_void_does_not_count():
    images, unaries, labels = two_images()
    grid = Grid((5,), (40,), (10,))
    whole = search_parameters(images, unaries, labels, grid, iterations=2)
    for label in labels:
        label[:10] = 255
    assert search_parameters(images, unaries, labels, grid, iterations=2).mean_iou != whole.mean_iou
    for label in labels:
        label[:] = 255
    with pytest.raises(ValueError, match="no pixel of any image has a label"):
        search_parameters(images, unaries, labels, grid)


def test_a_search_with_wrong_lists_is_refused():
    images, unaries, labels = two_images()
    with pytest.raises(ValueError, match="as many, and at least one, got 2, 1 and 2"):
        search_parameters(images, unaries[:1], labels)
    with pytest.raises(ValueError, match="got 0, 0 and 0"):
        search_parameters([], [], [])
    with pytest.raises(ValueError, match=r"labels must be \(20, 24\) and unaries of 4 classes, got \(20, 24\) and 3"):
        search_parameters(images, [unaries[0], unaries[1][:3]], labels)
