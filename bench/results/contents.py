"""Could a trial of this program have stored it? Asked of every results file before anything is done with it.

A file may come from anybody, and its text ends up in pages, pictures, paths and terminals. So whatever no trial of
ours stores is refused: values outside their range or there twice, words that the schema does not name, text that
cannot be printed, an identity that changes from row to row or is not that of the file's name. A reason alone may be
any text, because an error message may be; it is brought to one printable line where it is read.
"""

from __future__ import annotations

import json
import string
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bench.errors import ResultsError
from bench.results.schema import (
    BOUNDARY_METRICS,
    CHECKERBOARD_METRICS,
    COLUMNS,
    CONDITIONS,
    COST_METRICS,
    IDENTITY,
    PROVENANCE,
    REFINEMENT_METRICS,
    TIMES,
    VALUES,
    Column,
)
from bench.study.catalog import METRIC_TITLES

MAX_TEXT = 200  # characters
MAX_NAME = {"class_name": 50, "predicted_class": 50, "image": 100}  # a class's has to fit beside a figure
MAX_LONG_TEXT = 100_000
MAX_CLASSES = 255  # labels are bytes, and one of them is void
MAX_BRACKETS = 200  # in a column of JSON, whose reader is recursive
MAX_NUMBER = 1e18
MAX_PLACES = 1 << 62  # that a number of 64 bits tells apart
MAX_DURATION_S = 1e9
YEARS = range(2000, 3000)
ROUNDING = 1e-9

METRICS: dict[str, Collection[str]] = {
    "score": METRIC_TITLES,
    "class_score": ("accuracy", "iou", "boundary_f1"),
    "curve": ("loss", "images_per_s"),
    "class_weight": ("class_weight",),
    "class_frequency": ("class_frequency",),
    "cost": {metric + suffix for metric in COST_METRICS for suffix in ("", "_p25", "_p75", "_n")},
    "pass": TIMES,
    "condition": CONDITIONS,
    "image_confusion": ("pixels",),
    "image_boundary": BOUNDARY_METRICS,
    "refinement": REFINEMENT_METRICS,
    "checkerboard": CHECKERBOARD_METRICS,
    "outcome": ("done",),
}
FRACTIONS = ("score", "class_score", "class_frequency", "checkerboard")
MAY_BE_NAN = ("score", "class_score")  # of a class that never occurs
PLACE = ("record", "metric", "split", "iteration", "protocol", "refinement", "class_name", "predicted_class", "image")

_ENUMERATED = ("kind", "profile", "status", "refinement")
_NAME_CHARACTERS = set(string.ascii_letters + string.digits + " _-.,/()")


def check_contents(table: pa.Table, path: Path) -> None:
    """Raises ResultsError, in one line, for a table with the schema's columns that no trial of ours has stored.

    Args:
        table: all rows, or those that are used, with exactly the columns of the schema.
        path: the file, whose name is that of its trial.
    """
    if not len(table):
        raise ResultsError("it has no rows")
    _check_columns(table, COLUMNS)
    _check_values(table)
    _check_identity(table, path)


def check_same(table: pa.Table) -> None:
    """Raises ResultsError for rows of several trials, or of one trial under several conditions."""
    for column in (*IDENTITY, *PROVENANCE):
        if len(pc.unique(table[column.name])) != 1:
            raise ResultsError(f"column '{column.name}' is not the same in all rows")


def check_rows(table: pa.Table) -> None:
    """Raises ResultsError for rows that no trial of ours has stored, whichever trial they are of.

    Args:
        table: rows of a file, maybe none, of which others have passed `check_contents`.
    """
    _check_columns(table, VALUES)
    _check_values(table)


def _check_columns(table: pa.Table, columns: tuple[Column, ...]) -> None:
    for column in columns:
        if column.dtype == "string":
            _check_text(column.name, column.unit, _texts(table[column.name]))
        elif column.dtype != "bool":
            low, high = _range(table[column.name])
            if low < 0 or high > MAX_NUMBER:
                raise ResultsError(f"column '{column.name}' holds {low if low < 0 else high:g}, which is out of range")


def _texts(values: pa.ChunkedArray) -> list[str]:
    """Returns each text of a column once; of a dictionary array all that it can refer to, which takes no search."""
    if pa.types.is_dictionary(values.type):
        return [text for chunk in values.unify_dictionaries().chunks[:1] for text in chunk.dictionary.to_pylist()]
    return pc.unique(values).drop_null().to_pylist()


def _check_text(name: str, unit: str, found: list[str]) -> None:
    """Checks the distinct values of a column of text."""
    if name in _ENUMERATED and (other := set(found) - set(unit.split("|"))):
        raise ResultsError(f"column '{name}' holds {min(other)[:60]!a}; allowed are {unit}")
    if name in MAX_NAME:
        good = len(found) <= MAX_CLASSES or name == "image"
        good &= all(len(text) <= MAX_NAME[name] and _NAME_CHARACTERS.issuperset(text) for text in found)
    elif unit == "JSON":
        good = all(_is_plain_object(text) for text in found)
    elif name in ("reason", "resumptions"):
        good = all(len(text) <= MAX_LONG_TEXT for text in found)
    else:
        good = all(len(text) <= MAX_TEXT and text.isprintable() for text in found)
    if not good:
        raise ResultsError(f"column '{name}' holds text that no trial stores")


