"""Colours for any number of classes, far apart for ids that are near.

Source: the rule of the Pascal VOC development kit: the bits of an id, from the lowest, go in turn to the highest bits
    of red, green and blue.
"""

from __future__ import annotations

import numpy as np


def bit_palette(count: int, first: int = 0) -> np.ndarray:
    """Returns the colours of the ids first to first + count - 1; (count,3) uint8, RGB. Id 0 is black."""
    palette = np.zeros((count, 3), np.uint8)
    for row, number in enumerate(range(first, first + count)):
        for bit in range(8):
            for channel in range(3):
                palette[row, channel] |= ((number >> channel) & 1) << (7 - bit)
            number >>= 3
    return palette
