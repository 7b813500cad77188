"""SUN RGB-D: photographs of rooms from four sensors, 37 classes, 5285 training and 5050 test images.

Depth is not read. Two layouts are known: the authors' own (`sun_rgbd_toolbox`) and the archives of numbered photographs
and label maps (`sun_rgbd_labels`). In both, an image is known by its position in the official list, so that names and
splits are the same. Label ids are 1-37, and 0 is void.

Source: Song, Lichtenberg, Xiao 2015, with the official split of its toolbox; paper section 4.2.
Deviation: the paper trains on all 5285 images and names no validation split. Ours is held out of the official training
    list, about one image in twenty in runs of ten (`held_out`), so that no test image takes part in the choice of an
    iteration. Neighbours in the list are often frames of one room, so it is near the training split, as in CamVid.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from bench.data import sun_rgbd_labels, sun_rgbd_toolbox
from bench.data.camvid import data_folder
from bench.data.held_out import held_out
from bench.data.pairs import Pair, class_ids, copy_checked, files_of, load_pairs, verify_pairs
from bench.data.picture import read_ids
from bench.data.split import (
    IGNORE_INDEX,
    SPLITS,
    Options,
    Split,
    SplitReport,
    check_request,
    expected_count,
)
from bench.data.sun_rgbd_classes import CLASS_NAMES
from bench.errors import DataError

FILE_VOID = 0
VARIABLE = "BENCH_SUNRGBD"
TO_BRING_IT = "`bench data add sun_rgbd PATH` copies one that you have"
LAYOUTS = "SUNRGBD/ and SUNRGBDtoolbox/, or SUNRGBD-train_images/ and sunrgbd_train_test_labels/"

_IDS = np.full(256, -1, np.int16)
_IDS[1 : len(CLASS_NAMES) + 1] = np.arange(len(CLASS_NAMES))
_IDS[FILE_VOID] = IGNORE_INDEX


def find(path: Path) -> Path | None:
    """Returns the folder of one of the layouts at a path, or in its SUNRGBD/."""
    places = (path, path / "SUNRGBD")
    known = (sun_rgbd_labels.is_label_archive, sun_rgbd_toolbox.is_toolbox)
    return next((place for place in places if any(is_layout(place) for is_layout in known)), None)


def locate() -> Path:
    """Returns the folder of the data set: from BENCH_SUNRGBD, else BENCH_DATA/SUNRGBD.

    Raises:
        DataError: it is not there. BENCH_SUNRGBD, where set, is the only place.
    """
    named = os.environ.get(VARIABLE)
    where = Path(named).expanduser() if named else data_folder() / "SUNRGBD"
    if (found := find(where)) is not None:
        return found
    variable = f"{VARIABLE} is set" if named else f"{VARIABLE} is not set"
    raise DataError(f"no SUN RGB-D: {variable}; looked for {LAYOUTS} in {where}; {TO_BRING_IT}")


def pairs_of(root: Path, split: str, options: Options) -> list[Pair]:
    """Returns the pairs of a split; raises DataError where counts are wrong or a file is missing."""
    train, val, test = (expected_count("sun_rgbd", part, options) for part in SPLITS)
    part, count = ("test", test) if split == "test" else ("train", train + val)
    if sun_rgbd_labels.is_label_archive(root):  # also where the other layout is there as well
        pairs = sun_rgbd_labels.pairs_of(root, part, count, test if part == "train" else 0)
    else:
        scenes = sun_rgbd_toolbox.scenes_of(root, part)
        if len(scenes) != count:
            raise DataError(f"SUN RGB-D in {root}: {len(scenes)} images in all{part}, expected {count}; {TO_BRING_IT}")
        pairs = sun_rgbd_toolbox.pairs_of(root, part, scenes, by_name=bool(options.get("labels_by_name")))
    if split == "test":
        return pairs
    held = set(held_out(count, val))
    return [pair for position, pair in enumerate(pairs) if (position in held) == (split == "val")]


def read_labels(pair: Pair, size: tuple[int, int]) -> np.ndarray:
    """Returns the labels of a pair, 0 to 36 and IGNORE_INDEX."""
    if pair.labels.suffix == ".png":
        stored = read_ids(pair.labels, size)
    else:
        stored = sun_rgbd_toolbox.read_stored(pair)
        if stored.shape != size:
            height, width = stored.shape
            raise DataError(
                f"{pair.labels}: the labels of {pair.name} are {height}x{width} px, its image is {size[0]}x{size[1]}"
            )
    return class_ids(stored, _IDS, f"{pair.labels} ({pair.name})", "1-37 (class) and 0 (void)")


def source_files(split: str, options: Options) -> list[Path]:
    """Returns the image and label files of a split."""
    return files_of(pairs_of(locate(), split, options))


def load(split: str, height: int, width: int, options: Options) -> Split:
    """Reads, checks and resizes one split of SUN RGB-D.

    Args:
        split: train, val or test.
        height: rows, px; 360 in the paper.
        width: columns, px; 480 in the paper.
        options: images per split; `sha256`: split to digest (see `read_pairs`); `labels_by_name`: labels of the
            toolbox layout come from the seg.mat of each scene (see `sun_rgbd_toolbox.read_stored`).

    Raises:
        DataError: the data set is missing, damaged or incomplete; the message names the file.

    Deviation: the paper does not say how images of 427x561 to 531x730 px became 360x480; photographs are resized
        with a bilinear filter that widens where they shrink, labels by the pixel under the centre.
    """
    check_request(split, height, width)
    pairs = pairs_of(locate(), split, options)
    return load_pairs("sun_rgbd", split, (height, width), pairs, read_labels, CLASS_NAMES, options)


def verify_folder(root: Path, options: Options) -> list[SplitReport]:
    """Decodes all three splits under `root` and returns what is wrong with each, if anything."""
    return verify_pairs("sun_rgbd", lambda split: pairs_of(root, split, options), read_labels, options)


def verify(options: Options) -> list[SplitReport]:
    """Checks the copy in use; raises DataError where there is none."""
    return verify_folder(locate(), options)


def add(path: Path, options: Options) -> Path:
    """Copies what is needed of an unpacked SUN RGB-D, in either layout, to BENCH_DATA/SUNRGBD, after checking it.

    Raises:
        DataError: there is nothing usable at the path, or it is damaged; nothing is left behind.
    """
    path = Path(path).expanduser()
    root = find(path) if path.is_dir() else None
    if root is None:
        raise DataError(f"{path}: no folder with {LAYOUTS} in it; unpack the archives and name their folder")
    target = data_folder() / "SUNRGBD"

    def files() -> list[Path]:
        lists = [root / name for name in (sun_rgbd_toolbox.LISTS, sun_rgbd_toolbox.META)]
        pairs = (pair for split in SPLITS for pair in pairs_of(root, split, options))
        return [path for path in lists if path.is_file()] + files_of(pairs)

    def problem() -> str | None:
        return next((report.problem for report in verify_folder(target, options) if report.problem), None)

    return copy_checked(root, files, lambda: verify_folder(root, options), target, problem)
