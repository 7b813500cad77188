"""Exports the values of trials as two CSV files: one row per value, and one row per trial."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bench.results.schema import COLUMNS, IDENTITY, PROVENANCE, VALUES
from bench.scoring.export_folder import new_export
from bench.scoring.export_values import RECORDS, TrialValues

FORMAT = "csv"
_MEANINGS = {column.name: column for column in COLUMNS}
VALUE_COLUMNS = (
    *(column.name for column in IDENTITY),
    *(column.name for column in VALUES if column.name not in ("image", "predicted_class", "value", "unit")),
    "reported", "value", "unit",
)  # fmt: skip
TRIAL_COLUMNS = (*(column.name for column in IDENTITY), "stale", *(column.name for column in PROVENANCE))
_ADDED = {
    "record": f"what this row is: {', '.join(RECORDS)}",
    "reported": "1 where the row belongs to the checkpoint that is reported, 0 where not",
    "stale": "1 where it was stored under other settings or source than are planned now, 0 where not",
}


def export(trials: Sequence[TrialValues], out: Path) -> None:
    """Writes values.csv, trials.csv and README.txt, which says what the columns are.

    Args:
        trials: from `finished_values`.
        out: see `new_export`.
    """
    with new_export(out, FORMAT) as folder:
        _write(folder / "values.csv", VALUE_COLUMNS, (row for trial in trials for row in _values(trial)))
        _write(
            folder / "trials.csv",
            TRIAL_COLUMNS,
            (
                [int(trial.stale) if name == "stale" else trial.stored[name] for name in TRIAL_COLUMNS]
                for trial in trials
            ),
        )
        (folder / "README.txt").write_text(_read_me(len(trials)), encoding="utf-8")


def _values(trial: TrialValues) -> Iterable[Sequence[Any]]:
    rows = trial.rows
    reported = (rows["iteration"] == rows["selected_iteration"]).fillna(False).astype(int)
    table = rows.assign(reported=reported)[list(VALUE_COLUMNS)]
    place = VALUE_COLUMNS.index("value")
    for row in table.itertuples(index=False, name=None):
        # an absent text or iteration is empty, a value that does not exist says so
        yield (*row[:place], "NaN" if pd.isna(row[place]) else repr(float(row[place])), *row[place + 1 :])


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(["" if pd.isna(value) else value for value in row] for row in rows)


def _read_me(number: int) -> str:
    return f"""Values of {number} trials, UTF-8, one header line each file.

values.csv has one row per value. Rates are fractions 0 to 1. A value that does not exist is NaN; any other empty field
means that the column says nothing about the row. Join the two files by trial and digest.

{_described(VALUE_COLUMNS)}

trials.csv has one row per trial: its identity, and where its values come from.

{_described(TRIAL_COLUMNS)}
"""


def _described(columns: Sequence[str]) -> str:
    lines = []
    for name in columns:
        meaning = _ADDED.get(name) or _MEANINGS[name].meaning
        unit = "" if name in _ADDED or not _MEANINGS[name].unit else f" ({_MEANINGS[name].unit})"
        lines.append(f"  {name:20}{meaning}{unit}")
    return "\n".join(lines)
