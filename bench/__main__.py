"""The `bench` program."""

from __future__ import annotations

import os
import signal
from types import FrameType


def start() -> None:
    """Runs the command line; until that can answer, Ctrl-C ends the program in one line."""
    listens = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # else it is ignored, and stays so
    if listens:
        signal.signal(signal.SIGINT, _end)
    from bench.cli import main

    if listens:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    main()


def _end(number: int, frame: FrameType | None) -> None:
    os.write(2, b"\nstopped before anything was done\n")
    os._exit(128 + number)


if __name__ == "__main__":
    start()
