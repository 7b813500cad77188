"""Scores of the test images of single drives, from the stored counts of every image.

A drive is one continuous recording. CamVid's image names begin with it ("0001TP_008550"), and so do those of RoadScenes
in drives ("drive-0003-frame-007").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bench.evaluation.boundary_scores import boundary_f1
from bench.evaluation.region_scores import region_scores
from bench.replication.scores import DEFAULT_PROTOCOL
from bench.reporting.comparisons.comparison import Side
from bench.reporting.comparisons.suite_results import SuiteResults


class ImageCounts(Protocol):
    """What `bench.scoring.stored.read_counts` returns; legend: N images, K classes."""

    @property
    def images(self) -> tuple[str, ...]:
        """N names."""

    @property
    def confusion(self) -> NDArray[np.int64]:
        """(N, K, K) pixels, `[image, label, prediction]`."""

    @property
    def boundary(self) -> Mapping[str, NDArray[np.int64]]:
        """(N, K, 4) boundary pixels by protocol."""


MAX_DRIVES = 6  # of which each has images enough for scores of its own; RoadScenes has more, of a few images each
_DRIVE = re.compile(r"(drive-\d+)(?=-frame-)|([^_]+)(?=_)")

Cell = tuple[str, str]  # model, loss weighting
Read = Callable[[str], ImageCounts | None]  # by "ID-DIGEST" of a training; None: it has no counts


def drives_of(images: tuple[str, ...]) -> dict[str, list[int]]:
    """Returns the places of the images of each drive, in the order of the split; {} where names have no drive."""
    found: dict[str, list[int]] = {}
    for place, name in enumerate(images):
        drive = _DRIVE.match(name)
        if drive is None:
            return {}
        found.setdefault(drive.group(), []).append(place)
    return found


def scores_by_drive(counts: ImageCounts) -> dict[str, dict[str, float]]:
    """Returns G, C, mIoU and boundary F1 of each drive, fractions; {} where there are not 2 to MAX_DRIVES drives."""
    drives = drives_of(counts.images)
    if not 2 <= len(drives) <= MAX_DRIVES:
        return {}
    return {drive: _scores(counts, places) for drive, places in drives.items()}


def by_drive(suite: SuiteResults, read: Read) -> dict[tuple[Cell, str], Side]:
    """Returns the test scores of each drive, by model and loss weighting, then by the drive's name and size."""
    values: dict[tuple[Cell, str], dict[str, dict[int, float]]] = {}
    stale = set()
    done = suite.rows[(suite.rows["status"] == "done") & (suite.rows["kind"] == "training")].drop_duplicates("digest")
    columns = ["trial", "digest", "model", "weighting", "seed"]
    for trial, digest, model, weighting, seed in done[columns].itertuples(index=False, name=None):
        counts = read(f"{trial}-{digest}")
        if counts is None:
            continue
        sizes = {drive: len(places) for drive, places in drives_of(counts.images).items()}
        for drive, scores in scores_by_drive(counts).items():
            key = ((model, weighting), f"{drive}, {sizes[drive]} images")
            stale |= {key} if suite.stale.holds([digest]) else set()
            for metric, value in scores.items():
                values.setdefault(key, {}).setdefault(metric, {})[int(seed)] = value
    return {key: Side(found, key in stale) for key, found in values.items()}


def _scores(counts: ImageCounts, places: list[int]) -> dict[str, float]:
    regions = region_scores(counts.confusion[places].sum(axis=0))
    found = {
        "global_accuracy": regions.global_accuracy,
        "class_average_accuracy": regions.class_average_accuracy,
        "mean_iou": regions.mean_iou,
    }
    if DEFAULT_PROTOCOL in counts.boundary:
        found["boundary_f1"] = boundary_f1(counts.boundary[DEFAULT_PROTOCOL][places]).boundary_f1
    return found
