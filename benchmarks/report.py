"""Reports: how long `bench report` takes for a suite of a hundred trials, with its figures to draw and with them drawn.

    python benchmarks/report.py

The trials are the committed ones of decoder-variants in profile mini; each training stands for two seeds, so that there
are 104 of them. Every command runs as a fresh process.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import pages
from command_line import run, script_arguments
from machine import description
from rounds import Way, WrongResultError, measure

from bench.errors import one_line
from bench.results.provenance import ROOT
from bench.results.schema import VALUES
from bench.results.store import path_of
from bench.results.trial_file import read_rows, write_trial
from bench.study.config import load_study
from bench.study.trials import Trial, plan

SUITE, PROFILE = "decoder-variants", "mini"
RESULTS, STUDY = ROOT / "results", ROOT / "bench.yaml"
FIGURES_ASIDE = ("predictions-", "panels/")  # what the size leaves out: pictures of images


def with_seeds(folder: Path, *, quick: bool) -> int:
    """Writes a study with twice the seeds, and a results file for each of its trials; returns how many.

    Args:
        folder: an empty one.
        quick: one seed instead.

    Raises:
        BenchError: a committed result is missing or damaged.
    """
    text = STUDY.read_text(encoding="utf-8")
    before, _, rest = text.partition(f"\n  {PROFILE}:\n")
    seeds = load_study(STUDY).profiles[PROFILE].seeds
    wanted = seeds[:1] if quick else [*seeds, *(max(seeds) + 1 + seed for seed in seeds)]
    rest = re.sub(r"seeds: \[.*?\]", f"seeds: {wanted}", rest, count=1)
    (folder / "bench.yaml").write_text(f"{before}\n  {PROFILE}:\n{rest}", encoding="utf-8")
    stored = {_cell(trial, trial.seed): trial for trial in plan(load_study(STUDY), SUITE, PROFILE)}
    trials = plan(load_study(folder / "bench.yaml"), SUITE, PROFILE)
    values = [column.name for column in VALUES]
    for trial in trials:
        seed = trial.seed if trial.seed is None else seeds[wanted.index(trial.seed) % len(seeds)]
        table = read_rows(path_of(RESULTS, stored[_cell(trial, seed)]))
        constants = table.slice(0, 1).drop_columns(values).to_pylist()[0]
        constants |= {"trial": trial.id, "digest": trial.digest, "seed": trial.seed}
        constants |= {"config": json.dumps(trial.as_dict(), sort_keys=True)}
        write_trial(path_of(folder / "results", trial), constants, table.select(values).to_pylist())
    panels = Path("_panels") / SUITE / PROFILE
    shutil.copytree(RESULTS / panels, folder / "results" / panels)
    return len(trials)


def _cell(trial: Trial, seed: int | None) -> tuple[str, str | None, int | None]:
    return trial.model, trial.weighting, seed


def report(folder: Path, *, anew: bool) -> None:
    """Writes the report, into an empty folder or over the last one.

    Raises:
        WrongResultError: the command fails.
    """
    out = folder / "reports"
    if anew:
        shutil.rmtree(out, ignore_errors=True)
    words = ["report", "--suite", SUITE, "--profile", PROFILE, "--results", str(folder / "results"), "--out", str(out)]
    command = [sys.executable, "-m", "bench", "--config", str(folder / "bench.yaml"), *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise WrongResultError(f"bench report left with exit code {done.returncode}: {one_line(done.stderr)}")


def size_mb(folder: Path) -> float:
    """Returns what the suite's page and all its files take without pictures of images, MB."""
    page = folder / "reports" / SUITE / PROFILE
    files = [path for path in page.rglob("*") if path.is_file()]
    return sum(p.stat().st_size for p in files if not any(part in p.as_posix() for part in FIGURES_ASIDE)) / 1e6


def main(arguments: list[str]) -> None:
    """Prints the table."""
    options = script_arguments(str(__doc__).partition("\n")[0], rounds=3).parse_args(arguments)
    rounds = 1 if options.quick else options.rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        number = with_seeds(folder, quick=options.quick)
        ways = [
            Way("again", "over a report whose figures have not changed", partial(report, folder, anew=False)),
            Way("first", "into an empty folder, all figures as SVG, PNG and PDF", partial(report, folder, anew=True)),
        ]
        report(folder, anew=True)  # there is something to go over
        measured = measure(ways, rounds, warm_up=False)
        size = size_mb(folder)
    pages.show(
        "## Reports",
        "" if options.section else description(),
        f"`bench report` for {number} trials of suite `{SUITE}`, wall time of a fresh process. The page with its "
        f"figures and tables takes {size:.1f} MB without pictures of images. {pages.load()}",
    )
    rows = [[times.way.name, pages.figure(times.median), _range(times.seconds)] for times in measured.times]
    pages.show(pages.table(["report", "s", "range"], rows))
    pages.show(pages.caption(rounds, measured.others_share), pages.meanings(ways))


def _range(seconds: list[float]) -> str:
    return f"{pages.figure(min(seconds))} – {pages.figure(max(seconds))}"


if __name__ == "__main__":
    run(main)
