"""Pictures of drawings in 256 colours: a third of the bytes of all colours, and hardly a difference to be seen.

Pillow's quick quantiser moves light tints by ten levels, enough to change their hue; its exact one takes five times as
long as the drawing. A drawing has few colours and the shades between them, so that counting is enough.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

COLOURS = 256
_BITS = 6  # of each channel: what agrees in them is one colour


def indexed(pixels: NDArray[np.uint8]) -> Image.Image:
    """Returns a picture in the 256 most frequent colours of a drawing; every other pixel takes the nearest of them.

    Args:
        pixels: (H,W,4) RGBA without transparency.
    """
    height, width, _ = pixels.shape
    packed = np.ascontiguousarray(pixels).view("<u4").reshape(-1)
    unused = 8 - _BITS
    mask = (1 << _BITS) - 1
    code = packed >> unused & mask
    code |= (packed >> (8 + unused) & mask) << _BITS
    code |= (packed >> (16 + unused) & mask) << 2 * _BITS
    counts = np.bincount(code)
    of_code = np.zeros(len(counts), np.uint32)
    of_code[code] = packed  # any one of those with the code
    codes = np.flatnonzero(counts)
    codes = codes[np.argsort(-counts[codes], kind="stable")]
    colours = of_code.view(np.uint8).reshape(-1, 4)[codes, :3]
    colours[(colours >> unused == mask).all(axis=1)] = 255  # white, rather than a shade beside it
    palette, others = colours[:COLOURS].astype(np.float32), colours[COLOURS:].astype(np.float32)
    place = np.zeros(len(counts), np.uint8)
    place[codes[:COLOURS]] = np.arange(len(palette))
    if len(others):
        distance = (palette**2).sum(axis=1) - 2 * others @ palette.T  # squared, less what is the same for all
        place[codes[COLOURS:]] = distance.argmin(axis=1)
    picture = Image.fromarray(place[code].reshape(height, width))
    picture.putpalette(palette.astype(np.uint8).tobytes())
    return picture
