"""The region scores G, C and mIoU from a confusion matrix.

Legend: K classes. `counts[i, j]` is the number of pixels labelled i and predicted j; void is in none of them. Every
score is a pure function of the counts, and counts of several images add up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

AVERAGES = ("fixed", "present")


@dataclass(frozen=True)
class RegionScores:
    """G, C and mIoU with their parts; fractions 0 to 1, NaN where a value does not exist."""

    global_accuracy: float
    class_average_accuracy: float
    mean_iou: float
    class_accuracy: NDArray[np.float64]  # (K,)
    class_iou: NDArray[np.float64]  # (K,)


def region_scores(counts: NDArray[np.int64], average: Literal["fixed", "present"] = "fixed") -> RegionScores:
    """Scores one confusion matrix.

        G = sum_i n_ii / sum_ij n_ij      C = mean_i n_ii / sum_j n_ij
        mIoU = mean_i n_ii / (sum_j n_ij + sum_j n_ji - n_ii)

    Args:
        counts: (K, K) integer, `[label, prediction]`.
        average: what a mean over classes divides by. "fixed", the authors' rule: always K, and a class
            without a labelled pixel adds 0 to C and to mIoU. "present", the rule of scikit-learn and
            torchmetrics: only classes whose value exists, that is classes that occur in the labels for
            C, in labels or predictions for mIoU.

    Raises:
        ValueError: counts are not a square matrix, or the average is unknown.

    Edge cases: `class_accuracy` is NaN for a class without a labelled pixel; `class_iou` is NaN only
    where the class occurs nowhere, and 0 where it is predicted but never labelled. Without any labelled
    pixel every score is NaN: nothing was measured.

    Source: paper §3.3; SegNet-Tutorial, Scripts/compute_test_results.m (void pixels removed from both
    maps, sums of class values divided by numClasses).
    """
    counts = np.asarray(counts)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise ValueError(f"counts must be one (K, K) confusion matrix, got shape {counts.shape}")
    if average not in AVERAGES:
        raise ValueError(f"unknown average '{average}'; known: {', '.join(AVERAGES)}")
    hits = np.diagonal(counts).astype(np.float64)
    labelled, predicted = counts.sum(axis=1), counts.sum(axis=0)
    class_accuracy = _ratio(hits, labelled)
    class_iou = _ratio(hits, labelled + predicted - hits)
    total = labelled.sum()
    if total == 0:
        return RegionScores(np.nan, np.nan, np.nan, class_accuracy, class_iou)
    mean = np.nanmean if average == "present" else _mean_over_all
    return RegionScores(
        global_accuracy=float(hits.sum() / total),
        class_average_accuracy=float(mean(class_accuracy)),
        mean_iou=float(mean(class_iou)),
        class_accuracy=class_accuracy,
        class_iou=class_iou,
    )


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """part / whole, NaN where whole is 0."""
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)


def _mean_over_all(values: NDArray[np.float64]) -> float:
    """Mean over the fixed number of classes; a value that does not exist adds 0."""
    return float(np.nansum(values) / len(values))
