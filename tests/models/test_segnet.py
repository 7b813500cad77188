"""SegNet: layer table, counts, what its decoder is made of."""

import pytest
import torch
from torch import nn

from bench.profiling.cost import model_size_mb, parameter_count
from models.segnet import SegNet
from models.vgg16 import encode_with_indices


def on_meta(num_classes):
    with torch.device("meta"):
        return SegNet(num_classes)


def test_parameters():
    """26 convolutions with one shift per channel and the classifier's bias, as counted from the released files."""
    model = on_meta(11)
    weights = [parameter.numel() for parameter in model.parameters() if parameter.ndim == 4]
    shifts = [parameter.numel() for name, parameter in model.named_parameters() if name.endswith("bias")]
    assert len(weights) == 26
    assert sum(weights) + sum(shifts) == 29_433_483
    # channels of batch norm: 2*64 + 2*128 + 3*256 + 6*512 in the encoder, 5*512 + 3*256 + 2*128 + 2*64 in the decoder
    assert parameter_count(model) == 29_433_483 + 4224 + 3712


@pytest.mark.parametrize("num_classes", [11, 37])
def test_model_size_is_that_of_table_6(num_classes):
    assert model_size_mb(on_meta(num_classes)) == pytest.approx(117, rel=0.01)
    assert model_size_mb(on_meta(num_classes)) == pytest.approx(117.8, abs=0.1)


def test_sizes_at_360x480_are_those_of_the_layer_table():
    model = on_meta(11)
    pool5, indices, sizes = encode_with_indices(
        model.encoder, model.dropout, torch.zeros(1, 3, 360, 480, device="meta")
    )
    assert pool5.shape == (1, 512, 12, 15)
    assert sizes == [(360, 480), (180, 240), (90, 120), (45, 60), (23, 30)]
    assert [index.shape[1] for index in indices] == [64, 128, 256, 512, 512]


def test_every_convolution_has_batch_norm_and_relu_but_the_last():
    model = on_meta(11)
    for part in (model.encoder, model.decoders):
        kinds = [type(module) for module in part.modules() if not list(module.children())]
        assert kinds == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU] * (len(kinds) // 3)
    assert isinstance(model.classifier, nn.Conv2d)
    assert (model.classifier.kernel_size, model.classifier.out_channels) == ((3, 3), 11)
    biased = [
        name for name, module in model.named_modules() if isinstance(module, nn.Conv2d) and module.bias is not None
    ]
    assert biased == ["classifier"]


def test_dropout_comes_three_times_in_the_encoder_and_three_times_in_the_decoder(monkeypatch):
    model = on_meta(11).train()
    seen = []
    monkeypatch.setattr(model.dropout, "forward", lambda maps: seen.append(tuple(maps.shape[1:])) or maps)
    model(torch.zeros(1, 3, 360, 480, device="meta"))
    assert seen == [(256, 45, 60), (512, 23, 30), (512, 12, 15), (512, 23, 30), (256, 45, 60), (128, 90, 120)]
