"""A split's images as network input: on the device, or, where they do not fit, brought there batch by batch."""

from __future__ import annotations

from collections.abc import Sized
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from bench.training.normalisation import normalise

SHARE = 0.3  # of the device's free memory that the images of one split may take; models and activations need the rest


class Images(Sized, Protocol):
    """Images that can be indexed like a tensor (N,3,H,W); a tensor is one itself."""

    @property
    def device(self) -> torch.device:
        """Where batches come to lie."""

    def __getitem__(self, index: slice | Tensor) -> Tensor:
        """Returns network input, float32 (B,3,H,W), of the images that a slice or int64 indices (B,) name."""


class NormalisedImages:
    """Images that are kept as they are stored and become network input when a batch of them is wanted.

    Args:
        stored: uint8 (N,H,W,3), RGB, or float32 (N,3,H,W), normalised; on the device, or in host memory
        device: where batches are wanted
        kind: normalisation of uint8 images, see `normalise`
        channels_last: memory format of the batches
    """

    def __init__(self, stored: Tensor, device: torch.device, kind: str, *, channels_last: bool) -> None:
        self.stored, self.device = stored, device
        self._kind, self._channels_last = kind, channels_last

    def __len__(self) -> int:
        """How many images there are."""
        return len(self.stored)

    def __getitem__(self, index: slice | Tensor) -> Tensor:
        """Returns network input, float32 (B,3,H,W), on the device."""
        if isinstance(index, Tensor):
            index = index.to(self.stored.device)
        batch = self.stored[index].to(self.device, non_blocking=True)
        if batch.dtype == torch.uint8:
            batch = normalise(batch, self._kind, channels_last=self._channels_last)
        return batch


def network_images(images: np.ndarray, device: torch.device, kind: str, *, channels_last: bool) -> Images:
    """Returns the images of a split as network input, ready for use on a device.

    Local contrast normalisation takes long, so it is done once and its float32 result is kept; other kinds cost less
    than reading four times the bytes, so the images stay uint8 and are normalised as they are used.

    Args:
        images: uint8 (N,H,W,3), RGB; may be read-only
        device: where batches are wanted
        kind, channels_last: see `normalise`
    """
    once = kind == "local_contrast"
    # copied where it is read-only, which torch cannot express
    stored = torch.from_numpy(images if images.flags.writeable else images.copy())
    resident = fits(device, stored.numel() * (4 if once else 1))
    if resident:
        stored = stored.to(device)
    if once:
        stored = normalise(stored, kind, channels_last=channels_last)
    if not resident:
        stored = stored.pin_memory()  # the batch that indexing copies out of it is not pinned: sending it waits
    return NormalisedImages(stored, device, kind, channels_last=channels_last)


def fits(device: torch.device, size: int) -> bool:
    """Says whether so many bytes may stay on a device; those of a processor are in its memory already."""
    return device.type == "cpu" or size <= SHARE * torch.cuda.mem_get_info(device)[0]
