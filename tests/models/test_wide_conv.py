"""A wide convolution as a matrix product is the convolution: values and gradients."""

import pytest
import torch
from torch import nn

from models.wide_conv import WideConvTranspose2d, wide_conv


def gradients(layer: nn.Module, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
    images = images.detach().clone().requires_grad_()
    values = layer(images)
    (values * torch.linspace(-1, 1, values.numel()).view(values.shape)).sum().backward()
    return values.detach(), images.grad, *(parameter.grad for parameter in layer.parameters())


def same(ours: nn.Module, theirs: nn.Module, images: torch.Tensor) -> None:
    theirs.load_state_dict(ours.state_dict())
    for found, expected in zip(gradients(ours, images), gradients(theirs, images), strict=True):
        assert found.shape == expected.shape
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(
    ("kernel", "padding"), [((7, 7), (3, 3)), ((3, 5), (0, 0)), ((1, 1), (0, 0)), ((3, 3), (1, 2))]
)
@pytest.mark.parametrize("bias", [False, True])
def test_a_wide_convolution_is_a_convolution(layout, kernel, padding, bias):
    torch.manual_seed(0)
    ours = wide_conv(6, 4, kernel, padding=padding, bias=bias)
    if bias:
        nn.init.normal_(ours.bias)
    theirs = nn.Conv2d(6, 4, kernel, padding=padding, bias=bias)
    images = torch.randn(2, 6, 3, 5).to(memory_format=layout)
    same(ours.to(memory_format=layout), theirs.to(memory_format=layout), images)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_spreading_convolution_is_a_transposed_one(layout):
    torch.manual_seed(0)
    ours, theirs = (build(6, 4, (3, 5), bias=False) for build in (WideConvTranspose2d, nn.ConvTranspose2d))
    same(ours.to(memory_format=layout), theirs.to(memory_format=layout), torch.randn(2, 6, 1, 1))
