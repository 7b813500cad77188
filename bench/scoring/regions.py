"""The named rules by which G, C and mIoU are taken from confusion counts, and scores over some of the classes.

Legend: N images, K classes. `counts[n, i, j]` is the number of pixels of image n labelled i and predicted j, void in
none of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bench.errors import UnknownNameError
from bench.evaluation.region_scores import RegionScores, region_scores

REGION_RULES = ("authors", "present", "per-image", "frequency-weighted")
DEFAULT_RULE = "authors"


def region_scores_by(
    counts: NDArray[np.int64], rule: str = DEFAULT_RULE, classes: Sequence[int] | None = None
) -> RegionScores:
    """Scores the confusion counts of a split by a named rule; all but `authors`, the paper's, are for comparison.

        authors             one matrix of the split; sums over classes divided by K
        present             one matrix of the split; means over the classes whose value exists
        per-image           `present` of each image, then the mean over the images
        frequency-weighted  mIoU = sum_i labelled_i IoU_i / sum_i labelled_i; G and C as `authors`

    Args:
        counts: (N, K, K) integer, `[image, label, prediction]`.
        rule: one of REGION_RULES.
        classes: ids of a subset of the classes, in the order of the returned class values; None means all. A pixel
            labelled outside the subset is treated as void. A prediction outside it on a pixel that is kept is a miss of
            the labelled class and counts for no other. K is the size of the subset.

    Returns:
        Fractions 0 to 1, class values of shape (K,). Under `per-image` a class value is the mean over the images in
        which it exists.

    Raises:
        ValueError: the shape of counts, or class ids that are repeated or out of range.
        UnknownNameError: the rule is not known.

    Edge cases: NaN where nothing is labelled. Under `per-image` an image without a labelled pixel does not count.

    Source: authors: see `region_scores`. present: scikit-learn, torchmetrics (macro average, void ignored).
    frequency-weighted: Long et al., CVPR 2015.
    """
    counts = np.asarray(counts)
    if counts.ndim != 3 or counts.shape[1] != counts.shape[2]:
        raise ValueError(f"counts must be (N, K, K) confusion counts, got shape {counts.shape}")
    if rule not in REGION_RULES:
        raise UnknownNameError("region rule", rule, REGION_RULES)
    kept = _with_rest(counts, range(counts.shape[1]) if classes is None else classes)
    if rule == "per-image":
        return _mean_over_images([_scores_of(image, "present") for image in kept], kept.shape[1] - 1)
    return _scores_of(kept.sum(axis=0), rule)


def _with_rest(counts: NDArray[np.int64], classes: Sequence[int]) -> NDArray[np.int64]:
    """Returns the counts (N, S+1, S+1) of S classes and of the rest, which is predicted only."""
    keep = np.asarray(classes, dtype=np.int64)
    if not len(keep) or len(set(keep.tolist())) < len(keep) or keep.min() < 0 or keep.max() >= counts.shape[1]:
        raise ValueError(f"classes must be different ids from 0 to {counts.shape[1] - 1}, got {list(classes)}")
    size = len(keep)
    kept = np.zeros((len(counts), size + 1, size + 1), dtype=np.int64)
    kept[:, :size, :size] = counts[:, keep[:, None], keep]
    kept[:, :size, size] = counts[:, keep].sum(axis=2) - kept[:, :size, :size].sum(axis=2)
    return kept


def _scores_of(kept: NDArray[np.int64], rule: str) -> RegionScores:
    """Scores one matrix of `_with_rest`; the rest has no value of its own."""
    scores = region_scores(kept)
    accuracy, iou = scores.class_accuracy[:-1], scores.class_iou[:-1]
    if np.isnan(scores.global_accuracy):
        return RegionScores(np.nan, np.nan, np.nan, accuracy, iou)
    if rule == "present":
        means = np.nanmean(accuracy), np.nanmean(iou)
    else:
        means = np.nansum(accuracy) / len(accuracy), np.nansum(iou) / len(iou)
    if rule == "frequency-weighted":
        labelled = kept[:-1].sum(axis=1)
        means = means[0], np.nansum(labelled * iou) / labelled.sum()
    return RegionScores(scores.global_accuracy, float(means[0]), float(means[1]), accuracy, iou)


def _mean_over_images(images: list[RegionScores], num_classes: int) -> RegionScores:
    """Returns the mean of every value over the images in which it exists."""
    table = np.array(
        [
            [
                image.global_accuracy,
                image.class_average_accuracy,
                image.mean_iou,
                *image.class_accuracy,
                *image.class_iou,
            ]
            for image in images
        ]
    ).reshape(len(images), 3 + 2 * num_classes)
    there = ~np.isnan(table)
    number = there.sum(axis=0)
    values = np.full(table.shape[1], np.nan)
    np.divide(np.where(there, table, 0.0).sum(axis=0), number, out=values, where=number > 0)
    end = 3 + num_classes
    return RegionScores(float(values[0]), float(values[1]), float(values[2]), values[3:end], values[end:])
