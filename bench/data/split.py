"""A split in memory: what every data set's reader returns, and the shape of an entry in `DATASETS`.

Legend: N images, H rows, W columns, K classes. Void is IGNORE_INDEX from here on and nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import ConfigError, DataError, UnknownNameError

IGNORE_INDEX = 255
SPLITS = ("train", "val", "test")
MAX_SIZE = 8192  # px, rows or columns

# What a study says about a data set: counts per split, digests, a seed. JSON-able.
Options = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Split:
    """The images and labels of one split, whole in memory, in the order of `names`.

    Attributes:
        images: (N,H,W,3) uint8, RGB, C-contiguous.
        labels: (N,H,W) uint8, C-contiguous; 0..K-1, void is IGNORE_INDEX.
        names: N names, sorted.
        class_names: K names.
        digest: SHA-256 (hex) of `pixel_digest`.
    """

    images: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]
    class_names: tuple[str, ...]
    digest: str

    def __post_init__(self) -> None:
        count = len(self.names)
        for array in (self.images, self.labels):
            assert array.dtype == np.uint8
            assert array.flags.c_contiguous
        assert self.images.shape == (*self.labels.shape, 3)
        assert len(self.labels) == count > 0


@dataclass(frozen=True)
class SplitReport:
    """What `verify` found in one split: `problem` is None where all is well."""

    split: str
    images: int
    expected: int
    problem: str | None


@dataclass(frozen=True, eq=False)
class Dataset:
    """One entry of `DATASETS`, or what `dataset_of` makes of it for a data set of the study.

    Attributes:
        title: the name to print.
        class_names: K names, in the order of the label ids.
        palette: (K+1,3) uint8, RGB; the last row is void.
        load: reads (split, height, width, options) without the cache.
        source_files: the files that (split, options) would be read from; empty for a generated data set.
        official_weights: (K,) float64, the authors' class weights, where they published them.
        locate: the folder in use; raises DataError where the data set is missing. None: nothing to look for.
        verify: checks every split against the options. None: nothing that could be damaged.
        add: copies a folder or an archive that the user has, after checking it; returns the new folder.
        fetch: downloads from a URL, after checking it; returns the new folder.
    """

    title: str
    class_names: tuple[str, ...]
    palette: np.ndarray
    load: Callable[[str, int, int, Options], Split]
    source_files: Callable[[str, Options], list[Path]]
    official_weights: np.ndarray | None = None
    locate: Callable[[], Path] | None = None
    verify: Callable[[Options], list[SplitReport]] | None = None
    add: Callable[..., Path] | None = None
    fetch: Callable[..., Path] | None = None


def check_request(split: str, height: int, width: int) -> None:
    """Raises ConfigError for a split that does not exist or a size outside 1..MAX_SIZE."""
    if split not in SPLITS:
        raise UnknownNameError("split", split, SPLITS)
    if not (1 <= height <= MAX_SIZE and 1 <= width <= MAX_SIZE):
        raise ConfigError(f"image size {height}x{width}: height and width must be 1 to {MAX_SIZE} px")


def expected_count(dataset: str, split: str, options: Options) -> int:
    """Returns the number of images that the options promise for a split.

    Raises:
        DataError: the options hold no positive whole number for the split.
    """
    count = options.get(split)
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise DataError(f"{dataset}: option '{split}' must be the number of images, at least 1, got {count!r}")
    return count


def pixel_digest(names: Iterable[str], images: np.ndarray, labels: np.ndarray) -> str:
    """Returns the SHA-256 (hex) over the shape, then name, image and labels of each image in turn."""
    sha = hashlib.sha256(repr(images.shape).encode())
    for name, image, label in zip(names, images, labels, strict=True):
        sha.update(name.encode())
        sha.update(np.ascontiguousarray(image).data)
        sha.update(np.ascontiguousarray(label).data)
    return sha.hexdigest()
