"""SUN RGB-D in its public layouts, on small trees that show the same images."""

import hashlib
import sys

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from bench.data import IGNORE_INDEX, sun_rgbd, sun_rgbd_toolbox
from bench.data.sun_rgbd_classes import CLASS_NAMES, PALETTE
from bench.errors import DataError, UnknownNameError

OPTIONS = {"train": 3, "val": 1, "test": 2}
SIZES = [(53, 73), (44, 59), (42, 56), (53, 68)]  # a tenth of what the four sensors give
PARTS = {"train": 4, "test": 2}
# The first numbers of both parts, whole in `sunrgbd_train_test_labels`: test 1-2, training 3-6.
BEFORE = {"train": 2, "test": 0}


def picture(part, position):
    """(image, labels 0-37) of one place in a list."""
    height, width = SIZES[position % 4]
    image = np.full((height, width, 3), (40 * position, 100, 200 if part == "train" else 20), np.uint8)
    labels = np.full((height, width), position, np.uint8)
    labels[:10], labels[10:20] = 0, 37
    return image, labels


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **({"quality": 95} if path.suffix == ".jpg" else {}))


@pytest.fixture(autouse=True)
def no_other_copy(monkeypatch):
    monkeypatch.delenv("BENCH_SUNRGBD", raising=False)


def each():
    return [
        (part, position, *picture(part, position)) for part, count in PARTS.items() for position in range(1, count + 1)
    ]


def write_archives(root):
    """The archives of numbered files."""
    for part, position, image, labels in each():
        save(root / f"SUNRGBD-{part}_images" / f"img-{position:06d}.jpg", image)
        save(root / "sunrgbd_train_test_labels" / f"img-{BEFORE[part] + position:06d}.png", labels)


def write_folders(root):
    """A renamed copy: image/train/img-000001.jpg, label37/train/00000001.png."""
    for part, position, image, labels in each():
        save(root / "image" / part / f"img-{position:06d}.jpg", image)
        save(root / "label37" / part / f"{position:08d}.png", labels)


def write_moved_labels(root):
    """As the label archive's readme moves them: train/ and test/, with the numbers of the archive."""
    for part, position, image, labels in each():
        save(root / part / f"img-{position:06d}.jpg", image)
        save(root / "labels" / part / f"img-{BEFORE[part] + position:06d}.png", labels)


def scene(part, position):
    return f"kv1/{part}data/NYU{position:04d}"


def write_toolbox(root, seg_mat=True, hdf5=True):
    """The authors' own: scenes with one photograph each, lists and labels in .mat files; test scenes come first."""
    rows, names = [], np.array([name.lower() for name in CLASS_NAMES], object)
    for part in ("test", "train"):
        for position in range(1, PARTS[part] + 1):
            image, labels = picture(part, position)
            folder = root / "SUNRGBD" / scene(part, position)
            save(folder / "image" / f"{position:07d}.jpg", image)
            rows.append((f"/n/fs/sun3d/data/SUNRGBD/{scene(part, position)}/image/{position:07d}.jpg", labels))
            if seg_mat:
                savemat(folder / "seg.mat", {"names": names, "seglabel": labels.astype(np.uint16)})
    toolbox = root / "SUNRGBDtoolbox"
    (toolbox / "Metadata").mkdir(parents=True)
    (toolbox / "traintestSUNRGBD").mkdir()
    write_lists(root)
    meta = np.array([(path,) for path, _ in rows], dtype=[("rgbpath", object)])
    savemat(toolbox / "Metadata" / "SUNRGBDMeta.mat", {"SUNRGBDMeta": meta})
    if hdf5:
        write_labels(root, [labels for _, labels in rows])


def write_lists(root, **lists):
    given = {
        f"all{part}": [f"/n/fs/sun3d/data/SUNRGBD/{scene(part, position)}/" for position in range(1, count + 1)]
        for part, count in PARTS.items()
    }
    entries = {name: np.array(paths, object) for name, paths in (given | lists).items()}
    savemat(root / sun_rgbd_toolbox.LISTS, entries)


