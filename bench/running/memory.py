"""How much memory a training needs, from shapes alone, and how much is free."""

from __future__ import annotations

import contextlib
from pathlib import Path

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from bench.data import SPLITS
from bench.running.endings import GROUPS, OUR_GROUPS
from bench.running.inputs import num_classes_of
from bench.study.trials import Trial
from bench.training.loss import coarse_labels, segmentation_loss
from bench.training.residency import fits
from models import MODELS

MIB = 2**20
MEMINFO = Path("/proc/meminfo")  # Linux
# What a process has besides: on a GPU CUDA's context and libraries, on a CPU what it does not share with the one that
# it is forked from.
PROCESS_MIB = {"cuda": 500.0, "cpu": 100.0}


def training_memory_mib(trial: Trial, device: torch.device) -> float:
    """Returns what a training needs at least on its device, MiB: its process, data, weights and what a step keeps.

    Workspaces of convolutions come on top. A step is made on the meta device, without numbers, so this takes neither
    time nor memory.

    Args:
        trial: a training
        device: where
    """
    classes, size = num_classes_of(trial), (trial.height, trial.width)
    build = MODELS[trial.model]
    kept: dict[int, torch.UntypedStorage] = {}  # by identity; held, so that no identity is given a second time

    def remember(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage._cdata] = storage
        return tensor

    with torch.device("meta"):
        model = build(classes, size) if getattr(build, "BUILT_FOR_SIZE", False) else build(classes)
        model.train()
        images = torch.empty(trial.batch_size, 3, *size)
        labels = torch.zeros(trial.batch_size, *size, dtype=torch.long)
        stride = getattr(model, "LOSS_STRIDE", 1)
        bf16 = trial.precision == "bf16"
        with saved_tensors_hooks(remember, lambda tensor: tensor):
            # the meta device knows no autocast: every activation is computed in fp32, and halved below
            logits = model(images) if stride == 1 else model.coarse_logits(images)  # type: ignore[operator]
            segmentation_loss(logits, coarse_labels(labels, stride), torch.ones(classes))
    weights = {parameter.untyped_storage()._cdata for parameter in model.parameters()}
    activations = sum(storage.nbytes() for name, storage in kept.items() if name not in weights)
    learnt = 4 * sum(parameter.numel() for parameter in model.parameters()) * 3  # weights, gradients, momentum
    return (_data_bytes(trial, device) + learnt + activations / (2 if bf16 else 1)) / MIB + PROCESS_MIB[device.type]


def _data_bytes(trial: Trial, device: torch.device) -> int:
    """Returns what the images of all splits take on the device, see residency.py, and on a CPU their labels."""
    once = trial.input_normalisation == "local_contrast"  # is kept as fp32, beside the images themselves
    channels = [3 * trial.dataset_options[split] * trial.height * trial.width for split in SPLITS]
    if device.type == "cuda":
        sizes = [count * (4 if once else 1) for count in channels]
        return sum(size for size in sizes if fits(device, size))
    return sum(channels) * (1 + 4 * once) + sum(channels) // 3


def free_memory_mib(device: torch.device) -> float | None:
    """Returns how much memory a new process could take on a device, MiB; None where the system does not say."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0] / MIB
    try:
        lines = dict(line.split(":", 1) for line in MEMINFO.read_text().splitlines())
        free = int(lines["MemAvailable"].split()[0]) / 1024
    except (OSError, KeyError, ValueError):
        return None
    left = _left_in_group_mib()
    return free if left is None else min(free, left)


def _left_in_group_mib() -> float | None:
    """Returns what our control group may still take, MiB, as in a container; None where nothing limits it."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        group = next(line for line in OUR_GROUPS.read_text().splitlines() if line.startswith("0::"))[3:]
        for folder in (GROUPS / group.strip("/"), GROUPS):  # a container often sees its own group as the root
            if (folder / "memory.max").is_file():
                limit, used = ((folder / name).read_text().strip() for name in ("memory.max", "memory.current"))
                stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
                return (int(limit) - int(used) + int(stat["inactive_file"])) / MIB
    return None
