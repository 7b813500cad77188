"""`bench check` of a small study: two models under two loss weightings, two seeds, in profile smoke."""

import os
import re
from pathlib import Path

from click.testing import CliRunner, Result
from results_factory import write

from bench.cli import main
from bench.study.config import load_study
from bench.study.trials import Trial, plan

ROOT = Path(__file__).parents[1]
MODELS = ("segnet_basic", "fcn_basic")


def bench(*words: object) -> Result:
    """Runs a command in this process from the folder of bench.yaml."""
    before = Path.cwd()
    os.chdir(ROOT)
    try:
        return CliRunner().invoke(main, [str(word) for word in words])
    finally:
        os.chdir(before)


def small_study(folder: Path) -> Path:
    """Writes the study into a folder; returns its bench.yaml."""
    text = (ROOT / "bench.yaml").read_text()
    models = "".join(f"      - {model}\n" for model in MODELS)
    text = re.sub(r"(models: # paper Table 1, in its order\n)(      - \w+\n)+", rf"\1{models}", text)
    assert text.count("seeds: [0]\n") == 2  # smoke and paper
    path = folder / "bench.yaml"
    path.write_text(text.replace("seeds: [0]\n", "seeds: [0, 1]\n"))
    return path


def check_of(study: Path, *words: object, suite: str | None = "decoder-variants") -> Result:
    """Runs `bench check` on the results beside the study."""
    named = ("--suite", suite) if suite else ()
    return bench("--config", study, "check", *named, "--results", study.parent / "results", *words)


def fill(study: Path, value: float = 0.5, suite: str = "decoder-variants") -> list[Trial]:
    """Writes every trial of a suite with one value for all scores."""
    found = plan(load_study(study), suite, "smoke")
    for trial in found:
        write(study.parent / "results", trial, value)
    return found


def with_sizes_of_the_paper(study: Path, trials: list[Trial]) -> None:
    """Writes the measurements of two models with what the paper prints, and a time."""
    costs = [trial for trial in trials if trial.kind == "cost"]
    for trial, size, multiplier in zip(costs, (1.425e6, 0.65e6), (1, 11), strict=True):
        found = {("parameters", "x"): size, ("storage_multiplier", "x"): multiplier, ("forward_ms", "x"): 1}
        write(study.parent / "results", trial, costs=found)
