"""A results folder of three trials, of which one is hurt, and what must hold however it is hurt."""

import shutil
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from click.testing import CliRunner
from results_factory import ROOT, trials, write

from bench.cli import main
from bench.results.store import load_results, outcome, path_of

HURT, COST, FAILED = trials()[0], trials()[-1], trials()[1]


class Stored(NamedTuple):
    """A results folder of three trials, of which one is hurt."""

    folder: Path
    path: Path  # of the file that is hurt
    content: bytes
    rows: pd.DataFrame

    def put(self, content: bytes) -> None:
        self.clear()
        self.path.write_bytes(content)

    def clear(self) -> None:
        if self.path.is_dir() and not self.path.is_symlink():
            shutil.rmtree(self.path)
        self.path.unlink(missing_ok=True)


def rows_of(rows, trial):
    """Returns the values of a trial, None and NaN alike, so that they compare."""
    mine = rows[rows["trial"] == trial.id]
    return mine.astype(object).where(mine.notna(), None).to_numpy().tolist()


def check(stored: Stored) -> str:
    """The hurt file gives the right rows and status, or is named as damaged; the others are as they were."""
    found = load_results(stored.folder)
    for trial in (COST, FAILED):
        assert rows_of(found.rows, trial) == rows_of(stored.rows, trial)
    assert set(found.rows["trial"]) <= {trial.id for trial in (HURT, COST, FAILED)}
    mine, state = rows_of(found.rows, HURT), outcome(stored.folder, HURT)
    if found.problems:
        (problem,) = found.problems
        assert problem.startswith(f"'{stored.path}' cannot be read and is left out: ")
        assert problem.isprintable()
        assert len(problem) < 600
        assert mine == []
        assert state.status == "damaged"
        assert state.reason.startswith(f"'{stored.path}'")
        assert state.reason.isprintable()
    else:
        assert mine == rows_of(stored.rows, HURT)
        assert (state.status, state.reason, state.duration_s) == ("done", None, 12.5)
    return state.status


def bench(*words: object, config: Path = ROOT / "bench.yaml") -> str:
    """Runs a command, which ends with a documented exit code; returns what it printed, all printable."""
    done = CliRunner().invoke(main, ["--config", str(config), *map(str, words)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code in ((0, 1, 2, 3, 4) if words[0] == "check" else (0, 1, 2))
    assert all(line.isprintable() for line in done.output.split("\n"))
    return done.output


def check_commands(stored) -> None:
    status = check(stored)
    said = bench("status", "--results", stored.folder)
    assert ("1 damaged" in said) == (status == "damaged")
    words = ("--suite", "decoder-variants", "--results", stored.folder)
    assert (str(stored.path) in bench("check", *words, "--against", "paper")) == (status == "damaged")


def stored_in(folder: Path) -> Stored:
    """Writes the three trials."""
    for trial in (HURT, COST):
        write(folder, trial)
    write(folder, FAILED, status="failed", reason="it fell over", selected_iteration=None)
    path = path_of(folder, HURT)
    return Stored(folder, path, path.read_bytes(), load_results(folder).rows)
