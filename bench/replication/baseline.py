"""An earlier result of ours as a small CSV file that is kept in git and read in a diff.

    # segnet-bench baseline 1
    # suite: decoder-variants
    # trial: decoder-variants.smoke.segnet_basic.median_frequency.s0 0123456789abcdef
    model,weighting,split,metric,budget,class_name,protocol,value,n
    segnet_basic,median_frequency,test,global_accuracy,,,,0.5123,1

Lines that start with '#' are provenance; a name that has several values stands on several lines. Values are
in the units of `bench.replication.scores`. Files from before there were budgets have neither that column nor
class_name, which are "" then.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pandas as pd

from bench.atomic import write_atomically
from bench.errors import ResultsError
from bench.replication.scores import KEYS

FIRST_LINE = "# segnet-bench baseline 1"
COLUMNS = (*KEYS, "value", "n")
ADDED = ("budget", "class_name")  # columns that earlier files do not have
MAX_BYTES = 4 << 20  # that of a table of the paper has 10 KiB

_WORD = re.compile(r"[a-z0-9_]*")
_NAME = re.compile(r"[A-Za-z0-9_.,/() -]*")  # of a budget or class


@dataclass(frozen=True)
class Baseline:
    """What a baseline file holds: a frame with COLUMNS, and its provenance."""

    frame: pd.DataFrame
    meta: dict[str, tuple[str, ...]]


def write_baseline(path: Path, frame: pd.DataFrame, meta: Mapping[str, str | Sequence[str]]) -> None:
    """Writes reported values and where they come from; an existing file is replaced in one step.

    Args:
        path: the CSV file; its folder is made if it is not there.
        frame: rows with COLUMNS, for example from `scores` and `costs`; other columns are left out.
        meta: provenance by name (suite, profile, trial, commit, torch, date, reason, ...).

    Raises:
        ResultsError: there is no row to write, or the file cannot be written.
    """
    if frame.empty:
        raise ResultsError(f"{path}: not written, because there is no finished trial to take values from")
    text = StringIO()
    text.write(FIRST_LINE + "\n")
    for name, values in meta.items():
        for value in [values] if isinstance(values, str) else values:
            text.write(f"# {name}: {' '.join(value.split())}\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for *key, value, n in frame[list(COLUMNS)].itertuples(index=False):
        writer.writerow([*key, format(value, ".10g"), n])

    def write(temporary: Path) -> None:
        temporary.write_text(text.getvalue(), encoding="utf-8")

    write_atomically(path, write)


def read_baseline(path: Path) -> Baseline:
    """Reads a file that `write_baseline` wrote.

    Raises:
        ResultsError: there is no such file, it is not a baseline, or a line is damaged; names file and line.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ResultsError(f"{path}: larger than {MAX_BYTES >> 20} MiB, which no baseline is")
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ResultsError(f"{path}: cannot be read as a baseline: {reason}") from error
    if not lines or lines[0] != FIRST_LINE:
        raise ResultsError(f"{path}:1: not a baseline, whose first line is '{FIRST_LINE}'")
    meta: dict[str, tuple[str, ...]] = {}
    number = 1
    while number < len(lines) and lines[number].startswith("#"):
        name, _, value = lines[number][1:].partition(":")
        meta[name.strip()] = (*meta.get(name.strip(), ()), value.strip())
        number += 1
    headers = {",".join(columns): columns for columns in (COLUMNS, [name for name in COLUMNS if name not in ADDED])}
    columns = headers.get(lines[number]) if number < len(lines) else None
    if columns is None:
        raise ResultsError(f"{path}:{number + 1}: after the '#' lines come the columns '{','.join(COLUMNS)}'")
    rows = [_row(path, place, line, columns) for place, line in enumerate(lines[number + 1 :], start=number + 2)]
    if not rows:
        raise ResultsError(f"{path}:{number + 1}: the baseline has no values; it may have been cut off")
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    if (twice := frame.duplicated(list(KEYS))).any():
        place = int(twice.to_numpy().argmax())
        cell = " ".join(str(part) for part in rows[place][: len(KEYS)] if part)
        raise ResultsError(f"{path}:{number + 2 + place}: a second value of {cell}")
    return Baseline(frame, meta)


def _row(path: Path, number: int, line: str, columns: Sequence[str]) -> tuple[str | float | int, ...]:
    """Returns the values of a line in the order of COLUMNS; `columns` are those of its file."""
    try:
        fields = next(csv.reader([line]), [])
    except csv.Error as error:
        raise ResultsError(f"{path}:{number}: {error}") from None
    if len(fields) != len(columns):
        raise ResultsError(f"{path}:{number}: expected {len(columns)} fields, got {len(fields)}: '{line[:200]}'")
    row = dict.fromkeys(ADDED, "") | dict(zip(columns, fields, strict=True))
    words = [row[name] for name in ("model", "weighting", "split", "metric")]
    names = [row[name] for name in ADDED]
    good = row["model"] and row["metric"] and row["protocol"].isprintable()
    if not (good and all(map(_WORD.fullmatch, words)) and all(map(_NAME.fullmatch, names))):
        raise ResultsError(f"{path}:{number}: a name is made of a-z, 0-9 and '_', got '{line[:200]}'")
    try:
        value, n = float(row["value"]), int(row["n"])
    except ValueError:
        raise ResultsError(
            f"{path}:{number}: value must be a number and n a whole number, "
            f"got '{row['value'][:50]}' and '{row['n'][:50]}'"
        ) from None
    if n < 1:
        raise ResultsError(f"{path}:{number}: n must be at least 1, got {n}")
    return (*(row[name] for name in KEYS), value, n)
