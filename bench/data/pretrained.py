"""Files of trained weights that a network can start from: where they are, whether they are right, and how they come.

What is in them is nobody's business here: `bench/running/pretraining.py` reads them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.atomic import write_atomically
from bench.data import download
from bench.data.camvid import data_folder
from bench.errors import DataError

# What a trial says about them: `name`, `sha256` (8 to 64 hex digits with which the file's SHA-256 begins) and, where
# the user has a file, `file`.
Pretrained = Mapping[str, Any]

PUBLISHED_DIGITS = 8  # of the digest, which torch puts into a file's name


def weights_path(pretrained: Pretrained) -> Path:
    """Returns the file in use: the user's own, else where `fetch` and `add` put it, else torch's copy of it.

    Raises:
        DataError: it is in none of these places. A `file` that the user names is the only place: other weights in
            silence would not be those that the user meant.
    """
    name = pretrained["name"]
    if named := pretrained.get("file"):
        path = Path(named).expanduser()
        if path.exists():
            return path
        raise DataError(
            f"no weights {name}: there is no '{path}', which bench.yaml names; correct `file` there, or leave it out "
            f"and give `bench data fetch {name}`"
        )
    own, shared, pattern = own_path(pretrained), torch_folder(), f"*-{_published(pretrained)}.pth"
    for path in (own, *sorted(shared.glob(pattern))):
        if path.exists():
            return path
    raise DataError(
        f"no weights {name}: looked for '{own}' and for '{shared / pattern}'; give `bench data fetch {name}`, or name "
        "a file of yours as its `file` in bench.yaml"
    )


def own_path(pretrained: Pretrained) -> Path:
    """Returns where `fetch` and `add` put the file, below BENCH_DATA."""
    return data_folder() / "weights" / f"{pretrained['name']}-{_published(pretrained)}.pth"


def torch_folder() -> Path:
    """Returns the folder to which torchvision downloads: below TORCH_HOME, or the user's cache."""
    cache = os.environ.get("TORCH_HOME") or f"{os.environ.get('XDG_CACHE_HOME') or '~/.cache'}/torch"
    return Path(cache).expanduser() / "hub" / "checkpoints"


def verified(path: Path, sha256: str, called: str | None = None) -> Path:
    """Returns the path of a file whose SHA-256 begins with these hex digits.

    Args:
        path: of the file
        sha256: 8 to 64 hex digits
        called: what messages call the file; its path where this is None

    Raises:
        DataError: it is no file, cannot be read or is another one.
    """
    called = called or f"'{path}'"
    try:
        if path.exists() and not path.is_file():
            raise DataError(f"{called}: is no file; a file of weights is needed")
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{called}: cannot be read: {error.strerror or error}") from error
    if not found.startswith(sha256):
        raise DataError(
            f"{called}: its SHA-256 begins with {found[: len(sha256)]}, expected {sha256}; it is damaged or another "
            "file: bring a good one, or correct `sha256` in bench.yaml"
        )
    return path


def fetch(url: str, pretrained: Pretrained, progress: download.Progress | None = None) -> Path:
    """Downloads the file, checks it and puts it in place.

    Args:
        url: http or https.
        pretrained: what it has to be.
        progress: told how many bytes have come.

    Returns:
        Its path; where a good copy is there already, that one, without a download.

    Raises:
        DataError: the server, or what it sent; nothing is left behind.
        UnwritableError: BENCH_DATA cannot be written.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise DataError(f"{url}: only http:// and https:// addresses can be downloaded")

    def write(temporary: Path) -> None:
        download.download_file(url, temporary, progress)
        verified(temporary, pretrained["sha256"], url)

    if (target := own_path(pretrained)).exists():
        return verified(target, pretrained["sha256"])
    write_atomically(target, write)
    return target


def add(path: Path, pretrained: Pretrained) -> Path:
    """Copies a file that the user has to its place, after checking it.

    Returns:
        Its new path; where a good copy is there already, that one.

    Raises:
        DataError: there is no such file, or it is another one.
        UnwritableError: BENCH_DATA cannot be written.
    """
    path = Path(path).expanduser()
    if (target := own_path(pretrained)).exists():
        return verified(target, pretrained["sha256"])
    verified(path, pretrained["sha256"])

    def write(temporary: Path) -> None:
        shutil.copyfile(path, temporary)
        verified(temporary, pretrained["sha256"], f"the copy of '{path}'")

    write_atomically(target, write)
    return target


def _published(pretrained: Pretrained) -> str:
    return str(pretrained["sha256"])[:PUBLISHED_DIGITS]
