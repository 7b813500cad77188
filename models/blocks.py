"""The pieces that the decoder variants are composed of.

Shapes: N batch, C channels, K classes, H, W. Every up-step takes the size it has to reach, because pooling
rounds up (45 rows -> 23 -> back to 45), so odd input sizes work everywhere.

Conventions: a convolution that batch normalisation follows has no bias (paper §3.1); weights are He-initialised
(paper §3.2). Unpooling is written as `scatter` and upsampling as a transposed convolution, because
`max_unpool2d` and the backward pass of bilinear `interpolate` have no deterministic CUDA version.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

Size = tuple[int, int]


def conv(in_channels: int, out_channels: int, kernel_size: int, *, groups: int = 1, bias: bool = False) -> nn.Conv2d:
    """Returns a He-initialised convolution, stride 1, that keeps H and W (odd kernels).

    Source: paper §3.1 (7x7, stride 1, no bias), §3.2 (initialisation of He et al. 2015).
    Deviation: the released files give every convolution a bias; before batch normalisation it has no effect, so only
        the classifier, which nothing follows, has one here.
    """
    layer = nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2, groups=groups, bias=bias)
    nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu")
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def batch_norm(channels: int) -> nn.BatchNorm2d:
    """Returns batch normalisation with scale 1, shift 0.001 and eps 1e-9 at the start.

    The running averages that PyTorch keeps are never used: the statistics are computed afresh over the training
    set before each evaluation (`bench/training/bn_statistics.py`).

    Source: released bn_layer of caffe-segnet and its prototxts.
    """
    layer = nn.BatchNorm2d(channels, eps=1e-9)
    nn.init.constant_(layer.bias, 0.001)
    return layer


class SegmentationModel(nn.Module):
    """What every entry of MODELS is: images (N,3,H,W) to logits (N,K,H,W), built as `cls(num_classes)`.

    ENCODER_INFORMATION: what the decoder keeps of the encoder: "indices" (pooling indices), "reduced_maps" (maps
        reduced to K channels), "full_maps" (all channels), or nothing.
    """

    ENCODER_INFORMATION: tuple[str, ...] = ()


class Encoder(nn.Module):
    """The encoder that all variants share: 4 x [conv 7x7, 64 -> batch norm -> ReLU -> max-pooling 2x2].

    Source: paper §3.1. At 360x480 the pooled maps are 180x240, 90x120, 45x60 and 23x30.
    """

    STAGES = 4
    CHANNELS = 64

    def __init__(self) -> None:
        super().__init__()
        self.stages = nn.ModuleList(
            nn.Sequential(
                conv(3 if stage == 0 else self.CHANNELS, self.CHANNELS, 7),
                batch_norm(self.CHANNELS),
                nn.ReLU(),
            )
            for stage in range(self.STAGES)
        )

    def forward(self, images: Tensor) -> tuple[list[Tensor], list[Tensor], list[Size]]:
        """Encodes images (N,3,H,W).

        Returns:
            pooled: the 4 pooled maps (N,64,ceil(H/2^s),ceil(W/2^s)), s = 1..4
            indices: their pooling indices, int64, same shapes, into the flattened map before pooling
            sizes: (H, W) before each pooling, which the decoder has to reach again
        """
        pooled, indices, sizes = [], [], []
        features = images
        for stage in self.stages:
            features = stage(features)
            sizes.append((features.shape[2], features.shape[3]))
            features, index = functional.max_pool2d(features, 2, 2, ceil_mode=True, return_indices=True)
            pooled.append(features)
            indices.append(index)
        return pooled, indices, sizes


def max_unpool(features: Tensor, indices: Tensor, size: Size) -> Tensor:
    """Puts each value back where its maximum was; zero elsewhere.

    Args:
        features: (N,C,h,w)
        indices: int64 (N,C,h,w), positions in the flattened (H,W) map
        size: (H, W) to reach

    Returns: (N,C,H,W)

    Source: paper §3, Fig. 3. Windows of 2x2 with stride 2 do not overlap, so no position is written twice and
        `scatter` is deterministic.
    """
    height, width = size
    n, c = features.shape[:2]
    # In place, since the zeros are ours, and along the layout that the next convolution reads: otherwise the map would
    # be copied once for each.
    if features.is_contiguous(memory_format=torch.channels_last) and not features.is_contiguous():
        rows = features.new_zeros(n, height * width, c)
        positions, values = (maps.permute(0, 2, 3, 1).flatten(1, 2) for maps in (indices, features))
        return rows.scatter_(1, positions, values).view(n, height, width, c).permute(0, 3, 1, 2)
    flat = features.new_zeros(n, c, height * width)
    return flat.scatter_(2, indices.flatten(2), features.flatten(2)).view(n, c, height, width)


def bilinear_kernel(kernel_size: int) -> Tensor:
    """Returns the (kernel_size, kernel_size) bilinear kernel that doubles a map with unit gain.

    Source: the bilinear filler of FCN (Long et al. 2015) for this kernel size, divided by its gain at stride 2.
    Deviation: an 8x8 bilinear filler belongs to upsampling by 4; at stride 2 it would amplify by 4 per decoder, 256
        over four. The paper does not say what its authors did; the kernel here is scaled to unit gain.
    """
    factor = (kernel_size + 1) // 2
    centre = factor - 1 if kernel_size % 2 == 1 else factor - 0.5
    ramp = 1 - (torch.arange(kernel_size, dtype=torch.float32) - centre).abs() / factor
    kernel = ramp[:, None] * ramp[None, :]
    return kernel * (4 / kernel.sum())


class LearntUpsampling(nn.Module):
    """Doubles H and W with a trainable 8x8 multi-channel transposed convolution, then batch norm; no ReLU.

    Starts as a smooth fixed upsampling of unit gain: channel c of the output sees channel c of the input through the
    8x8 bilinear kernel, all other pairs start at 0.

    Source: paper §3.1 (8x8 kernels, bilinear initialisation), §3.3. The parameter counts of Table 1 fit full,
        ungrouped kernels.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.deconv = nn.ConvTranspose2d(channels, channels, 8, stride=2, padding=3, bias=False)
        with torch.no_grad():
            self.deconv.weight.zero_()
            diagonal = torch.arange(channels)
            self.deconv.weight[diagonal, diagonal] = bilinear_kernel(8)
        self.norm = batch_norm(channels)

    def forward(self, features: Tensor, size: Size) -> Tensor:
        """Maps (N,C,h,w) to (N,C,*size); `size` is (2h or 2h-1, 2w or 2w-1)."""
        return self.norm(crop(self.deconv(features), size))


