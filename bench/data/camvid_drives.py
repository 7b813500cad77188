"""CamVid split so that no drive is in two splits.

CamVid's frames come from four drives, which file names begin with, and the published lists share them:

               0001TP  0006R0  0016E5  Seq05VD
    train          62     101     204
    val                           101
    test           62                      171

So the first half of 0001TP is trained on and the second tested on, and the validation images are a stretch of 0016E5
from between its training images. Here the test split stays as it is, so that scores of both splits are over the same
images, and of the rest each drive is in one split alone: all of 0016E5 is trained on, 0006R0 validates, and the
training images of 0001TP are left out.

Source: the names in the authors' list files. Deviation: the paper knows the published split only.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bench.errors import DataError

DRIVES = {"train": ("0016E5",), "val": ("0006R0",), "test": ("0001TP", "Seq05VD")}
SOURCES = {"train": ("train", "val"), "val": ("train", "val"), "test": ("test",)}  # published splits that hold them


def separate_places(root: Path, split: str, list_names: Callable[[Path, str], list[str]]) -> dict[str, str]:
    """Returns the published split, and so the folder, of each image of a split without shared drives, by its name.

    Args:
        root: holds train/ and trainannot/.
        split: train, val or test.
        list_names: returns the names in a published split under a root.

    Raises:
        DataError: an image's name begins with no drive that its published split may have, or is in two of them.
    """
    allowed = DRIVES["test"] if split == "test" else tuple(drive for drives in DRIVES.values() for drive in drives)
    places: dict[str, str] = {}
    for source in SOURCES[split]:
        for name in list_names(root, source):
            drive = name.partition("_")[0]
            if drive not in allowed:
                raise DataError(
                    f"CamVid {source} in {root}: {name}.png is of no drive that can be kept apart; names of this split "
                    f"must begin with {', '.join(f'{known}_' for known in allowed)}"
                )
            if drive not in DRIVES[split]:
                continue
            if name in places:
                raise DataError(f"CamVid in {root}: {name}.png is in the published {places[name]} and {source} splits")
            places[name] = source
    return places
