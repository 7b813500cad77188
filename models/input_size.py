"""What a network asks of its input: images large enough to be halved so often, and enough values for batch norm."""

from __future__ import annotations

from torch import Tensor, nn


def check_images(model: nn.Module, images: Tensor, halvings: int) -> None:
    """Raises ValueError when the last of `halvings` poolings or strides has only one row or column left to halve.

    Args:
        model: named in the message
        images: (N,3,H,W)
        halvings: how often the network halves H and W; the smallest allowed side is 2^(halvings-1) + 1 pixels
    """
    height, width = images.shape[2:]
    smallest = 2 ** (halvings - 1) + 1
    if min(height, width) < smallest:
        raise ValueError(
            f"{type(model).__name__} halves height and width {halvings} times and needs images of at least "
            f"{smallest}x{smallest} pixels, got {height}x{width}; use larger images"
        )


def check_statistics(model: nn.Module, images: Tensor, stride: int) -> None:
    """Raises ValueError when batch norm would have to take a variance over one single value per channel.

    Args:
        model: named in the message; in evaluation nothing is asked
        images: (N,3,H,W)
        stride: pixels per value, in each direction, of the smallest map that batch norm sees
    """
    n, _, height, width = images.shape
    if model.training and n == 1 and max(height, width) <= stride:
        raise ValueError(
            f"{type(model).__name__} cannot be trained on a batch of one image of {height}x{width} pixels: its "
            "smallest map is 1x1, so batch normalisation has a single value per channel; use batches of at least 2"
        )
