"""A results folder: where files lie, what is in them all, and how far a trial is by them.

results/<suite>/<profile>/<trial id>-<digest>.parquet     one file per trial
results/_checkpoints/<trial id>-<digest>/                 NNNNNNNN.checkpoint, while a training is under way
results/_panels/, results/_logs/, ...                     names with "_" are not results; parquet readers skip them

The digest in the name says under which settings and source a trial was run. Files of another digest than the planned
one are stale; nothing deletes them.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from bench.errors import ResultsError, UnwritableError, one_line
from bench.results.migrations import ARROW_SCHEMA
from bench.results.schema import COLUMNS, IMAGE_RECORDS
from bench.results.trial_file import UNREADABLE, read_rows
from bench.study.trials import Trial

MAX_REASON = 600  # characters, so that the path of a log fits
READERS = 2  # threads that read files
ENCODED = pa.dictionary(pa.int32(), pa.string())  # how most columns of text are read
NULLABLE = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
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


def predictions_path(folder: Path, trial: Trial) -> Path:
    """Returns the folder of the predicted label maps of `trial`, one PNG an image, where they are stored."""
    return folder / "_predictions" / trial.suite / trial.profile / f"{trial.id}-{trial.digest}"


def checkpoints_path(folder: Path, trial: Trial) -> Path:
    """Returns the folder of the checkpoints of `trial`; it is there while the training is under way."""
    return folder / "_checkpoints" / f"{trial.id}-{trial.digest}"


def check_writable(folder: Path) -> None:
    """Creates the folder and proves that a file can be written there.

    Raises:
        ResultsError: it cannot; so that this is known before hours of training, not after.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):  # has no name on Linux: a kill leaves nothing
            pass
    except OSError as error:
        raise UnwritableError(
            f"results folder '{folder}' cannot be written: {error.strerror}; choose another with --results DIR"
        ) from None


def result_files(folder: Path) -> list[Path]:
    """Returns the parquet files below `folder`, sorted; a path with a part that starts with "_" or "." is none."""
    return sorted(
        path
        for path in folder.rglob("*.parquet")
        if not any(part.startswith(("_", ".")) for part in path.relative_to(folder).parts)
    )


def stored_ids(folder: Path, suite: str, profile: str) -> set[str]:
    """Returns the ids of the trials of a suite and profile that left a file, under whatever digest.

    A file of results or a checkpoint, whether or not it can be read.
    """
    found = [*(folder / suite / profile).glob("*.parquet"), *(folder / "_checkpoints").glob(f"{suite}.{profile}.*-*")]
    return {path.name.removesuffix(".parquet").rpartition("-")[0] for path in found}


