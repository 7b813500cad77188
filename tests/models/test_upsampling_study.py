"""The six ways up: equal but for the step, whose arithmetic is checked by hand."""

import pytest
import torch
from torch import nn

from bench.profiling.cost import forward_flops, parameter_count
from models import MODELS
from models.upsampling_study import MaxUnpooling, Nearest, SubPixel, Transposed

WEIGHTS = {  # of the learnt layer of one step
    "upsampling_max_unpooling": 9 * 64 * 64,
    "upsampling_transposed_4": 16 * 64 * 64,
    "upsampling_transposed_3": 9 * 64 * 64,
    "upsampling_nearest": 9 * 64 * 64,
    "upsampling_bilinear": 9 * 64 * 64,
    "upsampling_sub_pixel": 9 * 64 * 256,
}


def on_meta(name):
    with torch.device("meta"):
        return MODELS[name](11)


@pytest.mark.parametrize("name", WEIGHTS)
def test_parameters(name):
    encoder = 49 * 64 * (3 + 3 * 64) + 4 * 2 * 64
    assert parameter_count(on_meta(name)) == encoder + 4 * (WEIGHTS[name] + 2 * 64) + 64 * 11 + 11


def test_all_are_registered():
    assert [name for name in MODELS if name.startswith("upsampling_")] == list(WEIGHTS)


def test_convolutions_of_3x3_cost_the_same_before_and_after_rearranging():
    flops = {name: forward_flops(on_meta(name), 96, 128) for name in WEIGHTS}
    assert len({flops[f"upsampling_{way}"] for way in ("max_unpooling", "nearest", "bilinear", "sub_pixel")}) == 1
    assert flops["upsampling_transposed_3"] < flops["upsampling_transposed_4"] < flops["upsampling_nearest"]


@pytest.mark.parametrize("name", WEIGHTS)
def test_only_unpooling_takes_anything_from_the_encoder(name):
    kept = MODELS[name].ENCODER_INFORMATION
    assert kept == (("indices",) if name == "upsampling_max_unpooling" else ())


def step_on(step, maps, size, indices=None):
    with torch.no_grad():
        return step(maps, torch.empty(0) if indices is None else indices, size)


def identity(step):
    """Makes a 3x3 convolution pass every map through."""
    nn.init.dirac_(step.layer.weight)
    return step


def test_nearest_repeats_values_and_crops():
    maps = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).expand(1, 64, 2, 2)
    assert step_on(identity(Nearest()), maps, (3, 4))[0, 5].tolist() == [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4]]


def test_max_unpooling_puts_values_back():
    maps, indices = torch.full((1, 64, 1, 1), 7.0), torch.full((1, 64, 1, 1), 2)
    assert step_on(identity(MaxUnpooling()), maps, (2, 2), indices)[0, 0].tolist() == [[0, 0], [7, 0]]


def test_sub_pixel_lays_four_channels_out_as_a_cell():
    step = SubPixel()
    nn.init.zeros_(step.layer.weight)
    with torch.no_grad():
        for channel in range(4):  # the first output map: its cell holds 1 2 / 3 4 times the first input
            step.layer.weight[channel, 0, 1, 1] = channel + 1
    maps = torch.zeros(1, 64, 1, 2)
    maps[0, 0] = torch.tensor([[1.0, 10.0]])
    assert step_on(step, maps, (2, 3))[0, 0].tolist() == [[1, 2, 10], [3, 4, 30]]


@pytest.mark.parametrize(("kernel", "counts"), [(3, {1, 2, 4}), (4, {4})])
def test_overlaps_of_transposed_kernels(kernel, counts):
    """How many kernel positions reach an output value, away from the border; the pattern starts alike for all sizes."""
    step = Transposed(kernel)
    nn.init.constant_(step.layer.weight, 1 / 64)
    even, odd = (step_on(step, torch.ones(1, 64, 6, 6), size)[0, 0] for size in ((12, 12), (11, 11)))
    assert set(even[2:-2, 2:-2].round().int().flatten().tolist()) == counts
    assert torch.equal(even[:11, :11], odd)
