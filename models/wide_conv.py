"""Convolutions with kernels about as large as their maps, as matrix products where that is faster: on the CPU.

VGG16's fc6 (7x7 over 512 channels, 4096 outputs) and DeconvNet's (the whole pool5 map) are convolutions over maps of a
few pixels. The CPU kernels for convolutions take many times as long for them, backward above all; a matrix product of
the unfolded windows gives the same sums. On a GPU they are ordinary convolutions.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from models.blocks import Size


class WideConv2d(nn.Conv2d):
    """`nn.Conv2d` with stride 1 and without groups or dilation: the same parameters, the same values up to rounding."""

    def forward(self, features: Tensor) -> Tensor:
        """Maps (N,C,H,W) to (N,K,H',W')."""
        if features.is_cuda:
            return super().forward(features)
        (height, width), (rows, columns) = self.kernel_size, self.padding  # type: ignore[str-unpack]
        padded = functional.pad(features, (columns, columns, rows, rows))  # type: ignore[arg-type]
        windows = padded.permute(0, 2, 3, 1).unfold(1, height, 1).unfold(2, width, 1)  # (N,H',W',C,height,width)
        n, out_height, out_width = windows.shape[:3]
        columns_of = windows.permute(0, 1, 2, 4, 5, 3).reshape(n * out_height * out_width, -1)
        kernels = self.weight.permute(0, 2, 3, 1).reshape(self.out_channels, -1)  # a view of channels_last weights
        values = functional.linear(columns_of, kernels, self.bias)
        return values.view(n, out_height, out_width, self.out_channels).permute(0, 3, 1, 2)


class WideConvTranspose2d(nn.ConvTranspose2d):
    """`nn.ConvTranspose2d` from maps of one pixel, with stride 1, padding 0, no bias, groups or dilation."""

    def forward(self, features: Tensor) -> Tensor:  # type: ignore[override]
        """Maps (N,C,1,1) to (N,K,height,width), the size of the kernel."""
        if features.is_cuda:
            return super().forward(features)
        assert features.shape[2:] == (1, 1)
        height, width = self.kernel_size
        kernels = self.weight.permute(0, 2, 3, 1).reshape(self.in_channels, -1)
        values = features.flatten(1) @ kernels
        return values.view(len(features), height, width, self.out_channels).permute(0, 3, 1, 2)


def wide_conv(in_channels: int, out_channels: int, kernel: Size, *, padding: Size, bias: bool = False) -> WideConv2d:
    """Returns a He-initialised convolution, stride 1; a bias starts at zero.

    Source: paper §3.2 (initialisation of He et al. 2015).
    """
    layer = WideConv2d(in_channels, out_channels, kernel, padding=padding, bias=bias)
    nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu")
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
