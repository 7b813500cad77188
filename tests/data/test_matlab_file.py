"""MATLAB files as SciPy writes them, byte by byte where it cannot, and damaged ones."""

import random
import struct

import numpy as np
import pytest
from scipy.io import savemat

from bench.data.matlab_file import read_variable
from bench.errors import DataError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "some.mat"


@pytest.mark.parametrize("compressed", [False, True])
def test_reads_what_scipy_writes(path, compressed):
    stored = {
        "numbers": np.arange(6, dtype=np.uint16).reshape(2, 3),
        "halves": np.array([[0.5, 1.5]]),
        "words": np.array(["wall", "night_stand", "Tür", ""], object),
        "scenes": np.array([("a", 1), ("b", 2)], dtype=[("rgbpath", object), ("other", object)]),
        "deep": np.array([np.array(["x"], object), 3], object),
    }
    savemat(path, stored, do_compression=compressed)
    assert read_variable(path, "numbers").tolist() == [[0, 1, 2], [3, 4, 5]]
    assert read_variable(path, "halves").tolist() == [[0.5, 1.5]]
    words = read_variable(path, "words")
    assert words[:3] == ["wall", "night_stand", "Tür"]
    assert len(words) == 4
    assert read_variable(path, "scenes", ("rgbpath",)) == [{"rgbpath": "a"}, {"rgbpath": "b"}]
    assert read_variable(path, "deep")[0] == ["x"]
    assert read_variable(path, "deep")[1].tolist() == [[3]]


@pytest.mark.parametrize("kind", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
def test_every_kind_of_number(path, kind):
    savemat(path, {"x": np.arange(10, dtype=kind).reshape(5, 2)})
    assert read_variable(path, "x").tolist() == np.arange(10).reshape(5, 2).tolist()


@pytest.mark.parametrize("order", "<>")
def test_either_order_of_bytes(path, order):
    """Header, then one matrix: class uint8, shape 1 x 3, name x in a short element, data in one."""
    flags = struct.pack(f"{order}IIII", 6, 8, 9, 0)
    shape = struct.pack(f"{order}IIii", 5, 8, 1, 3)
    name = struct.pack(f"{order}I", 1 << 16 | 1) + b"x\0\0\0"
    data = struct.pack(f"{order}I", 3 << 16 | 2) + bytes([7, 8, 9, 0])
    matrix = flags + shape + name + data
    head = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack(f"{order}H", 0x0100) + (b"IM" if order == "<" else b"MI")
    path.write_bytes(head + struct.pack(f"{order}II", 14, len(matrix)) + matrix)
    assert read_variable(path, "x").tolist() == [[7, 8, 9]]


def test_what_is_not_read_is_none(path):
    savemat(path, {"z": np.array([[1j]])})
    assert read_variable(path, "z") is None


def test_a_missing_variable_and_a_missing_file(path):
    savemat(path, {"x": 1})
    with pytest.raises(DataError, match=r"some\.mat: is another kind of MATLAB file: there is no variable y in it"):
        read_variable(path, "y")
    with pytest.raises(DataError, match=r"none\.mat: cannot be read: No such file"):
        read_variable(path.with_name("none.mat"), "x")
    with pytest.raises(DataError, match="no file, or larger than 1 GiB"):
        read_variable(path.parent, "x")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it does not begin as such files do"),
        (b"text, and more of it " * 20, "it does not begin as such files do"),
        (b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM", "it is of another version, such as 7.3"),
        (b"MATLAB 5.0".ljust(124) + b"\x00\x01IM" + struct.pack("<II", 14, 400), "an element is longer than the file"),
        (b"MATLAB 5.0".ljust(124) + b"\x00\x01IM" + struct.pack("<II", 15, 4) + b"junk", "incorrect header check"),
    ],
)
def test_what_is_no_such_file(path, content, message):
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"some\.mat: damaged, or no MATLAB file of version 5 to 7\.2: .*{message}"):
        read_variable(path, "x")


def test_cells_too_deep_in_each_other(path):
    deep = np.array(["end"], object)
    for _ in range(12):
        outer = np.empty(1, object)
        outer[0] = deep
        deep = outer
    savemat(path, {"x": deep})
    with pytest.raises(DataError, match="cells and structs are too deep in each other"):
        read_variable(path, "x")


@pytest.mark.parametrize("compressed", [False, True])
def test_damage_is_one_line_or_not_seen(path, compressed):
    scenes = np.array([(f"scene {i}", i) for i in range(4)], dtype=[("rgbpath", object), ("other", object)])
    savemat(path, {"numbers": np.zeros((9, 9)), "scenes": scenes}, do_compression=compressed)
    content, dice = path.read_bytes(), random.Random(0)
    messages = []
    for _ in range(300):
        damaged = bytearray(content)
        for _ in range(dice.choice([1, 2, 8])):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        path.write_bytes(damaged[: dice.choice([len(damaged), dice.randrange(len(damaged))])])
        for name in ("numbers", "scenes"):
            try:
                read_variable(path, name, ("rgbpath",))
            except DataError as error:
                messages.append(str(error))
    assert messages
    assert not any("\n" in message for message in messages)
