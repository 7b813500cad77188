"""The 37 classes of SUN RGB-D: names and colours, in the order of their label ids less one."""

from __future__ import annotations

import numpy as np

from bench.data.palette import bit_palette

# The order of the paper's Table 5 and of the toolbox's seg37list.
CLASS_NAMES = (
    "Wall", "Floor", "Cabinet", "Bed", "Chair", "Sofa", "Table", "Door", "Window", "Bookshelf", "Picture", "Counter",
    "Blinds", "Desk", "Shelves", "Curtain", "Dresser", "Pillow", "Mirror", "Floor mat", "Clothes", "Ceiling", "Books",
    "Fridge", "TV", "Paper", "Towel", "Shower curtain", "Box", "Whiteboard", "Person", "Night stand", "Toilet", "Sink",
    "Lamp", "Bathtub", "Bag",
)  # fmt: skip
# The published label ids 1 to 37 in the colours of `bit_palette`, void (0) black.
PALETTE = np.concatenate([bit_palette(len(CLASS_NAMES), first=1), np.zeros((1, 3), np.uint8)])
PALETTE.flags.writeable = False
