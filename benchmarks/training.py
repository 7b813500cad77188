"""Training: our loop beside a bare loop on resident data and beside the plain loop that most people write.

    python benchmarks/training.py
    python benchmarks/training.py --model segnet_basic --model fcn_basic
    python benchmarks/training.py --model all --device cuda

Runs on a GPU where there is one, unless told otherwise, with images and batches as large as the paper's; on a processor
with smaller ones. Without --model the eight networks of Table 1. On a processor with units for it ours and the bare
loop compute in bf16, as a study on it would declare, unless --precision says fp32.
"""

from __future__ import annotations

import copy
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pages
import torch
from command_line import run, script_arguments
from machine import description
from rounds import Measured, Way, measure
from torch import nn
from torch.utils.data import TensorDataset
from torch.utils.flop_counter import FlopCounterMode
from training_loops import Loop, Losses, Pictures, Setting, bare_loop, our_loop, plain_loop, write_pictures

from bench.data import DATASETS
from bench.profiling.stopwatch import stopwatch_of
from bench.results.provenance import ROOT
from bench.running.device import resolve_device, use_arithmetic
from bench.running.doctor import has_bf16_units
from bench.study.catalog import MODEL_TITLES, resolve
from bench.study.config import load_study
from bench.study.specs import ProfileSpec, RecipeSpec
from models import MODELS

SUITE, PROFILES = "decoder-variants", {"cpu": "mini", "cuda": "paper"}  # whose settings "ours" has on which device
IN_DETAIL = "segnet_basic"  # has more rounds, and a table of its own
SIZE = {"cpu": (180, 240), "cuda": (360, 480)}  # on a GPU the paper's
BATCH = {"cpu": 4, "cuda": 12}  # likewise
QUICK_SIZE, TINY_SIZE, SMALL_BATCH = (24, 32), (16, 16), 4
SCENES = 24
ITERATIONS = {"cpu": 2, "cuda": 31}  # a round; 31 of 12 images are an epoch of CamVid
OVERHEAD_ITERATIONS = 200
WORKERS = min(4, os.cpu_count() or 1)
CHECKED = 2  # iterations whose losses are compared
PEAK_SIZE = {"cpu": 2048, "cuda": 8192}  # of the square matrices whose product shows what the device can do
PEAK_REPEATS = 10


class Table(NamedTuple):
    """What is timed together, in how many rounds for each that is asked for; of networks also what a step computes."""

    title: str
    unit: str
    ways: list[Way]
    often: int = 1
    flops: int = 0  # of an image, forward and backward


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
    """Returns the ways to train a model."""
    profile = setting.profile
    layout = "channels_last" if profile.channels_last else "NCHW"
    settings = f"{profile.precision}, {layout}, compile {profile.compile}, determinism {profile.determinism}"
    plain = (
        f"`DataLoader` with {WORKERS} workers that decode PNG files and normalise images, NCHW, `CrossEntropyLoss`, "
        "`loss.item()`, fp32 as PyTorch comes (on a GPU convolutions in TF32); a round is an epoch, workers start anew"
    )
    bare = f"data resident, no checks, no reports; {settings}"
    loops = (
        ("ours", f"`bench.training.loop.train`, {settings}", our_loop(setting), same_start),
        ("bare loop", bare, bare_loop(setting), same_losses(setting.device)),
        ("plain loop", plain, plain_loop(setting, Pictures(folder), WORKERS), same_start),
    )
    count, units = setting.iterations, setting.iterations * setting.batch
    return [way(name, meaning, loop, count, units, agrees) for name, meaning, loop, agrees in loops]


def overhead_ways(setting: Setting) -> list[Way]:
    """Returns the ways to train a network so small that what is timed is the loop; fp32, NCHW."""
    images, labels, _ = setting.resident()
    resident = TensorDataset(images[:].cpu(), labels.cpu().long())
    loader = "`DataLoader` over a `TensorDataset`, no workers; `CrossEntropyLoss`, which is fewer operations"
    bare = "data resident, no checks, no reports; the same loss"
    loops = (
        ("ours", "`bench.training.loop.train`, with the project's own loss", our_loop(setting), same_start),
        ("bare loop", bare, bare_loop(setting), same_losses(setting.device)),
        ("plain loop", loader, plain_loop(setting, resident, 0), same_start),
    )
    count = setting.iterations
    return [way(name, meaning, loop, count, count, agrees) for name, meaning, loop, agrees in loops]


