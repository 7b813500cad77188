"""One browser and one report for all tests: a half-finished study, stored and rendered as by its user."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from results_factory import ROOT, outdated, trials, write

from bench.cli import main
from bench.study.trials import Trial

MODELS = ["bilinear_interpolation", "segnet_basic", "fcn_basic"]
CLASSES = ("Sky", "Building", "Pole", "Road", "Pavement", "Tree", "SignSymbol", "Fence", "Car", "Pedestrian",
           "Bicyclist")  # fmt: skip
COSTS = {
    "bilinear_interpolation": {("parameters", "x"): 0.612e6, ("storage_multiplier", "x"): 0.0},
    "segnet_basic": {("parameters", "x"): 1.6e6, ("storage_multiplier", "x"): 1.0},  # the paper: 1.425 million
}
CHROMIUM = os.environ.get("BENCH_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


class Pages(NamedTuple):
    """Where the pages of the report lie."""

    overview: Path
    variants: Path
    roads: Path
    questions: Path


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    folder = tmp_path_factory.mktemp("study")
    store_variants(folder / "results")
    (segnet,) = trials("mini", "road-scenes", models=["segnet"], seeds=[0])
    write(folder / "results", segnet, 0.7, other=0.71, classes=CLASSES)
    out = folder / "reports"
    words = ["report", "--results", str(folder / "results"), "--out", str(out)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bench.reporting.figures.suite_figures.Drawing", Boxes)  # real figures take half a minute
        done = CliRunner().invoke(main, ["--config", str(ROOT / "bench.yaml"), *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    suites = (out / name / "mini" / "index.html" for name in ("decoder-variants", "road-scenes", "open-questions"))
    return Pages(out / "index.html", *suites)


def store_variants(results: Path) -> None:
    """Stores two seeds of each training, stale and failed ones among them, a cost that fits and one that does not."""
    planned = trials("mini", "decoder-variants", models=MODELS)
    for place, trial in enumerate(planned):
        if trial.kind == "cost":
            if trial.model in COSTS:
                write(results, trial, costs=COSTS[trial.model])
        elif (trial.model, trial.weighting) == ("fcn_basic", "natural_frequency"):
            write(results, trial, status="failed", reason="loss <b>became</b> nan", selected_iteration=None)
        else:
            stored = outdated(trial) if trial.model == "bilinear_interpolation" else trial
            write(results, stored, 0.4 + 0.05 * MODELS.index(trial.model) + 0.003 * place, classes=CLASSES)
            draw_panel(results, stored)


def draw_panel(results: Path, trial: Trial) -> None:
    """Stores what a training predicts of two images of blocks."""
    labels = np.zeros((90, 120), np.uint8)
    labels[50:] = 3
    labels[30:70, 40:80] = 8
    for name in ("frame_01", "frame_02"):
        folder = results / "_panels" / trial.suite / trial.profile / name
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.dstack([20 * labels] * 3)).save(folder / "image.png")
        Image.fromarray(labels).save(folder / "labels.png")
        moved = np.roll(labels, 1 + MODELS.index(trial.model), axis=1)
        Image.fromarray(moved).save(folder / f"{trial.id}-{trial.digest}.png")


class Boxes:
    """Writes a box in place of every figure."""

    def __init__(self, figures: Mapping[str, object], folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._names = set(figures)
        for name in figures:
            box = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 300"><rect width="480" height="300"/></svg>'
            (folder / f"{name}.svg").write_text(box)

    def finished(self) -> set[str]:
        return self._names


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """Chromium, without a window and without a network."""
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install 'segnet-bench[dev]'")
    if CHROMIUM is None:
        pytest.skip("needs Chromium: apt-get install chromium, or name one in BENCH_CHROMIUM")
    with api.sync_playwright() as playwright:
        args = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND"]
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=args)
        yield chromium
        chromium.close()
