"""How much memory a training needs, from shapes alone, and how much is free."""

from __future__ import annotations

import contextlib
from pathlib import Path

import torch

from bench.data import SPLITS
from bench.running.activations import evaluation_bytes, shapes_of, step_bytes
from bench.running.endings import GROUPS, OUR_GROUPS
from bench.running.inputs import num_classes_of
from bench.running.training_trial import SELECTIONS
from bench.study.trials import Trial
from bench.training.residency import fits

MIB = 2**20
MEMINFO = Path("/proc/meminfo")  # Linux
# What a process has besides: on a GPU CUDA's context and libraries, on a CPU what it does not share with the one that
# it is forked from.
PROCESS_MIB = {"cuda": 500.0, "cpu": 100.0}


def training_memory_mib(trial: Trial, device: torch.device) -> float:
    """Returns what a training needs at least on its device, MiB.

    That is its process, data and weights, and on top of them what a step keeps or what an evaluation takes, whichever
    is more: a GPU evaluates many more images at once than it trains on. Workspaces of convolutions come on top. All is
    computed on the meta device, without numbers, so this takes little time and no memory.

    Args:
        trial: a training
        device: where
    """
    classes = num_classes_of(trial)
    model = shapes_of(trial, classes, device)
    # weights, gradients, momentum, and a copy for each way to select a checkpoint
    learnt = 4 * sum(parameter.numel() for parameter in model.parameters()) * (3 + len(SELECTIONS))
    on_top = max(step_bytes(trial, model, classes), evaluation_bytes(trial, model, device))
    return (_data_bytes(trial, device) + learnt + on_top) / MIB + PROCESS_MIB[device.type]


def _data_bytes(trial: Trial, device: torch.device) -> int:
    """Returns what the images of all splits take on the device, see residency.py, and the labels.

    On a GPU these are the labels of the training split alone: scores are computed from those in host memory.
    """
    once = trial.input_normalisation == "local_contrast"  # is kept as fp32, beside the images themselves
    channels = [3 * trial.dataset_options[split] * trial.height * trial.width for split in SPLITS]
    if device.type == "cuda":
        sizes = [count * (4 if once else 1) for count in channels]
        labels = trial.dataset_options["train"] * trial.height * trial.width
        return sum(size for size in sizes if fits(device, size)) + labels
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
