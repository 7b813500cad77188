"""Which process this is, and whether another one still lives."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

PROC = Path("/proc")  # Linux only


def this_process() -> dict[str, Any]:
    """Returns what tells this process from all others, as JSON-able data; None where the system has no /proc."""
    process = _process(os.getpid())
    return {**_this_machine(), "pid": os.getpid(), "process_start": process.start if process else None}


def _this_machine() -> dict[str, str | None]:
    """Returns what has to agree for a process id to mean the same process."""
    boot_id = pid_namespace = None
    with contextlib.suppress(OSError):
        boot_id = (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        pid_namespace = str((PROC / "self/ns/pid").readlink())
    return {"host": socket.gethostname(), "boot_id": boot_id, "pid_namespace": pid_namespace}


def has_died(process: Mapping[str, Any]) -> bool:
    """Says whether a process certainly lives no more; on another machine, or without /proc, nothing is certain.

    Args:
        process: from `this_process`, with a process id that is a positive int; other entries may be anything
    """
    if any(known is None or process.get(name) != known for name, known in _this_machine().items()):
        return False
    try:
        os.kill(process["pid"], 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # it is there, and another user's
    found = _process(process["pid"])
    if found is None:  # hidden from us
        return False
    return found.state in "ZX" or process.get("process_start") not in (None, found.start)


class _Process(NamedTuple):
    state: str  # Z and X are dead
    start: int  # clock ticks from boot; another process with the same id has another


def _process(pid: int) -> _Process | None:
    """Returns what /proc says; None where it says nothing."""
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may hold spaces and brackets
    return _Process(fields[0], int(fields[19]))
