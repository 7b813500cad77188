"""Runs one trial in a process of its own, so that its memory is its own and its death kills nothing else."""

from __future__ import annotations

import contextlib
import multiprocessing
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import wait
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from bench.errors import BenchError, ResultsError
from bench.results.store import outcome, stored_place
from bench.running import child, fork_server
from bench.running.control import Notice, Report
from bench.running.endings import Ending, ending_by, oom_kills_so_far
from bench.running.record import record_failure
from bench.running.signals import Signals
from bench.study.trials import Trial

CONTEXT = multiprocessing.get_context("forkserver")
LOOK_EVERY_S = 0.2  # how long a request may wait
STOP_WITHIN_S = 60.0  # for an iteration and its checkpoint, or an evaluation
LEAVE_WITHIN_S = 10.0  # for a process that has said how it ended, or is dying

# Starting a process looks whether the others live, and whoever sees first that one has ended reads its exit code: a
# second thread that looks at that moment would find nothing there and take 255 for it.
_LOOKING = threading.Lock()

Asked = Literal["stop", "time"] | None  # why a trial was asked to stop: by the user, or its time is over


def run_isolated(
    trial: Trial,
    device: str,
    threads: int,
    results: Path,
    report: Report,
    *,
    signals: Signals | None = None,
    time_limit_s: float | None = None,
    lost: Callable[[], bool] = lambda: False,
) -> Ending:
    """Runs `trial` in a fresh process and stores how it ended, whatever happens to that process.

    Args:
        trial: what to run
        device: "cpu" or "cuda"
        threads: threads torch may use
        results: the results folder
        report: called with the progress and with notices, in this process
        signals: requests of the user, which are passed on
        time_limit_s: after that long the trial is asked to stop, and stored as timed out
        lost: says whether the trial is no longer ours, because it became another process's or the run is over; its
            process is ended at once then

    Returns: the ending; of "paused", "interrupted" and "taken_over" nothing is stored.

    Raises:
        ResultsError: the results folder cannot be written; nothing is stored of the trial then.
        BenchError: no process can be started.
        Stopped: the user asked a second time to stop; the process is gone, its last checkpoint is whole.
    """
    signals = signals or Signals()
    oom_kills = oom_kills_so_far()
    with _Process(trial, device, threads, results) as process:
        ending, asked = _follow(process, trial, report, signals, time_limit_s, lost)
    if ending is None:
        ending = ending_by(process.exitcode, oom_kills_so_far() - oom_kills)
    if ending.status == "unwritable":
        raise ResultsError(f"{ending.reason}; what is finished is stored: make room and give the same command again")
    if ending.status == "taken_over":
        return ending
    if ending.status not in ("done", "paused") and outcome(results, trial).status == "done":
        ending = Ending("done")  # it died between storing its results and saying so
    if ending.status in ("interrupted", "killed"):
        ending = _ending_on_request(ending, asked or ("stop" if signals.stop else None), time_limit_s)
    if ending.status in ("done", "paused", "interrupted"):
        _tidy_log(child.log_path(results, trial), report)
        return ending
    ending = ending._replace(reason=_reason(ending, trial, results))
    record_failure(trial, device, threads, results, ending.status, ending.reason)
    return ending


def _ending_on_request(ending: Ending, asked: Asked, time_limit_s: float | None) -> Ending:
    """Returns what "interrupted", by a request to stop, and "killed" mean for the trial, given who asked it to stop."""
    if asked == "time":
        return Ending("timed_out", f"it reached the time limit of {(time_limit_s or 0) / 60:g} minutes")
    if asked == "stop":
        return Ending("interrupted", ending.reason if ending.status == "interrupted" else "")
    if ending.status == "interrupted":
        return Ending("killed", "its process was asked to end by SIGTERM")
    return ending


class _Process:
    """A trial's process, and the pipe to it; it is gone on leaving, killed if an exception is on its way."""

    def __init__(self, trial: Trial, device: str, threads: int, results: Path) -> None:
        fork_server.start()
        self.exitcode: int | None = None
        self.pipe, other_end = CONTEXT.Pipe()
        arguments = (trial, device, threads, results, other_end)
        self._process = CONTEXT.Process(target=child.run_trial, args=arguments, name=trial.id)
        try:
            with _LOOKING:
                self._process.start()
        except (EOFError, OSError) as error:
            self.pipe.close()
            reason = str(error) or "the one that it is forked from died"
            raise BenchError(f"no process can be started for trial {trial.id}: {reason}") from None
        finally:
            other_end.close()

    def ask(self, request: str) -> None:
        """Asks it to write a "checkpoint" or to "stop"."""
        with contextlib.suppress(OSError):  # it has just died, which is seen next
            self.pipe.send(request)

    def kill(self) -> None:
        """Ends it at once."""
        self._process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is not None:
            self._process.kill()
        wait([self._process.sentinel], LEAVE_WITHIN_S)
        self._process.kill()
        wait([self._process.sentinel])
        with _LOOKING:
            self._process.join()
        self.pipe.close()
        self.exitcode = self._process.exitcode


def _follow(
    process: _Process,
    trial: Trial,
    report: Report,
    signals: Signals,
    time_limit_s: float | None,
    lost: Callable[[], bool],
) -> tuple[Ending | None, Asked]:
    """Passes on what the process says and what it is asked; returns its last word, if any, and why it was to stop."""
    asked: Asked = None
    time_over_at = float("inf") if time_limit_s is None else time.monotonic() + time_limit_s
    kill_at = float("inf")
    passed_on = signals.checkpoints  # those before were asked of earlier trials
    while True:
        if process.pipe.poll(LOOK_EVERY_S):
            try:
                message = process.pipe.recv()
            except (EOFError, OSError):
                return None, asked
            if isinstance(message, Ending):
                return message, asked
            report(message)
        now = time.monotonic()
        if lost():
            process.kill()
            return Ending("taken_over", "it is no longer ours"), asked
        if signals.checkpoints > passed_on:
            passed_on = signals.checkpoints
            process.ask("checkpoint")
            what = (
                "asked for a checkpoint; the training goes on" if trial.kind == "training" else "nothing to save here"
            )
            report(Notice(what))
        if asked is None and (signals.stop or now > time_over_at):
            asked = "stop" if signals.stop else "time"
            process.ask("stop")
            kill_at = now + STOP_WITHIN_S if trial.kind == "training" else now  # a turn of measuring is not saved
        if now >= kill_at:
            process.kill()
            return None, asked


def _tidy_log(log: Path, report: Report) -> None:
    """Removes an empty log, and says where the trial left messages."""
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size:
            report(Notice(f"messages of the trial are in '{log}'"))
        else:
            log.unlink()


def _reason(ending: Ending, trial: Trial, results: Path) -> str:
    """Returns why a trial ended badly, what `bench retry` would do and where the log is; adds the reason to the log."""
    where = stored_place(results, trial)
    what = "starts afresh" if where is None else f"goes on from {where}"
    log = child.log_path(results, trial)
    with contextlib.suppress(OSError):  # where nothing can be written, storing the outcome says so
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{ending.status}: {ending.reason}\n")
    return f"{ending.reason}; `bench retry` {what}; log: {log}"
