"""Training steps: our loop beside a bare loop on resident data and beside the plain loop that most people write.

    python benchmarks/training_step.py
    python benchmarks/training_step.py --device cpu

Runs on a GPU where there is one, unless told otherwise.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pages
import torch
from command_line import run, script_arguments
from machine import description
from rounds import Way, measure
from torch import nn
from torch.utils.data import TensorDataset
from training_loops import BATCH, Loop, Losses, Pictures, Setting, bare_loop, our_loop, plain_loop, write_pictures

from bench.data import DATASETS
from bench.profiling.stopwatch import stopwatch_of
from bench.results.provenance import ROOT
from bench.running.device import resolve_device
from bench.study.config import load_study
from models import MODELS

SUITE, PROFILES = "decoder-variants", {"cpu": "mini", "cuda": "paper"}  # whose settings "ours" has on which device
TRAINED = {"SegNet-Basic": "segnet_basic", "Bilinear-Interpolation": "bilinear_interpolation"}
SIZE, QUICK_SIZE, TINY_SIZE = (180, 240), (24, 32), (16, 16)
SCENES = 24
ITERATIONS = {"cpu": 3, "cuda": 90}  # a round; 90 of 4 images are an epoch of CamVid
OVERHEAD_ITERATIONS = 200
WORKERS = min(4, os.cpu_count() or 1)
CHECKED = 2  # iterations whose losses are compared


class Table(NamedTuple):
    """What one table times, in how many rounds for each that is asked for."""

    title: str
    unit: str
    ways: list[Way]
    often: int = 1


def same_start(expected: Losses, got: Losses) -> bool:
    """Says whether the first losses agree as far as bf16 reaches; later ones drift apart."""
    return abs(expected[0] - got[0]) <= 0.02 * abs(expected[0])


def same_losses(device: torch.device) -> Callable[[Losses, Losses], bool]:
    """Returns how the losses of the same steps are compared: to the bit on a processor, where kernels add in order."""
    relative = 0.0 if device.type == "cpu" else 1e-3
    return lambda expected, got: bool(np.allclose(expected, got, rtol=relative, atol=0))


def way(name: str, meaning: str, loop: Loop, iterations: int, units: int, agrees: Callable[[Any, Any], bool]) -> Way:
    """Returns a way whose result are the losses of the first iterations."""
    return Way(name, meaning, lambda: loop(iterations), units, lambda: loop(CHECKED), agrees)


def model_ways(setting: Setting, folder: Path) -> list[Way]:
    """Returns the ways to train a model of the paper."""
    profile = setting.profile
    layout = "channels_last" if profile.channels_last else "NCHW"
    settings = f"{profile.precision}, {layout}, determinism {profile.determinism}"
    plain = f"`DataLoader` with {WORKERS} workers that decode PNG files, NCHW, `CrossEntropyLoss`, `loss.item()`, fp32"
    plain += " as PyTorch comes (on a GPU convolutions in TF32); a round is an epoch, workers start anew"
    bare = f"data resident, no checks, no reports; {settings}"
    loops = (
        ("ours", f"`bench.training.loop.train`, {settings}", our_loop(setting), same_start),
        ("bare loop", bare, bare_loop(setting), same_losses(setting.device)),
        ("plain loop", plain, plain_loop(setting, Pictures(folder), WORKERS), same_start),
    )
    count, units = setting.iterations, setting.iterations * BATCH
    return [way(name, meaning, loop, count, units, agrees) for name, meaning, loop, agrees in loops]


def overhead_ways(setting: Setting) -> list[Way]:
    """Returns the ways to train a network so small that what is timed is the loop; fp32, NCHW."""
    images, labels, _ = setting.resident()
    resident = TensorDataset(images.cpu(), labels.cpu().long())
    loader = "`DataLoader` over a `TensorDataset`, no workers; `CrossEntropyLoss`, which is fewer operations"
    bare = "data resident, no checks, no reports; the same loss"
    loops = (
        ("ours", "`bench.training.loop.train`, with the project's own loss", our_loop(setting), same_start),
        ("bare loop", bare, bare_loop(setting), same_losses(setting.device)),
        ("plain loop", loader, plain_loop(setting, resident, 0), same_start),
    )
    count = setting.iterations
    return [way(name, meaning, loop, count, count, agrees) for name, meaning, loop, agrees in loops]


def seeded(build: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    """Returns a function that builds the same model every time."""

    def fresh() -> nn.Module:
        torch.manual_seed(0)
        return build()

    return fresh


def tables(device: torch.device, folder: Path, *, quick: bool) -> Iterator[Table]:
    """Yields the tables, each made when its turn comes; `folder` is where pictures are written."""
    study = load_study(ROOT / "bench.yaml")
    recipe, profile = study.suites[SUITE].recipe, study.profiles[PROFILES[device.type]]
    options = {"train": SCENES, "val": 1, "test": 1, "seed": 1511}
    scenes, tiny = (
        DATASETS["road_scenes"].load("train", *size, options) for size in (QUICK_SIZE if quick else SIZE, TINY_SIZE)
    )
    classes = len(scenes.class_names)
    write_pictures(scenes, folder)
    for title, name in TRAINED.items():
        build = seeded(partial(MODELS[name], classes))
        iterations = CHECKED if quick else ITERATIONS[device.type]
        yield Table(title, "image", model_ways(Setting(build, scenes, device, recipe, profile, iterations), folder))
    alike = profile.model_copy(update={"precision": "fp32", "channels_last": False, "determinism": "off"})
    build = seeded(lambda: nn.Conv2d(3, classes, 1))
    setting = Setting(build, tiny, device, recipe, alike, CHECKED if quick else OVERHEAD_ITERATIONS)
    title = f"What a loop itself costs: one 1×1 convolution on {TINY_SIZE[0]}×{TINY_SIZE[1]}, fp32"
    yield Table(title, "iteration", overhead_ways(setting), often=1 if quick else 4)  # short rounds, and cheap


def main(arguments: list[str]) -> None:
    """Prints a table for each model, and one of what the loop itself costs."""
    parser = script_arguments(str(__doc__).partition("\n")[0], rounds=5, device=True)
    options = parser.parse_args(arguments)
    device = resolve_device(options.device)
    rounds = 1 if options.quick else options.rounds
    height, width = QUICK_SIZE if options.quick else SIZE
    pages.show(
        "## Training step",
        "" if options.section else description(),
        f"On {device.type}, {torch.get_num_threads()} threads; {SCENES} RoadScenes of {height}×{width}, batches of "
        f"{BATCH}, SGD as in suite `{SUITE}`, all classes weighted alike. Ours has the settings of profile "
        f"`{PROFILES[device.type]}`. All start from the same weights and see the same images: the losses of the "
        f"bare loop are ours{' to the bit' if device.type == 'cpu' else ''}, the first one of the plain "
        f"loop is ours within 2 %, or nothing is printed. {pages.load()}",
    )
    synchronise = stopwatch_of(device).synchronise
    with tempfile.TemporaryDirectory() as folder:
        for table in tables(device, Path(folder), quick=options.quick):
            # the checked iterations have warmed a processor up; cuDNN also chooses its kernels
            turns = rounds * table.often
            measured = measure(table.ways, turns, warm_up=device.type == "cuda", synchronise=synchronise)
            pages.show(f"### {table.title}", pages.timing_table(measured, table.unit))
            pages.show(pages.caption(turns, measured.others_share), pages.meanings(table.ways))


if __name__ == "__main__":
    run(main)
