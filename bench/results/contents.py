"""Could a trial of this program have stored it? Asked of every results file before anything is done with it.

A file may come from anybody, and its text ends up in pages, pictures, paths and terminals. So whatever no trial of
ours stores is refused: values outside their range, words that the schema does not name, text that cannot be printed,
an identity that changes from row to row or is not that of the file's name. A reason alone may be any text, because an
error message may be; it is brought to one printable line where it is read.
"""

from __future__ import annotations

import json
import string
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from bench.errors import ResultsError
from bench.results.schema import COLUMNS, IDENTITY, PROVENANCE

MAX_TEXT = 200  # characters; a class name also has to fit beside a figure
MAX_LONG_TEXT = 100_000
MAX_CLASSES = 255  # labels are bytes, and one of them is void
MAX_NUMBER = 1e18

_ENUMERATED = ("kind", "profile", "status")
_NAMES = ("class_name", "predicted_class", "image")
_NAME_CHARACTERS = set(string.ascii_letters + string.digits + " _-.,/()")
_FRACTIONS = ("score", "class_score", "class_frequency")


def check_contents(table: pa.Table, path: Path) -> None:
    """Raises ResultsError, in one line, for a table with the schema's columns that no trial of ours has stored.

    Args:
        table: all rows, with exactly the columns of the schema.
        path: the file, whose name is that of its trial.
    """
    if not len(table):
        raise ResultsError("it has no rows")
    for column in COLUMNS:
        if column.dtype == "string":
            _check_text(column.name, column.unit, pc.unique(table[column.name]).drop_null().to_pylist())
        elif column.dtype != "bool":
            low, high = _range(table[column.name])
            if low < 0 or high > MAX_NUMBER:
                raise ResultsError(f"column '{column.name}' holds {low if low < 0 else high:g}, which is out of range")
    fractions = pc.is_in(table["record"], value_set=pa.array(_FRACTIONS))
    if _range(table["value"].filter(fractions))[1] > 1:
        raise ResultsError("column 'value' holds a fraction above 1")
    _check_identity(table, path)


def _check_text(name: str, unit: str, found: list[str]) -> None:
    """Checks the distinct values of a column of text."""
    if name in _ENUMERATED and (other := set(found) - set(unit.split("|"))):
        raise ResultsError(f"column '{name}' holds {min(other)[:60]!a}; allowed are {unit}")
    if name in _NAMES:
        good = len(found) <= MAX_CLASSES or name == "image"
        good &= all(len(text) <= MAX_TEXT / 4 and _NAME_CHARACTERS.issuperset(text) for text in found)
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
    if text.count("{") + text.count("[") > MAX_TEXT:
        return False
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _check_identity(table: pa.Table, path: Path) -> None:
    for column in (*IDENTITY, *PROVENANCE):
        if len(pc.unique(table[column.name])) != 1:
            raise ResultsError(f"column '{column.name}' is not the same in all rows")
    first = table.slice(0, 1).to_pylist()[0]
    what = "cost" if first["kind"] == "cost" else f"{first['weighting']}.s{first['seed']}"
    if first["trial"] != ".".join((first["suite"], first["profile"], first["model"], what)):
        raise ResultsError("its trial is another than its suite, profile, model, weighting and seed say")
    if path.stem != f"{first['trial']}-{first['digest']}":
        raise ResultsError(f"it holds trial {first['trial']}-{first['digest']}, its name says otherwise")
    if first["status"] == "done" and first["kind"] == "training" and first["selected_iteration"] is None:
        raise ResultsError("a training that is done has no selected iteration")
    if first["started_at"] is not None:
        try:
            datetime.fromisoformat(first["started_at"])
        except ValueError:
            raise ResultsError("column 'started_at' is no date") from None


def _range(values: pa.ChunkedArray) -> tuple[float, float]:
    """Returns the lowest and highest value; 0 of none, and of NaN alone."""
    found = pc.min_max(values).as_py()
    low, high = found["min"], found["max"]
    return (0.0, 0.0) if low is None or low != low else (low, high)
