"""DeconvNet: the kernel over the whole pool5 map, its counts, and the ablation without it."""

import pytest
import torch
from torch import nn

from bench.profiling.cost import model_size_mb, parameter_count
from models import MODELS
from models.deconvnet import DeconvNet, DeconvNetNoFC

WHOLE_MAP = 12 * 15  # positions of pool5 at 360x480


def on_meta(cls, *arguments):
    with torch.device("meta"):
        return cls(*arguments)


@pytest.mark.parametrize("num_classes", [11, 37])
def test_model_size_is_that_of_table_6(num_classes):
    assert int(model_size_mb(on_meta(DeconvNet, num_classes))) == 877


def test_the_fully_connected_layers_are_the_whole_difference():
    layers = 2 * 512 * WHOLE_MAP * 1024 + 1024 * 1024
    norms = 2 * (1024 + 1024 + 512)
    difference = parameter_count(on_meta(DeconvNet, 11)) - parameter_count(on_meta(DeconvNetNoFC, 11))
    assert difference == layers + norms == 189_797_376


def test_parameters_without_the_fully_connected_layers():
    """SegNet's, one more convolution 64-64 with its norm, and a 1x1 classifier in place of 3x3."""
    segnet = parameter_count(on_meta(MODELS["segnet"], 11))
    assert parameter_count(on_meta(DeconvNetNoFC, 11)) == segnet + 64 * 64 * 9 + 2 * 64 - 64 * 8 * 11


@pytest.mark.parametrize(
    ("size", "kernel"), [((360, 480), (12, 15)), ((90, 120), (3, 4)), ((60, 80), (2, 3)), ((33, 17), (2, 1))]
)
def test_the_kernels_cover_pool5(size, kernel):
    model = on_meta(DeconvNet, 11, size)
    assert model.fc6[0].kernel_size == model.fc6_deconv[0].kernel_size == kernel
    shapes = []
    for part in (model.fc6, model.fc7, model.fc6_deconv):
        part.register_forward_hook(lambda _, __, output: shapes.append(tuple(output.shape[1:])))
    assert model(torch.zeros(2, 3, *size, device="meta")).shape == (2, 11, *size)
    assert shapes == [(1024, 1, 1), (1024, 1, 1), (512, *kernel)]


def test_the_size_has_a_default():
    assert DeconvNet.BUILT_FOR_SIZE
    assert on_meta(MODELS["deconvnet"], 11).size == (360, 480)


@pytest.fixture(scope="module")
def small():
    return DeconvNet(3, (33, 40))


def test_other_sizes_are_refused_in_one_line(small):
    message = (
        r"built for images of 33x40 pixels, got 33x41: its fc6 spans the whole pool5 map; "
        r"build DeconvNet\(num_classes, size=\(33, 41\)\)"
    )
    with pytest.raises(ValueError, match=message):
        small.eval()(torch.zeros(1, 3, 33, 41))


def test_a_batch_of_one_cannot_be_trained_on_and_can_be_evaluated(small):
    images = torch.randn(1, 3, 33, 40)
    with torch.no_grad():
        assert small.eval()(images).shape == (1, 3, 33, 40)
    with pytest.raises(ValueError, match="cannot be trained on a batch of one image of 33x40 pixels"):
        small.train()(images)


def test_both_unpool_with_indices_and_have_one_convolution_more_than_segnet():
    for cls in (DeconvNet, DeconvNetNoFC):
        model = on_meta(cls, 11)
        assert cls.ENCODER_INFORMATION == ("indices",)
        assert sum(isinstance(module, nn.Conv2d) for module in model.decoders.modules()) == 13
        assert model.classifier.kernel_size == (1, 1)
