"""What a trial works on: its images on the device and its freshly initialised model."""

from __future__ import annotations

import torch
from torch import nn

from bench.data import Split, dataset_of, load_split
from bench.running.pretraining import start_from_pretrained
from bench.study.trials import Trial, derive_seed
from bench.training.residency import Images, network_images
from models import MODELS


def load_trial_split(trial: Trial, split: str) -> Split:
    """Returns one split at the trial's size."""
    return load_split(trial.dataset, split, trial.height, trial.width, trial.dataset_options)


def network_input(trial: Trial, split: Split, device: torch.device) -> Images:
    """Returns a split's images as network input (N,3,H,W), for the device, in the trial's memory format."""
    return network_images(split.images, device, trial.input_normalisation, channels_last=trial.channels_last)


def num_classes_of(trial: Trial) -> int:
    """Returns the number of classes of the trial's data set."""
    return len(dataset_of(trial.dataset, trial.dataset_options).class_names)


def build_model(trial: Trial, num_classes: int, device: torch.device) -> nn.Module:
    """Returns the trial's model, initialised from its own seed, whatever else has drawn random numbers.

    A model that is built for one image size is built for the images of a training, or the timed input of a cost trial.
    """
    torch.manual_seed(derive_seed(trial.seed or 0, "initialisation", trial.model))
    size = (trial.height, trial.width) if trial.kind == "training" else (trial.timing_height, trial.timing_width)
    build = MODELS[trial.model]
    model = build(num_classes, size) if getattr(build, "BUILT_FOR_SIZE", False) else build(num_classes)
    if trial.pretrained and trial.kind == "training":
        start_from_pretrained(model, trial.pretrained)
    model = model.to(device)
    return model.to(memory_format=torch.channels_last) if trial.channels_last else model


def input_layout(trial: Trial) -> torch.memory_format:
    """Returns the memory format of the trial's tensors."""
    return torch.channels_last if trial.channels_last else torch.contiguous_format
