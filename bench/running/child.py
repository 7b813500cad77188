"""The process of one trial: it runs and records the trial, says how far it is, and does what it is asked.

Up the pipe go `Progress`, `Notice` and at last one `Ending`; down come "checkpoint" and "stop". When the pipe closes,
the process that wanted the results is gone and this one ends as well, wherever it is: its last checkpoint is whole.
What the trial prints, and the stack of a crash, goes into results/_logs/<trial id>.log.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import threading
import traceback
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from bench.running.control import Control, Interrupted, Notice
from bench.running.endings import Ending, ending_of
from bench.running.record import run_and_record
from bench.running.signals import HANDLED
from bench.study.trials import Trial
from bench.training.loop import Progress


def log_path(results: Path, trial: Trial) -> Path:
    """Returns where the log of a trial's last attempt lies."""
    return results / "_logs" / f"{trial.id}.log"


def run_trial(trial: Trial, device: str, threads: int, results: Path, pipe: Connection) -> None:
    """The body of the process.

    Args:
        trial: what to run
        device: "cpu" or "cuda"
        threads: threads torch may use
        results: the results folder
        pipe: to the process that follows this one
    """
    control = Control()
    _obey_signals(control)
    threading.Thread(target=_obey, args=(pipe, control), daemon=True).start()

    def send(message: Progress | Notice | Ending) -> None:
        try:
            pipe.send(message)
        except OSError:
            os._exit(1)  # nobody listens any more

    # the one broad except of the project: whatever goes wrong in a trial is recorded, and the suite goes on
    try:
        _open_log(log_path(results, trial))
        torch.set_num_threads(threads)
        done = run_and_record(trial, device, threads, results, send, control)
        ending = Ending("done" if done else "paused")
    except Interrupted as request:
        ending = Ending("interrupted", str(request))
    except Exception as error:  # noqa: BLE001
        ending = ending_of(error)
        with contextlib.suppress(OSError, MemoryError):  # on a full disk the ending says enough
            traceback.print_exc()
    send(ending)


def _obey_signals(control: Control) -> None:
    """What reaches the whole group is the parent's to answer; SIGTERM is a request to stop here too."""

    def stop(*_: object) -> None:
        control.stop = True

    for number in HANDLED:
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)  # they are blocked in the fork server


def _obey(pipe: Connection, control: Control) -> None:
    """Passes requests on to the training until the other end of the pipe closes."""
    while True:
        try:
            request = pipe.recv()
        except (EOFError, OSError):
            os._exit(1)
        if request == "stop":
            control.stop = True
        else:
            assert request == "checkpoint", request
            control.checkpoint = True


def _open_log(path: Path) -> None:
    """Sends what this process prints, and the stack of every thread should it crash, to an empty file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    faulthandler.enable(2)
