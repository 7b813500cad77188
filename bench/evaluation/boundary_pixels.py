"""Boundary pixels of all classes at once: where they are, and how many lie near those of the other map.

Legend: N images, K classes, H, W. One bit a class: each pixel holds one integer, so one pass over the image
serves every class. What a boundary is, is said in `bench.evaluation.boundary`.

All compiled functions that call each other are in this file: numba keeps machine code between runs, and takes
notice of a change only in the file of the function that was called first.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from bench.data.split import IGNORE_INDEX
from bench.evaluation.boundary_scores import LABEL, MATCHED_LABEL, MATCHED_PREDICTED, PREDICTED

MAX_CLASSES = 64  # one bit a class


def class_codes(num_classes: int) -> NDArray[Any]:
    """(256,) table from class id to its bit; 0 for void and ids not in use. The narrowest type is fastest."""
    dtype = np.uint16 if num_classes <= 16 else np.uint32 if num_classes <= 32 else np.uint64
    codes = np.zeros(256, dtype=dtype)
    codes[:num_classes] = np.left_shift(dtype(1), np.arange(num_classes, dtype=dtype))
    return codes


def row_half_widths(offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """(radius + 1,) half width of each row of the disk of offsets (M, 2), from its middle row outwards."""
    radius = int(offsets[:, 0].max())
    return np.array([offsets[offsets[:, 0] == dy, 1].max() for dy in range(radius + 1)])


@numba.njit(cache=True, nogil=True)
def boundary_bits(classes, labels, codes, void_masked, bits):  # type: ignore[no-untyped-def]
    """Writes into bits (H, W) which classes have a boundary at each pixel of a map.

    Args:
        classes: (H, W) uint8, the map, labels or prediction.
        labels: (H, W) uint8, the labels of the same image, which say where void is.
        codes: (256,), of `class_codes`.
        void_masked: whether a pixel whose 2x2 block touches void has no boundary.
        bits: (H, W), of the type of codes.
    """
    height, width = classes.shape
    row = np.empty(width + 1, codes.dtype)
    below = np.empty(width + 1, codes.dtype)
    _encode(classes[0], codes, row)
    for y in range(height):
        _encode(classes[min(y + 1, height - 1)], codes, below)
        for x in range(width):
            any_has = row[x] | row[x + 1] | below[x] | below[x + 1]
            all_have = row[x] & row[x + 1] & below[x] & below[x + 1]
            bits[y, x] = any_has ^ all_have
        row, below = below, row
    if void_masked:
        _clear_blocks_with_void(labels, bits)


@numba.njit(cache=True, nogil=True)
def boundary_positions(bits, margin):  # type: ignore[no-untyped-def]
    """Pixels of bits (H, W) that are not 0: flat positions in the grid padded by margin, and their bits."""
    height, width = bits.shape
    stride = width + 2 * margin
    positions = np.empty(height * width, np.int32)
    values = np.empty(height * width, bits.dtype)
    found = 0
    for y in range(height):
        for x in range(width):
            if bits[y, x]:
                positions[found] = (y + margin) * stride + x + margin
                values[found] = bits[y, x]
                found += 1
    return positions[:found], values[:found]


@numba.njit(cache=True, nogil=True)
def count_near(labels, predictions, codes, void_masked, half_widths, counts):  # type: ignore[no-untyped-def]
    """Fills counts (N, K, 4): a boundary pixel matches where the other boundary, dilated by a disk, covers it.

    Args:
        labels, predictions: (N, H, W) uint8.
        codes, void_masked: as `boundary_bits`.
        half_widths: (radius + 1,), of `row_half_widths`.
        counts: (N, K, 4) int64, all 0.
    """
    images, height, width = labels.shape
    label_bits = np.empty((height, width), codes.dtype)
    predicted_bits = np.empty((height, width), codes.dtype)
    near_label = np.empty((height, width), codes.dtype)
    near_predicted = np.empty((height, width), codes.dtype)
    for image in range(images):
        boundary_bits(labels[image], labels[image], codes, void_masked, label_bits)
        boundary_bits(predictions[image], labels[image], codes, void_masked, predicted_bits)
        _dilate(label_bits, half_widths, near_label)
        _dilate(predicted_bits, half_widths, near_predicted)
        for y in range(height):
            for x in range(width):
                label, predicted = label_bits[y, x], predicted_bits[y, x]
                if label | predicted:
                    matched_predicted = predicted & near_label[y, x]
                    matched_label = label & near_predicted[y, x]
                    for k in range(counts.shape[1]):
                        counts[image, k, PREDICTED] += (predicted >> k) & 1
                        counts[image, k, LABEL] += (label >> k) & 1
                        counts[image, k, MATCHED_PREDICTED] += (matched_predicted >> k) & 1
                        counts[image, k, MATCHED_LABEL] += (matched_label >> k) & 1


@numba.njit(cache=True, nogil=True)
def _encode(classes, codes, row):  # type: ignore[no-untyped-def]
    """Writes the bits of one row of class ids (W,) into row (W + 1,), the last one twice."""
    for x in range(len(classes)):
        row[x] = codes[classes[x]]
    row[len(classes)] = row[len(classes) - 1]


@numba.njit(cache=True, nogil=True)
def _clear_blocks_with_void(labels, bits):  # type: ignore[no-untyped-def]
    """Sets bits (H, W) to 0 in the up to four pixels whose block (self, right, below, diagonal) has a void pixel."""
    height, width = labels.shape
    for y in range(height):
        for x in range(width):
            if labels[y, x] == IGNORE_INDEX:
                bits[max(y - 1, 0) : y + 1, max(x - 1, 0) : x + 1] = 0


@numba.njit(cache=True, nogil=True)
def _dilate(bits, half_widths, out):  # type: ignore[no-untyped-def]
    """Writes into out (H, W) the union of bits (H, W) over the disk around each pixel.

    Each row is widened step by step, and each width is added to the rows above and below that need it.
    """
    height, width = bits.shape
    out[:] = 0
    wide = np.empty(width, bits.dtype)
    for y in range(height):
        row = bits[y]
        wide[:] = row
        step = 0
        for dy in range(len(half_widths) - 1, -1, -1):
            while step < half_widths[dy]:
                step += 1
                for x in range(width - step):
                    wide[x] |= row[x + step]
                for x in range(step, width):
                    wide[x] |= row[x - step]
            if y >= dy:
                _add_row(wide, out[y - dy])
            if dy > 0 and y + dy < height:
                _add_row(wide, out[y + dy])


@numba.njit(cache=True, nogil=True)
def _add_row(row, out):  # type: ignore[no-untyped-def]
    for x in range(len(row)):
        out[x] |= row[x]