def write_labels(root, maps):
    """MATLAB's format 7.3: a struct array is a group with a table of references for each field."""
    h5py = pytest.importorskip("h5py", reason="h5py is not installed: it reads and writes SUNRGBD2Dseg.mat")
    with h5py.File(root / sun_rgbd_toolbox.LABELS, "w") as file:
        references = np.empty((len(maps), 1), h5py.ref_dtype)
        for row, labels in enumerate(maps):
            references[row, 0] = file.create_dataset(f"#refs#/{row}", data=labels.astype(np.float64).T).ref
        file.create_group("SUNRGBD2Dseg").create_dataset("seglabel", data=references)


LAYOUTS = {"archives": write_archives, "folders": write_folders, "moved": write_moved_labels, "toolbox": write_toolbox}


@pytest.fixture(params=LAYOUTS)
def sun(request, tmp_path, monkeypatch):
    root = tmp_path / "sun"
    LAYOUTS[request.param](root)
    monkeypatch.setenv("BENCH_SUNRGBD", str(root))
    return root


@pytest.fixture
def archives(tmp_path, monkeypatch):
    root = tmp_path / "sun"
    write_archives(root)
    monkeypatch.setenv("BENCH_SUNRGBD", str(root))
    return root


@pytest.fixture
def by_name(tmp_path, monkeypatch):
    """The toolbox layout without SUNRGBD2Dseg.mat, which the option makes do with."""
    root = tmp_path / "sun"
    write_toolbox(root, hdf5=False)
    monkeypatch.setenv("BENCH_SUNRGBD", str(root))
    return root, {**OPTIONS, "labels_by_name": True}


# --- what is read


def test_every_layout_gives_the_same_splits(sun):
    train, val, test = (sun_rgbd.load(split, 36, 48, OPTIONS) for split in ("train", "val", "test"))
    assert train.names == ("train-000001", "train-000002", "train-000003")
    assert val.names == ("train-000004",)  # out of the training list, by position
    assert test.names == ("test-000001", "test-000002")
    assert train.images.shape == (3, 36, 48, 3)
    assert np.abs(test.images[1, 18, 24].astype(int) - (80, 100, 20)).max() <= 3
    assert [int(labels[30, 24]) for labels in train.labels] == [0, 1, 2]  # ids 1, 2, 3
    assert int(train.labels[0, 0, 0]) == IGNORE_INDEX
    assert int(train.labels[0, 10, 0]) == 36
    assert train.class_names == CLASS_NAMES
    assert len({len(train.digest), len(val.digest), len(test.digest)}) == 1


def test_every_layout_gives_the_same_pixels(tmp_path, monkeypatch):
    digests = set()
    for name, write in LAYOUTS.items():
        write(tmp_path / name)
        monkeypatch.setenv("BENCH_SUNRGBD", str(tmp_path / name))
        digests.add(sun_rgbd.load("train", 36, 48, OPTIONS).digest)
    assert len(digests) == 1


def test_source_files_name_each_file_once(sun):
    files = sun_rgbd.source_files("train", OPTIONS)
    assert len(files) == len(set(files))
    assert len(files) in (4, 6)  # three photographs and their labels, which the toolbox has in one file
    assert all(path.is_file() for path in files)


def test_verify_and_digest(sun):
    assert [report.problem for report in sun_rgbd.verify(OPTIONS)] == [None] * 3
    with pytest.raises(DataError, match="sun_rgbd test: the pixels have SHA-256"):
        sun_rgbd.load("test", 8, 8, {**OPTIONS, "sha256": {"test": "0" * 64}})


