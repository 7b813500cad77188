"""One results file: written whole and sealed, and read with as much proof as there is.

Rows of single images, nine in ten of a training's, are row groups of their own after that of all other rows, so that
scores are read without them. The seal (see seal.py) still covers them: whoever opens a file, for however few of its
rows, has all of its bytes proved. What the rows say is checked of those that are read. Files without a seal, which
older versions stored, are read and checked in full each time.

A small file can declare many rows, so their number is bounded. What could have more is refused before it is trained
(see running/most_rows.py), and not written.
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
from bench.results.trial_table import CODED_SCHEMA, is_of_images, rows_in, tables_of

# What reading a damaged file raises; a wrong page checksum is an OSError, text that is no UTF-8 a ValueError.
UNREADABLE = (OSError, ValueError, KeyError, MemoryError, pa.ArrowException, ResultsError)
MAX_FILE_BYTES = 256 << 20  # 8 for each of the rows below; random counts take 3
MAX_ROWS = 2_000_000  # but those of single images; without a seal, all. A training at the paper's scale has 0.4 million
MAX_IMAGE_ROWS = 1 << 25  # SUN RGB-D's 5050 test images have some 8 million at five points; a million takes 0.1 GB
# Columns that say the same in every row: read as they are stored, each text once, they take a fifth of the time.
REPEATED = [column.name for column in (*IDENTITY, *PROVENANCE) if column.dtype == "string"]
WORDS = [column.name for column in VALUES if column.dtype == "string"]  # that say what a row is
COUNT_COLUMNS = [*(column.name for column in VALUES), "selected_iteration"]


def write_trial(path: Path, constants: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes one trial's file: `constants` (identity and provenance) repeat in every row.

    Args:
        path: of the file.
        constants: by column.
        rows: by column, each one or many; see trial_table.py.

    Raises:
        ResultsError: the file cannot be written, or could not be read back; an older one of that name is untouched.
    """
    values = list(rows)
    known = {column.name for column in VALUES}
    assert set(constants) <= set(ARROW_SCHEMA.names) - known, set(constants) - set(ARROW_SCHEMA.names)
    assert all(known.issuperset(row) for row in values)
    of_images = sum(rows_in(row) for row in values if is_of_images(row))
    sink = pa.BufferOutputStream()
    try:
        _check_count(sum(map(rows_in, values)) - of_images, of_images)
        # page checksums are for readers that know no seal; the schema as text, not as the codes it is written from
        options = {"compression": "zstd", "write_page_checksum": True, "store_schema": False}
        with pq.ParquetWriter(sink, CODED_SCHEMA, **options) as writer:
            for table in tables_of(constants, values):
                writer.write_table(table, row_group_size=len(table))
        content = sealed(sink.getvalue().to_pybytes())
        _check_size(len(content))
    except ResultsError as error:
        raise ResultsError(f"'{path}' is not written, since it could not be read back: {error}") from None

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
    _check_size(size)
    content = path.read_bytes()
    is_sealed = has_seal(content)
    # ParquetFile, not read_table, which would read folder names as columns
    with pq.ParquetFile(pa.BufferReader(content)) as file:
        stored = set(file.schema_arrow.names)
    options = {"page_checksum_verification": True, "read_dictionary": [name for name in encoded if name in stored]}
    with pq.ParquetFile(pa.BufferReader(content), **options) as file:
        counts = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
        apart = 1 if is_sealed else None  # in files without a seal, rows of images are among the others
        _check_count(sum(counts[:apart]), sum(counts[len(counts) if apart is None else apart :]))
        groups = range(file.num_row_groups)[: None if images else apart]
        declared = sum(counts[number] for number in groups)
        # without threads of its own, since files are read side by side
        table = file.read_row_groups(list(groups), columns=columns, use_threads=False).unify_dictionaries()
    if len(table) != declared:  # checksums cover the pages, not the count of what is in them
        raise ResultsError(f"{len(table)} rows where it declares {declared}")
    return table


def _check_size(size: int) -> None:
    if size > MAX_FILE_BYTES:
        raise ResultsError(f"{size} bytes, at most {MAX_FILE_BYTES >> 20} MiB are read")


def _check_count(others: int, of_images: int) -> None:
    if others > MAX_ROWS:
        raise ResultsError(f"{others} rows, at most {MAX_ROWS} are read")
    if of_images > MAX_IMAGE_ROWS:
        raise ResultsError(f"{of_images} rows of single images, at most {MAX_IMAGE_ROWS} are read")


def _among(table: pa.Table, records: Collection[str]) -> pa.ChunkedArray:
    """Whether each row is one of some kinds of record."""
    return pc.is_in(table["record"], value_set=pa.array(list(records), pa.string()))
