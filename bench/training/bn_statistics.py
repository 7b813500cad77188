"""Batch-norm statistics for evaluation, computed afresh over the whole training set."""

from __future__ import annotations

import torch
from torch import nn

from bench.training.compilation import uncompiled
from bench.training.residency import Images


@torch.no_grad()
def recompute_bn_statistics(model: nn.Module, images: Images, *, batch_size: int, bf16: bool) -> None:
    """Sets every batch norm's mean and variance to the average over the training set; leaves `model` in eval mode.

    Args:
        model: any network; only its batch-norm layers change
        images: the whole training split as network input (N,3,H,W)
        batch_size: images per forward pass, as in training: the mean of the variances depends on it
        bf16: whether training runs under bf16 autocast

    Source: paper §4.1; released compute_bn_statistics.py (mean over mini-batches of the mean and of the unbiased
        variance). caffe-segnet keeps no running averages during training.
    """
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    model.eval()
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # PyTorch's spelling of "plain average over all batches since the reset"
        norm.train()
    with uncompiled(model), torch.autocast(images.device.type, torch.bfloat16, enabled=bf16):
        for start, end in _batches(len(images), batch_size):
            model(images[start:end])
    model.eval()
    for norm, momentum in zip(norms, before, strict=True):
        norm.momentum = momentum  # else training would go on with a state that no checkpoint holds


def _batches(count: int, size: int) -> list[tuple[int, int]]:
    """Returns where batches begin and end; a last image that would be alone, and have no variance, joins the others."""
    starts = list(range(0, count, size))
    if len(starts) > 1 and count - starts[-1] == 1:
        starts.pop()
    return list(zip(starts, [*starts[1:], count], strict=True))