def upsample_bilinear(features: Tensor, size: Size) -> Tensor:
    """Doubles H and W with the fixed bilinear kernel (4x4, stride 2), then crops to `size`.

    Equals `interpolate(scale_factor=2, mode="bilinear", align_corners=False)`, border included (the edge rows are
    repeated, so that the border keeps unit gain), with a deterministic backward pass: every output row is a
    3:1 mixture of two neighbouring input rows, likewise for columns.
    """
    for dim in (2, 3):
        length = features.shape[dim]
        first, last = features.narrow(dim, 0, 1), features.narrow(dim, length - 1, 1)
        before = torch.cat([first, features.narrow(dim, 0, length - 1)], dim)
        after = torch.cat([features.narrow(dim, 1, length - 1), last], dim)
        pairs = torch.stack([0.25 * before + 0.75 * features, 0.75 * features + 0.25 * after], dim + 1)
        features = pairs.flatten(dim, dim + 1)
    return crop(features, size)


def crop(features: Tensor, size: Size) -> Tensor:
    """Drops the rows and columns beyond `size`: 46 rows made from 23 become the 45 that were pooled to 23."""
    height, width = size
    assert features.shape[2] - height in (0, 1), (features.shape, size)
    assert features.shape[3] - width in (0, 1), (features.shape, size)
    return features[:, :, :height, :width]
