"""Takes CamVid out of an archive that nobody vouches for.

Nothing but .../CamVid/SPLIT/NAME.png, .../CamVid/SPLITannot/NAME.png and .../CamVid/SPLIT.txt is taken, under names
made here, and one unsafe member refuses the whole. What an archive declares is checked before it is believed:
sizes are bounded one by one and together, and so is what its headers may take in memory. An archive inside the
archive is not opened.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from io import BufferedIOBase, BytesIO
from pathlib import Path
from typing import IO, Any

from bench.data import camvid
from bench.data.png import MAX_FILE_BYTES
from bench.data.split import SPLITS
from bench.errors import DataError

MAX_MEMBER_BYTES = MAX_FILE_BYTES
MAX_ARCHIVE_BYTES = 4 << 30  # packed and unpacked; the public archive is 0.2 GB
MAX_MEMBERS = 100_000
MAX_HEADER_BYTES = 1 << 20  # of one member of a tar file
MAX_DIRECTORY_BYTES = 32 << 20  # of a zip file, which is read at once

_FOLDERS = {folder for split in SPLITS for folder in (split, f"{split}annot")}
_LISTS = {f"{split}.txt" for split in SPLITS}
_DECOMPRESSORS: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}
# What the readers of the standard library raise for bytes that are no archive. RuntimeError is zipfile's word for
# an encrypted member.
_DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    OverflowError,
)


@dataclass(frozen=True)
class Member:
    """One file in an archive, of either kind."""

    name: str
    size: int  # bytes, as the archive declares it
    is_file: bool
    is_link: bool
    open: Callable[[], IO[bytes]]


def extract(archive: Path, target: Path, called: str) -> None:
    """Takes the CamVid images and lists out of an archive, and nothing else.

    Args:
        archive: a zip file, or a tar file, compressed or not.
        target: folder that is made.
        called: how messages name the archive.

    Raises:
        DataError: not an archive, truncated, or holds a member that is absolute, climbs with "..", is a link or
            a device inside CamVid/, is too big, or comes twice; or holds no CamVid/ at all.
    """
    taken = total = 0
    try:
        for number, member in enumerate(_members(archive, called)):
            if member.size < 0:
                raise DataError(f"{called}: member {member.name!r} has a negative size; refused")
            total += member.size
            if number >= MAX_MEMBERS or total > MAX_ARCHIVE_BYTES:
                raise DataError(
                    f"{called}: unpacks to more than {MAX_MEMBERS} files or {MAX_ARCHIVE_BYTES >> 30} GiB; refused"
                )
            place = _place(member, called)
            if place is None:
                continue
            if member.size > MAX_MEMBER_BYTES:
                raise DataError(f"{called}: {member.name!r} is {member.size} bytes, no CamVid file is; refused")
            (target / place).parent.mkdir(parents=True, exist_ok=True)
            with member.open() as source, (target / place).open("xb") as file:
                # The declared size may lie: never read more than it.
                content = source.read(member.size + 1)
                if len(content) != member.size:
                    raise DataError(f"{called}: {member.name!r} is not as long as the archive says; damaged")
                file.write(content)
            taken += 1
    except FileExistsError as error:
        raise DataError(f"{called}: holds {Path(error.filename).name} twice; refused") from error
    except _DAMAGE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{called}: cannot be unpacked, truncated or damaged: {reason[:200]}") from error
    if not taken:
        raise DataError(f"{called}: holds no CamVid/train/NAME.png, or any other file of the public layout")


def _place(member: Member, called: str) -> Path | None:
    """Returns where a member goes under CamVid/, or None where it is none of ours; refuses an unsafe one."""
    parts = member.name.replace("\\", "/").split("/")
    if parts[0] == "" or ".." in parts or ":" in parts[0]:
        raise DataError(f"{called}: member {member.name[:200]!r} points outside the archive; refused")
    if "CamVid" not in parts:
        return None
    rest = parts[parts.index("CamVid") + 1 :]
    if member.is_link:
        raise DataError(f"{called}: member {member.name[:200]!r} is a link; refused")
    wanted = (len(rest) == 2 and rest[0] in _FOLDERS and rest[1] != "") or (len(rest) == 1 and rest[0] in _LISTS)
    if not wanted:
        return None
    stem, dot, suffix = rest[-1].rpartition(".")
    if not member.is_file or (len(rest) == 2 and not (camvid.NAME.fullmatch(stem) and dot + suffix == ".png")):
        raise DataError(f"{called}: member {member.name[:200]!r} is not an image file NAME.png; refused")
    return Path(*rest)


def _members(archive: Path, called: str) -> Iterator[Member]:
    """Yields the members of a zip or tar file in order."""
    if not archive.is_file():
        raise DataError(f"{called}: neither a folder nor a file")
    if archive.stat().st_size > MAX_ARCHIVE_BYTES:
        raise DataError(f"{called}: larger than {MAX_ARCHIVE_BYTES >> 30} GiB; refused")
    if zipfile.is_zipfile(archive):
        yield from _zip_members(archive, called)
        return
    with archive.open("rb") as file:
        head = file.read(6)
    opener = next((opener for magic, opener in _DECOMPRESSORS.items() if head.startswith(magic)), open)
    with opener(archive, "rb") as plain:
        yield from _tar_members(_Metered(plain, called, MAX_HEADER_BYTES), called)


def _zip_members(archive: Path, called: str) -> Iterator[Member]:
    with archive.open("rb") as file:
        metered = _Metered(file, called, MAX_DIRECTORY_BYTES)
        with zipfile.ZipFile(metered) as opened:
            for info in opened.infolist():
                # The others unpack whatever they are given at once, in memory, however long it becomes.
                if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise DataError(f"{called}: member {info.filename[:200]!r} is not stored or deflated; refused")
                kind = stat.S_IFMT(info.external_attr >> 16)
                metered.allowance = 2 * MAX_MEMBER_BYTES
                yield Member(
                    info.filename,
                    info.file_size,
                    not info.is_dir() and kind in (0, stat.S_IFREG),
                    kind == stat.S_IFLNK,
                    partial(opened.open, info),
                )


def _tar_members(metered: _Metered, called: str) -> Iterator[Member]:
    try:
        opened = tarfile.TarFile(fileobj=metered)
    except tarfile.ReadError as error:
        raise DataError(f"{called}: not a folder, and no zip or tar archive that can be read") from error
    with opened:
        while (entry := opened.next()) is not None:
            is_link = entry.issym() or entry.islnk()
            is_file = entry.isfile() and not entry.issparse()
            metered.allowance = 2 * MAX_MEMBER_BYTES
            yield Member(entry.name, entry.size, is_file, is_link, partial(_open_tar, opened, entry))
            metered.allowance = MAX_HEADER_BYTES


def _open_tar(opened: tarfile.TarFile, entry: tarfile.TarInfo) -> IO[bytes]:
    return opened.extractfile(entry) or BytesIO()


class _Metered(BufferedIOBase):
    """A file that gives no more than `allowance` bytes, whoever asks: headers are read at the length they declare."""

    def __init__(self, file: IO[bytes], called: str, allowance: int) -> None:
        self.allowance = allowance
        self._file, self._called = file, called

    def read(self, size: int | None = -1) -> bytes:
        wanted = size if size is not None and 0 <= size <= self.allowance else self.allowance + 1
        data = self._file.read(wanted)
        self.allowance -= len(data)
        if self.allowance < 0:
            raise DataError(f"{self._called}: a header that is longer than any archive needs; refused")
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True
