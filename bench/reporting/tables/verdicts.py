"""Puts what is known of a table's numbers into its cells: their verdicts against the paper, their image intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from bench.errors import ConfigError
from bench.replication.check import TRIAL, Verdict
from bench.replication.scores import DEFAULT_PROTOCOL
from bench.replication.statistics import Interval
from bench.replication.verdicts import verdicts_of
from bench.reporting.tables.cells import Cell, Column, Place, Table
from bench.reporting.verdict_marks import OF_NUMBERS, Mark, counted
from bench.study.config import Study
from bench.study.trials import Trial

# From "ID-DIGEST" of a training to the intervals of its test scores, by metric and class ("": over all classes).
ReadIntervals = Callable[[str], Mapping[tuple[str, str], Interval]]
ImageIntervals = Mapping[tuple[str, str, str], Interval]  # by model, weighting and metric


class PaperVerdicts(NamedTuple):
    """The verdicts of a suite and profile against the paper; `problem` says why there are none, where that is so."""

    verdicts: tuple[Verdict, ...] = ()
    problem: str = ""

    @property
    def by_place(self) -> dict[Place, Verdict]:
        """The verdicts by the places of cells."""
        return {Place(*verdict.place[: len(Place._fields)]): verdict for verdict in self.verdicts}

    @property
    def counts(self) -> list[Mark]:
        """How many numbers have each verdict."""
        return counted((verdict.verdict for verdict in self.verdicts), OF_NUMBERS)


def paper_verdicts(rows: pd.DataFrame, trials: Sequence[Trial], study: Study) -> PaperVerdicts:
    """Returns the verdicts on every number that the paper's tables of a suite print.

    Args:
        rows: of one suite and profile in the stored columns, stale ones too.
        trials: those that are planned.
        study: for its tolerances.

    Edge cases:
        A suite that has no table of the paper has no verdicts; a study without tolerances for the profile says so.
    """
    if not study.suites[trials[0].suite].tables:
        return PaperVerdicts()
    try:
        found = verdicts_of(rows, trials, study, "paper", Path())
    except ConfigError as error:
        return PaperVerdicts(problem=f"No number has a verdict: {error}")
    return PaperVerdicts(tuple(verdict for verdict in found if verdict.metric != TRIAL))


def with_verdicts(table: Table, verdicts: Mapping[Place, Verdict]) -> Table:
    """Returns a table whose cells beside the paper's numbers have their verdicts."""

    def judged(cell: Cell, column: Column) -> Cell:
        found = verdicts.get(cell.place) if cell.place and cell.paper is not None else None
        return replace(cell, verdict=found)

    return table.with_cells(judged) if table.beside_paper else table


def with_image_intervals(table: Table, intervals: ImageIntervals) -> Table:
    """Returns a table whose scores of the test split at the reported checkpoint have their bootstrap intervals.

    Args:
        intervals: over the test images, in fractions.
    """

    def spread(cell: Cell, column: Column) -> Cell:
        place = cell.place
        reported = place and (place.split, place.budget, place.class_name) == ("test", "", "")
        if not place or not reported or column.protocol not in ("", DEFAULT_PROTOCOL):
            return cell
        found = intervals.get((place.model, place.weighting, place.metric))
        # scores are printed in percent
        return replace(cell, images=Interval(100 * found.low, 100 * found.high)) if found and cell.n else cell

    return table.with_cells(spread)


def image_intervals(rows: pd.DataFrame, read: ReadIntervals | None) -> ImageIntervals:
    """Returns the bootstrap intervals of the first seed of every model and loss weighting.

    Args:
        rows: those that are shown, in the stored columns.
        read: gives those of one training; {} for one whose counts of images cannot be read. None: there are none.
    """
    if read is None:
        return {}
    done = rows[(rows["status"] == "done") & (rows["kind"] == "training")].drop_duplicates("digest")
    first = done.sort_values("seed").drop_duplicates(["model", "weighting"])
    keys = first[["model", "weighting", "trial", "digest"]].itertuples(index=False, name=None)
    return {
        (model, weighting, metric): interval
        for model, weighting, trial, digest in keys
        for (metric, class_name), interval in read(f"{trial}-{digest}").items()
        if not class_name
    }
