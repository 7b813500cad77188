"""VGG16's convolutions: the table, and loading of torchvision's weights with every way in which they may not fit."""

import pytest
import torch
import torchvision
from torch import nn

from bench.study.catalog import VGG16_MODELS
from models import MODELS
from models.fcn import FCN
from models.hypercolumns import Hypercolumns
from models.segnet_basic import SegNetBasic
from models.unet import UNet
from models.vgg16 import (
    STAGES,
    TORCHVISION_LAYERS,
    biased_stages,
    has_vgg16_classifier,
    load_vgg16,
    normalised_stages,
    pool,
)


def torchvision_shapes():
    with torch.device("meta"):
        return {key: tuple(value.shape) for key, value in torchvision.models.vgg16(weights=None).state_dict().items()}


def torchvision_features(state):
    """torchvision's 13 convolutions, ReLUs and poolings with these weights."""
    with torch.device("meta"):
        features = torchvision.models.vgg16(weights=None).features
    features.load_state_dict({key.removeprefix("features."): value for key, value in state.items()}, assign=True)
    return features


@pytest.fixture(scope="module")
def state():
    """Random weights under the names and shapes of torchvision's vgg16, the convolutions alone."""
    generator = torch.Generator().manual_seed(0)
    shapes = {key: shape for key, shape in torchvision_shapes().items() if key.startswith("features.")}
    return {key: 0.05 * torch.randn(shape, generator=generator) for key, shape in shapes.items()}


class Published(nn.Module):
    """The encoder with biases alone, run like torchvision's `features`."""

    def __init__(self):
        super().__init__()
        self.encoder = biased_stages()

    def forward(self, images):
        for stage in self.encoder:
            images = pool(stage(images))
        return images


def test_parameters():
    with torch.device("meta"):
        assert sum(parameter.numel() for parameter in biased_stages().parameters()) == 14_714_688
        convolutions = [layer for layer in normalised_stages().modules() if isinstance(layer, nn.Conv2d)]
    assert len(convolutions) == sum(len(widths) for widths in STAGES) == len(TORCHVISION_LAYERS) == 13
    assert sum(layer.weight.numel() for layer in convolutions) == 14_714_688 - 4224


def test_loaded_networks_compute_what_torchvision_computes(state):
    features = torchvision_features(state)
    model = Published()
    load_vgg16(model, state)
    images = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        expected = features(images)
        assert expected.any()
        assert torch.allclose(model(images), expected, rtol=1e-4, atol=1e-6)


def test_before_batch_norm_weights_are_taken_and_biases_are_not(state):
    model = Hypercolumns(3)
    names = {name for name, _ in model.named_parameters()}
    load_vgg16(model, state)
    assert torch.equal(model.encoder[0][0][0].weight, state["features.0.weight"])
    assert torch.equal(model.encoder[4][2][0].weight, state["features.28.weight"])
    assert {name for name, _ in model.named_parameters()} == names
    assert not any(isinstance(layer, nn.Conv2d) and layer.bias is not None for layer in model.encoder.modules())


def test_a_bias_before_batch_norm_would_change_nothing(state):
    """In training, that is: the reason why it may go nowhere."""
    weight, bias = state["features.0.weight"], state["features.0.bias"]
    norm = nn.BatchNorm2d(64)
    images = torch.randn(2, 3, 12, 12)
    with torch.no_grad():
        without, biased = (norm(nn.functional.conv2d(images, weight, b)) for b in (None, 100 * bias))
    assert torch.allclose(without, biased, atol=1e-4)


@pytest.fixture
def model():
    with torch.device("meta"):
        return Published()


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (
            lambda s: s.pop("features.5.weight"),
            "layer 'features.5.weight' is missing in the VGG16 weights, which have 25",
        ),
        (lambda s: s.clear(), "layer 'features.0.weight' is missing .* which have 0 entries; .*torchvision's vgg16"),
        (
            lambda s: s.update({"features.7.weight": torch.zeros(64, 128, 3, 3)}),
            r"layer 'features.7.weight' .* has shape \(64, 128, 3, 3\), Published needs \(128, 128, 3, 3\)",
        ),
        (
            lambda s: s.update({"features.28.bias": torch.full((512,), float("nan"))}),
            "layer 'features.28.bias' of the VGG16 weights has a value that is not finite",
        ),
    ],
)
def test_the_first_layer_that_does_not_fit_is_named(state, model, harm, message):
    harmed = dict(state)
    harm(harmed)
    with pytest.raises(ValueError, match=message):
        load_vgg16(model, harmed)


@pytest.mark.parametrize(
    ("other", "layer"),
    [("vgg16_bn", "features.2.weight"), ("vgg19", "features.17.weight"), ("vgg13", "features.14.weight")],
)
def test_weights_of_a_relative_are_refused(model, other, layer):
    with torch.device("meta"):
        shapes = {
            key: value.shape for key, value in getattr(torchvision.models, other)(weights=None).state_dict().items()
        }
    state = {key: torch.zeros(()).expand(shape) for key, shape in shapes.items()}
    with pytest.raises(ValueError, match=f"layer '{layer}' is missing"):
        load_vgg16(model, state)


