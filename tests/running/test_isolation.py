"""A trial's process may die as it likes: how it ended is stored with the reason, and its checkpoint stays."""

import errno
import multiprocessing
import os
import re
import signal
import sys
import threading
import time
from dataclasses import replace

import pytest
import torch
from test_trial import tiny

from bench.errors import BenchError, DataError, DivergedError, ResultsError, UnwritableError
from bench.results.store import checkpoints_path, load_results, outcome, path_of, stored_place
from bench.running import child, endings, fork_server, isolation
from bench.running import signals as signals_module
from bench.running.control import Control, Notice
from bench.running.endings import ending_by, ending_of, oom_kills_so_far
from bench.running.isolation import run_isolated
from bench.running.signals import HANDLED, Signals, Stopped
from bench.training.loop import Progress

ENOUGH = 100_000  # iterations: the trial is ended before


def long(**changes):
    """A training that ends only when it is told to."""
    return tiny(**{"iterations": ENOUGH, "validate_every": ENOUGH, "checkpoint_every": 10, "panels": 0} | changes)


class Watching:
    """Keeps what a trial says, and calls `act` once, when it is `at` iterations far."""

    def __init__(self, act=lambda: None, at=20):
        self.act, self.at, self.notices, self.acted = act, at, [], False

    def __call__(self, message):
        if isinstance(message, Notice):
            self.notices.append(message.text)
        elif message.iteration >= self.at and not self.acted:
            self.acted = True
            self.act()


def send(number):
    """Sends a signal to the process of the running trial."""
    (process,) = multiprocessing.active_children()
    os.kill(process.pid, number)


@pytest.mark.parametrize(
    ("number", "status", "reason"),
    [
        (signal.SIGKILL, "killed", "its process was killed by SIGKILL"),
        (signal.SIGTERM, "killed", "its process was asked to end by SIGTERM"),
        (signal.SIGSEGV, "failed", "its process crashed with SIGSEGV"),
    ],
)
def test_a_process_that_dies_is_recorded_with_reason_log_and_checkpoint(tmp_path, number, status, reason):
    ending = run_isolated(long(), "cpu", 1, tmp_path, Watching(lambda: send(number)))
    where = stored_place(tmp_path, long())
    log = tmp_path / "_logs" / f"{long().id}.log"
    assert newest_iteration(tmp_path, long()) >= 10
    assert ending == (status, f"{reason}; `bench retry` goes on from {where}; log: {log}")
    assert outcome(tmp_path, long())[:2] == ending
    text = log.read_text()
    assert f"{status}: {reason}" in text
    assert ("Fatal Python error" in text and "in run_trial" in text) == (status == "failed")
    assert multiprocessing.active_children() == []


def test_what_a_group_of_processes_is_sent_disturbs_no_trial(tmp_path):
    def everything():
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
            send(number)
        for number in HANDLED:
            os.kill(multiprocessing.forkserver._forkserver._forkserver_pid, number)

    trial, servers = tiny(iterations=30, validate_every=30), set()
    for _ in range(2):
        assert run_isolated(trial, "cpu", 1, tmp_path, Watching(everything, at=10)) == ("done", "")
        servers.add(multiprocessing.forkserver._forkserver._forkserver_pid)
        multiprocessing.forkserver.ensure_running()  # looks whether it lives, and starts another if not
        servers.add(multiprocessing.forkserver._forkserver._forkserver_pid)
    assert len(servers) == 1


def test_a_checkpoint_is_written_when_asked_for_and_the_training_goes_on(tmp_path):
    signals, iterations = Signals(), []

    def ask():
        signals.checkpoints += 1

    def look(message):
        watching(message)
        if isinstance(message, Progress) and stored_place(tmp_path, trial):
            iterations.append((message.iteration, newest_iteration(tmp_path, trial)))
            signals.stop = signal.SIGTERM

    watching, trial = Watching(ask), long(checkpoint_every=ENOUGH)
    ending = run_isolated(trial, "cpu", 1, tmp_path, look, signals=signals)
    asked, written = watching.notices
    assert asked == "asked for a checkpoint; the training goes on"
    assert re.fullmatch(r"checkpoint written at iteration \d+", written)
    assert iterations[0][0] >= iterations[0][1] > 20
    assert ending.status == "interrupted"
    assert newest_iteration(tmp_path, trial) > iterations[0][1]
    assert outcome(tmp_path, trial).status == "interrupted"
    assert not (tmp_path / "_logs" / f"{trial.id}.log").exists()


def test_a_second_request_to_stop_does_not_wait_for_the_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr(signals_module, "SECOND_AFTER_S", 0)
    asked = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))

    def hang():
        send(signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGTERM)
        asked.start()

    at_once = pytest.raises(Stopped, match="stopped at once; the last checkpoint stays")
    with Signals() as signals, signals.noted(), at_once:
        run_isolated(long(), "cpu", 1, tmp_path, Watching(hang), signals=signals)
    asked.join()
    assert multiprocessing.active_children() == []
    assert newest_iteration(tmp_path, long()) >= 10
    assert outcome(tmp_path, long()).status == "interrupted"


