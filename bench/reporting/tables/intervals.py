"""The intervals behind a table, for formats in which a cell has no room for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bench.reporting.tables.cells import MISSING, Cell, Table, runs_label

READING = (
    "Intervals hold the mean over all seeds with 95 % confidence (Student's t, from two seeds on); in brackets: 95 % "
    "bootstrap over the test images of the first seed. n: seeds."
)


class IntervalRow(NamedTuple):
    """A model, and one text per column that has any interval."""

    title: str
    cells: tuple[str, ...]


class Intervals(NamedTuple):
    """The numbers of the columns that have an interval in some row, and the rows that have one in some column."""

    columns: tuple[int, ...]
    rows: tuple[IntervalRow, ...]


def intervals_of(table: Table, numbers: Sequence[int]) -> Intervals | None:
    """Returns the intervals behind some columns; None where no cell has any: single runs without counts of images."""
    columns = tuple(n for n in numbers if any(_known(row.cells[n]) for row in table.rows))
    rows = tuple(
        IntervalRow(row.title, tuple(_text(row.cells[n]) for n in columns))
        for row in table.rows
        if any(_known(row.cells[n]) for n in columns)
    )
    return Intervals(columns, rows) if columns else None


def _known(cell: Cell) -> bool:
    return cell.interval is not None or cell.images is not None


def _text(cell: Cell) -> str:
    if not cell.n:
        return MISSING
    over_seeds = f"{cell.between(cell.interval)}, n {cell.n}" if cell.interval else runs_label([cell.n])
    return over_seeds + (f" [{cell.between(cell.images)}]" if cell.images else "")
