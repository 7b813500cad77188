"""The folder of an export: made whole or not at all, and never in place of anything but an unchanged earlier export."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.atomic import flush_folder
from bench.errors import ConfigError, UnwritableError, one_line

LISTING = "export.json"  # says what the export wrote, so that what somebody else did is not lost


@contextmanager
def new_export(out: Path, form: str) -> Iterator[Path]:
    """Gives a temporary folder to fill, which becomes `out` when nothing was raised.

    Args:
        out: must not exist, be empty, or hold an export of the same format in which no file was changed or added.
        form: the format.

    Raises:
        ConfigError: `out` is something else.
        UnwritableError: `out` cannot be written.
    """
    check_free(out, form)
    out = out.resolve()  # "." has no name
    temporary, earlier = (out.with_name(f"_{out.name}.{secrets.token_hex(4)}.tmp") for _ in range(2))
    try:
        temporary.mkdir(parents=True)
        yield temporary
        listing = {"program": "segnet-bench", "format": form, "files": _digests(temporary)}
        (temporary / LISTING).write_text(f"{json.dumps(listing, indent=1)}\n", encoding="utf-8")
        if out.exists():
            out.replace(earlier)
        temporary.replace(out)
        flush_folder(out.parent)
    except OSError as error:
        raise UnwritableError(f"'{one_line(out)}' cannot be written: {error.strerror or error}") from None
    finally:
        if earlier.exists() and not out.exists():
            earlier.replace(out)
        for folder in (temporary, earlier):
            shutil.rmtree(folder, ignore_errors=True)


def check_free(out: Path, form: str) -> None:
    """Raises what `new_export` would, so that it is known before anything is computed."""
    try:
        _check_free(out, form)
    except OSError as error:
        raise UnwritableError(f"'{one_line(out)}' cannot be written: {error.strerror}") from None


def _check_free(out: Path, form: str) -> None:
    """Raises ConfigError where something would be lost."""
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise ConfigError(f"--out '{one_line(out)}' is no folder; name one that is not there yet")
    if not out.exists() or not any(out.iterdir()):
        return
    earlier = _listing(out)
    if earlier is None:
        raise ConfigError(f"--out '{one_line(out)}' is not empty, and nothing is overwritten; name another folder")
    if earlier.get("format") != form:
        raise ConfigError(
            f"--out '{one_line(out)}' holds an export of format {one_line(earlier.get('format'), 40)}, not {form}; "
            "name another folder"
        )
    known = earlier.get("files")
    changed = [
        name for name, digest in _digests(out).items() if not isinstance(known, dict) or known.get(name) != digest
    ]
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise ConfigError(
            f"--out '{one_line(out)}' holds an earlier export in which '{one_line(changed[0])}'{more} was changed or "
            "added since, and nothing is overwritten; name another folder"
        )


def _listing(out: Path) -> dict[str, object] | None:
    """Returns what an earlier export says of itself; None where there is none."""
    try:
        found = json.loads((out / LISTING).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and found.get("program") == "segnet-bench" else None


def _digests(folder: Path) -> dict[str, str]:
    """Returns SHA-256 of every file but the listing, by path relative to the folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path != folder / LISTING:
            with path.open("rb") as file:
                found[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
        elif path.is_symlink():
            found[path.relative_to(folder).as_posix()] = "a link"
    return found
