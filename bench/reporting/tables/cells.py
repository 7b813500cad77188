"""What a table of the report is made of: cells in the printed unit, columns with their headings, rows.

A difference is that of the two numbers as they are shown, so that a reader's own subtraction gives the same.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Literal, NamedTuple

from bench.replication.check import Verdict
from bench.replication.conditions import MARK as DISTURBED
from bench.replication.scores import DEFAULT_PROTOCOL
from bench.replication.statistics import Interval, t_interval
from bench.reporting.staleness import MARK

MISSING = "—"


class Place(NamedTuple):
    """Where a number of ours stands: coordinates of `bench.replication.scores`, the protocol aside."""

    model: str
    weighting: str
    split: str
    metric: str
    budget: str
    class_name: str


@dataclass(frozen=True)
class Cell:
    """One number of ours beside the paper's, both in the printed unit, and what is behind it."""

    paper: float | None = None
    ours: float | None = None  # None: no run; NaN: a run without a value
    std: float = math.nan  # over seeds
    n: int = 0
    decimals: int = 1
    printed: str = MISSING  # the paper's own text
    comparable: bool = True  # False: another definition than the paper's, so there is no difference
    best_paper: bool = False
    best_ours: bool = False
    stale: bool = False  # ours was measured under other settings or source than are planned now
    disturbance: str = ""  # ours is a time, and this got into it: other programs, heat or the like
    values: Mapping[int, float] = field(default_factory=dict)  # by seed
    images: Interval | None = None  # bootstrap over the test images of the first seed
    trials: tuple[str, ...] = ()  # digests
    place: Place | None = None  # None where a cell has nothing behind it to show
    verdict: Verdict | None = None  # against the paper; None where the paper has no such number

    @property
    def has_details(self) -> bool:
        """Whether there is more to know about it than the table shows."""
        return self.place is not None and (self.paper is not None or self.ours is not None)

    @property
    def interval(self) -> Interval | None:
        """The t interval of the mean over seeds; None of a single run."""
        return t_interval(list(self.values.values()))

    @property
    def difference(self) -> float | None:
        """Ours minus the paper's, of the numbers as shown."""
        if not self.comparable or self.paper is None or self.ours is None or math.isnan(self.ours):
            return None
        return round(self.ours, self.decimals) - self.paper

    @property
    def ours_text(self) -> str:
        """Our value, with its standard deviation where several seeds give one; marked where stale or disturbed."""
        if self.ours is None or math.isnan(self.ours):
            return MISSING
        marks = (MARK if self.stale else "") + (DISTURBED if self.disturbance else "")
        return self.number_text + (f" {marks}" if marks else "")

    @property
    def number_text(self) -> str:
        """Our value, with its standard deviation where several seeds give one."""
        if self.ours is None or math.isnan(self.ours):
            return MISSING
        return f"{self.ours:.{self.decimals}f}" + ("" if math.isnan(self.std) else f" ± {self.std:.{self.decimals}f}")

    @property
    def difference_text(self) -> str:
        """The difference with its sign; "0.0" has none."""
        if self.difference is None:
            return MISSING
        text = f"{abs(self.difference):.{self.decimals}f}"
        if not float(text):
            return text
        return ("+" if self.difference > 0 else "−") + text

    def between(self, interval: Interval | None) -> str:
        """Returns "35.1 to 37.4", with as many decimals as the value has; a dash where there is no interval."""
        if interval is None:
            return MISSING
        return " to ".join(f"{end:.{self.decimals}f}".replace("-", "−") for end in interval)


@dataclass(frozen=True)
class Column:
    """What the cells of a column hold, and its headings from the outside in: section, span, title."""

    section: str
    span: str  # "test", "train" or ""
    title: str
    metric: str
    unit: str  # a key of STORED_PER_PRINTED
    weighting: str = ""
    split: str = ""
    class_name: str = ""
    protocol: str = ""
    budget: str = ""  # a fixed point of the training; "": the checkpoint that is reported

    @property
    def heading(self) -> str:
        """Span and title in one line, for formats that have one line of headings below a section's."""
        return f"{self.span} {self.title}".strip()


@dataclass(frozen=True)
class Row:
    """One model; `cells` stand in the order of the table's columns."""

    model: str
    title: str
    group: str
    cells: tuple[Cell, ...]
    weighting: str = ""  # where it is another one than its columns have
    sides: Literal["both", "paper", "ours"] = "both"  # "paper": a method that we do not run; "ours": not in its table


