"""The lattice against sums over all pairs of points, and properties that hold exactly."""

import numpy as np
import pytest

from bench.evaluation import permutohedral
from bench.evaluation.permutohedral import build_lattice, gaussian_filter


def cloud(dimensions, number=3000, side=3.0, seed=0):
    return np.random.default_rng(seed).uniform(0, side, (number, dimensions)).astype(np.float32)


def all_pairs(features):
    """(N, N) float64: the Gaussian between every two points."""
    points = features.astype(np.float64)
    return np.exp(-((points[:, None] - points[None]) ** 2).sum(axis=2) / 2)


@pytest.mark.parametrize("dimensions", [1, 2, 3, 5])
def test_a_normalised_filter_is_near_the_sum_over_all_pairs(dimensions):
    features = cloud(dimensions)
    values = np.random.default_rng(1).random((len(features), 4)).astype(np.float32)
    kernel = all_pairs(features)
    lattice = build_lattice(features)
    got = gaussian_filter(lattice, values) / gaussian_filter(lattice, np.ones((len(features), 1), np.float32))
    # Values are 0 to 1 and their averages differ from place to place by less; 1 % is 5 times what is found for D = 2.
    np.testing.assert_allclose(got, kernel @ values / kernel.sum(axis=1, keepdims=True), atol=0.01)


@pytest.mark.parametrize(("dimensions", "percent"), [(1, 2), (2, 3), (3, 4), (5, 6)])
def test_the_unnormalised_filter_is_proportional_to_the_sum(dimensions, percent):
    features = cloud(dimensions)
    ones = np.ones((len(features), 1), np.float32)
    ratio = gaussian_filter(build_lattice(features), ones)[:, 0] / all_pairs(features).sum(axis=1)
    assert ratio.std() / ratio.mean() < percent / 100


def test_an_impulse_spreads_like_the_gaussian():
    """On a fine grid, 12 points a deviation: centre and variance within 3 %, every height within 12 % of the peak.

    One impulse gives a kernel of piecewise linear parts that depends on where in its simplex it lies; the mean over
    places is what the scale of the lattice is made for. It is a little flatter than the Gaussian.
    """
    reach = 48
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    features = np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float32) / np.float32(12)
    lattice, middle = build_lattice(features), len(features) // 2
    response = np.zeros(rows.shape)
    for down in range(-6, 7, 2):
        for right in range(-6, 7, 2):
            impulse = np.zeros((len(features), 1), np.float32)
            impulse[middle + down * (2 * reach + 1) + right] = 1
            response += np.roll(gaussian_filter(lattice, impulse).reshape(rows.shape), (-down, -right), axis=(0, 1))
    response = response.ravel() / response.sum()
    for axis in range(2):
        assert response @ features[:, axis] == pytest.approx(0, abs=0.01)
        assert response @ features[:, axis] ** 2 == pytest.approx(1, abs=0.03)
    expected = np.exp(-(features.astype(np.float64) ** 2).sum(axis=1) / 2)
    expected /= expected.sum()
    assert np.abs(response - expected).max() < 0.12 * expected.max()


def test_a_constant_stays_constant_after_normalisation():
    features = cloud(5, side=30.0)  # far apart: most neighbours are missing
    lattice = build_lattice(features)
    ones = np.ones((len(features), 1), np.float32)
    sevens = gaussian_filter(lattice, 7 * ones) / gaussian_filter(lattice, ones)
    np.testing.assert_allclose(sevens, 7, rtol=1e-5)


def test_a_point_alone_keeps_its_value():
    features = np.array([[0, 0], [1000, 0], [0, 1000]], np.float32)
    lattice = build_lattice(features)
    got = gaussian_filter(lattice, np.eye(3, dtype=np.float32))
    assert (got[~np.eye(3, dtype=bool)] == 0).all()
    assert (np.diag(got) > 0).all()


@pytest.mark.parametrize("dimensions", [1, 2, 5, 6])
def test_weights_are_barycentric(dimensions):
    features = cloud(dimensions, number=500, side=20.0)
    lattice = build_lattice(features)
    assert lattice.corners.shape == lattice.weights.shape == (500, dimensions + 1)
    np.testing.assert_allclose(lattice.weights.sum(axis=1), 1, atol=1e-5)
    assert lattice.weights.min() > -1e-5
    assert lattice.corners.min() == 1
    assert lattice.corners.max() == lattice.size - 1
    assert all(len(set(row)) == dimensions + 1 for row in lattice.corners.tolist())