def test_classes_are_those_of_table_5():
    assert len(CLASS_NAMES) == len(set(CLASS_NAMES)) == 37
    assert [CLASS_NAMES[i - 1] for i in (1, 8, 20, 25, 37)] == ["Wall", "Door", "Floor mat", "TV", "Bag"]
    assert PALETTE.shape == (38, 3)
    assert len({tuple(colour) for colour in PALETTE.tolist()}) == 38


def test_the_folder_may_be_one_above(archives, monkeypatch):
    archives.rename(archives.parent / "SUNRGBD")
    monkeypatch.setenv("BENCH_SUNRGBD", str(archives.parent))
    assert sun_rgbd.locate() == archives.parent / "SUNRGBD"


def test_missing_names_the_place_and_the_command(data_home, tmp_path, monkeypatch):
    message = r"BENCH_SUNRGBD is not set; looked for SUNRGBD/ and .*home.SUNRGBD; `bench data add sun_rgbd PATH`"
    with pytest.raises(DataError, match=message):
        sun_rgbd.load("train", 8, 8, OPTIONS)
    monkeypatch.setenv("BENCH_SUNRGBD", str(tmp_path))
    with pytest.raises(DataError, match="no SUN RGB-D: BENCH_SUNRGBD is set"):
        sun_rgbd.locate()
    with pytest.raises(UnknownNameError, match="unknown split 'valid'"):
        sun_rgbd.load("valid", 8, 8, OPTIONS)


# --- archives of numbered files


def test_a_missing_number_is_named(archives):
    (archives / "SUNRGBD-train_images" / "img-000002.jpg").unlink()
    with pytest.raises(DataError, match=r"train_images holds 3 numbered files .*, expected 4; number 2 is missing"):
        sun_rgbd.load("train", 8, 8, OPTIONS)


def test_a_missing_label_map_is_named(archives):
    (archives / "sunrgbd_train_test_labels" / "img-000005.png").unlink()
    with pytest.raises(DataError, match=r"labels holds 3 numbered files .*, expected 4; number 5 is missing"):
        sun_rgbd.load("val", 8, 8, OPTIONS)
    assert sun_rgbd.load("test", 8, 8, OPTIONS).names == ("test-000001", "test-000002")


def test_too_many_files_are_refused(archives):
    save(archives / "SUNRGBD-test_images" / "img-000003.jpg", np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(DataError, match=r"SUNRGBD-test_images holds 3 numbered files of this part, expected 2"):
        sun_rgbd.load("test", 8, 8, OPTIONS)


def test_two_files_of_one_number_are_refused(tmp_path, monkeypatch):
    write_folders(tmp_path)
    save(tmp_path / "label37" / "test" / "img37labels-000001.png", np.zeros((8, 8), np.uint8))
    monkeypatch.setenv("BENCH_SUNRGBD", str(tmp_path))
    with pytest.raises(DataError, match=r"00000001\.png and img37labels-000001\.png have the same number"):
        sun_rgbd.load("test", 8, 8, OPTIONS)


def test_labels_of_13_classes_are_refused(tmp_path, monkeypatch):
    write_folders(tmp_path)
    for path in (tmp_path / "label37" / "test").iterdir():
        path.rename(path.with_name(f"img13labels-{path.stem[2:]}.png"))
    monkeypatch.setenv("BENCH_SUNRGBD", str(tmp_path))
    with pytest.raises(DataError, match=r"img13labels-000001\.png: is a label map of 13 classes; the 37 are in"):
        sun_rgbd.load("test", 8, 8, OPTIONS)


def test_a_missing_folder_is_named(archives):
    (archives / "SUNRGBD-test_images").rename(archives / "aside")
    with pytest.raises(DataError, match=r"test: none of the folders SUNRGBD-test_images, image/test, .* is in"):
        sun_rgbd.load("test", 8, 8, OPTIONS)


def test_an_id_above_37_is_named_with_its_place(archives):
    labels = picture("test", 1)[1]
    labels[30, 4] = 38
    save(archives / "sunrgbd_train_test_labels" / "img-000001.png", labels)
    with pytest.raises(
        DataError, match=r"img-000001\.png \(test-000001\): label 38 at row 30, column 4; allowed are 1-37"
    ):
        sun_rgbd.load("test", 8, 8, OPTIONS)


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (np.zeros((44, 59, 3), np.uint8), "pixel mode is RGB, expected L or P"),
        (np.zeros((44, 59), np.uint16), "has 16 bits a channel, expected 8"),
        (np.zeros((59, 44), np.uint8), "is 59x44 px, expected 44x59"),
    ],
)
def test_label_maps_of_another_kind(archives, pixels, message):
    save(archives / "sunrgbd_train_test_labels" / "img-000001.png", pixels)
    with pytest.raises(DataError, match=rf"img-000001\.png: {message}"):
        sun_rgbd.load("test", 8, 8, OPTIONS)


