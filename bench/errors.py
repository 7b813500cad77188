"""Every error that a user can cause.

    BenchError                 one line for the user: what, where, what is allowed, what to do
    ├── ConfigError            bench.yaml or the command line is wrong            exit 2
    │   └── UnknownNameError   a name that is not in a known list                 exit 2
    ├── DataError              a data set is missing, damaged or incomplete       exit 2
    ├── DeviceError            the device that was asked for is not there         exit 2
    ├── ResultsError           the results folder or a file in it                 exit 2
    │   └── UnwritableError    nothing more can be stored                         exit 2
    └── DivergedError          a loss that is not a finite number                 recorded in the trial

The command line prints `error: <message>` and leaves with `exit_code`; nothing else in the project
prints errors. Our own invariants are `assert`s and show a traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BenchError(Exception):
    """An error with a message that a user can act on."""

    exit_code = 2


class ConfigError(BenchError):
    """bench.yaml or an option has a value that is not allowed."""


class UnknownNameError(ConfigError):
    """A suite, model, profile or other name that is not known; names the nearest one."""

    def __init__(self, what: str, got: str, known: Iterable[str]) -> None:
        known = list(known)
        super().__init__(f"unknown {what} '{got}'{did_you_mean(got, known)}; known: {', '.join(known)}")


class DataError(BenchError):
    """A data set is missing, damaged or not the one that was asked for."""


class DeviceError(BenchError):
    """The device that was asked for is not available."""


class ResultsError(BenchError):
    """The results folder, or a file in it, cannot be read or written."""


class UnwritableError(ResultsError):
    """Nothing more can be stored: the disk is full, or the folder may not be written."""


class DivergedError(BenchError):
    """The training loss became NaN or infinite."""

    exit_code = 1


def did_you_mean(got: str, known: Iterable[str]) -> str:
    """Returns ", did you mean 'x'?" for the nearest known name, or an empty string."""
    near = difflib.get_close_matches(got, list(known), n=1, cutoff=0.5)
    return f", did you mean '{near[0]}'?" if near else ""


def one_line(text: object, limit: int = 300) -> str:
    """Returns text as messages show it: one line, shortened, with "?" for whatever a terminal would obey or hide."""
    line = "".join(character if character.isprintable() else "?" for character in " ".join(str(text).split()))
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
