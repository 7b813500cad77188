"""What a PNG file declares is checked before it is decoded, and nothing is converted in silence."""

import io
import os
import random
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from bench.data.png import MAX_FILE_BYTES, read_png
from bench.errors import DataError

MODES = ("RGB", "L", "P")


def png(width, height, bits=8, colour=0, pixels=b"", more=()):
    """A PNG file of any header: colour 0 is grey, 2 RGB; `more` are chunks before the pixels."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)), *more]
    chunks += [(b"IDAT", zlib.compress(pixels)), (b"IEND", b"")]
    data = b"\x89PNG\r\n\x1a\n"
    for kind, body in chunks:
        data += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return data


def grey(width, height, bits=8):
    return png(width, height, bits, 0, bytes((width * bits // 8 + 1) * height))


@pytest.fixture
def read(tmp_path):
    def opened(content, modes=MODES, size=None):
        (tmp_path / "a.png").write_bytes(content)
        return read_png(tmp_path / "a.png", modes, size)

    return opened


def test_a_good_picture_comes_back(read):
    data = io.BytesIO()
    pixels = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    Image.fromarray(pixels).save(data, "PNG")
    assert (np.asarray(read(data.getvalue(), size=(2, 3))) == pixels).all()


def test_another_size_is_refused_before_a_pixel_is_decoded(read):
    bomb = png(60_000, 60_000, 8, 2, bytes(1000))
    tracemalloc.start()
    with pytest.raises(DataError, match=r"a\.png: is 60000x60000 px, expected 360x480$"):
        read(bomb, size=(360, 480))
    with pytest.raises(DataError, match=r"a\.png: is 60000x60000 px, at most 8192x8192 are read$"):
        read(bomb)
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


def test_a_second_header_that_says_otherwise_is_refused(read):
    again = (b"IHDR", struct.pack(">IIBBBBB", 9000, 9000, 8, 0, 0, 0, 0))
    with pytest.raises(DataError, match=r"a\.png: is 9000x9000 px, expected 4x4"):
        read(png(4, 4, more=[again], pixels=bytes(100)), size=(4, 4))


@pytest.mark.parametrize("bits", [1, 2, 4, 16])
def test_other_depths_are_refused(read, bits):
    """Pillow reads 16 bits a channel of RGB as 8, and 2 or 4 bits of grey as other numbers."""
    with pytest.raises(DataError, match=rf"a\.png: has {bits} bits a channel, expected 8"):
        read(grey(8, 8, bits))


def test_other_modes_are_refused(read):
    with pytest.raises(DataError, match=r"a\.png: pixel mode is LA, expected RGB or L or P"):
        read(png(4, 4, 8, 4, bytes(9 * 4)))


def test_animated_pictures_are_refused(read):
    data = io.BytesIO()
    frames = [Image.new("L", (4, 4), shade) for shade in (0, 200)]
    frames[0].save(data, "PNG", save_all=True, append_images=frames[1:])
    with pytest.raises(DataError, match=r"a\.png: is animated, expected a single picture"):
        read(data.getvalue())


def test_other_formats_are_refused_whatever_their_name(read):
    data = io.BytesIO()
    Image.new("RGB", (4, 4)).save(data, "JPEG")
    with pytest.raises(DataError, match=r"a\.png: missing, truncated or not a PNG image: it does not begin as PNG"):
        read(data.getvalue())


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", grey(8, 8)[:25], grey(8, 8)[:-26]])
def test_truncated_pictures_are_refused(read, content):
    with pytest.raises(DataError, match=r"a\.png: missing, truncated or not a PNG image"):
        read(content)


def test_a_text_that_unpacks_to_gigabytes_is_refused(read):
    text = (b"zTXt", b"key\0\0" + zlib.compress(bytes(80 << 20), 1))
    with pytest.raises(DataError, match="not a PNG image"):
        read(png(4, 4, pixels=bytes(100), more=[text]))


def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "broken.png").symlink_to(tmp_path / "nowhere")
    for name in ("pipe", "folder", "broken", "missing"):
        with pytest.raises(DataError, match=rf"{name}\.png: missing, truncated or not a PNG image"):
            read_png(tmp_path / f"{name}.png", MODES)


def test_a_large_file_is_not_read(tmp_path):
    with (tmp_path / "a.png").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(DataError, match=r"a\.png: 8388609 bytes; at most 8 MiB are read"):
        read_png(tmp_path / "a.png", MODES)


def test_flipped_bytes_end_in_one_line(read):
    dice, good = random.Random(1511), grey(8, 8)
    for _ in range(300):
        hurt = bytearray(good)
        hurt[dice.randrange(len(hurt))] = dice.randrange(256)
        message = ""
        try:
            read(bytes(hurt), size=(8, 8))
        except DataError as error:
            message = str(error)
        assert len(message.splitlines()) <= 1
