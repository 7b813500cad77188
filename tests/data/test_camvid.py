import os
import struct

import numpy as np
import pytest
from PIL import Image

from bench.data import DATASETS, IGNORE_INDEX, camvid, load_split
from bench.errors import ConfigError, DataError, UnknownNameError


def test_reads_a_split_sorted_with_void_at_the_boundary(tiny):
    _, options = tiny
    split = camvid.load("train", 360, 480, options)
    assert split.names == ("train_000", "train_001")
    assert split.images.shape == (2, 360, 480, 3)
    assert split.images[1, 200, 0].tolist() == [10, 100, 200]
    assert split.labels[0, [0, 100, 350], 0].tolist() == [0, 3, IGNORE_INDEX]
    assert split.images.flags.c_contiguous
    assert len(split.class_names) == 11
    assert len(split.digest) == 64


def test_the_order_does_not_depend_on_the_list_file(tiny):
    root, options = tiny
    with_list = camvid.load("train", 36, 48, options)
    (root / "train.txt").unlink()
    assert camvid.load("train", 36, 48, options).digest == with_list.digest


def test_the_list_file_chooses_among_the_images_of_the_folder(tiny):
    root, options = tiny
    (root / "train" / "extra.png").write_bytes(b"not listed, never opened")
    assert camvid.load("train", 36, 48, options).names == ("train_000", "train_001")


def test_palette_and_order_are_the_published_ones():
    names, palette = DATASETS["camvid"].class_names, DATASETS["camvid"].palette
    assert names[0] == "Sky"
    assert names[10] == "Bicyclist"
    assert palette.shape == (12, 3)
    assert dict(zip(names, palette.tolist(), strict=False))["Road"] == [128, 64, 128]
    assert palette[11].tolist() == [0, 0, 0]


# --- where it is looked for


def test_missing_names_the_places_and_the_two_commands(data_home):
    with pytest.raises(DataError, match=r"BENCH_CAMVID is not set; .*home.CamVid; `bench data fetch camvid`"):
        camvid.locate()
    with pytest.raises(DataError, match="`bench data add camvid PATH`"):
        load_split("camvid", "train", 36, 48, {"train": 2})


def test_a_wrong_variable_is_not_passed_over(tiny, tmp_path, data_home, monkeypatch):
    tiny[0].rename(tmp_path / "aside")
    data_home.mkdir()
    (tmp_path / "aside").rename(data_home / "CamVid")
    with pytest.raises(DataError, match="BENCH_CAMVID is set; looked for"):
        camvid.locate()
    monkeypatch.delenv("BENCH_CAMVID")
    assert camvid.locate() == data_home / "CamVid"


def test_the_variable_may_name_the_parent(tiny, monkeypatch):
    monkeypatch.setenv("BENCH_CAMVID", str(tiny[0].parent))
    assert camvid.locate() == tiny[0]


# --- what is wrong with a file


def test_truncated_image_is_named(tiny):
    root, options = tiny
    path = root / "train" / "train_001.png"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"train_001\.png: missing, truncated or not a PNG"):
        camvid.load("train", 36, 48, options)


def test_missing_labels_are_named(tiny):
    root, options = tiny
    (root / "valannot" / "val_000.png").unlink()
    with pytest.raises(DataError, match=r"valannot.val_000\.png: missing"):
        load_split("camvid", "val", 36, 48, options)
    with pytest.raises(DataError, match=r"valannot.val_000\.png: missing, truncated"):
        camvid.load("val", 36, 48, options)


def test_label_above_11_is_named_with_its_place(tiny):
    root, options = tiny
    labels = np.zeros((360, 480), np.uint8)
    labels[7, 9] = 12
    Image.fromarray(labels).save(root / "testannot" / "test_000.png")
    with pytest.raises(DataError, match=r"test_000\.png: label 12 at row 7, column 9; allowed are 0-10"):
        camvid.load("test", 36, 48, options)


@pytest.mark.parametrize("folder", ["val", "valannot"])
def test_wrong_size_is_named(tiny, folder):
    root, options = tiny
    path = root / folder / "val_000.png"
    with Image.open(path) as image:
        smaller = image.resize((240, 180))
    smaller.save(path)
    with pytest.raises(DataError, match=rf"{folder}.val_000\.png: is 180x240 px, expected 360x480"):
        camvid.load("val", 36, 48, options)


def test_coloured_labels_are_refused(tiny):
    root, options = tiny
    Image.new("RGB", (480, 360)).save(root / "valannot" / "val_000.png")
    with pytest.raises(DataError, match="pixel mode is RGB, expected L or P"):
        camvid.load("val", 36, 48, options)


def test_labels_with_a_palette_are_read_as_indices(tiny):
    root, options = tiny
    path = root / "valannot" / "val_000.png"
    with Image.open(path) as image:
        labels = np.asarray(image)
    indexed = Image.fromarray(labels)
    indexed.putpalette(bytes(range(256)) * 3)
    indexed.save(path)
    assert camvid.load("val", 360, 480, options).labels[0, 0, 0] == 0


def test_a_decompression_bomb_is_refused_before_it_unfolds(tiny):
    root, options = tiny
    path = root / "val" / "val_000.png"
    content = bytearray(path.read_bytes())
    content[16:24] = struct.pack(">II", 60_000, 60_000)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"val_000\.png: is 60000x60000 px, expected 360x480"):
        camvid.load("val", 36, 48, options)


def test_wrong_count(tiny):
    _, options = tiny
    with pytest.raises(DataError, match="2 images, expected 367; `bench data fetch camvid`"):
        camvid.load("train", 36, 48, {**options, "train": 367})


