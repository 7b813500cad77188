"""On what something was measured: processor, GPU, versions, source and date."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import torch

from bench.results.provenance import git_state, package_version, processor_name
from bench.running.doctor import has_bf16_units

PACKAGES = (
    "torch",
    "numpy",
    "numba",
    "scipy",
    "scikit-image",
    "scikit-learn",
    "torchmetrics",
    "opencv-python-headless",
    "opencv-python",
    "pillow",
    "click",
)
MEMORY = Path("/proc/meminfo")


def description() -> str:
    """Returns a Markdown list."""
    commit, changed = git_state()
    source = f"{commit[:12]}{' with changes' if changed else ''}" if commit else "not a checkout"
    units = f"{torch.backends.cpu.get_cpu_capability()}, {'with' if has_bf16_units() else 'without'} units for bf16"
    versions = [f"{name} {version}" for name in PACKAGES if (version := package_version(name))]
    cores = f"{os.cpu_count()} cores, PyTorch uses {torch.get_num_threads()} threads"
    lines = {
        "Date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "Processor": f"{processor_name()} ({units}), {cores}",
        "Memory": memory(),
        "GPU": gpu(),
        "System": platform.platform(),
        "Versions": f"Python {platform.python_version()}, {', '.join(versions)}",
        "Source": f"segnet-bench {metadata.version('segnet-bench')}, commit {source}",
    }
    return "\n".join(f"- {name}: {text}" for name, text in lines.items())


def memory() -> str:
    """Returns the size of the machine's memory, GiB."""
    lines = MEMORY.read_text().splitlines() if MEMORY.is_file() else []
    kib = [int(line.split()[1]) for line in lines if line.startswith("MemTotal:")]
    return f"{kib[0] / 2**20:.0f} GiB" if kib else "not known on this system"


def gpu() -> str:
    """Returns the model of the GPU that PyTorch would use."""
    if not torch.cuda.is_available():
        return "none"
    size = torch.cuda.get_device_properties(0).total_memory / 2**30
    return f"{torch.cuda.get_device_name(0)}, {size:.0f} GiB, CUDA {torch.version.cuda}"
