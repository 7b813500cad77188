"""The data sets of the study: numpy arrays in memory, void as IGNORE_INDEX, no torch.

`DATASETS` holds the readers; `dataset_of` is the entry for a data set of the study, which may have another name than
its reader and options that decide its classes; `load_split` is how the rest of the project reads data.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from bench.data import (
    camvid,
    camvid_classes,
    download,
    indoor_scenes,
    list_file,
    pascal_voc,
    road_scenes,
    sun_rgbd,
    sun_rgbd_classes,
)
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
    "dataset_of",
    "load_split",
    "median_frequency_weights",
    "weights_for",
]


def _no_files(split: str, options: Options) -> list[Path]:
    """RoadScenes and IndoorScenes are drawn, not read."""
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
    "indoor_scenes": Dataset(
        title="IndoorScenes (synthetic)",
        class_names=sun_rgbd_classes.CLASS_NAMES,
        palette=sun_rgbd_classes.PALETTE,
        load=indoor_scenes.load,
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
    # Its classes are the user's, so they are in the options: see `dataset_of`.
    "list_file": Dataset(
        title="list files of one's own",
        class_names=(),
        palette=np.zeros((1, 3), np.uint8),
        load=list_file.load,
        source_files=list_file.source_files,
        locate=list_file.locate,
        verify=list_file.verify,
    ),
}


def dataset_of(name: str, options: Options) -> Dataset:
    """Returns the entry for a data set of the study: that of its reader, as the options change it.

    Args:
        name: of the data set in the study.
        options: what the study says about it; `reader` is a key of DATASETS, by default the name.

    Raises:
        UnknownNameError: there is no such reader.
        DataError: reader list_file, and the options name no classes or wrong ones.
    """
    reader = options.get("reader", name)
    if reader not in DATASETS:
        raise UnknownNameError("data set" if reader == name else f"reader of data set {name}", reader, DATASETS)
    entry = DATASETS[reader]
    if reader == "list_file":
        return replace(
            entry,
            title=f"{name} (list files)",
            class_names=list_file.class_names_of(options),
            palette=list_file.palette_of(options),
            locate=partial(list_file.locate, options),
        )
    return replace(entry, title=f"{entry.title}, {options['drives']} drives") if "drives" in options else entry


def load_split(name: str, split: str, height: int, width: int, options: Options) -> Split:
    """Returns one split of a data set, from the disk cache where it has been loaded before.

    Args:
        name: of the data set in the study; the cache has entries of its own for each name.
        split: train, val or test.
        height: rows, px.
        width: columns, px.
        options: what the study says about the data set (see the data set's `load`).

    Raises:
        UnknownNameError: the data set's reader or the split is not known.
        DataError: the data set is missing, damaged or incomplete; the message names the file.
    """
    return load_cached(name, dataset_of(name, options), split, height, width, options)
