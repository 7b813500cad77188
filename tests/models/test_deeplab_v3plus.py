"""DeepLab v3+: Xception-65's count from its table, resolutions, rates, alignment."""

import pytest
import torch
from torch import nn

from bench.profiling.cost import parameter_count
from models.deeplab_v3plus import BLOCKS, DeepLabV3Plus


def on_meta(num_classes):
    with torch.device("meta"):
        return DeepLabV3Plus(num_classes)


def separable(before, after):
    """3x3 per channel, 1x1, and scale and shift after each."""
    return 9 * before + before * after + 2 * (before + after)


def test_parameters():
    encoder = 3 * 9 * 32 + 2 * 32 + 32 * 9 * 64 + 2 * 64
    widths = [64]
    for block in BLOCKS:
        entry = widths[-1]
        for width in block.widths:
            encoder += separable(widths[-1], width)
            widths.append(width)
        encoder += entry * block.widths[-1] + 2 * block.widths[-1] if block.shortcut == "conv" else 0
    pyramid = (2048 * 256 + 2 * 256) + 3 * separable(2048, 256) + (2048 * 256 + 256) + (1280 * 256 + 2 * 256)
    decoder = 256 * 48 + 2 * 48 + separable(304, 256) + separable(256, 256) + 256 * 11 + 11
    model = on_meta(11)
    assert parameter_count(model.encoder) == encoder
    assert parameter_count(model) == encoder + pyramid + decoder == 41_052_587


def test_xception_has_65_layers_that_learn_to_mix_channels():
    """As its name counts: 2 in the stem, 21 blocks of 3 separable convolutions; shortcuts are not counted."""
    assert len(BLOCKS) == 21
    assert 2 + 3 * len(BLOCKS) == 65


@pytest.mark.parametrize(
    ("size", "deep", "low"),
    [((360, 480), (23, 30), (90, 120)), ((61, 83), (4, 6), (16, 21)), ((513, 513), (33, 33), (129, 129))],
)
def test_resolutions(size, deep, low):
    model = on_meta(11).eval()
    features, low_level = model.encoder(torch.zeros(1, 3, *size, device="meta"))
    assert features.shape == (1, 2048, *deep)
    assert low_level.shape == (1, 256, *low)
    assert model(torch.zeros(1, 3, *size, device="meta")).shape == (1, 11, *size)


def test_rates():
    model = on_meta(11)
    atrous = [
        module.dilation[0] for module in model.modules() if isinstance(module, nn.Conv2d) and module.dilation[0] > 1
    ]
    assert atrous == [2, 2, 2, 6, 12, 18]


def test_low_level_maps_and_upsampled_ones_lie_over_each_other():
    """A value of the map at 1/16 with index i is centred on pixel 16i, one at 1/4 on pixel 4i: four to one."""
    model = DeepLabV3Plus(2).eval()
    images = torch.randn(1, 3, 97, 97, requires_grad=True)
    stem = model.encoder.stem(images)
    features, _ = model.encoder.blocks[0](stem)
    features[0, :, 5, 7].sum().backward()
    seen = images.grad[0].abs().sum(0).nonzero()
    assert ((seen.amin(0) + seen.amax(0)) / 2).tolist() == [4 * 5, 4 * 7]
