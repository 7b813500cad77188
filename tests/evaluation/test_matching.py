"""The matching against SciPy's assignment, and shapes on which a greedy matching is not the largest."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from bench.evaluation.matching import disk_offsets, empty_grid, maximum_matching

SIZE = 24


def match(lefts, rights, max_squared):
    """Size of the matching of two lists of (y, x)."""
    offsets = disk_offsets(max_squared)
    margin = int(offsets.max())
    stride = SIZE + 2 * margin
    grid = empty_grid(stride * stride)

    def flat(points):
        points = np.array(sorted(points), dtype=np.int32).reshape(-1, 2) + margin
        return (points[:, 0] * stride + points[:, 1]).astype(np.int32)

    matched = maximum_matching(
        flat(lefts), flat(rights), (offsets[:, 0] * stride + offsets[:, 1]).astype(np.int32), grid
    )
    assert (grid == empty_grid(len(grid))).all()  # the scratch map is left as it was
    return matched


def match_by_assignment(lefts, rights, max_squared):
    lefts, rights = np.array(lefts).reshape(-1, 2), np.array(rights).reshape(-1, 2)
    near = ((lefts[:, None] - rights[None]) ** 2).sum(axis=2) <= max_squared
    return int(near[linear_sum_assignment(near, maximize=True)].sum())


def random_points(rng, number):
    chosen = rng.choice(SIZE * SIZE, number, replace=False)
    return [(int(p) // SIZE, int(p) % SIZE) for p in chosen]


def test_disk_offsets():
    assert disk_offsets(0).tolist() == [[0, 0]]
    assert disk_offsets(1).tolist() == [[-1, 0], [0, -1], [0, 0], [0, 1], [1, 0]]
    offsets = disk_offsets(20)  # 4.5 px
    assert len(offsets) == 69
    assert [2, 4] in offsets.tolist()
    assert [0, 5] not in offsets.tolist()
    assert [3, 4] not in offsets.tolist()


@pytest.mark.parametrize("max_squared", [0, 1, 5, 20])
@pytest.mark.parametrize("density", [0.05, 0.3, 0.7])
def test_equals_the_assignment_on_random_points(max_squared, density):
    rng = np.random.default_rng(max_squared)
    for _ in range(15):
        lefts, rights = (random_points(rng, rng.integers(1, max(2, int(density * SIZE * SIZE)))) for _ in range(2))
        assert match(lefts, rights, max_squared) == match_by_assignment(lefts, rights, max_squared)


def test_both_directions_give_the_same_size():
    rng = np.random.default_rng(7)
    for _ in range(20):
        lefts, rights = random_points(rng, 90), random_points(rng, 60)
        assert match(lefts, rights, 5) == match(rights, lefts, 5)


def test_needs_an_augmenting_path():
    # raster order gives (0, 1) its upper neighbour, which is the only one that (0, 2) has
    lefts = [(5, 4), (5, 6)]
    rights = [(5, 5), (6, 4)]
    assert match(lefts, rights, 1) == 2


def test_long_augmenting_path():
    # left pixel i reaches right pixels i and i + 1, the last one only its own: all have to move by one
    lefts = [(3, x) for x in range(20)] + [(4, 0)]
    rights = [(3, x) for x in range(21)]
    assert match(lefts, rights, 1) == 21


def test_pixels_out_of_reach():
    assert match([(0, 0), (0, 1), (20, 20)], [(10, 10)], 20) == 0
    assert match([(0, 0), (9, 9)], [(10, 10), (11, 11)], 20) == 1


def test_many_pixels_share_one_partner():
    assert match([(y, x) for y in range(3) for x in range(3)], [(1, 1)], 2) == 1
    assert match([(1, 1)], [(y, x) for y in range(3) for x in range(3)], 2) == 1


def test_no_pixels():
    assert match([], [(1, 1)], 20) == 0
    assert match([(1, 1)], [], 20) == 0
    assert match([], [], 20) == 0
