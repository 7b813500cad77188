"""Which device a trial runs on, the arithmetic it uses there, and what of both decides the bits of its numbers."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch

from bench.errors import DeviceError
from bench.results.provenance import processor_name


def resolve_device(name: str) -> torch.device:
    """Returns the device for "auto", "cpu" or "cuda"; auto takes a CUDA device where there is one.

    Raises:
        DeviceError: cuda is asked for and not there.
    """
    assert name in ("auto", "cpu", "cuda"), name
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise DeviceError(
            f"--device cuda: PyTorch {torch.__version__} finds no CUDA device; use --device cpu, or see `bench doctor`"
        )
    return torch.device("cuda" if available and name != "cpu" else "cpu")


def device_name(device: torch.device) -> str:
    """Returns the model name of the processor or GPU."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else processor_name()


def use_arithmetic(precision: str, determinism: str) -> bool:
    """Sets precision and determinism for the whole process; returns whether bf16 autocast is to be used.

    Args:
        precision: "fp32", "tf32" or "bf16"
        determinism: "off" lets cuDNN choose its kernels by trying them, which may end differently every time;
            "seeded" fixes the choice, some kernels still add in varying order; "strict" has no such kernel, and an
            operation without a deterministic one raises RuntimeError.
    """
    assert determinism in ("off", "seeded", "strict"), determinism
    allow_tf32 = precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = allow_tf32
    torch.backends.cudnn.allow_tf32 = allow_tf32
    strict = determinism == "strict"
    if strict:  # cuBLAS reads it when CUDA starts, so a process is strict from its beginning or not at all
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.backends.cudnn.benchmark = determinism == "off"
    torch.backends.cudnn.deterministic = strict
    torch.use_deterministic_algorithms(strict)
    # memory is never read before it is written here, and filling it costs time
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    return precision == "bf16"


def decides_bits(device: torch.device, threads: int) -> dict[str, Any]:
    """Returns what decides the last bits of a number besides the trial itself, as JSON-able data."""
    return {
        "device": device.type,
        "device_name": device_name(device),
        "threads": threads,
        "kernels": kernels(device),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
    }


def kernels(device: torch.device) -> str:
    """Returns which variants of its kernels torch uses here, and what the environment says of them."""
    if device.type == "cuda":
        found = [f"CUDA {torch.version.cuda}", f"cuDNN {torch.backends.cudnn.version()}"]
    else:
        found = [torch.backends.cpu.get_cpu_capability()]
    names = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "MKL_CBWR", "MKL_ENABLE_INSTRUCTIONS")
    return ", ".join([*found, *(f"{name} {os.environ[name]}" for name in names if name in os.environ)])
