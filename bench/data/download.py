"""Brings CamVid to BENCH_DATA/CamVid: from a URL, or from a folder or archive that the user has.

Everything happens in a temporary folder beside the target. Only after every image of every split has been
decoded and its digest found right is that folder renamed to its final name, so that whatever goes wrong on the
way, half a data set is never taken for a whole one.

What is taken out of an archive, and what is refused, is in `bench.data.archive`.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from bench.data import camvid
from bench.data.archive import MAX_ARCHIVE_BYTES, extract
from bench.data.split import SPLITS, Options
from bench.errors import DataError

# Called with the bytes so far and, where the server says so, the bytes in all.
Progress = Callable[[int, int | None], None]

TIMEOUT_S = 60


def fetch(url: str, options: Options, progress: Progress | None = None) -> Path:
    """Downloads an archive (zip or tar) that holds a CamVid folder, checks it and puts it in place.

    Args:
        url: http or https.
        options: images per split, and `sha256` per split.
        progress: told how many bytes have come.

    Returns:
        The folder; where a good copy is there already, that one, without a download.

    Raises:
        DataError: the server, the archive or the images in it; nothing is left behind.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise DataError(f"{url}: only http:// and https:// addresses can be downloaded")
    if (present := _present(options)) is not None:
        return present
    with _stage() as stage:
        archive = stage / "archive"
        download_file(url, archive, progress)
        extract(archive, stage / "CamVid", url)
        _check(stage / "CamVid", options, f"{url}: CamVid")
        return _put_in_place(stage / "CamVid")


def add(path: Path, options: Options) -> Path:
    """Copies a CamVid that the user has to its place, after checking it.

    Args:
        path: a folder that holds train/ and trainannot/, its parent, or an archive (zip or tar).
        options: images per split, and `sha256` per split.

    Returns:
        The folder; where a good copy is there already, that one.

    Raises:
        DataError: there is nothing usable at the path, or it is damaged; nothing is left behind.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise DataError(
            f"{path}: no such file or folder; name the folder that holds train/ and trainannot/, or an archive"
        )
    found = [folder for folder in (path, path / "CamVid") if (folder / "trainannot").is_dir()]
    if path.is_dir() and not found:
        raise DataError(f"{path}: holds no train/ and trainannot/, and no CamVid/ that does")
    if (present := _present(options)) is not None:
        return present
    with _stage() as stage:
        if found:
            _check(found[0], options, str(found[0]))
            _copy(found[0], stage / "CamVid", options)
        else:
            extract(path, stage / "CamVid", str(path))
            _check(stage / "CamVid", options, f"{path}: CamVid")
        return _put_in_place(stage / "CamVid")


def download_file(url: str, target: Path, progress: Progress | None) -> None:
    """Writes what a URL holds to a file."""
    import pooch  # slow to import, and only wanted here
    import requests

    downloader = pooch.HTTPDownloader(
        progressbar=_Bar(progress, url), chunk_size=1 << 18, timeout=TIMEOUT_S, headers={"Connection": "close"}
    )
    try:
        downloader(url, str(target), None)
    except (requests.RequestException, OSError) as error:
        raise DataError(f"{url}: download failed: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """Returns the innermost reason of a network error, without the layers around it."""
    response = getattr(error, "response", None)
    if response is not None:
        response.close()
        return f"the server answered {response.status_code} {response.reason}"
    while True:
        inner = getattr(error, "reason", None) or (error.args[0] if error.args else None)
        if not isinstance(inner, Exception):
            break
        error = inner
    return str(error.args[-1] if error.args else error).split("\n")[0] or type(error).__name__


class _Bar:
    """What pooch talks to as a progress bar: passes the bytes on, and stops a download without end."""

    def __init__(self, progress: Progress | None, url: str) -> None:
        self.total = 0
        self._progress, self._url, self._done = progress, url, 0

    def update(self, count: int) -> None:
        self._done += count
        if self._done > MAX_ARCHIVE_BYTES:
            raise DataError(f"{self._url}: more than {MAX_ARCHIVE_BYTES >> 30} GiB; refused")
        if self._progress is not None:
            # pooch counts whole chunks, so the last one overshoots.
            total = self.total or None
            self._progress(min(self._done, self.total) if total else self._done, total)

    def reset(self) -> None:
        self._done = 0

    def close(self) -> None:
        pass


@contextmanager
def _stage() -> Iterator[Path]:
    """Yields a temporary folder beside the target, on the same file system; removes it afterwards."""
    base = camvid.data_folder()
    try:
        base.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=".camvid-", dir=base))
    except OSError as error:
        raise DataError(f"cannot write to {base}: {error.strerror}; BENCH_DATA names another folder") from error
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _present(options: Options) -> Path | None:
    """Returns the copy that is in place, if it is good; None where there is none."""
    target = camvid.data_folder() / "CamVid"
    if not target.exists():
        return None
    problems = [report.problem for report in camvid.verify_folder(target, options) if report.problem]
    if problems:
        raise DataError(f"{target} is there and is not right ({problems[0]}); move it away and try again")
    return target


def _check(root: Path, options: Options, called: str) -> None:
    """Raises DataError with the first problem of a folder, which messages name `called`."""
    for report in camvid.verify_folder(root, options):
        if report.problem:
            raise DataError(f"not taken: {report.problem.replace(str(root), called)}")


def _copy(source: Path, target: Path, options: Options) -> None:
    """Copies the images of all splits and the lists."""
    try:
        for split in SPLITS:
            _copy_files(source, target, (f"{split}.txt",) if (source / f"{split}.txt").exists() else ())
            names = camvid.list_names(source, split)
            _copy_files(source, target, (f"{split}/{name}.png" for name in names))
            _copy_files(source, target, (f"{split}annot/{name}.png" for name in names))
    except OSError as error:
        raise DataError(f"cannot copy {source} to {target.parent.parent}: {error}") from error


def _copy_files(source: Path, target: Path, files: Iterable[str]) -> None:
    for file in files:
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / file, target / file)


def _put_in_place(folder: Path) -> Path:
    """Renames a checked folder to its final name."""
    target = camvid.data_folder() / "CamVid"
    try:
        return folder.rename(target)
    except OSError as error:
        raise DataError(f"cannot rename to {target}: {error.strerror}") from error
