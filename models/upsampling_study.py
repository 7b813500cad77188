"""Six ways up with everything else equal: which of them leave a checkerboard in the output?

The encoder is SegNet-Basic's (4 stages, 64 channels). Each of the four decoder stages doubles H and W by one of six
steps with one learnt layer, then batch norm and ReLU, always 64 channels; a 1x1 convolution classifies.

| class | step | weights of the learnt layer | products per output value |
|---|---|---:|---|
| UpsamplingMaxUnpooling | max-unpooling, then convolution 3x3 | 36 864 | 9 x 64, three quarters of them with 0 |
| UpsamplingTransposed4 | transposed convolution 4x4, stride 2 | 65 536 | 4 x 64 everywhere |
| UpsamplingTransposed3 | transposed convolution 3x3, stride 2 | 36 864 | 1, 2 or 4 x 64, by position |
| UpsamplingNearest | values repeated, then convolution 3x3 | 36 864 | 9 x 64 |
| UpsamplingBilinear | bilinear interpolation, then convolution 3x3 | 36 864 | 9 x 64 |
| UpsamplingSubPixel | convolution 3x3 to 4 x 64 channels, rearranged | 147 456 | 9 x 64 |

Source: Odena, Dumoulin & Olah 2016, "Deconvolution and Checkerboard Artifacts" (kernels that the stride does not divide
    overlap unevenly; resize-convolution); Shi et al. 2016 (sub-pixel convolution); a study of ours, not in the paper.
Deviation: the numbers of parameters are not equal. The width of the decoder and 3x3 kernels are kept; a transposed
    kernel divisible by its stride has to be 4x4, and sub-pixel convolution learns four filters per output channel.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from models.blocks import Encoder, SegmentationModel, Size, batch_norm, conv, max_unpool, upsample_bilinear
from models.input_size import check_images
from models.upsampling import crop_to, transposed_conv

CHANNELS = Encoder.CHANNELS
STAGES = Encoder.STAGES


class MaxUnpooling(nn.Module):
    """Max-unpooling, then convolution 3x3."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = conv(CHANNELS, CHANNELS, 3)

    def forward(self, features: Tensor, indices: Tensor, size: Size) -> Tensor:
        """Maps (N,64,h,w) to (N,64,*size); `indices` are those of the pooling that made (h,w) from `size`."""
        return self.layer(max_unpool(features, indices, size))


class Transposed(nn.Module):
    """Transposed convolution with stride 2, without its first row and column (padding 1)."""

    def __init__(self, kernel_size: int) -> None:
        super().__init__()
        self.layer = transposed_conv(CHANNELS, CHANNELS, kernel_size, stride=2, bias=False)

    def forward(self, features: Tensor, indices: Tensor, size: Size) -> Tensor:
        """Maps (N,64,h,w) to (N,64,*size); odd sizes lose rows at the end, so overlaps stay where they are."""
        return crop_to(self.layer(features)[:, :, 1:, 1:], size)


class Nearest(nn.Module):
    """Every value repeated in a cell of 2x2, then convolution 3x3."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = conv(CHANNELS, CHANNELS, 3)

    def forward(self, features: Tensor, indices: Tensor, size: Size) -> Tensor:
        """Maps (N,64,h,w) to (N,64,*size)."""
        n, c, h, w = features.shape
        cells = features[:, :, :, None, :, None].expand(n, c, h, 2, w, 2)
        return self.layer(crop_to(cells.reshape(n, c, 2 * h, 2 * w), size))


class Bilinear(nn.Module):
    """Bilinear interpolation, then convolution 3x3."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = conv(CHANNELS, CHANNELS, 3)

    def forward(self, features: Tensor, indices: Tensor, size: Size) -> Tensor:
        """Maps (N,64,h,w) to (N,64,*size)."""
        return self.layer(upsample_bilinear(features, size))


