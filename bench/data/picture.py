"""Reads photographs (JPEG or PNG) and label maps (PNG) that nobody vouches for, and resizes photographs.

As in `bench.data.png`: what a file declares is checked before a pixel is decoded, and nothing is converted in silence.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from bench.data.png import check_file, read_png
from bench.data.split import MAX_SIZE
from bench.errors import DataError

_PNG = b"\x89PNG"
_JPEG = b"\xff\xd8\xff"


def read_photograph(path: Path) -> np.ndarray:
    """Returns an image (H,W,3) uint8, RGB; grey becomes three equal channels.

    Raises:
        DataError: it is missing, truncated, too large, or neither a JPEG nor an 8-bit PNG picture.

    Edge cases: an orientation in a JPEG's metadata is not followed, since labels are drawn over the stored pixels.
    """
    try:
        check_file(path)
        with path.open("rb") as file:
            head = file.read(4)
    except OSError as error:
        raise DataError(f"{path}: missing or unreadable: {error.strerror or error}") from error
    if head == _PNG:
        return np.asarray(read_png(path, ("RGB", "RGBA", "P", "L")).convert("RGB"))
    if head[:3] != _JPEG:
        raise DataError(f"{path}: is neither a JPEG nor a PNG picture")
    return _read_jpeg(path)


def _read_jpeg(path: Path) -> np.ndarray:
    try:
        with Image.open(path, formats=["JPEG"]) as image:
            if max(image.size) > MAX_SIZE:
                size = f"{image.height}x{image.width}"
                raise DataError(f"{path}: is {size} px, at most {MAX_SIZE}x{MAX_SIZE} are read")
            if image.mode not in ("RGB", "L"):
                raise DataError(f"{path}: pixel mode is {image.mode}, expected RGB or L")
            return np.asarray(image.convert("RGB"))
    except (
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        raise DataError(f"{path}: truncated or not a JPEG image: {error}") from error


def read_ids(path: Path, size: tuple[int, int]) -> np.ndarray:
    """Returns a label map (H,W) uint8 as it is in the file: 8 bits, one channel or indices into a palette.

    Args:
        path: a PNG.
        size: height and width of the image that it belongs to, px.

    Raises:
        DataError: it is missing, damaged, of another size or mode.
    """
    return np.asarray(read_png(path, ("L", "P"), size))


def resize_photograph(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Returns an image (H,W,3) uint8 in another size, bilinear; the filter widens where the image shrinks."""
    if image.shape[:2] == (height, width):
        return image
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))
