"""What stands below a table: what its numbers mean, and where they were made in another way than the paper's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from bench.replication.conditions import MARK as DISTURBED
from bench.replication.paper import PaperTable
from bench.replication.scale import learning_rate_note
from bench.reporting.staleness import Staleness
from bench.reporting.tables.cells import Row
from bench.results.changes import json_object
from bench.study.catalog import MODEL_TITLES, VGG16_MODELS
from bench.study.trials import Trial

PROTOCOLS = {
    "paper": "predicted and labelled boundary pixels are matched one to one within 0.75 % of the image "
    "diagonal; a class counts in an image where it has a boundary in the labels or in the prediction",
    "distance": "a boundary pixel matches if one of the other map is within 0.75 % of the image diagonal; "
    "this gives higher values than the paper's one-to-one matching, so there is no difference to show",
}
BEST = "Bold: the best score of the column, of the paper's and of ours."


def protocol_note(protocol: str) -> str:
    """Returns what boundary F1 means under a protocol, in one sentence."""
    meaning = PROTOCOLS.get(protocol)
    return f"BF: boundary F1, protocol '{protocol}'" + (f": {meaning}." if meaning else ".")


def stale_notes(rows: Sequence[Row], stale: Staleness) -> tuple[str, ...]:
    """Returns what is to be said of stale values where a cell has one."""
    if not any(cell.stale for row in rows for cell in row.cells):
        return ()
    return (stale.legend, "A stale value is bold only where its column has no current one.")


def runs_notes(rows: Sequence[Row]) -> tuple[str, ...]:
    """Returns how many seeds are behind the numbers."""
    ns = {cell.n for row in rows for cell in row.cells if cell.n}
    if not ns:
        return ()
    if ns == {1}:
        return ("Ours: single run (one seed) per cell, so small differences between models mean nothing.",)
    return ("Ours: mean ± standard deviation over seeds; 'single run' where there is one seed.",)


def training_notes(results: pd.DataFrame, trials: Sequence[Trial], tables: Sequence[str]) -> tuple[str, ...]:
    """Returns in what the trainings depart from those of the paper's tables: initialisation, learning rate."""
    notes = (initialisation_note(results, trials), learning_rate_note(trials, tables))
    return tuple(note for note in notes if note)


def initialisation_note(results: pd.DataFrame, trials: Sequence[Trial]) -> str:
    """Returns what to say of encoders that do not start from ImageNet weights; empty where all do, or none could.

    Args:
        results: rows of one suite and profile; what was trained says what it started from
        trials: those that are planned, which say it where nothing has been trained yet
    """
    done = results[(results["kind"] == "training") & (results["status"] == "done")].drop_duplicates("digest")
    configs: list[dict[str, Any]] = [json_object(config) or {} for config in done["config"]]
    started = dict(zip(done["model"], configs, strict=True)) or {
        trial.model: {"pretrained": trial.pretrained} for trial in trials if trial.kind == "training"
    }
    started = {model: config for model, config in started.items() if model in VGG16_MODELS}
    without = [model for model, config in started.items() if not config.get("pretrained")]
    if not without:
        return ""
    names = "" if len(without) == len(started) else f" of {', '.join(MODEL_TITLES[model] for model in without)}"
    return (
        f"Initialisation: the encoders{names} start from He's initialisation, not from ImageNet weights as the "
        "paper's: a deviation."
    )


def machines_of(costs: pd.DataFrame) -> list[str]:
    """Returns the machines that some costs were measured on, each with its kernels, where they are known."""
    found = costs[["device_name", "kernels"]].fillna("").drop_duplicates().itertuples(index=False)
    return [(device or "an unnamed device") + (f" ({kernels})" if kernels else "") for device, kernels in found]


def time_notes(what: str, paper: PaperTable, times: pd.DataFrame, size: str) -> list[str]:
    """Returns how the paper's times and ours were measured, and what disturbed ours.

    Args:
        what: the name of the column
        paper: the table
        times: rows of a frame of `bench.replication.scores.costs`, those that are shown
        size: of the timed images, with what leads to it; may be empty
    """
    ours = {
        f"protocol {protocol}, {passes} passes{size}": " / ".join(machines_of(rows))
        for (protocol, passes), rows in times.groupby(["protocol", "passes"], sort=False)
    }
    measured = " / ".join(f"{how} on {where}" for how, where in ours.items()) or "not measured"
    notes = [f"{what}: the paper's is the {paper.notes['forward_ms']}; ours: {measured}."]
    if ours:
        notes.append("Times of two machines are two things, so there is no difference to show.")
    if disturbed := [why for why in dict.fromkeys(times["disturbance"]) if why]:
        notes.append(f"{DISTURBED} While the time was measured, {'; '.join(disturbed)}.")
    return notes
