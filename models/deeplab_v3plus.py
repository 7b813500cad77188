"""DeepLab v3+: Xception-65 with atrous separable convolutions, a pyramid of rates, and a light decoder.

The encoder ends at 1/16 of the resolution. The pyramid looks at its maps with a 1x1 convolution, three separable 3x3
convolutions of rates 6, 12 and 18 and their global mean, 256 channels each, and mixes them to 256. The decoder
upsamples that by 4, joins it with 48 channels made from encoder maps at 1/4, and classifies after two separable 3x3
convolutions; the scores are upsampled by 4.

Source: Chen, Zhu, Papandreou, Schroff & Adam 2018, §3 and Fig. 4; Xception-65 in full, as in the authors' public
    research/deeplab/core/xception.py, ReLUs included: before each separable convolution in the entry and middle flows
    and the first block of the exit flow, inside them in the last block, the pyramid and the decoder.
Deviation: the branch of the global mean has a bias and no batch norm: it has one value per channel and image, and
    statistics over the 4 or 5 images of a batch would be noise.
Deviation: trained from He initialisation; the original starts from weights trained on ImageNet and COCO.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.blocks import SegmentationModel, conv
from models.input_size import check_images, check_statistics
from models.upsampling import upsample_from_corner

STEM_CHANNELS = (32, 64)  # two 3x3 convolutions, the first with stride 2
PYRAMID_CHANNELS = 256
PYRAMID_RATES = (6, 12, 18)  # at 1/16 of the resolution
LOW_LEVEL_CHANNELS = 48
DECODER_CHANNELS = 256
HALVINGS = 4
DECODER_FACTOR = 4  # the encoder maps of the decoder are at 1/4


class Block(NamedTuple):
    """One row of Xception-65's layer table: three separable convolutions and what is added to their output."""

    widths: tuple[int, int, int]
    stride: int  # of the third convolution
    shortcut: str  # "conv": 1x1 convolution of the input; "sum": the input itself; "none"
    dilation: int = 1
    relu_inside: bool = False  # ReLU after depthwise and pointwise, instead of before


LOW_LEVEL_BLOCK = 1  # the block whose second convolution, at 1/4, the decoder sees
BLOCKS = (
    Block((128, 128, 128), 2, "conv"),  # entry flow
    Block((256, 256, 256), 2, "conv"),
    Block((728, 728, 728), 2, "conv"),
    *(Block((728, 728, 728), 1, "sum") for _ in range(16)),  # middle flow
    Block((728, 1024, 1024), 1, "conv"),  # exit flow; the stride of 2 is left out at 1/16 ...
    Block((1536, 1536, 2048), 1, "none", dilation=2, relu_inside=True),  # ... and made up for by dilation
)


def _norm(channels: int) -> nn.BatchNorm2d:
    """Returns batch norm with the eps of the authors' code."""
    return nn.BatchNorm2d(channels, eps=1e-3)


def _depthwise(channels: int, stride: int, dilation: int) -> nn.Conv2d:
    """Returns a He-initialised 3x3 convolution of each channel by itself; its first value is centred on pixel 0."""
    layer = nn.Conv2d(channels, channels, 3, stride, dilation, dilation, groups=channels, bias=False)
    nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu")
    return layer


