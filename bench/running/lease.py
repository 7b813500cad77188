"""Leases: several `bench run` share a results folder, on several machines too, and no trial is run twice at once.

results/_leases/<name>.<generation>.json     who works on it; its age is the time since the holder's last heartbeat

The file of the highest generation counts. Whoever wants a free name, or one whose lease has expired, creates the next
generation; creating fails where the file exists, so one of them wins, and nobody renames or deletes a file that is in
use. Nothing is locked, and all ages are by the file server's clock, so this works on network file systems too.

What a lease cannot do: a holder that stood still for EXPIRY_S (SIGSTOP, a network that hung) goes on until its next
heartbeat, beside the process that took over. Hence every file of a trial is written whole, under the same name.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import secrets
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from bench.errors import UnwritableError
from bench.running.process import has_died, this_process

HEARTBEAT_S = 10.0
EXPIRY_S = 90.0  # more than a heartbeat and the 60 s for which an NFS client may believe an old time
ATTEMPTS = 10
MAX_BYTES = 4096  # of a lease file; a damaged one may be anything

GONE = (FileNotFoundError, NotADirectoryError)


class Holder(NamedTuple):
    """Somebody else who works on it; host and pid are None where the file does not say."""

    host: str | None
    pid: int | None
    age_s: float  # since the last heartbeat

    def __str__(self) -> str:
        who = "an unknown process" if self.pid is None else f"process {self.pid} on {self.host}"
        return f"{who}, last heard of {self.age_s:.0f} s ago"


class Lease:
    """The right to work on something, kept by a heartbeat in a thread until it is released.

    `lost` becomes True, at the latest at the next heartbeat, once somebody else took over or the file has gone: the
    work is another's then, and is to be stopped and not recorded.
    """

    def __init__(self, folder: Path, name: str, generation: int, content: bytes) -> None:
        self.lost = False
        self._folder, self._name, self._generation, self._content = folder, name, generation, content
        self._released = threading.Event()
        self._heartbeat = threading.Thread(target=self._beat, name=f"lease of {name}", daemon=True)
        self._heartbeat.start()

    def renew(self) -> bool:
        """Tells the others that the holder lives, unless somebody took over; returns whether the lease is held."""
        try:
            if self._is_ours() and _generations(self._folder, self._name)[-1:] == [self._generation]:
                os.utime(_path(self._folder, self._name, self._generation))  # a full disk has room for that
            else:
                self.lost = True
        except GONE:
            self.lost = True
        except OSError:
            pass  # the file server does not answer: whose lease it is will be seen when it does
        return not self.lost

    def release(self) -> None:
        """Ends the lease and removes its file, after those of older generations; again, it does nothing."""
        self._released.set()
        self._heartbeat.join()
        with contextlib.suppress(OSError):  # what cannot be removed now expires by itself
            if not self.lost and self._is_ours():
                for generation in _generations(self._folder, self._name):
                    if generation <= self._generation:
                        _path(self._folder, self._name, generation).unlink(missing_ok=True)

    def _is_ours(self) -> bool:
        """Says whether the file is the one we made: after a takeover and a release, the generations begin afresh."""
        found = _read(_path(self._folder, self._name, self._generation))
        return found is not None and found.content == self._content

    def _beat(self) -> None:
        while not self._released.wait(HEARTBEAT_S):
            if not self.renew():
                return

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


def acquire(folder: Path, name: str) -> Lease | Holder:
    """Takes the lease of `name`, or says who has it.

    Whoever had it before may have finished the work: look at what is stored again once you hold the lease.

    Args:
        folder: where the leases lie; it is made
        name: what is leased; letters, digits, '.', '_' and '-'

    Raises:
        ResultsError: the folder cannot be written.
    """
    assert re.fullmatch(r"[\w.-]+", name, re.ASCII), name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for _ in range(ATTEMPTS):
            if (found := _attempt(folder, name)) is not None:
                return found
            time.sleep(random.uniform(0, 0.02))  # two that got into each other's way do not meet again
    except OSError as error:
        raise UnwritableError(
            f"leases in '{folder}' cannot be written: {error.strerror or error}; "
            "make room or allow it, or choose another results folder with --results DIR"
        ) from None
    return Holder(None, None, 0.0)  # it changed hands all the time: others are at it


def _attempt(folder: Path, name: str) -> Lease | Holder | None:
    """Tries once; None when somebody was quicker and has left again."""
    started = {"started_at": datetime.now(UTC).isoformat(timespec="seconds"), "token": secrets.token_hex(8)}
    content = json.dumps(this_process() | started).encode()  # the token: no two leases have the same content
    draft = folder / f"_{name}.{secrets.token_hex(8)}.tmp"
    try:
        draft.write_bytes(content)
        os.utime(draft)
        now = draft.stat().st_mtime  # the file server's clock; the new file also makes an NFS client look afresh
        _sweep(folder, now)
        before = _look(folder, name)
        if before and not _expired(before[max(before)], now):
            return _holder(before[max(before)], now)
        generation = max(before, default=0) + 1
        path = _path(folder, name, generation)
        try:
            _create(path, draft, content)
        except FileExistsError:
            winner = _read(path)
            return winner and _holder(winner, now)
    finally:
        draft.unlink(missing_ok=True)
    os.utime(path)
    # Since we looked, the name may have been taken over, released and begun afresh below our generation. All create
    # first and look again then, so that of two at least one sees the other and withdraws.
    others = {number: seen.content for number, seen in _look(folder, name).items() if number != generation}
    if others.items() <= {number: seen.content for number, seen in before.items()}.items():
        return Lease(folder, name, generation, content)
    path.unlink(missing_ok=True)
    return None


class _Seen(NamedTuple):
    """A lease file as it was read."""

    content: bytes
    mtime: float


def _path(folder: Path, name: str, generation: int) -> Path:
    return folder / f"{name}.{generation:06d}.json"


def _generations(folder: Path, name: str) -> list[int]:
    """Returns the generations that have a file, ascending."""
    pattern = re.compile(re.escape(name) + r"\.([0-9]{6,})\.json")
    return sorted(int(match[1]) for entry in folder.iterdir() if (match := pattern.fullmatch(entry.name)))


def _look(folder: Path, name: str) -> dict[int, _Seen]:
    """Returns the lease files of a name by generation."""
    found = {generation: _read(_path(folder, name, generation)) for generation in _generations(folder, name)}
    return {generation: seen for generation, seen in found.items() if seen is not None}


def _read(path: Path) -> _Seen | None:
    """Reads a lease file; None where it has gone. Opening it makes an NFS client ask for its present time."""
    try:
        with path.open("rb") as file:
            return _Seen(file.read(MAX_BYTES), os.fstat(file.fileno()).st_mtime)
    except FileNotFoundError:
        return None


def is_held(folder: Path, name: str) -> bool:
    """Says whether somebody is working on it, as far as the clock of this machine can tell."""
    seen = _look(folder, name) if folder.is_dir() else {}
    return bool(seen) and not _expired(seen[max(seen)], time.time())


def _create(path: Path, draft: Path, content: bytes) -> None:
    """Makes `path` with the content of `draft`, in one step where the file system has hard links.

    Raises:
        FileExistsError: somebody else made it.
    """
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        found = _read(path)
        if found is None or found.content != content:  # ours: NFS lost the answer and repeated the request
            raise
    except OSError:  # no hard links (exFAT, some SMB servers): for a moment others see an empty file, which is young
        with path.open("xb") as file:
            file.write(content)


def _sweep(folder: Path, now: float) -> None:
    """Removes drafts of processes that were killed before they could, whatever they wanted."""
    for draft in folder.glob("_*.tmp"):
        with contextlib.suppress(OSError):
            if now - draft.stat().st_mtime > EXPIRY_S or has_died(_claims(draft.read_bytes())):
                draft.unlink()


def _expired(seen: _Seen, now: float) -> bool:
    """Says whether the holder is dead or has not been heard of for too long.

    A time far in the future is no heartbeat either: the server's clock was set back since, and the next one mends it.
    """
    return abs(now - seen.mtime) > EXPIRY_S or has_died(_claims(seen.content))


def _holder(seen: _Seen, now: float) -> Holder:
    claims = _claims(seen.content)
    return Holder(claims.get("host"), claims.get("pid"), max(0.0, now - seen.mtime))


def _claims(content: bytes) -> dict[str, Any]:
    """Returns what a lease file says; nothing where it is damaged, so that its time alone decides."""
    try:
        claims = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(claims, dict) or not isinstance(claims.get("host"), str):
        return {}
    pid = claims.get("pid")
    return claims if type(pid) is int and 0 < pid < 2**31 else {}
