"""The data sets of the study: numpy arrays in memory, void as IGNORE_INDEX, no torch.

`DATASETS` is the registry; `load_split` is how the rest of the project reads data.
"""

from __future__ import annotations

from pathlib import Path

from bench.data import camvid, camvid_classes, download, road_scenes
from bench.data.cache import load_cached
from bench.data.class_weights import class_frequencies, median_frequency_weights, weights_for
from bench.data.split import IGNORE_INDEX, SPLITS, Dataset, Options, Split, SplitReport
from bench.errors import UnknownNameError

__all__ = [
    "DATASETS",
    "IGNORE_INDEX",
    "SPLITS",
    "Dataset",
    "Options",
    "Split",
    "SplitReport",
    "class_frequencies",
    "load_split",
    "median_frequency_weights",
    "weights_for",
]


def _no_files(split: str, options: Options) -> list[Path]:
    """RoadScenes is drawn, not read."""
    return []


DATASETS: dict[str, Dataset] = {
    "camvid": Dataset(
        title="CamVid",
        class_names=camvid_classes.CLASS_NAMES,
        palette=camvid_classes.PALETTE,
        load=camvid.load,
        source_files=camvid.source_files,
        official_weights=camvid_classes.OFFICIAL_WEIGHTS,
        locate=camvid.locate,
        verify=camvid.verify,
        add=download.add,
        fetch=download.fetch,
    ),
    "road_scenes": Dataset(
        title="RoadScenes (synthetic)",
        class_names=camvid_classes.CLASS_NAMES,
        palette=camvid_classes.PALETTE,
        load=road_scenes.load,
        source_files=_no_files,
    ),
}


def load_split(name: str, split: str, height: int, width: int, options: Options) -> Split:
    """Returns one split of a data set, from the disk cache where it has been loaded before.

    Args:
        name: a key of DATASETS.
        split: train, val or test.
        height: rows, px.
        width: columns, px.
        options: what the study says about the data set (see the data set's `load`).

    Raises:
        UnknownNameError: the data set or the split is not known.
        DataError: the data set is missing, damaged or incomplete; the message names the file.
    """
    if name not in DATASETS:
        raise UnknownNameError("data set", name, DATASETS)
    return load_cached(name, DATASETS[name], split, height, width, options)
