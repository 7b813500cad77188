import hashlib
import io
import logging
import os

import numpy as np
import pytest

from bench.data import IGNORE_INDEX, Dataset, Split, load_split
from bench.data.cache import load_cached
from bench.data.split import pixel_digest
from bench.errors import DataError

PALETTE = np.zeros((3, 3), np.uint8)


class Counted:
    """A data set of one grey image that counts how often it is loaded."""

    def __init__(self, files=()):
        self.loads = 0
        self.dataset = Dataset("Grey", ("a", "b"), PALETTE, self.load, lambda split, options: list(files))

    def load(self, split, height, width, options):
        self.loads += 1
        images = np.full((1, height, width, 3), options["grey"], np.uint8)
        labels = np.full((1, height, width), IGNORE_INDEX, np.uint8)
        return Split(images, labels, ("x",), ("a", "b"), pixel_digest(("x",), images, labels))

    def get(self, grey=7, height=4, split="train"):
        return load_cached("grey", self.dataset, split, height, 6, {"grey": grey})


def entries(home):
    return sorted((home / "cache").iterdir())


def test_the_second_load_comes_from_the_cache(data_home):
    counted = Counted()
    first, second = counted.get(), counted.get()
    assert counted.loads == 1
    assert second.digest == first.digest
    assert second.names == ("x",)
    assert (second.images == 7).all()
    assert second.images.flags.writeable
    assert len(entries(data_home)) == 1


def test_options_size_and_split_have_entries_of_their_own(data_home):
    counted = Counted()
    assert counted.get(grey=1).images.max() == 1
    assert counted.get(grey=2).images.max() == 2
    counted.get(height=5)
    counted.get(split="val")
    assert counted.loads == 4
    # An older entry of the same split and size goes.
    assert len(entries(data_home)) == 3


def test_a_changed_source_file_is_read_again(tmp_path):
    source = tmp_path / "a.png"
    source.write_bytes(b"1")
    counted = Counted([source])
    counted.get()
    counted.get()
    os.utime(source, ns=(1, 1))
    counted.get()
    assert counted.loads == 2


def test_a_missing_source_file_is_named_though_cached(tmp_path):
    source = tmp_path / "a.png"
    source.write_bytes(b"1")
    counted = Counted([source])
    counted.get()
    source.unlink()
    with pytest.raises(DataError, match=r"a\.png: missing or unreadable"):
        counted.get()


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "garbage"])
def test_a_damaged_entry_is_rebuilt(data_home, caplog, damage):
    counted = Counted()
    good = counted.get(height=50)
    path = entries(data_home)[0]
    data = bytearray(path.read_bytes())
    if damage == "truncated":
        data = data[:-500]
    elif damage == "flipped":
        data[400] ^= 1
    else:
        data = bytearray(b"" if damage == "empty" else b"PK" + bytes(300))
    path.write_bytes(data)
    with caplog.at_level(logging.WARNING):
        again = counted.get(height=50)
    assert again.digest == good.digest
    assert counted.loads == 2
    assert "is damaged" in caplog.text
    assert counted.get(height=50).digest == good.digest
    assert counted.loads == 2


def test_an_entry_that_would_run_code_is_rebuilt(data_home, caplog, tmp_path):
    counted = Counted()
    counted.get()
    path = entries(data_home)[0]
    objects = io.BytesIO()
    planted = np.array([Planted(tmp_path / "ran")], dtype=object)
    np.savez(objects, names=planted, digest=planted, images=planted, labels=planted)
    path.write_bytes(hashlib.sha256(objects.getvalue()).digest() + objects.getvalue())
    assert (counted.get().images == 7).all()
    assert counted.loads == 2
    assert "is damaged" in caplog.text
    assert not (tmp_path / "ran").exists()


class Planted:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (type(self.path).touch, (self.path,))


def test_every_flipped_byte_is_found(data_home, caplog):
    counted = Counted()
    counted.get()
    path = entries(data_home)[0]
    good = path.read_bytes()
    places = range(0, len(good), 23)
    for place in places:
        hurt = bytearray(good)
        hurt[place] ^= 1
        path.write_bytes(hurt)
        assert (counted.get().images == 7).all()
    assert counted.loads == 1 + len(places)
    assert path.read_bytes() == good


def test_an_interrupted_write_leaves_no_entry(data_home, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Counted().get()
    assert entries(data_home) == []


def test_a_folder_that_cannot_be_written_means_no_cache_and_a_warning(data_home, caplog):
    data_home.mkdir()
    (data_home / "cache").write_text("a file where the folder should be")
    counted = Counted()
    with caplog.at_level(logging.WARNING):
        assert (counted.get().images == 7).all()
    assert "no cache for this run: cannot write" in caplog.text


def test_no_temporary_file_is_left_when_the_disk_is_full(data_home, monkeypatch, caplog):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    assert (Counted().get().images == 7).all()
    assert "No space left" in caplog.text
    assert entries(data_home) == []


def test_camvid_is_decoded_once(tiny, monkeypatch):
    _, options = tiny
    first = load_split("camvid", "train", 36, 48, options)
    monkeypatch.setattr("bench.data.camvid.read_pair", None)  # a second decoding would fail
    assert load_split("camvid", "train", 36, 48, options).digest == first.digest
