"""Files of claims of a test's own, and results in memory to hold them against: every number is given by the test."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from results_factory import constants, selected

from bench.replication.claim_file import read_claims
from bench.replication.claim_form import Claim
from bench.results.schema import COLUMNS
from bench.results.store import PANDAS_TYPES
from bench.study.trials import Trial

T1 = {"table": "T1", "weighting": "natural_frequency", "split": "test", "metric": "mean_iou"}
BOUNDS = {"at_least", "above", "at_most", "below", "equals", "within"}


def claim(folder: Path, *tests: dict[str, Any], lists: Mapping[str, list[str]] | None = None, **more: Any) -> Claim:
    """Writes a file with one claim, and reads it."""
    bounded = any(BOUNDS & set(test) for test in tests)
    entry = {"section": "3.3", "statement": "One is better.", "tests": list(tests)} | more
    content = {"lists": dict(lists or {}), "claims": {"X-1": entry | ({"threshold": "ours"} if bounded else {})}}
    path = folder / "claims.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return read_claims(path)["X-1"]


def training(trial: Trial, scores: Mapping[str, float], refined: Mapping[str, float] | None = None, **columns: Any):
    """Returns the rows of a training.

    Args:
        scores: by "mean_iou" of the test split, "train mean_iou", "40K mean_iou" of a budget, "accuracy of Sky".
        refined: the same of its refined predictions.
        columns: what is the same in every row.
    """
    rows = [{"record": "outcome", "metric": "done", "value": 1.0}]
    for made, values in (("", scores), (trial.refinement, refined or {})):
        for name, value in values.items():
            where, _, metric = name.rpartition(" ")
            row = {"record": "score", "metric": metric, "split": "test", "iteration": selected(trial), "value": value}
            if where.endswith("of"):
                row |= {"record": "class_score", "metric": where.split()[0], "class_name": metric}
            elif where == "train":
                row["split"] = "train"
            elif where:
                row["iteration"] = trial.budgets[where]
            rows.append(row | {"refinement": made or None, "protocol": "paper" if metric == "boundary_f1" else None})
    return [constants(trial, device_name="a GPU", **columns) | row for row in rows]


def cost(trial: Trial, values: Mapping[str, float], busy: float = 0.0, **columns: Any):
    """Returns the rows of a cost trial.

    Args:
        values: by metric, or "training_peak_mib as resident_set, batch 4, 60x80"; "forward_ms" gives the interleaved
            median, and its quartiles if it has two further values.
        busy: the share of the processors that other programs took while times were measured.
    """
    rows = [{"record": "condition", "metric": "others_share", "protocol": "interleaved", "iteration": 1, "value": busy}]
    for name, value in values.items():
        metric, _, protocol = name.partition(" as ")
        timed = protocol or ("interleaved" if metric.partition("_ms")[1] else "x")
        rows.append({"record": "cost", "metric": metric, "protocol": timed, "value": value})
    same = {"device_name": "a GPU", "precision": "fp32", "threads": 1, "selected_iteration": None}
    return [constants(trial, **same | columns) | row for row in rows]


def time_of(metric: str, low: float, high: float) -> dict[str, float]:
    """Returns a time and its quartiles."""
    return {metric: (low + high) / 2, f"{metric}_p25": low, f"{metric}_p75": high}


def frame(*parts: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Returns rows as a results folder gives them."""
    rows = [row for part in parts for row in part]
    found = pd.DataFrame(rows, columns=[column.name for column in COLUMNS])
    found = found.astype(object).where(found.notna(), None)
    types = {column.name: PANDAS_TYPES[column.dtype] for column in COLUMNS}
    return found.astype(types)


NAN = math.nan
