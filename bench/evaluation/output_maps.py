"""How much of what a trained network makes of a constant image, and of real ones, repeats with its upsampling."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from bench.data import IGNORE_INDEX
from bench.evaluation.checkerboard import checkerboard_contrast, local_checkerboard_energy
from bench.training.residency import Images

PERIODS = (2, 4, 8)  # px: of the last step up, of the last two, of the last three
CELLS = 4  # of a period, along the side of a window
IMAGES = 24  # evenly spaced
CONSTANT_SIZE = 256  # px
MARGIN = 96  # px, beyond what padding at the border reaches


class Checkerboard(NamedTuple):
    """For one period: contrast for a constant image; energies in the logits of images and in their labels; 0 to 1."""

    contrast_constant: float
    energy_images: float
    energy_labels: float


@torch.no_grad()
def checkerboards(model: nn.Module, images: Images, labels: np.ndarray, num_classes: int) -> dict[int, Checkerboard]:
    """Returns what repeats in the logits, by period in pixels.

    Args:
        model: maps (N,3,H,W) to logits (N,K,H,W) at any size; put into eval mode
        images: network input (N,3,H,W)
        labels: uint8 (N,H,W), which the energy in the logits is to be compared with
        num_classes: K

    The constant image is zero, the mean of normalised images. All is computed in fp32: rounding to bf16 is no pattern.

    Source: after Odena et al. 2016; see checkerboard.py.
    """
    model.eval()
    size = (1, 3, CONSTANT_SIZE, CONSTANT_SIZE)
    constant = model(torch.zeros(size, device=images.device)).float().cpu().numpy()
    chosen = np.unique(np.linspace(0, len(images) - 1, min(IMAGES, len(images))).round().astype(np.int64))
    logits = np.concatenate([model(images[i : i + 1]).float().cpu().numpy() for i in chosen])
    truth = one_hot(labels[chosen], num_classes)
    return {
        period: Checkerboard(
            checkerboard_contrast(constant, period, margin=MARGIN),
            local_checkerboard_energy(logits, period, CELLS * period),
            local_checkerboard_energy(truth, period, CELLS * period),
        )
        for period in PERIODS
    }


def one_hot(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Returns float32 (N,K,H,W) for labels (N,H,W); a void pixel is 0 in every class."""
    assert labels.max(where=labels != IGNORE_INDEX, initial=0) < num_classes
    return (labels[:, None] == np.arange(num_classes)[None, :, None, None]).astype(np.float32)
