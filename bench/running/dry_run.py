"""Runs networks without numbers, on shapes alone, to find out before any training what their inputs would make of them.

Tensors live on torch's meta device: a pass takes milliseconds and no memory, whatever the size of the images.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from bench.errors import ConfigError, one_line
from bench.evaluation.checkerboard import local_checkerboard_energy
from bench.evaluation.output_maps import CELLS, CONSTANT_SIZE, PERIODS
from bench.running.cost_trial import training_steps
from bench.running.inputs import num_classes_of
from bench.study.trials import Trial
from models import MODELS

# Operations whose results are known here by their shapes. On the meta device torch computes these in Python and imports
# its compiler for it, which takes longer than all passes together. Whatever is not listed torch does itself.
KEEP_SHAPE = {torch.Tensor.normal_, torch.Tensor.uniform_, torch.Tensor.abs, torch.Tensor.relu, torch.relu}
KEEP_SHAPE |= {functional.relu, functional.dropout}
BROADCAST = {getattr(torch.Tensor, name) for name in ("add", "sub", "mul", "div", "__rsub__", "__rdiv__")}


class Pass(NamedTuple):
    """A forward pass that a trial makes: in training mode or not, images in the batch, their height and width."""

    training: bool
    batch: int
    height: int
    width: int


class Dry(NamedTuple):
    """All that decides whether a trial's passes go well."""

    model: str
    num_classes: int
    size: tuple[int, int]  # (H, W) for which it is built
    passes: tuple[Pass, ...]
    checkerboard: bool


def check_models(trials: Sequence[Trial]) -> None:
    """Runs every pass of every trial without numbers; each network once, however many trials train it alike.

    Raises:
        ConfigError: a model does not take the images; the first one is named, and how many more there are.
    """
    needed: dict[Dry, Trial] = {}
    for trial in trials:
        needed.setdefault(dry(trial), trial)
    problems = [(trial, problem) for one, trial in needed.items() if (problem := _problem(one))]
    if problems:
        trial, problem = problems[0]
        others = len({(other.suite, other.profile, other.model) for other, _ in problems}) - 1
        more = f" (and {others} more)" if others else ""
        raise ConfigError(f"suite {trial.suite}, profile {trial.profile}, model {trial.model}: {problem}{more}")


def dry(trial: Trial) -> Dry:
    """Returns what a trial does, as far as its images and its model decide whether it can."""
    size, timed = (trial.height, trial.width), (trial.timing_height, trial.timing_width)
    if trial.kind == "training":
        # the last images of a split can be one alone
        passes = {Pass(True, trial.batch_size, *size), Pass(False, 1, *size)}
        if trial.checkerboard:
            passes.add(Pass(False, 1, CONSTANT_SIZE, CONSTANT_SIZE))
    else:
        on_one = getattr(MODELS[trial.model], "TRAINS_ON_ONE_IMAGE", True)
        passes = {Pass(False, 1, *timed), Pass(on_one, 1, *timed)}
        passes |= {Pass(True, *shape) for shape in training_steps(trial)}
        size = timed
    checkerboard = trial.kind == "training" and trial.checkerboard
    return Dry(trial.model, num_classes_of(trial), size, tuple(sorted(passes)), checkerboard)


def model_without_numbers(name: str, num_classes: int, size: tuple[int, int]) -> nn.Module:
    """Returns a model on the meta device, built for images of a size (H, W) where it is built for one.

    Raises:
        ValueError: it cannot be built for this size.
    """
    build = MODELS[name]
    with torch.device("meta"), _ShapesOnly():
        return build(num_classes, size) if getattr(build, "BUILT_FOR_SIZE", False) else build(num_classes)


def pass_on_shapes(model: nn.Module, one: Pass) -> Tensor:
    """Makes a forward pass and returns logits (N,K,H,W) without numbers.

    Args:
        model: from `model_without_numbers`; put into the mode of the pass
        one: the pass

    Raises:
        ValueError: the model does not take such images.
    """
    model.train(one.training)
    with torch.no_grad(), _ShapesOnly():
        logits: Tensor = model(torch.empty(one.batch, 3, one.height, one.width, device="meta"))
    return logits


def _problem(one: Dry) -> str:
    """Returns why a trial's passes would fail; empty where they would not."""
    try:
        model = model_without_numbers(one.model, one.num_classes, one.size)
        for one_pass in one.passes:
            pass_on_shapes(model, one_pass)
        if one.checkerboard:
            _measure_nothing(one.size)
    except ValueError as error:
        return one_line(error)
    return ""


def _measure_nothing(size: tuple[int, int]) -> None:
    """Raises ValueError where images of a size (H, W) are too small to look for a checkerboard."""
    for period in PERIODS:
        local_checkerboard_energy(np.zeros((1, *size)), period, CELLS * period)


class _ShapesOnly(TorchFunctionMode):
    """Computes the shapes of what is listed above, of initialisation and of batch norm; of real numbers only."""

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in KEEP_SHAPE or getattr(func, "__module__", "") == nn.init.__name__:
            return args[0] if args else kwargs["tensor"]
        if func is functional.batch_norm:
            return _normalised(args[0], kwargs["training"])
        if func in (torch.cat, torch.stack):
            return _joined(*args, apart=func is torch.stack, **kwargs)
        if func is torch.Tensor.mean:
            return args[0].sum(*args[1:], **kwargs)
        tensors = [part for part in args if isinstance(part, Tensor)]
        if func in BROADCAST and all(part.is_floating_point() for part in tensors):
            return tensors[0].new_empty(torch.broadcast_shapes(*(part.shape for part in tensors)))
        return func(*args, **kwargs)


def _normalised(images: Tensor, training: bool) -> Tensor:
    """Returns the images (N,C,H,W); raises ValueError where batch norm would have no variance to divide by."""
    if training and images.numel() == images.shape[1]:
        raise ValueError(
            "batch normalisation would have a single value per channel in training; use larger batches or larger images"
        )
    return images


def _joined(tensors: Sequence[Tensor], dim: int = 0, *, apart: bool) -> Tensor:
    """Returns what torch.stack (`apart`) or torch.cat makes of tensors that fit together."""
    shape = list(tensors[0].shape)
    if apart:
        shape.insert(dim % (len(shape) + 1), len(tensors))
    else:
        shape[dim] = sum(part.shape[dim] for part in tensors)
    return tensors[0].new_empty(shape)
