"""A digest over all bytes of a results file, kept in the file, so that whoever opens it knows that nothing changed.

It lies between the last page of a parquet file and its footer, a place that no offset of the footer points to: other
programs read the file as if it were not there, and one that they write anew has none. Files that were stored before
there were seals have none either; page checksums cover their rows.
"""

from __future__ import annotations

import hashlib

from bench.errors import ResultsError

MARK = b"bench sha256 "
_HEX = 64  # characters of the digest
_TAIL = 8  # bytes after the footer: its length, 4 bytes little-endian, and "PAR1"


def sealed(content: bytes) -> bytes:
    """Returns the bytes of a parquet file with their seal."""
    at = _footer_start(content)
    digest = hashlib.sha256(content).hexdigest().encode()
    return content[:at] + MARK + digest + content[at:]


def has_seal(content: bytes) -> bool:
    """Whether a parquet file has a seal, which then fits.

    Raises:
        ResultsError: it has one, and the bytes are others than those that were sealed.
    """
    end = _footer_start(content)
    start = end - _HEX - len(MARK)
    if start < 0 or content[start : start + len(MARK)] != MARK:
        return False
    bytes_around = memoryview(content)
    digest = hashlib.sha256(bytes_around[:start])
    digest.update(bytes_around[end:])
    if digest.hexdigest().encode() != content[end - _HEX : end]:
        raise ResultsError("it was changed or damaged after it was stored: its SHA-256 is another")
    return True


def _footer_start(content: bytes) -> int:
    """Returns where the footer begins; below 0 for what is no parquet file."""
    if len(content) < _TAIL:
        return -1
    return len(content) - _TAIL - int.from_bytes(content[-_TAIL:-4], "little")
