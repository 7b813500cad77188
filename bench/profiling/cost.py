"""Costs that are counted, not timed: parameters, model size, FLOPs, memory for encoder information."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from models.blocks import Encoder

INDEX_BITS = 2  # a 2x2 window has four positions
MAP_BITS = 32  # fp32, as the paper counts


def parameter_count(model: nn.Module) -> int:
    """Returns the number of learnable numbers, batch-norm scales and shifts and the classifier's bias included."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def model_size_mb(model: nn.Module) -> float:
    """Returns the size of the weights as fp32 on disk, batch-norm statistics included, in MB (10^6 bytes)."""
    tensors = list(model.parameters()) + [buffer for buffer in model.buffers() if buffer.is_floating_point()]
    return sum(tensor.numel() for tensor in tensors) * 4 / 1e6


def forward_flops(model: nn.Module, height: int, width: int) -> int:
    """Returns the floating-point operations of one forward pass of one image; a multiply-add counts as two.

    Counted by PyTorch's counter: convolutions and matrix products only; pooling, batch norm and activations are not.
    """
    shapes = copy.deepcopy(model).to("meta").eval()  # nothing is computed
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        shapes(torch.zeros(1, 3, height, width, device="meta"))
    return counter.get_total_flops()


def storage_multiplier(kept: tuple[str, ...], num_classes: int) -> int:
    """Returns the paper's relative memory for encoder information of the first stage: 0, 1, K or 64.

    Args:
        kept: a model's `ENCODER_INFORMATION`: any of "indices", "reduced_maps", "full_maps"
        num_classes: K

    Source: paper §3.1, §3.3, Table 1. A variant that keeps maps as well as indices is counted by its maps.
    """
    return max((_printed(kind, num_classes) for kind in kept), default=0)


def stored_encoder_mib(kept: tuple[str, ...], num_classes: int, height: int, width: int) -> float:
    """Returns the real memory for the same information in MiB, at the resolution after the first pooling.

    Indices take 2 bits per 2x2 window and channel, maps take fp32.

    Deviation: the paper's factor of 11 between reduced maps and indices compares maps at 180x240 with indices at
        90x120. At one resolution the ratios are 1 : 2.75 : 16, not 1 : 11 : 64; both are reported.
    """
    positions = -(-height // 2) * -(-width // 2)
    bits = {
        "indices": Encoder.CHANNELS * INDEX_BITS,
        "reduced_maps": num_classes * MAP_BITS,
        "full_maps": Encoder.CHANNELS * MAP_BITS,
    }
    return sum(bits[kind] for kind in kept) * positions / 8 / 2**20


def _printed(kind: str, num_classes: int) -> int:
    return {"indices": 1, "reduced_maps": num_classes, "full_maps": Encoder.CHANNELS}[kind]
