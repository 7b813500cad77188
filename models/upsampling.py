"""Upsampling by any whole factor, fixed and learnt: bilinear, with a deterministic backward pass on every device.

Two alignments. After 2x2 poolings a value stands for a cell of `factor` x `factor` pixels and belongs to its centre:
`upsample_centred`. After convolutions with stride and odd kernels it belongs to the first pixel of its cell:
`upsample_from_corner`. The wrong one of the two shifts a map by half a cell.

Shapes: N batch, C channels, H, W after upsampling, h, w before; h is ceil(H/factor), w likewise.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.blocks import Size, bilinear_kernel


def upsample_centred(features: Tensor, factor: int, size: Size) -> Tensor:
    """Maps (N,C,h,w) to (N,C,*size) by bilinear interpolation between the centres of cells; border values are repeated.

    Equals `interpolate(scale_factor=factor, mode="bilinear", align_corners=False)`, cut to `size`.
    """
    offsets = [(phase + 0.5) / factor - 0.5 for phase in range(factor)]
    return _interpolate(features, offsets, size)


def upsample_from_corner(features: Tensor, factor: int, size: Size) -> Tensor:
    """Maps (N,C,h,w) to (N,C,*size) by bilinear interpolation between the first pixels of cells.

    Equals `interpolate(size=factor * (h - 1) + 1, mode="bilinear", align_corners=True)` as far as that goes; behind
    the last value, that value is repeated.
    """
    offsets = [phase / factor for phase in range(factor)]
    return _interpolate(features, offsets, size)


def crop_to(features: Tensor, size: Size) -> Tensor:
    """Drops the rows and columns beyond `size`: the 48 rows made from 6 by a factor of 8 become the 45 of the image."""
    height, width = size
    assert features.shape[2] >= height, (features.shape, size)
    assert features.shape[3] >= width, (features.shape, size)
    return features[:, :, :height, :width]


def transposed_conv(in_channels: int, out_channels: int, kernel_size: int, *, stride: int, bias: bool) -> nn.Module:
    """Returns a He-initialised transposed convolution without padding.

    An output value is a sum over in_channels * (kernel_size / stride)^2 inputs, which is the fan-in here. PyTorch's
    `kaiming_normal_` would count the other direction.
    """
    layer = nn.ConvTranspose2d(in_channels, out_channels, kernel_size, stride=stride, bias=bias)
    fan_in = in_channels * (kernel_size / stride) ** 2
    nn.init.normal_(layer.weight, std=(2 / fan_in) ** 0.5)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class LearntUpsamplingBy(nn.Module):
    """Upsamples by `factor` with a trainable transposed convolution that starts as bilinear interpolation.

    The kernel is twice as wide as the factor, has no bias and spans all channels; channel c of the output sees
    channel c of the input at the start, all other pairs are 0. Beyond the border the maps count as 0.

    Source: FCN (Long et al. 2015), §3.3 and its public layer files: kernels 4, 16, 32, 64 at strides 2, 8, 16, 32.
    """

    def __init__(self, channels: int, factor: int) -> None:
        super().__init__()
        self.deconv = nn.ConvTranspose2d(channels, channels, 2 * factor, stride=factor, padding=factor // 2, bias=False)
        with torch.no_grad():
            self.deconv.weight.zero_()
            diagonal = torch.arange(channels)
            # bilinear_kernel has unit gain at stride 2, so it sums to 4; here it has to sum to factor^2
            self.deconv.weight[diagonal, diagonal] = bilinear_kernel(2 * factor) * (factor**2 / 4)

    def forward(self, features: Tensor, size: Size) -> Tensor:
        """Maps (N,C,h,w) to (N,C,*size)."""
        return crop_to(self.deconv(features), size)


def _interpolate(features: Tensor, offsets: list[float], size: Size) -> Tensor:
    """Replaces each value by one per offset, in units of cells from -0.5 to 1, rows first, then columns."""
    for dim in (2, 3):
        length = features.shape[dim]
        first, last = features.narrow(dim, 0, 1), features.narrow(dim, length - 1, 1)
        before = torch.cat([first, features.narrow(dim, 0, length - 1)], dim)
        after = torch.cat([features.narrow(dim, 1, length - 1), last], dim)
        mixed = [(1 - abs(offset)) * features + abs(offset) * (before if offset < 0 else after) for offset in offsets]
        features = torch.stack(mixed, dim + 1).flatten(dim, dim + 1).narrow(dim, 0, size[dim - 2])
    return features
