"""Results folders that are named by a path or by a git revision, whose files are then put into a temporary folder."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from bench.errors import ConfigError, ResultsError, one_line
from bench.results.store import result_files


class Place(NamedTuple):
    """A results folder, and what to call it: as it was given, with the commit where it is one."""

    title: str
    folder: Path


@contextmanager
def results_at(name: str, inside: Path) -> Iterator[Place]:
    """Gives a results folder by its path, or as it is in a commit; a folder of this name comes before a revision.

    Args:
        name: a folder, or a commit, branch or tag of the repository around the current directory.
        inside: the folder of results in the commit, relative to the current directory.

    Raises:
        ConfigError: the name is neither, or `inside` is no relative path.
        ResultsError: there is no results file there.
    """
    if Path(name).is_dir():
        if not result_files(Path(name)):
            raise ResultsError(f"no results files in the folder '{one_line(name)}'")
        yield Place(name, Path(name))
        return
    if Path(name).exists():
        raise ConfigError(f"'{one_line(name)}' is a file; name a results folder, or a commit, branch or tag")
    commit = _commit(name)
    title = f"{name} ({commit[:9]})" if not commit.startswith(name) else commit[:9]
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        _write_files(commit, inside, title, Path(temporary))
        yield Place(title, Path(temporary))


def _commit(name: str) -> str:
    """Returns the full hash of the commit that a revision names."""
    # a name with a leading dash would be an option, one with a colon a file
    if not name.startswith("-") and ":" not in name:
        found = _git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        if found.returncode == 0:
            return found.stdout.decode().strip()
    around = _git("rev-parse", "--git-dir")
    if around.returncode:
        raise ConfigError(
            f"there is no folder '{one_line(name)}', and no commit of this name: git says "
            f"'{one_line(around.stderr.decode(errors='replace'))}'"
        )
    raise ConfigError(
        f"'{one_line(name)}' is neither a folder nor a commit, branch or tag of this repository; `git log --oneline` "
        "and `git branch` list them"
    )


def _write_files(commit: str, inside: Path, title: str, into: Path) -> None:
    """Writes the results files of a commit, which `load_results` then reads as those of any folder."""
    if inside.is_absolute():
        raise ConfigError(f"--results '{one_line(inside)}' is looked for in a commit; give it as a relative path")
    # ":./" and ":../" are relative to the current directory
    here = "" if inside.parts[:1] == ("..",) else "./"
    listed = _git("ls-tree", "-r", "-z", "--full-tree", f"{commit}:{here}{inside.as_posix()}")
    entries = [entry.partition(b"\t") for entry in listed.stdout.split(b"\0") if entry]
    for head, _, name in entries:
        mode, _, blob = head.decode().split(" ")
        path = PurePosixPath(name.decode("utf-8", "surrogateescape"))
        if path.suffix != ".parquet" or not mode.startswith("100") or any(p.startswith(("_", ".")) for p in path.parts):
            continue
        target = into / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            # not `git archive` or a checkout, which change what attributes tell them to
            subprocess.run(["git", "cat-file", "blob", blob], stdout=file, check=True)
    if not result_files(into):
        raise ResultsError(
            f"commit {one_line(title)} has no results files in '{one_line(inside)}'; --results DIR names another folder"
        )


def _git(*words: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", *words], capture_output=True, check=False)
    except OSError as error:
        raise ConfigError(f"git cannot be run, which reads results of a commit: {error.strerror}") from None
