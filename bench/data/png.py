"""Reads one PNG picture that nobody vouches for.

What the file declares is checked before a pixel is decoded, so that a small file cannot unfold into gigabytes, and
nothing is converted in silence: other sizes, depths and pixel modes are refused.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from pathlib import Path

from PIL import Image

from bench.data.split import MAX_SIZE
from bench.errors import DataError

MAX_FILE_BYTES = 8 << 20  # 360x480 RGB is 0.5 MB before compression

_FIRST_BYTES = struct.Struct(">8s4x4sIIB")  # signature, length, IHDR, width, height, bits a channel


def read_png(path: Path, modes: Collection[str], size: tuple[int, int] | None = None) -> Image.Image:
    """Returns a decoded picture, 8 bits a channel.

    Args:
        path: the file.
        modes: Pillow's pixel modes that are allowed, such as RGB, L, P.
        size: height and width that it must have, px; None allows any up to MAX_SIZE.

    Raises:
        DataError: it is missing, no file, no PNG, truncated, or not what was asked for.
    """
    try:
        check_file(path)
        _check_header(path, size)
        with Image.open(path, formats=["PNG"]) as image:
            _check_size(path, image.height, image.width, size)  # a second header may say otherwise
            if image.mode not in modes:
                raise DataError(f"{path}: pixel mode is {image.mode}, expected {' or '.join(modes)}")
            if getattr(image, "is_animated", False):
                raise DataError(f"{path}: is animated, expected a single picture")
            image.load()
            return image.copy()
    except (
        OSError,
        ValueError,
        SyntaxError,
        struct.error,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        raise DataError(f"{path}: missing, truncated or not a PNG image: {error}") from error


def check_file(path: Path) -> None:
    """Raises OSError for what is no file (a pipe would keep its reader waiting), DataError for one too large."""
    size = path.stat().st_size
    if not path.is_file():
        raise OSError("not a file")
    if size > MAX_FILE_BYTES:
        raise DataError(f"{path}: {size} bytes; at most {MAX_FILE_BYTES >> 20} MiB are read")


def _check_header(path: Path, size: tuple[int, int] | None) -> None:
    with path.open("rb") as file:
        head = file.read(_FIRST_BYTES.size)
    signature, kind, width, height, bits = _FIRST_BYTES.unpack(head)
    if signature != b"\x89PNG\r\n\x1a\n" or kind != b"IHDR":
        raise ValueError("it does not begin as PNG does")
    _check_size(path, height, width, size)
    if bits != 8:  # decoders turn 16 bits into 8, and stretch 4 to 8, without a word
        raise DataError(f"{path}: has {bits} bits a channel, expected 8")


def _check_size(path: Path, height: int, width: int, size: tuple[int, int] | None) -> None:
    if size is not None and (height, width) != size:
        raise DataError(f"{path}: is {height}x{width} px, expected {size[0]}x{size[1]}")
    if max(height, width) > MAX_SIZE:
        raise DataError(f"{path}: is {height}x{width} px, at most {MAX_SIZE}x{MAX_SIZE} are read")
