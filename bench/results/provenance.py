"""Where a number comes from: code, versions, machine."""

from __future__ import annotations

import ast
import hashlib
import os
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import bench
from bench.results.schema import SCHEMA_VERSION

ROOT = Path(bench.__file__).resolve().parent.parent  # git names its root without symbolic links
# The code that decides what the numbers are; the command line, reports and checks do not.
NUMERIC_SOURCES = (
    "models",
    "bench/data",
    "bench/training",
    "bench/evaluation",
    "bench/profiling",
    "bench/running",
    "bench/study/trials.py",
)


def environment() -> dict[str, Any]:
    """Returns the provenance columns that do not depend on the trial."""
    commit, dirty = git_state()
    return {
        "git_commit": commit,
        "git_dirty": dirty,
        "source_digest": source_digest(),
        "load_average": os.getloadavg()[0],
        "python": platform.python_version(),
        "torch": package_version("torch"),
        "torchvision": package_version("torchvision"),
        "numpy": package_version("numpy"),
        "platform": platform.platform(),
        "bench_version": bench.__version__,
        "schema_version": SCHEMA_VERSION,
    }


def git_state() -> tuple[str | None, bool | None]:
    """Returns the commit of the source tree and whether tracked files differ from it; None outside a checkout."""

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, timeout=10, check=True)
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout.strip()

    # An installed copy may lie inside some other project's checkout: only a root of our own counts.
    if git("rev-parse", "--show-toplevel") != str(ROOT):
        return None, None
    status = git("status", "--porcelain", "--untracked-files=no")
    return git("rev-parse", "HEAD"), bool(status) if status is not None else None


@cache
def source_digest() -> str:
    """Returns 16 hex digits over the code that decides numbers; comments, docstrings and layout do not count."""
    sha = hashlib.sha256()
    for folder in NUMERIC_SOURCES:
        place = ROOT / folder
        for path in sorted(place.rglob("*.py")) or [place]:
            sha.update(path.relative_to(ROOT).as_posix().encode())
            sha.update(_without_docstrings(path.read_text(encoding="utf-8")).encode())
    return sha.hexdigest()[:16]


def _without_docstrings(source: str) -> str:
    """Returns the syntax tree as text, which has no comments; docstrings are emptied."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                value.value = ""
    return ast.dump(tree)


def package_version(name: str) -> str | None:
    """Returns the installed version of a package without importing it."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def processor_name() -> str:
    """Returns the processor's model name."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