class SubPixel(nn.Module):
    """Convolution 3x3 to 4 x 64 channels, which are then laid out as cells of 2x2."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = conv(CHANNELS, 4 * CHANNELS, 3)

    def forward(self, features: Tensor, indices: Tensor, size: Size) -> Tensor:
        """Maps (N,64,h,w) to (N,64,*size)."""
        return crop_to(functional.pixel_shuffle(self.layer(features), 2), size)


def _parts(steps: list[nn.Module], num_classes: int) -> nn.ModuleDict:
    """Returns all layers of a variant; index 0 of `steps` and `norms` reaches full resolution."""
    return nn.ModuleDict(
        {
            "encoder": Encoder(),
            "steps": nn.ModuleList(steps),
            "norms": nn.ModuleList(batch_norm(CHANNELS) for _ in steps),
            "classifier": conv(CHANNELS, num_classes, 1, bias=True),
        }
    )


def _logits(model: nn.Module, parts: nn.ModuleDict, images: Tensor) -> Tensor:
    """Runs encoder, [step -> batch norm -> ReLU] per stage, and classifier."""
    check_images(model, images, STAGES)
    pooled, indices, sizes = parts["encoder"](images)
    features = pooled[-1]
    for stage in reversed(range(STAGES)):
        features = parts["steps"][stage](features, indices[stage], sizes[stage])  # type: ignore[index]
        features = parts["norms"][stage](features).relu()  # type: ignore[index]
    return parts["classifier"](features)


class UpsamplingMaxUnpooling(SegmentationModel):
    """Max-unpooling with stored indices, then convolution 3x3: SegNet's way.

    Source: paper §3.
    """

    ENCODER_INFORMATION = ("indices",)

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.parts = _parts([MaxUnpooling() for _ in range(STAGES)], num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Maps images (N,3,H,W) to logits (N,K,H,W); a side shorter than 9 pixels raises ValueError."""
        return _logits(self, self.parts, images)


class UpsamplingTransposed4(SegmentationModel):
    """Transposed convolution 4x4 with stride 2: every output value sees 2x2 inputs.

    Source: Odena et al. 2016: a kernel that the stride divides.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.parts = _parts([Transposed(4) for _ in range(STAGES)], num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Maps images (N,3,H,W) to logits (N,K,H,W); a side shorter than 9 pixels raises ValueError."""
        return _logits(self, self.parts, images)


class UpsamplingTransposed3(SegmentationModel):
    """Transposed convolution 3x3 with stride 2: output values see 1, 2 or 4 inputs, by position.

    Source: Odena et al. 2016: a kernel that the stride does not divide.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.parts = _parts([Transposed(3) for _ in range(STAGES)], num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Maps images (N,3,H,W) to logits (N,K,H,W); a side shorter than 9 pixels raises ValueError."""
        return _logits(self, self.parts, images)


class UpsamplingNearest(SegmentationModel):
    """Values repeated, then convolution 3x3.

    Source: Odena et al. 2016: resize-convolution.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.parts = _parts([Nearest() for _ in range(STAGES)], num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Maps images (N,3,H,W) to logits (N,K,H,W); a side shorter than 9 pixels raises ValueError."""
        return _logits(self, self.parts, images)


class UpsamplingBilinear(SegmentationModel):
    """Bilinear interpolation, then convolution 3x3.

    Source: Odena et al. 2016: resize-convolution.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.parts = _parts([Bilinear() for _ in range(STAGES)], num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Maps images (N,3,H,W) to logits (N,K,H,W); a side shorter than 9 pixels raises ValueError."""
        return _logits(self, self.parts, images)


class UpsamplingSubPixel(SegmentationModel):
    """Sub-pixel convolution: 3x3 to 4 x 64 channels, rearranged.

    Source: Shi et al. 2016.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.parts = _parts([SubPixel() for _ in range(STAGES)], num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Maps images (N,3,H,W) to logits (N,K,H,W); a side shorter than 9 pixels raises ValueError."""
        return _logits(self, self.parts, images)
