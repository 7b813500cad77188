"""Looks at the machine and says what will work on it and what will not."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import torch

from bench.data import dataset_of
from bench.errors import BenchError
from bench.profiling.sensors import sensors_of
from bench.results.provenance import package_version, processor_name
from bench.results.store import check_writable
from bench.study.config import Study

NEEDED_GIB = 2  # results, cache and report of one profile
PAPER_GPU_GIB = 8  # `bench plan` estimates 6.4 GiB for data, weights and activations; the rest is room for workspaces


class Finding(NamedTuple):
    """One line of the diagnosis; "no" means that something will not work, and `advice` says what to do."""

    what: str
    state: Literal["ok", "note", "no"]
    found: str
    advice: str = ""


def has_bf16_units() -> bool:
    """Says whether the processor multiplies bf16 in hardware, and so faster than fp32."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def diagnose(study: Study, results: Path) -> Iterator[Finding]:
    """Yields a finding for Python, packages, processor, memory, GPU, disk and each data set."""
    version = platform.python_version()
    yield Finding("Python", "ok" if sys.version_info >= (3, 11) else "no", version, "3.11 or newer is needed")
    yield Finding("PyTorch", "ok", f"{torch.__version__}, torchvision {package_version('torchvision')}")
    threads = torch.get_num_threads()
    yield Finding("processor", "ok", f"{processor_name()}, {os.cpu_count()} cores, {threads} threads")
    fast_bf16 = has_bf16_units()
    yield Finding(
        "bf16 on the CPU",
        "ok" if fast_bf16 else "note",
        "in hardware" if fast_bf16 else "emulated",
        "precision fp32 is faster here than bf16",
    )
    yield from _memory()
    yield from _gpu()
    free = shutil.disk_usage(results if results.exists() else Path.cwd()).free / 2**30
    yield Finding("disk", "ok" if free > NEEDED_GIB else "no", f"{free:.0f} GiB free", f"free {NEEDED_GIB} GiB")
    try:
        check_writable(results)
        yield Finding("results folder", "ok", f"'{results}' can be written")
    except BenchError as error:
        yield Finding("results folder", "no", str(error))
    for name, spec in study.datasets.items():
        locate = dataset_of(name, spec.options).locate
        if locate is None:
            yield Finding(f"data set {name}", "ok", f"drawn on the fly, {spec.train + spec.val + spec.test} images")
            continue
        try:
            yield Finding(f"data set {name}", "ok", f"in '{locate()}' (check it with `bench data verify {name}`)")
        except BenchError as error:
            yield Finding(f"data set {name}", "note", "not here", str(error))


def _memory() -> Iterator[Finding]:
    if not hasattr(os, "sysconf"):
        return
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    advice = "" if gib > 3 else "profile mini needs about 3 GiB"
    yield Finding("memory", "ok" if gib > 3 else "note", f"{gib:.0f} GiB", advice)


def _gpu() -> Iterator[Finding]:
    if not torch.cuda.is_available():
        advice = (
            "profiles smoke and mini run on the CPU; `bench plan --profile paper` says how long the paper's scale takes"
        )
        yield Finding("GPU", "note", f"none that PyTorch (CUDA {torch.version.cuda}) can use", advice)
        return
    for index in range(torch.cuda.device_count()):
        device = torch.cuda.get_device_properties(index)
        gib = device.total_memory / 2**30
        enough = gib >= PAPER_GPU_GIB
        advice = "" if enough else f"Table 1 at full scale needs {PAPER_GPU_GIB} GiB; others: `bench plan`"
        yield Finding(f"GPU {index}", "ok" if enough else "note", f"{device.name}, {gib:.0f} GiB", advice)
        sensors = sensors_of(torch.device("cuda", index))
        found = "none" if sensors is None else ", ".join(sensors.state())
        advice = "" if sensors else "without NVML no clock, temperature, throttling and energy is recorded beside times"
        yield Finding(f"sensors of GPU {index}", "ok" if sensors else "note", found, advice)
