"""Upsampling by whole factors against PyTorch's own, and the start of the learnt one."""

import pytest
import torch
from torch.nn import functional

from models.upsampling import LearntUpsamplingBy, crop_to, transposed_conv, upsample_centred, upsample_from_corner


@pytest.mark.parametrize("factor", [2, 4, 8, 16, 32])
def test_centred_equals_torch_border_included(factor):
    maps = torch.randn(2, 3, 3, 4, dtype=torch.float64)
    expected = functional.interpolate(maps, scale_factor=factor, mode="bilinear", align_corners=False)
    assert torch.allclose(upsample_centred(maps, factor, (3 * factor, 4 * factor)), expected)
    size = (3 * factor - factor // 2, 4 * factor - 1)
    assert torch.allclose(upsample_centred(maps, factor, size), expected[:, :, : size[0], : size[1]])


@pytest.mark.parametrize("factor", [2, 4])
def test_from_corner_equals_torch_with_aligned_corners(factor):
    maps = torch.randn(2, 3, 5, 6, dtype=torch.float64)
    size = (factor * 4 + 1, factor * 5 + 1)
    expected = functional.interpolate(maps, size=size, mode="bilinear", align_corners=True)
    assert torch.allclose(upsample_from_corner(maps, factor, size), expected)


def test_from_corner_by_hand():
    maps = torch.tensor([[[[0.0, 4.0]]]])
    assert upsample_from_corner(maps, 4, (1, 7)).tolist() == [[[[0, 1, 2, 3, 4, 4, 4]]]]


def test_gradients_equal_those_of_torch():
    maps = torch.randn(1, 2, 3, 5, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(1, 2, 24, 40, dtype=torch.float64)
    (ours,) = torch.autograd.grad((upsample_centred(maps, 8, (24, 40)) * weights).sum(), maps)
    whole = functional.interpolate(maps, scale_factor=8, mode="bilinear", align_corners=False)
    (theirs,) = torch.autograd.grad((whole * weights).sum(), maps)
    assert torch.allclose(ours, theirs)


@pytest.mark.parametrize("factor", [2, 8, 16])
def test_the_learnt_one_starts_as_the_fixed_one_away_from_the_border(factor):
    maps, size = torch.randn(1, 3, 4, 5), (4 * factor, 5 * factor)
    layer = LearntUpsamplingBy(3, factor)
    assert layer.deconv.kernel_size == (2 * factor, 2 * factor)
    inside = (..., slice(factor, -factor), slice(factor, -factor))
    with torch.no_grad():
        assert torch.allclose(layer(maps, size)[inside], upsample_centred(maps, factor, size)[inside], atol=1e-5)


def test_crop_to_refuses_to_invent_rows():
    assert crop_to(torch.zeros(1, 1, 48, 64), (45, 60)).shape == (1, 1, 45, 60)
    with pytest.raises(AssertionError):
        crop_to(torch.zeros(1, 1, 44, 64), (45, 60))


@pytest.mark.parametrize("kernel_size", [2, 3, 4])
def test_transposed_convolutions_keep_the_variance_that_he_intends(kernel_size):
    torch.manual_seed(0)
    layer = transposed_conv(64, 64, kernel_size, stride=2, bias=True)
    assert not layer.bias.any()
    with torch.no_grad():
        spread = layer(torch.randn(2, 64, 24, 24))[:, :, 4:-4, 4:-4].var()
    assert float(spread) == pytest.approx(2, rel=0.1)
