"""What is compared, and what has to agree before it can be: numbers of ours with the machine that gave them.

A time or a peak of memory says something about a model only beside one of the same device, precision and number of
threads. Two processors of one name can differ in their instructions, so the variants of torch's kernels count as well.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import pandas as pd

from bench.replication.check import Place
from bench.replication.checkpoints import plain
from bench.replication.paper import TIME_PROTOCOLS
from bench.replication.scores import MACHINE_COSTS, budget_scores, class_scores, costs, scores
from bench.replication.statistics import Interval, t_interval
from bench.results.schema import COST_METRICS
from bench.study.tolerances import CLASS_METRIC

# Metrics that come out the same under whatever protocol they were recorded.
WITHOUT_PROTOCOL = {"parameters", "model_size_mb", "storage_multiplier"}

# Machines of the paper's measurements, by table: §3.3 and §6.
PAPER_MACHINES = {"T1": "an NVIDIA Titan with cuDNN v3", "T6": "a GPU that it does not name"}
PAPER_BATCHES = {"training_peak_mib": 4, "inference_peak_mib": 1}  # paper §6
NVIDIA_SMI = "device_process"  # the kind of memory that the paper's is


class Machine(NamedTuple):
    """What a time or a peak of memory depends on besides the program; "" where it is not known."""

    device_name: str = ""
    kernels: str = ""
    precision: str = ""
    threads: str = ""

    def differences(self, other: Machine) -> list[str]:
        """Returns what differs or is not known, ours first."""
        return [
            f"{name.removesuffix('_name')} {ours or 'unknown'} here, {theirs or 'unknown'} there"
            for name, ours, theirs in zip(self._fields, self, other, strict=True)
            if ours != theirs or not ours
        ]


class Measured(NamedTuple):
    """A number with what is behind it; `values` by seed, empty where they are not known."""

    value: float
    std: float = math.nan
    n: int = 1
    values: Mapping[int, float] = {}
    trials: tuple[str, ...] = ()
    machine: Machine = Machine()
    disturbance: str = ""  # of a time or an energy

    @property
    def interval(self) -> Interval | None:
        """That of the mean over seeds; None where fewer than two values give none."""
        return t_interval(list(self.values.values()))


def numbers(results: pd.DataFrame, digests: Collection[str] | None, classes: bool = False) -> dict[Place, Measured]:
    """Returns all that can be compared: scores, also at budgets, costs, and the test accuracy of each class if asked.

    Args:
        results: rows of one suite and profile in the stored columns.
        digests: those of the current trials; None takes every trial and insists that they do not conflict.
        classes: whether to take the accuracy of single classes too.

    Raises:
        ResultsError: as `bench.replication.scores.scores`.
    """
    found = numbers_of(scores(results, digests)) | numbers_of(budget_scores(results, digests))
    if classes:
        wanted = (results["metric"] == CLASS_METRIC) & (results["split"] == "test")
        found |= numbers_of(class_scores(results[wanted], digests))
    return found | numbers_of(costs(results, digests), _machines(results))


def numbers_of(frame: pd.DataFrame, machines: Mapping[str, Machine] | None = None) -> dict[Place, Measured]:
    """Returns the rows of a frame of `bench.replication.scores` by place; costs have no interval.

    Args:
        frame: with SCORE_COLUMNS, or COST_COLUMNS.
        machines: by digest of the trial, where the frame is one of costs.
    """
    found: dict[Place, Measured] = {}
    for row in frame.to_dict("records"):
        place = place_of(row)
        disturbance = row.get("disturbance") or ""
        of_cost = machines is not None
        found.setdefault(
            place,
            Measured(
                float(row["value"]),
                math.nan if of_cost else float(row["std"]),
                int(row["n"]),
                {} if of_cost else row["values"],
                tuple(row["trials"]),
                machines.get(row["trials"][0], Machine()) if machines is not None else Machine(),
                disturbance,
            ),
        )
    return found


def place_of(row: Mapping[Any, Any]) -> Place:
    """Returns where the number of a row stands; what comes out the same under every protocol has none."""
    place = Place(*(str(row[name]) for name in Place._fields))
    return place._replace(protocol="") if place.metric in WITHOUT_PROTOCOL else place


def other_machine(place: Place, ours: Measured, theirs: Measured) -> str:
    """Returns why a number of ours cannot be held against an earlier one; "" where it can."""
    if place.metric not in MACHINE_COSTS:
        return ""
    reasons = ours.machine.differences(theirs.machine)
    for at, side in (("", ours), ("in the reference ", theirs)):
        if side.disturbance:
            reasons.append(f"{at}disturbed: {side.disturbance}")
    return "; ".join(reasons)


def paper_machine(ours: Measured, table: str) -> str:
    """Returns why a time or a peak of memory cannot be held against the paper's."""
    disturbed = f"; disturbed: {ours.disturbance}" if ours.disturbance else ""
    device = ours.machine.device_name or "an unnamed device"
    return f"measured on {device}, the paper's on {PAPER_MACHINES[table]}{disturbed}"


def as_in_paper(found: Mapping[Place, Measured], place: Place, table: str, size: tuple[int, int]) -> Measured | None:
    """Returns the cost of ours that stands beside a printed one, which states no protocol in our words.

    That is the one measured under the table's protocol, or what comes nearest: another time, or a peak of memory of the
    same batch, that of the GPU's whole process first.

    Args:
        found: all costs.
        place: of the printed number, without protocol.
        table: which prints it.
        size: height and width at which time is measured, px.
    """
    candidates = {key.protocol: one for key, one in found.items() if key._replace(protocol="") == place}
    if place.metric in PAPER_BATCHES:
        batch = f"batch {PAPER_BATCHES[place.metric]}, {size[0]}x{size[1]}"
        wanted = [name for name in (f"{NVIDIA_SMI}, {batch}", *candidates) if name.endswith(batch)]
    else:
        wanted = [TIME_PROTOCOLS.get(table, "")]
    return next((candidates[name] for name in (*wanted, *candidates) if name in candidates), None)


def _machines(results: pd.DataFrame) -> dict[str, Machine]:
    """Returns the machine of each trial by digest."""
    first = plain(results.drop_duplicates("digest"))
    columns = (first[name] for name in Machine._fields)
    rows = zip(*columns, strict=True)
    return {
        digest: Machine(*("" if pd.isna(part) else str(part) for part in row))
        for digest, row in zip(first["digest"], rows, strict=True)
    }


def is_cost(place: Place) -> bool:
    """Whether a number is a cost, which is measured once and not once a seed."""
    return place.metric in COST_METRICS
