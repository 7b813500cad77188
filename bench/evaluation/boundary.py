"""Boundary pixels of label maps and their matches: what counts as boundary, and what as match.

Legend: N images, K classes, H, W; distances in pixels. Reduce once, score many: `boundary_counts` reduces each image
and class to four integers, `bench.evaluation.boundary_scores.boundary_f1` scores them.

Boundary: each class is a binary mask, and a pixel belongs to the class's boundary if the mask is not
constant on its block: the pixel, its right, lower and lower right neighbour. The last row and column use
what they have; the image frame is no boundary.

Void: two rules for what an unlabelled region does to boundaries.

- "kept", the authors' script: void pixels are in no mask, so an edge against void is an edge of the labels;
  the prediction inside void is not masked.
- "masked": a pixel whose block has a void pixel of the labels belongs to no boundary, in both maps and for
  every class. Nobody knows where the edges of an unlabelled region are; so only blocks that are labelled as a
  whole are looked at, the prediction inside void is never read, and a prediction that is right wherever there
  are labels scores 1 in every class that counts. Stopping at setting the prediction to void (as DAVIS does)
  would copy the outline of the void region into both maps, where it matches itself.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.evaluation.boundary_pixels import (
    MAX_CLASSES,
    boundary_bits,
    boundary_positions,
    class_codes,
    count_near,
    row_half_widths,
)
from bench.evaluation.boundary_scores import PROTOCOLS, VOID_RULES, Protocol, VoidRule
from bench.evaluation.confusion import validated_maps
from bench.evaluation.matching import disk_offsets, empty_grid, maximum_matching


def boundary_counts(
    labels: NDArray[np.uint8],
    predictions: NDArray[np.uint8],
    num_classes: int,
    protocol: Protocol = "paper",
    void: VoidRule = "kept",
) -> NDArray[np.int64]:
    """Counts boundary pixels and matches of each image and class.

    Args:
        labels: (N, H, W) uint8, 0..K-1, void = 255.
        predictions: (N, H, W) uint8, 0..K-1.
        num_classes: K, 1 to 64.
        protocol: what a match is. "paper": the largest one-to-one matching of predicted and labelled boundary
            pixels within `boundary_tolerance_px`. "distance": a pixel matches if any boundary pixel of its
            class in the other map is that near. "davis": as "distance", the tolerance rounded up to a whole
            pixel (5 px at 360x480, where 4.5 px are exact; 2 in place of 1.125 px at 90x120).
        void: what the void region of the labels does, "kept" or "masked"; see the top of this file.

    Returns:
        (N, K, 4) int64: predicted pixels, label pixels, matched predicted, matched label pixels. Under
        "paper" the last two are equal. The first two depend on the void rule, not on the protocol.

    Raises:
        ValueError: shapes, types or values of the maps, the protocol, the void rule or the number of classes.

    Source: paper §3.3; SegNet-Tutorial, Scripts/computeBFmeasure.m (`seg2bdry`, `correspondPixels`);
    davis2017-evaluation, metrics.py (`f_measure`, `_seg2bmap`): the same boundary, matched by a disk of radius
    ceil(0.008 diagonal); here it is ceil(0.0075 diagonal).
    Deviation: correspondPixels approximates a minimum-cost assignment and may leave out a match; the
    maximum matching is exact, so that a score here can only be as high or higher.
    """
    labels, predictions = validated_maps(labels, predictions, num_classes)
    if num_classes > MAX_CLASSES:
        raise ValueError(f"num_classes must be 1 to {MAX_CLASSES} for boundaries, got {num_classes}")
    if protocol not in PROTOCOLS:
        raise ValueError(f"unknown boundary protocol '{protocol}'; known: {', '.join(PROTOCOLS)}")
    if void not in VOID_RULES:
        raise ValueError(f"unknown void rule '{void}'; known: {', '.join(VOID_RULES)}")
    counts = np.zeros((len(labels), num_classes, 4), dtype=np.int64)
    if labels.size == 0:
        return counts
    height, width = labels.shape[1:]
    offsets = disk_offsets(_max_squared_distance(height, width, protocol))
    codes = class_codes(num_classes)
    if protocol == "paper":
        _match_one_to_one(labels, predictions, codes, void == "masked", offsets, counts)
    else:
        count_near(labels, predictions, codes, void == "masked", row_half_widths(offsets), counts)
    return counts


def _max_squared_distance(height: int, width: int, protocol: Protocol) -> int:
    """Largest squared distance between pixels that match; in whole numbers, as 0.0075 = 3/400."""
    scaled = 9 * (height * height + width * width)  # squared tolerance in px² x 400²
    if protocol == "davis":
        radius = math.isqrt(-(-scaled // 160_000) - 1) + 1  # the least with radius² >= squared tolerance
        return radius * radius
    return scaled // 160_000


def _match_one_to_one(
    labels: NDArray[np.uint8],
    predictions: NDArray[np.uint8],
    codes: NDArray[Any],
    void_masked: bool,
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
        boundary_bits(labels[image], labels[image], codes, void_masked, bits)
        label_positions, label_bits = boundary_positions(bits, margin)
        boundary_bits(predictions[image], labels[image], codes, void_masked, bits)
        predicted_positions, predicted_bits = boundary_positions(bits, margin)
        for k in range(counts.shape[1]):
            predicted = predicted_positions[(predicted_bits & codes[k]) != 0]
            label = label_positions[(label_bits & codes[k]) != 0]
            matched = maximum_matching(predicted, label, flat_offsets, scratch)
            counts[image, k] = len(predicted), len(label), matched, matched
