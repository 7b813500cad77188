"""Which times, and energies, something disturbed while they were measured: other programs, heat, a warm-up without end.

A disturbed time is shown with its reason, never left out: whoever reads it decides. The conditions of every round are
stored beside the times (see profiling/conditions.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import pandas as pd

from bench.results.schema import TIMES

BUSY_SHARE = 0.05  # of all processors; a time moves by about as much as others take
MARK = "‡"
ENERGY = "forward_energy_j"

Key = tuple[str, str]  # digest of the trial (or the model, where each has one trial), timing protocol


def disturbances(results: pd.DataFrame) -> dict[Key, str]:
    """Returns what disturbed the rounds of a trial's timing protocol, in words; nothing for undisturbed ones.

    Args:
        results: rows in the columns of `bench.results.schema`, with those of record `condition`.
    """
    found: dict[Key, dict[str, None]] = {}
    rows = results[results["record"] == "condition"]
    for digest, protocol, metric, value in rows[["digest", "protocol", "metric", "value"]].itertuples(index=False):
        if reason := _reason(str(metric), float(value)):
            found.setdefault((str(digest), str(protocol)), {})[reason] = None
    return {key: "; ".join(reasons) for key, reasons in found.items()}


def disturbance_of(found: Mapping[Key, str], of: str, metric: str, protocol: str) -> str:
    """Returns what disturbed a cost `of` a trial or model, whichever `found` goes by; "" for nothing.

    Energy is the whole GPU's. Its passes have no conditions of their own, so whatever disturbed a time of its trial
    counts against it as well.
    """
    if metric == ENERGY:
        return "; ".join(dict.fromkeys(why for (trial, _), why in found.items() if trial == of))
    return found.get((of, protocol), "") if metric in TIMES else ""


def rounds_in_a_row(results: pd.DataFrame) -> list[str]:
    """Returns the models of which two interleaved rounds followed each other, in the order they occur.

    Rounds take turns with those of the other models of the same run. Where there were none, whatever drifted over the
    hours meets one model alone.

    Args:
        results: as for `disturbances`.
    """
    rows = results[(results["metric"] == "begun") & (results["protocol"] == "interleaved")].sort_values("value")
    models = rows["model"].tolist()
    return list(dict.fromkeys(model for model, following in pairwise(models) if model == following))


def _reason(metric: str, value: float) -> str:
    """Returns what a single condition says against a time; empty where it says nothing."""
    if metric == "others_share" and value > BUSY_SHARE:
        return f"other programs took more than {BUSY_SHARE * 100:g} % of the processors"
    if metric == "throttled" and value:
        return "heat or the power supply lowered the GPU's clock"
    if metric == "other_processes" and value:
        return "other processes used the GPU"
    if metric.endswith("_warmup_steady") and not value:
        return f"{metric.partition('_')[0]} passes were still getting faster"
    return ""