def test_a_truncated_photograph(archives):
    path = archives / "SUNRGBD-test_images" / "img-000002.jpg"
    path.write_bytes(path.read_bytes()[:-80])
    with pytest.raises(DataError, match=r"img-000002\.jpg: truncated or not a JPEG image"):
        sun_rgbd.load("test", 8, 8, OPTIONS)


# --- the toolbox


def test_labels_by_name_from_each_scene(by_name):
    root, options = by_name
    folder = root / "SUNRGBD" / scene("test", 1)
    names = np.array(["Night_Stand", "unknown thing", "FLOOR mat ", "wall"], object)
    seglabel = np.zeros((44, 59), np.uint8)
    seglabel[10], seglabel[20], seglabel[30], seglabel[40] = 1, 2, 3, 4
    savemat(folder / "seg.mat", {"names": names, "seglabel": seglabel})
    labels = sun_rgbd.load("test", 44, 59, options).labels[0]
    assert labels[[0, 10, 20, 30, 40], 0].tolist() == [255, 31, 255, 19, 0]


def test_all_labels_by_name_are_those_of_the_archive_where_names_are_the_classes(by_name, tmp_path, monkeypatch):
    _, options = by_name
    expected = sun_rgbd.load("train", 36, 48, options).digest
    write_archives(tmp_path / "other")
    monkeypatch.setenv("BENCH_SUNRGBD", str(tmp_path / "other"))
    assert sun_rgbd.load("train", 36, 48, OPTIONS).digest == expected


def test_without_the_option_the_official_labels_must_be_there(by_name):
    with pytest.raises(DataError, match=r"SUNRGBD2Dseg\.mat is missing: .* or set `labels_by_name: true` .* seg\.mat"):
        sun_rgbd.load("test", 8, 8, OPTIONS)


def test_without_h5py_the_message_says_so(tmp_path, monkeypatch):
    write_toolbox(tmp_path)
    monkeypatch.setenv("BENCH_SUNRGBD", str(tmp_path))
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(DataError, match=r"SUNRGBD2Dseg\.mat: reading this file takes the package h5py"):
        sun_rgbd.load("test", 8, 8, OPTIONS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"names": None}, r"seg\.mat: is another kind of MATLAB file: there is no variable names in it"),
        ({"seglabel": None}, "there is no variable seglabel in it"),
        ({"seglabel": np.full((44, 59), 38)}, r"seglabel holds 38, but there are 37 names"),
        ({"seglabel": np.full((44, 59), -1)}, "seglabel must hold whole numbers from 0"),
        ({"seglabel": np.full((44, 59), 0.5)}, "seglabel must hold whole numbers from 0"),
        ({"seglabel": np.zeros((10, 10), int)}, r"labels of test-000001 are 10x10 px, its image is 44x59"),
        ({"seglabel": np.zeros(7, int)}, "labels of test-000001 are 1x7 px, its image is 44x59"),
        (
            {"seglabel": np.zeros((44, 59, 2), int)},
            r"labels of test-000001 must be whole numbers \(H,W\), got \(44, 59, 2",
        ),
        ({"names": "wall"}, "names must be a cell of texts"),
        ({"seglabel": "text"}, "seglabel must hold whole numbers from 0"),
    ],
)
def test_a_seg_mat_of_another_kind(by_name, change, message):
    root, options = by_name
    stored = {"names": np.array([name.lower() for name in CLASS_NAMES], object), "seglabel": np.zeros((44, 59), int)}
    stored = {name: value for name, value in (stored | change).items() if value is not None}
    savemat(root / "SUNRGBD" / scene("test", 1) / "seg.mat", stored)
    with pytest.raises(DataError, match=message):
        sun_rgbd.load("test", 8, 8, options)


