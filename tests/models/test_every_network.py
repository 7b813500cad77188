"""What every network beyond Table 1 promises: sizes, gradients, dropout, determinism, one clear line for bad input."""

import pytest
import torch
from torch import nn

from models import MODELS
from models.deconvnet import DeconvNet

TABLE_1 = 8  # its variants have their own tests
NAMES = list(MODELS)[TABLE_1:]
SIZE = (45, 60)
SMALLEST = {
    "segnet": 17,
    "deeplab_largefov": 5,
    "fcn": 17,
    "fcn_learnt_deconv": 17,
    "deconvnet": 17,
    "deconvnet_no_fc": 17,
    "fcn_32s": 17,
    "fcn_16s": 17,
    "fcn_8s": 17,
    "u_net": 9,
    "hypercolumns": 9,
    "deeplab_v3plus": 9,
    **{name: 9 for name in NAMES if name.startswith("upsampling_")},
}
WITHOUT_DROPOUT = ("hypercolumns", *(name for name in NAMES if name.startswith("upsampling_")))
ONE_VALUE = {  # images of this size leave batch norm one value per channel; the others have more or no batch norm
    "deeplab_largefov": 8,
    "fcn": 32,
    "fcn_learnt_deconv": 32,
    "hypercolumns": 16,
    "deeplab_v3plus": 16,
}


@pytest.fixture(scope="module", params=NAMES)
def network(request):
    """One network after the other: some have half a gigabyte of weights. Score layers that start at 0 get weights."""
    torch.manual_seed(1)
    model = DeconvNet(4, SIZE) if request.param == "deconvnet" else MODELS[request.param](4)
    with torch.no_grad():
        for parameter in model.parameters():
            if not parameter.any():
                parameter.normal_(std=0.02)
    model.name = request.param
    yield model
    del model


def test_logits_have_the_size_of_the_images(network):
    for size in [SIZE] if network.name == "deconvnet" else [SIZE, (61, 83), (64, 96)]:
        with torch.no_grad():
            logits = network.eval()(torch.randn(1, 3, *size))
        assert logits.shape == (1, 4, *size)
        assert logits.isfinite().all()


def test_gradients_reach_every_parameter_and_strict_determinism_gives_the_same_bits_twice(network):
    images, weights = torch.randn(2, 3, *SIZE), torch.randn(2, 4, *SIZE)
    network.train()
    before = {key: values.clone() for key, values in network.named_buffers()}
    torch.use_deterministic_algorithms(True)
    try:
        runs = []
        for _ in range(2):
            torch.manual_seed(5)  # of dropout
            network.zero_grad(set_to_none=True)
            logits = network(images)
            (logits * weights).mean().backward()
            first = next(network.parameters())
            runs.append((logits.detach(), first.grad.clone()))
    finally:
        torch.use_deterministic_algorithms(False)
        network.load_state_dict(before, strict=False)
    without = [key for key, value in network.named_parameters() if value.grad is None or not value.grad.any()]
    network.zero_grad(set_to_none=True)
    assert without == []
    assert torch.equal(runs[0][0], runs[1][0])
    assert torch.equal(runs[0][1], runs[1][1])


def test_dropout_drops_in_training_only(network):
    images = torch.randn(2, 3, *SIZE)
    with torch.no_grad():
        network.eval()
        assert torch.equal(network(images), network(images))
        network.train()
        differ = not torch.equal(network(images), network(images))
    assert differ is (network.name not in WITHOUT_DROPOUT)
    assert any(isinstance(module, nn.Dropout) for module in network.modules()) is differ


def test_images_smaller_than_the_network_halves_are_refused_in_one_line(network):
    least = SMALLEST[network.name]
    network.eval()
    if network.name == "deconvnet":
        with pytest.raises(ValueError, match="can be built for images of at least 17x17 pixels, not 16x40"):
            DeconvNet(4, (16, 40))
        return
    with torch.no_grad():
        assert network(torch.randn(1, 3, least, least)).shape == (1, 4, least, least)
    with pytest.raises(
        ValueError, match=rf"times and needs images of at least {least}x{least} pixels, got {least - 1}x40; use larger"
    ):
        network(torch.randn(1, 3, least - 1, 40))


def test_one_value_per_channel_is_refused_in_training_only(network):
    """Batch norm has no statistics of it; a network that never gets there can be trained on its smallest image."""
    if network.name not in ONE_VALUE:
        size = SIZE if network.name == "deconvnet" else (SMALLEST[network.name], SMALLEST[network.name])
        images = torch.randn(2 if network.name == "deconvnet" else 1, 3, *size)  # DeconvNet: see test_deconvnet.py
        with torch.no_grad():
            assert network.train()(images).isfinite().all()
        return
    side = ONE_VALUE[network.name]
    with torch.no_grad():
        network.eval()(torch.randn(1, 3, side, side))
        network.train()(torch.randn(1, 3, side, side + 1))
    message = rf"cannot be trained on a batch of one image of {side}x{side} pixels: its smallest map is 1x1"
    with pytest.raises(ValueError, match=message):
        network.train()(torch.randn(1, 3, side, side))
