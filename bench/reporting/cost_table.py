"""What every model costs on the machine that ran, in plain columns: more than the paper's Table 1 prints."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from bench.reporting.staleness import FRESH, Staleness
from bench.study.catalog import MODEL_TITLES

# Metric of a cost row: heading, divisor to the unit of the heading, decimals.
COLUMNS = {
    "parameters": ("Parameters (M)", 1e6, 3),
    "model_size_mb": ("Model size (MB)", 1, 2),
    "storage_multiplier": ("Storage multiplier, as printed", 1, 0),
    "stored_encoder_mib": ("Stored encoder information (MiB)", 1, 2),
    "forward_flops": ("Forward (GFLOP)", 1e9, 1),
    "forward_ms": ("Forward (ms)", 1, 1),
    "backward_ms": ("Backward (ms)", 1, 1),
    "inference_peak_mib": ("Inference peak (MiB)", 1, 0),
    "training_peak_mib": ("Training peak (MiB)", 1, 0),
}
TIMES = ("forward_ms", "backward_ms")


class CostTable(NamedTuple):
    """Headings, and a row of texts per model; `notes` say how each column was measured, `legend` what a mark means."""

    headings: list[str]
    rows: list[list[str]]
    notes: list[str]
    legend: str


def cost_table(results: pd.DataFrame, stale: Staleness = FRESH) -> CostTable | None:
    """Returns the costs in `results`, rows of one suite and profile; None where no cost trial is done.

    A time is shown as median [lower quartile to upper quartile]. A model whose costs are stale has a mark.
    """
    found = results[(results["record"] == "cost") & (results["status"] == "done")]
    if found.empty:
        return None
    first = found.drop_duplicates(["model", "metric"])
    values = {
        (str(model), str(metric)): float(value)
        for model, metric, value in first[["model", "metric", "value"]].itertuples(index=False)
    }
    models = [model for model in MODEL_TITLES if model in set(found["model"])]
    headings = ["Model", *(heading for heading, _, _ in COLUMNS.values())]
    titles = stale.titles(found)
    rows = [[titles[model], *(_text(values, model, metric) for metric in COLUMNS)] for model in models]
    protocols = first.dropna(subset="protocol").groupby("metric")["protocol"].unique()
    notes = [f"{COLUMNS[metric][0]}: {'; '.join(protocols[metric])}." for metric in COLUMNS if metric in protocols]
    return CostTable(headings, rows, notes, stale.legend if stale.holds(found["digest"]) else "")


def _text(values: dict[tuple[str, str], float], model: str, metric: str) -> str:
    _, divisor, decimals = COLUMNS[metric]

    def shown(name: str) -> str:
        return f"{values[model, name] / divisor:,.{decimals}f}"

    if (model, metric) not in values:
        return "—"
    if metric in TIMES and {(model, f"{metric}_p25"), (model, f"{metric}_p75")} <= values.keys():
        return f"{shown(metric)} [{shown(f'{metric}_p25')} to {shown(f'{metric}_p75')}]"
    return shown(metric)