@pytest.mark.parametrize(
    "content", [b"", b"no MATLAB file at all" * 20, b"MATLAB 5.0 MAT-file" + bytes(109), "truncated"]
)
def test_a_damaged_seg_mat(by_name, content):
    root, options = by_name
    path = root / "SUNRGBD" / scene("test", 1) / "seg.mat"
    path.write_bytes(path.read_bytes()[:-50] if content == "truncated" else content)
    with pytest.raises(DataError, match=r"seg\.mat: (damaged, or no MATLAB file|is another kind of)") as caught:
        sun_rgbd.load("test", 8, 8, options)
    assert "\n" not in str(caught.value)


def test_a_seg_mat_that_is_missing(by_name):
    root, options = by_name
    (root / "SUNRGBD" / scene("test", 2) / "seg.mat").unlink()
    with pytest.raises(DataError, match=r"alltest\(2\): .*NYU0002.seg\.mat is missing"):
        sun_rgbd.load("test", 8, 8, options)


@pytest.mark.parametrize("images", [0, 2])
def test_a_scene_without_its_photograph(by_name, images):
    root, options = by_name
    folder = root / "SUNRGBD" / scene("test", 2) / "image"
    for path in folder.iterdir():
        path.unlink()
    for index in range(images):
        save(folder / f"{index}.jpg", np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(DataError, match=rf"alltest\(2\): .*image must hold one \.jpg, found {images}"):
        sun_rgbd.source_files("test", options)


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (["/n/data/SUNRGBD/a/b/c"], r"sun: 1 images in alltest, expected 2"),
        (["/n/data/kv1/a", "/n/data/kv1/b"], "alltest is no list of paths: .* does not lie below SUNRGBD/"),
        (["/SUNRGBD/../../etc", "/SUNRGBD/b"], r"alltest is no list of paths: .*\.\./\.\./etc' does not lie below"),
    ],
)
def test_a_wrong_list(by_name, paths, message):
    root, options = by_name
    write_lists(root, alltest=paths)
    with pytest.raises(DataError, match=message):
        sun_rgbd.load("test", 8, 8, options)


def test_a_list_of_another_kind(by_name):
    root, options = by_name
    savemat(root / sun_rgbd_toolbox.LISTS, {"something": 1})
    with pytest.raises(DataError, match=r"allsplit\.mat: is another kind of MATLAB file: there is no variable alltest"):
        sun_rgbd.load("test", 8, 8, options)
    (root / sun_rgbd_toolbox.LISTS).unlink()
    with pytest.raises(DataError, match=r"allsplit\.mat: cannot be read: No such file"):
        sun_rgbd.load("test", 8, 8, options)


def test_a_list_of_the_official_length_must_be_the_official_one(by_name, monkeypatch):
    root, _ = by_name
    scenes = sun_rgbd_toolbox.scenes_of(root, "test")
    assert scenes == ["kv1/testdata/NYU0001", "kv1/testdata/NYU0002"]
    digest = hashlib.sha256("\n".join(scenes).encode()).hexdigest()
    monkeypatch.setattr(sun_rgbd_toolbox, "OFFICIAL", {2: digest})
    assert sun_rgbd_toolbox.scenes_of(root, "test") == scenes
    monkeypatch.setattr(sun_rgbd_toolbox, "OFFICIAL", {2: "0" * 64})
    with pytest.raises(DataError, match="alltest has 2 scenes, but they are not the official ones in their order"):
        sun_rgbd_toolbox.scenes_of(root, "test")


