"""Reads a split that is a list of pairs, an image file and where its labels are, of images of any size.

What data sets with such lists share: pixels and digests are checked in the same way, labels leave with void as
IGNORE_INDEX, and every image comes in the size that was asked for.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.data.camvid import data_folder, resize_labels
from bench.data.picture import read_photograph, resize_photograph
from bench.data.split import SPLITS, Options, Split, SplitReport, expected_count, pixel_digest
from bench.errors import DataError


@dataclass(frozen=True)
class Pair:
    """One image of a split.

    Attributes:
        name: unique in its split; it also names folders.
        image: a JPEG or PNG.
        labels: the file that holds its labels.
        row: which of the label maps in that file is the one, where it holds several.
    """

    name: str
    image: Path
    labels: Path
    row: int = 0


# Reads the labels of a pair whose image has this height and width: (H,W) uint8, 0..K-1 and IGNORE_INDEX.
ReadLabels = Callable[[Pair, tuple[int, int]], np.ndarray]


def files_of(pairs: Iterable[Pair]) -> list[Path]:
    """Returns the files that pairs are read from, each once, in reading order."""
    return list(dict.fromkeys(path for pair in pairs for path in (pair.image, pair.labels)))


def class_ids(stored: np.ndarray, ids: np.ndarray, where: object, allowed: str) -> np.ndarray:
    """Returns (H,W) uint8 class ids for the values of a label map as they are in the file.

    Args:
        stored: (H,W) uint8.
        ids: (256,) int16; the class or IGNORE_INDEX for each value, -1 for one that is not allowed.
        where: what messages call the map.
        allowed: which values are, in words.

    Raises:
        DataError: a value is not allowed; the message names the first.
    """
    found = ids[stored]
    if found.min() < 0:
        row, column = np.argwhere(found < 0)[0]
        raise DataError(f"{where}: label {stored[row, column]} at row {row}, column {column}; allowed are {allowed}")
    return found.astype(np.uint8)


def read_pairs(
    called: str, split: str, pairs: Sequence[Pair], read_labels: ReadLabels, options: Options
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yields (name, image (H,W,3) uint8, labels (H,W) uint8) in the files' sizes; after the last checks the digest.

    Raises:
        DataError: a file is missing, damaged or wrong; or the pixels do not have options["sha256"][split], where
            there is one: the SHA-256 over name, shape, image and labels of each pair in turn.
    """
    sha = hashlib.sha256()
    for pair in pairs:
        image = read_photograph(pair.image)
        labels = read_labels(pair, image.shape[:2])
        sha.update(f"{pair.name} {labels.shape}".encode())
        sha.update(np.ascontiguousarray(image).data)
        sha.update(np.ascontiguousarray(labels).data)
        yield pair.name, image, labels
    expected = (options.get("sha256") or {}).get(split)
    if expected is not None and sha.hexdigest() != expected:
        raise DataError(
            f"{called} {split}: the pixels have SHA-256 {sha.hexdigest()[:16]}..., expected {expected[:16]}...; some "
            "image is not the one that the study was made with"
        )


def load_pairs(
    called: str,
    split: str,
    size: tuple[int, int],
    pairs: Sequence[Pair],
    read_labels: ReadLabels,
    class_names: tuple[str, ...],
    options: Options,
) -> Split:
    """Reads, checks and resizes a split; images bilinear, labels by the pixel under the centre.

    Args:
        called: the data set's key, for messages.
        split: train, val or test.
        size: height and width to return, px.
        pairs: in any order; the split is sorted by name.
        read_labels: reads the labels of a pair.
        class_names: K names.
        options: see `read_pairs`.

    Raises:
        DataError: see `read_pairs`.
    """
    pairs = sorted(pairs, key=lambda pair: pair.name)
    images = np.empty((len(pairs), *size, 3), np.uint8)
    labels = np.empty((len(pairs), *size), np.uint8)
    for index, (_, image, label) in enumerate(read_pairs(called, split, pairs, read_labels, options)):
        images[index] = resize_photograph(image, *size)
        labels[index] = resize_labels(label, *size)
    names = tuple(pair.name for pair in pairs)
    return Split(images, labels, names, class_names, pixel_digest(names, images, labels))


def verify_pairs(
    called: str, pairs_of: Callable[[str], Sequence[Pair]], read_labels: ReadLabels, options: Options
) -> list[SplitReport]:
    """Decodes all three splits and returns what is wrong with each, if anything."""
    reports = []
    for split in SPLITS:
        count, problem = 0, None
        try:
            pairs = sorted(pairs_of(split), key=lambda pair: pair.name)
            for _ in read_pairs(called, split, pairs, read_labels, options):
                count += 1
        except DataError as error:
            problem = str(error)
        reports.append(SplitReport(split, count, expected_count(called, split, options), problem))
    return reports


def copy_checked(
    source: Path,
    files: Callable[[], Iterable[Path]],
    check: Callable[[], list[SplitReport]],
    target: Path,
    problem: Callable[[], str | None],
) -> Path:
    """Copies the files of a checked data set to its place under BENCH_DATA, or leaves nothing behind.

    Args:
        source: folder that all files lie in; they keep their places below it.
        files: returns what is to be copied; called after the check.
        check: checks `source`; the first problem stops the copy.
        target: final folder.
        problem: says what is wrong with a copy that is at `target` already, None where all is well.

    Returns:
        The final folder; where a good copy is there already, that one.

    Raises:
        DataError: the source has a problem, a copy in the place has one, or the disk does.
    """
    if target.exists():
        if wrong := problem():
            raise DataError(f"{target} is there and is not right ({wrong}); move it away and try again")
        return target
    for report in check():
        if report.problem:
            raise DataError(f"not taken: {report.problem}")
    try:
        data_folder().mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=".copy-", dir=data_folder()))
    except OSError as error:
        raise DataError(
            f"cannot write to {data_folder()}: {error.strerror}; BENCH_DATA names another folder"
        ) from error
    try:
        for file in files():
            place = stage / "data" / file.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place)
        target.parent.mkdir(parents=True, exist_ok=True)
        return (stage / "data").rename(target)
    except OSError as error:
        raise DataError(f"cannot copy {source} to {target}: {error}") from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)
