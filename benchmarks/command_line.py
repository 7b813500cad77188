"""What the command lines of the scripts share."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from bench.errors import BenchError, one_line

QUICK = "a tiny setting that only shows that everything runs; its figures mean nothing"


class Arguments(argparse.ArgumentParser):
    """A command line whose errors are one line each."""

    def __init__(self, about: str) -> None:
        super().__init__(description=about, allow_abbrev=False)
        self.add_argument("--quick", action="store_true", help=QUICK)

    def error(self, message: str) -> NoReturn:
        """Leaves with exit code 2."""
        self.exit(2, f"error: {one_line(message)}; see `python benchmarks/{self.prog} --help`\n")


def script_arguments(about: str, *, rounds: int, device: bool = False) -> Arguments:
    """Returns the options of a script that measures.

    Args:
        about: what it measures, for --help
        rounds: how many, unless the user says something else
        device: it can run on a GPU
    """
    arguments = Arguments(about)
    arguments.add_argument("--rounds", type=positive, default=rounds, metavar="N", help=f"rounds, {rounds} unless set")
    arguments.add_argument("--section", action="store_true", help="leave out the machine and the versions")
    if device:
        choices = ("auto", "cpu", "cuda")
        arguments.add_argument("--device", choices=choices, default="auto", help="auto: a GPU where there is one")
    return arguments


def positive(text: str) -> int:
    """Reads a number of at least 1."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number, at least 1, got '{one_line(text, 40)}'")
    return int(text)


def run(main: Callable[[list[str]], Any]) -> NoReturn:
    """Runs a script; what a user can cause is one line."""
    try:
        main(sys.argv[1:])
    except BenchError as error:
        print(f"error: {one_line(error, 2000)}", file=sys.stderr)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os._exit(141)  # nobody reads on, as after `| head`; a normal end would try to print once more
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        sys.exit(130)
    sys.exit(0)