def _separable(in_channels: int, out_channels: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    """Returns [ReLU -> depthwise 3x3 -> batch norm -> pointwise 1x1 -> batch norm]."""
    return nn.Sequential(
        nn.ReLU(),
        _depthwise(in_channels, stride, dilation),
        _norm(in_channels),
        conv(in_channels, out_channels, 1),
        _norm(out_channels),
    )


def _separable_relu_inside(in_channels: int, out_channels: int, dilation: int = 1) -> nn.Sequential:
    """Returns [depthwise 3x3 -> batch norm -> ReLU -> pointwise 1x1 -> batch norm -> ReLU]."""
    return nn.Sequential(
        _depthwise(in_channels, 1, dilation),
        _norm(in_channels),
        nn.ReLU(),
        conv(in_channels, out_channels, 1),
        _norm(out_channels),
        nn.ReLU(),
    )


def _pointwise(in_channels: int, out_channels: int) -> nn.Sequential:
    """Returns [conv 1x1 -> batch norm -> ReLU]."""
    return nn.Sequential(conv(in_channels, out_channels, 1), _norm(out_channels), nn.ReLU())


class XceptionBlock(nn.Module):
    """Three separable convolutions and a shortcut around them."""

    def __init__(self, in_channels: int, block: Block) -> None:
        super().__init__()
        inputs = (in_channels, *block.widths[:-1])
        strides = (1, 1, block.stride)
        self.separables = nn.ModuleList(
            _separable_relu_inside(before, after, block.dilation)
            if block.relu_inside
            else _separable(before, after, stride, block.dilation)
            for before, after, stride in zip(inputs, block.widths, strides, strict=True)
        )
        self.shortcut: nn.Module | None = None
        if block.shortcut == "conv":
            pointwise = nn.Conv2d(in_channels, block.widths[-1], 1, block.stride, bias=False)
            nn.init.kaiming_normal_(pointwise.weight, mode="fan_in", nonlinearity="relu")
            self.shortcut = nn.Sequential(pointwise, _norm(block.widths[-1]))
        elif block.shortcut == "sum":
            self.shortcut = nn.Identity()

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the block's output and that of its second separable convolution, which comes before any stride."""
        middle = self.separables[1](self.separables[0](features))
        output = self.separables[2](middle)
        return (output if self.shortcut is None else output + self.shortcut(features)), middle


class Xception65(nn.Module):
    """The encoder: images (N,3,H,W) to maps (N,2048,ceil(H/16),ceil(W/16)) and (N,256,ceil(H/4),ceil(W/4))."""

    def __init__(self) -> None:
        super().__init__()
        first = nn.Conv2d(3, STEM_CHANNELS[0], 3, stride=2, padding=1, bias=False)
        nn.init.kaiming_normal_(first.weight, mode="fan_in", nonlinearity="relu")
        self.stem = nn.Sequential(
            first,
            _norm(STEM_CHANNELS[0]),
            nn.ReLU(),
            conv(STEM_CHANNELS[0], STEM_CHANNELS[1], 3),
            _norm(STEM_CHANNELS[1]),
            nn.ReLU(),
        )
        inputs = (STEM_CHANNELS[1], *(block.widths[-1] for block in BLOCKS[:-1]))
        self.blocks = nn.ModuleList(XceptionBlock(*pair) for pair in zip(inputs, BLOCKS, strict=True))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the deepest maps and the low-level maps for the decoder."""
        features = self.stem(images)
        low_level = features
        for number, block in enumerate(self.blocks):
            features, middle = block(features)
            if number == LOW_LEVEL_BLOCK:
                low_level = middle
        return features, low_level


class AtrousPyramid(nn.Module):
    """Atrous spatial pyramid pooling: five views of the same maps, joined and reduced to 256 channels."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.pointwise = _pointwise(in_channels, PYRAMID_CHANNELS)
        self.atrous = nn.ModuleList(
            _separable_relu_inside(in_channels, PYRAMID_CHANNELS, rate) for rate in PYRAMID_RATES
        )
        self.mean = nn.Sequential(conv(in_channels, PYRAMID_CHANNELS, 1, bias=True), nn.ReLU())
        views = 2 + len(PYRAMID_RATES)
        self.mix = _pointwise(views * PYRAMID_CHANNELS, PYRAMID_CHANNELS)
        self.dropout = nn.Dropout(0.1)  # as in the authors' code

    def forward(self, features: Tensor) -> Tensor:
        """Maps (N,C,h,w) to (N,256,h,w)."""
        mean = self.mean(features.mean((2, 3), keepdim=True)).expand(-1, -1, *features.shape[2:])
        views = [self.pointwise(features), *(atrous(features) for atrous in self.atrous), mean]
        return self.dropout(self.mix(torch.cat(views, 1)))


class DeepLabV3Plus(SegmentationModel):
    """DeepLab v3+ with Xception-65 at output stride 16.

    Keeps 48 reduced channels at 1/4 of the resolution for the decoder; the cost columns know only maps reduced to K
    channels at 1/2 and count those.
    """

    ENCODER_INFORMATION = ("reduced_maps",)

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.encoder = Xception65()
        self.pyramid = AtrousPyramid(BLOCKS[-1].widths[-1])
        self.low_level = _pointwise(BLOCKS[LOW_LEVEL_BLOCK].widths[1], LOW_LEVEL_CHANNELS)
        self.decoder = nn.Sequential(
            _separable_relu_inside(PYRAMID_CHANNELS + LOW_LEVEL_CHANNELS, DECODER_CHANNELS),
            _separable_relu_inside(DECODER_CHANNELS, DECODER_CHANNELS),
        )
        self.classifier = conv(DECODER_CHANNELS, num_classes, 1, bias=True)

    def forward(self, images: Tensor) -> Tensor:
        """Maps images (N,3,H,W) to logits (N,K,H,W).

        Raises:
            ValueError: a side is shorter than 9 pixels, or training on one image of at most 16x16.
        """
        check_images(self, images, HALVINGS)
        check_statistics(self, images, 2**HALVINGS)
        deep, low_level = self.encoder(images)
        low_level = self.low_level(low_level)
        quarter = (low_level.shape[2], low_level.shape[3])
        features = upsample_from_corner(self.pyramid(deep), DECODER_FACTOR, quarter)
        logits = self.classifier(self.decoder(torch.cat([features, low_level], 1)))
        return upsample_from_corner(logits, DECODER_FACTOR, (images.shape[2], images.shape[3]))
