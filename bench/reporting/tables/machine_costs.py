"""What every model costs on the machine that ran, in plain columns: more than the paper's Table 1 prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from bench.replication.conditions import MARK, disturbance_of, disturbances, rounds_in_a_row
from bench.replication.scores import in_order_of_protocols
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
    "forward_device_ms": ("Forward, GPU's clock (ms)", 1, 2),
    "backward_ms": ("Backward (ms)", 1, 1),
    "backward_device_ms": ("Backward, GPU's clock (ms)", 1, 2),
    "forward_energy_j": ("Forward (J)", 1, 2),
    "process_baseline_mib": ("Process without a model (MiB)", 1, 0),
    "inference_peak_mib": ("Inference peak (MiB)", 1, 0),
    "training_peak_mib": ("Training peak (MiB)", 1, 0),
}


class CostTable(NamedTuple):
    """Headings, and a row of texts per model; `notes` say how each column was measured, `legend` what marks mean."""

    headings: list[str]
    rows: list[list[str]]
    notes: list[str]
    legend: str


def cost_table(results: pd.DataFrame, stale: Staleness = FRESH) -> CostTable | None:
    """Returns the costs in `results`, rows of one suite and profile; None where no cost trial is done.

    A cost that was measured under several protocols has a column for each. A time is shown as its centre [lower
    quartile to upper quartile], marked where something disturbed it. A model whose costs are stale has a mark.
    """
    done = results[results["status"] == "done"]
    found = in_order_of_protocols(done[done["record"] == "cost"].fillna({"protocol": ""}))
    if found.empty:
        return None
    columns = [
        (metric, str(protocol))
        for metric in COLUMNS
        for protocol in found.loc[found["metric"] == metric, "protocol"].unique()
    ]
    models = [model for model in MODEL_TITLES if model in set(found["model"])]
    titles = stale.titles(found)
    values = {
        (model, metric, protocol): float(value)
        for model, metric, protocol, value in found[["model", "metric", "protocol", "value"]].itertuples(index=False)
    }
    disturbed = _disturbed(done)
    rows = [[titles[model], *(_text(values, disturbed, model, *column) for column in columns)] for model in models]
    several = {metric for metric, _ in columns if sum(other == metric for other, _ in columns) > 1}
    headings = ["Model", *(_heading(metric, protocol if metric in several else "") for metric, protocol in columns)]
    notes = [f"{COLUMNS[metric][0]}: {'; '.join(p for m, p in columns if m == metric and p)}." for metric in COLUMNS
             if any(m == metric and p for m, p in columns)]  # fmt: skip
    notes += _conditions_note(done)
    legend = [stale.legend] if stale.holds(found["digest"]) else []
    legend += _disturbed_legend(disturbed)
    return CostTable(headings, rows, notes, " ".join(legend))


def _heading(metric: str, protocol: str) -> str:
    return COLUMNS[metric][0] + (f": {protocol}" if protocol else "")


def _disturbed_legend(disturbed: Mapping[tuple[str, str], str]) -> list[str]:
    """Returns one sentence for each way in which times were disturbed, with those that were."""
    models: dict[str, dict[str, list[str]]] = {}
    for (model, protocol), why in disturbed.items():
        models.setdefault(why, {}).setdefault(MODEL_TITLES.get(model, model), []).append(protocol)
    return [
        f"{MARK} While it was measured, {why}: "
        + ", ".join(f"{title} ({', '.join(sorted(protocols))})" for title, protocols in found.items())
        + "."
        for why, found in models.items()
    ]


def _disturbed(results: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Returns what disturbed a time, by model and protocol."""
    models = dict(zip(results["digest"], results["model"], strict=True))
    return {(str(models[digest]), protocol): why for (digest, protocol), why in disturbances(results).items()}


def _text(
    values: Mapping[tuple[str, str, str], float],
    disturbed: Mapping[tuple[str, str], str],
    model: str,
    metric: str,
    protocol: str,
) -> str:
    _, divisor, decimals = COLUMNS[metric]

    def shown(name: str) -> str:
        return f"{values[model, name, protocol] / divisor:,.{decimals}f}"

    if (model, metric, protocol) not in values:
        return "—"
    text = shown(metric)
    if {(model, f"{metric}_p25", protocol), (model, f"{metric}_p75", protocol)} <= values.keys():
        text += f" [{shown(f'{metric}_p25')} to {shown(f'{metric}_p75')}]"
    return f"{text} {MARK}" if disturbance_of(disturbed, model, metric, protocol) else text


def _conditions_note(results: pd.DataFrame) -> list[str]:
    """Returns the range of what the machine did besides, over all rounds."""
    rows = results[results["record"] == "condition"]
    parts = []
    for metric, title, scale, unit in (
        ("load_average", "load average", 1, ""),
        ("others_share", "processor time of other programs", 100, " %"),
        ("clock_mhz", "GPU clock", 1, " MHz"),
        ("temperature_c", "GPU temperature", 1, " °C"),
    ):
        of_metric = rows.loc[rows["metric"] == metric, "value"] * scale
        if len(of_metric):
            parts.append(f"{title} {of_metric.min():.3g} to {of_metric.max():.3g}{unit}")
    notes = [f"While time was measured: {', '.join(parts)}."] if parts else []
    if alone := rounds_in_a_row(results):
        names = ", ".join(MODEL_TITLES.get(model, model) for model in alone)
        notes.append(f"No other model had a round between those of {names}.")
    return notes
