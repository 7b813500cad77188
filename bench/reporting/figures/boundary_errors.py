"""Where the boundaries of a prediction are wrong: boundary pixels that are imagined, and those that are missed.

The boundaries and the tolerance are those of `bench.evaluation.boundary` with its void rule "kept", as the authors'
script has them. A pixel is right where the other map has a boundary of the same class within the tolerance, which is
its protocol "distance". The reported score matches pixels one to one, so that it can count a few more as wrong, but
not say which of several.

In numpy, because compiled functions take longer to load than a hundred panels to go through.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MAX_CLASSES = 64  # one bit a class


class BoundaryErrors(NamedTuple):
    """Boundary pixels of at least one class that are wrong; (H,W) bool."""

    false: NDArray[np.bool_]  # of the prediction, without one of the labels nearby
    missed: NDArray[np.bool_]  # of the labels, without one of the prediction nearby


def boundary_errors(labels: NDArray[np.uint8], prediction: NDArray[np.uint8], classes: int) -> BoundaryErrors:
    """Returns the wrong boundary pixels of a prediction.

    Args:
        labels: (H,W) class ids, void is 255.
        prediction: (H,W) class ids.
        classes: K, 1 to 64.

    Edge cases: an edge of the labels against void is a boundary of the labels; the image frame is none.

    Source: paper §3.3; SegNet-Tutorial, Scripts/computeBFmeasure.m (`seg2bdry`).
    """
    assert 1 <= classes <= MAX_CLASSES, classes
    offsets = _disk(*labels.shape)
    labelled, predicted = (_boundary_bits(ids, classes) for ids in (labels, prediction))
    return BoundaryErrors(
        false=(predicted & ~_dilated(labelled, offsets)) != 0,
        missed=(labelled & ~_dilated(predicted, offsets)) != 0,
    )


def _disk(height: int, width: int) -> list[tuple[int, int]]:
    """Returns the (dy, dx) within the tolerance, 0.75 % of the diagonal, in whole numbers as 0.0075 = 3/400."""
    most = 9 * (height * height + width * width) // 160_000
    reach = range(-int(most**0.5), int(most**0.5) + 1)
    return [(dy, dx) for dy in reach for dx in reach if dy * dy + dx * dx <= most]


def _boundary_bits(ids: NDArray[np.uint8], classes: int) -> NDArray[np.uint64]:
    """Returns (H,W) one bit a class: whether it has a boundary there, its mask being not constant on the 2x2 block."""
    codes = np.zeros(256, np.uint64)
    codes[:classes] = np.left_shift(np.uint64(1), np.arange(classes, dtype=np.uint64))
    coded = np.pad(codes[ids], ((0, 1), (0, 1)), mode="edge")
    block = coded[:-1, :-1], coded[:-1, 1:], coded[1:, :-1], coded[1:, 1:]
    return np.bitwise_or.reduce(block) ^ np.bitwise_and.reduce(block)


def _dilated(bits: NDArray[np.uint64], offsets: list[tuple[int, int]]) -> NDArray[np.uint64]:
    height, width = bits.shape
    reach = max(dy for dy, _ in offsets)
    padded = np.pad(bits, reach)
    found = np.zeros_like(bits)
    for dy, dx in offsets:
        found |= padded[reach + dy : reach + dy + height, reach + dx : reach + dx + width]
    return found
