"""Confusion matrices of label maps.

Legend: N images, K classes, H, W. A label is 0..K-1 or void (`IGNORE_INDEX`), a prediction is 0..K-1.
`counts[i, j]` is the number of pixels labelled i and predicted j; void is in none of them. Reduce once,
score many: the scores (see region_scores.py) need the counts alone, and counts of several images add up.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from bench.data.split import IGNORE_INDEX

_PIXELS_PER_WORD = 8
_REPEAT = np.uint64(0x0101010101010101)  # times one byte: that byte eight times


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
