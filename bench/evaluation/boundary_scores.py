"""Boundary F1 from counts: the protocols, and how scores are averaged.

Legend: N images, K classes; scores as fractions 0 to 1. What is counted is said in `bench.evaluation.boundary`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

PREDICTED, LABEL, MATCHED_PREDICTED, MATCHED_LABEL = range(4)  # last axis of boundary counts
TOLERANCE_SHARE = 0.0075  # of the image diagonal; paper §3.3
Protocol = Literal["paper", "distance", "davis"]
VoidRule = Literal["kept", "masked"]
PROTOCOLS: tuple[Protocol, ...] = ("paper", "distance", "davis")
VOID_RULES: tuple[VoidRule, ...] = ("kept", "masked")
DIVISORS = ("union", "gt")

# What results hold: name in their column `protocol` -> protocol and void rule. Both divisors score the same counts.
STORED: Mapping[str, tuple[Protocol, VoidRule]] = {
    "paper": ("paper", "kept"),
    "distance": ("distance", "kept"),
    "davis": ("davis", "kept"),
    "paper-void-masked": ("paper", "masked"),
    "distance-void-masked": ("distance", "masked"),
    "davis-void-masked": ("davis", "masked"),
}


@dataclass(frozen=True)
class BoundaryScores:
    """Boundary F1 of a split and of each class over it; fractions 0 to 1, NaN where nothing counts."""

    boundary_f1: float
    class_boundary_f1: NDArray[np.float64]  # (K,)


def boundary_tolerance_px(height: int, width: int) -> float:
    """Returns the matching tolerance, 0.75 % of the image diagonal, in pixels (4.5 at 360x480)."""
    return TOLERANCE_SHARE * math.hypot(height, width)


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
