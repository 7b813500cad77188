"""`bench check --exact`: did two runs of the same trials give the same numbers, bit for bit?

Every stored value counts, the training loss of each iteration and the pixels of each image included; only speed, times
and memory do not, which no machine measures twice alike. Where the two ran under conditions that change the last bits,
a difference would say nothing about the program, so the comparison is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from bench.errors import ResultsError
from bench.replication.scores import MACHINE_COSTS
from bench.results.changes import changes, summary
from bench.study.trials import Trial

CONDITIONS = (
    "device", "device_name", "threads", "kernels", "torch", "numpy", "precision", "channels_last", "determinism",
)  # fmt: skip
MEASURED_ANEW = ("pass", "condition")  # single times, and the machine's state meanwhile
PLACE = ("record", "metric", "split", "iteration", "protocol", "refinement", "class_name", "predicted_class", "image")


class Comparison(NamedTuple):
    """One trial on both sides; `detail` is where it differs first, or the side on which alone it is done."""

    trial: str
    state: Literal["identical", "differs", "missing"]
    values: int  # that were compared
    detail: str = ""


def compare_exactly(ours: pd.DataFrame, theirs: pd.DataFrame, trials: Sequence[Trial]) -> list[Comparison]:
    """Compares all values of each of `trials` that is done on at least one side, here (ours) or there (theirs).

    A trial that a side has in several configurations is taken in the present one, or else in its latest.

    Args:
        ours, theirs: all rows of one suite and profile, the per-image ones included.
        trials: as planned now.

    Raises:
        ResultsError: no trial is done on both sides, or one ran under other conditions or in another configuration.
    """
    done = {
        at: dict(list(rows[rows["status"] == "done"].groupby("trial")))
        for at, rows in (("here", ours), ("there", theirs))
    }
    compared, refused = [], []
    for trial in trials:
        sides = {at: _one_configuration(found[trial.id], trial) for at, found in done.items() if trial.id in found}
        if len(sides) == 1:
            compared.append(Comparison(trial.id, "missing", 0, f"done {next(iter(sides))} only"))
        elif sides and (obstacles := _obstacles(trial, sides)):
            refused.append(f"{trial.id} cannot be compared bit for bit: {'; '.join(obstacles)}")
        elif sides:
            compared.append(_compared(trial, sides["here"], sides["there"]))
    if refused:
        more = f" ({len(refused) - 1} more are refused)" if len(refused) > 1 else ""
        raise ResultsError(refused[0] + more)
    if not any(comparison.values for comparison in compared):
        raise ResultsError(
            f"nothing to compare: of {len(trials)} trials of suite {trials[0].suite}, profile {trials[0].profile}, "
            + ", ".join(f"{sum(trial.id in found for trial in trials)} are done {at}" for at, found in done.items())
            + " and none on both sides"
        )
    return compared


def _one_configuration(rows: pd.DataFrame, trial: Trial) -> pd.DataFrame:
    started = rows.assign(started_at=rows["started_at"].fillna("")).sort_values("started_at", kind="stable")
    digest = trial.digest if (rows["digest"] == trial.digest).any() else started["digest"].iloc[-1]
    return rows[rows["digest"] == digest]


def _obstacles(trial: Trial, sides: Mapping[str, pd.DataFrame]) -> list[str]:
    """Returns what else than the program can make the values of the two sides differ."""
    rows = {at: {str(column): rows[column].iloc[0] for column in rows} for at, rows in sides.items()}
    found = []

    def compare(column: str, *, may_be_unknown: bool) -> bool:
        values = [None if pd.isna(row[column]) else row[column] for row in rows.values()]
        if values[0] != values[1] or (None in values and not may_be_unknown):
            shown = ("unknown" if value is None else value for value in values)
            found.append(f"{column} " + ", ".join(f"{value} {at}" for value, at in zip(shown, rows, strict=True)))
        return values[0] == values[1]

    if not compare("digest", may_be_unknown=False):
        for at, row in rows.items():
            if row["digest"] != trial.digest:
                found.append(f"changed since the run {at}: {summary(changes(row, trial))}")
    for column in CONDITIONS:
        compare(column, may_be_unknown=False)
    compare("dataset_digest", may_be_unknown=True)  # a cost trial has no data
    for at, row in rows.items():
        if "(" in str(row["resumptions"]):  # in brackets is what had changed when the training was taken up again
            found.append(f"resumed {at} under other conditions: {row['resumptions']}")
    return found


def _compared(trial: Trial, ours: pd.DataFrame, theirs: pd.DataFrame) -> Comparison:
    here, there = _bits(ours), _bits(theirs)
    places = here | there
    different = [place for place in places if here.get(place) != there.get(place)]
    if not different:
        return Comparison(trial.id, "identical", len(places))
    first = different[0]
    where = " ".join(f"{name} {part}" for name, part in zip(PLACE, first, strict=False) if part is not None)
    values = f"{_number(here.get(first))} here, {_number(there.get(first))} there"
    determinism = ours["determinism"].iloc[0]
    hint = "" if determinism == "strict" else f"; determinism is {determinism}, only strict promises the same bits"
    detail = f"{where}: {values}; {len(different)} of {len(places)} values differ{hint}"
    return Comparison(trial.id, "differs", len(places), detail)


def _bits(rows: pd.DataFrame) -> dict[tuple[Any, ...], int]:
    """Returns the 64 bits of each value that can repeat, by PLACE and its number among those at the same place."""
    machine_cost = rows["metric"].str.replace(r"_(p25|p75|n)$", "", regex=True).isin(list(MACHINE_COSTS))
    speed = (rows["record"] == "curve") & (rows["metric"] == "images_per_s")
    rows = rows[~(speed | (rows["record"] == "cost") & machine_cost | rows["record"].isin(MEASURED_ANEW))]
    places = rows[list(PLACE)].astype(object).where(rows[list(PLACE)].notna(), None)
    numbers = places.groupby(list(PLACE), dropna=False).cumcount()
    values = rows["value"].to_numpy(dtype="float64", copy=True)
    values[np.isnan(values)] = np.nan  # one NaN is as good as another
    keys = zip(*(places[column] for column in PLACE), numbers, strict=True)
    return dict(zip(keys, values.view(np.int64).tolist(), strict=True))


def _number(bits: int | None) -> str:
    return "no value" if bits is None else repr(float(np.int64(bits).view(np.float64)))
