"""Several trainings at once: they overlap, share the threads, end apart, and store what they store alone."""

import io
import os
import signal
import threading
import time
from dataclasses import replace

import pytest
from results_factory import write
from rich.console import Console
from test_trial import tiny
from tiny_suite import complete, leftovers, undisturbed, values, write_study

from bench.errors import ResultsError
from bench.results.store import checkpoints_path, outcome
from bench.running import signals as signals_module
from bench.running import suite
from bench.running.endings import Ending
from bench.running.leftovers import leases_path
from bench.running.progress import ProgressDisplay
from bench.running.signals import Signals, Stopped
from bench.running.suite import Place, run_suite

MODELS = ("fcn_basic", "segnet_basic", "bilinear_interpolation", "fcn_basic_no_addition")
TRAININGS = [tiny(model=name) for name in MODELS]
COSTS = [replace(one, kind="cost", weighting=None, seed=None) for one in TRAININGS[:2]]


def run(trials, results, *, jobs=2, threads=4, signals=None, display=ProgressDisplay):
    console = Console(record=True, width=1000, force_terminal=False, file=io.StringIO())
    with display(console, jobs) as shown:
        summary = run_suite(trials, Place("cpu", threads, results, jobs=jobs), shown, signals)
        return summary, console.export_text()


class Fake:
    """Stands in for `run_isolated`: trials take `seconds`, or until they are lost, and end as `endings` say."""

    def __init__(self, results, monkeypatch):
        self.results, self.seconds, self.endings = results, 0.3, {}
        self.times, self.threads, self.leased = {}, {}, {}
        self.begun = lambda: None  # called when a trial begins
        monkeypatch.setattr(suite, "run_isolated", self)

    def __call__(self, trial, device, threads, results, report, *, lost, **_):
        start = time.monotonic()
        self.threads[trial] = threads
        self.times[trial] = (start, None)
        self.begun()
        self.leased[trial] = len(list(leases_path(results).glob("*.json")))
        ending = self.endings.get(trial, Ending("done"))
        if isinstance(ending, Exception):
            raise ending
        while time.monotonic() < start + self.seconds:
            if lost():
                return Ending("taken_over")
            time.sleep(0.01)
        self.times[trial] = (start, time.monotonic())
        if ending.status != "interrupted":
            write(results, trial, status=ending.status, reason=ending.reason)
        return ending


@pytest.fixture
def fake(tmp_path, monkeypatch):
    return Fake(tmp_path, monkeypatch)


def most_at_once(times):
    """Returns how many of the intervals (start, end) share a moment at most."""
    return max(sum(start <= moment < end for start, end in times) for moment, _ in times)


def test_so_many_trainings_run_at_once_and_measurements_run_alone_after_them(tmp_path, fake):
    summary, text = run([COSTS[0], *TRAININGS, COSTS[1]], tmp_path, jobs=3)
    assert (summary.ran, summary.failed) == (6, [])
    trained, measured = ([fake.times[trial] for trial in trials] for trials in (TRAININGS, COSTS))
    assert most_at_once(trained) == 3
    assert most_at_once(measured) == 1
    assert max(end for _, end in trained) < min(start for start, _ in measured)
    assert [fake.leased[trial] for trial in COSTS] == [1, 1]
    assert max(fake.leased.values()) == 3
    assert leftovers(tmp_path) == []
    assert {fake.threads[trial] for trial in TRAININGS} == {1}  # of 4, shared by 3
    assert {fake.threads[trial] for trial in COSTS} == {4}
    line = "3 trainings at once, each with 1 thread of torch instead of 4 threads; then the measurements of time and"
    assert text.count(line) == 1


def test_one_that_fails_leaves_the_others_alone(tmp_path, fake):
    fake.endings = {TRAININGS[1]: Ending("failed", "because")}
    summary, text = run(TRAININGS, tmp_path)
    assert [trial for trial, _ in summary.failed] == [TRAININGS[1]]
    assert summary.ran == 4
    assert "[2/4] segnet_basic.median_frequency.s0 failed after" in text


