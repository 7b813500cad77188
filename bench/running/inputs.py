"""What a trial works on: its images on the device and its freshly initialised model."""

from __future__ import annotations

import torch
from torch import nn

from bench.data import Split, load_split
from bench.study.trials import Trial, derive_seed
from bench.training.normalisation import normalise
from models import MODELS


def load_trial_split(trial: Trial, split: str) -> Split:
    """Returns one split at the trial's size."""
    return load_split(trial.dataset, split, trial.height, trial.width, trial.dataset_options)


def network_input(trial: Trial, split: Split, device: torch.device) -> torch.Tensor:
    """Returns a split's images (N,3,H,W), normalised, on the device, in the trial's memory format."""
    # copied because the cached array may be read-only, which torch cannot express
    images = torch.from_numpy(split.images.copy()).to(device)
    return normalise(images, trial.input_normalisation, channels_last=trial.channels_last)


def build_model(trial: Trial, num_classes: int, device: torch.device) -> nn.Module:
    """Returns the trial's model, initialised from its own seed, whatever else has drawn random numbers."""
    torch.manual_seed(derive_seed(trial.seed or 0, "initialisation", trial.model))
    model = MODELS[trial.model](num_classes).to(device)
    return model.to(memory_format=torch.channels_last) if trial.channels_last else model


def input_layout(trial: Trial) -> torch.memory_format:
    """Returns the memory format of the trial's tensors."""
    return torch.channels_last if trial.channels_last else torch.contiguous_format
