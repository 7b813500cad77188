"""The 13 convolutions of VGG16, which the larger networks share as their encoder, and weights for them.

Five stages of 3x3 convolutions with padding 1; every network does its own pooling between them. In the benchmark of
§4 every convolution is followed by batch norm, so those have no bias (`normalised_stages`); the networks that are
built as published, without batch norm, have one (`biased_stages`).

A network with this encoder keeps it as `encoder`. Where it has VGG16's first two fully connected layers as
convolutions, their blocks are called `fc6` and `fc7`. `load_vgg16` relies on these names.

Source: Simonyan & Zisserman 2015, configuration D, without its three fully connected layers: 14 714 688 parameters with
    biases; paper §3 (13 convolutions), §4 (batch norm after each).
Deviation: without weights to start from, the encoder is He-initialised; the paper starts from VGG16 trained on
    ImageNet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.blocks import Size, batch_norm, conv

# Output channels of each convolution, one tuple per stage; a stage's input is the last of the one before, or 3.
STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
# torchvision's vgg16 counts ReLU and pooling layers too: these are the numbers of its 13 convolutions.
TORCHVISION_LAYERS = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
# Dropout follows the pooling of these stages in the networks that have it there (pool3, pool4, pool5).
DROPOUT_STAGES = (2, 3, 4)
# VGG16's first two fully connected layers as convolutions: their block, and the shape of their weights.
FULLY_CONNECTED = {"classifier.0": ("fc6", (4096, 512, 7, 7)), "classifier.3": ("fc7", (4096, 4096, 1, 1))}


def atrous_conv(in_channels: int, out_channels: int, dilation: int) -> nn.Conv2d:
    """Returns a He-initialised 3x3 convolution without bias whose taps are `dilation` apart; keeps H and W."""
    layer = nn.Conv2d(in_channels, out_channels, 3, padding=dilation, dilation=dilation, bias=False)
    nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu")
    return layer


def normalised(layer: nn.Conv2d) -> nn.Sequential:
    """Returns [convolution -> batch norm -> ReLU]."""
    return nn.Sequential(layer, batch_norm(layer.out_channels), nn.ReLU())


def normalised_stage(in_channels: int, widths: tuple[int, ...], *, dilation: int = 1) -> nn.Sequential:
    """Returns one [conv 3x3 -> batch norm -> ReLU] per width, which keep H and W."""
    layers = []
    for width in widths:
        layers.append(normalised(atrous_conv(in_channels, width, dilation)))
        in_channels = width
    return nn.Sequential(*layers)


def normalised_stages(last_dilation: int = 1) -> nn.ModuleList:
    """Returns the five stages with batch norm and without biases; the fifth may be atrous."""
    dilations = (1, 1, 1, 1, last_dilation)
    return nn.ModuleList(
        normalised_stage(in_channels, widths, dilation=dilation)
        for in_channels, widths, dilation in zip(_inputs(), STAGES, dilations, strict=True)
    )


def biased_stages() -> nn.ModuleList:
    """Returns the five stages as published: convolutions with bias and ReLU, no batch norm."""
    stages = nn.ModuleList()
    for in_channels, widths in zip(_inputs(), STAGES, strict=True):
        layers: list[nn.Module] = []
        for width in widths:
            layers += [conv(in_channels, width, 3, bias=True), nn.ReLU()]
            in_channels = width
        stages.append(nn.Sequential(*layers))
    return stages


def pool(features: Tensor) -> Tensor:
    """Halves H and W by 2x2 max-pooling, rounded up: 45 rows become 23."""
    return functional.max_pool2d(features, 2, 2, ceil_mode=True)


def encode_with_indices(
    encoder: nn.ModuleList, dropout: nn.Module, images: Tensor
) -> tuple[Tensor, list[Tensor], list[Size]]:
    """Runs the five stages, each with its pooling, and keeps what max-unpooling needs.

    Args:
        encoder: the five stages
        dropout: applied after pool3, pool4 and pool5
        images: (N,3,H,W)

    Returns:
        features: pool5, (N,512,ceil(H/32),ceil(W/32))
        indices: the pooling indices of the five stages, int64
        sizes: (H, W) before each pooling, which the decoder has to reach again
    """
    indices, sizes = [], []
    features = images
    for level, stage in enumerate(encoder):
        features = stage(features)
        sizes.append((features.shape[2], features.shape[3]))
        features, index = functional.max_pool2d(features, 2, 2, ceil_mode=True, return_indices=True)
        indices.append(index)
        if level in DROPOUT_STAGES:
            features = dropout(features)
    return features, indices, sizes


@torch.no_grad()
def load_vgg16(model: nn.Module, state: Mapping[str, Tensor], *, include_classifier: bool = False) -> None:
    """Starts a network's encoder from trained VGG16 weights; nothing is changed when anything does not fit.

    Biases are taken where the network has them. Before batch norm it has none, and VGG16's go nowhere: batch norm
    subtracts the mean of each channel, and any bias with it.

    Args:
        model: a network whose `encoder` is made by this module
        state: a state dict of torchvision's vgg16: "features.0.weight", "features.0.bias", ...; its `features` part
            is enough. These weights expect RGB images in 0..1 from which torchvision's channel means are subtracted and
            which are divided by its standard deviations.
        include_classifier: also take "classifier.0" and "classifier.3" for `fc6` and `fc7`, whose shapes have to fit
            (FCN: 7x7 and 1x1, 4096 channels)

    Raises:
        ValueError: the network has no such encoder or no such fc6 and fc7, or a layer is missing, has another shape or
            a value that is not finite; the first such layer is named.

    Deviation: with batch norm the start is not VGG16 itself. Its ReLUs cut each channel near its mean on the batch
        instead of where VGG16's bias puts it, until training has moved the shift.
    """
    pairs = list(_pairs(model, include_classifier))
    taken = [_fitting(state, name, parameter, type(model).__name__) for name, parameter in pairs]
    for (_, parameter), values in zip(pairs, taken, strict=True):
        parameter.copy_(values.view_as(parameter))


def has_vgg16_classifier(model: nn.Module) -> bool:
    """Says whether a network's `fc6` and `fc7` are VGG16's own, so that `load_vgg16` can fill them too.

    So are FCN's. DeepLab's and DeconvNet's have other kernels and fewer channels, and start from He initialisation.
    """
    layers = {block: (_first_convolution(model, block), shape) for block, shape in FULLY_CONNECTED.values()}
    return all(layer is not None and tuple(layer.weight.shape) == shape for layer, shape in layers.values())


def _first_convolution(model: nn.Module, block: str) -> nn.Conv2d | None:
    """Returns the first convolution of a network's block, if it has the block."""
    modules = getattr(model, block, nn.Module()).modules()
    return next((layer for layer in modules if isinstance(layer, nn.Conv2d)), None)


