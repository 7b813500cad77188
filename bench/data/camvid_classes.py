"""The eleven classes of CamVid: names, colours and the authors' loss weights, in the order of their label ids."""

from __future__ import annotations

import numpy as np

CLASS_NAMES = (
    "Sky", "Building", "Pole", "Road", "Pavement", "Tree", "SignSymbol", "Fence", "Car", "Pedestrian",
    "Bicyclist",
)  # fmt: skip
PALETTE = np.array(
    [
        (128, 128, 128), (128, 0, 0), (192, 192, 128), (128, 64, 128), (60, 40, 222), (128, 128, 0),
        (192, 128, 128), (64, 64, 128), (64, 0, 128), (64, 64, 0), (0, 128, 192), (0, 0, 0),
    ],
    np.uint8,
)  # fmt: skip
PALETTE.flags.writeable = False
# The weights in the authors' four prototxts (protocol §3). Their own rule gives SignSymbol 3.85, not 9.64.
OFFICIAL_WEIGHTS = np.array([0.2595, 0.1826, 4.5640, 0.1417, 0.9051, 0.3826, 9.6446, 1.8418, 0.6823, 6.2478, 7.3614])
OFFICIAL_WEIGHTS.flags.writeable = False
