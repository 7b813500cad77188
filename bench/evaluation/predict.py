"""Label maps from a network."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import nn

from bench.training.residency import Images

# Pixels of the images in one forward pass: on a GPU enough to fill it, on a processor few, which stay in its cache.
PIXELS_AT_ONCE = {"cuda": 24 * 360 * 480, "cpu": 4 * 90 * 120}


@torch.no_grad()
def predict(model: nn.Module, images: Images, *, batch_size: int, bf16: bool) -> np.ndarray:
    """Returns the class with the highest logit of every pixel.

    Args:
        model: maps (N,3,H,W) to logits (N,K,H,W); put into eval mode
        images: network input (N,3,H,W)
        batch_size: images per forward pass; see `images_at_once`
        bf16: forward passes under bf16 autocast

    Returns: uint8 (N,H,W), 0..K-1.
    """
    model.eval()
    predictions = []
    with torch.autocast(images.device.type, torch.bfloat16, enabled=bf16):
        for start in range(0, len(images), batch_size):
            logits = model(images[start : start + batch_size])
            predictions.append(logits.argmax(1).to(torch.uint8))
    return torch.cat(predictions).cpu().numpy()


def images_at_once(device: torch.device, height: int, width: int) -> int:
    """Returns how many images of a size, px, `predict` takes at once on a device, at least 1."""
    return max(1, PIXELS_AT_ONCE[device.type] // (height * width))


@torch.no_grad()
def log_probabilities(model: nn.Module, images: Images, *, batch_size: int, bf16: bool) -> Iterator[np.ndarray]:
    """Yields the logarithm of each class's probability, image by image.

    Args:
        as `predict`

    Yields: float32 (K,H,W), C-contiguous.
    """
    model.eval()
    for start in range(0, len(images), batch_size):
        with torch.autocast(images.device.type, torch.bfloat16, enabled=bf16):
            logits = model(images[start : start + batch_size])
        yield from logits.float().log_softmax(1).cpu().contiguous().numpy()
