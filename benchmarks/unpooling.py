"""Max-unpooling: ours, a scatter, beside torch.nn.functional.max_unpool2d, forward and forward + backward.

    python benchmarks/unpooling.py
    python benchmarks/unpooling.py --device cpu

Runs on a GPU where there is one, unless told otherwise.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import pages
import torch
from command_line import run, script_arguments
from machine import description
from rounds import Measured, Way, measure
from torch import Tensor
from torch.nn import functional

from bench.profiling.neighbours import Neighbours
from bench.profiling.stopwatch import stopwatch_of
from bench.profiling.timing import time_passes
from bench.running.device import resolve_device
from models.blocks import Encoder, Size, max_unpool

BATCH = 4
SIZES: tuple[Size, ...] = ((360, 480), (180, 240), (90, 120), (45, 60))  # reached by SegNet-Basic's decoders
QUICK_SIZES: tuple[Size, ...] = ((9, 12),)
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}
LAYOUTS = {"NCHW": torch.contiguous_format, "channels_last": torch.channels_last}
ROUND_MS = 20  # a way's turn repeats its call until it is about so long

Unpooling = Callable[[Tensor, Tensor, Size], Tensor]


def torch_unpool(features: Tensor, indices: Tensor, size: Size) -> Tensor:
    """PyTorch's own operator."""
    return functional.max_unpool2d(features, indices, (2, 2), (2, 2), output_size=size)


UNPOOLINGS: dict[str, Unpooling] = {"ours": max_unpool, "max_unpool2d": torch_unpool}


class Case(NamedTuple):
    """One row: what is unpooled, to which size, and whether the gradient is taken too."""

    size: Size
    precision: str
    layout: str
    backward: bool


class Pooled(NamedTuple):
    """Pooled maps (N,64,h,w) that want a gradient, their indices, and the gradient (N,64,H,W) that comes back."""

    features: Tensor
    indices: Tensor
    gradient: Tensor


@lru_cache(maxsize=1)  # rows that follow each other share it
def pooled(size: Size, precision: str, layout: str, device: torch.device) -> Pooled:
    """Returns random maps of a size, pooled as the encoder does."""
    generator = torch.Generator(device).manual_seed(0)
    shape = (BATCH, Encoder.CHANNELS, *size)
    drawn = [torch.randn(shape, generator=generator, device=device).to(PRECISIONS[precision]) for _ in range(2)]
    maps, gradient = (tensor.contiguous(memory_format=LAYOUTS[layout]) for tensor in drawn)
    features, indices = functional.max_pool2d(maps, 2, 2, ceil_mode=True, return_indices=True)
    return Pooled(features.requires_grad_(), indices, gradient)


def ways_of(case: Case, device: torch.device) -> list[Way]:
    """Returns ours and PyTorch's way to one row; the results, with the gradients, must be the same bits."""
    given = pooled(case.size, case.precision, case.layout, device)
    layout, stopwatch = LAYOUTS[case.layout], stopwatch_of(device)

    def call_of(unpooling: Unpooling) -> Callable[[], list[Tensor]]:
        def call() -> list[Tensor]:
            # the convolution that comes next wants its own layout
            unpooled = unpooling(given.features, given.indices, case.size).contiguous(memory_format=layout)
            if not case.backward:
                return [unpooled]
            return [unpooled, *torch.autograd.grad(unpooled, given.features, given.gradient)]

        return call if case.backward else torch.no_grad()(call)

    calls = {name: call_of(unpooling) for name, unpooling in UNPOOLINGS.items()}
    slowest_ms = max(min(one.wall_ms for one in time_passes(call, stopwatch, 3)) for call in calls.values())
    repeats = max(1, round(ROUND_MS / slowest_ms))

    def way(name: str, call: Callable[[], list[Tensor]]) -> Way:
        def work() -> None:
            for _ in range(repeats):
                call()

        return Way(name, "", work, repeats, call, lambda expected, got: all(map(torch.equal, expected, got)))

    return [way(name, call) for name, call in calls.items()]


def row(case: Case, measured: Measured) -> list[str]:
    """Returns the row of a case."""
    ours, theirs = measured.times
    height, width = case.size
    what = f"{height}×{width}, {case.precision}, {case.layout}, {'forward + backward' if case.backward else 'forward'}"
    figures = [figure for times in measured.times for figure in (pages.ms(times), pages.spread(times))]
    return [what, *figures, f"{theirs.median / ours.median:.2f}×", str(ours.way.units)]


def passes_strict_mode(unpooling: Unpooling, device: torch.device) -> str:
    """Returns "yes", or the first words of the refusal, under torch.use_deterministic_algorithms(True)."""
    given = pooled((9, 12), "fp32", "NCHW", device)
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        unpooling(given.features, given.indices, (9, 12)).backward(given.gradient)
    except RuntimeError as error:
        return f"no, RuntimeError: {str(error).split(',')[0].split('. ')[0]}"
    finally:
        torch.use_deterministic_algorithms(before)
    return "yes"


def main(arguments: list[str]) -> None:
    """Prints one table of all sizes, precisions, layouts and passes, and what passes strict mode."""
    parser = script_arguments(str(__doc__).partition("\n")[0], rounds=7, device=True)
    options = parser.parse_args(arguments)
    device = resolve_device(options.device)
    rounds, sizes = (1, QUICK_SIZES) if options.quick else (options.rounds, SIZES)
    pages.show(
        "## Max-unpooling",
        "" if options.section else description(),
        f"On {device.type}, {torch.get_num_threads()} threads. A batch of {BATCH} maps of {Encoder.CHANNELS} channels "
        "is unpooled from half the size to the one that the row names: SegNet-Basic's four decoders at 360×480. In "
        "channels_last the result is brought into that layout, which the next convolution wants. Ours is "
        "`models.blocks.max_unpool`, a `scatter`; `max_unpool2d` is that of `torch.nn.functional`. Outputs and "
        f"gradients are equal to the bit, or nothing is printed. {pages.load()}",
    )
    cases = [Case(*values) for values in itertools.product(sizes, PRECISIONS, LAYOUTS, (False, True))]
    synchronise, watch = stopwatch_of(device).synchronise, Neighbours()
    found = {case: measure(ways_of(case, device), rounds, synchronise=synchronise) for case in cases}
    share = watch.share()
    columns = [text for name in UNPOOLINGS for text in (f"{name}, ms", "range")]
    header = ["to size", *columns, "to ours", "calls a round"]
    pages.show(pages.table(header, [row(case, measured) for case, measured in found.items()]))
    pages.show(pages.caption(rounds, share))
    strict = [[f"`{name}`", passes_strict_mode(unpooling, device)] for name, unpooling in UNPOOLINGS.items()]
    pages.show(pages.table(["", "passes `torch.use_deterministic_algorithms(True)`"], strict))


if __name__ == "__main__":
    run(main)
