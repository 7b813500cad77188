"""Reads results of every version of the columns as those of today, and names the versions that it cannot read.

A file is never rewritten: its columns are brought up to date in memory, step by step, each time it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import pyarrow as pa
import pyarrow.compute as pc

from bench.errors import ResultsError
from bench.results.schema import COLUMNS, IDENTITY, SCHEMA_VERSION

ARROW_TYPES = {"string": pa.string(), "int64": pa.int64(), "float64": pa.float64(), "bool": pa.bool_()}
ARROW_SCHEMA = pa.schema([(column.name, ARROW_TYPES[column.dtype]) for column in COLUMNS])
NEVER_NULL = ("record", "status", *(column.name for column in IDENTITY if column.name not in ("weighting", "seed")))


def _to_2(table: pa.Table) -> pa.Table:
    """Adds what version 1 did not record, as null."""
    for name in ("determinism", "resumptions", "sources", "protocols", "kernels"):
        table = table.append_column(name, pa.nulls(len(table), pa.string()))
    return table


def _to_3(table: pa.Table) -> pa.Table:
    """Adds what version 2 did not have: nothing was refined."""
    return table.append_column("refinement", pa.nulls(len(table), pa.string()))


# Version of a file: the step to the next one. Whoever raises SCHEMA_VERSION adds a line.
STEPS: dict[int, Callable[[pa.Table], pa.Table]] = {1: _to_2, 2: _to_3}


def up_to_date(table: pa.Table, encoded: Collection[str] = ()) -> pa.Table:
    """Returns a results file with exactly the columns and types of the schema; `schema_version` stays as stored.

    Args:
        table: as read.
        encoded: columns of text that may stay dictionary arrays.

    Raises:
        ResultsError: it is no results file, or of a version that this program does not know; one line that says
            what to do.
    """
    for version in range(version_of(table), SCHEMA_VERSION):
        table = STEPS[version](table)
    missing = [name for name in ARROW_SCHEMA.names if name not in table.column_names]
    if missing:
        raise ResultsError(f"no results file of this program, column '{missing[0]}' is missing")
    table = table.select(ARROW_SCHEMA.names)
    if not _decoded(table.schema, encoded).equals(ARROW_SCHEMA):
        try:
            table = table.cast(ARROW_SCHEMA)
        except (pa.ArrowException, ValueError) as error:
            raise ResultsError(f"its columns have other types than `bench list --columns` says: {error}") from None
    empty = [name for name in NEVER_NULL if table[name].null_count]
    if empty:
        raise ResultsError(f"no results file of this program, column '{empty[0]}' has rows without a value")
    return table


def _decoded(schema: pa.Schema, encoded: Collection[str]) -> pa.Schema:
    """Returns the schema with the type of the values in place of that of a dictionary of them."""

    def type_of(field: pa.Field) -> pa.DataType:
        decode = field.name in encoded and pa.types.is_dictionary(field.type)
        return field.type.value_type if decode else field.type

    return pa.schema([(field.name, type_of(field)) for field in schema])


def version_of(table: pa.Table) -> int:
    """Returns the version of the columns of a results file.

    Raises:
        ResultsError: none, several, a newer or an unknown one.
    """
    if "schema_version" not in table.column_names:
        raise ResultsError("no results file of this program, column 'schema_version' is missing")
    found = set(pc.unique(table["schema_version"]).to_pylist())
    version = found.pop() if len(found) == 1 else None
    if type(version) is int and version > SCHEMA_VERSION:
        raise ResultsError(
            f"schema version {version} is newer than {SCHEMA_VERSION}, which this bench reads; update it"
        )
    if version not in (*STEPS, SCHEMA_VERSION):
        known = ", ".join(str(number) for number in (*STEPS, SCHEMA_VERSION))
        got = "several schema versions" if found else f"schema version {version}"
        raise ResultsError(f"{got}, known are {known}; it may be damaged, or of another program")
    return int(version)
