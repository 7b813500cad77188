"""From the long rows of a results file back to the arrays of counts that its scores were made of.

Legend: N images, K classes. A trial stores the counts of the test split, zeros left out, at several iterations, and
those of refined predictions as well. Read are those at the selected iteration, of the network's own predictions,
unless another iteration or a refinement is named.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bench.errors import ResultsError
from bench.evaluation.boundary_scores import STORED
from bench.results.schema import BOUNDARY_METRICS
from bench.results.store import result_files
from bench.results.trial_file import UNREADABLE, read_count_rows
from bench.scoring.count_rows import CountRows

CLASSES = ("class_name", "predicted_class")  # the columns of a confusion count
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
    return counts_of(read_table(path), protocols)


def read_table(path: Path) -> pa.Table:
    """Returns the rows of a results file that `load_results` has accepted, for `counts_of`.

    Raises:
        ResultsError: the file cannot be read any more.
    """
    try:
        return read_count_rows(path)
    except UNREADABLE as error:
        raise ResultsError(f"'{path}' cannot be read: {error}") from None


def read_confusion(path: Path, refinement: str = "") -> tuple[tuple[str, ...], NDArray[np.int64]] | None:
    """Returns the confusion matrix of the whole test split at the selected iteration.

    Args:
        path: a results file that `load_results` has accepted.
        refinement: what refined the predictions; "" means the network's own.

    Returns:
        The names of the K classes in the order of the data set, and (K, K) int64 `[label, prediction]`, pixels; None
        where it has stored no such counts.

    Raises:
        ResultsError: the file cannot be read any more, or holds counts that no evaluation could have given.
    """
    rows = CountRows(read_table(path), refinement)
    class_names, counted = _class_names(rows), rows.of("image_confusion")
    if not len(counted) or not class_names:
        return None
    counts = np.zeros((len(class_names), len(class_names)), np.int64)
    try:
        np.add.at(counts, _places(rows, counted, dict.fromkeys(CLASSES, class_names)), rows.counts(counted))
    except ResultsError as error:
        raise ResultsError(f"'{path}': {error}") from None
    return class_names, counts


def counts_of(
    table: pa.Table,
    protocols: Collection[str] = tuple(STORED),
    refinement: str = "",
    iteration: int | None = None,
) -> Counts:
    """Returns the counts of one trial from its rows.

    An image that is all void has no confusion count; it stands in the boundary rows and counts in BF.

    Args:
        table: rows of one trial, at least COUNT_COLUMNS.
        protocols: the boundary protocols that are wanted.
        refinement: what refined the predictions; "" means the network's own.
        iteration: at which they were made; None means the selected one.

    Raises:
        ResultsError: it stores no counts, or counts that no evaluation could have given.
    """
    rows = CountRows(table, refinement, iteration)
    class_names, counted = _class_names(rows), rows.of("image_confusion")
    if not class_names or not len(counted) or not len(rows.of("image_boundary")):
        raise ResultsError("it stores no counts of single images")
    bounded = {name: found for name in STORED if name in protocols and len(found := _boundary(rows, name))}
    if not bounded:
        raise ResultsError("it stores no boundary counts of a protocol that is known")
    first = next(iter(bounded))
    images = tuple(rows.texts("image", bounded[first]))
    if len(images) * len(class_names) ** 2 > MAX_CELLS:
        raise ResultsError(f"counts of {len(images)} images and {len(class_names)} classes are more than is read")
    confusion = np.zeros((len(images), len(class_names), len(class_names)), np.int64)
    of_confusion = {"image": images, **dict.fromkeys(CLASSES, class_names)}
    confusion[_places(rows, counted, of_confusion)] = rows.counts(counted)
    boundary = {}
    for protocol, found in bounded.items():
        if len(rows.texts("image", found)) != len(images):
            raise ResultsError(f"its boundary counts by {protocol} are of other images than those by {first}")
        boundary[protocol] = np.zeros((len(images), len(class_names), len(BOUNDARY_METRICS)), np.int64)
        of_boundary = {"image": images, "class_name": class_names, "metric": BOUNDARY_METRICS}
        boundary[protocol][_places(rows, found, of_boundary)] = rows.counts(found)
    return Counts(images, class_names, confusion, boundary)


def _class_names(rows: CountRows) -> tuple[str, ...]:
    """Returns the names of the classes in the order of the data set."""
    return tuple(rows.texts("class_name", rows.of("class_score", metric="accuracy")))


def _boundary(rows: CountRows, protocol: str) -> NDArray[np.intp]:
    return rows.of("image_boundary", protocol=protocol)


def _places(
    rows: CountRows, numbers: NDArray[np.intp], axes: Mapping[str, Sequence[str]]
) -> tuple[NDArray[np.intp], ...]:
    """Returns where some rows belong in an array whose axes are columns, each with the texts that it knows."""
    return tuple(rows.places(column, names, numbers) for column, names in axes.items())
