"""Whatever an archive holds: images and lists under names made here, or one line that says why not."""

import bz2
import gzip
import io
import random
import shutil
import struct
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from archive_factory import as_tar, as_zip

from bench.data import archive
from bench.data.archive import extract
from bench.errors import DataError

GOOD = {"x/CamVid/train/a.png": b"image", "x/CamVid/trainannot/a.png": b"labels", "x/CamVid/train.txt": b"a.png a.png"}
PACKS = [as_zip, as_tar]
PLACES = {split + kind for split in ("train", "val", "test") for kind in ("", "annot", ".txt")}


@pytest.fixture
def unpack(tmp_path):
    """Extracts bytes and returns what came out, by name."""

    def extracted(content):
        (tmp_path / "archive").write_bytes(content)
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        extract(tmp_path / "archive", tmp_path / "out", "it")
        return files_below(tmp_path / "out")

    return extracted


def files_below(folder: Path):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def tar_of(*members):
    """A tar file of members with any header fields: (name, content, fields)."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as opened:
        for name, content, fields in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for field, value in fields.items():
                setattr(info, field, value)
            opened.addfile(info, io.BytesIO(content))
    return data.getvalue()


@pytest.mark.parametrize("mode", ["zip", "deflated", "w", "w:gz", "w:bz2", "w:xz"])
def test_images_and_lists_are_taken_and_nothing_else(unpack, mode):
    files = GOOD | {"x/README.md": b"1", "x/CamVid/notes/b.png": b"2", "x/CamVid/train.zip": b"3"}
    if mode in ("zip", "deflated"):
        content = as_zip(files, zipfile.ZIP_DEFLATED if mode == "deflated" else zipfile.ZIP_STORED)
    else:
        content = as_tar(files, mode)
    assert unpack(content) == {"train/a.png": b"image", "trainannot/a.png": b"labels", "train.txt": b"a.png a.png"}


@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize(
    "name",
    [
        "../evil.png",
        "/etc/evil.png",
        "//server/share/evil.png",
        "a/CamVid/train/../../../../evil.png",
        "C:/evil.png",
        "C:evil.png",
        "a\\..\\..\\evil.png",
        "\\\\server\\evil.png",
    ],
)
def test_members_that_climb_out_are_refused(unpack, tmp_path, pack, name):
    with pytest.raises(DataError, match=r"^it: member '.*evil\.png' points outside the archive; refused$"):
        unpack(pack(GOOD | {name: b"x"}))
    assert not list(tmp_path.rglob("evil*"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.parametrize("name", ["CamVid/train/a.png", "CamVid/train", "CamVid/other"])
def test_links_are_refused(unpack, kind, name):
    with pytest.raises(DataError, match=rf"member '{name}' is a link; refused"):
        unpack(tar_of((name, b"", {"type": kind, "linkname": "/etc/passwd"})))


def zip_member(name, mode, content=b"/etc"):
    data = io.BytesIO()
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    with zipfile.ZipFile(data, "w") as opened:
        opened.writestr(info, content)
    return data.getvalue()


def test_links_and_devices_in_a_zip_file_are_refused(unpack):
    with pytest.raises(DataError, match="member 'x/CamVid/train' is a link; refused"):
        unpack(zip_member("x/CamVid/train", 0o120777))
    with pytest.raises(DataError, match=r"member 'CamVid/train/a\.png' is not an image file"):
        unpack(zip_member("CamVid/train/a.png", 0o020666))


@pytest.mark.parametrize("kind", [tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.DIRTYPE])
def test_devices_are_refused(unpack, kind):
    with pytest.raises(DataError, match=r"member 'CamVid/train/a\.png' is not an image file NAME\.png; refused"):
        unpack(tar_of(("CamVid/train/a.png", b"", {"type": kind})))


@pytest.mark.parametrize(
    "name", [".bashrc", "a.zip", "a.png.zip", "a b.png", "a\x1b[31m.png", "a\u202egnp.png", "a" * 5000 + ".png", ".png"]
)
@pytest.mark.parametrize("pack", PACKS)
def test_odd_names_are_refused_and_shown_on_one_short_line(unpack, pack, name):
    with pytest.raises(DataError, match=r"is not an image file NAME\.png; refused$") as caught:
        unpack(pack({f"CamVid/train/{name}": b"x"}))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


def test_a_member_that_comes_twice_is_refused(unpack):
    with pytest.raises(DataError, match=r"holds a\.png twice; refused"):
        unpack(tar_of(("CamVid/val/a.png", b"1", {}), ("CamVid/val/a.png", b"22", {})))


def test_an_archive_of_something_else(unpack):
    with pytest.raises(DataError, match=r"it: holds no CamVid/train/NAME\.png"):
        unpack(as_zip({"notes/train/a.png": b"x"}))
    with pytest.raises(DataError, match="it: not a folder, and no zip or tar archive that can be read"):
        unpack(b"hello")


# --- bombs


def test_a_member_too_large_is_refused_though_it_is_small_when_packed(unpack):
    content = as_zip({"CamVid/train/a.png": bytes(9 << 20)}, zipfile.ZIP_DEFLATED)
    assert len(content) < 20_000
    with pytest.raises(DataError, match=r"'CamVid/train/a\.png' is 9437184 bytes, no CamVid file is; refused"):
        unpack(content)


def test_too_many_members_and_too_many_bytes_are_refused(unpack, monkeypatch):
    monkeypatch.setattr(archive, "MAX_MEMBERS", 2)
    with pytest.raises(DataError, match="unpacks to more than 2 files or 4 GiB; refused"):
        unpack(as_zip(GOOD))
    monkeypatch.setattr(archive, "MAX_MEMBERS", 3)
    monkeypatch.setattr(archive, "MAX_ARCHIVE_BYTES", 2000)
    elsewhere = {"elsewhere": bytes(1990)}  # not taken, and yet to be unpacked on the way
    with pytest.raises(DataError, match="unpacks to more than 3 files or 0 GiB; refused"):
        unpack(as_tar({**elsewhere, "CamVid/train/a.png": b"12345678901"}))
    with pytest.raises(DataError, match="it: larger than 0 GiB; refused"):
        unpack(as_zip({"elsewhere": bytes(3000)}))


def test_an_archive_in_the_archive_is_not_opened(unpack, tmp_path):
    inner = as_zip({"CamVid/train/b.png": bytes(1000)})
    assert "train/b.png" not in unpack(as_zip(GOOD | {"x/CamVid.zip": inner, "CamVid/inner.zip": inner}))


@pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressions_that_unpack_without_bound_are_refused(unpack, kind):
    with pytest.raises(DataError, match=r"member 'CamVid/train/a\.png' is not stored or deflated; refused"):
        unpack(as_zip({"CamVid/train/a.png": bytes(1000)}, kind))


def test_a_zip_file_whose_declared_size_lies_is_refused(unpack):
    content = bytearray(as_zip({"CamVid/train/a.png": bytes(5000)}, zipfile.ZIP_DEFLATED))
    directory = content.rindex(b"PK\x01\x02")
    content[directory + 24 : directory + 28] = struct.pack("<I", 10)
    with pytest.raises(DataError, match="not as long as the archive says|Bad CRC"):
        unpack(bytes(content))


def header(name, size, kind):
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
@pytest.mark.parametrize("place", ["first", "second"])
def test_a_header_that_unpacks_to_gigabytes_takes_no_memory(unpack, kind, place):
    before = as_tar(GOOD, "w")[:3072] if place == "second" else b""
    content = gzip.compress(before + header("x", 64 << 20, kind) + bytes(64 << 20), 1)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="it: a header that is longer than any archive needs; refused"):
            unpack(content)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_a_map_of_holes_without_end_takes_no_memory(unpack):
    """GNU's sparse files keep a list of numbers where others have their content."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT) as opened:
        info = tarfile.TarInfo("CamVid/train/a.png")
        info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": info.name}
        info.size = 8 << 20
        opened.addfile(info, io.BytesIO(b"99999999\n" + b"1\n" * (4 << 20)))
    with pytest.raises(DataError, match="it: a header that is longer"):
        unpack(gzip.compress(data.getvalue(), 1))