def test_a_time_limit_stops_a_training_at_a_checkpoint(tmp_path):
    trial = long(checkpoint_every=ENOUGH)
    ending = run_isolated(trial, "cpu", 1, tmp_path, Watching(), time_limit_s=3)
    reason = "it reached the time limit of 0.05 minutes; `bench retry` goes on from "
    assert ending.status == "timed_out"
    assert ending.reason.startswith(f"{reason}{stored_place(tmp_path, trial)}; log: ")
    assert outcome(tmp_path, trial).status == "timed_out"


def test_a_measurement_has_nothing_to_save_and_ends_at_once(tmp_path):
    cost = replace(long(), kind="cost", weighting=None, seed=None, timing_iterations=1_000_000)
    start = time.monotonic()
    ending = run_isolated(cost, "cpu", 1, tmp_path, Watching(), time_limit_s=0.5)
    assert ending.status == "timed_out"
    assert "`bench retry` starts afresh" in ending.reason
    signals = Signals()
    signals.stop = signal.SIGTERM
    assert run_isolated(cost, "cpu", 1, tmp_path, Watching(), signals=signals).status == "interrupted"
    assert time.monotonic() - start < isolation.STOP_WITHIN_S


def test_a_trial_that_became_anothers_is_left_to_it(tmp_path):
    watching = Watching()
    ending = run_isolated(long(), "cpu", 1, tmp_path, watching, lost=lambda: stored_place(tmp_path, long()))
    assert ending.status == "taken_over"
    assert outcome(tmp_path, long()).status == "interrupted"


def test_results_that_cannot_be_written_are_no_failure_of_the_trial(tmp_path):
    (tmp_path / "_checkpoints").write_text("in the way")
    with pytest.raises(
        ResultsError, match=r"_checkpoints/.*cannot be written: .*; what is finished is stored: make room"
    ):
        run_isolated(long(), "cpu", 1, tmp_path, Watching())
    assert not path_of(tmp_path, long()).exists()


def test_a_trial_ends_at_once_when_its_parent_is_gone(monkeypatch):
    def leave(code):
        raise SystemExit(code)

    monkeypatch.setattr(os, "_exit", leave)
    ours, theirs = multiprocessing.Pipe()
    control = Control()
    ours.send("checkpoint")
    ours.close()
    with pytest.raises(SystemExit):
        child._obey(theirs, control)
    assert (control.checkpoint, control.stop) == (True, False)
    theirs.close()


def newest_iteration(results, trial):
    return max(int(path.stem) for path in checkpoints_path(results, trial).iterdir())


def forked(monkeypatch, body):
    """Makes trials run `body`; they are forked from here, so that the replaced function reaches them."""
    monkeypatch.setattr(isolation, "CONTEXT", multiprocessing.get_context("fork"))
    monkeypatch.setattr(child, "run_and_record", body)


def test_an_unforeseen_error_is_recorded_with_its_traceback(tmp_path, monkeypatch, capfd):
    def stumble(*_):
        raise RuntimeError("something <b>odd</b>")

    forked(monkeypatch, stumble)
    with capfd.disabled():
        ending = run_isolated(tiny(), "cpu", 1, tmp_path, Watching())
    log = tmp_path / "_logs" / f"{tiny().id}.log"
    assert ending == ("failed", f"RuntimeError: something <b>odd</b>; `bench retry` starts afresh; log: {log}")
    assert "in stumble" in log.read_text()


def test_what_a_trial_prints_is_kept_and_said(tmp_path, monkeypatch, capfd):
    def talk(*_):
        print("something from a library", file=sys.stderr)
        return True

    forked(monkeypatch, talk)
    watching = Watching()
    with capfd.disabled():
        assert run_isolated(tiny(), "cpu", 1, tmp_path, watching).status == "done"
    log = tmp_path / "_logs" / f"{tiny().id}.log"
    assert log.read_text() == "something from a library\n"
    assert watching.notices == [f"messages of the trial are in '{log}'"]


def test_a_process_that_dies_after_storing_its_results_is_done(tmp_path, monkeypatch):
    from results_factory import write

    def store_and_die(trial, *_):
        write(tmp_path, trial)
        os.kill(os.getpid(), signal.SIGKILL)

    forked(monkeypatch, store_and_die)
    assert run_isolated(tiny(), "cpu", 1, tmp_path, Watching()) == ("done", "")
    assert outcome(tmp_path, tiny()).status == "done"


@pytest.mark.slow
def test_the_memory_of_a_trial_is_its_own(tmp_path):
    """A small measurement after a big one is a small one."""
    small = replace(tiny(), kind="cost", weighting=None, seed=None, timing_height=32, timing_width=40)
    small = replace(small, timing_rounds=1, timing_iterations=1, timing_paper=None, suite="small")
    big = replace(small, timing_height=720, timing_width=960, suite="big")
    for trial in (big, small):
        for status in ("paused", "done"):
            assert run_isolated(trial, "cpu", 1, tmp_path, Watching()).status == status
    rows = load_results(tmp_path).rows
    peaks = rows[rows["metric"] == "inference_peak_mib"].set_index("suite")["value"]
    assert peaks["small"] < peaks["big"] - 100


