"""Reads variables of MATLAB files of version 5 to 7.2 that nobody vouches for.

Numbers, text, cells and structs are read, and of structs only the fields that are wanted; the rest is skipped unread.
SciPy's reader builds everything, and a damaged file can end the process; here each length is checked before it is used.

Source: MathWorks, MAT-File Format, chapter 1 (level 5). A file is a header of 128 bytes and then elements: type, number
    of bytes, data, each padded to 8 bytes; short ones fit into 8 bytes with their tag; a variable may be compressed.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Collection, Iterator
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import DataError

MAX_BYTES = 1 << 30  # of a file, and of a variable once it is unpacked
MAX_DEPTH = 8  # cells and structs in each other

_HEADER = 128
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_TEXT = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
_MATRIX, _COMPRESSED = 14, 15
_CELL, _STRUCT, _CHAR = 1, 2, 4
_FIRST_NUMBER, _LAST_NUMBER = 6, 15  # classes double to uint64
_COMPLEX = 0x0800


def read_variable(path: Path, variable: str, fields: Collection[str] = ()) -> Any:
    """Returns one variable of a file.

    Args:
        path: the file.
        variable: its name.
        fields: the fields of structs to be read; others are skipped.

    Returns:
        Numbers: an array in MATLAB's shape. Text: str. A cell: a list, column by column. A struct: a list of dicts.
        None for what is of no kind that is read.

    Raises:
        DataError: the file is missing, too large, damaged, of another version, or lacks the variable.
    """
    try:
        size = path.stat().st_size
        if not path.is_file() or size > MAX_BYTES:
            raise DataError(f"{path}: no file, or larger than {MAX_BYTES >> 30} GiB")
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        return _Reader(content, fields).variable(variable)
    except KeyError as error:
        raise DataError(f"{path}: is another kind of MATLAB file: there is no variable {variable} in it") from error
    except (ValueError, struct.error, zlib.error, RecursionError) as error:
        raise DataError(f"{path}: damaged, or no MATLAB file of version 5 to 7.2: {error}") from error


class _Reader:
    """Knows the order of bytes and the wanted fields of one file."""

    def __init__(self, content: bytes, fields: Collection[str]) -> None:
        self._content, self._fields = content, fields
        marks = {b"IM": "<", b"MI": ">"}
        if len(content) < _HEADER or content[126:128] not in marks:
            raise ValueError("it does not begin as such files do")
        self._order = marks[content[126:128]]
        if struct.unpack(f"{self._order}H", content[124:126])[0] != 0x0100:
            raise ValueError("it is of another version, such as 7.3")

    def variable(self, name: str) -> Any:
        """Returns the value of a variable; raises KeyError where there is none of this name."""
        for kind, data in self._elements(memoryview(self._content)[_HEADER:]):
            if kind == _COMPRESSED:
                unpacker = zlib.decompressobj()
                plain = unpacker.decompress(data, MAX_BYTES)
                if not unpacker.eof:
                    raise ValueError("a compressed variable is truncated or too large")
                kind, data = next(self._elements(memoryview(plain)), (0, data))
            if kind == _MATRIX:
                found, value = self._matrix(data, 0, wanted=name)
                if found == name:
                    return value
        raise KeyError(name)

    def _elements(self, data: memoryview) -> Iterator[tuple[int, memoryview]]:
        """Yields type and data of each element."""
        at = 0
        while at + 8 <= len(data):
            kind, size = struct.unpack_from(f"{self._order}II", data, at)
            if kind >> 16:  # a short element: size and type share the first four bytes
                kind, size, start = kind & 0xFFFF, kind >> 16, at + 4
                if size > 4:
                    raise ValueError("a short element is too long")
                following = at + 8
            else:
                start = at + 8
                following = start + size + (-size % 8 if kind != _COMPRESSED else 0)
            if start + size > len(data):
                raise ValueError("an element is longer than the file")
            yield kind, data[start : start + size]
            at = following

    def _matrix(self, data: memoryview, depth: int, wanted: str | None = None) -> tuple[str, Any]:
        """Returns name and value of an array; the value is None where another name is wanted."""
        if not len(data):  # an empty field
            return "", np.empty((0, 0))
        if depth > MAX_DEPTH:
            raise ValueError("cells and structs are too deep in each other")
        parts = self._elements(data)
        flags = self._numbers(*self._next(parts))
        shape = [int(length) for length in self._numbers(*self._next(parts))]
        name = bytes(self._next(parts)[1]).decode("latin-1")
        if not len(flags) or len(shape) < 2 or min(shape) < 0:
            raise ValueError("an array without class or shape")
        kind = int(flags[0]) & 0xFF
        if (wanted is not None and name != wanted) or not self._is_read(kind, int(flags[0])):
            return name, None
        if kind == _CELL:
            return name, [self._inner(parts, depth) for _ in range(prod(shape))]
        if kind == _STRUCT:
            return name, self._struct(parts, prod(shape), depth)
        stored, values = self._next(parts)
        if kind == _CHAR:
            return name, self._text(stored, values)
        numbers = self._numbers(stored, values)
        if len(numbers) != prod(shape):
            raise ValueError(f"an array of {prod(shape)} numbers holds {len(numbers)}")
        return name, numbers.reshape(shape, order="F")

    @staticmethod
    def _is_read(kind: int, flags: int) -> bool:
        return kind in (_CELL, _STRUCT, _CHAR) or (_FIRST_NUMBER <= kind <= _LAST_NUMBER and not flags & _COMPLEX)

    def _struct(self, parts: Iterator[tuple[int, memoryview]], count: int, depth: int) -> list[dict[str, Any]]:
        lengths = self._numbers(*self._next(parts))
        packed = bytes(self._next(parts)[1])
        if len(lengths) != 1 or lengths[0] < 1:
            raise ValueError("a struct without the length of its names")
        step = int(lengths[0])
        names = [packed[at : at + step].split(b"\0")[0].decode("latin-1") for at in range(0, len(packed), step)]
        if not names:
            raise ValueError("a struct without fields")
        rows = []
        for _ in range(count):
            row = {}
            for name in names:
                _, data = self._next(parts)
                if name in self._fields:
                    row[name] = self._matrix(data, depth + 1)[1]
            rows.append(row)
        return rows

    def _inner(self, parts: Iterator[tuple[int, memoryview]], depth: int) -> Any:
        kind, data = self._next(parts)
        if kind != _MATRIX:
            raise ValueError("a cell holds something else than an array")
        return self._matrix(data, depth + 1)[1]

    def _numbers(self, kind: int, data: memoryview) -> np.ndarray:
        if kind not in _NUMBERS:
            raise ValueError(f"numbers of an unknown type {kind}")
        return np.frombuffer(data, np.dtype(self._order + _NUMBERS[kind]))

    def _text(self, kind: int, data: memoryview) -> str:
        if kind not in _TEXT:
            raise ValueError(f"text of an unknown type {kind}")
        ending = {"<": "-le", ">": "-be"}[self._order] if _TEXT[kind] in ("utf-16", "utf-32") else ""
        return bytes(data).decode(_TEXT[kind] + ending)

    @staticmethod
    def _next(parts: Iterator[tuple[int, memoryview]]) -> tuple[int, memoryview]:
        found = next(parts, None)
        if found is None:
            raise ValueError("an array ends too early")
        return found
