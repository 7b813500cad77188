"""Label maps that were made elsewhere: a folder of PNGs, one an image of the split, read and checked.

Nobody vouches for these files, so what they declare is checked before a pixel is decoded, and nothing is converted in
silence: another size, a value that is no class, or a missing image is an error that names the file.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.data.camvid import resize_labels
from bench.data.png import check_file
from bench.data.split import MAX_SIZE
from bench.errors import DataError, one_line

ENCODINGS = ("ids", "palette")
NAMES_SHOWN = 3

_FIRST_BYTES = struct.Struct(">8s4x4sIIBB")  # signature, length, IHDR, width, height, bits a sample, colour type
_GREY, _COLOUR, _INDEXED = 0, 2, 3
_KINDS = {_GREY: "grey", _COLOUR: "RGB", _INDEXED: "indexed", 4: "grey with alpha", 6: "RGB with alpha"}


class Reading(NamedTuple):
    """How label maps are to be read.

    Attributes:
        size: height and width of the returned maps, px.
        class_names: K names.
        palette: (K+1, 3) uint8, RGB; the last row is void.
        encoding: "ids", a pixel is a class id (grey or indexed); "palette", its colour is a class (RGB or indexed).
        first_id: the id of the first class in the files, 0 or 1; for "ids".
        resize: whether maps of another size are resized, to the label under the centre of each new pixel.
    """

    size: tuple[int, int]
    class_names: tuple[str, ...]
    palette: NDArray[np.uint8]
    encoding: Literal["ids", "palette"] = "ids"
    first_id: int = 0
    resize: bool = False


def read_predictions(folder: Path, names: Sequence[str], reading: Reading) -> tuple[NDArray[np.uint8], list[str]]:
    """Returns the label maps NAME.png of a folder, and the names of whatever else is in it.

    Args:
        folder: holds one PNG an image.
        names: of the N images, without .png.
        reading: how to read them.

    Returns:
        (N, H, W) uint8, 0..K-1, in the order of `names`; and a sorted list of names.

    Raises:
        DataError: the folder or an image is missing, or a file is not what `reading` says.
    """
    try:
        with os.scandir(folder) as entries:
            found = {entry.name for entry in entries}
    except OSError as error:
        raise DataError(f"predictions '{one_line(folder)}' cannot be listed: {error.strerror}; name a folder") from None
    wanted = {f"{name}.png" for name in names}
    missing = sorted(wanted - found)
    if missing:
        raise DataError(
            f"predictions '{one_line(folder)}': {len(missing)} of {len(wanted)} images are missing: {shown(missing)}; "
            "a label map has the name of its image"
        )
    maps = np.empty((len(names), *reading.size), np.uint8)
    for position, name in enumerate(names):
        maps[position] = read_label_map(folder / f"{name}.png", reading)
    return maps, sorted(found - wanted)


def read_label_map(path: Path, reading: Reading) -> NDArray[np.uint8]:
    """Returns the class ids (H, W) uint8, 0..K-1, in one PNG.

    Raises:
        DataError: it is missing, no PNG or damaged, or not what `reading` says.
    """
    try:
        check_file(path)
        with path.open("rb") as file:
            _check_header(path, file.read(_FIRST_BYTES.size), reading)
        with Image.open(path, formats=["PNG"]) as image:
            if getattr(image, "is_animated", False):
                raise DataError(f"{path}: is animated, expected a single picture")
            _check_size(path, image.height, image.width, reading)  # a second header may say otherwise
            image.load()
            indexed = image.mode == "P"
            ids = _of_ids(path, np.asarray(image), reading) if reading.encoding == "ids" else None
            if ids is None:
                ids = _of_colours(path, np.asarray(image.convert("RGB") if indexed else image), reading)
    except (
        OSError,
        ValueError,
        SyntaxError,
        struct.error,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        raise DataError(f"{path}: missing, truncated or not a PNG image: {error}") from error
    return ids if ids.shape == reading.size else resize_labels(ids, *reading.size)


def shown(names: Sequence[str]) -> str:
    """Returns the first of some names, and how many more there are."""
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(one_line(name, 100) for name in names[:NAMES_SHOWN]) + more


def _check_header(path: Path, head: bytes, reading: Reading) -> None:
    signature, chunk, width, height, bits, kind = _FIRST_BYTES.unpack(head)
    if signature != b"\x89PNG\r\n\x1a\n" or chunk != b"IHDR":
        raise ValueError("it does not begin as PNG does")
    _check_size(path, height, width, reading)
    got = f"{_KINDS.get(kind, 'of an unknown kind')} with {bits} bits a channel"
    if reading.encoding == "palette":
        if kind not in (_COLOUR, _INDEXED) or (kind == _COLOUR and bits != 8):
            raise DataError(
                f"{path}: is {got}; --encoding palette reads RGB with 8 bits, or indexed; or --encoding ids"
            )
    elif kind == _COLOUR:
        raise DataError(f"{path}: is {got}; --encoding ids reads grey or indexed; colours need --encoding palette")
    elif kind != _INDEXED and (kind != _GREY or bits != 8):  # decoders turn 16 bits into 8 and stretch 4 to 8
        raise DataError(f"{path}: is {got}; --encoding ids reads grey with 8 bits, or indexed")


def _check_size(path: Path, height: int, width: int, reading: Reading) -> None:
    if max(height, width) > MAX_SIZE:
        raise DataError(f"{path}: is {height}x{width} px, at most {MAX_SIZE}x{MAX_SIZE} are read")
    if not reading.resize and (height, width) != reading.size:
        raise DataError(
            f"{path}: is {height}x{width} px (height x width), the labels are {reading.size[0]}x{reading.size[1]}; "
            "score at another size with --height and --width, or resize with --resize nearest"
        )


def _of_ids(path: Path, pixels: NDArray[np.uint8], reading: Reading) -> NDArray[np.uint8]:
    """Returns class ids from ids that may start at 1."""
    first, last = reading.first_id, reading.first_id + len(reading.class_names) - 1
    outside = (pixels < first) | (pixels > last)
    if outside.any():
        row, column = np.argwhere(outside)[0]
        value = int(pixels[row, column])
        hint = f"void ({value}) is no prediction, every pixel needs a class"
        if first == 0 and value == last + 1:
            hint = f"ids that start at 1 need --first-id 1; if it is void: {hint}"
        elif first == 1 and value == 0:
            hint = f"ids that start at 0 need --first-id 0; if it is void: {hint}"
        elif value != 255:
            hint = "are these class ids in the order of the data set?"
        raise DataError(
            f"{path}: id {value} at row {row}, column {column}; allowed are {first} ({reading.class_names[0]}) to "
            f"{last} ({reading.class_names[-1]}); {hint}"
        )
    return pixels - np.uint8(first)


def _of_colours(path: Path, pixels: NDArray[np.uint8], reading: Reading) -> NDArray[np.uint8]:
    """Returns class ids from colours."""
    packed = _packed(pixels)
    known = _packed(reading.palette)
    order = np.argsort(known[:-1], kind="stable")
    places = np.searchsorted(known[:-1][order], packed)
    ids = order[np.minimum(places, len(order) - 1)]
    outside = known[ids] != packed
    if outside.any():
        row, column = np.argwhere(outside)[0]
        colour = ", ".join(str(part) for part in pixels[row, column])
        void = packed[row, column] == known[-1]
        raise DataError(
            f"{path}: colour ({colour}) at row {row}, column {column} is "
            + (
                "that of void, which is no prediction; every pixel needs a class"
                if void
                else "no class of the data set"
            )
        )
    return ids.astype(np.uint8)


def _packed(colours: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Returns (...,) integers of colours (..., 3)."""
    return colours.astype(np.int64) @ np.array([65536, 256, 1], dtype=np.int64)
