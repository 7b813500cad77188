"""Intervals over the test images of one trial: how far its scores depend on which images the test split has.

Images are drawn with replacement, as many as there are, and the scores of the draw are taken from the stored counts of
its images (a percentile bootstrap). That says nothing about the seeds: another training of the same network may differ
by more than such an interval is wide.

Legend: N images, K classes, R resamples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from bench.errors import ResultsError
from bench.evaluation.boundary_scores import boundary_f1
from bench.replication.statistics import CONFIDENCE, Interval
from bench.scoring.definition import DEFAULT_PROTOCOLS, REGION_METRICS
from bench.scoring.stored import Counts

RESAMPLES = 1000
DRAWS_AT_ONCE = 2_000_000  # of single images: 48 MB with what is counted from them

Key = tuple[str, str]  # metric, class_name; "" is the score over all classes


def image_intervals(
    counts: Counts,
    protocol: str = DEFAULT_PROTOCOLS[0],
    resamples: int = RESAMPLES,
    seed: int = 0,
    confidence: float = CONFIDENCE,
) -> dict[Key, Interval]:
    """Returns the bootstrap interval of G, C, mIoU and boundary F1 over the test images of a trial; fractions.

    Args:
        counts: of one trial.
        protocol: the stored boundary protocol of BF, which is the mean over images.
        resamples: R.
        seed: of the draws. Trials of equally many images get the same draws.
        confidence: the share of the resamples between the ends.

    Edge cases: empty with fewer than two images, which say nothing about others. A class that a resample lacks adds 0
        to C and mIoU, the authors' rule, as in the scores of the whole split. A resample without any labelled pixel
        has no G, C and mIoU and does not count; a metric of which no resample has a value is left out, and so is BF
        where the trial has no counts of the protocol.

    Source: Efron 1979, percentile interval.
    """
    drawn = _drawn(counts, protocol, resamples, seed)
    return _intervals(drawn, confidence)


def paired_image_intervals(
    first: Counts,
    second: Counts,
    protocol: str = DEFAULT_PROTOCOLS[0],
    resamples: int = RESAMPLES,
    seed: int = 0,
    confidence: float = CONFIDENCE,
) -> dict[Key, Interval]:
    """Returns the bootstrap interval of first minus second, both scored on the same draws of the same images.

    Args:
        first, second: counts of two trials on one test split at one size.
        protocol, resamples, seed, confidence: as for `image_intervals`, and so are the edge cases.

    Raises:
        ResultsError: the two were not scored on the same images, classes and labels.
    """
    second = _in_order_of(first, second)
    ours, theirs = (_drawn(counts, protocol, resamples, seed) for counts in (first, second))
    return _intervals({metric: ours[metric] - theirs[metric] for metric in ours if metric in theirs}, confidence)


def _in_order_of(first: Counts, second: Counts) -> Counts:
    """Returns the second with its images in the order of the first."""
    if first.class_names != second.class_names:
        raise ResultsError("they were scored on other classes")
    if set(first.images) != set(second.images):
        there = len(set(first.images) & set(second.images))
        raise ResultsError(f"they have {len(first.images)} and {len(second.images)} test images, {there} in common")
    order = [second.images.index(name) for name in first.images] if first.images != second.images else slice(None)
    confusion = second.confusion[order]
    different = (first.confusion.sum(axis=2) != confusion.sum(axis=2)).any(axis=1)
    if different.any():
        name = first.images[int(np.argmax(different))]
        raise ResultsError(
            f"the labels of {different.sum()} of {len(different)} test images are not the same, first {name}"
        )
    boundary = {protocol: values[order] for protocol, values in second.boundary.items()}
    return Counts(first.images, second.class_names, confusion, boundary)


def _drawn(counts: Counts, protocol: str, resamples: int, seed: int) -> dict[str, NDArray[np.float64]]:
    """Returns each metric (R,) of the draws; NaN where a draw has no value."""
    number, k = counts.confusion.shape[:2]
    if number < 2:
        return {}
    # all that the scores need: pixels that are right, labelled and predicted, by class
    sums = np.concatenate(
        [np.diagonal(counts.confusion, axis1=1, axis2=2), counts.confusion.sum(axis=2), counts.confusion.sum(axis=1)],
        axis=1,
    ).astype(np.float64)  # exact: pixels of a split stay far below 2^53
    images = _image_f1(counts.boundary[protocol]) if protocol in counts.boundary else None
    found: dict[str, list[NDArray[np.float64]]] = {}
    for times in _draws(number, resamples, seed):
        hits, labelled, predicted = np.split(times @ sums, [k, 2 * k], axis=1)
        values = dict(zip(REGION_METRICS, _regions(hits, labelled, predicted), strict=True))
        if images is not None:
            values["boundary_f1"] = times @ images / number
        for metric, part in values.items():
            found.setdefault(metric, []).append(part)
    return {metric: np.concatenate(parts) for metric, parts in found.items()}


def _draws(number: int, resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Yields blocks (B, N) of how often each image is in a draw of N images."""
    rng = np.random.default_rng(seed)
    block = max(1, DRAWS_AT_ONCE // number)
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        images = rng.integers(0, number, (rows, number))
        images += np.arange(0, rows * number, number)[:, None]  # so that one count serves all rows
        yield np.bincount(images.ravel(), minlength=rows * number).reshape(rows, number).astype(np.float64)


def _regions(
    hits: NDArray[np.float64], labelled: NDArray[np.float64], predicted: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Returns G, C and mIoU (B,) of pixels (B, K), by the rule `authors` of regions.py."""
    total = labelled.sum(axis=1)
    there = total > 0

    def of_classes(whole: NDArray[np.float64]) -> NDArray[np.float64]:
        shares = np.divide(hits, whole, out=np.zeros_like(hits), where=whole > 0)
        return np.where(there, shares.mean(axis=1), np.nan)

    accuracy = np.divide(hits.sum(axis=1), total, out=np.full(len(total), np.nan), where=there)
    return accuracy, of_classes(labelled), of_classes(labelled + predicted - hits)


def _image_f1(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Returns the boundary F1 of every image (N,); an image in which no class counts has 0.

    `boundary_f1` averages each class over the images in which it counts; with the two axes exchanged, each image over
    its classes.
    """
    return np.nan_to_num(boundary_f1(counts.transpose(1, 0, 2)).class_boundary_f1)


def _intervals(drawn: Mapping[str, NDArray[np.float64]], confidence: float) -> dict[Key, Interval]:
    found = {}
    for metric, values in drawn.items():
        there = values[~np.isnan(values)]
        if len(there):
            low, high = np.quantile(there, [(1 - confidence) / 2, (1 + confidence) / 2])
            found[metric, ""] = Interval(float(low), float(high))
    return found
