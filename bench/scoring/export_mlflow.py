"""Exports trials as runs of MLflow in a local SQLite store, through the package `mlflow` or `mlflow-skinny`."""

from __future__ import annotations

import logging
import os
import shutil
import string
import tempfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

from bench.results.schema import IDENTITY, PROVENANCE
from bench.scoring.export_folder import new_export
from bench.scoring.export_values import NAMES, TrialValues, named_values, not_installed, settings_of, started_s

FORMAT = "mlflow"
INSTALL = "pip install mlflow-skinny sqlalchemy alembic"
STORE = "mlflow.db"  # MLflow 3 takes no new folders of files
METRICS_AT_ONCE, PARAMS_AT_ONCE = 1000, 100  # MLflow takes no more
_ALLOWED = frozenset(f"{string.ascii_letters}{string.digits}_-. :/")  # in names
_NO_TAGS = ("config", "sources")  # long; the settings are parameters
_READ_ME = """Runs of MLflow, one a trial, in a SQLite store; look at them with

    mlflow ui --backend-store-uri sqlite:///HERE/mlflow.db

Parameters are the settings of the trial, tags its identity and where it was run. The step of a metric is the iteration,
0 where there is none, its time that at which the trial began. A value that does not exist is NaN. MLflow allows few
characters in names: any other one stands as its number in Unicode, a comma as _2c_.
"""


def export(trials: Sequence[TrialValues], out: Path) -> None:
    """Writes each trial as a run, with parameters, metrics by step and tags.

    Args:
        trials: of one suite and profile, from `finished_values`.
        out: see `new_export`.

    Raises:
        ConfigError: a package is not installed.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # an export tells nobody; read when mlflow is imported
    try:
        from mlflow.tracking import MlflowClient

        for name in ("sqlalchemy", "alembic"):  # which its store needs, and the small package does not bring
            import_module(name)
    except ImportError as error:
        raise not_installed(FORMAT, error, INSTALL) from None

    logging.getLogger("mlflow").setLevel(logging.WARNING)  # it tells of every table that it creates
    # made elsewhere, because the address of a store has no place for every name that a folder can have
    with new_export(out, FORMAT) as folder, tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        store = f"sqlite:///{temporary}/{STORE}"
        client = MlflowClient(tracking_uri=store, registry_uri=store)
        name = f"{trials[0].stored['suite']}/{trials[0].stored['profile']}"
        experiment = client.create_experiment(name, artifact_location=(out.resolve() / "artifacts").as_uri())
        for trial in trials:
            _write_run(client, experiment, trial)
        shutil.move(Path(temporary) / STORE, folder / STORE)
        (folder / "README.txt").write_text(f"{_READ_ME}\n{NAMES}", encoding="utf-8")


def _write_run(client: Any, experiment: str, trial: TrialValues) -> None:
    from mlflow.entities import Metric, Param

    began = int(1000 * started_s(trial.stored))
    tags = {
        name: str(trial.stored[name])
        for name in (column.name for column in (*IDENTITY, *PROVENANCE))
        if name not in _NO_TAGS and not pd.isna(trial.stored[name]) and trial.stored[name] != ""
    }
    tags["stale"] = str(trial.stale)
    run = client.create_run(experiment, start_time=began, tags=tags, run_name=trial.stored["trial"]).info.run_id
    metrics = [Metric(_allowed(name), value, began, step) for name, step, value in named_values(trial)]
    params = [Param(_allowed(name), str(value)) for name, value in settings_of(trial.stored).items()]
    for first in range(0, len(metrics), METRICS_AT_ONCE):
        client.log_batch(run, metrics=metrics[first : first + METRICS_AT_ONCE])
    for first in range(0, len(params), PARAMS_AT_ONCE):
        client.log_batch(run, params=params[first : first + PARAMS_AT_ONCE])
    duration = trial.stored["duration_s"]
    client.set_terminated(run, end_time=began + (0 if pd.isna(duration) else int(1000 * duration)))


def _allowed(name: str) -> str:
    """Returns a name in characters that MLflow allows; different names stay different but for rare ones."""
    return "".join(character if character in _ALLOWED else f"_{ord(character):x}_" for character in name)
