"""What the paper's tables with ours beside them share: which number stands in a cell, beside which of the paper's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import pandas as pd

from bench.replication.paper import STORED_PER_PRINTED, Address, PaperTable
from bench.replication.scores import DEFAULT_PROTOCOL
from bench.reporting.staleness import Staleness
from bench.reporting.tables.cells import MISSING, Cell, Column, Place, Row
from bench.results.schema import TIMES
from bench.study.catalog import ROW_TITLES, refined
from bench.study.trials import Trial

# Decimals where the paper prints no number; 1 for all others.
DECIMALS = {"parameters": 3, "storage_multiplier": 0, "boundary_f1": 2}
NOT_IN_PAPER = "not in the paper's table"


@dataclass(frozen=True)
class Measured:
    """A number of ours, in stored units."""

    value: float
    std: float
    n: int
    stale: bool = False
    disturbance: str = ""
    values: Mapping[int, float] = field(default_factory=dict)  # by seed
    trials: tuple[str, ...] = ()

    def within(self, cell: Cell, unit: str, place: Place | None = None) -> Cell:
        """Returns a cell with this number in it, in the printed unit."""
        scale = STORED_PER_PRINTED[unit]
        return replace(
            cell,
            ours=self.value / scale,
            std=self.std / scale,
            n=self.n,
            stale=self.stale,
            disturbance=self.disturbance,
            values={seed: value / scale for seed, value in self.values.items()},
            trials=self.trials,
            place=place or cell.place,
        )


@dataclass(frozen=True)
class RowKey:
    """Which row of the paper stands beside which model and weighting of ours."""

    row: str  # of the paper's table; "" where it has none
    model: str  # key of ROW_TITLES
    title: str
    group: str
    weighting: str = ""  # of its scores


@dataclass(frozen=True)
class TableSource:
    """What the tables of a report are filled from.

    Attributes:
        results: rows of one suite and profile in the stored columns, one configuration of each trial.
        trials: those that are planned.
        tables: the keys of the suite's tables.
        notice: what to put on top, from `scale_notice`.
        stale: which results are to be marked as stale.
    """

    results: pd.DataFrame
    trials: Sequence[Trial]
    tables: Sequence[str]
    notice: str
    stale: Staleness

    @property
    def rows(self) -> list[str]:
        """The rows that the planned trials give: their models, and refined predictions, each once."""
        trained = [key for trial in self.trials for key in (trial.model, refined(trial.model, trial.refinement or ""))]
        return [row for row in ROW_TITLES if row in trained]


def measured_rows(frame: pd.DataFrame, stale: Staleness) -> list[Measured]:
    """Returns what a frame of `bench.replication.scores` holds, row by row."""
    disturbed = frame["disturbance"].fillna("") if "disturbance" in frame else [""] * len(frame)
    columns = (frame[name] for name in ("value", "std", "n", "trials", "values"))
    return [
        Measured(float(value), float(std), int(n), stale.holds(trials), str(why), values, tuple(trials))
        for value, std, n, trials, values, why in zip(*columns, disturbed, strict=True)
    ]


def by_place(frame: pd.DataFrame, stale: Staleness) -> dict[Place, Measured]:
    """Returns what was measured by place; `frame` is one of `bench.replication.scores`."""
    places = zip(*(frame[name] for name in Place._fields), strict=True)
    return {Place(*place): found for place, found in zip(places, measured_rows(frame, stale), strict=True)}


def cell_at(
    paper: PaperTable | None,
    key: RowKey,
    column: Column,
    measured: Mapping[Place, Measured],
    decimals: int | None = None,
) -> Cell:
    """Returns the paper's number and ours of a row in a column; `decimals` of ours where the paper has no number."""
    weighting = key.weighting if column.weighting and key.weighting else column.weighting
    address = Address(key.row, column.metric, weighting, column.split, column.budget, column.class_name)
    target = paper.target(address) if paper else None
    printed = paper.printed.get(address, MISSING) if paper else MISSING
    if decimals is None or target:
        decimals = target.decimals if target else DECIMALS.get(column.metric, 1)
    comparable = column.protocol in ("", DEFAULT_PROTOCOL) and column.metric not in TIMES  # of another machine
    place = Place(key.model, weighting, column.split, column.metric, column.budget, column.class_name)
    number = target.value if target else None
    cell = Cell(number, decimals=decimals, printed=printed, comparable=comparable, place=place)
    return measured[place].within(cell, column.unit) if place in measured else cell


def row_of(key: RowKey, cells: Sequence[Cell], weighting: str = "") -> Row:
    """Returns a row of a table; `weighting` is that of its columns."""
    other = key.weighting if key.weighting != weighting else ""
    sides: Literal["both", "paper", "ours"] = "both" if key.row else "ours"
    return Row(
        key.row or key.model, key.title, key.group, tuple(cells), other, sides if key.model in ROW_TITLES else "paper"
    )


def weighting_of(paper: PaperTable, row: str) -> str:
    """Returns the loss weighting of the scores in a row of the paper; "" where it has none, or several."""
    found = {address.weighting for address in paper.printed if address.row == row and address.weighting}
    return found.pop() if len(found) == 1 else ""


def decimals_of(paper: PaperTable, metric: str) -> int:
    """Returns how many decimals the paper prints of a metric, where it prints most."""
    return max(len(text.partition(".")[2]) for address, text in paper.printed.items() if address.metric == metric)


def capitalised(text: str) -> str:
    """Returns text with a capital at its start."""
    return text[:1].upper() + text[1:]


def spaced(number: int) -> str:
    """Returns 10 000 with a space, which every format can write."""
    return f"{number:_}".replace("_", " ")
