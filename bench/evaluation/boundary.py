"""Boundary F1 of label maps: what counts as boundary, as match, and how scores are averaged.

Legend: N images, K classes, H, W; distances in pixels, scores as fractions 0 to 1. Reduce once, score
many: `boundary_counts` reduces each image and class to four integers, `boundary_f1` scores them.

Boundary: each class is a binary mask, and a pixel belongs to the class's boundary if the mask is not
constant on the pixel, its right, lower and lower right neighbour. The last row and column use what they
have; the image frame is no boundary. Void pixels are in no mask, so an edge against void is an edge; the
prediction inside void is not masked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numba
import numpy as np
from numpy.typing import NDArray

from bench.evaluation.confusion import validated_maps
from bench.evaluation.matching import disk_offsets, empty_grid, maximum_matching

TOLERANCE_SHARE = 0.0075  # of the image diagonal; paper §3.3
Protocol = Literal["paper", "distance"]
PROTOCOLS: tuple[Protocol, ...] = ("paper", "distance")
DIVISORS = ("union", "gt")
PREDICTED, LABEL, MATCHED_PREDICTED, MATCHED_LABEL = range(4)
MAX_CLASSES = 64  # one bit a class


@dataclass(frozen=True)
class BoundaryScores:
    """Boundary F1 of a split and of each class over it; fractions 0 to 1, NaN where nothing counts."""

    boundary_f1: float
    class_boundary_f1: NDArray[np.float64]  # (K,)


def boundary_tolerance_px(height: int, width: int) -> float:
    """Returns the matching tolerance, 0.75 % of the image diagonal, in pixels (4.5 at 360x480)."""
    return TOLERANCE_SHARE * math.hypot(height, width)


def boundary_counts(
    labels: NDArray[np.uint8],
    predictions: NDArray[np.uint8],
    num_classes: int,
    protocol: Protocol = "paper",
) -> NDArray[np.int64]:
    """Counts boundary pixels and matches of each image and class.

    Args:
        labels: (N, H, W) uint8, 0..K-1, void = 255.
        predictions: (N, H, W) uint8, 0..K-1.
        num_classes: K, 1 to 64.
        protocol: what a match is, within `boundary_tolerance_px`. "paper": the largest one-to-one matching
            of predicted and labelled boundary pixels. "distance": a pixel matches if any boundary
            pixel of its class in the other map is near enough.

    Returns:
        (N, K, 4) int64: predicted pixels, label pixels, matched predicted, matched label pixels. Under
        "paper" the last two are equal.

    Raises:
        ValueError: shapes, types or values of the maps, the protocol or the number of classes.

    Source: paper §3.3; SegNet-Tutorial, Scripts/computeBFmeasure.m (`seg2bdry`, `correspondPixels`).
    Deviation: correspondPixels approximates a minimum-cost assignment and may leave out a match; the
    maximum matching is exact, so that a score here can only be as high or higher.
    """
    labels, predictions = validated_maps(labels, predictions, num_classes)
    if num_classes > MAX_CLASSES:
        raise ValueError(f"num_classes must be 1 to {MAX_CLASSES} for boundaries, got {num_classes}")
    if protocol not in PROTOCOLS:
        raise ValueError(f"unknown boundary protocol '{protocol}'; known: {', '.join(PROTOCOLS)}")
    height, width = labels.shape[1:]
    offsets = disk_offsets(_max_squared_distance(height, width))
    codes = _class_codes(num_classes)
    counts = np.zeros((len(labels), num_classes, 4), dtype=np.int64)
    if labels.size == 0:
        return counts
    if protocol == "paper":
        _match_one_to_one(labels, predictions, codes, offsets, counts)
    else:
        _match_by_distance(labels, predictions, codes, _half_widths(offsets), counts)
    return counts


def boundary_f1(counts: NDArray[np.int64], divisor: Literal["union", "gt"] = "union") -> BoundaryScores:
    """Scores boundary counts: F1 per image and class, mean over classes, then over images.

        P = matched predicted / predicted      R = matched label / label      F1 = 2 P R / (P + R)

    Args:
        counts: (N, K, 4) integer of `boundary_counts`.
        divisor: which classes count in an image. "union", the authors' script: classes with a boundary
            in labels or prediction, so that a class that is only imagined costs. "gt", the paper's
            text: classes with a boundary in the labels.

    Raises:
        ValueError: the shape of counts, or the divisor is unknown.

    Edge cases: F1 is 0 where P + R is 0. An image in which no class counts adds 0 to the mean over
    images, under both divisors, as in the authors' script. A class that counts in no image has NaN. No
    images: NaN.

    Source: paper §3.3; SegNet-Tutorial, Scripts/computeBFmeasure.m.
    Deviation: the paper says that the classes present in the ground truth are averaged; its script also counts classes
        that are only predicted. Results hold the script's rule; the counts of every image are stored, so that the
        other can be computed from them.
    """
    counts = np.asarray(counts)
    if counts.ndim != 3 or counts.shape[2] != 4:
        raise ValueError(f"counts must be (N, K, 4) boundary counts, got shape {counts.shape}")
    if divisor not in DIVISORS:
        raise ValueError(f"unknown divisor '{divisor}'; known: {', '.join(DIVISORS)}")
    predicted, label = counts[..., PREDICTED], counts[..., LABEL]
    precision = counts[..., MATCHED_PREDICTED] / np.maximum(predicted, 1)
    recall = counts[..., MATCHED_LABEL] / np.maximum(label, 1)
    both = precision + recall
    f1 = np.divide(2 * precision * recall, both, out=np.zeros(both.shape), where=both > 0)
    counted = (label > 0) | (predicted > 0) if divisor == "union" else label > 0
    f1 = np.where(counted, f1, 0.0)
    images_of_class = counted.sum(axis=0)
    class_f1 = np.full(counts.shape[1], np.nan)
    np.divide(f1.sum(axis=0), images_of_class, out=class_f1, where=images_of_class > 0)
    image_f1 = f1.sum(axis=1) / np.maximum(counted.sum(axis=1), 1)
    return BoundaryScores(float(image_f1.mean()) if len(counts) else math.nan, class_f1)


def _max_squared_distance(height: int, width: int) -> int:
    """Largest squared distance between pixels within the tolerance; exact, as 0.0075 = 3/400."""
    return 9 * (height * height + width * width) // 160_000


def _class_codes(num_classes: int) -> NDArray[Any]:
    """(256,) table from class id to its bit; 0 for void and ids not in use. The narrowest type is fastest."""
    dtype = np.uint16 if num_classes <= 16 else np.uint32 if num_classes <= 32 else np.uint64
    codes = np.zeros(256, dtype=dtype)
    codes[:num_classes] = np.left_shift(dtype(1), np.arange(num_classes, dtype=dtype))
    return codes


def _half_widths(offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """(radius + 1,) half width of each row of the disk, from its middle row outwards."""
    radius = int(offsets[:, 0].max())
    return np.array([offsets[offsets[:, 0] == dy, 1].max() for dy in range(radius + 1)])


@numba.njit(cache=True, nogil=True)
def _encode(classes, codes, row):  # type: ignore[no-untyped-def]
    """Writes the bits of one row of class ids (W,) into row (W + 1,), the last one twice."""
    for x in range(len(classes)):
        row[x] = codes[classes[x]]
    row[len(classes)] = row[len(classes) - 1]


@numba.njit(cache=True, nogil=True)
def _boundary_bits(classes, codes, bits):  # type: ignore[no-untyped-def]
    """Writes into bits (H, W) which classes have a boundary at each pixel of classes (H, W)."""
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


@numba.njit(cache=True, nogil=True)
def _match_by_distance(labels, predictions, codes, half_widths, counts):  # type: ignore[no-untyped-def]
    """Fills counts (N, K, 4): a boundary pixel matches where the other boundary, dilated, covers it."""
    images, height, width = labels.shape
    label_bits = np.empty((height, width), codes.dtype)
    predicted_bits = np.empty((height, width), codes.dtype)
    near_label = np.empty((height, width), codes.dtype)
    near_predicted = np.empty((height, width), codes.dtype)
    for image in range(images):
        _boundary_bits(labels[image], codes, label_bits)
        _boundary_bits(predictions[image], codes, predicted_bits)
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


def _match_one_to_one(
    labels: NDArray[np.uint8],
    predictions: NDArray[np.uint8],
    codes: NDArray[Any],
    offsets: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> None:
    """Fills counts (N, K, 4) with the size of the largest matching of each class."""
    images, height, width = labels.shape
    margin = int(offsets.max())
    stride = width + 2 * margin
    scratch = empty_grid((height + 2 * margin) * stride)
    flat_offsets = (offsets[:, 0] * stride + offsets[:, 1]).astype(np.int32)
    bits = np.empty((height, width), codes.dtype)
    for image in range(images):
        _boundary_bits(labels[image], codes, bits)
        label_positions, label_bits = _boundary_pixels(bits, margin)
        _boundary_bits(predictions[image], codes, bits)
        predicted_positions, predicted_bits = _boundary_pixels(bits, margin)
        for k in range(counts.shape[1]):
            predicted = predicted_positions[(predicted_bits & codes[k]) != 0]
            label = label_positions[(label_bits & codes[k]) != 0]
            matched = maximum_matching(predicted, label, flat_offsets, scratch)
            counts[image, k] = len(predicted), len(label), matched, matched


@numba.njit(cache=True, nogil=True)
def _boundary_pixels(bits, margin):  # type: ignore[no-untyped-def]
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
