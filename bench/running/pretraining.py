"""Starts a network from weights of a VGG16 that was trained on ImageNet: found, verified, read and laid into it."""

from __future__ import annotations

import pickle
import struct
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bench.data.pretrained import verified, weights_path
from bench.errors import DataError, one_line
from models.vgg16 import has_vgg16_classifier, load_vgg16

# What torch.load raises for bytes that are no file of tensors, whatever they are instead.
_DAMAGE = (
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    struct.error,
    AssertionError,
    AttributeError,
    EOFError,
    OSError,  # it points outside itself
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
    MemoryError,  # a damaged length
    OverflowError,
)
NEEDED = "a state dict of torchvision's vgg16 is needed"


def start_from_pretrained(model: nn.Module, pretrained: Mapping[str, Any]) -> None:
    """Starts a model's encoder, and fc6 and fc7 where they are VGG16's own, from the weights that a trial names.

    Args:
        model: one of catalog.VGG16_MODELS
        pretrained: name, sha256 and, where the user has a file, file

    Raises:
        DataError: the file is missing, another one, damaged, or does not fit; the model is as it was.

    Source: paper §4 (networks start from VGG16 trained on ImageNet).
    """
    path = weights_path(pretrained)
    load_into(model, verified(path, pretrained["sha256"]))


def load_into(model: nn.Module, path: Path) -> None:
    """As `start_from_pretrained`, from a file that needs no further check."""
    fill(model, read_state(path), path)


def read_state(path: Path) -> dict[str, Tensor]:
    """Returns the tensors of a file by name, on the CPU; nothing in the file is executed.

    Raises:
        DataError: it cannot be read, is damaged, or holds something else than tensors by name.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise DataError(f"'{path}': cannot be read: {error.strerror or error}") from error
    with file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it fits or it does not, whatever torch thinks of the file's age
        try:
            state = torch.load(file, map_location="cpu", weights_only=True)
        except _DAMAGE as error:
            raise DataError(
                f"'{path}': is damaged, or holds more than tensors, which is not read ({type(error).__name__}); "
                f"{NEEDED}"
            ) from error
    if not isinstance(state, Mapping):
        raise DataError(f"'{path}': holds a {type(state).__name__}, no tensors by name; {NEEDED}")
    for name, values in state.items():
        if not isinstance(values, Tensor) or not values.is_floating_point():
            what = values.dtype if isinstance(values, Tensor) else f"a {type(values).__name__}"
            raise DataError(f"'{path}': '{one_line(name, 60)}' is {what}, no tensor of real numbers; {NEEDED}")
    return dict(state)


def fill(model: nn.Module, state: Mapping[str, Tensor], path: Path) -> None:
    """Lays tensors into a model; one on the meta device is only asked whether they fit.

    Args:
        model: one of catalog.VGG16_MODELS
        state: from `read_state`
        path: what messages call the file

    Raises:
        DataError: a layer is missing, has another shape or a value that is not finite; the model is as it was.
    """
    try:
        load_vgg16(model, state, include_classifier=has_vgg16_classifier(model))
    except ValueError as error:
        raise DataError(f"'{path}': {error}") from error
