"""Runs one trial in a process of its own, so that its memory is its own and its crash kills nothing else."""

from __future__ import annotations

import multiprocessing
import signal
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal, NamedTuple

import torch

from bench.errors import BenchError, DivergedError
from bench.results.store import outcome
from bench.running.record import record_failure, run_and_record
from bench.running.trial import Report
from bench.study.trials import Trial

START_METHOD: Literal["forkserver"] = "forkserver"
PRELOAD = ["torch", "bench.running.record"]  # imported once by the fork server, not by every trial


class Ending(NamedTuple):
    """How a trial ended: "done", "diverged" or "failed", and why."""

    status: str
    reason: str


def run_isolated(trial: Trial, device: str, threads: int, results: Path, report: Report) -> Ending:
    """Runs `trial` in a fresh process; its results file is written, whatever happens to that process.

    Args:
        trial: what to run
        device: "cpu" or "cuda"
        threads: threads torch may use
        results: the results folder
        report: called with the progress, in this process

    Raises:
        KeyboardInterrupt: Ctrl-C; the process has been stopped and nothing half-written is left.
        ResultsError: the results folder cannot be written.
    """
    multiprocessing.set_forkserver_preload(PRELOAD)
    context = multiprocessing.get_context(START_METHOD)
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(trial, device, threads, results, sender), name=trial.id)
    process.start()
    sender.close()
    ending = None
    try:
        while ending is None:
            message = receiver.recv()
            if isinstance(message, Ending):
                ending = message
            else:
                report(message)
    except EOFError:
        process.join()
        ending = Ending("failed", _death(process.exitcode))
    finally:
        if ending is None:
            process.kill()
        process.join()
    if ending.status != "done" and outcome(results, trial).status == "done":
        ending = Ending("done", "")  # it died between writing its file and saying so
    if ending.status != "done":
        record_failure(trial, device, threads, results, ending.status, ending.reason)
    return ending


def _run(trial: Trial, device: str, threads: int, results: Path, sender: Connection) -> None:
    """The body of the child process: runs and records the trial, sends its progress and its ending."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    torch.set_num_threads(threads)
    # the one broad except of the project: whatever goes wrong in a trial is recorded, and the suite goes on
    try:
        run_and_record(trial, device, threads, results, sender.send)
        ending = Ending("done", "")
    except BrokenPipeError:
        return  # the process that wanted the result is gone, and so is the reason to go on
    except DivergedError as error:
        ending = Ending("diverged", str(error))
    except BenchError as error:
        ending = Ending("failed", str(error))
    except Exception as error:  # noqa: BLE001
        ending = Ending("failed", f"{type(error).__name__}: {error} (traceback in {_write_log(trial, results)})")
    sender.send(ending)
    sender.close()


def _write_log(trial: Trial, results: Path) -> Path:
    """Writes the traceback of the current exception and returns where."""
    log = results / "_logs" / f"{trial.id}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(traceback.format_exc(), encoding="utf-8")
    return log


def _death(exitcode: int | None) -> str:
    """Says how a process died that sent no ending."""
    if exitcode is not None and exitcode < 0:
        return f"its process was killed by {signal.Signals(-exitcode).name}"
    return f"its process left with exit code {exitcode}"
