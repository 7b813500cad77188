"""Planned trials without a result that counts: not run, failed, or stored under other settings or source only."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from bench.errors import one_line
from bench.replication.check import TRIAL, Outcome, Place, Verdict
from bench.replication.scores import why_stale
from bench.results.changes import summary
from bench.study.catalog import refined
from bench.study.trials import Trial

NOT_RUN = "not run yet"
WITHOUT_RESULT: tuple[Outcome, ...] = ("failed", "stale", "missing")  # the worst first

Cell = tuple[str, str]  # row of a table, and loss weighting; "" for a cost


class State(NamedTuple):
    """Why there is no result, as a verdict and in words."""

    verdict: Outcome
    reason: str


def rows_of(trial: Trial) -> tuple[str, ...]:
    """Returns the rows of a table that a trial gives: its model, and its refined predictions."""
    return tuple(dict.fromkeys((trial.model, refined(trial.model, trial.refinement or ""))))


def cells_of(trial: Trial) -> list[Cell]:
    """Returns the cells that a trial gives numbers of."""
    return [(row, trial.weighting or "") for row in rows_of(trial)]


def states(results: pd.DataFrame, trials: Sequence[Trial]) -> dict[str, State]:
    """Returns the state of every planned trial that is not done, by its id.

    Args:
        results: rows of one suite and profile in the stored columns.
        trials: those that are planned of it.
    """
    first = results.drop_duplicates("digest")  # what is asked here is the same in every row of a file
    ended = {digest: why for digest, *why in first[["digest", "status", "reason"]].itertuples(index=False, name=None)}
    stale = why_stale(first, trials)
    found = {}
    for trial in trials:
        status, reason = ended.get(trial.digest, ("", None))
        if status == "done":
            continue
        if status:
            why = "" if pd.isna(reason) or not reason else f": {one_line(reason, 200)}"
            found[trial.id] = State("failed", f"{status}{why}")
        elif trial.id in stale:
            found[trial.id] = State("stale", f"changed since it ran: {summary(stale[trial.id])}")
        else:
            found[trial.id] = State("missing", NOT_RUN)
    return found


def empty_cells(trials: Sequence[Trial], found: Mapping[str, State]) -> dict[Cell, State]:
    """Returns the worst state of each cell none of whose trials is done."""
    of_cell: dict[Cell, list[State | None]] = {}
    for trial in trials:
        for cell in cells_of(trial):
            of_cell.setdefault(cell, []).append(found.get(trial.id))
    return {
        cell: min((state for state in of_trials if state), key=lambda state: WITHOUT_RESULT.index(state.verdict))
        for cell, of_trials in of_cell.items()
        if None not in of_trials
    }


def unfinished(trials: Sequence[Trial], found: Mapping[str, State], spoken_of: Collection[Cell]) -> list[Verdict]:
    """Returns a verdict for every planned trial without a result that no empty cell speaks of.

    Without them a seed that failed would leave the mean unnoticed, and so would a model that a reference has not.

    Args:
        trials: as planned.
        found: from `states`.
        spoken_of: cells that have a verdict which says that they are empty.
    """
    return [
        Verdict(
            place=Place(trial.model, trial.weighting or "", _seed(trial), TRIAL, "", "", ""),
            ours=None,
            reference=math.nan,
            difference=None,
            tolerance=math.nan,
            verdict=found[trial.id].verdict,
            n=0,
            reason=found[trial.id].reason,
        )
        for trial in trials
        if trial.id in found and (trial.model, trial.weighting or "") not in spoken_of
    ]


def _seed(trial: Trial) -> str:
    return "cost" if trial.seed is None else f"s{trial.seed}"
