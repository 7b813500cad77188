"""FCN on VGG16: as the SegNet benchmark used it (two networks) and as published (three).

VGG16's fully connected layers become convolutions, fc6 (7x7, 4096) and fc7 (1x1, 4096). Their scores, at 1/32 of the
resolution, are upsampled; FCN-16s adds scores from pool4 on the way, FCN-8s from pool4 and pool3.

Source: Long, Shelhamer & Darrell 2015 and its public layer files; paper §4, §4.1 (fixed and learnt upsampling).
Deviation: the original pads the first convolution by 100, leaves fc6 unpadded and crops by fixed offsets. Here the
    first is padded by 1 and fc6 by 3, so that no wide border of zeros is computed on. As there, each score is
    placed at the centre of the pixels that it sees.
Deviation: trained in one go from all weights, not FCN-16s from FCN-32s and FCN-8s from FCN-16s, at one learning rate.
"""

from __future__ import annotations

from torch import Tensor, nn

from models.blocks import SegmentationModel, Size, batch_norm, conv
from models.input_size import check_images, check_statistics
from models.upsampling import LearntUpsamplingBy, upsample_centred
from models.vgg16 import STAGES, biased_stages, normalised, normalised_stages, pool
from models.wide_conv import wide_conv

FC_CHANNELS = 4096
POOL3_CHANNELS, POOL4_CHANNELS, POOL5_CHANNELS = (widths[-1] for widths in STAGES[2:])
HALVINGS = 5


