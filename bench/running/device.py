"""Which device a trial runs on, and the arithmetic it uses there."""

from __future__ import annotations

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


def use_precision(precision: str) -> bool:
    """Switches TF32 on or off for the process and returns whether bf16 autocast is to be used."""
    allow_tf32 = precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = allow_tf32
    torch.backends.cudnn.allow_tf32 = allow_tf32
    return precision == "bf16"