def test_neighbours_are_mutual():
    neighbours = build_lattice(cloud(3, side=8.0)).neighbours
    for direction in neighbours:
        assert direction[0].tolist() == [0, 0]
        for row, (before, after) in enumerate(direction):
            assert before == 0 or direction[before, 1] == row
            assert after == 0 or direction[after, 0] == row
    assert (neighbours > 0).mean() > 0.5


def test_the_filter_is_linear_and_repeats_bit_by_bit():
    features = cloud(5)
    a, b = np.random.default_rng(2).random((2, len(features), 3)).astype(np.float32)
    lattice = build_lattice(features)
    both = gaussian_filter(lattice, a + 2 * b)
    np.testing.assert_allclose(both, gaussian_filter(lattice, a) + 2 * gaussian_filter(lattice, b), rtol=1e-4)
    assert np.array_equal(both, gaussian_filter(build_lattice(features.copy()), a + 2 * b))


def test_each_value_is_filtered_alone():
    features = cloud(2, number=400)
    values = np.random.default_rng(3).random((400, 37)).astype(np.float32)
    lattice = build_lattice(features)
    together = gaussian_filter(lattice, values)
    alone = np.concatenate([gaussian_filter(lattice, values[:, k : k + 1]) for k in range(37)], axis=1)
    np.testing.assert_allclose(together, alone, rtol=1e-6)


def test_the_hash_table_grows_beyond_its_first_size():
    features = cloud(5, number=2000, side=200.0)  # 12000 corners, almost none shared; 2048 places to begin with
    lattice = build_lattice(features)
    assert lattice.size > 11000
    points = lattice.corners[:, 0]
    assert len(np.unique(points)) > 1900


def test_moving_all_points_changes_nothing():
    features = cloud(2) + np.float32(4)
    values = np.random.default_rng(4).random((len(features), 1)).astype(np.float32)
    near = gaussian_filter(build_lattice(features), values)
    far = gaussian_filter(build_lattice(features + np.float32(512)), values)
    np.testing.assert_allclose(far, near, rtol=5e-3)  # float32 holds 512 + x to 6e-5


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (np.zeros((3, 4, 2)), r"features must be \(N, D\) with N >= 1 and 1 <= D <= 6, got \(3, 4, 2\)"),
        (np.zeros((0, 2)), r"with N >= 1"),
        (np.zeros((5, 7)), r"1 <= D <= 6, got \(5, 7\)"),
        (np.array([[0.0, np.nan]]), "features must be finite; divided by a standard deviation of zero"),
        (np.array([[0.0] * 5, [1e5] * 5]), "span too many standard deviations .* the deviations are too small"),
    ],
)
def test_features_that_cannot_be_placed_are_refused(features, message):
    with pytest.raises(ValueError, match=message):
        build_lattice(features.astype(np.float32))


def test_keys_of_different_corners_differ():
    """The mixed radix holds every corner and every neighbour that is asked for, also at the far ends."""
    features = np.array([[x, y, z] for x in (-40, 0, 40) for y in (-3, 3) for z in (-90, 90)], np.float32)
    lattice = build_lattice(features)
    scale = permutohedral._scale(3)
    low, strides = permutohedral._radix(features, scale)
    found = {}
    for point, corners in zip(features, lattice.corners, strict=True):
        elevated, origin, rank = np.empty(4, np.float32), np.empty(4, np.int64), np.empty(4, np.int64)
        permutohedral._elevate(point, scale, elevated)
        permutohedral._enclose(elevated, origin, rank)
        assert abs(float(elevated.sum())) < 1e-3
        assert origin.sum() == 0
        for remainder, corner in enumerate(corners):
            place = tuple(origin + remainder - 4 * (rank >= 4 - remainder))
            assert sum(place) == 0
            assert (np.array(place[:3]) > low + 4).all()
            assert (np.array(place[:2]) < low[:2] + strides[1:] // strides[:2] - 4).all()
            assert found.setdefault(int(corner), place) == place
    assert len(set(found.values())) == len(found)
