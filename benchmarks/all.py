"""Runs every benchmark in turn and makes one page of what they print.

    python benchmarks/all.py --out benchmarks/README.md

The page is written when all of them have ended well, and not otherwise.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import machine
import pages
from command_line import Arguments, run

from bench.atomic import write_atomically
from bench.errors import BenchError, ConfigError, one_line
from bench.profiling.neighbours import Neighbours
from bench.replication.conditions import BUSY_SHARE
from bench.running.device import resolve_device

HERE = Path(__file__).resolve().parent
# script -> whether it takes --device
SCRIPTS = {
    "region_metrics.py": False,
    "boundary_metrics.py": False,
    "unpooling.py": True,
    "training.py": True,
    "startup.py": False,
    "report.py": False,
}
HEAD = """# Benchmarks

Our figures beside what one would use instead, measured in the same run on the same machine. This page is written by

    python benchmarks/all.py --out benchmarks/README.md

and is not edited by hand. Each script also runs alone (`python benchmarks/unpooling.py`, `--help` for its options)."""
READING = f"""In every round each way has one turn, one way after the other, so that a busy moment hits all of them.
Each was called before the clock started, and gave the same result as ours, or the script had stopped. *To ours* is its
median divided by that of ours: above 1, ours is faster. The load average is that of the minute before and includes the
script that ran last. ⚠ marks what was measured while other processes took more than {BUSY_SHARE:.0%} of the
processors: the times are too long then, and the ratios less certain."""


class ScriptError(BenchError):
    """A benchmark has stopped; its own message says why."""

    exit_code = 1


def section(script: str, options: list[str]) -> str:
    """Runs one script and returns what it printed.

    Raises:
        ScriptError: it has stopped.
    """
    command = [sys.executable, str(HERE / script), "--section", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or not done.stdout.strip():
        last = (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        raise ScriptError(f"{script} stopped with exit code {done.returncode}, no page is written: {one_line(last)}")
    return done.stdout.strip()


def page(*, quick: bool, device: str) -> str:
    """Runs all scripts and returns the page."""
    sections, watch, start = [], Neighbours(), time.perf_counter()
    for script, takes_device in SCRIPTS.items():
        print(f"{script} …", file=sys.stderr, flush=True)
        options = [*(["--quick"] if quick else []), *(["--device", device] if takes_device else [])]
        sections.append(section(script, options))
    minutes = (time.perf_counter() - start) / 60
    blocks = [
        HEAD,
        "> **Tiny setting (`--quick`)**: these figures only show that everything runs." if quick else "",
        f"## Machine\n\n{machine.description()}",
        f"All of it took {minutes:.1f} minutes. {pages.busy(watch.share())}",
        READING,
        *sections,
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def checked_target(path: Path) -> Path:
    """Returns the path, or says before minutes are spent that no page can be written there."""
    if path.is_dir() or not path.parent.is_dir():
        problem = "is a folder" if path.is_dir() else "lies in a folder that does not exist"
        raise ConfigError(f"--out '{path}' {problem}; name a file, such as benchmarks/README.md")
    return path


def save(file: Path, text: str) -> None:
    """Writes a text file."""
    file.write_text(text, encoding="utf-8")


def main(arguments: list[str]) -> None:
    """Prints the page, or writes it into a file."""
    parser = Arguments(str(__doc__).partition("\n")[0])
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the page there; printed where this is not set")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="auto: a GPU if there is one")
    options = parser.parse_args(arguments)
    target = checked_target(options.out) if options.out else None
    resolve_device(options.device)  # a GPU that is not there is known before the first script runs
    text = page(quick=options.quick, device=options.device)
    if target is None:
        print(text, end="")
    else:
        write_atomically(target, lambda file: save(file, text))
        print(f"wrote {target}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