@dataclass(frozen=True)
class Table:
    """A table that is ready to be written in any format."""

    key: str  # "T1"; also fit for a file name
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notice: str = ""  # stands on top, whatever the format
    notes: tuple[str, ...] = ()
    beside_paper: bool = True  # False: the cells are ours alone
    stacked: bool = False  # the sections stand below each other, because side by side they are too wide

    def sections(self) -> dict[str, list[int]]:
        """Returns the numbers of the columns of each section, in order."""
        found: dict[str, list[int]] = {}
        for number, column in enumerate(self.columns):
            found.setdefault(column.section, []).append(number)
        return found

    def sides(self, row: Row) -> str:
        """Returns whose numbers the cells of a row show: both, paper or ours."""
        return row.sides if self.beside_paper else "ours"

    def bands(self) -> list[list[int]]:
        """Returns the numbers of the columns that stand side by side."""
        return list(self.sections().values()) if self.stacked else [list(range(len(self.columns)))]

    def runs(self, row: Row, columns: Collection[int]) -> str:
        """Returns how many runs stand behind a row's scores in some columns: "single run", "mean of 3 runs"."""
        if row.sides == "paper":
            return "the paper's alone"
        scored = [row.cells[number].n for number in columns if self.columns[number].weighting]
        if not scored:
            return "measured once" if any(row.cells[number].n for number in columns) else "not run"
        return runs_label(scored)

    def address(self, row: Row, column: Column) -> str:
        """Returns a name for one cell that links lead to; it stays the same as long as the table has the cell."""
        weighting = (row.weighting or column.weighting) if column.weighting else ""
        protocol = "" if column.protocol == DEFAULT_PROTOCOL else column.protocol
        place = (column.split, column.budget, column.class_name, column.metric, protocol)
        return "-".join(["cell", *(_in_address(part) for part in (self.key, row.model, weighting, *place) if part)])

    def with_cells(self, change: Callable[[Cell, Column], Cell]) -> Table:
        """Returns the table with every cell changed; `change` takes it and its column."""
        return replace(
            self,
            rows=tuple(replace(row, cells=tuple(map(change, row.cells, self.columns))) for row in self.rows),
        )

    def groups(self) -> list[tuple[str, list[Row]]]:
        """Returns the rows under each heading, in order."""
        return [(group, list(rows)) for group, rows in groupby(self.rows, key=lambda row: row.group)]


def _in_address(text: str) -> str:
    """Returns text without what an address cannot hold; a digest tells apart what would then be the same."""
    plain = re.sub(r"[^A-Za-z0-9_.]+", "_", text)
    return plain if plain == text else f"{plain}_{zlib.crc32(text.encode('utf-8', 'replace')):08x}"


def runs_label(counts: Collection[int]) -> str:
    """Returns "single run" and the like for the numbers of runs behind some cells."""
    counts = [count for count in counts if count]
    if not counts:
        return "not run"
    low, high = min(counts), max(counts)
    if low < high:
        return f"{low} to {high} runs"
    return "single run" if high == 1 else f"mean of {high} runs"


def with_best(rows: Sequence[Row], columns: Sequence[Column]) -> tuple[Row, ...]:
    """Returns the rows with the best score of each column marked; a cost has no best, nor has a lone value.

    Stale values stand back where a column has any that is current.
    """
    cells = [list(row.cells) for row in rows]
    for number, column in enumerate(columns):
        if not column.weighting:
            continue
        papers = [row[number].paper for row in cells]
        current = any(row[number].n and not row[number].stale for row in cells)
        ours = [None if current and row[number].stale else _as_shown(row[number]) for row in cells]
        for row, paper, our in zip(cells, papers, ours, strict=True):
            row[number] = replace(row[number], best_paper=_is_best(paper, papers), best_ours=_is_best(our, ours))
    return tuple(replace(row, cells=tuple(marked)) for row, marked in zip(rows, cells, strict=True))


def _as_shown(cell: Cell) -> float | None:
    return None if cell.ours is None or math.isnan(cell.ours) else round(cell.ours, cell.decimals)


def _is_best(value: float | None, values: Sequence[float | None]) -> bool:
    known = [other for other in values if other is not None]
    return value is not None and len(known) > 1 and value == max(known)
