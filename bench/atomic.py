"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from bench.errors import UnwritableError


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Lets `write` fill a temporary file beside `path`, flushes it to disk, then renames it into place.

    The name begins with "_", so that no reader takes a half-written file for a result. After a loss of power the
    folder holds the old file or the new one.

    Raises:
        UnwritableError: it cannot be written; an older one of that name is untouched, nothing half-written is left.
    """
    # random, because the same process number can be at work on another machine
    temporary = path.with_name(f"_{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
        flush_folder(path.parent)
    except OSError as error:
        raise UnwritableError(f"'{path}' cannot be written: {error.strerror or error}") from None
    finally:
        with contextlib.suppress(OSError):  # where even the folder is missing there is nothing to remove
            temporary.unlink()


def flush_folder(folder: Path) -> None:
    """Makes a rename in `folder` last; does nothing where folders cannot be opened (Windows)."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
