"""Gaussian filtering in a feature space of D dimensions, over the permutohedral lattice.

A value is filtered in three passes: *splat* spreads the values of the points over the corners of the simplex that each
point lies in, *blur* mixes every corner with its two neighbours along each of the D+1 directions, *slice* reads the
points' values back with the weights of the splat. Only corners that some point touches exist, so the cost grows with
the points and with D², not with the volume. The filter is not normalised; see `bench.evaluation.dense_crf`.

A corner is known by its D first coordinates (all D+1 sum to zero), written as one number in a mixed radix. The step
to a neighbour is then a constant to add, and the hash table holds whole numbers.

Legend: N points, D features, M corners, K values a point. Row 0 of the corners is empty and stands for "no corner".

Source: Adams, Baek, Davis 2010, Fast High-Dimensional Filtering Using the Permutohedral Lattice, sections 3 and 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

MAX_FEATURES = 6  # keys of more would not fit 62 bits on an image
EMPTY = 0  # row of the corner that is not there; it stays zero

_FREE = -1  # a place of the hash table with no corner in it
_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: spreads neighbouring numbers over the table
_KEY_LIMIT = 2.0**62

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Lattice:
    """Where N points lie among M corners.

    Attributes:
        corners: (N, D+1) int32, rows of the corners of each point's simplex, 1 to M.
        weights: (N, D+1) float32, barycentric, each row sums to 1.
        neighbours: (D+1, M+1, 2) int32, the corner before and after each corner in each direction, EMPTY where none.
    """

    corners: NDArray[np.int32]
    weights: Floats
    neighbours: NDArray[np.int32]

    @property
    def size(self) -> int:
        """Returns M + 1, the number of rows that `gaussian_filter` needs."""
        return int(self.neighbours.shape[1])


def build_lattice(features: Floats) -> Lattice:
    """Returns the lattice of N points, to be used for any number of filters.

    Args:
        features: (N, D) float32, divided by the standard deviation that the filter is to have in each of them.

    Raises:
        ValueError: features are not finite, or so far apart that corners cannot be numbered in 62 bits.
    """
    features = np.ascontiguousarray(features, dtype=np.float32)
    if features.ndim != 2 or not len(features) or not 1 <= features.shape[1] <= MAX_FEATURES:
        raise ValueError(f"features must be (N, D) with N >= 1 and 1 <= D <= {MAX_FEATURES}, got {features.shape}")
    if not np.isfinite(features).all():
        raise ValueError("features must be finite; divided by a standard deviation of zero?")
    # Only distances count; around zero float32 keeps most of them.
    features = features - (features.min(axis=0) + features.max(axis=0)) / 2
    scale = _scale(features.shape[1])
    low, strides = _radix(features, scale)
    corners, weights, keys = _place(features, scale, low, strides)
    return Lattice(corners, weights, _find_neighbours(keys, strides))


def _scale(dimensions: int) -> Floats:
    """Returns by what each feature is multiplied before the rotation.

    The basis of the hyperplane, made of (1, .., 1, -j, 0, .., 0), has length sqrt(j(j+1)). In units of (D+1)², blur has
    variance 1/2 along every axis, splat and slice 1/12 each on average: 2/3 together, which has to be one deviation.
    """
    j = np.arange(1, dimensions + 1)
    return (np.sqrt(2 / 3) * (dimensions + 1) / np.sqrt(j * (j + 1))).astype(np.float32)


def _radix(features: Floats, scale: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns the lowest coordinate and the place value of each of the D first coordinates, with room on both sides."""
    dimensions = features.shape[1]
    reach = np.abs(features).max(axis=0).astype(np.float64) * scale
    # Coordinate i is -i times scaled feature i plus the scaled features after it.
    bounds = np.arange(dimensions) * np.concatenate([[0.0], reach[:-1]]) + np.cumsum(reach[::-1])[::-1]
    room = 2 * np.ceil(bounds) + 8.0 * (dimensions + 1)
    if np.prod(room) >= _KEY_LIMIT:
        raise ValueError("features span too many standard deviations for this lattice; the deviations are too small")
    strides = np.concatenate([[1], np.cumprod(room[:-1])]).astype(np.int64)
    return -(room // 2).astype(np.int64), strides


@numba.njit(cache=True, nogil=True)
def _elevate(point, scale, elevated):  # type: ignore[no-untyped-def]
    """Writes where a point (D,) lies in the hyperplane of D+1 coordinates that sum to zero."""
    total = np.float32(0)
    for i in range(len(point), 0, -1):
        scaled = point[i - 1] * scale[i - 1]
        elevated[i] = total - np.float32(i) * scaled
        total += scaled
    elevated[0] = total


@numba.njit(cache=True, nogil=True)
def _enclose(elevated, origin, rank):  # type: ignore[no-untyped-def]
    """Writes the corner of remainder 0 of the simplex around a point, and the ranks of its differences from it."""
    width = len(elevated)
    total = 0
    for i in range(width):
        origin[i] = np.int64(np.rint(elevated[i] / np.float32(width))) * width
        total += origin[i]
        rank[i] = 0
    for i in range(width):
        for j in range(i + 1, width):
            if elevated[i] - origin[i] < elevated[j] - origin[j]:
                rank[i] += 1
            else:
                rank[j] += 1
    # Rounding may have left the hyperplane: walk back through the coordinates that are furthest off.
    steps = total // width
    for i in range(width):
        rank[i] += steps
        if rank[i] < 0:
            rank[i] += width
            origin[i] += width
        elif rank[i] >= width:
            rank[i] -= width
            origin[i] -= width


@numba.njit(cache=True, nogil=True)
def _barycentric(elevated, origin, rank, weight):  # type: ignore[no-untyped-def]
    """Writes the D+1 weights of the corners of remainder 0 to D."""
    width = len(elevated)
    for i in range(width):
        weight[i] = 0
    weight[0] = 1
    for i in range(width):
        part = (elevated[i] - np.float32(origin[i])) / np.float32(width)
        weight[width - 1 - rank[i]] += part
        weight[(width - rank[i]) % width] -= part


@numba.njit(cache=True, nogil=True)
def _place(features, scale, low, strides):  # type: ignore[no-untyped-def]
    """Returns corners (N, D+1), weights (N, D+1) and the keys of the corners (M+1,); row 0 has no key."""
    count, dimensions = features.shape
    width = dimensions + 1
    corners = np.empty((count, width), np.int32)
    weights = np.empty((count, width), np.float32)
    elevated = np.empty(width, np.float32)
    origin, rank = np.empty(width, np.int64), np.empty(width, np.int64)
    last, last_rank = np.zeros(width, np.int64), np.full(width, -1, np.int64)
    table = _new_table(count)
    keys = np.empty(count + 1, np.int64)
    keys[0] = -1
    used = 1
    all_strides = strides.sum()
    for n in range(count):
        _elevate(features[n], scale, elevated)
        _enclose(elevated, origin, rank)
        _barycentric(elevated, origin, rank, weights[n])
        same = n > 0
        for i in range(width):
            same = same and origin[i] == last[i] and rank[i] == last_rank[i]
        if same:  # as the point before, which is the rule in the plain parts of an image
            corners[n] = corners[n - 1]
            continue
        last[:], last_rank[:] = origin, rank
        key = np.int64(0)
        for i in range(dimensions):
            key += (origin[i] - low[i]) * strides[i]
        for remainder in range(width):
            # The corner of this remainder: all coordinates one further, those of the highest ranks D+1 back.
            here = key + remainder * all_strides
            for i in range(dimensions):
                if rank[i] >= width - remainder:
                    here -= width * strides[i]
            if 2 * used > len(table):
                table = _grown(table)
            if used == len(keys):
                keys = np.concatenate((keys, np.empty(used, np.int64)))
            place = _find(table, here)
            if table[place, 1] == _FREE:
                table[place, 0], table[place, 1] = here, used
                keys[used] = here
                used += 1
            corners[n, remainder] = table[place, 1]
    return corners, weights, keys[:used].copy()


@numba.njit(cache=True, nogil=True)
def _new_table(count):  # type: ignore[no-untyped-def]
    """Returns an empty hash table of (key, row) with at least `count` places."""
    places = 1024
    while places < count:
        places *= 2
    return np.full((places, 2), _FREE, np.int64)


@numba.njit(cache=True, nogil=True)
def _find(table, key):  # type: ignore[no-untyped-def]
    """Returns the place of a key, or the free place where it belongs."""
    mask = np.uint64(len(table) - 1)
    mixed = np.uint64(key) * _MIX
    place = (mixed ^ (mixed >> np.uint64(32))) & mask
    while table[place, 1] != _FREE and table[place, 0] != key:
        place = (place + np.uint64(1)) & mask
    return place


@numba.njit(cache=True, nogil=True)
def _grown(table):  # type: ignore[no-untyped-def]
    """Returns a table of twice the size with the same entries."""
    larger = _new_table(2 * len(table))
    for i in range(len(table)):
        if table[i, 1] != _FREE:
            place = _find(larger, table[i, 0])
            larger[place, 0], larger[place, 1] = table[i, 0], table[i, 1]
    return larger


@numba.njit(cache=True, nogil=True)
def _find_neighbours(keys, strides):  # type: ignore[no-untyped-def]
    """Returns (D+1, M+1, 2) int32: one step along direction j adds 1 to all coordinates and takes D+1 from j."""
    width = len(strides) + 1
    table = _new_table(2 * len(keys))
    for row in range(1, len(keys)):
        place = _find(table, keys[row])
        table[place, 0], table[place, 1] = keys[row], row
    neighbours = np.full((width, len(keys), 2), EMPTY, np.int32)
    for direction in range(width):
        step = strides.sum()
        if direction < len(strides):
            step -= width * strides[direction]
        for row in range(1, len(keys)):
            after = table[_find(table, keys[row] + step), 1]
            if after != _FREE:
                neighbours[direction, row, 1] = after
                neighbours[direction, after, 0] = row
    return neighbours


@numba.njit(cache=True, nogil=True)
def splat(values, corners, weights, on_corners):  # type: ignore[no-untyped-def]
    """Overwrites (M+1, K) with the weighted sums of the points' values (N, K)."""
    on_corners[:] = 0
    for n in range(len(values)):
        for v in range(corners.shape[1]):
            row, weight = corners[n, v], weights[n, v]
            for k in range(values.shape[1]):
                on_corners[row, k] += weight * values[n, k]


@numba.njit(cache=True, nogil=True)
def blur(neighbours, on_corners, spare):  # type: ignore[no-untyped-def]
    """Blurs (M+1, K) along all directions, back and forth between two buffers; returns the one with the result."""
    for direction in range(len(neighbours)):
        spare[EMPTY] = 0
        for row in range(1, len(on_corners)):
            before, after = neighbours[direction, row, 0], neighbours[direction, row, 1]
            for k in range(on_corners.shape[1]):
                pair = on_corners[before, k] + on_corners[after, k]
                spare[row, k] = np.float32(0.5) * on_corners[row, k] + np.float32(0.25) * pair
        on_corners, spare = spare, on_corners
    return on_corners


@numba.njit(cache=True, nogil=True)
def add_slice(on_corners, corners, weights, values):  # type: ignore[no-untyped-def]
    """Adds to the points' values (N, K) what lies on their corners."""
    for n in range(len(values)):
        for v in range(corners.shape[1]):
            row, weight = corners[n, v], weights[n, v]
            for k in range(values.shape[1]):
                values[n, k] += weight * on_corners[row, k]


def gaussian_filter(lattice: Lattice, values: Floats) -> Floats:
    """Returns the sum over all points of their values, each times exp(-distance²/2), up to a common factor.

    Args:
        lattice: of N points.
        values: (N, K) float32.

    Returns:
        (N, K) float32. The factor depends on D and somewhat on the place; dividing by the filtered ones removes it.
    """
    values = np.ascontiguousarray(values, dtype=np.float32)
    buffers = np.empty((2, lattice.size, values.shape[1]), np.float32)
    splat(values, lattice.corners, lattice.weights, buffers[0])
    filtered = np.zeros_like(values)
    add_slice(blur(lattice.neighbours, buffers[0], buffers[1]), lattice.corners, lattice.weights, filtered)
    return filtered
