"""SUN RGB-D as its authors publish it: SUNRGBD.zip and SUNRGBDtoolbox.zip, unpacked beside each other.

    SUNRGBD/<sensor>/<set>/<scene>/image/*.jpg                one photograph a scene
    SUNRGBD/<sensor>/<set>/<scene>/seg.mat                    names, seglabel: free names, numbered anew in each scene
    SUNRGBDtoolbox/traintestSUNRGBD/allsplit.mat              alltrain, alltest: the official lists of scenes
    SUNRGBDtoolbox/Metadata/SUNRGBDMeta.mat                   rgbpath of every scene
    SUNRGBDtoolbox/Metadata/SUNRGBD2Dseg.mat                  seglabel of every scene, in the order of SUNRGBDMeta; 0-37

The last file is in MATLAB's format 7.3, which is HDF5: it takes the package h5py, and is read scene by scene.

Source: the toolbox's readme and demo.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.data.matlab_file import read_variable
from bench.data.pairs import Pair
from bench.data.sun_rgbd_classes import CLASS_NAMES
from bench.errors import DataError

LISTS = "SUNRGBDtoolbox/traintestSUNRGBD/allsplit.mat"
META = "SUNRGBDtoolbox/Metadata/SUNRGBDMeta.mat"
LABELS = "SUNRGBDtoolbox/Metadata/SUNRGBD2Dseg.mat"
# SHA-256 over the official lists, one scene a line, as `scenes_of` returns them.
OFFICIAL = {
    5285: "140dbd1923ccc22a6a5a0a4c2a71c09563f841ca09881e757e24bc7c8ecb62dd",
    5050: "15211111679a91fcde863a535adfbfa5c43235edc93bffcb07a3581ab8dc8f90",
}

_SCENE = "SUNRGBD/"  # what comes before it in a path is the authors' disk
# What h5py raises for a damaged file.
_DAMAGE = (OSError, RuntimeError, ValueError, TypeError, KeyError, IndexError, AttributeError, MemoryError)


def is_toolbox(root: Path) -> bool:
    """Says whether a folder holds this layout."""
    return (root / LISTS).is_file() or (root / "SUNRGBDtoolbox").is_dir()


def scenes_of(root: Path, part: str) -> list[str]:
    """Returns the scenes of an official list, in its order, as <sensor>/<set>/<scene>.

    Args:
        root: the folder of SUNRGBD/ and SUNRGBDtoolbox/.
        part: train or test.

    Raises:
        DataError: the list is missing, no MATLAB file, another kind of one, or of the official length and not the
            official one.
    """
    path = root / LISTS
    stored = read_variable(path, f"all{part}")
    try:
        scenes = [_scene(entry) for entry in _texts(stored)]
    except ValueError as error:
        raise DataError(f"{path}: all{part} is no list of paths: {error}") from error
    digest = hashlib.sha256("\n".join(scenes).encode()).hexdigest()
    expected = OFFICIAL.get(len(scenes), digest)
    if digest != expected:
        raise DataError(
            f"{path}: all{part} has {len(scenes)} scenes, but they are not the official ones in their order"
        )
    return scenes


def _scene(path: str) -> str:
    """Returns what follows the last SUNRGBD/ in a path, without empty parts; refuses one that climbs."""
    _, found, rest = path.replace("\\", "/").rpartition(_SCENE)
    parts = [part for part in rest.split("/") if part]
    if not found or not parts or ".." in parts:
        raise ValueError(f"{path[:200]!r} does not lie below SUNRGBD/")
    return "/".join(parts)


def _texts(stored: Any) -> list[str]:
    """Returns the texts of a cell; raises ValueError where it is none, or holds something else."""
    if not isinstance(stored, list) or not all(isinstance(entry, str) for entry in stored):
        raise ValueError("expected a list of texts")
    return stored


def pairs_of(root: Path, part: str, scenes: Sequence[str], *, by_name: bool) -> list[Pair]:
    """Returns one pair for each scene; names are <part>-<position in the list, from 1>.

    Args:
        root: the folder of SUNRGBD/ and SUNRGBDtoolbox/.
        part: train or test.
        scenes: as `scenes_of` returns them.
        by_name: labels come from each scene's seg.mat, not from SUNRGBD2Dseg.mat.

    Raises:
        DataError: a scene has no photograph or several, or no labels.
    """
    rows = {} if by_name else _rows(root)
    pairs = []
    for position, scene in enumerate(scenes, 1):
        folder, where = root / "SUNRGBD" / scene, f"SUN RGB-D, all{part}({position})"
        images = sorted((folder / "image").glob("*.jpg"))
        if len(images) != 1:
            raise DataError(f"{where}: {folder / 'image'} must hold one .jpg, found {len(images)}")
        labels = folder / "seg.mat" if by_name else root / LABELS
        if by_name and not labels.is_file():
            raise DataError(f"{where}: {labels} is missing")
        if not by_name and scene not in rows:
            raise DataError(f"{where}: {root / META} does not know the scene {scene}")
        pairs.append(Pair(f"{part}-{position:06d}", images[0], labels, rows.get(scene, 0)))
    return pairs


def _rows(root: Path) -> dict[str, int]:
    """Returns scene -> row in SUNRGBD2Dseg.mat, from SUNRGBDMeta.mat."""
    if not (root / LABELS).is_file():
        raise DataError(
            f"{root / LABELS} is missing: it holds the labels of the 37 classes; unpack SUNRGBDtoolbox.zip whole, or "
            "use the label archive sunrgbd_train_test_labels instead, or set `labels_by_name: true` for the data set "
            "in bench.yaml to take labels from each scene's seg.mat, which are not quite the same"
        )
    path = root / META
    stored = read_variable(path, "SUNRGBDMeta", ("rgbpath",))
    try:
        paths = _texts([entry.get("rgbpath") if isinstance(entry, dict) else None for entry in stored])
        return {_scene(entry.rpartition("/image/")[0]): row for row, entry in enumerate(paths)}
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}: SUNRGBDMeta is no list of scenes with rgbpath: {error}") from error


def read_stored(pair: Pair) -> np.ndarray:
    """Returns the label ids (H,W) uint8, 0-37, of a pair of this layout.

    Raises:
        DataError: the file is damaged, of another kind, or holds what are no label ids; or h5py is not installed.

    Deviation: with `labels_by_name` a name in a seg.mat stands for one of the 37 classes if it is that class's name,
        whatever the case and with spaces or underscores; all else is void. The authors' own 37-class labels also put
        other names under some classes. Without it these are read.
    """
    stored = _by_name(pair.labels) if pair.labels.name == "seg.mat" else _row(pair.labels, pair.row)
    if stored.ndim != 2 or not np.issubdtype(stored.dtype, np.number) or not (stored % 1 == 0).all():
        raise DataError(f"{pair.labels}: the labels of {pair.name} must be whole numbers (H,W), got {stored.shape}")
    if stored.size and not 0 <= stored.min() <= stored.max() <= 255:
        raise DataError(f"{pair.labels}: the labels of {pair.name} must be 0-37, got {stored.min()} to {stored.max()}")
    return stored.astype(np.uint8)


def _by_name(path: Path) -> np.ndarray:
    """Returns 0-37 for the labels of one seg.mat: `seglabel` (H,W) holds 0 or numbers, from 1, into `names`."""
    numbers, names = np.asarray(read_variable(path, "seglabel")), read_variable(path, "names")
    if not isinstance(names, list):
        raise DataError(f"{path}: names must be a cell of texts")
    known = {name.lower().replace(" ", "_"): number for number, name in enumerate(CLASS_NAMES, 1)}
    table = np.array([0, *[known.get(str(name).strip().lower().replace(" ", "_"), 0) for name in names]])
    if not np.issubdtype(numbers.dtype, np.number) or not ((numbers >= 0) & (numbers % 1 == 0)).all():
        raise DataError(f"{path}: seglabel must hold whole numbers from 0")
    if numbers.size and numbers.max() >= len(table):
        raise DataError(f"{path}: seglabel holds {numbers.max():.0f}, but there are {len(table) - 1} names")
    return table[numbers.astype(np.int64)]


def _row(path: Path, row: int) -> np.ndarray:
    """Returns the label map of one scene from SUNRGBD2Dseg.mat; HDF5 stores MATLAB's columns as rows."""
    try:
        h5py = importlib.import_module("h5py")
    except ImportError as error:
        raise DataError(
            f"{path}: reading this file takes the package h5py, which is not installed: pip install h5py"
        ) from error
    try:
        with h5py.File(path, "r") as file:
            table = file["SUNRGBD2Dseg"]
            return np.asarray(table[table["seglabel"][row, 0]]).T
    except _DAMAGE as error:
        raise DataError(f"{path}: damaged, or not the toolbox's SUNRGBD2Dseg.mat: {error}") from error
