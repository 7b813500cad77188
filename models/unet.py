"""U-Net: a contracting path, an expanding path, and the whole encoder map of each level handed across.

Source: Ronneberger, Fischer & Brox 2015; 31 030 658 parameters for one channel and two classes, 31 032 395 for RGB and
    11 classes.
Deviation: convolutions are padded, so that logits have the size of the image; the original shrinks 572 to 388 pixels
    and mirrors the image at its border. Images are padded with zeros to a multiple of 16 below and on the right, and
    the logits cropped.
Deviation: no elastic deformation and no border weights in the loss; they belong to the original's training.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.blocks import SegmentationModel, conv
from models.input_size import check_images
from models.upsampling import crop_to, transposed_conv

CHANNELS = (64, 128, 256, 512, 1024)  # of the five levels
HALVINGS = len(CHANNELS) - 1
DROPOUT_LEVELS = (3, 4)  # the end of the contracting path


def _double_conv(in_channels: int, out_channels: int) -> nn.Sequential:
    """Returns 2 x [conv 3x3 with bias -> ReLU]."""
    return nn.Sequential(
        conv(in_channels, out_channels, 3, bias=True),
        nn.ReLU(),
        conv(out_channels, out_channels, 3, bias=True),
        nn.ReLU(),
    )


class UNet(SegmentationModel):
    """U-Net as published: biases, no batch norm, He initialisation.

    Keeps whole maps of all levels; the first has 64 channels at full resolution, four times what the cost columns
    count, which were made for maps after the first pooling.

    Source: Ronneberger et al. 2015, §2, Fig. 1.
    Deviation: dropout is 0.5 after the two deepest levels; the paper of U-Net only says "at the end of the
        contracting path".
    """

    ENCODER_INFORMATION = ("full_maps",)

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        inputs = (3, *CHANNELS[:-1])
        self.contracting = nn.ModuleList(_double_conv(*pair) for pair in zip(inputs, CHANNELS, strict=True))
        self.dropout = nn.Dropout(0.5)
        # index 0 reaches full resolution; each doubles H and W and halves the channels
        pairs = list(zip(CHANNELS[1:], CHANNELS[:-1], strict=True))
        self.upsamplings = nn.ModuleList(transposed_conv(deep, wide, 2, stride=2, bias=True) for deep, wide in pairs)
        self.expanding = nn.ModuleList(_double_conv(deep, wide) for deep, wide in pairs)
        self.classifier = conv(CHANNELS[0], num_classes, 1, bias=True)

    def forward(self, images: Tensor) -> Tensor:
        """Maps images (N,3,H,W) to logits (N,K,H,W).

        Raises:
            ValueError: a side is shorter than 9 pixels.
        """
        check_images(self, images, HALVINGS)
        height, width = images.shape[2:]
        multiple = 2**HALVINGS
        features = functional.pad(images, (0, -width % multiple, 0, -height % multiple))
        encoded = []
        for level, block in enumerate(self.contracting):
            features = block(features if level == 0 else functional.max_pool2d(features, 2))
            if level in DROPOUT_LEVELS:
                features = self.dropout(features)
            encoded.append(features)
        for level in reversed(range(HALVINGS)):
            features = torch.cat([encoded[level], self.upsamplings[level](features)], 1)
            features = self.expanding[level](features)
        return crop_to(self.classifier(features), (height, width))