def _inputs() -> tuple[int, ...]:
    """Returns the input channels of the five stages."""
    return (3, *(widths[-1] for widths in STAGES[:-1]))


def _pairs(model: nn.Module, include_classifier: bool) -> Iterator[tuple[str, nn.Parameter]]:
    """Yields the name in torchvision's state dict of each parameter to be filled, first layers first."""
    encoder = getattr(model, "encoder", None)
    layers = [] if encoder is None else [layer for layer in encoder.modules() if isinstance(layer, nn.Conv2d)]
    if [layer.out_channels for layer in layers] != [width for widths in STAGES for width in widths]:
        raise ValueError(f"{type(model).__name__} has no VGG16 encoder to load weights into; leave the weights out")
    named = [(f"features.{number}", layer) for number, layer in zip(TORCHVISION_LAYERS, layers, strict=True)]
    if include_classifier:
        for name, (block, _) in FULLY_CONNECTED.items():
            if (layer := _first_convolution(model, block)) is None:
                raise ValueError(f"{type(model).__name__} has no {block} for '{name}'; load without the classifier")
            named.append((name, layer))
    for name, layer in named:
        for kind, parameter in layer.named_parameters():
            yield f"{name}.{kind}", parameter


def _fitting(state: Mapping[str, Tensor], name: str, parameter: nn.Parameter, model: str) -> Tensor:
    """Returns the values for a parameter; a fully connected layer fits the convolution over its whole input."""
    if name not in state:
        raise ValueError(
            f"layer '{name}' is missing in the VGG16 weights, which have {len(state)} entries; "
            "a state dict of torchvision's vgg16 (not vgg16_bn) is needed"
        )
    values, shape = state[name], tuple(parameter.shape)
    flat = (shape[0], parameter.numel() // shape[0])
    allowed = (shape, flat) if name.startswith("classifier.") and len(shape) == 4 else (shape,)
    if tuple(values.shape) not in allowed:
        raise ValueError(
            f"layer '{name}' of the VGG16 weights has shape {tuple(values.shape)}, {model} needs "
            f"{' or '.join(map(str, allowed))}; a state dict of torchvision's vgg16 is needed"
        )
    if not torch.isfinite(values).all():
        raise ValueError(f"layer '{name}' of the VGG16 weights has a value that is not finite; the file is damaged")
    return values
