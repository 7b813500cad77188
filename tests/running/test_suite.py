"""Trials in processes of their own: finished ones are skipped, crashes and divergence are recorded."""

import os
import signal
from dataclasses import replace

import pytest
from rich.console import Console
from test_trial import tiny

from bench.errors import DataError, DeviceError
from bench.results.store import load_results, outcome
from bench.running import isolation
from bench.running.device import resolve_device
from bench.running.progress import ProgressDisplay
from bench.running.suite import run_suite


@pytest.fixture(scope="module", autouse=True)
def cache_elsewhere(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_DATA", str(tmp_path_factory.mktemp("data")))
        yield


def run(trials, results):
    console = Console(record=True, width=200, force_terminal=False, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    with console.file, ProgressDisplay(console) as display:
        summary = run_suite(trials, "cpu", 1, results, display)
        return summary, console.export_text()


def test_a_diverging_trial_is_recorded_and_the_rest_goes_on_and_a_second_run_repeats_only_it(tmp_path):
    good, bad = tiny(), tiny(lr=1e30, model="bilinear_interpolation")
    summary, text = run([bad, good], tmp_path)
    assert (summary.ran, summary.skipped, len(summary.failed)) == (2, 0, 1)
    assert outcome(tmp_path, good).status == "done"
    assert outcome(tmp_path, bad).status == "diverged"
    assert "the training loss became" in outcome(tmp_path, bad).reason
    assert "[1/2]" in text
    assert "diverged" in text
    again, _ = run([bad, good], tmp_path)
    assert (again.ran, again.skipped) == (1, 1)
    rows = load_results(tmp_path).rows
    assert set(rows.loc[rows["status"] == "diverged", "record"]) == {"outcome"}
    done = rows[rows["status"] == "done"]
    assert set(done["device"]) == {"cpu"}
    assert set(done["threads"]) == {1}
    assert done["dataset_digest"].notna().all()


def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)


def stumble(*_):
    raise RuntimeError("something <b>odd</b>")


def test_a_killed_process_is_a_recorded_failure(tmp_path, monkeypatch):
    # fork, so that the replaced function reaches the child
    monkeypatch.setattr(isolation, "START_METHOD", "fork")
    monkeypatch.setattr(isolation, "run_and_record", die)
    ending = isolation.run_isolated(tiny(), "cpu", 1, tmp_path, lambda _: None)
    assert ending == ("failed", "its process was killed by SIGKILL")
    assert outcome(tmp_path, tiny()).reason == "its process was killed by SIGKILL"


def test_an_unforeseen_error_is_recorded_with_its_traceback(tmp_path, monkeypatch):
    monkeypatch.setattr(isolation, "START_METHOD", "fork")
    monkeypatch.setattr(isolation, "run_and_record", stumble)
    ending = isolation.run_isolated(tiny(), "cpu", 1, tmp_path, lambda _: None)
    assert ending.status == "failed"
    assert "RuntimeError: something <b>odd</b> (traceback in" in ending.reason
    assert "stumble" in (tmp_path / "_logs" / f"{tiny().id}.log").read_text()


def test_missing_data_is_found_before_the_first_training(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CAMVID", str(tmp_path / "nowhere"))
    counts = {"train": 1, "val": 1, "test": 1, "sha256": {}}
    with pytest.raises(DataError, match=r"bench data fetch camvid.*bench\s+data add camvid"):
        run([tiny(), replace(tiny(), dataset="camvid", dataset_options=counts)], tmp_path / "results")
    assert not list((tmp_path / "results").rglob("*.parquet"))


def test_cuda_without_cuda_is_an_error_and_no_fallback(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(DeviceError, match="--device cuda: PyTorch .* finds no CUDA device; use --device cpu"):
        resolve_device("cuda")
    assert resolve_device("auto").type == "cpu"
