"""Which source files the numbers of a trial come from, and a digest of each; nothing is imported, torch least of all.

A trial's files are those that run it (STARTS), those of what it does besides (PARTS), the one in models/ that defines
its model, the one that reads its data set, and whatever these import from ROOMS, so that another model, data set or
suite leaves all other trials as they are. A package's `__init__.py` is a register of names and never counts; what it
passes on is followed to where it is defined. Not traced, because no number depends on them as long as their own tests
hold: how rows are laid out (running/rows.py, whose computations are listed in STARTS), how a training is saved and
taken up again, the cache of decoded images, and the study itself, whose values are in the digest as they are.

A digest is that of the syntax tree, so comments, docstrings and layout do not count, nor does what an error says; it
is the same under every version of Python.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from bench.errors import BenchError

ROOT = Path(__file__).resolve().parents[2]  # holds bench/ and models/, in a checkout and where a wheel is installed
STARTS = {
    "training": (
        "bench/running/training_trial.py",
        "bench/running/inputs.py",
        "bench/running/device.py",  # sets precision and determinism
        "bench/evaluation/confusion.py",  # these four are called by running/rows.py
        "bench/evaluation/region_scores.py",
        "bench/evaluation/boundary.py",
        "bench/evaluation/boundary_scores.py",
    ),
    "cost": ("bench/running/cost_trial.py", "bench/running/inputs.py", "bench/running/device.py"),
}
# What only some trainings do besides: where it is asked for, its file counts as well.
PARTS = {
    "dense_crf": ("bench/evaluation/refinement.py",),
    "checkerboard": ("bench/evaluation/checkerboard.py", "bench/evaluation/output_maps.py"),
    "pretrained": ("models/vgg16.py",),
}
ROOMS = ("models", "bench/data", "bench/training", "bench/evaluation", "bench/profiling")
REGISTER = "models/__init__.py"
_BELOW = tuple(f"{room}/" for room in ROOMS)


class Source(NamedTuple):
    """What one file says: the digest of its syntax, and the files in ROOMS that it imports."""

    digest: str
    imports: dict[str, str]  # by the name under which they are imported


def sources_of(
    kind: str, model: str, dataset: str, root: Path = ROOT, *, parts: Collection[str] = ()
) -> dict[str, str]:
    """Returns path -> 8 hex digits for every file that the numbers of a trial come from, in order of path.

    Paths are relative to `root`, with "/". Each file is read once per process.

    Args:
        kind: training or cost
        model: a key of models.MODELS
        dataset: a key of bench.data.DATASETS, whose reader is bench/data/<dataset>.py
        root: the folder of bench/ and models/
        parts: keys of PARTS

    Raises:
        BenchError: a file is missing, unreadable or no Python, or the model is not registered.
    """
    return dict(_sources_of(kind, model, dataset, tuple(parts), root))


def digest_of(sources: Mapping[str, str]) -> str:
    """Returns 16 hex digits over the files and digests of `sources_of`."""
    return hashlib.sha256(json.dumps(dict(sources), sort_keys=True).encode()).hexdigest()[:16]


@cache
def _sources_of(kind: str, model: str, dataset: str, parts: tuple[str, ...], root: Path) -> tuple[tuple[str, str], ...]:
    todo = [*STARTS[kind], *_files_of_model(model, root), f"bench/data/{dataset}.py"]
    todo += [path for part in parts for path in PARTS[part]]
    found: dict[str, str] = {}
    while todo:
        path = todo.pop()
        if path not in found:
            source = _read(path, root)
            found[path] = source.digest
            todo += source.imports.values()
    return tuple(sorted(found.items()))


@cache
def _read(path: str, root: Path) -> Source:
    words: list[str] = []
    imports: list[ast.Import | ast.ImportFrom] = []
    _spell(_tree(path, root), words, imports)
    digest = hashlib.sha256(" ".join(words).encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return Source(digest, _origins(imports, root))


@cache
def _tree(path: str, root: Path) -> ast.Module:
    try:
        return ast.parse((root / path).read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise BenchError(
            f"source file '{root / path}' cannot be read: {reason}; results are kept apart by the source they come "
            "from, so install bench together with its source files"
        ) from None


def _spell(node: ast.AST, words: list[str], imports: list[ast.Import | ast.ImportFrom]) -> None:
    """Appends a tree to `words`, without what differs between versions of Python, and its imports to `imports`."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        imports.append(node)
    words.append(type(node).__name__)
    if isinstance(node, ast.Raise):  # there is no number then, whatever the error says
        return
    for name in node._fields:
        value = getattr(node, name, None)
        if value is None or value == [] or name in ("ctx", "kind", "type_comment", "msg"):
            continue
        words.append(f"{name}=")
        for part in value if isinstance(value, list) else (value,):
            if not isinstance(part, ast.AST):
                words.append(repr(part))
            elif not _is_nothing(part, node):
                _spell(part, words, imports)
    words.append(".")


def _is_nothing(node: ast.AST, parent: ast.AST) -> bool:
    """Whether a part has no effect: a text alone, such as a docstring, or what Python 3.12 adds to some f-strings."""
    if isinstance(parent, ast.JoinedStr):
        return isinstance(node, ast.Constant) and node.value == ""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _origins(imports: list[ast.Import | ast.ImportFrom], root: Path) -> dict[str, str]:
    """Returns name -> file in ROOMS that defines it, for every imported name that has one."""
    found: dict[str, str | None] = {}
    for node in imports:
        if isinstance(node, ast.Import):
            found |= {alias.name: _file(alias.name, root) for alias in node.names}
        elif node.module:
            found |= {alias.asname or alias.name: _origin(node.module, alias.name, root) for alias in node.names}
    return {name: path for name, path in found.items() if path}


def _origin(module: str, name: str, root: Path) -> str | None:
    """Returns the file in ROOMS that defines `name`, imported from `module`; None where there is none."""
    if path := _file(f"{module}.{name}", root) or _file(module, root):
        return path
    register = f"{module.replace('.', '/')}/__init__.py"
    return (
        _read(register, root).imports.get(name) if register.startswith(_BELOW) and (root / register).is_file() else None
    )


@cache
def _file(module: str, root: Path) -> str | None:
    path = f"{module.replace('.', '/')}.py"
    return path if path.startswith(_BELOW) and (root / path).is_file() else None


def _files_of_model(model: str, root: Path) -> list[str]:
    """Returns the file that defines the model that REGISTER has under this name."""
    defined = _read(REGISTER, root).imports
    for table in (node for node in ast.walk(_tree(REGISTER, root)) if isinstance(node, ast.Dict)):
        for key, value in zip(table.keys, table.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == model:
                names = (part.id for part in ast.walk(value) if isinstance(part, ast.Name))
                return sorted({defined[name] for name in names if name in defined})
    raise BenchError(f"model '{model}' is not in '{root / REGISTER}'; add it to MODELS there")
