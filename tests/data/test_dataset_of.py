"""Data sets of the study that have another name than their reader."""

import numpy as np
import pytest
from PIL import Image

from bench.data import DATASETS, IGNORE_INDEX, dataset_of, load_split
from bench.errors import DataError, UnknownNameError

ROADS = {"reader": "road_scenes", "train": 2, "val": 1, "test": 1, "seed": 5}


@pytest.fixture
def lists(tmp_path):
    """List files of one image a split, whose labels are 0, 1 and 9, and the options of a data set that reads them."""
    root = tmp_path / "lists"
    root.mkdir()
    labels = np.zeros((12, 16), np.uint8)
    labels[4:8], labels[8:] = 1, 9
    Image.new("RGB", (16, 12), (10, 20, 30)).save(root / "a.png")
    Image.fromarray(labels).save(root / "a_labels.png")
    for split in ("train", "val", "test"):
        (root / f"{split}.txt").write_text("a.png a_labels.png\n")
    counts = {"train": 1, "val": 1, "test": 1}
    return {"reader": "list_file", "folder": str(root), "class_names": ["Road", "Sky"], "void": 9, **counts}


@pytest.mark.parametrize("name", [name for name in DATASETS if name != "list_file"])
def test_a_data_set_with_the_name_of_its_reader_is_the_readers_entry(name):
    assert dataset_of(name, {"train": 1}) is DATASETS[name]
    other = dataset_of("another", {"reader": name})
    assert other.load is DATASETS[name].load
    assert other.palette.shape == (len(other.class_names) + 1, 3)


def test_titles_tell_splits_of_one_reader_apart():
    titles = [dataset_of("x", {**ROADS, "drives": drives}).title for drives in ("shared", "separate")]
    assert titles == ["RoadScenes (synthetic), shared drives", "RoadScenes (synthetic), separate drives"]


def test_an_unknown_reader_is_named():
    with pytest.raises(UnknownNameError, match=r"unknown data set 'camvod', did you mean 'camvid'\?; known: camvid, r"):
        dataset_of("camvod", {})
    with pytest.raises(UnknownNameError, match="unknown reader of data set mine 'lists'.*; known: .*, list_file"):
        dataset_of("mine", {"reader": "lists"})


def test_list_files_have_the_classes_of_the_options(lists):
    mine = dataset_of("mine", lists)
    assert mine.title == "mine (list files)"
    assert mine.class_names == ("Road", "Sky")
    assert mine.palette.tolist() == [[128, 0, 0], [0, 128, 0], [0, 0, 0]]
    assert str(mine.locate()) == lists["folder"]
    assert [found.problem for found in mine.verify(lists)] == [None] * 3
    assert dataset_of("list_file", {**lists, "class_names": ["a", "b", "c"]}).class_names == ("a", "b", "c")
    with pytest.raises(DataError, match="'class_names' must be a list of 1 to 64 names"):
        dataset_of("mine", {"reader": "list_file"})


def test_two_data_sets_of_one_reader_do_not_meet_in_the_cache(lists, data_home, monkeypatch):
    """The same files with the same counts, but 9 is void in one and, of ten classes, the last in the other."""
    ten = {**lists, "class_names": [f"class {number}" for number in range(10)]}
    del ten["void"]
    for _ in range(2):  # the second time from the cache
        mine, other = load_split("mine", "train", 12, 16, lists), load_split("other", "train", 12, 16, ten)
        assert (mine.class_names, mine.labels[0, 8, 0]) == (("Road", "Sky"), IGNORE_INDEX)
        assert (len(other.class_names), other.labels[0, 8, 0]) == (10, 9)
        monkeypatch.setattr("bench.data.list_file.load_pairs", None)  # a second reading would fail
    assert len(list((data_home / "cache").iterdir())) == 2


def test_renamed_classes_are_not_taken_from_an_old_entry(lists):
    assert load_split("mine", "train", 12, 16, lists).class_names == ("Road", "Sky")
    renamed = {**lists, "class_names": ["Ground", "Sky"]}
    assert load_split("mine", "train", 12, 16, renamed).class_names == ("Ground", "Sky")


def test_a_drawn_data_set_of_another_name(data_home):
    mine = load_split("mine", "train", 15, 20, ROADS)
    assert mine.digest == load_split("road_scenes", "train", 15, 20, ROADS).digest
    assert len(list((data_home / "cache").iterdir())) == 2
