"""Counts checked by hand, and against the paper's."""

import pytest
import torch
from torch import nn

from bench.profiling import cost
from models import MODELS


def test_parameters_and_size_of_a_small_network():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    assert cost.parameter_count(model) == 3 * 4 * 9 + 4 + 4 + 4
    # parameters, and running mean and variance; the counter of batches is no weight
    assert cost.model_size_mb(model) == pytest.approx((112 + 8 + 8) * 4 / 1e6)


def test_frozen_parameters_are_not_learnable():
    model = nn.Conv2d(1, 1, 3)
    model.bias.requires_grad_(False)
    assert cost.parameter_count(model) == 9


def test_flops_count_a_multiply_add_as_two():
    model = nn.Conv2d(3, 5, 3, padding=1, bias=False)
    assert cost.forward_flops(model, 8, 10) == 2 * 8 * 10 * 3 * 5 * 9


def test_segnet_basic_needs_about_60_billion_multiply_adds_at_full_size():
    with torch.device("meta"):
        model = MODELS["segnet_basic"](11)
    assert cost.forward_flops(model, 360, 480) / 2 == pytest.approx(60e9, rel=0.15)


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("bilinear_interpolation", 0),
        ("segnet_basic", 1),
        ("segnet_basic_encoder_addition", 64),
        ("segnet_basic_single_channel_decoder", 1),
        ("fcn_basic", 11),
        ("fcn_basic_no_addition", 0),  # printed as n/a
        ("fcn_basic_no_dim_reduction", 64),
        ("fcn_basic_no_addition_no_dim_reduction", 0),
    ],
)
def test_storage_multiplier_is_the_printed_one(name, printed):
    assert cost.storage_multiplier(MODELS[name].ENCODER_INFORMATION, 11) == printed


def test_real_bytes_correct_the_paper():
    """At one resolution reduced maps take 2.75 times the indices, not 11 times; MB as the paper counts them."""

    def mb(kind):
        return cost.stored_encoder_mib((kind,), 11, 360, 480) * 2**20 / 1e6

    assert mb("full_maps") == pytest.approx(11.059, abs=1e-3)
    assert mb("reduced_maps") == pytest.approx(1.901, abs=1e-3)
    assert mb("indices") == pytest.approx(0.691, abs=1e-3)
    assert mb("reduced_maps") / mb("indices") == pytest.approx(2.75)
