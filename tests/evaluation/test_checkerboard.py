"""The checkerboard measure on maps whose answer is known by hand, against a Fourier transform, and on layers."""

import numpy as np
import pytest
import torch
from torch import nn

from bench.evaluation.checkerboard import checkerboard_contrast, checkerboard_energy, local_checkerboard_energy
from models.blocks import bilinear_kernel
from models.upsampling_study import Nearest, Transposed

ROWS, COLUMNS = np.mgrid[:32, :48].astype(float)
BOARD = (-1.0) ** (ROWS + COLUMNS)
NOISE = np.random.default_rng(0).normal(size=(32, 48))


def test_a_checkerboard_is_all_pattern():
    assert checkerboard_energy(BOARD, 2) == 1
    assert checkerboard_energy(7 + 3 * BOARD, 2) == pytest.approx(1)
    assert checkerboard_energy(BOARD[None, None].repeat(3, 1), 2) == 1


def test_stripes_and_shorter_periods_count_too():
    assert checkerboard_energy((-1.0) ** ROWS, 2) == 1
    assert checkerboard_energy(BOARD, 4) == 1
    assert checkerboard_energy(ROWS % 4, 4) == pytest.approx(1)


def test_a_pattern_of_another_period_is_none():
    """Rows 0 0 1 1 0 0 1 1: in cells of two rows, even and odd rows have the same mean."""
    assert checkerboard_energy(ROWS // 2 % 2, 2) == 0


def test_a_ramp_has_the_energy_of_one_step():
    """Two columns in turns differ by 1, variance 1/4; 48 columns in a row have variance (48^2 - 1) / 12."""
    assert checkerboard_energy(COLUMNS, 2) == pytest.approx(0.25 / ((48**2 - 1) / 12))
    assert checkerboard_energy(COLUMNS, 2) < 0.0015


@pytest.mark.parametrize("maps", [np.full((8, 8), 5.0), np.zeros((8, 8)), np.float32(1) + 1e-7 * BOARD])
def test_constant_maps_have_none_rounding_included(maps):
    assert checkerboard_energy(maps, 2) == 0
    assert checkerboard_contrast(maps, 2) < 1e-6


def test_half_pattern_half_slow_wave():
    """Two waves of equal energy: the share is one half."""
    wave = np.sqrt(2) * np.sin(2 * np.pi * COLUMNS / 16)
    assert checkerboard_energy(BOARD + wave, 2) == pytest.approx(0.5)


@pytest.mark.parametrize("stride", [2, 4, 8])
def test_equals_the_fourier_transform_at_the_multiples_of_the_frequency(stride):
    energy = np.abs(np.fft.fft2(NOISE)) ** 2
    energy[0, 0] = 0
    at = energy[:: 32 // stride, :: 48 // stride].sum()
    assert checkerboard_energy(NOISE, stride) == pytest.approx(at / energy.sum())


def test_contrast_counts_the_constant():
    maps = np.where(BOARD > 0, 1.0, 3.0)  # mean square 5, deviation 1
    assert checkerboard_contrast(maps, 2) == pytest.approx(1 / np.sqrt(5))


def test_energies_are_summed_before_they_are_divided():
    """One map of pure pattern with energy 1, one of slow wave with energy 9."""
    wave = 3 * np.sqrt(2) * np.sin(2 * np.pi * COLUMNS / 16)
    assert checkerboard_energy(np.stack([BOARD, wave]), 2) == pytest.approx(0.1)


def test_the_margin_is_left_out():
    maps = BOARD.copy()
    maps[:3], maps[-3:], maps[:, :3], maps[:, -3:] = 50, -50, 20, 0
    assert checkerboard_energy(maps, 2) < 0.5
    assert checkerboard_energy(maps, 2, margin=3) == pytest.approx(1)


def test_a_pattern_that_changes_sign_shows_in_windows_only():
    maps = np.concatenate([BOARD[:, :24], -BOARD[:, 24:]], 1)
    assert checkerboard_energy(maps, 2) == 0
    assert local_checkerboard_energy(maps, 2, 8) == 1


def test_noise_in_windows_has_the_share_that_the_docstring_says():
    noise = np.random.default_rng(1).normal(size=(256, 256))
    assert local_checkerboard_energy(noise, 2, 16) == pytest.approx(3 / 255, rel=0.2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((BOARD, 1), "2 pixels or more, got a stride of 1"),
        ((BOARD[:3], 4), "maps of 3x48 pixels hold no cell of 4x4 inside a margin of 0"),
        ((np.full((4, 4), np.nan), 2), "values that are not finite"),
    ],
)
def test_what_cannot_be_measured(arguments, message):
    with pytest.raises(ValueError, match=message):
        checkerboard_energy(*arguments)


def test_margins_and_windows_that_cannot_be():
    with pytest.raises(ValueError, match="a margin is 0 pixels or more, got -1"):
        checkerboard_energy(BOARD, 2, margin=-1)
    with pytest.raises(ValueError, match="32x48 pixels hold no cell of 2x2 inside a margin of 16; use larger maps"):
        checkerboard_contrast(BOARD, 2, margin=16)
    with pytest.raises(
        ValueError, match="a window of 10 pixels does not hold whole cells of 4; use a multiple of 4 from 8"
    ):
        local_checkerboard_energy(BOARD, 4, 10)
    with pytest.raises(ValueError, match="hold no window of 64; use a smaller window"):
        local_checkerboard_energy(BOARD, 2, 64)


def on_a_constant_map(step: nn.Module) -> np.ndarray:
    maps = torch.ones(1, 64, 12, 14)
    with torch.no_grad():
        return step(maps, torch.empty(0), (24, 28)).numpy()


def test_kernels_that_the_stride_does_not_divide_leave_a_pattern_on_a_constant_map():
    """3x3 at stride 2 with equal weights: 1, 2 or 4 x 64 of them per value; 4x4: always 4 x 64. Before any training."""
    three, four = Transposed(3), Transposed(4)
    for step in (three, four):
        nn.init.constant_(step.layer.weight, 1 / 64)
    assert sorted(set(on_a_constant_map(three)[0, 0, 2:-2, 2:-2].ravel().round(4))) == [1, 2, 4]
    assert checkerboard_energy(on_a_constant_map(three), 2, margin=2) == pytest.approx(1)
    # 1, 2, 2 and 4: mean 9/4, mean square 25/4
    assert checkerboard_contrast(on_a_constant_map(three), 2, margin=2) == pytest.approx(np.sqrt(25 - 81 / 4) / 5)
    assert checkerboard_energy(on_a_constant_map(four), 2, margin=2) == 0


def test_random_kernels_against_a_bilinear_start_and_against_repetition():
    torch.manual_seed(0)
    random, bilinear, repeated = Transposed(3), Transposed(4), Nearest()
    with torch.no_grad():
        bilinear.layer.weight.zero_()
        bilinear.layer.weight[range(64), range(64)] = bilinear_kernel(4)
    assert checkerboard_contrast(on_a_constant_map(random), 2, margin=2) > 0.3
    assert checkerboard_contrast(on_a_constant_map(bilinear), 2, margin=2) < 1e-6
    assert checkerboard_contrast(on_a_constant_map(repeated), 2, margin=2) < 1e-6
