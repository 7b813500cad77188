"""Pascal VOC 2012 in the development kit's layout, on a small tree."""

import numpy as np
import pytest
from PIL import Image

from bench.data import IGNORE_INDEX, pascal_voc
from bench.errors import DataError, UnknownNameError

OPTIONS = {"train": 3, "val": 1, "test": 2}
TRAIN = ["2007_000032", "2007_000039", "2008_000001", "2009_000002"]
VAL = ["2007_000033", "2007_000042"]


@pytest.fixture
def voc(tmp_path, monkeypatch):
    root = tmp_path / "VOCdevkit" / "VOC2012"
    for folder in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (root / folder).mkdir(parents=True)
    for index, name in enumerate(TRAIN + VAL):
        height, width = (20, 30) if index % 2 else (30, 20)
        Image.new("RGB", (width, height), (10 * index, 100, 200)).save(root / "JPEGImages" / f"{name}.jpg", quality=95)
        labels = np.zeros((height, width), np.uint8)
        labels[5:15, 5:15] = 255
        labels[6:14, 6:14] = 15 + index
        write_labels(root, name, labels)
    (root / "ImageSets" / "Segmentation" / "train.txt").write_text("\n".join(TRAIN) + "\n")
    (root / "ImageSets" / "Segmentation" / "val.txt").write_text("\n".join(VAL) + "\n")
    monkeypatch.setenv("BENCH_VOC", str(root))
    return root


def write_labels(root, name, labels):
    """As the development kit does: indices into its palette."""
    image = Image.fromarray(labels)
    image.putpalette(pascal_voc.bit_palette(256).tobytes())
    assert image.mode == "P"
    image.save(root / "SegmentationClass" / f"{name}.png")


def test_reads_the_splits(voc):
    train = pascal_voc.load("train", 12, 12, OPTIONS)
    assert train.names == ("2007_000032", "2007_000039", "2008_000001")
    assert pascal_voc.load("val", 12, 12, OPTIONS).names == ("2009_000002",)  # the last of the training list
    test = pascal_voc.load("test", 12, 12, OPTIONS)
    assert test.names == ("2007_000033", "2007_000042")  # the published validation list
    assert train.images.shape == (3, 12, 12, 3)
    assert len(train.class_names) == 21


def test_background_is_a_class_and_borders_are_void(voc):
    labels = pascal_voc.load("train", 30, 20, OPTIONS).labels[0]
    assert labels[0, 0] == 0
    assert labels[5, 5] == IGNORE_INDEX
    assert labels[10, 10] == 15
    assert set(np.unique(labels)) == {0, 15, IGNORE_INDEX}


def test_classes_and_colours_are_the_development_kits():
    names = dict(zip(pascal_voc.CLASS_NAMES, pascal_voc.PALETTE.tolist(), strict=False))
    assert names["Background"] == [0, 0, 0]
    assert names["Aeroplane"] == [128, 0, 0]
    assert names["Person"] == [192, 128, 128]
    assert names["TvMonitor"] == [0, 64, 128]
    assert pascal_voc.PALETTE.shape == (22, 3)
    assert pascal_voc.CLASS_NAMES.index("Person") == 15


@pytest.mark.parametrize("up", [0, 1, 2])
def test_the_variable_may_name_a_folder_above(voc, monkeypatch, up):
    monkeypatch.setenv("BENCH_VOC", str([voc, voc.parent, voc.parent.parent][up]))
    assert pascal_voc.locate() == voc


def test_missing_names_the_place_and_the_command(voc, data_home, monkeypatch):
    monkeypatch.setenv("BENCH_VOC", str(voc / "JPEGImages"))
    with pytest.raises(
        DataError, match=r"no Pascal VOC 2012: BENCH_VOC is set; looked for SegmentationClass/ in .*JPEG"
    ):
        pascal_voc.locate()
    monkeypatch.delenv("BENCH_VOC")
    with pytest.raises(
        DataError, match=r"BENCH_VOC is not set; .*home.VOCdevkit.VOC2012; `bench data add pascal_voc PATH`"
    ):
        pascal_voc.load("val", 8, 8, OPTIONS)


def test_source_files(voc):
    files = pascal_voc.source_files("val", OPTIONS)
    assert files == [voc / "JPEGImages" / "2009_000002.jpg", voc / "SegmentationClass" / "2009_000002.png"]


# --- damage


def test_a_missing_file_is_named_with_its_list(voc):
    (voc / "SegmentationClass" / "2007_000042.png").unlink()
    with pytest.raises(DataError, match=r"val\.txt lists 2007_000042, but its labels .*2007_000042\.png is missing"):
        pascal_voc.load("test", 8, 8, OPTIONS)
    (voc / "JPEGImages" / "2007_000033.jpg").unlink()
    with pytest.raises(DataError, match=r"val\.txt lists 2007_000033, but its image .*2007_000033\.jpg is missing"):
        pascal_voc.source_files("test", OPTIONS)


