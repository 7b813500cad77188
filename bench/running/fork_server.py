"""The process that trials are forked from: it has imported what they need, and no signal to its group ends it."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker

from bench.running.signals import HANDLED

# torch._dynamo: making an optimizer imports it, 800 modules and 70 MiB, which are neither time nor memory of a trial
PRELOAD = ["torch", "torch._dynamo", "bench.running.child"]


def start() -> None:
    """Starts it where it does not run yet, and does not wait for it: it imports while the caller does other things.

    A terminal and many schedulers send signals to every process of a group. This one has to outlive them, so that a
    trial can write its checkpoint and the exit code of its process is known. Blocked signals stay blocked in a
    process that is started meanwhile, and none that is meant for this process is lost.
    """
    multiprocessing.set_forkserver_preload(PRELOAD)
    with _blocked():
        resource_tracker.ensure_running()  # takes the block off SIGINT and SIGTERM again, hence apart from what follows
    with _blocked():
        forkserver.ensure_running()


@contextmanager
def _blocked() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
