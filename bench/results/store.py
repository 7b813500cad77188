"""Results files: where they lie, how they are written whole or not at all, how they are read.

results/<suite>/<profile>/<trial id>-<digest>.parquet     one file per trial
results/_panels/, results/_logs/                          names with "_" are not results; parquet readers skip them
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bench.errors import ResultsError
from bench.results.schema import COLUMNS, SCHEMA_VERSION
from bench.study.trials import Trial

ARROW_TYPES = {"string": pa.string(), "int64": pa.int64(), "float64": pa.float64(), "bool": pa.bool_()}
ARROW_SCHEMA = pa.schema([(column.name, ARROW_TYPES[column.dtype]) for column in COLUMNS])
PANDAS_TYPES = {"string": "object", "int64": "Int64", "float64": "float64", "bool": "boolean"}


class Results(NamedTuple):
    """What a results folder holds: rows in the schema's columns, and a line per file that could not be read."""

    rows: pd.DataFrame
    problems: list[str]


def path_of(folder: Path, trial: Trial) -> Path:
    """Returns where the results of `trial` belong."""
    return folder / trial.suite / trial.profile / f"{trial.id}-{trial.digest}.parquet"


def panels_path(folder: Path, trial: Trial) -> Path:
    """Returns the folder of the pictures of all trials of a suite and profile, one folder an image below it."""
    return folder / "_panels" / trial.suite / trial.profile


def check_writable(folder: Path) -> None:
    """Creates the folder and proves that a file can be written there.

    Raises:
        ResultsError: it cannot; so that this is known before hours of training, not after.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix="_"):
            pass
    except OSError as error:
        raise ResultsError(
            f"results folder '{folder}' cannot be written: {error.strerror}; choose another with --results DIR"
        ) from None


def write_trial(path: Path, constants: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes one trial's file: `constants` (identity and provenance) repeat in every row.

    Raises:
        ResultsError: the file cannot be written; an older one of that name is untouched.
    """
    values = list(rows)
    known = set(ARROW_SCHEMA.names)
    assert set(constants) <= known, set(constants) - known
    assert all(known.issuperset(row) for row in values)
    table = pa.table(
        {
            name: pa.array(
                [constants[name]] * len(values) if name in constants else [row.get(name) for row in values],
                type=ARROW_SCHEMA.field(name).type,
            )
            for name in ARROW_SCHEMA.names
        },
        schema=ARROW_SCHEMA,
    )
    write_atomically(path, lambda temporary: pq.write_table(table, temporary, compression="zstd"))


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Lets `write` fill a temporary file beside `path`, flushes it to disk, then renames it into place.

    Raises:
        ResultsError: the file cannot be written; nothing half-written is left behind.
    """
    temporary = path.with_name(f"_{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except OSError as error:
        raise ResultsError(f"'{path}' cannot be written: {error.strerror or error}") from None
    finally:
        with contextlib.suppress(OSError):  # where even the folder is missing there is nothing to remove
            temporary.unlink()


def result_files(folder: Path) -> list[Path]:
    """Returns the parquet files below `folder`, sorted; a path with a part that starts with "_" or "." is none."""
    return sorted(
        path
        for path in folder.rglob("*.parquet")
        if not any(part.startswith(("_", ".")) for part in path.relative_to(folder).parts)
    )


def load_results(
    folder: Path,
    *,
    suite: str | None = None,
    profile: str | None = None,
    without: Collection[str] = ("image_confusion", "image_boundary"),
) -> Results:
    """Reads every results file below `folder`.

    Args:
        folder: the results folder
        suite, profile: read only these
        without: kinds of record to leave out; the per-image ones are many and few need them

    Returns: rows with exactly the schema's columns; integer columns are nullable. A damaged file is named in
        `problems` and left alone; the others are read.

    Raises:
        ResultsError: the folder does not exist.
    """
    if not folder.is_dir():
        raise ResultsError(f"no results folder '{folder}'; run `bench run` first, or name another with --results DIR")
    frames, problems = [], []
    for path in result_files(folder):
        room = path.relative_to(folder).parts[:-1]
        if len(room) == 2 and (suite or room[0], profile or room[1]) != room:
            continue
        try:
            # ParquetFile, not read_table, which would read folder names as columns
            table = pq.ParquetFile(path).read()
            check_schema(table)
        except (OSError, pa.ArrowException, ResultsError) as error:
            reason = str(error).splitlines()[0][:200]
            problems.append(f"'{path}' cannot be read and is left out: {reason}")
            continue
        frame = table.to_pandas(integer_object_nulls=True)
        keep = ~frame["record"].isin(list(without))
        for column, value in (("suite", suite), ("profile", profile)):
            if value is not None:
                keep &= frame[column] == value
        if keep.any():
            frames.append(frame[keep])
    rows = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(ARROW_SCHEMA.names))
    return Results(rows.astype({column.name: PANDAS_TYPES[column.dtype] for column in COLUMNS}), problems)


def check_schema(table: pa.Table) -> None:
    """Raises ResultsError for a table that is not a results file of this version."""
    missing = [name for name in ARROW_SCHEMA.names if name not in table.column_names]
    if missing:
        raise ResultsError(f"no results file of this program, column '{missing[0]}' is missing")
    versions = set(table["schema_version"].to_pylist())
    if versions != {SCHEMA_VERSION}:
        raise ResultsError(f"schema version {sorted(map(str, versions))}, this program reads {SCHEMA_VERSION}")


class Outcome(NamedTuple):
    """How a stored trial ended: done, diverged or failed, and why; missing where there is no file, or damaged."""

    status: str
    reason: str | None
    duration_s: float | None
    device: str | None = None


def outcome(folder: Path, trial: Trial) -> Outcome:
    """Returns how `trial` ended, from its file alone."""
    path = path_of(folder, trial)
    if not path.exists():
        others = any(path.parent.glob(f"{trial.id}-{'?' * len(trial.digest)}.parquet"))
        return Outcome("missing", "stored under other settings only" if others else None, None)
    try:
        table = pq.ParquetFile(path).read(columns=["status", "reason", "duration_s", "device"])
        row = table.slice(0, 1).to_pylist()[0]
    except (OSError, pa.ArrowException, IndexError):
        return Outcome("damaged", f"'{path}' cannot be read; move it away or delete it", None)
    return Outcome(row["status"], row["reason"], row["duration_s"], row["device"])
