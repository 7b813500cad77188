"""CamVid split by drives, on a small tree named like the published one, and on the real images where they are."""

import hashlib

import numpy as np
import pytest
from PIL import Image

from bench.data import DATASETS, camvid, dataset_of, download, load_split
from bench.errors import DataError

# The published way: two drives are in two splits each.
FRAMES = {
    "train": ("0001TP_006690", "0006R0_f00930", "0006R0_f00960", "0016E5_00390", "0016E5_08640"),
    "val": ("0016E5_07959", "0016E5_07961"),
    "test": ("0001TP_008550", "Seq05VD_f00000"),
}
SEPARATE = {
    "train": ("0016E5_00390", "0016E5_07959", "0016E5_07961", "0016E5_08640"),
    "val": ("0006R0_f00930", "0006R0_f00960"),
    "test": ("0001TP_008550", "Seq05VD_f00000"),
}
OPTIONS = {"reader": "camvid", "drives": "separate", "train": 4, "val": 2, "test": 2}


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Every image has a colour of its own, so that no image can be taken for another."""
    root = tmp_path / "CamVid"
    for split, names in FRAMES.items():
        for name in names:
            put(root, split, name)
        lines = (f"/SegNet/CamVid/{split}/{name}.png /SegNet/CamVid/{split}annot/{name}.png\n" for name in names)
        (root / f"{split}.txt").write_text("".join(reversed(list(lines))))
    monkeypatch.setenv("BENCH_CAMVID", str(root))
    return root


def put(root, split, name):
    for folder, pixels in ((split, np.full((360, 480, 3), colour_of(name), np.uint8)), (f"{split}annot", LABELS)):
        (root / folder).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(root / folder / f"{name}.png")


LABELS = np.full((360, 480), 3, np.uint8)


def colour_of(name):
    return list(hashlib.sha256(name.encode()).digest()[:3])


def drives_of(names):
    return {name.split("_")[0] for name in names}


@pytest.mark.parametrize("lists", [True, False])
def test_no_drive_is_in_two_splits_and_the_test_images_are_the_published_ones(tree, lists):
    for split in FRAMES:
        if not lists:
            (tree / f"{split}.txt").unlink()
    splits = {split: load_split("separate", split, 36, 48, OPTIONS) for split in SEPARATE}
    assert {split: loaded.names for split, loaded in splits.items()} == SEPARATE
    for loaded in splits.values():  # each image under its own name, though it lies in the folder of another split
        assert loaded.images[:, 0, 0].tolist() == [colour_of(name) for name in loaded.names]
    drives = [drives_of(loaded.names) for loaded in splits.values()]
    assert sum(map(len, drives)) == len(set.union(*drives))
    published = load_split("camvid", "test", 36, 48, {"train": 5, "val": 2, "test": 2})
    assert splits["test"].digest == published.digest


def test_shared_drives_are_the_published_split(tree):
    counts = {"train": 5, "val": 2, "test": 2}
    for split, names in FRAMES.items():
        shared = load_split("shared", split, 36, 48, {**counts, "reader": "camvid", "drives": "shared"})
        assert shared.names == tuple(sorted(names))
        assert shared.digest == load_split("camvid", split, 36, 48, counts).digest


def test_both_splits_stay_in_the_cache_side_by_side(tree, monkeypatch):
    counts = {"train": 5, "val": 2, "test": 2}
    first = load_split("camvid", "train", 36, 48, counts).digest, load_split("apart", "train", 36, 48, OPTIONS).digest
    monkeypatch.setattr("bench.data.camvid.read_pair", None)  # a second decoding would fail
    assert first[0] != first[1]
    assert load_split("camvid", "train", 36, 48, counts).digest == first[0]
    assert load_split("apart", "train", 36, 48, OPTIONS).digest == first[1]


def test_source_files_are_where_they_were(tree):
    files = DATASETS["camvid"].source_files("train", OPTIONS)
    assert files[:4] == [
        tree / folder / f"{name}.png"
        for name, at in (("0016E5_00390", "train"), ("0016E5_07959", "val"))
        for folder in (at, f"{at}annot")
    ]
    assert len(files) == 8


def test_verify_reads_every_image_and_holds_it_against_its_digest(tree):
    sha = {}
    for split, names in SEPARATE.items():
        digest = hashlib.sha256()
        for name in names:
            digest.update(name.encode() + np.full((360, 480, 3), colour_of(name), np.uint8).tobytes())
            digest.update(LABELS.tobytes())
        sha[split] = digest.hexdigest()
    reports = camvid.verify({**OPTIONS, "sha256": sha})
    assert [(found.images, found.problem) for found in reports] == [(4, None), (2, None), (2, None)]
    Image.new("RGB", (480, 360)).save(tree / "val" / "0016E5_07961.png")
    reports = camvid.verify({**OPTIONS, "sha256": sha})
    assert [found.problem is None for found in reports] == [False, True, True]
    assert reports[0].problem.startswith("CamVid train")


def test_what_is_brought_for_one_split_serves_the_other(tree, data_home, monkeypatch):
    monkeypatch.delenv("BENCH_CAMVID")
    assert download.add(tree, OPTIONS) == data_home / "CamVid"
    reports = camvid.verify({"train": 5, "val": 2, "test": 2})
    assert [found.problem for found in reports] == [None] * 3


# --- what is wrong with it


def test_counts_are_those_of_the_separate_split(tree):
    with pytest.raises(DataError, match="CamVid train of separate drives in .*: 4 images, expected 5; `bench data"):
        camvid.load("train", 36, 48, {**OPTIONS, "train": 5})


@pytest.mark.parametrize(
    ("split", "name", "asked", "message"),
    [
        ("train", "0099XX_00001", "train", r"CamVid train in .*: 0099XX_00001\.png is of no drive that .* 0016E5_"),
        ("test", "0016E5_00001", "test", r"CamVid test in .*: 0016E5_00001\.png is of no drive .* 0001TP_, Seq05VD_$"),
        ("val", "0016E5_00390", "train", r"0016E5_00390\.png is in the published train and val splits"),
    ],
)
def test_an_image_that_would_share_a_drive_is_refused(tree, split, name, asked, message):
    (tree / f"{split}.txt").unlink()
    put(tree, split, name)
    with pytest.raises(DataError, match=message) as caught:
        camvid.load(asked, 36, 48, {**OPTIONS, asked: OPTIONS[asked] + 1})
    assert str(caught.value).isprintable()


def test_another_word_for_drives_is_refused(tree):
    with pytest.raises(DataError, match="camvid: option 'drives' must be shared or separate, got 'apart'"):
        camvid.load("train", 36, 48, {**OPTIONS, "drives": "apart"})


# --- the real images


@pytest.mark.camvid
def test_real_drives_are_those_of_bench_yaml(real_options):
    from results_factory import ROOT

    from bench.study.config import load_study

    options = load_study(ROOT / "bench.yaml").datasets["camvid_separate_drives"].options
    assert [(found.images, found.problem) for found in camvid.verify(options)] == [
        (305, None),
        (101, None),
        (233, None),
    ]
    assert options["sha256"]["test"] == real_options["sha256"]["test"]
    assert dataset_of("camvid_separate_drives", options).title == "CamVid, separate drives"
    places = {split: camvid.checked_places(camvid.locate(), split, options) for split in SEPARATE}
    found = [drives_of(name for name, _ in place) for place in places.values()]
    assert found == [{"0016E5"}, {"0006R0"}, {"0001TP", "Seq05VD"}]