def test_nothing_is_loaded_when_the_last_layer_does_not_fit(state):
    model = Published()
    before = model.encoder[0][0].weight.clone()
    with pytest.raises(ValueError, match=r"features\.28\.weight"):
        load_vgg16(model, state | {"features.28.weight": torch.zeros(1)})
    assert torch.equal(model.encoder[0][0].weight, before)


@pytest.mark.parametrize("cls", [SegNetBasic, UNet])
def test_networks_without_this_encoder_are_named(cls, state):
    with torch.device("meta"):
        model = cls(3)
    with pytest.raises(ValueError, match=f"{cls.__name__} has no VGG16 encoder to load weights into"):
        load_vgg16(model, state)


class WithFC(Published):
    """Published, with narrow fc6 and fc7."""

    def __init__(self):
        super().__init__()
        self.fc6 = nn.Sequential(nn.Conv2d(512, 4, 7), nn.ReLU())
        self.fc7 = nn.Sequential(nn.Conv2d(4, 5, 1), nn.ReLU())


def test_fully_connected_layers_become_convolutions_over_their_whole_input(state):
    fc6, fc7 = torch.randn(4, 512 * 49), torch.randn(5, 4)
    biases = {"classifier.0.bias": torch.randn(4), "classifier.3.bias": torch.randn(5)}
    model = WithFC()
    load_vgg16(
        model, state | {"classifier.0.weight": fc6, "classifier.3.weight": fc7} | biases, include_classifier=True
    )
    maps = torch.randn(1, 512, 7, 7)
    with torch.no_grad():
        hidden = (fc6 @ maps.flatten() + biases["classifier.0.bias"]).relu()
        expected = (fc7 @ hidden + biases["classifier.3.bias"]).relu()
        assert torch.allclose(model.fc7(model.fc6(maps)).flatten(), expected, atol=1e-3)


def test_fcn_takes_the_classifier_of_torchvision(state):
    shapes = {key: shape for key, shape in torchvision_shapes().items() if key.startswith("classifier.")}
    with torch.device("meta"):
        model = FCN(3)
    load_vgg16(
        model, state | {key: torch.zeros(1).expand(shape) for key, shape in shapes.items()}, include_classifier=True
    )


def test_a_classifier_that_does_not_fit_is_named(state):
    with torch.device("meta"):
        narrow, none = WithFC(), Published()
    wide = {"classifier.0.weight": torch.zeros(1).expand(4096, 25088), "classifier.0.bias": torch.zeros(4096)}
    message = r"'classifier.0.weight' .* has shape \(4096, 25088\), WithFC needs \(4, 512, 7, 7\) or \(4, 25088\)"
    with pytest.raises(ValueError, match=message):
        load_vgg16(narrow, state | wide, include_classifier=True)
    with pytest.raises(ValueError, match=r"Published has no fc6 for 'classifier.0'; load without the classifier"):
        load_vgg16(none, state | wide, include_classifier=True)


FCN_FAMILY = ["fcn", "fcn_learnt_deconv", "fcn_32s", "fcn_16s", "fcn_8s"]


def without_values(name):
    with torch.device("meta"):
        return MODELS[name](3)


@pytest.mark.parametrize("name", MODELS)
def test_the_catalog_names_the_models_that_take_these_weights(name):
    shapes = {key: shape for key, shape in torchvision_shapes().items() if key.startswith("features.")}
    state = {key: torch.zeros(()).expand(shape) for key, shape in shapes.items()}
    model = without_values(name)
    assert has_vgg16_classifier(model) is (name in FCN_FAMILY)
    if name in VGG16_MODELS:
        load_vgg16(model, state)
    else:
        with pytest.raises(ValueError, match="has no VGG16 encoder"):
            load_vgg16(model, state)


@pytest.mark.parametrize("name", VGG16_MODELS)
def test_each_encoder_computes_what_torchvision_computes(name, state):
    """With a batch norm that does nothing, where the biases are zero that it leaves out."""
    model = without_values(name)
    encoder = model.encoder.to_empty(device="cpu").eval()
    norms = [layer for layer in encoder.modules() if isinstance(layer, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        nn.init.ones_(norm.weight)
        nn.init.zeros_(norm.bias)
    state = {key: torch.zeros_like(values) if norms and "bias" in key else values for key, values in state.items()}
    load_vgg16(model, state)
    for layer in encoder.modules():
        if isinstance(layer, nn.Conv2d):
            layer.padding = layer.dilation = (1, 1)  # DeepLab's are atrous
    images = features = torch.randn(1, 3, 32, 64)
    with torch.no_grad():
        for stage in encoder:
            features = pool(stage(features))
        expected = torchvision_features(state)(images)
    assert expected.any()
    assert torch.allclose(features, expected, rtol=1e-4, atol=1e-6)
