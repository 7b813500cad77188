"""Weights of a file in a network: the right ones in the right places, and one line for every file that does not fit."""

import hashlib
import pickle

import pytest
import torch
import torchvision
from test_trial import CPU, tiny

from bench.errors import DataError
from bench.running.inputs import build_model
from bench.running.pretraining import load_into, start_from_pretrained
from models import MODELS


def shapes_of(name):
    with torch.device("meta"):
        return {key: value.shape for key, value in getattr(torchvision.models, name)(weights=None).state_dict().items()}


def empty(name="vgg16", part=""):
    """All layers of one of torchvision's networks, a file of a few KB."""
    return {key: torch.zeros(()).expand(shape) for key, shape in shapes_of(name).items() if key.startswith(part)}


def without_values(name):
    with torch.device("meta"):
        return MODELS[name](3)


def write(path, content):
    torch.save(content, path)
    return {"name": "vgg", "file": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()[:8]}


def line_of(path, model="hypercolumns"):
    with pytest.raises(DataError) as caught:
        load_into(without_values(model), path)
    line = str(caught.value)
    assert line.startswith(f"'{path}': ")
    assert "\n" not in line
    return line.removeprefix(f"'{path}': ")


def test_a_trial_starts_from_them_and_keeps_its_own_initialisation_elsewhere(tmp_path):
    generator = torch.Generator().manual_seed(0)
    state = {key: torch.randn(shape, generator=generator) for key, shape in shapes_of("vgg16").items() if "feat" in key}
    weights = write(tmp_path / "vgg.pth", state)
    started = build_model(tiny(model="hypercolumns", pretrained=weights), 3, CPU).state_dict()
    usual = build_model(tiny(model="hypercolumns"), 3, CPU).state_dict()
    differ = {key for key, values in started.items() if not torch.equal(values, usual[key])}
    assert differ == {key for key in usual if key.startswith("encoder") and usual[key].ndim == 4}
    assert torch.equal(started["encoder.4.2.0.weight"], state["features.28.weight"])


def test_a_cost_trial_needs_none():
    build_model(tiny(model="hypercolumns", kind="cost", pretrained={"name": "vgg", "sha256": "0" * 8}), 3, CPU)


def test_fcn_needs_the_fully_connected_layers_too(tmp_path):
    """Without them in the file it does not start from half of what it is meant to."""
    weights = write(tmp_path / "features.pth", empty(part="features"))
    start_from_pretrained(without_values("deeplab_largefov"), weights)
    with pytest.raises(DataError, match=r"features\.pth': layer 'classifier\.0\.weight' is missing"):
        start_from_pretrained(without_values("fcn"), weights)


def test_another_file_is_not_read(tmp_path):
    weights = write(tmp_path / "vgg.pth", empty())
    (tmp_path / "vgg.pth").write_bytes(b"another")
    with pytest.raises(DataError, match=rf"vgg\.pth': its SHA-256 begins with \w{{8}}, expected {weights['sha256']}"):
        start_from_pretrained(without_values("segnet"), weights)


class Anything:
    """What no file of weights holds."""


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (lambda: empty("vgg16_bn"), "layer 'features.2.weight' is missing in the VGG16 weights"),
        (lambda: empty("alexnet"), "layer 'features.0.weight' of the VGG16 weights has shape (64, 3, 11, 11)"),
        (lambda: {f"encoder.{key}": values for key, values in empty().items()}, "layer 'features.0.weight' is missing"),
        (lambda: {"model": empty(), "iteration": 5}, "'model' is a dict, no tensor of real numbers"),
        (
            lambda: {"features.0.weight": torch.zeros(64, 3, 3, 3).int()},
            "'features.0.weight' is torch.int32, no tensor",
        ),
        (lambda: [torch.zeros(3)], "holds a list, no tensors by name; a state dict of torchvision's vgg16 is needed"),
        (lambda: {"features.0.weight": Anything()}, "is damaged, or holds more than tensors, which is not read"),
        (lambda: empty() | {"features.2.bias": torch.zeros(65)}, None),
        (
            lambda: empty() | {"features.10.weight": torch.zeros(1, 1)},
            "layer 'features.10.weight' of the VGG16 weights",
        ),
        (
            lambda: empty() | {"features.28.weight": torch.full((512, 512, 3, 3), float("inf"))},
            "layer 'features.28.weight' of the VGG16 weights has a value that is not finite; the file is damaged",
        ),
    ],
)
def test_what_does_not_fit_is_named_in_one_line(tmp_path, content, reason):
    write(tmp_path / "other.pth", content())
    if reason is None:  # a network without biases does not miss them; one with biases does
        load_into(without_values("segnet"), tmp_path / "other.pth")
        assert "layer 'features.2.bias' of the VGG16 weights has shape (65,)" in line_of(
            tmp_path / "other.pth", "fcn_32s"
        )
        return
    assert line_of(tmp_path / "other.pth").startswith(reason)


@pytest.mark.parametrize("legacy", [False, True])
def test_damaged_files_are_named_wherever_they_end(tmp_path, legacy):
    whole, path = tmp_path / "whole.pth", tmp_path / "cut.pth"
    torch.save({"features.0.weight": torch.zeros(64, 3, 3, 3)}, whole, _use_new_zipfile_serialization=not legacy)
    content = whole.read_bytes()
    for end in [0, 1, *range(2, len(content), len(content) // 20)]:
        path.write_bytes(content[:end])
        assert line_of(path).startswith("is damaged, or holds more than tensors")


def test_files_of_another_kind(tmp_path):
    for content in (b"<html>not found</html>", pickle.dumps({"a": 1}), b"\x80\x02.", b"PK\x03\x04"):
        (tmp_path / "page.pth").write_bytes(content)
        assert line_of(tmp_path / "page.pth")
    assert line_of(tmp_path / "nowhere.pth") == "cannot be read: No such file or directory"