def test_a_changed_pixel_is_found(tiny):
    root, options = tiny
    path = root / "val" / "val_000.png"
    with Image.open(path) as image:
        pixels = np.array(image)
    pixels[5, 5, 0] ^= 1
    Image.fromarray(pixels).save(path)
    with pytest.raises(DataError, match=r"CamVid val in .*: the pixels have SHA-256 .*, expected"):
        camvid.load("val", 36, 48, options)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("/SegNet/CamVid/val/a.png /SegNet/CamVid/valannot/b.png\n", r"val\.txt:1: must be the paths of an image"),
        ("a.png\n", r"val\.txt:1: must be"),
        ("val_000.png val_000.png\n\nval_000.png val_000.png\n", r"lists val_000\.png more than once"),
    ],
)
def test_list_file_errors(tiny, text, message):
    root, options = tiny
    (root / "val.txt").write_text(text)
    with pytest.raises(DataError, match=message):
        camvid.load("val", 36, 48, options)


def test_list_file_that_is_not_text(tiny):
    root, options = tiny
    (root / "val.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"val\.txt: cannot be read"):
        camvid.load("val", 36, 48, options)


@pytest.mark.parametrize("name", ["a\0b", "\x1b[31mred", "..", ".hidden", "a" * 5000, "a\u202eb", "<b>", "$x$"])
def test_list_file_with_a_name_that_no_image_has(tiny, name):
    root, options = tiny
    (root / "val.txt").write_text(f"/CamVid/val/{name}.png /CamVid/valannot/{name}.png\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"val\.txt: file name '.*'; allowed are letters, digits") as caught:
        load_split("camvid", "val", 36, 48, options)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("name", [b"a\nb.png", b"\xff.png", b"a b.png"])
def test_a_folder_with_a_name_that_no_image_has(tiny, name):
    root, options = tiny
    (root / "val.txt").unlink()
    with open(os.fsencode(root / "val") + b"/" + name, "wb"):  # noqa: PTH123 - the name is no text
        pass
    with pytest.raises(DataError, match=r"/val: file name '.*'; allowed are letters, digits"):
        load_split("camvid", "val", 36, 48, options)


def test_list_file_that_is_a_pipe_or_endless(tiny):
    root, options = tiny
    (root / "val.txt").unlink()
    os.mkfifo(root / "val.txt")
    with pytest.raises(DataError, match=r"val\.txt: cannot be read: not a file"):
        camvid.load("val", 36, 48, options)
    (root / "val.txt").unlink()
    with (root / "val.txt").open("wb") as file:
        file.truncate(9 << 20)
    with pytest.raises(DataError, match=r"val\.txt: 9437184 bytes; at most 8 MiB are read"):
        camvid.load("val", 36, 48, options)


def test_bad_requests(tiny):
    _, options = tiny
    with pytest.raises(UnknownNameError, match="unknown split 'valid', did you mean 'val'"):
        load_split("camvid", "valid", 36, 48, options)
    with pytest.raises(UnknownNameError, match="unknown data set 'camvod', did you mean 'camvid'"):
        load_split("camvod", "val", 36, 48, options)
    with pytest.raises(ConfigError, match="image size 0x48: height and width must be 1 to 8192 px"):
        load_split("camvid", "val", 0, 48, options)
    with pytest.raises(DataError, match="option 'val' must be the number of images, at least 1, got None"):
        camvid.load("val", 36, 48, {})


def test_verify_reports_each_split(tiny):
    root, options = tiny
    (root / "test" / "test_000.png").write_bytes(b"")
    reports = {report.split: report for report in DATASETS["camvid"].verify(options)}
    assert (reports["train"].images, reports["train"].expected, reports["train"].problem) == (2, 2, None)
    assert reports["val"].problem is None
    assert "test_000.png" in reports["test"].problem


# --- resizing


def test_shrinking_averages_the_area():
    image = np.zeros((4, 4, 3), np.uint8)
    image[:2, :2] = [[[0, 0, 0], [40, 40, 40]], [[80, 80, 80], [120, 120, 120]]]
    assert camvid.resize_image(image, 2, 2)[:, :, 0].tolist() == [[60, 0], [0, 0]]


def test_growing_keeps_the_range_and_the_same_size_is_untouched():
    image = np.random.default_rng(0).integers(50, 200, (6, 8, 3), dtype=np.uint8)
    grown = camvid.resize_image(image, 12, 16)
    assert grown.shape == (12, 16, 3)
    assert grown.min() >= 50
    assert camvid.resize_image(image, 6, 8) is image


@pytest.mark.parametrize(("height", "width"), [(3, 3), (5, 2), (6, 8), (13, 17), (1, 1)])
def test_labels_take_the_pixel_under_the_centre(height, width):
    labels = np.arange(48, dtype=np.uint8).reshape(6, 8)
    expected = [
        [labels[int((i + 0.5) * 6 / height), int((j + 0.5) * 8 / width)] for j in range(width)] for i in range(height)
    ]
    assert camvid.resize_labels(labels, height, width).tolist() == np.array(expected).tolist()


# --- the real images


@pytest.mark.camvid
def test_real_camvid_verifies(real_options):
    assert [report.problem for report in camvid.verify(real_options)] == [None] * 3


@pytest.mark.camvid
def test_real_camvid_at_mini_size(real_options):
    split = load_split("camvid", "val", 90, 120, real_options)
    assert split.images.shape == (101, 90, 120, 3)
    assert set(np.unique(split.labels)) == {*range(11), IGNORE_INDEX}
