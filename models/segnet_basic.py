"""SegNet-Basic and its two variants: decoders that unpool with stored max-pooling indices.

Four decoders mirror the four encoder stages: max-unpooling -> convolution 7x7 -> batch norm, without ReLU,
then a 1x1 convolution to K classes.

Source: paper §3.1, §3.3, Table 1; released segnet_basic_train.prototxt (classifier).
"""

from __future__ import annotations

from torch import Tensor, nn

from models.blocks import Encoder, SegmentationModel, batch_norm, conv, max_unpool

CHANNELS = Encoder.CHANNELS
STAGES = Encoder.STAGES


def _decoders(groups: int) -> nn.ModuleList:
    """Returns one [conv 7x7 -> batch norm] per stage; index 0 is the decoder that reaches full resolution."""
    return nn.ModuleList(
        nn.Sequential(conv(CHANNELS, CHANNELS, 7, groups=groups), batch_norm(CHANNELS)) for _ in range(STAGES)
    )


def _decode(features: Tensor, indices: list[Tensor], sizes: list[tuple[int, int]], decoders: nn.ModuleList) -> Tensor:
    """Runs the decoders from the deepest stage to full resolution, nothing added on the way."""
    for stage in reversed(range(STAGES)):
        features = decoders[stage](max_unpool(features, indices[stage], sizes[stage]))
    return features


class SegNetBasic(SegmentationModel):
    """SegNet-Basic: every decoder filter spans all 64 channels.

    Source: paper §3.1. 1 415 040 weights without batch norm and bias, 1.425 M printed.
    """

    ENCODER_INFORMATION = ("indices",)

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.decoders = _decoders(groups=1)
        self.classifier = conv(CHANNELS, num_classes, 1, bias=True)

    def forward(self, images: Tensor) -> Tensor:
        """Maps images (N,3,H,W) to logits (N,K,H,W)."""
        pooled, indices, sizes = self.encoder(images)
        return self.classifier(_decode(pooled[-1], indices, sizes, self.decoders))


class SegNetBasicSingleChannelDecoder(SegmentationModel):
    """SegNet-Basic-SingleChannelDecoder: each decoder filter convolves only its own upsampled map.

    Source: paper §3.1, §3.3. 624 768 weights, 0.625 M printed.
    """

    ENCODER_INFORMATION = ("indices",)

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.decoders = _decoders(groups=CHANNELS)
        self.classifier = conv(CHANNELS, num_classes, 1, bias=True)

    def forward(self, images: Tensor) -> Tensor:
        """Maps images (N,3,H,W) to logits (N,K,H,W)."""
        pooled, indices, sizes = self.encoder(images)
        return self.classifier(_decode(pooled[-1], indices, sizes, self.decoders))


class SegNetBasicEncoderAddition(SegmentationModel):
    """SegNet-Basic-EncoderAddition: the pooled encoder map of the same resolution is added after each decoder.

    Source: paper §3.3; 1 415 040 weights, 1.425 M printed. Fig. 3 and the storage of §3.1 (first map at half
        resolution) say that the map is taken after pooling, so the last decoder has nothing to add.
    """

    ENCODER_INFORMATION = ("indices", "full_maps")

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.decoders = _decoders(groups=1)
        self.classifier = conv(CHANNELS, num_classes, 1, bias=True)

    def forward(self, images: Tensor) -> Tensor:
        """Maps images (N,3,H,W) to logits (N,K,H,W)."""
        pooled, indices, sizes = self.encoder(images)
        features = pooled[-1]
        for stage in reversed(range(STAGES)):
            features = self.decoders[stage](max_unpool(features, indices[stage], sizes[stage]))
            if stage > 0:
                features = features + pooled[stage - 1]
        return self.classifier(features)
