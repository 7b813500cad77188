"""Pascal VOC 2012 segmentation in the development kit's layout: 20 classes and background, images of many sizes.

    VOC2012/JPEGImages/NAME.jpg
    VOC2012/SegmentationClass/NAME.png                 indices into a palette; 0 background, 1-20, border 255
    VOC2012/ImageSets/Segmentation/{train,val}.txt     a name a line

Source: Everingham et al. 2010 and the development kit's documentation. The paper does not use this data set; readers
    of the paper have asked for it.
Deviation: the labels of the test images are not public, so the published validation list (1449) is our test split,
    and our validation split is taken out of the published training list (1464), see `held_out`.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from bench.data.camvid import NAME, data_folder
from bench.data.held_out import held_out
from bench.data.pairs import Pair, class_ids, copy_checked, files_of, load_pairs, verify_pairs
from bench.data.palette import bit_palette
from bench.data.picture import read_ids
from bench.data.png import check_file
from bench.data.split import IGNORE_INDEX, SPLITS, Options, Split, SplitReport, check_request, expected_count
from bench.errors import DataError

CLASS_NAMES = (
    "Background", "Aeroplane", "Bicycle", "Bird", "Boat", "Bottle", "Bus", "Car", "Cat", "Chair", "Cow",
    "DiningTable", "Dog", "Horse", "Motorbike", "Person", "PottedPlant", "Sheep", "Sofa", "Train", "TvMonitor",
)  # fmt: skip
PALETTE = np.concatenate([bit_palette(len(CLASS_NAMES)), np.array([[224, 224, 192]], np.uint8)])
PALETTE.flags.writeable = False
FILE_VOID = 255
VARIABLE = "BENCH_VOC"
TO_BRING_IT = "`bench data add pascal_voc PATH` copies one that you have"

_IDS = np.full(256, -1, np.int16)
_IDS[: len(CLASS_NAMES)] = np.arange(len(CLASS_NAMES))
_IDS[FILE_VOID] = IGNORE_INDEX


def find(path: Path) -> Path | None:
    """Returns the VOC2012 folder at, or one or two levels below, a path."""
    places = (path, path / "VOC2012", path / "VOCdevkit" / "VOC2012")
    return next((place for place in places if (place / "SegmentationClass").is_dir()), None)


def locate() -> Path:
    """Returns the VOC2012 folder: from BENCH_VOC, else BENCH_DATA/VOCdevkit/VOC2012.

    Raises:
        DataError: it is not there. BENCH_VOC, where set, is the only place.
    """
    named = os.environ.get(VARIABLE)
    where = Path(named).expanduser() if named else data_folder() / "VOCdevkit" / "VOC2012"
    if (found := find(where)) is not None:
        return found
    variable = f"{VARIABLE} is set" if named else f"{VARIABLE} is not set"
    raise DataError(f"no Pascal VOC 2012: {variable}; looked for SegmentationClass/ in {where}; {TO_BRING_IT}")


def listed_names(root: Path, listing: str) -> list[str]:
    """Returns the names of ImageSets/Segmentation/LISTING.txt in the order of the file.

    Raises:
        DataError: the list is missing, holds something else than names, or one of them twice.
    """
    path = root / "ImageSets" / "Segmentation" / f"{listing}.txt"
    try:
        check_file(path)
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    lines_of: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        name = line.strip()
        if not name:
            continue
        if not NAME.fullmatch(name):
            raise DataError(f"{path}:{number}: must be the name of one image, such as 2007_000032, got {line[:100]!r}")
        if name in lines_of:
            raise DataError(f"{path}:{number}: {name} is already in line {lines_of[name]}")
        lines_of[name] = number
    return list(lines_of)


def pairs_of(root: Path, split: str, options: Options) -> list[Pair]:
    """Returns the pairs of a split; raises DataError where counts are wrong or a file is missing."""
    listing = "val" if split == "test" else "train"
    names = listed_names(root, listing)
    wanted = [split] if split == "test" else ["train", "val"]
    expected = sum(expected_count("pascal_voc", part, options) for part in wanted)
    if len(names) != expected:
        raise DataError(
            f"Pascal VOC {listing}.txt in {root}: {len(names)} names, expected {expected}, the images of "
            f"{' and '.join(wanted)} together; {TO_BRING_IT}"
        )
    if split != "test":
        held = set(held_out(len(names), expected_count("pascal_voc", "val", options)))
        names = [name for position, name in enumerate(names) if (position in held) == (split == "val")]
    pairs = [
        Pair(name, root / "JPEGImages" / f"{name}.jpg", root / "SegmentationClass" / f"{name}.png") for name in names
    ]
    for pair in pairs:
        for what, path in (("image", pair.image), ("labels", pair.labels)):
            if not path.is_file():
                raise DataError(f"Pascal VOC {listing}.txt lists {pair.name}, but its {what} {path} is missing")
    return pairs


def read_labels(pair: Pair, size: tuple[int, int]) -> np.ndarray:
    """Returns the labels of a pair, border and objects marked as difficult as IGNORE_INDEX."""
    return class_ids(read_ids(pair.labels, size), _IDS, pair.labels, "0-20 (class) and 255 (void)")


def source_files(split: str, options: Options) -> list[Path]:
    """Returns the image and label files of a split."""
    return files_of(pairs_of(locate(), split, options))


def load(split: str, height: int, width: int, options: Options) -> Split:
    """Reads, checks and resizes one split of Pascal VOC 2012.

    Args:
        split: train, val or test.
        height: rows, px.
        width: columns, px.
        options: images per split, and optionally `sha256`: split to digest (see `read_pairs`).

    Raises:
        DataError: the data set is missing, damaged or incomplete; the message names the file.

    Deviation: images of all shapes are resized to one, so objects are stretched by up to 2; the customary scores of
        this data set are over the original pixels.
    """
    check_request(split, height, width)
    pairs = pairs_of(locate(), split, options)
    return load_pairs("pascal_voc", split, (height, width), pairs, read_labels, CLASS_NAMES, options)


def verify_folder(root: Path, options: Options) -> list[SplitReport]:
    """Decodes all three splits under `root` and returns what is wrong with each, if anything."""
    return verify_pairs("pascal_voc", lambda split: pairs_of(root, split, options), read_labels, options)


def verify(options: Options) -> list[SplitReport]:
    """Checks the copy in use; raises DataError where there is none."""
    return verify_folder(locate(), options)


def add(path: Path, options: Options) -> Path:
    """Copies what is needed of an unpacked VOCdevkit to BENCH_DATA/VOCdevkit/VOC2012, after checking it.

    Raises:
        DataError: there is nothing usable at the path, or it is damaged; nothing is left behind.
    """
    path = Path(path).expanduser()
    root = find(path) if path.is_dir() else None
    if root is None:
        raise DataError(
            f"{path}: no folder with SegmentationClass/ in it; name an unpacked VOCdevkit or VOC2012 folder"
        )
    target = data_folder() / "VOCdevkit" / "VOC2012"

    def files() -> list[Path]:
        lists = [root / "ImageSets" / "Segmentation" / f"{name}.txt" for name in ("train", "val")]
        return lists + files_of(pair for split in SPLITS for pair in pairs_of(root, split, options))

    def problem() -> str | None:
        return next((report.problem for report in verify_folder(target, options) if report.problem), None)

    return copy_checked(root, files, lambda: verify_folder(root, options), target, problem)