def error_of(code):
    return OSError(code, os.strerror(code))


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (MemoryError(), ("out_of_memory", "there was not enough memory")),
        (torch.OutOfMemoryError("CUDA out of memory."), ("out_of_memory", "there was not enough memory: CUDA out of")),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: x"),
            ("out_of_memory", "there was not enough memory: [enforce fail"),
        ),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried"), ("out_of_memory", "there was not")),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when"), ("out_of_memory", "there was not")),
        (error_of(errno.ENOMEM), ("out_of_memory", "there was not enough memory: [Errno 12]")),
        (RuntimeError("shape mismatch\nand more"), ("failed", "RuntimeError: shape mismatch")),
        (DivergedError("the loss became nan"), ("diverged", "the loss became nan")),
        (DataError("image a is damaged"), ("failed", "image a is damaged")),
        (UnwritableError("'x' cannot be written"), ("unwritable", "'x' cannot be written")),
        (ResultsError("checkpoint 'x' belongs to another"), ("failed", "checkpoint 'x' belongs to another")),
        (error_of(errno.ENOSPC), ("unwritable", "[Errno 28]")),
        (error_of(errno.EFBIG), ("unwritable", "[Errno 27]")),
        (error_of(errno.EROFS), ("unwritable", "[Errno 30]")),
        (error_of(errno.EDQUOT), ("unwritable", "[Errno 122]")),
        (error_of(errno.ENOENT), ("failed", "FileNotFoundError: [Errno 2]")),
    ],
)
def test_errors_and_their_endings(error, ending):
    status, reason = ending_of(error)
    assert status == ending[0]
    assert reason.startswith(ending[1])
    assert "\n" not in reason


@pytest.mark.parametrize(
    ("exitcode", "oom_kills", "ending"),
    [
        (-signal.SIGKILL, 0, ("killed", "its process was killed by SIGKILL")),
        (-signal.SIGKILL, 1, ("out_of_memory", "its process was killed by the system, which had no more memory")),
        (-signal.SIGTERM, 1, ("killed", "its process was killed by SIGTERM")),
        (-signal.SIGBUS, 0, ("failed", "its process crashed with SIGBUS")),
        (-signal.SIGXCPU, 0, ("killed", "its process was killed by SIGXCPU")),
        (-99, 0, ("killed", "its process was killed by signal 99")),
        (3, 0, ("failed", "its process left with exit code 3")),
    ],
)
def test_deaths_and_their_endings(exitcode, oom_kills, ending):
    assert ending_by(exitcode, oom_kills) == ending


@pytest.mark.parametrize(
    ("groups", "file", "text", "expected"),
    [
        ("0::/user/job\n", "user/job/memory.events", "low 0\noom 2\noom_kill 2\n", 2),
        ("0::/in/a/container\n", "memory.events", "oom_kill 3\n", 3),
        ("4:memory:/job\n0::/\n", "memory/job/memory.oom_control", "under_oom 0\noom_kill 5\n", 5),
        ("7:cpu:/job\n", "memory.events", "oom_kill 3\n", 0),
        ("0::/user/job\n", "elsewhere", "", 0),
        ("0::/user/job\n", "user/job/memory.events", "not a counter at all\n", 0),
    ],
)
def test_the_counter_of_processes_killed_for_lack_of_memory(tmp_path, monkeypatch, groups, file, text, expected):
    (tmp_path / "cgroup").write_text(groups)
    (tmp_path / "fs" / file).parent.mkdir(parents=True)
    (tmp_path / "fs" / file).write_text(text)
    monkeypatch.setattr(endings, "OUR_GROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(endings, "GROUPS", tmp_path / "fs")
    assert oom_kills_so_far() == expected


def test_a_fork_server_that_cannot_start_is_one_line(tmp_path, monkeypatch):
    def refuse(self):
        raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")

    monkeypatch.setattr(multiprocessing.context.ForkServerProcess, "start", refuse)
    with pytest.raises(BenchError, match=r"no process can be started for trial .*fcn_basic.*: .*Connection refused"):
        run_isolated(tiny(), "cpu", 1, tmp_path, Watching())


def imported_by_an_optimizer(pipe):
    """In a trial's process: sends how many modules making an optimizer imports."""
    before = set(sys.modules)
    torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    pipe.send(len(set(sys.modules) - before))


def test_a_trial_does_not_pay_for_the_modules_of_an_optimizer():
    fork_server.start()
    pipe, other_end = isolation.CONTEXT.Pipe()
    process = isolation.CONTEXT.Process(target=imported_by_an_optimizer, args=(other_end,))
    process.start()
    assert pipe.recv() == 0
    process.join()
