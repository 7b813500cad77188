"""Label maps and predictions to be scored: CamVid's or drawn labels, and what a fair network might make of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from rounds import Way, equal
from scipy import ndimage

from bench.data import DATASETS, IGNORE_INDEX
from bench.results.provenance import ROOT
from bench.study.config import load_study

FULL, QUICK = (360, 480), (60, 90)
STRIPES = 4  # 11 classes, numbered anew in each of so many vertical stripes, give 44 ids

Map = Any  # (H, W) uint8


class Maps(NamedTuple):
    """(N, H, W) uint8 labels and predictions, and what they are."""

    labels: np.ndarray
    predictions: np.ndarray
    num_classes: int
    origin: str


def draw_maps(number: int, *, quick: bool) -> Maps:
    """Returns labels and predictions with CamVid's 11 classes.

    Real labels where BENCH_CAMVID names the folder of CamVid, else RoadScenes. Predictions are the labels with void
    filled, moved, bent and spotted, so that boundaries are neither equal nor lost.
    """
    height, width = QUICK if quick else FULL
    rng = np.random.default_rng(0)
    if "BENCH_CAMVID" in os.environ and not quick:
        options = load_study(ROOT / "bench.yaml").datasets["camvid"].options
        every = DATASETS["camvid"].load("test", height, width, options).labels
        origin, labels = "CamVid, test", every[:: len(every) // number][:number]
    else:
        options = {"train": 1, "val": 1, "test": number, "seed": 1511}
        origin, labels = "RoadScenes, test", DATASETS["road_scenes"].load("test", height, width, options).labels
    predictions = np.stack([bent(label, 11, rng) for label in labels])
    return Maps(np.ascontiguousarray(labels), predictions, 11, origin)


def with_37_classes(maps: Maps) -> Maps:
    """Returns the same maps with as many classes as SUN RGB-D has: an id depends on the place as well."""
    stripe = np.arange(maps.labels.shape[2]) * STRIPES // maps.labels.shape[2]

    def renumbered(classes: np.ndarray) -> np.ndarray:
        ids = (classes + maps.num_classes * stripe) % 37
        return np.where(classes == IGNORE_INDEX, IGNORE_INDEX, ids).astype(np.uint8)

    return Maps(renumbered(maps.labels), renumbered(maps.predictions), 37, f"{maps.origin}, renumbered")


def bent(label: Map, num_classes: int, rng: np.random.Generator) -> Map:
    """A prediction whose boundaries wander by a few pixels, with some wrong patches."""
    height, width = label.shape
    field = ndimage.zoom(rng.normal(size=(2, height // 30, width // 30)), (1, 30, 30), order=1) * 3
    y, x = np.mgrid[:height, :width] + field + rng.integers(-2, 3, (2, 1, 1))
    prediction = label[np.clip(y, 0, height - 1).astype(int), np.clip(x, 0, width - 1).astype(int)]
    for _ in range(10):
        top, left, size = rng.integers(0, height - 30), rng.integers(0, width - 30), rng.integers(5, 30)
        prediction[top : top + size, left : left + size] = rng.integers(0, num_classes)
    prediction[prediction == IGNORE_INDEX] = rng.integers(0, num_classes)
    return prediction


def image_by_image(
    name: str,
    meaning: str,
    compute: Callable[[Map, Map], Any],
    maps: Maps,
    images: int,
    agrees: Callable[[Any, Any], bool] = equal,
) -> Way:
    """Returns a way that takes one label map and one prediction at a time; the results of two images are compared."""
    images = min(images, len(maps.labels))

    def compute_first(number: int) -> list[Any]:
        pairs = zip(maps.labels[:number], maps.predictions[:number], strict=True)
        return [compute(label, prediction) for label, prediction in pairs]

    return Way(
        name,
        meaning,
        work=lambda: compute_first(images),
        units=images,
        result=lambda: np.stack(compute_first(min(2, images))),
        agrees=agrees,
    )
