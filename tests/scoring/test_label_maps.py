"""Label maps made elsewhere: what is read, and every way in which a folder of PNGs can be wrong."""

import io
import os
import struct
import zlib

import numpy as np
import pytest
from hypothesis import strategies as st
from PIL import Image
from property_based import OFTEN, always

from bench.data.camvid_classes import CLASS_NAMES, PALETTE
from bench.errors import BenchError, DataError
from bench.scoring.predictions import Reading, read_label_map, read_predictions

IDS = np.arange(12, dtype=np.uint8).reshape(3, 4) % 11
PLAIN = Reading((3, 4), CLASS_NAMES, PALETTE)


def png(pixels, **saving) -> bytes:
    data = io.BytesIO()
    picture = pixels if isinstance(pixels, Image.Image) else Image.fromarray(np.asarray(pixels))
    picture.save(data, "PNG", **saving)
    return data.getvalue()


def indexed(ids, colours=PALETTE):
    picture = Image.fromarray(ids).convert("P")
    picture.putpalette(np.ascontiguousarray(colours).tobytes())
    return picture


def read(tmp_path, content, reading=PLAIN):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    return read_label_map(path, reading)


def declared(width, height, bits=8, kind=0, body=b""):
    """A PNG whose header says what it likes."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "changes"),
    [
        (png(IDS), {}),
        (png(indexed(IDS)), {}),  # Pillow writes 4 bits a pixel
        (png(indexed(IDS), bits=8), {}),
        (png(indexed(IDS, np.tile(PALETTE, (20, 1)))), {}),
        (png(IDS + np.uint8(1)), {"first_id": 1}),
        (png(PALETTE[IDS]), {"encoding": "palette"}),
        (png(indexed(IDS)), {"encoding": "palette"}),
        (png(indexed(np.uint8(10) - IDS, PALETTE[10::-1])), {"encoding": "palette"}),  # another order of colours
        (png(np.kron(IDS, np.ones((3, 5), np.uint8))), {"resize": True}),
    ],
)
def test_what_is_read(tmp_path, content, changes):
    found = read(tmp_path, content, PLAIN._replace(**changes))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, IDS)


def test_resizing_takes_the_label_under_the_centre(tmp_path):
    pixels = np.array([[0, 1, 2, 3, 4, 5]], np.uint8)
    found = read(tmp_path, png(pixels), Reading((1, 2), CLASS_NAMES, PALETTE, resize=True))
    assert found.tolist() == [[1, 4]]


BLACK = np.zeros((3, 4, 3), np.uint8)


@pytest.mark.parametrize(
    ("content", "changes", "message"),
    [
        (png(np.full((3, 4), 11, np.uint8)), {}, r"id 11 at row 0, column 0; "
         r"allowed are 0 \(Sky\) to 10 \(Bicyclist\); ids that start at 1 need --first-id 1; if it is void"),
        (png(np.full((3, 4), 255, np.uint8)), {}, r"id 255 .*; void \(255\) is no prediction, every"),
        (png(np.full((3, 4), 200, np.uint8)), {}, r"id 200 .*; are these class ids in the order of the data set\?"),
        (png(IDS), {"first_id": 1}, r"id 0 .*allowed are 1 \(Sky\) to 11 .*; ids that start at 0 need --first"),
        (png(PALETTE[IDS]), {}, "is RGB with 8 bits a channel; .*; colours need --encoding palette"),
        (png(IDS), {"encoding": "palette"}, "is grey with 8 bits a channel; --encoding palette reads RGB with 8 bits"),
        (png(BLACK), {"encoding": "palette"}, r"colour \(0, 0, 0\) at row 0, column 0 is that of void"),
        (png(BLACK + np.uint8(7)), {"encoding": "palette"}, r"colour \(7, 7, 7\) at row 0, column 0 is no class"),
        (png(IDS.astype(np.uint16)), {}, "is grey with 16 bits a channel; --encoding ids reads grey with 8 bits"),
        (png(IDS > 3), {}, "is grey with 1 bits a channel"),
        (png(np.dstack([PALETTE[IDS], IDS])), {}, "is RGB with alpha with 8 bits"),
        (declared(4, 3, 8, 5), {}, "is of an unknown kind with 8 bits"),
        (declared(4, 3, 16, 2), {"encoding": "palette"}, "is RGB with 16 bits a channel"),
        (png(np.zeros((4, 3), np.uint8)), {}, r"is 4x3 px \(height x width\), the labels are 3x4; .*--resize nearest"),
        (declared(100_000, 100_000), {}, "is 100000x100000 px, at most 8192x8192 are read"),
        (declared(100_000, 100_000), {"resize": True}, "is 100000x100000 px, at most 8192x8192 are read"),
        (declared(8000, 8000), {"resize": True}, "missing, truncated or not a PNG image"),
        (png(IDS)[:-30], {}, "missing, truncated or not a PNG image"),
        (png(IDS)[:20], {}, "missing, truncated or not a PNG image"),
        (b"", {}, "missing, truncated or not a PNG image"),
        (b"GIF89a" + bytes(100), {}, "missing, truncated or not a PNG image: it does not begin as PNG does"),
        (png(Image.fromarray(IDS), save_all=True, append_images=[Image.fromarray(IDS[::-1])]), {}, "is animated"),
        (bytes((8 << 20) + 1), {}, "8388609 bytes; at most 8 MiB are read"),
    ],
)  # fmt: skip
def test_what_is_refused(tmp_path, content, changes, message):
    with pytest.raises(DataError, match=rf"a\.png: .*{message}") as caught:
        read(tmp_path, content, PLAIN._replace(**changes))
    assert "\n" not in str(caught.value)


def folder_of(tmp_path, *names):
    for name in names:
        (tmp_path / name).write_bytes(png(IDS))
    return tmp_path


def test_a_folder_in_the_order_of_the_split_and_what_else_is_in_it(tmp_path):
    folder = folder_of(tmp_path, "b.png", "a.png", "c.png", "A.png", "notes.txt")
    (folder / "b.png").write_bytes(png(IDS[::-1]))
    (folder / "deeper").mkdir()
    maps, extra = read_predictions(folder, ["b", "a"], PLAIN)
    np.testing.assert_array_equal(maps, [IDS[::-1], IDS])
    assert extra == ["A.png", "c.png", "deeper", "notes.txt"]


def test_missing_images_are_counted_and_named(tmp_path):
    with pytest.raises(
        DataError, match=r"5 of 6 images are missing: b\.png, c\.png, d\.png and 2 more; a label map has"
    ):
        read_predictions(folder_of(tmp_path, "a.png"), list("abcdef"), PLAIN)


@pytest.mark.parametrize("name", ["nowhere", "file", "loop"])
def test_what_is_no_folder(tmp_path, name):
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(DataError, match=rf"predictions '.*{name}' cannot be listed: .*; name a folder"):
        read_predictions(tmp_path / name, ["a"], PLAIN)


def test_links_that_lead_nowhere_pipes_and_folders_are_no_pictures(tmp_path):
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    (tmp_path / "gone.png").symlink_to(tmp_path / "nothing")
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    for name in ("loop", "gone", "folder", "pipe"):
        with pytest.raises(DataError, match=rf"{name}\.png: missing, truncated or not a PNG image"):
            read_predictions(tmp_path, [name], PLAIN)


def test_links_to_pictures_are_read(tmp_path):
    (tmp_path / "real").write_bytes(png(IDS))
    (tmp_path / "a.png").symlink_to(tmp_path / "real")
    np.testing.assert_array_equal(read_predictions(tmp_path, ["a"], PLAIN)[0], [IDS])


@OFTEN
def test_any_bytes_are_read_as_classes_or_refused_in_one_line(tmp_path, times):
    said: list[str] = []
    good = [png(IDS), png(indexed(IDS)), png(PALETTE[IDS])]

    def check(damage):
        which, places, cut, encoding, resize = damage
        content = bytearray(good[which])
        for place, byte in places:
            content[place % len(content)] = byte
        reading = PLAIN._replace(encoding=encoding, resize=resize)
        try:
            found = read(tmp_path, bytes(content[: len(content) - cut]), reading)
        except BenchError as error:
            said.append(str(error))
        else:
            assert found.shape == (3, 4)
            assert found.max() < 11

    places = st.lists(st.tuples(st.integers(0, 10**4), st.integers(0, 255)), max_size=4)
    cuts = st.one_of(st.just(0), st.integers(0, 80))
    always(check, st.tuples(st.integers(0, 2), places, cuts, st.sampled_from(["ids", "palette"]), st.booleans()), times)
    assert said
    assert [line for line in said if "\n" in line] == []
