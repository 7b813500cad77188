"""DeconvNet as the SegNet benchmark used it, and the same network without its fully connected layers.

Encoder and unpooling are SegNet's. Between them DeconvNet squeezes the whole pool5 map into one vector (fc6, fc7) and
spreads it again (fc6-deconv); its decoder has one more convolution at full resolution, and a 1x1 classifier.

Source: Noh, Hong & Han 2015 and its public stage_2_train.prototxt; paper §4 (fully connected layers of 1024 channels
    instead of 4096). 877 MB in Table 6 fit only kernels over the whole 12x15 map of pool5 at 360x480.
Deviation: its stride-1 "deconvolutions" are written as convolutions, which they are with the kernel turned round.
Deviation: the original has no dropout; here 0.5 where SegNet has it, because the paper adds dropout to all
    networks of the benchmark and does not say where.
Deviation: trained on whole images in one go; object crops, proposals, the two stages and the CRF of the original
    belong to its own protocol, the paper's benchmark does not mention them.
"""

from __future__ import annotations

from torch import Tensor, nn

from models.blocks import SegmentationModel, Size, batch_norm, conv, max_unpool
from models.input_size import check_images, check_statistics
from models.vgg16 import DROPOUT_STAGES, STAGES, encode_with_indices, normalised, normalised_stage, normalised_stages
from models.wide_conv import WideConvTranspose2d, wide_conv

# Output channels of the convolutions after each unpooling; index 0 is the stage that reaches full resolution.
DECODER = ((64, 64), (128, 64), (256, 256, 128), (512, 512, 256), (512, 512, 512))
FC_CHANNELS = 1024  # paper §4
POOL5_CHANNELS = 512
HALVINGS = 5


def _decoders() -> nn.ModuleList:
    """Returns the convolutions after each unpooling."""
    return nn.ModuleList(normalised_stage(encoded[-1], widths) for encoded, widths in zip(STAGES, DECODER, strict=True))


def _decode(
    features: Tensor, indices: list[Tensor], sizes: list[Size], decoders: nn.ModuleList, dropout: nn.Module
) -> Tensor:
    """Runs the decoder stages from the deepest to full resolution."""
    for level in reversed(range(len(DECODER))):
        features = decoders[level](max_unpool(features, indices[level], sizes[level]))
        if level in DROPOUT_STAGES:
            features = dropout(features)
    return features


class DeconvNet(SegmentationModel):
    """DeconvNet with fully connected layers of 1024 channels, built for one image size.

    Source: paper §4; 219.3 M parameters and 877 MB at 360x480 and 11 classes.

    Args:
        num_classes: K
        size: (H, W) of the images, both at least 17; fixes the kernels of fc6 and fc6-deconv to the size of pool5,
            (ceil(H/32), ceil(W/32))

    Raises:
        ValueError: a side of `size` is shorter than 17 pixels.
    """

    ENCODER_INFORMATION = ("indices",)
    BUILT_FOR_SIZE = True
    TRAINS_ON_ONE_IMAGE = False

    def __init__(self, num_classes: int, size: Size = (360, 480)) -> None:
        super().__init__()
        smallest = 2 ** (HALVINGS - 1) + 1
        if min(size) < smallest:
            raise ValueError(
                f"DeconvNet can be built for images of at least {smallest}x{smallest} pixels, not {size[0]}x{size[1]}"
            )
        self.size = (int(size[0]), int(size[1]))
        kernel = (-(-self.size[0] // 2**HALVINGS), -(-self.size[1] // 2**HALVINGS))
        self.encoder = normalised_stages()
        self.dropout = nn.Dropout(0.5)
        self.fc6 = normalised(_whole_map(kernel))
        self.fc7 = normalised(conv(FC_CHANNELS, FC_CHANNELS, 1))
        self.fc6_deconv = nn.Sequential(_spread(kernel), batch_norm(POOL5_CHANNELS), nn.ReLU())
        self.decoders = _decoders()
        self.classifier = conv(DECODER[0][-1], num_classes, 1, bias=True)

    def forward(self, images: Tensor) -> Tensor:
        """Maps images (N,3,H,W) of the size it was built for to logits (N,K,H,W).

        Raises:
            ValueError: the images have another size; or training on a batch of one image, which leaves batch norm a
                single value per channel in fc6 and fc7.
        """
        height, width = images.shape[2:]
        if (height, width) != self.size:
            raise ValueError(
                f"this DeconvNet was built for images of {self.size[0]}x{self.size[1]} pixels, got {height}x{width}: "
                f"its fc6 spans the whole pool5 map; build DeconvNet(num_classes, size=({height}, {width}))"
            )
        check_statistics(self, images, stride=max(self.size))  # fc6 and fc7 are 1x1 maps
        features, indices, sizes = encode_with_indices(self.encoder, self.dropout, images)
        features = self.fc6_deconv(self.fc7(self.fc6(features)))
        return self.classifier(_decode(features, indices, sizes, self.decoders, self.dropout))


class DeconvNetNoFC(SegmentationModel):
    """DeconvNet without fc6, fc7 and fc6-deconv: pool5 is unpooled as it is; any image size.

    Source: an ablation, not in the paper: do the fully connected layers separate DeconvNet from SegNet?
    """

    ENCODER_INFORMATION = ("indices",)

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.encoder = normalised_stages()
        self.dropout = nn.Dropout(0.5)
        self.decoders = _decoders()
        self.classifier = conv(DECODER[0][-1], num_classes, 1, bias=True)

    def forward(self, images: Tensor) -> Tensor:
        """Maps images (N,3,H,W) to logits (N,K,H,W).

        Raises:
            ValueError: a side is shorter than 17 pixels.
        """
        check_images(self, images, HALVINGS)
        features, indices, sizes = encode_with_indices(self.encoder, self.dropout, images)
        return self.classifier(_decode(features, indices, sizes, self.decoders, self.dropout))


def _whole_map(kernel: Size) -> nn.Conv2d:
    """Returns fc6: a convolution whose one position covers the whole pool5 map."""
    return wide_conv(POOL5_CHANNELS, FC_CHANNELS, kernel, padding=(0, 0))


def _spread(kernel: Size) -> nn.ConvTranspose2d:
    """Returns fc6-deconv: one position becomes a map of the size of pool5, so each output sees FC_CHANNELS inputs."""
    layer = WideConvTranspose2d(FC_CHANNELS, POOL5_CHANNELS, kernel, bias=False)
    nn.init.normal_(layer.weight, std=(2 / FC_CHANNELS) ** 0.5)
    return layer
