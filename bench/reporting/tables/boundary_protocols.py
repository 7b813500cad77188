"""Boundary F1 of one set of predictions under every stored protocol, so that a reader sees what the protocol does.

Rows are models, columns are protocols with `paper` first, and each loss weighting has a table of its own.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import pandas as pd

from bench.evaluation.boundary_scores import STORED
from bench.replication.scores import DEFAULT_PROTOCOL, scores
from bench.reporting.staleness import FRESH, Staleness
from bench.reporting.tables.beside_paper import Measured, measured_rows
from bench.reporting.tables.cells import Cell, Column, Place, Row, Table, with_best
from bench.study.catalog import ROW_TITLES, WEIGHTING_TITLES

SPLIT, UNIT, DECIMALS = "test", "percent", 2  # as the paper prints BF
READING = (
    "The same predictions, scored by every definition of boundary F1 that the trials stored. Only the protocol 'paper' "
    "may be compared with the paper's BF; values under two protocols do not compare."
)
EXPLAINED_BY = "bench explain metrics"


class BoundaryProtocols(NamedTuple):
    """One table per loss weighting, in `whole` all of them as sections of one; `absent` protocols no trial stored."""

    tables: tuple[Table, ...]
    whole: Table
    absent: tuple[str, ...]

    @property
    def left_out(self) -> str:
        """Names the protocols that no trial stored, in one sentence; empty where there are none."""
        return f"Not stored by any of these trials: {', '.join(self.absent)}." if self.absent else ""


def boundary_protocols(results: pd.DataFrame, notice: str = "", stale: Staleness = FRESH) -> BoundaryProtocols | None:
    """Returns boundary F1 of the test split under every protocol; None where no trial has stored any.

    Args:
        results: rows of one suite and profile in the stored columns, one configuration of each trial.
        notice: what to put on top, from `scale_notice`.
        stale: which results are to be marked as stale.
    """
    frames = [scores(results, protocol=protocol) for protocol in _protocols(results)]
    frames = [frame[(frame["metric"] == "boundary_f1") & (frame["split"] == SPLIT)] for frame in frames]
    frames = [known for frame in frames if len(known := frame[frame["weighting"].isin(list(WEIGHTING_TITLES))])]
    if not frames:
        return None
    found = pd.concat(frames, ignore_index=True)
    protocols = list(dict.fromkeys(found["protocol"]))
    weightings = [weighting for weighting in WEIGHTING_TITLES if weighting in set(found["weighting"])]
    whole = _table(found, weightings, protocols, notice, stale)
    tables: list[Table] = []
    for weighting in weightings:
        table = _table(found, [weighting], protocols, "" if tables else notice, stale)
        # once is enough where the tables follow each other, but each says that there is something to say
        above = " (not at the paper's scale, see above)" if notice and tables else ""
        title = f"{table.title}: {WEIGHTING_TITLES[weighting]}{above}"
        tables.append(replace(table, key=f"{table.key}_{weighting}", title=title))
    return BoundaryProtocols(tuple(tables), whole, tuple(name for name in STORED if name not in protocols))


def _protocols(results: pd.DataFrame) -> list[str]:
    """Returns the protocols of boundary F1 in the results: those that are known in their order, then others."""
    stored = set(results.loc[results["metric"] == "boundary_f1", "protocol"].dropna())
    known = [DEFAULT_PROTOCOL, *(name for name in STORED if name != DEFAULT_PROTOCOL)]
    return [*(name for name in known if name in stored), *sorted(stored - set(known))]


def _table(found: pd.DataFrame, weightings: list[str], protocols: list[str], notice: str, stale: Staleness) -> Table:
    """Returns the table of some weightings, one section each; `found` is a frame of `scores`."""
    keys = zip(found["model"], found["weighting"], found["protocol"], strict=True)
    cells = {key: _cell(measured, key) for key, measured in zip(keys, measured_rows(found, stale), strict=True)}
    columns = tuple(
        Column(_section(weighting), "", protocol, "boundary_f1", UNIT, weighting, SPLIT, protocol=protocol)
        for weighting in weightings
        for protocol in protocols
    )
    rows = [
        Row(model, title, "", tuple(cells.get((model, c.weighting, c.protocol), Cell()) for c in columns))
        for model, title in ROW_TITLES.items()
        if any(model == row_model and weighting in weightings for row_model, weighting, _ in cells)
    ]
    notes = _notes(rows, stale)
    title = "BF by protocol, test (%)"
    return Table("boundary_protocols", title, columns, with_best(rows, columns), notice, notes, beside_paper=False)


def _cell(measured: Measured, key: tuple[str, str, str]) -> Cell:
    model, weighting, protocol = key
    place = Place(model, weighting, SPLIT, "boundary_f1", "", "")
    return measured.within(Cell(decimals=DECIMALS, comparable=protocol == DEFAULT_PROTOCOL), UNIT, place)


def _notes(rows: list[Row], stale: Staleness) -> tuple[str, ...]:
    cells = [cell for row in rows for cell in row.cells if cell.n]
    spread = any(not math.isnan(cell.std) for cell in cells)
    notes = ["Bold: the best value of the column."]
    notes += ["Mean ± standard deviation over seeds, where there are several."] if spread else []
    notes += [stale.legend] if any(cell.stale for cell in cells) else []
    return tuple(notes)


def _section(weighting: str) -> str:
    title = WEIGHTING_TITLES[weighting]
    return title[:1].upper() + title[1:]