def test_a_directory_of_a_zip_file_is_bounded(unpack, monkeypatch):
    monkeypatch.setattr(archive, "MAX_DIRECTORY_BYTES", 1000)
    with pytest.raises(DataError, match="it: a header that is longer"):
        unpack(as_zip({f"{number}": b"" for number in range(100)}))


def test_a_negative_size_is_refused(unpack):
    content = bytearray(tar_of(("CamVid/train/a.png", b"", {})))
    content[124:136] = b"\xff" * 11 + b"\x00"  # −256, in the binary form of large numbers
    content[148:156] = b" " * 8
    content[148:156] = b"%06o\0 " % sum(content[:512])
    with pytest.raises(DataError, match=r"negative size; refused|cannot be unpacked"):
        unpack(bytes(content))


# --- damage


def test_a_truncated_archive_is_refused_or_gives_less(unpack):
    whole = {"train/a.png": b"image", "trainannot/a.png": b"labels", "train.txt": b"a.png a.png"}
    for pack in PACKS:
        content = pack(GOOD)
        for length in range(0, len(content), 7):
            check(unpack, content[:length], whole)


@pytest.mark.parametrize("pack", [as_zip, as_tar, lambda files: as_tar(files, "w")])
def test_flipped_bytes_end_in_one_line_whatever_they_hit(unpack, pack):
    damage(unpack, pack, 150)


@pytest.mark.slow
@pytest.mark.parametrize(
    "pack", [as_zip, as_tar, lambda files: as_tar(files, "w"), lambda files: bz2.compress(as_tar(files, "w"))]
)
def test_flipped_bytes_thoroughly(unpack, pack):
    damage(unpack, pack, 2000)


def damage(unpack, pack, times):
    dice = random.Random(1511)
    content = pack(GOOD)
    for _ in range(times):
        hurt = bytearray(content)
        for _ in range(dice.choice((1, 1, 3))):
            hurt[dice.randrange(len(hurt))] = dice.randrange(256)
        check(unpack, bytes(hurt), None)


def check(unpack, content, whole):
    """Nothing but DataError, one printable line; what came out lies where it should."""
    message, found = "", {}
    try:
        found = unpack(content)
    except DataError as error:
        message = str(error)
    assert message.isprintable()
    assert {name.split("/")[0] for name in found} <= PLACES
    if whole is not None:
        assert found.items() <= whole.items()
