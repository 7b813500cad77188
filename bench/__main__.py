"""The `bench` program."""

from __future__ import annotations

import os
import signal


def start() -> None:
    """Runs the command line; until it can answer, Ctrl-C ends the program without a traceback."""
    ends = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # else it is ignored, and stays so
    if ends:
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from bench.cli import main

    if ends:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    main()


if __name__ == "__main__":
    start()
