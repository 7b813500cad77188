"""One results file: written whole and sealed, and read with as much proof as there is.

Rows of single images, nine in ten of a training's, are row groups of their own after that of all other rows, so that
scores are read without them. The seal (see seal.py) still covers them: whoever opens a file, for however few of its
rows, has all of its bytes proved. What the rows say is checked of those that are read. Files without a seal, which
older versions stored, are read and checked in full each time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench.atomic import write_atomically
from bench.errors import ResultsError
from bench.results.contents import check_contents, check_rows, check_same
from bench.results.migrations import ARROW_SCHEMA, up_to_date
from bench.results.schema import IDENTITY, IMAGE_RECORDS, PROVENANCE, VALUES
from bench.results.seal import has_seal, sealed

# What reading a damaged file raises; a wrong page checksum is an OSError, text that is no UTF-8 a ValueError.
UNREADABLE = (OSError, ValueError, KeyError, MemoryError, pa.ArrowException, ResultsError)
MAX_FILE_BYTES = 64 << 20  # a training at the paper's scale has 0.3 MiB
MAX_ROWS = 2_000_000  # and 0.1 million of them
# Columns that say the same in every row: read as they are stored, each text once, they take a fifth of the time.
REPEATED = [column.name for column in (*IDENTITY, *PROVENANCE) if column.dtype == "string"]
WORDS = [column.name for column in VALUES if column.dtype == "string"]  # that say what a row is
COUNT_COLUMNS = [*(column.name for column in VALUES), "selected_iteration"]


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
    sink = pa.BufferOutputStream()
    # page checksums are for readers that know no seal
    with pq.ParquetWriter(sink, ARROW_SCHEMA, compression="zstd", write_page_checksum=True) as writer:
        of_images = _among(table, IMAGE_RECORDS)
        for part in (table.filter(pc.invert(of_images)), table.filter(of_images)):
            if len(part):
                writer.write_table(part, row_group_size=MAX_ROWS)
    content = sealed(sink.getvalue().to_pybytes())

    def write(temporary: Path) -> None:
        temporary.write_bytes(content)

    write_atomically(path, write)


def read_rows(path: Path, without: Collection[str] = ()) -> pa.Table:
    """Returns the rows of a file with the columns of today; raises one of UNREADABLE where it is not to be trusted.

    REPEATED columns are dictionary arrays, and so are WORDS where something is left out.

    Args:
        path: of the file.
        without: kinds of record to leave out.
    """
    encoded = [*REPEATED, *(WORDS if without else ())]
    table = _read(path, encoded, images=not set(without).issuperset(IMAGE_RECORDS))
    table = up_to_date(table, encoded=encoded)
    left_out = _among(table, without)
    kept = table.filter(pc.invert(left_out)) if without else table
    check_contents(kept, path)
    if len(kept) < len(table):
        check_rows(table.select([column.name for column in VALUES]).filter(left_out))
        check_same(table)
    return kept


def read_count_rows(path: Path) -> pa.Table:
    """Returns all rows of a file that `read_rows` has accepted, those of single images included, in COUNT_COLUMNS.

    Text columns are dictionary arrays. Raises one of UNREADABLE where the file is not to be trusted.
    """
    table = _read(path, WORDS, columns=COUNT_COLUMNS)
    if "refinement" not in table.column_names:  # schema versions 1 and 2: nothing was refined
        table = table.append_column("refinement", pa.nulls(len(table), pa.string()).dictionary_encode())
    check_rows(table)
    return table


def _read(path: Path, encoded: Collection[str], images: bool = True, columns: list[str] | None = None) -> pa.Table:
    """Returns rows of a file as they are stored, its bytes proved; without those of images where they are apart."""
    size = path.stat().st_size
    if not path.is_file():  # a pipe would keep its reader waiting
        raise ResultsError("it is no file")
    if size > MAX_FILE_BYTES:
        raise ResultsError(f"{size} bytes, at most {MAX_FILE_BYTES >> 20} MiB are read")
    content = path.read_bytes()
    is_sealed = has_seal(content)
    # ParquetFile, not read_table, which would read folder names as columns
    with pq.ParquetFile(pa.BufferReader(content)) as file:
        stored = set(file.schema_arrow.names)
    options = {"page_checksum_verification": True, "read_dictionary": [name for name in encoded if name in stored]}
    with pq.ParquetFile(pa.BufferReader(content), **options) as file:
        if file.metadata.num_rows > MAX_ROWS:
            raise ResultsError(f"{file.metadata.num_rows} rows, at most {MAX_ROWS} are read")
        groups = range(file.num_row_groups)[: 1 if is_sealed and not images else None]
        declared = sum(file.metadata.row_group(number).num_rows for number in groups)
        # without threads of its own, since files are read side by side
        table = file.read_row_groups(list(groups), columns=columns, use_threads=False).unify_dictionaries()
    if len(table) != declared:  # checksums cover the pages, not the count of what is in them
        raise ResultsError(f"{len(table)} rows where it declares {declared}")
    return table


def _among(table: pa.Table, records: Collection[str]) -> pa.ChunkedArray:
    """Whether each row is one of some kinds of record."""
    return pc.is_in(table["record"], value_set=pa.array(list(records), pa.string()))