def test_a_scene_that_the_metadata_does_not_know(tmp_path, monkeypatch):
    write_toolbox(tmp_path)
    monkeypatch.setenv("BENCH_SUNRGBD", str(tmp_path))
    meta = np.array([("/n/SUNRGBD/other/image/1.jpg",)], dtype=[("rgbpath", object)])
    savemat(tmp_path / sun_rgbd_toolbox.META, {"SUNRGBDMeta": meta})
    with pytest.raises(
        DataError, match=r"alltest\(1\): .*SUNRGBDMeta\.mat does not know the scene kv1/testdata/NYU0001"
    ):
        sun_rgbd.load("test", 8, 8, OPTIONS)
    savemat(tmp_path / sun_rgbd_toolbox.META, {"SUNRGBDMeta": np.arange(3)})
    with pytest.raises(DataError, match=r"SUNRGBDMeta is no list of scenes with rgbpath"):
        sun_rgbd.load("test", 8, 8, OPTIONS)


def test_damaged_official_labels(tmp_path, monkeypatch):
    write_toolbox(tmp_path)
    monkeypatch.setenv("BENCH_SUNRGBD", str(tmp_path))
    write_labels(tmp_path, [np.full((44, 59), 0.5), *[np.zeros((8, 8))] * 5])
    with pytest.raises(DataError, match=r"SUNRGBD2Dseg\.mat: the labels of test-000001 must be whole numbers"):
        sun_rgbd.load("test", 8, 8, OPTIONS)
    write_labels(tmp_path, [np.full((44, 59), 300), *[np.zeros((8, 8))] * 5])
    with pytest.raises(DataError, match=r"the labels of test-000001 must be 0-37, got 300.0 to 300.0"):
        sun_rgbd.load("test", 8, 8, OPTIONS)
    write_labels(tmp_path, [np.zeros((44, 59))])
    with pytest.raises(DataError, match=r"SUNRGBD2Dseg\.mat: damaged, or not the toolbox's SUNRGBD2Dseg\.mat"):
        sun_rgbd.load("test", 8, 8, OPTIONS)
    (tmp_path / sun_rgbd_toolbox.LABELS).write_bytes(b"MATLAB 7.3 MAT-file" + bytes(600))
    with pytest.raises(DataError, match=r"SUNRGBD2Dseg\.mat: damaged, or not"):
        sun_rgbd.load("test", 8, 8, OPTIONS)


# --- a copy


def test_add_copies_what_is_needed(sun, data_home, monkeypatch):
    (sun / "readme.txt").write_text("not needed")
    target = sun_rgbd.add(sun, OPTIONS)
    assert target == data_home / "SUNRGBD"
    expected = sun_rgbd.load("train", 36, 48, OPTIONS).digest
    monkeypatch.delenv("BENCH_SUNRGBD")
    assert sun_rgbd.locate() == target
    assert not (target / "readme.txt").exists()
    assert sun_rgbd.load("train", 36, 48, OPTIONS).digest == expected
    assert sun_rgbd.add(sun, OPTIONS) == target


def test_add_takes_nothing_damaged_or_unknown(archives, data_home):
    (archives / "SUNRGBD-test_images" / "img-000002.jpg").write_bytes(b"")
    with pytest.raises(DataError, match=r"not taken: .*img-000002\.jpg: is neither a JPEG nor a PNG"):
        sun_rgbd.add(archives, OPTIONS)
    with pytest.raises(DataError, match="no folder with SUNRGBD/ and .* in it; unpack the archives"):
        sun_rgbd.add(archives / "sunrgbd_train_test_labels", OPTIONS)
    assert not data_home.exists()
