"""Normalisation of the input."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

WINDOW_PX = 9  # Jarrett et al. 2009 use a 9x9 Gaussian window
SIGMA_PX = 2.0
CHUNK = 32  # images at once, which bounds the working memory
# Of RGB in 0..1 over ImageNet's training images, as torchvision's weights expect it.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)


def normalise(images: Tensor, kind: str, *, channels_last: bool) -> Tensor:
    """Returns network input for uint8 images.

    Args:
        images: uint8 (N,H,W,3), RGB
        kind: "local_contrast"; "imagenet" for each channel by its mean and deviation over ImageNet; "none" for values
            scaled to -0.5..0.5
        channels_last: the memory format of the result, which the network's convolutions follow

    Returns: float32 (N,3,H,W) on the same device, in that memory format.

    Source: paper §3.2 (local contrast normalisation of the RGB input, after Jarrett et al. 2009).
    Deviation: the released SegNet-Basic file has across-channel response normalisation on raw 0..255 values instead;
        the paper's text is followed here.
    Deviation: the paper does not say how the input of the networks of §4 is normalised, and the released SegNet takes
        raw values; here it is as torchvision's ImageNet weights expect it, whether they are used or not.
    """
    one = {"local_contrast": local_contrast_normalise, "imagenet": _by_imagenet, "none": _scale}[kind]
    n, height, width, channels = images.shape
    layout = torch.channels_last if channels_last else torch.contiguous_format
    out = torch.empty((n, channels, height, width), device=images.device, memory_format=layout)
    for start in range(0, n, CHUNK):
        out[start : start + CHUNK] = one(images[start : start + CHUNK].permute(0, 3, 1, 2).float() / 255)
    return out


def local_contrast_normalise(images: Tensor) -> Tensor:
    """Subtracts the local mean and divides by the local deviation, both over a Gaussian window and all channels.

        v = x - sum_c,p w_p x_c,p        s = sqrt(sum_c,p w_p v_c,p^2)        y = v / max(s, mean of s over the image)

    Args:
        images: float (N,3,H,W)

    Returns: float (N,3,H,W). A constant image gives zeros.

    Source: Jarrett et al. 2009, §2 (subtractive and divisive normalisation).
    Deviation: neither paper gives the window's standard deviation or the treatment of the border; here 2 px and
        reflection.
    """
    mean = _local_mean(images.mean(1, keepdim=True))
    centred = images - mean
    deviation = _local_mean(centred.square().mean(1, keepdim=True)).sqrt()
    floor = deviation.mean((2, 3), keepdim=True)
    return centred / torch.maximum(deviation, floor).clamp_min(1e-6)


def _local_mean(maps: Tensor) -> Tensor:
    """Gaussian-weighted mean around each pixel of maps (N,1,H,W), as two one-dimensional passes."""
    half = WINDOW_PX // 2
    offsets = torch.arange(-half, half + 1, dtype=maps.dtype, device=maps.device)
    window = torch.exp(-0.5 * (offsets / SIGMA_PX) ** 2)
    window = window / window.sum()
    padded = functional.pad(maps, (half, half, half, half), mode="reflect")
    rows = functional.conv2d(padded, window.view(1, 1, -1, 1))
    return functional.conv2d(rows, window.view(1, 1, 1, -1))


def _by_imagenet(images: Tensor) -> Tensor:
    """Gives each channel the mean 0 and the deviation 1 that it has over ImageNet."""
    mean, deviation = _imagenet(images.device)
    return (images - mean) / deviation


@cache  # sending them to a GPU for every batch would make it wait
def _imagenet(device: torch.device) -> tuple[Tensor, Tensor]:
    mean, deviation = torch.tensor((IMAGENET_MEAN, IMAGENET_DEVIATION)).view(2, 1, 3, 1, 1).to(device)
    return mean, deviation


def _scale(images: Tensor) -> Tensor:
    """No normalisation beyond a fixed shift."""
    return images - 0.5