def test_failures_are_listed_in_the_order_of_the_suite(tmp_path, fake):
    fake.endings = {trial: Ending("failed", "because") for trial in TRAININGS}
    summary, _ = run(TRAININGS, tmp_path, jobs=4)
    assert [trial for trial, _ in summary.failed] == TRAININGS


def test_an_error_that_ends_the_run_ends_what_runs_beside_it(tmp_path, fake):
    fake.seconds, fake.endings = 60, {TRAININGS[1]: ResultsError("the disk is full")}
    start = time.monotonic()
    with pytest.raises(ResultsError, match="the disk is full"):
        run(TRAININGS, tmp_path)
    assert time.monotonic() - start < 30
    assert set(fake.times) == set(TRAININGS[:2])  # nothing more was begun
    assert outcome(tmp_path, TRAININGS[0]).status == "missing"
    assert leftovers(tmp_path) == []


def test_a_request_to_stop_begins_nothing_more(tmp_path, fake):
    signals = Signals()
    fake.endings = {trial: Ending("interrupted") for trial in TRAININGS}
    fake.begun = lambda: setattr(signals, "stop", signal.SIGTERM if len(fake.times) == 2 else None)
    both = " and ".join(f"in {trial.id}, which starts afresh" for trial in TRAININGS[:2])
    with pytest.raises(Stopped) as raised:
        run([*TRAININGS, *COSTS], tmp_path, signals=signals)
    assert str(raised.value) in (f"stopped {both}", f"stopped {' and '.join(reversed(both.split(' and ')))}")
    assert set(fake.times) == set(TRAININGS[:2])


def test_a_second_request_ends_all_at_once(tmp_path, fake, monkeypatch):
    monkeypatch.setattr(signals_module, "SECOND_AFTER_S", 0)
    fake.seconds = 60
    for after in (0.5, 1.0):
        threading.Timer(after, os.kill, (os.getpid(), signal.SIGINT)).start()
    start = time.monotonic()
    with Signals() as signals, pytest.raises(Stopped, match="stopped at once; the last checkpoint stays"):
        run(TRAININGS, tmp_path, signals=signals)
    assert time.monotonic() - start < 30
    assert leftovers(tmp_path) == []


def test_requests_reach_the_processes_of_all(tmp_path):
    """First a checkpoint is asked for and then the end, of two real trainings."""
    trials = [replace(one, iterations=100_000, validate_every=100_000, checkpoint_every=100_000) for one in TRAININGS]
    signals, begun, written = Signals(), set(), []

    class Display(ProgressDisplay):
        def trial_progress(self, number, total, progress):
            super().trial_progress(number, total, progress)
            if number not in begun:
                begun.add(number)
                signals.checkpoints += len(begun) == 2

        def notice(self, text, trial=None):
            super().notice(text, trial)
            if text.startswith("checkpoint written"):
                written.append(trial)
                signals.stop = signal.SIGTERM if len(written) == 2 else None

    with pytest.raises(Stopped) as raised:
        run(trials[:2], tmp_path, threads=2, signals=signals, display=Display)
    assert sorted(written) == [(1, 2), (2, 2)]
    for trial in trials[:2]:
        newest = max(int(path.stem) for path in checkpoints_path(tmp_path, trial).iterdir())
        assert f"at iteration {newest} of 100000 of {trial.id}" in str(raised.value)


def test_trainings_at_once_store_the_bits_of_trainings_alone(tmp_path):
    """Two with one thread each, and then the measurements."""
    study = write_study(tmp_path, iterations=10, validate_every=5)
    summary, out = complete(study, tmp_path / "two", threads=2, jobs=2)
    assert (summary.ran, summary.failed) == (4, []), out
    assert values(tmp_path / "two") == undisturbed(study, tmp_path / "one")
    assert leftovers(tmp_path / "two") == []


def test_lines_of_several_trials_begin_with_their_numbers():
    out = io.StringIO()
    alone, several = (ProgressDisplay(Console(file=out, width=200), jobs) for jobs in (1, 2))
    for display in (alone, several):
        display.notice("about one", (2, 3))
        display.notice("about all")
    assert out.getvalue() == "    about one\n    about all\n[2/3] about one\n    about all\n"
