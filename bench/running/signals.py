"""What is asked of this process by signals: SIGINT, SIGTERM and SIGHUP to stop, SIGUSR1 to save and go on.

What a request to stop does depends on what it meets. While a trial runs it is noted, and whoever follows the trial
lets it write its checkpoint. While the run is being prepared it is raised as `Stopped`. While libraries load it ends
the process there and then: an exception in the middle of an import may be swallowed by what is being imported.
A second request does the next harsher thing.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Literal, Self

CHECKPOINT = getattr(signal, "SIGUSR1", None)
# Ctrl-C, the end of a job's time, a terminal that closes; Windows has the first two
HANDLED = [number for number in signal.Signals if number.name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1")]
SECOND_AFTER_S = 1.0  # timeout(1) and some schedulers send each signal twice: to the process, then to its group

Answer = Literal["note", "raise", "exit"]
HARSHER: dict[Answer, Answer] = {"note": "raise", "raise": "exit", "exit": "exit"}


class Stopped(BaseException):
    """The run was asked to stop, and has.

    Args:
        number: of the signal
        where: how far it was, for the user
    """

    def __init__(self, number: int, where: str) -> None:
        super().__init__(where)
        self.exit_code = 128 + number  # as shells count


class Signals:
    """Listens to signals while it is entered; a signal that was ignored before stays ignored (nohup, background jobs).

    stop: the signal that asked to stop, or None; checkpoints: how often a checkpoint was asked for, so that each of
    those who pass it on sees whether it was since they last looked.

    Args:
        farewell: the line that is printed when the process ends while libraries load
    """

    def __init__(self, farewell: str = "stopped") -> None:
        self.stop: int | None = None
        self.checkpoints = 0
        self._farewell = farewell
        self._answer: Answer = "exit"
        self._where = "stopped before the first trial"
        self._first_at = 0.0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in HANDLED:
            if signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def loaded(self) -> None:
        """Raises `Stopped` for what comes from now on: there are things to be cleaned up."""
        self._answer = "raise"

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Notes what comes while it is entered; the caller looks at `stop` and `checkpoints`."""
        self._answer, self._where = "note", "stopped at once; the last checkpoint stays"
        try:
            yield
        finally:
            self._answer, self._where = "raise", "stopped after the last trial"

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if number == CHECKPOINT:
            self.checkpoints += 1
            return
        now = time.monotonic()
        if self.stop is None:
            self.stop, self._first_at = number, now
        elif now - self._first_at < SECOND_AFTER_S:
            return
        answer, self._answer = self._answer, HARSHER[self._answer]
        if answer == "exit":
            os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, f"\n{self._farewell}\n".encode())
            os._exit(128 + number)
        if answer == "raise":
            raise Stopped(number, self._where)
