"""Confusion matrix and the region scores G, C and mIoU, from label maps to numbers.

Legend: N images, K classes, H, W. A label is 0..K-1 or void (`IGNORE_INDEX`), a prediction is 0..K-1.
`counts[i, j]` is the number of pixels labelled i and predicted j; void is in none of them. Reduce once,
score many: every score is a pure function of the counts, and counts of several images add up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numba
import numpy as np
from numpy.typing import NDArray

from bench.data.split import IGNORE_INDEX

AVERAGES = ("fixed", "present")

_PIXELS_PER_WORD = 8
_REPEAT = np.uint64(0x0101010101010101)  # times one byte: that byte eight times


@dataclass(frozen=True)
class RegionScores:
    """G, C and mIoU with their parts; fractions 0 to 1, NaN where a value does not exist."""

    global_accuracy: float
    class_average_accuracy: float
    mean_iou: float
    class_accuracy: NDArray[np.float64]  # (K,)
    class_iou: NDArray[np.float64]  # (K,)


def confusion_counts(labels: NDArray[np.uint8], predictions: NDArray[np.uint8], num_classes: int) -> NDArray[np.int64]:
    """Counts pixels by label and prediction, image by image; sum over axis 0 for a whole split.

    Args:
        labels: (N, H, W) uint8, 0..K-1, void = 255.
        predictions: (N, H, W) uint8, 0..K-1.
        num_classes: K, 1 to 255.

    Returns:
        (N, K, K) int64, `[image, label, prediction]`; pixels with a void label are left out.

    Raises:
        ValueError: shapes differ, a map is not uint8, or a value is out of range.
    """
    labels, predictions = validated_maps(labels, predictions, num_classes)
    images, pixels = len(labels), labels[0].size if len(labels) else 0
    counts = np.zeros((images, num_classes, num_classes), dtype=np.int64)
    words = pixels // _PIXELS_PER_WORD if pixels % _PIXELS_PER_WORD == 0 else 0
    flat_labels, flat_predictions = labels.reshape(images, pixels), predictions.reshape(images, pixels)
    if words:
        label_words, prediction_words = flat_labels.view(np.uint64), flat_predictions.view(np.uint64)
    else:
        label_words = prediction_words = np.empty((images, 0), dtype=np.uint64)
    _count_pairs(flat_labels, flat_predictions, label_words, prediction_words, counts)
    return counts


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


def validated_maps(
    labels: NDArray[np.uint8], predictions: NDArray[np.uint8], num_classes: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Returns both maps C-contiguous, or says what is wrong with them.

    Args: as `confusion_counts`.

    Raises:
        ValueError: shapes differ, a map is not uint8, or a value is out of range; names the image.
    """
    if not 1 <= num_classes <= IGNORE_INDEX:
        raise ValueError(f"num_classes must be 1 to {IGNORE_INDEX}, got {num_classes}")
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if labels.ndim != 3 or labels.shape != predictions.shape:
        raise ValueError(
            "labels and predictions must both be (N, H, W) and of one shape, "
            f"got {labels.shape} and {predictions.shape}"
        )
    for what, maps in (("labels", labels), ("predictions", predictions)):
        if maps.dtype != np.uint8:
            raise ValueError(f"{what} must be uint8 class ids, got {maps.dtype}")
    # Adding 1 in uint8 turns void into 0, so one maximum checks both allowed ranges of a label.
    if labels.size and (labels + np.uint8(1)).max() > num_classes:
        image, value = _first_outside((labels >= num_classes) & (labels != IGNORE_INDEX), labels)
        raise ValueError(
            f"labels of image {image} contain {value}; allowed: 0..{num_classes - 1} or {IGNORE_INDEX} (void)"
        )
    if predictions.size and predictions.max() >= num_classes:
        image, value = _first_outside(predictions >= num_classes, predictions)
        raise ValueError(f"predictions of image {image} contain {value}; allowed: 0..{num_classes - 1}")
    return np.ascontiguousarray(labels), np.ascontiguousarray(predictions)


def _first_outside(outside: NDArray[np.bool_], maps: NDArray[np.uint8]) -> tuple[int, int]:
    """Index of the first image with a value that is not allowed, and the value."""
    first = tuple(np.argwhere(outside)[0])
    return int(first[0]), int(maps[first])


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """part / whole, NaN where whole is 0."""
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)


def _mean_over_all(values: NDArray[np.float64]) -> float:
    """Mean over the fixed number of classes; a value that does not exist adds 0."""
    return float(np.nansum(values) / len(values))


@numba.njit(cache=True, nogil=True)
def _count_pairs(labels, predictions, label_words, prediction_words, counts):  # type: ignore[no-untyped-def]
    """Adds each pixel of (N, P) maps to counts; words are the same bytes, eight pixels each (or none).

    Regions are large, so most words are one class in both maps: one addition in place of eight.
    """
    for image in range(labels.shape[0]):
        table = counts[image]
        for word in range(label_words.shape[1]):
            start = word * _PIXELS_PER_WORD
            label, prediction = labels[image, start], predictions[image, start]
            constant = (
                label_words[image, word] == np.uint64(label) * _REPEAT
                and prediction_words[image, word] == np.uint64(prediction) * _REPEAT
            )
            if constant:
                if label != IGNORE_INDEX:
                    table[label, prediction] += _PIXELS_PER_WORD
                continue
            for pixel in range(start, start + _PIXELS_PER_WORD):
                if labels[image, pixel] != IGNORE_INDEX:
                    table[labels[image, pixel], predictions[image, pixel]] += 1
        for pixel in range(label_words.shape[1] * _PIXELS_PER_WORD, labels.shape[1]):
            if labels[image, pixel] != IGNORE_INDEX:
                table[labels[image, pixel], predictions[image, pixel]] += 1
