"""Unpooling, bilinear kernels and upsampling against PyTorch's own operators and numbers checked by hand."""

import pytest
import torch
from torch.nn import functional

from models.blocks import LearntUpsampling, bilinear_kernel, conv, max_unpool, upsample_bilinear


@pytest.mark.parametrize("size", [(4, 6), (5, 7), (45, 60)])
def test_max_unpool_equals_torch(size):
    maps = torch.randn(2, 3, *size)
    pooled, indices = functional.max_pool2d(maps, 2, 2, ceil_mode=True, return_indices=True)
    expected = functional.max_unpool2d(pooled, indices, 2, 2, output_size=size)
    assert torch.equal(max_unpool(pooled, indices, size), expected)


def test_max_unpool_puts_the_value_where_the_maximum_was():
    maps = torch.tensor([[[[1.0, 2.0], [4.0, 3.0]]]])
    pooled, indices = functional.max_pool2d(maps, 2, return_indices=True)
    assert max_unpool(pooled * 10, indices, (2, 2)).tolist() == [[[[0, 0], [40, 0]]]]


def test_bilinear_kernel_of_size_4_is_the_known_one():
    ramp = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 4
    assert torch.allclose(bilinear_kernel(4), ramp[:, None] * ramp[None, :])


def test_bilinear_kernel_of_size_8_has_unit_gain_at_stride_2():
    assert float(bilinear_kernel(8).sum()) == pytest.approx(4.0)


def test_learnt_upsampling_starts_with_unit_gain_and_separate_channels():
    layer = LearntUpsampling(3)
    maps = torch.zeros(1, 3, 12, 12)
    maps[0, 1] = 5
    upsampled = layer.deconv(maps).detach()
    assert upsampled.shape == (1, 3, 24, 24)
    assert torch.allclose(upsampled[0, 1, 6:18, 6:18], torch.full((12, 12), 5.0))
    assert float(upsampled[0, [0, 2]].abs().max()) == 0


@pytest.mark.parametrize("size", [(10, 14), (9, 13), (9, 14)])
def test_bilinear_upsampling_equals_torch_and_crops_odd_sizes(size):
    maps = torch.randn(2, 3, 5, 7)
    expected = functional.interpolate(maps, scale_factor=2, mode="bilinear", align_corners=False)
    assert torch.allclose(upsample_bilinear(maps, size), expected[:, :, : size[0], : size[1]], atol=1e-6)


def test_convolutions_are_he_initialised():
    layer = conv(64, 64, 7)
    assert layer.bias is None
    assert float(layer.weight.detach().std()) == pytest.approx((2 / (64 * 49)) ** 0.5, rel=0.02)