def load_results(
    folder: Path,
    *,
    suite: str | None = None,
    profile: str | None = None,
    without: Collection[str] = IMAGE_RECORDS,
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
    tables, problems = [], []
    rooms = ((path, path.relative_to(folder).parts[:-1]) for path in result_files(folder))
    paths = [path for path, room in rooms if len(room) != 2 or (suite or room[0], profile or room[1]) == room]
    with ThreadPoolExecutor(READERS) as pool:
        for path, table in zip(paths, pool.map(partial(_read_or_say_why, without=without), paths), strict=True):
            if isinstance(table, str):
                problems.append(f"'{one_line(path, 1000)}' cannot be read and is left out: {table}")
                continue
            first = table.slice(0, 1).to_pylist()[0]
            if (suite or first["suite"], profile or first["profile"]) == (first["suite"], first["profile"]):
                tables.append(table)
    return Results(_as_frame(tables), problems)


def _read_or_say_why(path: Path, without: Collection[str]) -> pa.Table | str:
    """Returns the rows of a file, or in one line why it cannot be read."""
    try:
        return read_rows(path, without)
    except UNREADABLE as error:
        return _reason(error)


def _as_frame(tables: Sequence[pa.Table]) -> pd.DataFrame:
    """Returns the rows of all files; each text is one object however many rows hold it, and reasons are on one line."""
    found = {}
    for column in COLUMNS:
        chunks = [chunk for table in tables for chunk in table[column.name].chunks]
        if column.dtype == "string":
            found[column.name] = pd.Series(_texts(chunks, column.name), dtype=PANDAS_TYPES["string"])
        else:
            values = pa.chunked_array(chunks, ARROW_SCHEMA.field(column.name).type)
            found[column.name] = values.to_pandas(types_mapper=NULLABLE.get).astype(PANDAS_TYPES[column.dtype])
    return pd.DataFrame(found)


def _texts(chunks: Sequence[pa.Array], name: str) -> NDArray[np.object_]:
    """Returns a column of text, NaN where there is none: as codes into its few different texts it takes no time."""
    encoded = [chunk if chunk.type == ENCODED else chunk.cast(pa.string()).dictionary_encode() for chunk in chunks]
    column = pa.chunked_array(encoded, ENCODED).unify_dictionaries().combine_chunks()
    texts = column.dictionary.to_pylist()
    if name == "reason":  # alone may be any text
        texts = [one_line(text, MAX_REASON) for text in texts]
    return np.array([*texts, np.nan], dtype=object)[column.indices.fill_null(len(texts)).to_numpy()]


class Outcome(NamedTuple):
    """How far a trial is, as stored under its present digest.

    Attributes:
        status: one of schema.STATUSES; without a file "interrupted" where there is a checkpoint and else "missing";
            "damaged" where the file cannot be read.
        reason: why it is not done, in one line.
        stale: it is not stored as it is planned now, but under other settings or source (see `stored_before`).
    """

    status: str
    reason: str | None
    duration_s: float | None
    device: str | None = None
    stale: bool = False


def outcome(folder: Path, trial: Trial) -> Outcome:
    """Returns how far `trial` is."""
    path = path_of(folder, trial)
    if path.exists() or path.is_symlink():  # a link to nothing is no reason to train again
        try:
            found = _first_row(path)
        except UNREADABLE as error:
            return Outcome("damaged", f"'{path}' cannot be read; move it away or delete it: {_reason(error)}", None)
        reason = found["reason"] and one_line(found["reason"], MAX_REASON)
        return Outcome(found["status"], reason, found["duration_s"], found["device"])
    stale = bool(_other_files(folder, trial))
    where = stored_place(folder, trial)
    if where is not None:
        return Outcome("interrupted", f"at {where}", None, stale=stale)
    return Outcome("missing", "stored under other settings or source only" if stale else None, None, stale=stale)


def stored_place(folder: Path, trial: Trial) -> str | None:
    """Returns how far the newest checkpoint of `trial` is, from the names of its files; None without one.

    Returns: "iteration 300 of 600" of a training, "turn 1 of 4" of a measurement.
    """
    stems = (path.stem for path in checkpoints_path(folder, trial).glob("*.checkpoint"))
    newest = max((int(stem) for stem in stems if stem.isdecimal()), default=None)
    if newest is None:
        return None
    if trial.kind == "cost":
        return f"turn {newest + 1} of {trial.timing_rounds + 1}"
    return f"iteration {newest} of {trial.iterations}"


def stored_before(folder: Path, trial: Trial) -> dict[str, Any] | None:
    """Returns what the file of the latest result of `trial` under other settings or source says of its origin.

    A result that is done comes before one that is not. Columns that its file does not have are None.

    Returns: its first row by column; None where there is no such file, or none that can be read.
    """
    found = []
    for path in _other_files(folder, trial):
        with contextlib.suppress(*UNREADABLE):  # `bench report` names it, and it is not the one that is planned
            found.append(_first_row(path))
    return max(found, key=lambda row: (row["status"] == "done", row["started_at"] or ""), default=None)


def _other_files(folder: Path, trial: Trial) -> list[Path]:
    """Returns the files of `trial` under other digests than its present one."""
    own = path_of(folder, trial)
    return sorted(path for path in own.parent.glob(f"{trial.id}-{'?' * len(trial.digest)}.parquet") if path != own)


def _first_row(path: Path) -> dict[str, Any]:
    return read_rows(path, without=IMAGE_RECORDS).slice(0, 1).to_pylist()[0]


def _reason(error: BaseException) -> str:
    return one_line(str(error) or type(error).__name__, 250)
