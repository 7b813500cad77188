"""From the rows that a trial measured to the tables that its file is made of, each text once however many rows hold it.

A row maps names of VALUES to what it holds. One whose value is an array of n numbers stands for n rows: what else it
holds is the same in all of them, or a text of each, as {"codes": (n,) places among the texts, "texts": the few}. A
training on thousands of images has millions of rows of single images, and only as arrays do they fit into memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from bench.results.migrations import ARROW_SCHEMA
from bench.results.schema import IMAGE_RECORDS, VALUES

ROWS_AT_ONCE = 1 << 20  # of single images, in a table; with all columns they take 0.1 GB
CODED = pa.dictionary(pa.int32(), pa.string())
# What is written: parquet stores codes and texts as it stores text, and readers see text.
CODED_SCHEMA = pa.schema([(one.name, CODED if one.type == pa.string() else one.type) for one in ARROW_SCHEMA])

Row = Mapping[str, Any]


def rows_in(row: Row) -> int:
    """Returns for how many rows one stands."""
    return len(row["value"]) if _is_many(row) else 1


def is_of_images(row: Row) -> bool:
    """Whether it is of single images."""
    return row.get("record") in IMAGE_RECORDS


def tables_of(constants: Row, rows: Sequence[Row]) -> Iterator[pa.Table]:
    """Gives tables in CODED_SCHEMA: all other rows first, in one, then those of single images, ROWS_AT_ONCE in each.

    Args:
        constants: what is the same in all rows, by column.
        rows: as this file's first lines say; columns that a row does not name are null.
    """
    others = [row for row in rows if not is_of_images(row)]
    if others:
        yield _whole(constants, pa.concat_tables([_single([]), *_parts(others)]))
    waiting: list[pa.Table] = []
    for part in _parts([row for row in rows if is_of_images(row)]):
        waiting.append(part)
        while sum(map(len, waiting)) >= ROWS_AT_ONCE:
            table = pa.concat_tables(waiting)
            yield _whole(constants, table.slice(0, ROWS_AT_ONCE))
            waiting = [table.slice(ROWS_AT_ONCE)]
    if any(map(len, waiting)):
        yield _whole(constants, pa.concat_tables(waiting))


def _is_many(row: Row) -> bool:
    return getattr(row.get("value"), "ndim", 0) == 1


def _parts(rows: Sequence[Row]) -> Iterator[pa.Table]:
    """Gives the columns VALUES of some rows, in their order."""
    waiting: list[Row] = []
    for row in rows:
        if not _is_many(row):
            waiting.append(row)
            continue
        if waiting:
            yield _single(waiting)
            waiting = []
        yield _many(row)
    if waiting:
        yield _single(waiting)


def _single(rows: Sequence[Row]) -> pa.Table:
    columns = [(one.name, CODED_SCHEMA.field(one.name).type) for one in VALUES]
    return pa.table({name: pa.array([row.get(name) for row in rows], kind) for name, kind in columns})


def _many(row: Row) -> pa.Table:
    count = rows_in(row)
    columns = {one.name: _repeated(one.name, None, count) for one in VALUES}
    for name, held in row.items():
        if name == "value":
            columns[name] = pa.array(np.asarray(held).astype(np.float64))
        elif isinstance(held, Mapping):
            codes = pa.array(np.asarray(held["codes"]).astype(np.int32))
            columns[name] = pa.DictionaryArray.from_arrays(codes, pa.array(held["texts"], pa.string()))
        else:
            columns[name] = _repeated(name, held, count)
    return pa.table(columns)


def _whole(constants: Row, values: pa.Table) -> pa.Table:
    """Returns all columns of some rows; each has one dictionary, since parquet would write plain text after another."""
    columns = {
        name: values[name] if name in values.column_names else _repeated(name, constants.get(name), len(values))
        for name in CODED_SCHEMA.names
    }
    return pa.table(columns, schema=CODED_SCHEMA).unify_dictionaries()


def _repeated(name: str, held: object, count: int) -> pa.Array:
    kind = CODED_SCHEMA.field(name).type
    if held is None:
        return pa.nulls(count, kind)
    if kind == CODED:
        return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array([held], pa.string()))
    return pa.repeat(pa.scalar(held, kind), count)
