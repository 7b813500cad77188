"""Results files: where they lie, how they are written whole or not at all, how they are read.

results/<suite>/<profile>/<trial id>-<digest>.parquet     one file per trial
results/_checkpoints/<trial id>-<digest>/                 NNNNNNNN.checkpoint, while a training is under way
results/_panels/, results/_logs/, ...                     names with "_" are not results; parquet readers skip them

The digest in the name says under which settings and source a trial was run. Files of another digest than the planned
one are stale; nothing deletes them.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench.atomic import write_atomically
from bench.errors import ResultsError, UnwritableError, one_line
from bench.results.contents import check_contents, check_rows, check_same
from bench.results.migrations import ARROW_SCHEMA, up_to_date
from bench.results.schema import COLUMNS, IDENTITY, PROVENANCE, VALUES
from bench.study.trials import Trial

# What reading a damaged file raises; a wrong page checksum is an OSError, text that is no UTF-8 a ValueError.
UNREADABLE = (OSError, ValueError, KeyError, MemoryError, pa.ArrowException, ResultsError)
MAX_FILE_BYTES = 64 << 20  # a training at the paper's scale has 0.3 MiB
MAX_REASON = 600  # characters, so that the path of a log fits
MAX_ROWS = 2_000_000  # and 0.1 million of them
# Columns that say the same in every row: read as they are stored, each text once, they take a fifth of the time.
REPEATED = [column.name for column in (*IDENTITY, *PROVENANCE) if column.dtype == "string"]
WORDS = [column.name for column in VALUES if column.dtype == "string"]  # that say what a row is
READERS = 2  # threads that read files
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
    # with checksums a flipped bit is a damaged file, without them another number
    write_atomically(
        path, lambda temporary: pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)
    )


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
    rows = pa.concat_tables([ARROW_SCHEMA.empty_table(), *tables])
    frame = rows.to_pandas(integer_object_nulls=True)
    return Results(frame.astype({column.name: PANDAS_TYPES[column.dtype] for column in COLUMNS}), problems)


def _read_or_say_why(path: Path, without: Collection[str]) -> pa.Table | str:
    """Returns the rows of a file, the reason brought to one line, or in one line why it cannot be read."""
    try:
        table = _read(path, without)
    except UNREADABLE as error:
        return _reason(error)
    reason = table.slice(0, 1)["reason"].to_pylist()[0]
    shown = pa.repeat(pa.scalar(reason and one_line(reason, MAX_REASON), pa.string()), len(table))
    # the schema has no dictionaries: what is one is decoded
    return table.set_column(table.column_names.index("reason"), "reason", shown).cast(ARROW_SCHEMA)


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
    return _read(path).slice(0, 1).to_pylist()[0]


def _read(path: Path, without: Collection[str] = ()) -> pa.Table:
    """Returns all rows of a file with the columns of today; raises one of UNREADABLE where it is not to be trusted.

    REPEATED columns are dictionary arrays, and so are WORDS where something is left out.

    Args:
        without: kinds of record to leave out; rows of single images are nine in ten of a training's.
    """
    size = path.stat().st_size
    if not path.is_file():  # a pipe would keep its reader waiting
        raise ResultsError("it is no file")
    if size > MAX_FILE_BYTES:
        raise ResultsError(f"{size} bytes, at most {MAX_FILE_BYTES >> 20} MiB are read")
    # ParquetFile, not read_table, which would read folder names as columns
    with pq.ParquetFile(path) as file:
        stored = set(file.schema_arrow.names)
    encoded = [name for name in (*REPEATED, *(WORDS if without else ())) if name in stored]
    with pq.ParquetFile(path, page_checksum_verification=True, read_dictionary=encoded) as file:
        rows = file.metadata.num_rows
        if rows > MAX_ROWS:
            raise ResultsError(f"{rows} rows, at most {MAX_ROWS} are read")
        # without threads of its own, since files are read side by side
        table = file.read(use_threads=False).unify_dictionaries()
    if len(table) != rows:  # checksums cover the pages, not the count of what is in them
        raise ResultsError(f"{len(table)} rows where it declares {rows}")
    table = up_to_date(table, encoded=encoded)
    if not without:
        check_contents(table, path)
        return table
    left_out = pc.is_in(table["record"], value_set=pa.array(list(without), pa.string()))
    kept = table.filter(pc.invert(left_out))
    check_contents(kept, path)
    check_rows(table.select([column.name for column in VALUES]).filter(left_out))
    check_same(table)
    return kept


def _reason(error: BaseException) -> str:
    return one_line(str(error) or type(error).__name__, 250)
