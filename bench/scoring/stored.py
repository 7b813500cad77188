"""From the long rows of a results file back to the arrays of counts that its scores were made of.

Legend: N images, K classes. A trial stores the counts of the test split, zeros left out, at several iterations, and
those of refined predictions as well. Read are those of the network's own predictions at the selected iteration.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bench.data.split import MAX_SIZE
from bench.errors import ResultsError
from bench.evaluation.boundary_scores import STORED
from bench.results.schema import BOUNDARY_METRICS
from bench.results.store import result_files
from bench.results.trial_file import UNREADABLE, read_count_rows

MAX_CELLS = 50_000_000  # of an array of counts: 0.4 GB; SUN RGB-D's test split has 7 million


@dataclass(frozen=True, eq=False)
class Counts:
    """What a trial counted on the test split.

    Attributes:
        images: N names, in the order of the split.
        class_names: K names, in the order of the data set.
        confusion: (N, K, K) int64, `[image, label, prediction]`, pixels.
        boundary: by stored protocol, (N, K, 4) int64 in the order of BOUNDARY_METRICS, pixels.
    """

    images: tuple[str, ...]
    class_names: tuple[str, ...]
    confusion: NDArray[np.int64]
    boundary: Mapping[str, NDArray[np.int64]]


def files_by_trial(folder: Path) -> dict[str, Path]:
    """Returns the results files below `folder` by the id and digest that their names hold: "ID-DIGEST"."""
    return {path.stem: path for path in result_files(folder)}


def read_counts(path: Path, protocols: Collection[str] = tuple(STORED)) -> Counts:
    """Returns the counts in a results file that `load_results` has accepted.

    Only the columns that counts need are read: a whole results folder with every row of every image takes gigabytes.

    Args:
        path: of the file.
        protocols: the boundary protocols to read; all six take three times as long as one.

    Raises:
        ResultsError: the file cannot be read any more, or as `counts_of`.
    """
    try:
        table = read_count_rows(path)
    except UNREADABLE as error:
        raise ResultsError(f"'{path}' cannot be read: {error}") from None
    wanted = pc.is_in(table["protocol"], value_set=pa.array([*protocols, None], pa.string()))
    reported = pc.and_(pc.equal(table["iteration"], table["selected_iteration"]), wanted)
    return counts_of(table.filter(pc.fill_null(reported, False)).to_pandas())


def counts_of(rows: pd.DataFrame) -> Counts:
    """Returns the counts of one trial from its rows: of its own predictions at the selected iteration.

    An image that is all void has no confusion count; it stands in the boundary rows and counts in BF.

    Args:
        rows: of one trial, at least COUNT_COLUMNS without `unit`.

    Raises:
        ResultsError: it stores no counts, or counts that no evaluation could have given.
    """
    iterations, selected = (
        rows[name].to_numpy(dtype="float64", na_value=np.nan) for name in ("iteration", "selected_iteration")
    )
    of_test = (rows["split"] == "test").fillna(False).to_numpy(dtype=bool)
    rows = rows[of_test & (iterations == selected) & rows["refinement"].isna().to_numpy()]
    record = rows["record"]
    names = rows.loc[(record == "class_score") & (rows["metric"] == "accuracy"), "class_name"]
    confusion, boundary = rows[record == "image_confusion"], rows[record == "image_boundary"]
    if not len(names) or not len(confusion) or not len(boundary):
        raise ResultsError("it stores no counts of single images")
    class_names = tuple(names.astype(str))
    protocols = [name for name in STORED if (boundary["protocol"] == name).any()]
    if not protocols:
        raise ResultsError("it stores no boundary counts of a protocol that is known")
    first = boundary[boundary["protocol"] == protocols[0]]
    images = tuple(first["image"].astype(str).unique())
    if len(images) * len(class_names) ** 2 > MAX_CELLS:
        raise ResultsError(f"counts of {len(images)} images and {len(class_names)} classes are more than is read")
    counts = np.zeros((len(images), len(class_names), len(class_names)), np.int64)
    keys = {"image": images, "class_name": class_names, "predicted_class": class_names}
    _fill(counts, confusion, keys)
    found = {}
    for protocol in protocols:
        part = boundary[boundary["protocol"] == protocol]
        if part["image"].nunique() != len(images):
            raise ResultsError(f"its boundary counts by {protocol} are of other images than those by {protocols[0]}")
        found[protocol] = np.zeros((len(images), len(class_names), len(BOUNDARY_METRICS)), np.int64)
        _fill(found[protocol], part, {"image": images, "class_name": class_names, "metric": BOUNDARY_METRICS})
    return Counts(images, class_names, counts, found)


def _fill(counts: NDArray[np.int64], rows: pd.DataFrame, keys: Mapping[str, tuple[str, ...]]) -> None:
    """Puts the values of rows into counts, whose axes are the columns in `keys`."""
    values = rows["value"].to_numpy(dtype="float64")
    # written so that NaN fails as well
    if not np.all((values >= 0) & (values <= MAX_SIZE**2) & (values == np.floor(values))):
        raise ResultsError(f"it holds counts that are no whole numbers from 0 to {MAX_SIZE**2}")
    places = []
    for column, names in keys.items():
        found = pd.Categorical(rows[column])
        # of each text that occurs, and of none
        known = np.append(pd.Index(names, dtype=object).get_indexer(pd.Index(found.categories, dtype=object)), -1)
        codes = known[found.codes]
        if (codes < 0).any():
            unknown = rows[column].iloc[int(np.argmin(codes))]
            raise ResultsError(f"its counts name {column} {str(unknown)[:100]!a}, which its other rows do not know")
        places.append(codes)
    counts[tuple(places)] = values.astype(np.int64)
