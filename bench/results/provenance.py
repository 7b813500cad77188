"""Where a number comes from: code, versions, machine."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import bench
from bench.results.schema import SCHEMA_VERSION
from bench.study.sources import digest_of
from bench.study.trials import Trial

ROOT = Path(bench.__file__).resolve().parent.parent  # git names its root without symbolic links


def environment() -> dict[str, Any]:
    """Returns the provenance columns that do not depend on the trial; `source_columns` has those of the source."""
    commit, dirty = git_state()
    return {
        "git_commit": commit,
        "git_dirty": dirty,
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
    """Returns the commit of the source tree and whether tracked files differ from it; None outside a checkout.

    Results and reports are what comes out: that they differ, as after a `bench report`, says nothing of the source.
    """

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, timeout=10, check=True)
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout.strip()

    # An installed copy may lie inside some other project's checkout: only a root of our own counts.
    if git("rev-parse", "--show-toplevel") != str(ROOT):
        return None, None
    status = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!reports", ":!results")
    return git("rev-parse", "HEAD"), bool(status) if status is not None else None


def source_columns(trial: Trial) -> dict[str, str]:
    """Returns the provenance columns that say by which source and protocols a trial's numbers come about."""
    return {
        "sources": json.dumps(trial.sources, sort_keys=True),
        "source_digest": digest_of(trial.sources),
        "protocols": json.dumps(trial.protocols, sort_keys=True),
    }


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
