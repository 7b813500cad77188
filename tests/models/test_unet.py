"""U-Net: the published count, what crosses from encoder to decoder, and padding."""

import pytest
import torch
from torch import nn

from bench.profiling.cost import parameter_count
from models.unet import UNet


def test_parameters_are_the_published_ones_with_rgb_and_11_classes():
    """31 030 658 for one channel and two classes; two channels more at the start, nine classes more at the end."""
    with torch.device("meta"):
        model = UNet(11)
    assert parameter_count(model) == 31_030_658 + 2 * 64 * 9 + 9 * (64 + 1) == 31_032_395


def test_there_are_23_convolutions_and_no_batch_norm():
    with torch.device("meta"):
        model = UNet(11)
    convolutions = [module for module in model.modules() if isinstance(module, nn.Conv2d | nn.ConvTranspose2d)]
    assert len(convolutions) == 23
    assert all(layer.bias is not None for layer in convolutions)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in model.modules())


@pytest.mark.parametrize(("size", "deepest"), [((360, 480), (23, 30)), ((45, 60), (3, 4)), ((64, 96), (4, 6))])
def test_images_are_padded_to_a_multiple_of_16(size, deepest):
    with torch.device("meta"):
        model = UNet(11)
    shapes = []
    model.contracting[4].register_forward_hook(lambda _, __, output: shapes.append(tuple(output.shape[2:])))
    assert model(torch.zeros(1, 3, *size, device="meta")).shape == (1, 11, *size)
    assert shapes == [deepest]


@pytest.fixture(scope="module")
def small():
    torch.manual_seed(0)
    return UNet(3).eval()


def test_padding_with_zeros_below_and_on_the_right_is_all_that_happens_to_odd_sizes(small):
    images = torch.zeros(1, 3, 48, 64)
    images[:, :, :45, :60] = torch.randn(1, 3, 45, 60)
    with torch.no_grad():
        assert torch.equal(small(images[:, :, :45, :60]), small(images)[:, :, :45, :60])


def test_whole_encoder_maps_cross(small, monkeypatch):
    """The first convolution after each up-step sees the encoder's channels first, then the upsampled ones."""
    inputs = {}
    for level, block in enumerate(small.expanding):
        monkeypatch.setattr(
            block, "forward", lambda maps, b=block, n=level: inputs.update({n: maps}) or type(b).forward(b, maps)
        )
    encoded = {}
    for level, block in enumerate(small.contracting):
        monkeypatch.setattr(
            block, "forward", lambda maps, b=block, n=level: encoded.setdefault(n, type(b).forward(b, maps))
        )
    with torch.no_grad():
        small(torch.randn(1, 3, 32, 32))
    for level, channels in enumerate((64, 128, 256, 512)):
        assert inputs[level].shape[1] == 2 * channels
        assert torch.equal(inputs[level][:, :channels], encoded[level])


def test_initial_weights_have_the_published_spread(small):
    """Standard deviation sqrt(2 / N) with N incoming values: 3x3 x 64, and 512 for an up-step of 2x2 at stride 2."""
    assert float(small.contracting[0][2].weight.detach().std()) == pytest.approx((2 / (9 * 64)) ** 0.5, rel=0.02)
    assert float(small.upsamplings[2].weight.detach().std()) == pytest.approx((2 / 512) ** 0.5, rel=0.02)