def _encode(encoder: nn.ModuleList, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Returns pool3, pool4 and pool5: 1/8, 1/16 and 1/32 of the resolution, rounded up."""
    pooled = []
    features = images
    for stage in encoder:
        features = pool(stage(features))
        pooled.append(features)
    return pooled[2], pooled[3], pooled[4]


def _size(features: Tensor) -> Size:
    return features.shape[2], features.shape[3]


def _normalised_fc(in_channels: int, kernel_size: int) -> nn.Sequential:
    """Returns [conv -> batch norm -> ReLU -> dropout]."""
    return nn.Sequential(normalised(_fc(in_channels, kernel_size, bias=False)), nn.Dropout(0.5))


def _normalised_score(in_channels: int, num_classes: int) -> nn.Sequential:
    """Returns 1x1 convolution to K classes with batch norm."""
    return nn.Sequential(conv(in_channels, num_classes, 1), batch_norm(num_classes))


def _biased_fc(in_channels: int, kernel_size: int) -> nn.Sequential:
    """Returns [conv with bias -> ReLU -> dropout]."""
    return nn.Sequential(_fc(in_channels, kernel_size, bias=True), nn.ReLU(), nn.Dropout(0.5))


def _fc(in_channels: int, kernel_size: int, *, bias: bool) -> nn.Conv2d:
    """Returns a fully connected layer of VGG16 as a convolution that keeps H and W."""
    kernel, padding = (kernel_size, kernel_size), (kernel_size // 2, kernel_size // 2)
    return wide_conv(in_channels, FC_CHANNELS, kernel, padding=padding, bias=bias)


def _zero_score(in_channels: int, num_classes: int) -> nn.Conv2d:
    """Returns 1x1 convolution to K classes with bias, all zero at the start, as published."""
    layer = conv(in_channels, num_classes, 1, bias=True)
    nn.init.zeros_(layer.weight)
    return layer


class FCN(SegmentationModel):
    """FCN of the benchmark with fixed bilinear upsampling: FCN-8s with batch norm.

    Keeps K-channel scores of pool4 and pool3, at 1/16 and 1/8 of the resolution; the cost columns, made for Table 1,
    count one set of K maps at the first stage, at 1/2.

    Source: paper §4.1. The variant is not stated; the model size of Table 6, 539 MB, fits FCN-8s with fc6 and fc7
        of 4096 channels.
    Deviation: batch norm, without ReLU, also follows the score layers, as in FCN-Basic here: the paper adds it after
        every convolution.
    """

    ENCODER_INFORMATION = ("reduced_maps",)

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.encoder = normalised_stages()
        self.fc6 = _normalised_fc(POOL5_CHANNELS, 7)
        self.fc7 = _normalised_fc(FC_CHANNELS, 1)
        self.score_fc7 = _normalised_score(FC_CHANNELS, num_classes)
        self.score_pool4 = _normalised_score(POOL4_CHANNELS, num_classes)
        self.score_pool3 = _normalised_score(POOL3_CHANNELS, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Maps images (N,3,H,W) to logits (N,K,H,W).

        Raises:
            ValueError: a side is shorter than 17 pixels, or training on one image of at most 32x32.
        """
        check_images(self, images, HALVINGS)
        check_statistics(self, images, 2**HALVINGS)
        pool3, pool4, pool5 = _encode(self.encoder, images)
        scores = self.score_fc7(self.fc7(self.fc6(pool5)))
        scores = upsample_centred(scores, 2, _size(pool4)) + self.score_pool4(pool4)
        scores = upsample_centred(scores, 2, _size(pool3)) + self.score_pool3(pool3)
        return upsample_centred(scores, 8, _size(images))


class FCNLearntDeconv(SegmentationModel):
    """FCN (learnt deconv) of the benchmark: FCN-8s with batch norm and three trainable transposed convolutions.

    Keeps what `FCN` keeps.

    Source: paper §4.1; 539.4 MB with the 37 classes of SUN RGB-D, 537.5 MB with 11, 539 printed in Table 6.
    Deviation: batch norm, without ReLU, also follows the score layers and the transposed convolutions, as in FCN-Basic
        here: the paper adds it after every convolution.
    """

    ENCODER_INFORMATION = ("reduced_maps",)

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.encoder = normalised_stages()
        self.fc6 = _normalised_fc(POOL5_CHANNELS, 7)
        self.fc7 = _normalised_fc(FC_CHANNELS, 1)
        self.score_fc7 = _normalised_score(FC_CHANNELS, num_classes)
        self.score_pool4 = _normalised_score(POOL4_CHANNELS, num_classes)
        self.score_pool3 = _normalised_score(POOL3_CHANNELS, num_classes)
        self.upsamplings = nn.ModuleList(LearntUpsamplingBy(num_classes, factor) for factor in (2, 2, 8))
        self.norms = nn.ModuleList(batch_norm(num_classes) for _ in self.upsamplings)

    def forward(self, images: Tensor) -> Tensor:
        """Maps images (N,3,H,W) to logits (N,K,H,W).

        Raises:
            ValueError: a side is shorter than 17 pixels, or training on one image of at most 32x32.
        """
        check_images(self, images, HALVINGS)
        check_statistics(self, images, 2**HALVINGS)
        pool3, pool4, pool5 = _encode(self.encoder, images)
        scores = self.score_fc7(self.fc7(self.fc6(pool5)))
        scores = self.norms[0](self.upsamplings[0](scores, _size(pool4))) + self.score_pool4(pool4)
        scores = self.norms[1](self.upsamplings[1](scores, _size(pool3))) + self.score_pool3(pool3)
        return self.norms[2](self.upsamplings[2](scores, _size(images)))


class FCN32s(SegmentationModel):
    """FCN-32s as published: biases, no batch norm, scores upsampled by 32 in one fixed bilinear step.

    Source: Long et al. 2015, §3.3, §4.1 (the last upsampling is fixed, score layers start at zero).
    Deviation: the fixed upsampling repeats border values; the original counts them as 0 beyond the border.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.encoder = biased_stages()
        self.fc6 = _biased_fc(POOL5_CHANNELS, 7)
        self.fc7 = _biased_fc(FC_CHANNELS, 1)
        self.score_fc7 = _zero_score(FC_CHANNELS, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Maps images (N,3,H,W) to logits (N,K,H,W).

        Raises:
            ValueError: a side is shorter than 17 pixels.
        """
        check_images(self, images, HALVINGS)
        _, _, pool5 = _encode(self.encoder, images)
        return upsample_centred(self.score_fc7(self.fc7(self.fc6(pool5))), 32, _size(images))


class FCN16s(SegmentationModel):
    """FCN-16s as published: scores of pool4 added to learnt upsampling by 2, then fixed upsampling by 16.

    Source: Long et al. 2015, §4.2 (upsampling between the scores is learnt from a bilinear start, the last is fixed).
    Deviation: as for FCN-32s, border values are repeated in the fixed upsampling.
    """

    ENCODER_INFORMATION = ("reduced_maps",)

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.encoder = biased_stages()
        self.fc6 = _biased_fc(POOL5_CHANNELS, 7)
        self.fc7 = _biased_fc(FC_CHANNELS, 1)
        self.score_fc7 = _zero_score(FC_CHANNELS, num_classes)
        self.score_pool4 = _zero_score(POOL4_CHANNELS, num_classes)
        self.upsampling = LearntUpsamplingBy(num_classes, 2)

    def forward(self, images: Tensor) -> Tensor:
        """Maps images (N,3,H,W) to logits (N,K,H,W).

        Raises:
            ValueError: a side is shorter than 17 pixels.
        """
        check_images(self, images, HALVINGS)
        _, pool4, pool5 = _encode(self.encoder, images)
        scores = self.score_fc7(self.fc7(self.fc6(pool5)))
        scores = self.upsampling(scores, _size(pool4)) + self.score_pool4(pool4)
        return upsample_centred(scores, 16, _size(images))


class FCN8s(SegmentationModel):
    """FCN-8s as published: as FCN-16s, and scores of pool3 added before fixed upsampling by 8.

    Source: Long et al. 2015, §4.2.
    Deviation: as for FCN-32s, border values are repeated in the fixed upsampling.
    """

    ENCODER_INFORMATION = ("reduced_maps",)

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.encoder = biased_stages()
        self.fc6 = _biased_fc(POOL5_CHANNELS, 7)
        self.fc7 = _biased_fc(FC_CHANNELS, 1)
        self.score_fc7 = _zero_score(FC_CHANNELS, num_classes)
        self.score_pool4 = _zero_score(POOL4_CHANNELS, num_classes)
        self.score_pool3 = _zero_score(POOL3_CHANNELS, num_classes)
        self.upsamplings = nn.ModuleList(LearntUpsamplingBy(num_classes, 2) for _ in range(2))

    def forward(self, images: Tensor) -> Tensor:
        """Maps images (N,3,H,W) to logits (N,K,H,W).

        Raises:
            ValueError: a side is shorter than 17 pixels.
        """
        check_images(self, images, HALVINGS)
        pool3, pool4, pool5 = _encode(self.encoder, images)
        scores = self.score_fc7(self.fc7(self.fc6(pool5)))
        scores = self.upsamplings[0](scores, _size(pool4)) + self.score_pool4(pool4)
        scores = self.upsamplings[1](scores, _size(pool3)) + self.score_pool3(pool3)
        return upsample_centred(scores, 8, _size(images))
