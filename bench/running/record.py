"""Runs a trial in this process and writes its results file: identity, provenance and rows."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from bench.data import dataset_of
from bench.errors import DivergedError
from bench.results.provenance import environment, source_columns
from bench.results.store import panels_path, path_of, predictions_path
from bench.results.trial_file import write_trial
from bench.running.checkpoints import checkpoints_of
from bench.running.control import Control, Report
from bench.running.cost_trial import run_cost
from bench.running.device import decides_bits, device_name, kernels
from bench.running.training_trial import run_training
from bench.study.trials import Trial


def run_and_record(
    trial: Trial, device: str, threads: int, results: Path, report: Report, control: Control | None = None
) -> bool:
    """Runs `trial`, from its last checkpoint where there is one, and writes its file and pictures.

    Returns: whether it is done; False after a turn of a cost trial that has more of them, of which no file is written.

    Raises:
        Interrupted: `control` asked to stop; the training is saved, no file is written.
        BenchError: the trial diverged, its data is damaged, or its file cannot be written; no file is written.
    """
    where = environment() | machine(trial, device, threads)
    place = torch.device(device)
    checkpoints = checkpoints_of(results, trial, decides_bits(place, threads))
    if trial.kind == "cost":
        measured = run_cost(trial, place, report, checkpoints)
        if measured is None:
            return False
        rows = measured
    else:
        try:
            rows = run_training(trial, place, report, control, checkpoints)
        except DivergedError:
            checkpoints.clear()  # going on from them would end the same way
            raise
    constants = identity(trial) | where
    constants |= {
        "status": "done",
        "reason": None,
        "selected_iteration": rows.selected_iteration,
        "dataset_digest": _combined_digest([split.digest for split in rows.splits.values()]),
        "started_at": rows.history.started_at,
        "duration_s": rows.history.elapsed_s,
        "resumptions": "; ".join(rows.history.resumptions) or None,
    }
    # pictures first: a trial counts as done once its parquet file is there
    rows.write_panels(panels_path(results, trial), f"{trial.id}-{trial.digest}")
    rows.write_predictions(predictions_path(results, trial), dataset_of(trial.dataset, trial.dataset_options).palette)
    outcome = {"record": "outcome", "metric": "done", "value": 1.0, "unit": ""}
    write_trial(path_of(results, trial), constants, [outcome, *rows.rows])
    checkpoints.clear()
    return True


def record_failure(trial: Trial, device: str, threads: int, results: Path, status: str, reason: str) -> None:
    """Writes the file of a trial that did not end as done: one outcome row with the reason."""
    constants = identity(trial) | environment() | machine(trial, device, threads)
    constants |= {
        "status": status,
        "reason": reason,
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    outcome = {"record": "outcome", "metric": "done", "value": 0.0, "unit": ""}
    write_trial(path_of(results, trial), constants, [outcome])


def identity(trial: Trial) -> dict[str, Any]:
    """Returns the columns that say which trial this is."""
    names = (
        "suite",
        "profile",
        "kind",
        "dataset",
        "model",
        "weighting",
        "seed",
        "channels_last",
        "determinism",
    )
    return {
        "trial": trial.id,
        "digest": trial.digest,
        "config": json.dumps(trial.as_dict(), sort_keys=True),
        **source_columns(trial),
        **{name: getattr(trial, name) for name in names},
    }


def machine(trial: Trial, device: str, threads: int) -> dict[str, Any]:
    """Returns the columns that say what it ran on, and in which arithmetic."""
    # TF32 exists on GPUs alone; elsewhere asking for it leaves fp32
    precision = "fp32" if trial.precision == "tf32" and device != "cuda" else trial.precision
    name = device_name(torch.device(device))
    place = {"device": device, "device_name": name, "threads": threads, "kernels": kernels(torch.device(device))}
    return place | {"precision": precision}


def _combined_digest(digests: list[str]) -> str | None:
    """Returns one digest for the splits together; None where no data was used."""
    return hashlib.sha256("".join(digests).encode()).hexdigest()[:16] if digests else None
