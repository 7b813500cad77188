"""A tiny results frame in the stored columns: every number is given by the test."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from bench.results.schema import COLUMNS

DTYPES = {"string": "string", "int64": "Int64", "float64": "float64", "bool": "boolean"}
SELECTED = 200


class Results:
    """Collects rows; `frame` is what a results folder gives."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def training(
        self,
        model: str,
        weighting: str,
        scores: dict[tuple[str, str], float],
        *,
        seed: int = 0,
        digest: str = "",
        status: str = "done",
        profile: str = "mini",
        boundary: dict[str, float] | None = None,
        classes: dict[tuple[str, str, str], float] | None = None,
    ) -> Results:
        """Adds a trial with scores {(split, metric): value}, test BF {protocol: value} and class scores
        {(split, metric, class): value} at the selected iteration, and decoys before it."""
        trial = f"decoder-variants.{profile}.{model}.{weighting}.s{seed}"
        common = self._common(trial, digest or f"{model}-{weighting}-{seed}", model, profile, status)
        common |= {"kind": "training", "weighting": weighting, "seed": seed, "selected_iteration": SELECTED}
        rows: list[dict[str, Any]] = [{"record": "curve", "metric": "loss", "iteration": 1, "value": 2.0}]
        for (split, metric), value in scores.items():
            row = {"record": "score", "metric": metric, "split": split}
            rows.append(row | {"iteration": SELECTED - 100, "value": 0.01})
            rows.append(row | {"iteration": SELECTED, "value": value})
            rows.append(row | {"iteration": SELECTED, "value": 0.99, "split": "val"})
        for protocol, value in (boundary or {}).items():
            row = {"record": "score", "metric": "boundary_f1", "split": "test", "iteration": SELECTED}
            rows.append(row | {"protocol": protocol, "value": value})
        for (split, metric, name), value in (classes or {}).items():
            row = {"record": "class_score", "metric": metric, "split": split, "class_name": name}
            rows.append(row | {"iteration": SELECTED, "value": value})
        rows.append({"record": "outcome", "value": float(status == "done")})
        self.rows += [common | row for row in rows]
        return self

    def cost(self, model: str, values: dict[str, float], protocol: str = "steady", digest: str = "") -> Results:
        common = self._common(f"decoder-variants.mini.{model}.cost", digest or f"{model}-cost", model, "mini", "done")
        common |= {"kind": "cost", "weighting": None, "seed": None, "selected_iteration": None}
        for metric, value in values.items():
            self.rows.append(common | {"record": "cost", "metric": metric, "protocol": protocol, "value": value})
        return self

    @staticmethod
    def _common(trial: str, digest: str, model: str, profile: str, status: str) -> dict[str, Any]:
        return {
            "trial": trial, "digest": digest, "model": model, "profile": profile, "status": status,
            "suite": "decoder-variants", "device_name": "a processor", "started_at": "2026-01-02T03:04:05Z",
        }  # fmt: skip

    @property
    def frame(self) -> pd.DataFrame:
        frame = pd.DataFrame(self.rows, columns=[column.name for column in COLUMNS])
        return frame.astype({column.name: DTYPES[column.dtype] for column in COLUMNS})


@pytest.fixture
def results() -> Results:
    return Results()