def step_flops(model: nn.Module, height: int, width: int) -> int:
    """Returns the floating-point operations of a training step per image; a multiply-add counts as two.

    Counted by PyTorch's counter, forward and backward: convolutions and matrix products only.
    """
    shapes = copy.deepcopy(model).to("meta").train()  # nothing is computed
    forward = getattr(shapes, "coarse_logits", shapes)
    with FlopCounterMode(display=False) as counter:
        forward(torch.zeros(2, 3, height, width, device="meta")).sum().backward()
    return counter.get_total_flops() // 2


def peak_flops_per_s(device: torch.device, precision: str, *, quick: bool) -> float:
    """Returns what a large matrix product reaches in a precision, the best of some: the device's peak, as measured."""
    bf16 = use_arithmetic(precision, "off")
    size = 256 if quick else PEAK_SIZE[device.type]
    matrix = torch.randn(size, size, device=device, dtype=torch.bfloat16 if bf16 else torch.float32)
    product = Way("matrix product", "", lambda: matrix @ matrix)
    synchronise = stopwatch_of(device).synchronise
    return 2 * size**3 / min(measure([product], PEAK_REPEATS, synchronise=synchronise).times[0].seconds)


def seeded(build: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    """Returns a function that builds the same model every time."""

    def fresh() -> nn.Module:
        torch.manual_seed(0)
        return build()

    return fresh


def settings_on(device: torch.device, precision: str) -> tuple[RecipeSpec, ProfileSpec]:
    """Returns the recipe and the profile of a device, in its own precision, another one, or "auto"."""
    study = load_study(ROOT / "bench.yaml")
    recipe, profile = study.suites[SUITE].recipe, study.profiles[PROFILES[device.type]]
    if precision == "auto":
        precision = "bf16" if device.type == "cpu" and has_bf16_units() else profile.precision
    return recipe, profile.model_copy(update={"precision": precision})


def scale_on(device: torch.device, *, quick: bool) -> tuple[tuple[int, int], int]:
    """Returns height and width of the images, px, and how many make a batch."""
    return (QUICK_SIZE, SMALL_BATCH) if quick else (SIZE[device.type], BATCH[device.type])


def model_tables(
    names: Sequence[str], device: torch.device, precision: str, folder: Path, *, quick: bool
) -> Iterator[Table]:
    """Yields a table for each model, made when its turn comes; `folder` is where pictures are written."""
    recipe, profile = settings_on(device, precision)
    size, batch = scale_on(device, quick=quick)
    scenes = DATASETS["road_scenes"].load("train", *size, {"train": SCENES, "val": 1, "test": 1, "seed": 1511})
    classes = len(scenes.class_names)
    write_pictures(scenes, folder)
    for name in names:
        sized = (size,) if getattr(MODELS[name], "BUILT_FOR_SIZE", False) else ()
        build = seeded(partial(MODELS[name], classes, *sized))
        iterations = CHECKED if quick else ITERATIONS[device.type]
        setting = Setting(build, scenes, device, recipe, profile, iterations, batch)
        often = 2 if name == IN_DETAIL and not quick else 1
        yield Table(MODEL_TITLES[name], "image", model_ways(setting, folder), often, step_flops(build(), *size))


def overhead_table(device: torch.device, *, quick: bool) -> Table:
    """Returns what is timed to see the cost of a loop itself."""
    recipe, profile = settings_on(device, "auto")
    tiny = DATASETS["road_scenes"].load("train", *TINY_SIZE, {"train": SCENES, "val": 1, "test": 1, "seed": 1511})
    alike = profile.model_copy(update={"precision": "fp32", "channels_last": False, "determinism": "off"})
    build = seeded(lambda: nn.Conv2d(3, len(tiny.class_names), 1))
    setting = Setting(build, tiny, device, recipe, alike, CHECKED if quick else OVERHEAD_ITERATIONS, SMALL_BATCH)
    title = f"What a loop itself costs: one 1×1 convolution on {TINY_SIZE[0]}×{TINY_SIZE[1]}, fp32"
    return Table(title, "iteration", overhead_ways(setting), often=1 if quick else 4)  # short rounds, and cheap


def summary_row(table: Table, measured: Measured, peak: float) -> list[str]:
    """Returns the row of a model in the summary."""
    ours, bare, plain = (times.median for times in measured.times)
    per_s = table.flops / ours
    ratios = [f"{plain / ours:.2f}×", f"{bare / ours:.2f}×"]
    return [table.title, pages.figure(1 / ours), pages.figure(per_s / 1e9), f"{per_s / peak:.0%}", *ratios]


def main(arguments: list[str]) -> None:
    """Prints a table of all models, one of SegNet-Basic in detail, and one of what the loop itself costs."""
    parser = script_arguments(str(__doc__).partition("\n")[0], rounds=3, device=True)
    parser.add_argument("--model", action="append", metavar="NAME", help="a network, or `all`; again for more")
    choices = ("auto", "fp32", "tf32", "bf16")
    auto = "auto: bf16 on a processor with units for it, else that of the profile"
    parser.add_argument("--precision", choices=choices, default="auto", help=auto)
    options = parser.parse_args(arguments)
    device = resolve_device(options.device)
    rounds = 1 if options.quick else options.rounds
    study = load_study(ROOT / "bench.yaml")
    default = [IN_DETAIL] if options.quick else study.suites[SUITE].models
    names = default if not options.model else [resolve("model", name, [*MODELS, "all"]) for name in options.model]
    names = list(MODELS) if "all" in names else list(dict.fromkeys(names))
    precision = settings_on(device, options.precision)[1].precision
    (height, width), batch = scale_on(device, quick=options.quick)
    as_there = ", as in the paper" if (height, width, batch) == (*SIZE["cuda"], BATCH["cuda"]) else ""
    pages.show(
        "## Training",
        "" if options.section else description(),
        f"On {device.type}, {torch.get_num_threads()} threads; {SCENES} RoadScenes of {height}×{width}, batches of "
        f"{batch}{as_there}, SGD as in suite `{SUITE}`, all classes weighted alike. Ours has the settings of profile "
        f"`{PROFILES[device.type]}`, in {precision}. All start from the same weights and see the same images: the "
        f"losses of the bare loop are ours{' to the bit' if device.type == 'cpu' else ''}, the first one of the plain "
        f"loop is ours within 2 %, or nothing is printed. {pages.load()}",
    )
    peak = peak_flops_per_s(device, precision, quick=options.quick)
    synchronise = stopwatch_of(device).synchronise
    found: list[tuple[Table, Measured]] = []
    with tempfile.TemporaryDirectory() as folder:
        for table in model_tables(names, device, precision, Path(folder), quick=options.quick):
            # the checked iterations have warmed a processor up; cuDNN also chooses its kernels
            warm_up = device.type == "cuda"
            found.append((table, measure(table.ways, rounds * table.often, warm_up=warm_up, synchronise=synchronise)))
    header = ["network", "images/s", "GFLOP/s", "of the peak", "to the plain loop", "to the bare loop"]
    shares = [measured.others_share for _, measured in found if measured.others_share is not None]
    pages.show(
        "### Networks",
        pages.table(header, [summary_row(table, measured, peak) for table, measured in found]),
        f"Medians of {rounds} rounds or more. A multiply-add counts as two operations; convolutions and matrix "
        f"products are counted, forward and backward. The peak is what a product of two large matrices reaches in "
        f"{precision} here: {pages.figure(peak / 1e9)} GFLOP/s. {pages.busy(max(shares) if shares else None)}",
    )
    overhead = overhead_table(device, quick=options.quick)
    times = measure(overhead.ways, rounds * overhead.often, synchronise=synchronise)
    for table, measured in (found[names.index(IN_DETAIL)] if IN_DETAIL in names else found[0], (overhead, times)):
        pages.show(f"### {table.title}", pages.timing_table(measured, table.unit))
        pages.show(pages.caption(rounds * table.often, measured.others_share), pages.meanings(table.ways))


if __name__ == "__main__":
    run(main)
