"""Values of trials for other programs, read back as those programs read them."""

import csv
import json
import math
import os
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from results_factory import outdated, trials, write

from bench.errors import ConfigError, ResultsError
from bench.scoring import export_csv, export_mlflow, export_tensorboard
from bench.scoring.export_values import finished_values, named_values, settings_of, started_s

TRAINING = next(trial for trial in trials() if trial.kind == "training")
COST = next(trial for trial in trials() if trial.kind == "cost")
CLASS = "Road, wet"


def planned():
    return [TRAINING, replace(TRAINING, model="fcn_basic"), COST]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A training that is done, one that is stale, and a cost; the second training has no value."""
    results = tmp_path_factory.mktemp("results")
    first, second, cost = planned()
    write(results, first, 0.5, classes=[CLASS], other=0.25)
    write(results, outdated(second), math.nan)
    write(results, cost, costs={("forward_ms", "ours, warm"): 12.5})
    return finished_values(results, planned())


def test_what_is_finished(finished, tmp_path):
    assert [one.stored["trial"] for one in finished.trials] == [trial.id for trial in planned()]
    assert [one.stale for one in finished.trials] == [False, True, False]
    assert (finished.missing, finished.problems) == ((), ())
    write(tmp_path, TRAINING)
    (tmp_path / "damaged.parquet").write_text("PAR1 nothing")
    found = finished_values(tmp_path, planned())
    assert found.missing == (planned()[1].id, COST.id)
    assert len(found.problems) == 1
    with pytest.raises(ResultsError, match="no results folder"):
        finished_values(tmp_path / "none", planned())


def test_names_and_steps(finished):
    found = {(name, step): value for name, step, value in named_values(finished.trials[0])}
    assert found["reported/mean_iou", 100] == found["test/mean_iou", 100] == 0.5
    assert found["reported/boundary_f1/paper", 100] == 0.5
    assert found[f"reported/class_iou/{CLASS}", 100] == 0.5
    second = max(step for name, step in found if name == "test/mean_iou")
    assert second > 100
    assert found["test/mean_iou", second] == 0.25  # where the other metric selects
    assert ("reported/mean_iou", second) not in found
    assert found["val/global_accuracy", 100] == 0.6
    assert "train/mean_iou" in {name for name, _ in found}
    assert list(named_values(finished.trials[2])) == [("cost/forward_ms/ours, warm", 0, 12.5)]
    assert started_s(finished.trials[0].stored) == 1767323045
    assert started_s({"started_at": ""}) == 0
    settings = settings_of(finished.trials[0].stored)
    assert (settings["lr"], settings["dataset_options.test"]) == (0.1, TRAINING.dataset_options["test"])
    assert "pretrained" not in settings


def test_csv(finished, tmp_path):
    export_csv.export(finished.trials, tmp_path / "out")
    values = pd.read_csv(tmp_path / "out" / "values.csv", keep_default_na=False)
    assert tuple(values.columns) == export_csv.VALUE_COLUMNS
    assert len(values) == sum(len(one.rows) for one in finished.trials)
    reported = values[(values["reported"] == 1) & (values["split"] == "test") & (values["metric"] == "mean_iou")]
    assert dict(zip(reported["trial"], reported["value"], strict=True)) == {
        TRAINING.id: "0.5",
        planned()[1].id: "NaN",
    }
    assert set(values.loc[values["record"] == "class_score", "class_name"]) == {CLASS}
    assert set(values.loc[values["trial"] == COST.id, "iteration"]) == {""}
    with (tmp_path / "out" / "trials.csv").open(newline="") as file:
        of_trials = list(csv.DictReader(file))
    assert [(one["trial"], one["stale"]) for one in of_trials] == [
        (trial.id, stale) for trial, stale in zip(planned(), "010", strict=True)
    ]
    assert json.loads(of_trials[0]["config"])["lr"] == 0.1
    text = (tmp_path / "out" / "README.txt").read_text()
    for name in {*export_csv.VALUE_COLUMNS, *export_csv.TRIAL_COLUMNS}:
        assert f"\n  {name} " in text


def test_tensorboard(finished, tmp_path):
    pytest.importorskip("tensorboard", reason="the package tensorboard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    export_tensorboard.export(finished.trials, tmp_path / "out")
    runs = {path.name: EventAccumulator(str(path)) for path in (tmp_path / "out").iterdir() if path.is_dir()}
    assert set(runs) == {trial.id for trial in planned()}
    run = runs[TRAINING.id]
    run.Reload()
    scalars = {(name, event.step): event.value for name in run.Tags()["scalars"] for event in run.Scalars(name)}
    expected = {(name, step): value for name, step, value in named_values(finished.trials[0])}
    assert scalars == pytest.approx(expected)  # event files hold 32 bits
    assert run.Scalars("reported/mean_iou")[0].wall_time == 1767323045
    start = HParamsPluginData.FromString(
        run.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    ).session_start_info
    assert start.hparams["lr"].number_value == 0.1
    assert start.hparams["model"].string_value == TRAINING.model
    second = runs[planned()[1].id]
    second.Reload()
    assert math.isnan(second.Scalars("reported/mean_iou")[0].value)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:sqlalchemy.*", "ignore::DeprecationWarning:mlflow.*")
def test_mlflow(finished, tmp_path):
    for name in ("mlflow", "sqlalchemy", "alembic"):
        pytest.importorskip(name, reason=f"the package {name} is not installed")
    from mlflow.tracking import MlflowClient

    export_mlflow.export(finished.trials, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["README.txt", "export.json", "mlflow.db"]
    store = f"sqlite:///{tmp_path / 'out' / 'mlflow.db'}"
    client = MlflowClient(tracking_uri=store, registry_uri=store)
    experiment = client.get_experiment_by_name("decoder-variants/smoke")
    assert experiment.artifact_location == (tmp_path / "out" / "artifacts").as_uri()
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    assert set(runs) == {trial.id for trial in planned()}
    run = runs[TRAINING.id]
    assert (run.info.status, run.info.start_time, run.info.end_time) == ("FINISHED", 1767323045000, 1767323057500)
    assert (run.data.params["lr"], run.data.params["model"]) == ("0.1", TRAINING.model)
    assert (run.data.tags["digest"], run.data.tags["stale"]) == (TRAINING.digest, "False")
    assert "config" not in run.data.tags
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert run.data.metrics["reported/mean_iou"] == 0.5
    assert run.data.metrics["reported/class_iou/Road_2c_ wet"] == 0.5
    history = {one.step: one.value for one in client.get_metric_history(run.info.run_id, "test/mean_iou")}
    assert history == {step: value for name, step, value in named_values(finished.trials[0]) if name == "test/mean_iou"}
    assert runs[planned()[1].id].data.tags["stale"] == "True"
    assert math.isnan(runs[planned()[1].id].data.metrics["reported/mean_iou"])
    assert runs[COST.id].data.metrics == {"cost/forward_ms/ours_2c_ warm": 12.5}


@pytest.mark.parametrize(
    ("form", "missing"),
    [(export_tensorboard, "tensorboard.compat.proto.event_pb2"), (export_mlflow, "mlflow.tracking")],
)
def test_a_package_that_is_not_installed(finished, tmp_path, monkeypatch, form, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    message = rf"--format {form.FORMAT} needs a package that is not installed \({form.FORMAT}\); `{form.INSTALL}`$"
    with pytest.raises(ConfigError, match=message):
        form.export(finished.trials, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", [export_tensorboard, export_mlflow])
def test_the_document_names_the_packages_that_the_error_names(form):
    lines = (Path(__file__).parents[2] / "docs/exporting.md").read_text().splitlines()
    (line,) = (line for line in lines if f"--format {form.FORMAT} " in line)
    assert line.endswith(f"# {form.INSTALL}")


def test_packages_are_in_the_extras():
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert '\ntensorboard = ["tensorboard' in text
    assert '\nmlflow = ["mlflow-skinny' in text
