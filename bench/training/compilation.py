"""Compilation of a network by torch.compile, where the study asks for it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import nn


def compile_network(model: nn.Module) -> None:
    """Makes the passes of a network compiled ones; its parameters, buffers and their names stay what they are.

    Shapes are static, so on a GPU the kernels of a pass are launched as one CUDA graph. Each new shape is compiled
    when it first comes: a training batch, the batches of an evaluation and their last ones.

    Args:
        model: on its device; nothing is compiled before its first pass
    """
    on_gpu = next(model.parameters()).device.type == "cuda"
    mode = "reduce-overhead" if on_gpu else "default"
    torch._dynamo.config.recompile_limit = 64  # shapes and modes of one network; beyond it would silently run eagerly
    model.compile(mode=mode, dynamic=False)
    if callable(coarse_logits := getattr(model, "coarse_logits", None)):
        model.coarse_logits = torch.compile(coarse_logits, mode=mode, dynamic=False)  # type: ignore[assignment]


def uncompiled(model: nn.Module) -> AbstractContextManager[object]:
    """Returns a context in which a network's passes are not compiled, whether they are elsewhere or not.

    For passes that a compiled graph has to leave again and again: a batch norm that averages over batches reads their
    number back in every layer.
    """
    if model._compiled_call_impl is None:  # importing the compiler alone takes seconds
        return nullcontext()
    return torch.compiler.set_stance("force_eager")
