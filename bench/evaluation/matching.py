"""Largest one-to-one matching of two sets of pixels that lie within a radius of each other.

Augmenting paths, searched breadth first from a greedy start. Three things make it fast on boundaries:

- The graph is never built. Pixels lie on a grid, so the neighbours of a pixel are found by trying every
  offset of the disk in a map of numbered pixels.
- The greedy start goes through pixels and offsets in raster order. On a line that is optimal, and it
  leaves a ninth of the augmenting paths that matching the nearest pixels first leaves.
- Whatever a search without success has visited is a dead end for all later searches (no augmenting path can
  leave it again), so all failures together cost one pass over the edges. Hopcroft-Karp visits them
  again in each of its phases, and took three times as long from the same start.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

FREE = -1  # no pixel here, or a pixel without a partner
_DEAD = -2  # visited by a search that found nothing
_UNSEEN = -1


def disk_offsets(max_squared: int) -> NDArray[np.int64]:
    """Returns all (dy, dx) with dy² + dx² <= max_squared in raster order; (M, 2) int64."""
    radius = int(np.sqrt(max_squared))
    span = np.arange(-radius, radius + 1)
    offsets = np.stack(np.meshgrid(span, span, indexing="ij"), axis=-1).reshape(-1, 2)
    return offsets[(offsets**2).sum(axis=1) <= max_squared]


def empty_grid(size: int) -> NDArray[np.int32]:
    """Returns the scratch grid of `maximum_matching`, with no pixel in it; (size,) int32."""
    return np.full(size, FREE, dtype=np.int32)


@numba.njit(cache=True, nogil=True)
def maximum_matching(lefts, rights, offsets, right_at):  # type: ignore[no-untyped-def]
    """Returns the size of the largest one-to-one matching.

    Args:
        lefts, rights: (L,), (R,) int32, flat positions of the pixels in a padded grid, in raster order.
        offsets: (M,) int32, flat offsets of the disk in that grid, in raster order.
        right_at: int32, the flat padded grid, all FREE; a scratch map, left as it was.
    """
    for right in range(len(rights)):
        right_at[rights[right]] = right
    right_of = np.full(len(lefts), FREE, np.int32)
    left_of = np.full(len(rights), FREE, np.int32)
    seen_by = np.full(len(rights), _UNSEEN, np.int32)
    came_from = np.empty(len(rights), np.int32)
    queue = np.empty(len(lefts), np.int32)
    matched = _match_greedily(lefts, offsets, right_at, right_of, left_of)
    for root in range(len(lefts)):
        if matched == min(len(lefts), len(rights)):
            break
        if right_of[root] != FREE:
            continue
        end = _search(root, lefts, offsets, right_at, right_of, left_of, seen_by, came_from, queue)
        if end != FREE:
            matched += 1
            _flip(end, came_from, right_of, left_of)
    for right in range(len(rights)):
        right_at[rights[right]] = FREE
    return matched


@numba.njit(cache=True, nogil=True)
def _match_greedily(lefts, offsets, right_at, right_of, left_of):  # type: ignore[no-untyped-def]
    """Gives each left pixel the first right pixel that is still free; returns how many found one."""
    matched = 0
    for left in range(len(lefts)):
        for offset in offsets:
            right = right_at[lefts[left] + offset]
            if right >= 0 and left_of[right] == FREE:
                right_of[left] = right
                left_of[right] = left
                matched += 1
                break
    return matched


@numba.njit(cache=True, nogil=True)
def _search(root, lefts, offsets, right_at, right_of, left_of, seen_by, came_from, queue):  # type: ignore[no-untyped-def]
    """Returns the free right pixel at the end of a shortest augmenting path from root, or FREE."""
    queue[0] = root
    head, tail = 0, 1
    while head < tail:
        left = queue[head]
        head += 1
        for offset in offsets:
            right = right_at[lefts[left] + offset]
            if right < 0 or seen_by[right] == root or seen_by[right] == _DEAD:
                continue
            seen_by[right] = root
            came_from[right] = left
            if left_of[right] == FREE:
                return right
            queue[tail] = left_of[right]
            tail += 1
    for i in range(1, tail):
        seen_by[right_of[queue[i]]] = _DEAD
    return FREE


@numba.njit(cache=True, nogil=True)
def _flip(right, came_from, right_of, left_of):  # type: ignore[no-untyped-def]
    """Exchanges matched and unmatched edges along the path that ends in right."""
    while right != FREE:
        left = came_from[right]
        previous = right_of[left]
        right_of[left] = right
        left_of[right] = left
        right = previous
