"""Checkpoints of a training: written whole or not at all, checked before they are believed, never able to run code.

results/_checkpoints/<trial id>-<digest>/00000300.checkpoint    the newest KEPT of them

A file is one line of JSON (which trial, which iteration, on what, SHA-256 of the rest) and then what `torch.save` makes
of tensors, numbers, text, lists and dicts. It is read with `weights_only=True`.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import pickle
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import torch

from bench.atomic import write_atomically
from bench.errors import ConfigError, ResultsError
from bench.results.store import checkpoints_path
from bench.study.trials import Trial

FORMAT = 1
KEPT = 2
SUFFIX = ".checkpoint"
MAX_HEADER_BYTES = 1 << 20


class Checkpoints:
    """The checkpoints of one trial in a folder of their own; the folder exists once something is saved.

    Args:
        folder: for this trial alone
        trial: whose checkpoints these are; those of another configuration or source are refused
        decides_bits: what the training runs on now (see `device.decides_bits`)
    """

    def __init__(self, folder: Path, trial: Trial, decides_bits: Mapping[str, Any]) -> None:
        self.folder = folder
        self.trial = trial
        self.decides_bits = dict(decides_bits)

    def files(self) -> list[Path]:
        """Returns the checkpoints, newest first."""
        found = [path for path in self.folder.glob(f"*{SUFFIX}") if path.stem.isdecimal() and path.is_file()]
        return sorted(found, key=lambda path: int(path.stem), reverse=True)

    def save(self, iteration: int, state: Mapping[str, Any]) -> None:
        """Writes a checkpoint, then removes all but the newest KEPT.

        Raises:
            ResultsError: it cannot be written; those before it are untouched.
        """
        buffer = io.BytesIO()
        torch.save(dict(state), buffer)
        payload = buffer.getbuffer()
        header = {
            "format": FORMAT,
            "trial": self.trial.id,
            "digest": self.trial.digest,
            "iteration": iteration,
            "config": self.trial.as_dict(),
            "sources": self.trial.sources,
            "decides_bits": self.decides_bits,
            "sha256": hashlib.sha256(payload).hexdigest(),
        }

        def write(path: Path) -> None:
            with path.open("wb") as file:
                file.write(json.dumps(header).encode() + b"\n")
                file.write(payload)

        write_atomically(self.folder / f"{iteration:08d}{SUFFIX}", write)
        files = self.files()
        later = [path for path in files if int(path.stem) > iteration]  # damaged, or the training would be there
        for old in later + files[len(later) + KEPT :]:
            old.unlink(missing_ok=True)

    def newest(self) -> tuple[dict[str, Any] | None, list[str]]:
        """Returns the state of the newest checkpoint that is whole, or None, and a line for each that is not.

        Raises:
            ResultsError: a checkpoint belongs to another configuration; the message names what differs.
            ConfigError: determinism is strict and the checkpoint was written under other conditions.
        """
        problems = []
        for path in self.files():
            try:
                with path.open("rb") as file:
                    header = read_header(file)
                    self.check(path, header)
                    payload = file.read()
                if hashlib.sha256(payload).hexdigest() != header["sha256"]:
                    raise ValueError("its content is not what was written")
                state = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
            except (OSError, ValueError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
                problems.append(f"checkpoint '{path}' is damaged and left out: {str(error).splitlines()[0]}")
                continue
            return state | {"conditions": different(header["decides_bits"], self.decides_bits)}, problems
        return None, problems

    def check(self, path: Path, header: Mapping[str, Any]) -> None:
        """Raises the error of `newest` for a header that does not fit."""
        if header["digest"] != self.trial.digest:
            declared = different(header["config"], self.trial.as_dict())
            source = different(header["sources"], self.trial.sources)
            what = (
                ", ".join([*declared, *(f"source of {name.split(' ')[0]}" for name in source)]) or "protocol versions"
            )
            raise ResultsError(
                f"checkpoint '{path}' belongs to another configuration than trial {self.trial.id}; different: {what}; "
                "it is left where it is"
            )
        conditions = different(header["decides_bits"], self.decides_bits)
        if conditions and self.trial.determinism == "strict":
            raise ConfigError(
                f"checkpoint '{path}' was written under other conditions: {', '.join(conditions)}; strict determinism "
                "goes on only under the same ones: restore them, or delete the checkpoint to start afresh"
            )

    def foreign(self) -> list[str]:
        """Returns a line for every unfinished training of the same trial under another configuration or source."""
        lines = []
        for folder in sorted(self.folder.parent.glob(f"{self.trial.id}-{'?' * len(self.trial.digest)}")):
            if folder != self.folder:
                other = Checkpoints(folder, self.trial, self.decides_bits)
                for path in other.files()[:1]:
                    try:
                        with path.open("rb") as file:
                            self.check(path, read_header(file))
                    except (OSError, ValueError, ResultsError) as error:
                        lines.append(f"{error}")
        return lines

    def clear(self) -> None:
        """Removes them all, once the trial's results are stored or they are of no more use."""
        shutil.rmtree(self.folder, ignore_errors=True)


def checkpoints_of(results: Path, trial: Trial, decides_bits: Mapping[str, Any]) -> Checkpoints:
    """Returns the checkpoints of a trial in a results folder."""
    return Checkpoints(checkpoints_path(results, trial), trial, decides_bits)


def check_resumable(results: Path, trial: Trial, decides_bits: Mapping[str, Any]) -> None:
    """Finds out before any training whether `trial` may go on from its checkpoint here; reads its header only.

    Raises:
        ResultsError, ConfigError: as `Checkpoints.newest`.
    """
    found = checkpoints_of(results, trial, decides_bits)
    for path in found.files():
        with contextlib.suppress(OSError, ValueError), path.open("rb") as file:
            found.check(path, read_header(file))


def read_header(file: BinaryIO) -> dict[str, Any]:
    """Reads the first line; raises ValueError where it is not the header of a checkpoint."""
    header = json.loads(file.readline(MAX_HEADER_BYTES))
    wanted = {"format", "digest", "iteration", "config", "sources", "decides_bits", "sha256"}
    if not isinstance(header, dict) or not wanted <= set(header):
        raise ValueError("it has no header of a checkpoint")
    if header["format"] != FORMAT:
        raise ValueError(f"it has format {header['format']!r}, this program reads {FORMAT}")
    if not all(isinstance(header[name], dict) for name in ("config", "sources", "decides_bits")):
        raise ValueError("its header is not of the right types")
    return header


def different(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Returns "name was, now is" for every name whose value differs."""
    return [
        f"{name} {before.get(name)}, now {now.get(name)}"
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    ]
