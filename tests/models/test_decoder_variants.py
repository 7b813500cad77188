"""The eight variants: parameter counts, sizes, what their decoders see."""

import pytest
import torch
from torch import nn

from models import MODELS
from models.blocks import Encoder

# Weights of convolutions alone, for 11 classes: derived by hand from the layer tables of the paper's §3.
WEIGHTS = {
    "bilinear_interpolation": 612_224,
    "segnet_basic": 1_415_040,
    "segnet_basic_encoder_addition": 1_415_040,
    "segnet_basic_single_channel_decoder": 624_768,
    "fcn_basic": 645_312,
    "fcn_basic_no_addition": 643_200,
    "fcn_basic_no_dim_reduction": 1_660_800,
    "fcn_basic_no_addition_no_dim_reduction": 1_660_800,
}
PRINTED_MILLIONS = {
    "bilinear_interpolation": 0.625,
    "segnet_basic": 1.425,
    "segnet_basic_encoder_addition": 1.425,
    "segnet_basic_single_channel_decoder": 0.625,
    "fcn_basic": 0.65,
    "fcn_basic_no_addition": 0.65,
    "fcn_basic_no_dim_reduction": 1.625,
    "fcn_basic_no_addition_no_dim_reduction": 1.625,
}
all_models = pytest.mark.parametrize("name", WEIGHTS)


@all_models
def test_weights_equal_the_derived_count(name):
    weights = sum(parameter.numel() for parameter in MODELS[name](11).parameters() if parameter.ndim == 4)
    assert weights == WEIGHTS[name]


@all_models
def test_parameters_are_within_three_percent_of_table_1(name):
    parameters = sum(parameter.numel() for parameter in MODELS[name](11).parameters())
    assert parameters / 1e6 == pytest.approx(PRINTED_MILLIONS[name], rel=0.03)


@all_models
@pytest.mark.parametrize("size", [(16, 16), (45, 60), (37, 51), (17, 97)])
def test_logits_have_the_size_of_the_images(name, size):
    images = torch.randn(2, 3, *size)
    assert MODELS[name](5).eval()(images).shape == (2, 5, *size)


@all_models
def test_every_parameter_gets_a_gradient(name):
    model = MODELS[name](4)
    model(torch.randn(2, 3, 21, 34)).square().mean().backward()
    without = [key for key, parameter in model.named_parameters() if parameter.grad is None or not parameter.grad.any()]
    assert without == []


@all_models
def test_strict_determinism_forbids_nothing(name):
    torch.use_deterministic_algorithms(True)
    try:
        MODELS[name](3)(torch.randn(1, 3, 18, 22)).sum().backward()
    finally:
        torch.use_deterministic_algorithms(False)


def test_encoder_sizes_are_those_of_the_paper():
    pooled, indices, sizes = Encoder().eval()(torch.zeros(1, 3, 360, 480))
    assert [tuple(maps.shape[2:]) for maps in pooled] == [(180, 240), (90, 120), (45, 60), (23, 30)]
    assert sizes == [(360, 480), (180, 240), (90, 120), (45, 60)]
    assert indices[0].dtype == torch.int64


def test_receptive_field_of_the_encoder_is_106_pixels():
    """An input pixel reaches a pooled unit of stage 4 exactly within the 106x106 window of the paper's §3.1."""
    encoder = Encoder().eval()
    images = torch.randn(1, 3, 240, 240, requires_grad=True)
    pooled, _, _ = encoder(images)
    # sum over channels: single channels can be shut by their ReLU, and pooling passes one of four positions on,
    # so the union over many inputs is what counts
    seen = torch.zeros(240, 240, dtype=torch.bool)
    for seed in range(12):
        images = torch.randn(1, 3, 240, 240, generator=torch.Generator().manual_seed(seed), requires_grad=True)
        pooled, _, _ = encoder(images)
        pooled[3][0, :, 7, 7].sum().backward()
        seen |= images.grad[0].abs().sum(0) > 0
    rows = torch.nonzero(seen.any(1)).flatten()
    assert 100 <= int(rows[-1] - rows[0]) + 1 <= 106


def test_segnet_decoders_have_no_relu():
    for name in ("segnet_basic", "segnet_basic_encoder_addition", "segnet_basic_single_channel_decoder"):
        assert not any(isinstance(module, nn.ReLU) for module in MODELS[name](11).decoders.modules())


def test_single_channel_decoder_keeps_channels_apart():
    decoder = MODELS["segnet_basic_single_channel_decoder"](11).decoders[0][0]
    maps = torch.zeros(1, 64, 9, 9)
    maps[0, 5] = 1
    reached = decoder(maps)[0].abs().sum((1, 2)).nonzero().flatten().tolist()
    assert reached == [5]


@pytest.mark.parametrize(
    ("name", "uses"),
    [
        ("segnet_basic", False),
        ("segnet_basic_encoder_addition", True),
        ("fcn_basic", True),
        ("fcn_basic_no_addition", False),
        ("fcn_basic_no_dim_reduction", True),
        ("fcn_basic_no_addition_no_dim_reduction", False),
        ("bilinear_interpolation", False),
    ],
)
def test_only_additions_carry_encoder_maps_to_the_decoder(name, uses, monkeypatch):
    """With the deepest map held fixed, changing the shallower maps changes the logits only where they are added."""
    model = MODELS[name](3).eval()
    pooled, indices, sizes = model.encoder(torch.randn(1, 3, 32, 32))
    changed = [maps + 1 for maps in pooled[:-1]] + [pooled[-1]]
    monkeypatch.setattr(model.encoder, "forward", lambda _: (pooled, indices, sizes))
    before = model(torch.zeros(1, 3, 32, 32))
    monkeypatch.setattr(model.encoder, "forward", lambda _: (changed, indices, sizes))
    after = model(torch.zeros(1, 3, 32, 32))
    assert torch.equal(before, after) is not uses