def test_an_id_that_is_no_class(voc):
    labels = np.zeros((30, 20), np.uint8)
    labels[3, 4] = 21
    write_labels(voc, "2007_000033", labels)
    with pytest.raises(
        DataError, match=r"2007_000033\.png: label 21 at row 3, column 4; allowed are 0-20 \(class\) and 255"
    ):
        pascal_voc.load("test", 8, 8, OPTIONS)


def test_labels_painted_in_colours(voc):
    Image.new("RGB", (20, 30)).save(voc / "SegmentationClass" / "2007_000033.png")
    with pytest.raises(DataError, match=r"2007_000033\.png: pixel mode is RGB, expected L or P"):
        pascal_voc.load("test", 8, 8, OPTIONS)


def test_labels_of_another_size(voc):
    write_labels(voc, "2007_000033", np.zeros((20, 30), np.uint8))
    with pytest.raises(DataError, match=r"2007_000033\.png: is 20x30 px, expected 30x20"):
        pascal_voc.load("test", 8, 8, OPTIONS)


def test_a_truncated_photograph(voc):
    path = voc / "JPEGImages" / "2007_000033.jpg"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"2007_000033\.jpg: truncated or not a JPEG image"):
        pascal_voc.load("test", 8, 8, OPTIONS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2007_000033\n2007_000033\n", r"val\.txt:2: 2007_000033 is already in line 1"),
        (
            "2007_000033\n../secret\n",
            r"val\.txt:2: must be the name of one image, such as 2007_000032, got '\.\./secret'",
        ),
        ("2007_000033 1\n2007_000042 -1\n", r"val\.txt:1: must be the name of one image"),
        ("2007_000033\n", r"val\.txt in .*: 1 names, expected 2, the images of test together"),
    ],
)
def test_a_wrong_list(voc, text, message):
    (voc / "ImageSets" / "Segmentation" / "val.txt").write_text(text)
    with pytest.raises(DataError, match=message):
        pascal_voc.load("test", 8, 8, OPTIONS)


def test_a_missing_list(voc):
    (voc / "ImageSets" / "Segmentation" / "train.txt").unlink()
    with pytest.raises(DataError, match=r"train\.txt: cannot be read"):
        pascal_voc.load("train", 8, 8, OPTIONS)


def test_counts_of_train_and_val_are_those_of_the_list(voc):
    with pytest.raises(
        DataError, match=r"train\.txt in .*: 4 names, expected 1464, the images of train and val together"
    ):
        pascal_voc.load("train", 8, 8, {"train": 1318, "val": 146, "test": 2})
    with pytest.raises(UnknownNameError, match="unknown split 'trainval'"):
        pascal_voc.load("trainval", 8, 8, OPTIONS)


def test_verify_reports_each_split(voc):
    (voc / "JPEGImages" / "2009_000002.jpg").write_bytes(b"\xff\xd8\xff")
    reports = {report.split: report for report in pascal_voc.verify(OPTIONS)}
    assert (reports["train"].images, reports["train"].expected, reports["train"].problem) == (3, 3, None)
    assert "2009_000002.jpg" in reports["val"].problem
    assert reports["test"].problem is None


# --- a copy


def test_add_copies_what_is_needed(voc, data_home, monkeypatch):
    (voc / "JPEGImages" / "2012_009999.jpg").write_bytes(b"another image, without labels")
    target = pascal_voc.add(voc.parent, OPTIONS)
    assert target == data_home / "VOCdevkit" / "VOC2012"
    monkeypatch.delenv("BENCH_VOC")
    assert pascal_voc.locate() == target
    assert not (target / "JPEGImages" / "2012_009999.jpg").exists()
    assert all(report.problem is None for report in pascal_voc.verify(OPTIONS))
    assert pascal_voc.add(voc, OPTIONS) == target  # once more: it is there
    assert [path.name for path in data_home.iterdir()] == ["VOCdevkit"]  # nothing else is left


def test_add_takes_nothing_damaged(voc, data_home):
    (voc / "JPEGImages" / "2009_000002.jpg").write_bytes(b"")
    with pytest.raises(DataError, match=r"not taken: .*2009_000002\.jpg: is neither a JPEG nor a PNG"):
        pascal_voc.add(voc, OPTIONS)
    assert not data_home.exists()


def test_add_leaves_a_damaged_copy_alone(voc, data_home):
    target = pascal_voc.add(voc, OPTIONS)
    (target / "JPEGImages" / "2009_000002.jpg").unlink()
    with pytest.raises(DataError, match=r"VOC2012 is there and is not right \(.*2009_000002.* move it away"):
        pascal_voc.add(voc, OPTIONS)


@pytest.mark.parametrize(
    "name", ["nothing", "VOCdevkit/VOC2012/JPEGImages", "VOCdevkit/VOC2012/JPEGImages/2007_000032.jpg"]
)
def test_add_of_something_else(voc, name):
    with pytest.raises(DataError, match="no folder with SegmentationClass/ in it; name an unpacked VOCdevkit"):
        pascal_voc.add(voc.parent.parent / name, OPTIONS)
