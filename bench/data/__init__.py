"""The data sets of the study: numpy arrays in memory, void as IGNORE_INDEX, no torch.

`DATASETS` is the registry; `load_split` is how the rest of the project reads data.
"""

from __future__ import annotations

from pathlib import Path

from bench.data import camvid, camvid_classes, download, pascal_voc, road_scenes, sun_rgbd, sun_rgbd_classes
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
    "sun_rgbd": Dataset(
        title="SUN RGB-D",
        class_names=sun_rgbd_classes.CLASS_NAMES,
        palette=sun_rgbd_classes.PALETTE,
        load=sun_rgbd.load,
        source_files=sun_rgbd.source_files,
        locate=sun_rgbd.locate,
        verify=sun_rgbd.verify,
        add=sun_rgbd.add,
    ),
    "pascal_voc": Dataset(
        title="Pascal VOC 2012",
        class_names=pascal_voc.CLASS_NAMES,
        palette=pascal_voc.PALETTE,
        load=pascal_voc.load,
        source_files=pascal_voc.source_files,
        locate=pascal_voc.locate,
        verify=pascal_voc.verify,
        add=pascal_voc.add,
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
