"""FCN-Basic, its three ablations, and Bilinear-Interpolation: decoders that upsample without pooling indices.

The encoder is SegNet-Basic's. FCN-Basic reduces encoder maps to K channels with 1x1 convolutions, upsamples with
learnt 8x8 transposed convolutions and adds the reduced encoder map of the resolution that was reached.

Source: paper §3.1, §3.3, Table 1, Fig. 3.
Deviation: the paper is silent on batch norm in this family beyond "after each convolutional layer of encoder and
    decoder" (§3.1). Here it follows the 1x1 reductions and the learnt transposed convolutions, without ReLU; the
    other readings are not trained here.
"""

from __future__ import annotations

from torch import Tensor, nn

from models.blocks import Encoder, LearntUpsampling, SegmentationModel, batch_norm, conv, upsample_bilinear

CHANNELS = Encoder.CHANNELS
STAGES = Encoder.STAGES


def _reduction(num_classes: int) -> nn.Sequential:
    """Returns 1x1 convolution 64 -> K with batch norm: the dimension reduction of FCN."""
    return nn.Sequential(conv(CHANNELS, num_classes, 1), batch_norm(num_classes))


def _upsamplings(channels: int) -> nn.ModuleList:
    """Returns one learnt upsampling per stage; index 0 reaches full resolution."""
    return nn.ModuleList(LearntUpsampling(channels) for _ in range(STAGES))


class FCNBasic(SegmentationModel):
    """FCN-Basic: K-channel decoder, reduced encoder maps added.

    Source: paper §3.1, §3.3. 645 312 weights, 0.65 M printed.
    """

    ENCODER_INFORMATION = ("reduced_maps",)

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.reductions = nn.ModuleList(_reduction(num_classes) for _ in range(STAGES))
        self.upsamplings = _upsamplings(num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Maps images (N,3,H,W) to logits (N,K,H,W)."""
        pooled, _, sizes = self.encoder(images)
        features = self.reductions[-1](pooled[-1])
        for stage in reversed(range(STAGES)):
            features = self.upsamplings[stage](features, sizes[stage])
            if stage > 0:
                features = features + self.reductions[stage - 1](pooled[stage - 1])
        return features


class FCNBasicNoAddition(SegmentationModel):
    """FCN-Basic-NoAddition: only the upsampling kernels are learnt, nothing is added.

    Source: paper §3.3. 643 200 weights, 0.65 M printed.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.reduction = _reduction(num_classes)
        self.upsamplings = _upsamplings(num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Maps images (N,3,H,W) to logits (N,K,H,W)."""
        pooled, _, sizes = self.encoder(images)
        features = self.reduction(pooled[-1])
        for stage in reversed(range(STAGES)):
            features = self.upsamplings[stage](features, sizes[stage])
        return features


class FCNBasicNoDimReduction(SegmentationModel):
    """FCN-Basic-NoDimReduction: 64-channel decoder, encoder maps added in full.

    Source: paper §3.3. 1 660 800 weights, 1.625 M printed.
    """

    ENCODER_INFORMATION = ("full_maps",)

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.upsamplings = _upsamplings(CHANNELS)
        self.classifier = conv(CHANNELS, num_classes, 1, bias=True)

    def forward(self, images: Tensor) -> Tensor:
        """Maps images (N,3,H,W) to logits (N,K,H,W)."""
        pooled, _, sizes = self.encoder(images)
        features = pooled[-1]
        for stage in reversed(range(STAGES)):
            features = self.upsamplings[stage](features, sizes[stage])
            if stage > 0:
                features = features + pooled[stage - 1]
        return self.classifier(features)


class FCNBasicNoAdditionNoDimReduction(SegmentationModel):
    """FCN-Basic-NoAddition-NoDimReduction: 64-channel decoder, nothing added.

    Source: paper §3.3 and Table 1, where it is only named. 1 660 800 weights, 1.625 M printed.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.upsamplings = _upsamplings(CHANNELS)
        self.classifier = conv(CHANNELS, num_classes, 1, bias=True)

    def forward(self, images: Tensor) -> Tensor:
        """Maps images (N,3,H,W) to logits (N,K,H,W)."""
        pooled, _, sizes = self.encoder(images)
        features = pooled[-1]
        for stage in reversed(range(STAGES)):
            features = self.upsamplings[stage](features, sizes[stage])
        return self.classifier(features)


class BilinearInterpolation(SegmentationModel):
    """Bilinear-Interpolation: scores from the last encoder map, upsampled with fixed weights; no decoder to learn.

    Source: paper §3.1, §3.3. 612 224 weights, 0.625 M printed; the same time as FCN-Basic and a storage of 0 fit this
        reading (FCN-Basic-NoAddition with frozen kernels).
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.reduction = _reduction(num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Maps images (N,3,H,W) to logits (N,K,H,W)."""
        pooled, _, sizes = self.encoder(images)
        features = self.reduction(pooled[-1])
        for stage in reversed(range(STAGES)):
            features = upsample_bilinear(features, sizes[stage])
        return features