def _is_plain_object(text: str) -> bool:
    """Whether it is a JSON object of plain words and numbers, nested no deeper than ours are."""
    if len(text) > MAX_LONG_TEXT or not (text.isascii() and text.isprintable()) or "\\" in text:
        return False
    if text.count("{") + text.count("[") > MAX_BRACKETS:
        return False
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _check_values(table: pa.Table) -> None:
    """Checks the words that say what a row is, its number, and that it is there once."""
    for row in table.group_by(["record", "metric"], use_threads=False).aggregate([]).to_pylist():
        if row["metric"] not in METRICS.get(row["record"], ()):
            raise ResultsError(f"no trial stores metric {str(row['metric'])[:60]!a} of {str(row['record'])[:60]!a}")
    value = table["value"]
    if value.null_count:
        raise ResultsError("column 'value' has rows without a value")
    if pc.any(pc.is_nan(value.filter(pc.invert(_among(table, MAY_BE_NAN))))).as_py():
        raise ResultsError("column 'value' holds NaN where a number was measured")
    if _range(value.filter(_among(table, FRACTIONS)))[1] > 1 + ROUNDING:
        raise ResultsError("column 'value' holds a fraction above 1")
    losses = value.filter(pc.equal(table["metric"], "loss"))
    if len(losses) and _range(losses)[1] == 0:
        raise ResultsError("column 'value' holds no loss above 0")
    if _holds_twice(table):
        raise ResultsError("it holds a value twice")


def _holds_twice(table: pa.Table) -> bool:
    """Whether two rows have the same place.

    Places are numbers, which are sorted: grouping 8 million rows by all columns takes thrice as long, and 0.6 GB.
    """
    places, known = np.zeros(len(table), np.int64), 1  # of so many places as the columns so far can tell apart
    for name in PLACE:
        codes, count = _codes(table[name])
        if known * count > MAX_PLACES:
            places, known = np.unique(places, return_inverse=True)[1], len(table)
        places, known = places * count + codes, known * count
    places.sort()
    return bool((places[1:] == places[:-1]).any())


def _codes(values: pa.ChunkedArray) -> tuple[NDArray[np.int32], int]:
    """Returns the number of what each row of a column holds, null being something too, and how many there are."""
    encoded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    array = encoded.unify_dictionaries().combine_chunks()
    if len(array.dictionary.unique()) < len(array.dictionary):  # a file may name a text twice
        array = array.dictionary_decode().dictionary_encode()
    count = len(array.dictionary)
    return array.indices.fill_null(count).to_numpy(), count + 1


def _among(table: pa.Table, records: tuple[str, ...]) -> pa.ChunkedArray:
    return pc.is_in(table["record"], value_set=pa.array(records))


def _check_identity(table: pa.Table, path: Path) -> None:
    check_same(table)
    first = table.slice(0, 1).to_pylist()[0]
    what = "cost" if first["kind"] == "cost" else f"{first['weighting']}.s{first['seed']}"
    if first["trial"] != ".".join((first["suite"], first["profile"], first["model"], what)):
        raise ResultsError("its trial is another than its suite, profile, model, weighting and seed say")
    budgets = (json.loads(first["config"]) if first["config"] else {}).get("budgets", {})
    if not _is_budgets(budgets):
        raise ResultsError("its configuration has budgets that no trial has")
    if path.stem != f"{first['trial']}-{first['digest']}":
        raise ResultsError(f"it holds trial {first['trial']}-{first['digest']}, its name says otherwise")
    if first["status"] == "done" and first["kind"] == "training" and first["selected_iteration"] is None:
        raise ResultsError("a training that is done has no selected iteration")
    if not 0 <= (first["duration_s"] or 0) < MAX_DURATION_S:
        raise ResultsError(f"column 'duration_s' holds {first['duration_s']:g}, which is out of range")
    try:
        good = first["started_at"] is None or datetime.fromisoformat(first["started_at"]).year in YEARS
    except ValueError:
        good = False
    if not good:
        raise ResultsError("column 'started_at' is no date of this program's life")


def _is_budgets(value: object) -> bool:
    """Whether it maps names to iterations."""
    if not isinstance(value, dict):
        return False
    return all(
        len(name) <= 20 and _NAME_CHARACTERS.issuperset(name) and type(at) is int and at > 0
        for name, at in value.items()
    )


def _range(values: pa.ChunkedArray) -> tuple[float, float]:
    """Returns the lowest and highest value; 0 of none, and of NaN alone."""
    found = pc.min_max(values).as_py()
    low, high = found["min"], found["max"]
    return (0.0, 0.0) if low is None or low != low else (low, high)
