"""DeepLab-LargeFOV: the coarse map, the field of view, and the gap to Table 6."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from bench.profiling.cost import model_size_mb, parameter_count
from models.deeplab_largefov import DeepLabLargeFOV


def on_meta(num_classes):
    with torch.device("meta"):
        return DeepLabLargeFOV(num_classes)


def test_parameters():
    convolutions = 14_714_688 + 4224  # scale and shift of batch norm in place of a bias
    fc = 512 * 9 * 1024 + 1024 * 1024 + 4 * 1024
    assert parameter_count(on_meta(11)) == convolutions + fc + 1024 * 11 + 11


def test_the_gap_to_table_6_is_the_one_that_the_docstring_states():
    """83 MB are printed; a layer of 37x37 kernels of 16x16 would close most of the gap."""
    assert model_size_mb(on_meta(11)) == pytest.approx(82.1, abs=0.05)
    plain = model_size_mb(on_meta(37))
    assert plain == pytest.approx(82.2, abs=0.05)
    assert 83 - plain == pytest.approx(0.84, abs=0.01)
    assert plain + 37 * 37 * 16 * 16 * 4 / 1e6 == pytest.approx(83.6, abs=0.05)


@pytest.mark.parametrize(("size", "coarse"), [((360, 480), (45, 60)), ((90, 120), (12, 15)), ((61, 83), (8, 11))])
def test_the_loss_sees_an_eighth_of_the_resolution_rounded_up(size, coarse):
    assert DeepLabLargeFOV.LOSS_STRIDE == 8
    assert on_meta(11).coarse_logits(torch.zeros(2, 3, *size, device="meta")).shape == (2, 11, *coarse)


def test_logits_are_the_coarse_ones_interpolated():
    model = DeepLabLargeFOV(3).eval()
    images = torch.randn(1, 3, 45, 60)
    with torch.no_grad():
        coarse, logits = model.coarse_logits(images), model(images)
    whole = functional.interpolate(coarse, scale_factor=8, mode="bilinear", align_corners=False)
    assert torch.allclose(logits, whole[:, :, :45, :60], atol=1e-5)


def test_dilations():
    model = on_meta(11)
    dilations = [module.dilation[0] for module in model.modules() if isinstance(module, nn.Conv2d)]
    assert dilations == [1] * 10 + [2] * 3 + [12, 1, 1]


def test_fc6_sees_12_cells_away():
    """One value at the centre of pool5 reaches fc6 at its own cell and at the cells 12 away, nine in all."""
    model = DeepLabLargeFOV(2).eval()
    maps = torch.zeros(1, 512, 31, 31)
    maps[0, 7, 15, 15] = 1
    reached = model.fc6[0][0](maps)[0].abs().sum(0).detach().nonzero().tolist()
    assert reached == [[row, column] for row in (3, 15, 27) for column in (3, 15, 27)]
