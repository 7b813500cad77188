"""How much memory the passes of a network take, from shapes alone: on the meta device, without numbers."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from bench.data import SPLITS
from bench.evaluation.predict import images_at_once
from bench.running.inputs import input_layout
from bench.study.trials import Trial
from bench.training.loss import coarse_labels, segmentation_loss
from models import MODELS
from models.wide_conv import WideConv2d, WideConvTranspose2d


def shapes_of(trial: Trial, classes: int, device: torch.device) -> nn.Module:
    """Returns the trial's model on the meta device, in its memory format, with the operations that `device` would do.

    Args:
        trial: a training
        classes: of its data set
        device: where the training would run
    """
    build, size = MODELS[trial.model], (trial.height, trial.width)
    with torch.device("meta"):
        model = build(classes, size) if getattr(build, "BUILT_FOR_SIZE", False) else build(classes)
    for layer in model.modules() if device.type == "cuda" else ():  # wide ones take the meta device for a processor
        if isinstance(layer, WideConv2d):
            layer.forward = partial(nn.Conv2d.forward, layer)  # type: ignore[method-assign]
        elif isinstance(layer, WideConvTranspose2d):
            layer.forward = partial(nn.ConvTranspose2d.forward, layer)  # type: ignore[method-assign]
    return model.to(memory_format=input_layout(trial))


def step_bytes(trial: Trial, model: nn.Module, classes: int) -> float:
    """Returns how many bytes a training step keeps for its backward pass; puts `model` into train mode.

    Args:
        trial: a training
        model: the trial's, as `shapes_of` returns it
        classes: of the trial's data set
    """
    kept: dict[int, torch.UntypedStorage] = {}  # by identity; held, so that no identity is given a second time

    def remember(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage._cdata] = storage
        return tensor

    with torch.device("meta"):
        model.train()
        images = torch.empty(trial.batch_size, 3, trial.height, trial.width).to(memory_format=input_layout(trial))
        labels = torch.zeros(trial.batch_size, trial.height, trial.width, dtype=torch.long)
        stride = getattr(model, "LOSS_STRIDE", 1)
        with saved_tensors_hooks(remember, lambda tensor: tensor):
            # the meta device knows no autocast: every activation is computed in fp32, and halved below
            logits = model(images) if stride == 1 else model.coarse_logits(images)  # type: ignore[operator]
            segmentation_loss(logits, coarse_labels(labels, stride), torch.ones(classes))
    weights = {parameter.untyped_storage()._cdata for parameter in model.parameters()}
    activations = sum(storage.nbytes() for name, storage in kept.items() if name not in weights)
    return activations / (2 if trial.precision == "bf16" else 1)


class _Peak(TorchDispatchMode):
    """Watches how many bytes the tensors that operations make take at most at the same time.

    Args:
        before: what was there before, views of which take nothing
        halved: whether floating-point numbers take half of what they seem to, as under bf16 autocast
    """

    def __init__(self, before: Iterable[Tensor], *, halved: bool) -> None:
        super().__init__()
        self.halved, self.now, self.most = halved, 0.0, 0.0
        self._alive = {tensor.untyped_storage()._cdata: 0.0 for tensor in before}  # by identity of the storage

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(out):
            if isinstance(tensor, Tensor):
                self._count(tensor)
        return out

    def _count(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        if storage._cdata in self._alive:
            return
        self._alive[storage._cdata] = storage.nbytes() / (2 if self.halved and tensor.is_floating_point() else 1)
        weakref.finalize(storage, self._forget, storage._cdata)
        self.now += self._alive[storage._cdata]
        self.most = max(self.most, self.now)

    def _forget(self, identity: int) -> None:
        self.now -= self._alive.pop(identity)


def evaluation_bytes(trial: Trial, model: nn.Module, device: torch.device) -> float:
    """Returns how many bytes the evaluation of a split takes at most; puts `model` into eval mode.

    These are the images of a batch, the activations that are there at the same time and the label maps of all images.

    Args:
        trial: a training
        model: the trial's, as `shapes_of` returns it
        device: where; it decides how many images make a batch, see evaluation/predict.py
    """
    size = (trial.height, trial.width)
    longest = max(trial.dataset_options[split] for split in SPLITS)
    at_once = min(images_at_once(device, *size), longest)
    images = torch.empty(at_once, 3, *size, device="meta").to(memory_format=input_layout(trial))
    before = [images, *model.parameters(), *model.buffers()]
    model.eval()
    with torch.no_grad(), _Peak(before, halved=trial.precision == "bf16") as peak:
        for _ in range(min(2, -(-longest // at_once))):  # the logits before are held until the next ones are there
            logits = model(images)
            logits.argmax(1)
            if trial.refinement:
                logits.float().log_softmax(1)
    maps = longest * size[0] * size[1]  # uint8
    return images.nbytes + peak.most + maps
