"""SUN RGB-D as most people have it: two archives of photographs and one of label maps, all with numbered files.

    SUNRGBD-train_images/img-000001.jpg .. img-005285.jpg     in the order of the official training list
    SUNRGBD-test_images/img-000001.jpg .. img-005050.jpg      in the order of the official test list
    sunrgbd_train_test_labels/img-000001.png .. img-010335.png   1 to 5050 test, from 5051 on training; 0-37

Others have moved the files into one folder a part: image/train/, label37/train/ with 00000001.png or
img37labels-000001.png, labels/train/ with numbers as above. All are read; the number decides which image it is.

Source: github.com/ankurhanda/sunrgbd-meta-data, and github.com/chrischoy/SUN_RGBD for the second layout.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from bench.data.pairs import Pair
from bench.errors import DataError

PARTS = ("train", "test")
IMAGE_FOLDERS = ("SUNRGBD-{part}_images", "image/{part}", "images/{part}", "rgb/{part}", "{part}")
LABEL_FOLDERS = (
    "sunrgbd_train_test_labels",
    "sunrgbd_test_train_labels",
    "label37/{part}",
    "labels/{part}",
    "semantic37/{part}",
    "{part}_labels",
)

_IMAGE = re.compile(r"(?:img-)?(\d{5,8})\.jpg")
_LABELS = re.compile(r"(?:img-|img37labels-)?(\d{5,8})\.png")
_FEWER_CLASSES = re.compile(r"img13labels-\d+\.png")


def is_label_archive(root: Path) -> bool:
    """Says whether a folder holds this layout."""
    return all(_folder(root, patterns, "train") for patterns in (IMAGE_FOLDERS, LABEL_FOLDERS))


def pairs_of(root: Path, part: str, count: int, before: int) -> list[Pair]:
    """Returns one pair for each image of an official list; names are <part>-<position in the list, from 1>.

    Args:
        root: the folder of the folders.
        part: train or test.
        count: images in the list.
        before: label maps that come before those of this part where both parts are numbered together.

    Raises:
        DataError: a folder is missing, holds the labels of 13 classes or more files than the list, or lacks a number.
    """
    images = _numbered(root, IMAGE_FOLDERS, part, count, before, _IMAGE)
    labels = _numbered(root, LABEL_FOLDERS, part, count, before, _LABELS)
    return [Pair(f"{part}-{n:06d}", images(n), labels(n)) for n in range(1, count + 1)]


def _folder(root: Path, patterns: tuple[str, ...], part: str) -> Path | None:
    places = (root / pattern.format(part=part) for pattern in patterns)
    return next((place for place in places if place.is_dir()), None)


def _numbered(
    root: Path, patterns: tuple[str, ...], part: str, count: int, before: int, name: re.Pattern[str]
) -> Callable[[int], Path]:
    """Returns a function from the position in a list to the file."""
    folder = _folder(root, patterns, part)
    if folder is None:
        expected = ", ".join(pattern.format(part=part) for pattern in patterns)
        raise DataError(f"SUN RGB-D {part}: none of the folders {expected} is in {root}")
    try:
        entries = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise DataError(f"SUN RGB-D {part}: cannot list {folder}: {error.strerror}") from error
    files: dict[int, str] = {}
    for entry in entries:
        if _FEWER_CLASSES.fullmatch(entry):
            raise DataError(f"{folder / entry}: is a label map of 13 classes; the 37 are in sunrgbd_train_test_labels")
        found = name.fullmatch(entry)
        if found and (other := files.setdefault(int(found[1]), entry)) != entry:
            raise DataError(f"{folder}: {other} and {entry} have the same number")
    together = folder.name in LABEL_FOLDERS  # both parts in one folder
    skipped = before if together or 1 not in files else 0
    present = sum(skipped < number <= skipped + count for number in files)
    if present < count or (not together and len(files) > count):
        missing = next((n for n in range(skipped + 1, skipped + count + 1) if n not in files), None)
        lacks = f"; number {missing} is missing" if missing else ""
        raise DataError(
            f"SUN RGB-D {part}: {folder} holds {present if together else len(files)} numbered files of this part, "
            f"expected {count}{lacks}"
        )
    return lambda n: folder / files[skipped + n]
