"""Loads a split once and keeps the decoded, resized arrays on disk, so that no later run waits for a decoder.

One file per (data set, split, size, options, source files, loader), under BENCH_DATA/cache: 32 bytes of SHA-256,
then what they are the digest of, an uncompressed .npz. The key holds name, size and modification time of every source
file and the text of this package, so neither edited data nor edited code can meet an old entry. Entries are written
under a temporary name, flushed and renamed; the digest is checked at every load, before anything is parsed.
"""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path

import numpy as np

from bench.atomic import write_atomically
from bench.data.camvid import data_folder
from bench.data.split import Dataset, Options, Split, check_request
from bench.errors import DataError, UnwritableError

DIGEST_BYTES = 32  # SHA-256

log = logging.getLogger(__name__)


def load_cached(name: str, dataset: Dataset, split: str, height: int, width: int, options: Options) -> Split:
    """Returns a split from the cache, or loads it and puts it there.

    Args:
        name: of the data set in the study: two data sets of one reader have entries of their own.
        dataset: its entry, from `bench.data.dataset_of`.
        split: train, val or test.
        height: rows, px.
        width: columns, px.
        options: what the study says about the data set.

    Raises:
        DataError: as `dataset.load`. A damaged entry is rebuilt and a folder that cannot be written means no
            cache; both are logged as warnings, neither changes the data or stops the run.
    """
    check_request(split, height, width)
    key = _key(name, dataset, split, height, width, options)
    path = data_folder() / "cache" / f"{name}-{split}-{height}x{width}-{key[:24]}.split"
    cached = _read(path, dataset.class_names)
    if cached is not None:
        return cached
    loaded = dataset.load(split, height, width, options)
    _write(path, loaded)
    return loaded


def _key(name: str, dataset: Dataset, split: str, height: int, width: int, options: Options) -> str:
    """Returns a digest of everything that decides the pixels."""
    files = [_identity(path) for path in dataset.source_files(split, options)]
    sha = hashlib.sha256()
    sha.update(json.dumps([name, split, height, width, options, files], sort_keys=True).encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        sha.update(source.read_bytes())
    return sha.hexdigest()


def _identity(path: Path) -> tuple[str, int, int]:
    """Returns name, size and modification time of a source file."""
    try:
        status = path.stat()
    except OSError as error:
        raise DataError(f"{path}: missing or unreadable: {error.strerror}") from error
    return str(path), status.st_size, status.st_mtime_ns


def _read(path: Path, class_names: tuple[str, ...]) -> Split | None:
    """Returns the entry, or None where there is none or it is damaged."""
    if not path.exists():
        return None
    try:
        with path.open("rb") as file:
            expected = file.read(DIGEST_BYTES)
            if hashlib.file_digest(file, "sha256").digest() != expected:
                raise ValueError("its content is not what was written")
            file.seek(DIGEST_BYTES)
            with np.load(file, allow_pickle=False) as entry:
                names, digest = tuple(entry["names"].tolist()), str(entry["digest"])
                return Split(entry["images"], entry["labels"], names, class_names, digest)
    except (OSError, ValueError, KeyError) as error:
        log.warning("cache entry %s is damaged (%s); reading the data set again", path, error)
        return None


def _write(path: Path, split: Split) -> None:
    """Stores an entry; a folder that cannot be written is logged."""

    def write(temporary: Path) -> None:
        with temporary.open("w+b") as file:
            file.seek(DIGEST_BYTES)
            np.savez(file, images=split.images, labels=split.labels, names=np.array(split.names), digest=split.digest)
            file.seek(DIGEST_BYTES)
            digest = hashlib.file_digest(file, "sha256").digest()
            file.seek(0)
            file.write(digest)

    try:
        write_atomically(path, write)
        # One entry per split and size: what was made of older data or by older code is of no use any more.
        for other in path.parent.glob(f"{path.stem.rpartition('-')[0]}-*"):
            if other != path:
                other.unlink(missing_ok=True)
    except (OSError, UnwritableError) as error:
        log.warning("no cache for this run: cannot write %s: %s", path.parent, error)
