"""The digest of everything that a figure is drawn from: its data, this program's source, and the libraries' versions.

Every type has an encoding of its own. What has none is an error, so that nothing is left out of a digest by a text that
abbreviates it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.reporting.figures import style

PACKAGE = Path(__file__).parents[2]
LIBRARIES = ("matplotlib", "numpy", "pandas", "pillow")


class InputDigests:
    """Digests of calls; a table that several calls share is gone through once."""

    def __init__(self) -> None:
        self._tables: dict[int, tuple[pd.DataFrame, bytes]] = {}  # holds the table, so that its id stays its own

    def of(self, call: partial[Any]) -> str:
        """Returns the digest (hex) of a function with all its arguments.

        Raises:
            TypeError: an argument, or a part of one, has a type without an encoding.
        """
        sha = hashlib.sha256(source_digest().encode())
        sha.update(repr((style.DPI, sorted(style.RC.items()))).encode())
        sha.update(f"{call.func.__module__}.{call.func.__qualname__}".encode())
        self._add(sha, [list(call.args), call.keywords])
        return sha.hexdigest()

    def _add(self, sha: Any, value: Any) -> None:
        if value is None or isinstance(value, (str, int, float)):
            sha.update(f"{type(value).__name__} {value!r};".encode())
        elif isinstance(value, Mapping):
            sha.update(f"mapping {len(value)};".encode())
            for item in value.items():
                self._add(sha, item)
        elif isinstance(value, (list, tuple)):
            sha.update(f"sequence {len(value)};".encode())
            for item in value:
                self._add(sha, item)
        elif isinstance(value, np.ndarray) and value.dtype != object:
            sha.update(f"array {value.dtype.str} {value.shape};".encode())
            sha.update(np.ascontiguousarray(value).data)
        elif isinstance(value, pd.DataFrame):
            sha.update(self._of_table(value))
        else:
            raise TypeError(f"no encoding for {type(value).__name__}")

    def _of_table(self, table: pd.DataFrame) -> bytes:
        if id(table) not in self._tables:
            sha = hashlib.sha256(repr((list(table.columns), table.shape)).encode())
            for column in (table[name] for name in table):
                sha.update(f"column {column.dtype};".encode())
                if pd.api.types.is_numeric_dtype(column.dtype):
                    sha.update(column.to_numpy("float64", na_value=np.nan).tobytes())
                else:  # few texts, repeated
                    codes, values = pd.factorize(column)
                    sha.update(codes.tobytes())
                    sha.update(repr(list(values)).encode())
            self._tables[id(table)] = table, sha.digest()
        return self._tables[id(table)][1]


@cache
def source_digest() -> str:
    """Returns the digest (hex) of this program's source and data files, and of the versions of what draws."""
    sha = hashlib.sha256(repr([version(name) for name in LIBRARIES]).encode())
    for path in sorted(path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".yaml")):
        content = path.read_bytes()
        sha.update(f"{path.relative_to(PACKAGE).as_posix()} {len(content)};".encode())
        sha.update(content)
    return sha.hexdigest()
