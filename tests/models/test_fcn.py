"""FCN: counts derived by hand, Table 6's size, and what each variant adds and learns."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from bench.profiling.cost import model_size_mb, parameter_count
from models.fcn import FCN, FCN8s, FCN16s, FCN32s, FCNLearntDeconv

CONVOLUTIONS = 14_714_688  # VGG16's 13, with biases
FC6, FC7 = 512 * 49 * 4096, 4096 * 4096


def on_meta(cls, num_classes):
    with torch.device("meta"):
        return cls(num_classes)


@pytest.mark.parametrize(
    ("cls", "scored", "learnt"),
    [(FCN32s, 4096, 0), (FCN16s, 4096 + 512, 1), (FCN8s, 4096 + 512 + 256, 2)],
)
def test_published_parameters(cls, scored, learnt):
    classes = 21
    scores = scored * classes + (1 + learnt) * classes
    expected = CONVOLUTIONS + FC6 + 4096 + FC7 + 4096 + scores + learnt * 16 * classes**2
    assert parameter_count(on_meta(cls, classes)) == expected
    assert expected / 1e6 == pytest.approx(134, abs=0.5)  # printed by Long et al.


@pytest.mark.parametrize("classes", [11, 37])
def test_parameters_of_the_benchmark(classes):
    """Batch norm has scale and shift where the published networks have a bias."""
    scores = (4096 + 512 + 256) * classes
    fixed = CONVOLUTIONS + 4224 + FC6 + FC7 + 4 * 4096 + scores + 3 * 2 * classes
    assert parameter_count(on_meta(FCN, classes)) == fixed
    learnt = (16 + 16 + 256) * classes**2 + 3 * 2 * classes
    assert parameter_count(on_meta(FCNLearntDeconv, classes)) == fixed + learnt


@pytest.mark.parametrize("classes", [11, 37])
@pytest.mark.parametrize("cls", [FCN, FCNLearntDeconv])
def test_model_size_is_that_of_table_6(cls, classes):
    assert model_size_mb(on_meta(cls, classes)) == pytest.approx(539, rel=0.01)


def test_model_size_with_37_classes_is_the_printed_one():
    assert int(model_size_mb(on_meta(FCNLearntDeconv, 37))) == 539


@pytest.mark.parametrize("cls", [FCN, FCNLearntDeconv, FCN32s, FCN16s, FCN8s])
def test_sizes_at_360x480(cls):
    model = on_meta(cls, 11)
    shapes = {}
    for name, module in model.named_children():
        module.register_forward_hook(lambda _, __, output, name=name: shapes.update({name: tuple(output.shape[1:])}))
    assert model(torch.zeros(2, 3, 360, 480, device="meta")).shape == (2, 11, 360, 480)
    assert shapes["fc6"] == shapes["fc7"] == (4096, 12, 15)
    assert shapes["score_fc7"] == (11, 12, 15)
    if hasattr(model, "score_pool4"):
        assert shapes["score_pool4"] == (11, 23, 30)
    if hasattr(model, "score_pool3"):
        assert shapes["score_pool3"] == (11, 45, 60)


def test_batch_norm_follows_every_convolution_of_the_benchmark_and_none_of_the_published():
    def layers(cls, kinds):
        return sum(isinstance(module, kinds) for module in on_meta(cls, 11).modules())

    convolutions = (nn.Conv2d, nn.ConvTranspose2d)
    assert layers(FCN, nn.BatchNorm2d) == layers(FCN, convolutions) == 18
    assert layers(FCNLearntDeconv, nn.BatchNorm2d) == layers(FCNLearntDeconv, convolutions) == 21
    assert [layers(cls, nn.BatchNorm2d) for cls in (FCN32s, FCN16s, FCN8s)] == [0, 0, 0]


class Given(nn.Module):
    """Stands for a part of the network and returns what it is given."""

    def __init__(self, maps):
        super().__init__()
        self.maps = maps

    def forward(self, _):
        return self.maps


def with_scores(cls):
    """Returns a network with given scores at 1/32, 1/16 and 1/8 of 45x60, and the scores."""
    maps = [torch.randn(1, 3, *size) for size in ((2, 2), (3, 4), (6, 8))]
    model = on_meta(cls, 3).eval()
    stub = nn.Sequential()  # passes the images on, so that only the poolings remain of the encoder
    model.encoder = nn.ModuleList(stub for _ in range(5))
    model.fc6 = model.fc7 = stub
    for name, given in zip(("score_fc7", "score_pool4", "score_pool3"), maps, strict=True):
        if hasattr(model, name):
            setattr(model, name, Given(given))
    return model, maps


def enlarged(maps, factor, size):
    whole = functional.interpolate(maps, scale_factor=factor, mode="bilinear", align_corners=False)
    return whole[:, :, : size[0], : size[1]]


def test_fcn_adds_scores_of_pool4_and_pool3():
    model, (deep, middle, fine) = with_scores(FCN)
    expected = enlarged(enlarged(enlarged(deep, 2, (3, 4)) + middle, 2, (6, 8)) + fine, 8, (45, 60))
    assert torch.allclose(model(torch.zeros(1, 3, 45, 60)), expected, atol=1e-5)


def test_fcn_32s_upsamples_the_deepest_scores_alone():
    model, (deep, _, _) = with_scores(FCN32s)
    assert torch.allclose(model(torch.zeros(1, 3, 45, 60)), enlarged(deep, 32, (45, 60)), atol=1e-5)


def test_published_scores_start_at_zero_and_upsampling_between_them_as_bilinear(monkeypatch):
    monkeypatch.setattr("models.fcn.FC_CHANNELS", 8)  # quick to build
    model = FCN8s(3).eval()
    with torch.no_grad():
        assert not model(torch.randn(1, 3, 33, 40)).any()
    zero = [name for name, parameter in model.named_parameters() if parameter.ndim == 4 and not parameter.any()]
    assert zero == ["score_fc7.weight", "score_pool4.weight", "score_pool3.weight"]
    kernel = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 4
    assert torch.allclose(model.upsamplings[1].deconv.weight[2, 2], kernel[:, None] * kernel[None, :])
