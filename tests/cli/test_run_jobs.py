"""`--jobs` of run, retry and plan: what it takes, what it refuses, and what the line to go on with says."""

import re

import pytest
from test_cli import bench

from bench.running import estimate, memory, parts, suite
from bench.running import jobs as module
from bench.running.estimate import Estimate, Total
from bench.running.jobs import Jobs
from bench.running.signals import Stopped

ONE_MODEL = ("--suite", "decoder-variants", "--model", "fcn_basic", "--device", "cpu")


@pytest.mark.parametrize("command", ["run", "retry", "plan"])
@pytest.mark.parametrize("given", ["0", "-2", "1.5", "all", "1025"])
def test_anything_but_a_number_or_auto_is_refused(command, given):
    done = bench(command, *ONE_MODEL, "--jobs", given)
    assert done.exit_code == 2
    assert f"'{given}' is neither a whole number from 1 to 1024 nor 'auto'." in done.output


@pytest.mark.parametrize("command", ["run", "plan"])
def test_too_little_memory_is_one_line_before_anything_is_trained(command, tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "free_memory_mib", lambda device: 1.0)
    done = bench(command, *ONE_MODEL, "--jobs", 2, "--results", tmp_path)
    assert done.exit_code == 2
    line = (
        r"error: --jobs 2: 2 trainings of fcn_basic at once need at least \d+ MiB, but 1 MiB are free; use --jobs 1\n"
    )
    assert re.fullmatch(line, done.output)
    assert list(tmp_path.iterdir()) == []


def test_the_command_to_go_on_with_names_the_number_that_auto_chose(tmp_path, monkeypatch):
    places = []

    def stop(trials, place, *_):
        places.append(place)
        raise Stopped(2, "stopped at iteration 5 of 100 of it")

    monkeypatch.setattr(module, "choose", lambda trials, *_: Jobs(3, f"chosen for {len(trials)}"))
    monkeypatch.setattr(suite, "run_suite", stop)
    done = bench("run", *ONE_MODEL, "--jobs", "auto", "--threads", 6, "--results", tmp_path)
    assert done.exit_code == 130
    assert "chosen for 3\n" in done.output  # two trainings and a measurement
    assert (places[0].jobs, places[0].threads, places[0].threads_of_training) == (3, 6, 2)
    assert re.search(r"go on with: bench run .* --threads 6 --jobs 3", done.output)


def test_a_plan_says_how_long_so_many_at_once_take(tmp_path, monkeypatch):
    asked = []

    def total_of(trials, estimates, device, threads, jobs, started_s):
        asked.append((len(estimates), threads, jobs))
        return Total(90.0, jobs, 1.53)

    found = lambda trials, outcomes, *_: {trial.digest: Estimate(60.0, 100.0) for trial in trials}  # noqa: E731
    monkeypatch.setattr(estimate, "estimate_missing", found)
    monkeypatch.setattr(estimate, "total", total_of)
    monkeypatch.setattr(parts, "until_ready", lambda: None)
    done = bench("plan", *ONE_MODEL, "--jobs", 2, "--threads", 4, "--results", tmp_path)
    assert asked == [(3, 4, 2)]
    line = (
        "0 of 3 done; the rest takes about 1 min 30 s and 200 MiB here, 2 trainings at once, 1.5 times as fast as one\n"
    )
    assert done.output.endswith(line)


def test_only_trainings_or_only_measurements_are_run(tmp_path, monkeypatch):
    kinds = []

    def note(trials, *_):
        kinds.append({trial.kind for trial in trials})
        raise Stopped(2, "stopped between two trials")

    monkeypatch.setattr(suite, "run_suite", note)
    for only in ("training", "cost"):
        done = bench("run", *ONE_MODEL, "--only", only, "--results", tmp_path)
        assert f"--only {only}" in done.output  # in the command to go on with
    assert kinds == [{"training"}, {"cost"}]


@pytest.mark.parametrize(("name", "only", "why"), [("cost", "training", "trains nothing"),
                                                   ("related", "cost", "measures no costs")])  # fmt: skip
def test_a_suite_that_has_none_of_a_kind_says_so(name, only, why, tmp_path):
    done = bench("run", "--suite", name, "--only", only, "--device", "cpu", "--results", tmp_path)
    assert done.exit_code == 2
    assert done.output.startswith(f"error: --only {only}: suite {name} {why}; ")
