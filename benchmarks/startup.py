"""How long commands take to answer, as fresh processes, beside an empty Python and one that imports torch.

    python benchmarks/startup.py

Every command runs as a fresh process of the same Python, in the root of the checkout.
"""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import pages
from command_line import run, script_arguments
from machine import description
from rounds import Way, WrongResultError, measure

from bench.errors import one_line
from bench.results.provenance import ROOT

COMMANDS = ("bench --help", "bench list", "bench status", "bench plan --help")
PYTHON = {"pass": "the least that any Python program takes", "import torch": "what a command takes that needs it"}


def fresh_process(arguments: list[str], *, silent: bool) -> None:
    """Runs Python with arguments in a new process, in the root of the checkout.

    Raises:
        WrongResultError: it fails, or prints nothing where it should.
    """
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode or not (silent or done.stdout):
        words = done.stderr.strip().splitlines()[-1:] or ["it printed nothing"]
        command = one_line(" ".join(arguments), 80)
        raise WrongResultError(f"python {command} left with exit code {done.returncode}: {one_line(words[0])}")


def ways() -> list[Way]:
    """Returns our commands, then the two to hold them against."""
    ours = [
        Way(
            f"ours: {command}",
            f"`python -m {command}` in the root of the checkout",
            partial(fresh_process, ["-m", *command.split()], silent=False),
        )
        for command in COMMANDS
    ]
    return ours + [
        Way(f"python -c '{code}'", meaning, partial(fresh_process, ["-c", code], silent=True))
        for code, meaning in PYTHON.items()
    ]


def main(arguments: list[str]) -> None:
    """Prints the table."""
    options = script_arguments(str(__doc__).partition("\n")[0], rounds=15).parse_args(arguments)
    rounds = 1 if options.quick else options.rounds
    pages.show(
        "## Start-up of commands",
        "" if options.section else description(),
        "Wall time from start to end of a fresh process, one after the other in turns, after one that does not count. "
        f"`bench status` also reads the results that the checkout holds. {pages.load()}",
    )
    commands = ways()
    measured = measure(commands, rounds, warm_up=not options.quick)
    empty = measured.times[len(COMMANDS)]
    rows = [
        [times.way.name, pages.ms(times), pages.spread(times), pages.figure((times.median - empty.median) * 1e3)]
        for times in measured.times
    ]
    pages.show(pages.table(["command", "ms", "range", "beyond an empty Python, ms"], rows))
    pages.show(pages.caption(rounds, measured.others_share), pages.meanings(commands))


if __name__ == "__main__":
    run(main)
