"""Commands on data sets that have another name than their reader, and on list files of a user's own."""

import csv
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from results_factory import ROOT

from bench.cli import main
from bench.study.config import load_study

STUDY = (ROOT / "bench.yaml").read_text(encoding="utf-8")
LISTED = """\
datasets:
  my_roads: {{reader: list_file, folder: {folder}, class_names: [Road, Sky], void: 9, train: 1, val: 1, test: 2}}
"""
TINY_CAMVID = """\
  tiny_drives:
    {{reader: camvid, drives: separate, train: 2, val: 1, test: 1, sha256: {{train: {sha}, val: {sha}, test: {sha}}}}}
"""
Command = Callable[..., Result]


@pytest.fixture(autouse=True)
def data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test sees the user's data sets."""
    monkeypatch.setenv("BENCH_DATA", str(tmp_path / "home"))
    for name in ("CAMVID", "SUNRGBD", "VOC", "LIST_FILES"):
        monkeypatch.delenv(f"BENCH_{name}", raising=False)
    return tmp_path / "home"


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    """List files whose images are all one; their upper half is road, the lower sky, and a row is void."""
    root = tmp_path / "lists"
    (root / "images").mkdir(parents=True)
    labels = np.zeros((12, 16), np.uint8)
    labels[6:], labels[11] = 1, 9
    for split, count in (("train", 1), ("val", 1), ("test", 2)):
        lines = []
        for number in range(count):
            Image.new("RGB", (16, 12), (10, 20, 30)).save(root / "images" / f"{split}{number}.png")
            Image.fromarray(labels).save(root / f"{split}{number}.png")
            lines.append(f"images/{split}{number}.png {split}{number}.png\n")
        (root / f"{split}.txt").write_text("".join(lines))
    return root


@pytest.fixture
def bench(tmp_path: Path, lists: Path) -> Command:
    """Runs a command in the study of bench.yaml with a data set of list files, and a CamVid with wrong digests."""
    path = tmp_path / "bench.yaml"
    more = LISTED.format(folder=lists) + TINY_CAMVID.format(sha=hashlib.sha256().hexdigest())
    path.write_text(STUDY.replace("datasets:\n", more, 1), encoding="utf-8")

    def run(*words: object) -> Result:
        done = CliRunner().invoke(main, ["--config", str(path), *map(str, words)])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done

    return run


def in_one_line(said: str) -> str:
    """Joins what a table broke into lines."""
    return re.sub(r"\s+", "", said)


def test_every_data_set_of_the_study_is_listed_by_its_name(bench: Command, lists: Path) -> None:
    done = bench("data", "list")
    assert done.exit_code == 0
    for name in ("my_roads", "tiny_drives", *load_study(ROOT / "bench.yaml").datasets):
        assert re.search(rf"^ *{name} +\d", done.output, re.MULTILINE), name
    assert str(lists) in in_one_line(done.output)


def test_verify_takes_the_name_in_the_study(bench: Command) -> None:
    done = bench("data", "verify", "My-Roads")
    counts = ("train: 1 of 1", "val: 1 of 1", "test: 2 of 2")
    assert done.output == "".join(f"{count} images, verified\n" for count in counts)
    assert "RoadScenes (synthetic), separate drives is drawn" in bench("data", "verify", "road_separate_drives").output
    assert "IndoorScenes (synthetic) is drawn" in bench("data", "verify", "indoor_scenes").output


def lose_an_image(root: Path) -> None:
    (root / "images" / "test1.png").unlink()


def use_a_third_class(root: Path) -> None:
    Image.new("L", (16, 12), 2).save(root / "test1.png")


def shrink_the_labels(root: Path) -> None:
    Image.new("L", (16, 11)).save(root / "test1.png")


def list_one_less(root: Path) -> None:
    (root / "test.txt").write_text("images/test0.png test0.png\n")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lose_an_image, r"test\.txt:2: image .*test1\.png is missing"),
        (
            use_a_third_class,
            r"test1\.png: label 2 at row 0, column 0; allowed are 0-1 \(class\) and 9 \(void\), for the 2 class_names",
        ),
        (shrink_the_labels, r"test1\.png: is 11x16 px, expected 12x16"),
        (list_one_less, r"test\.txt: 1 pairs, but bench\.yaml says 2 for test"),
    ],
)
def test_damaged_list_files_are_named_in_one_line(
    bench: Command, lists: Path, damage: Callable[[Path], None], message: str
) -> None:
    damage(lists)
    done = bench("data", "verify", "my_roads")
    assert done.exit_code == 2
    *good, wrong = done.output.splitlines()
    assert good == ["train: 1 of 1 images, verified", "val: 1 of 1 images, verified"]
    assert re.match(rf"test: \d of 2 images, .*{message}", wrong)
    size = ("--height", 12, "--width", 16)
    done = bench("score", "--predictions", lists, "--dataset", "my_roads", *size)
    assert done.exit_code == 2
    assert re.fullmatch(rf"error: .*{message}.*\n", done.stderr)


def test_list_files_that_are_not_there(bench: Command, lists: Path) -> None:
    lists.rename(lists.parent / "aside")
    done = bench("data", "verify", "my_roads")
    assert done.exit_code == 2
    assert done.stderr == f"error: no list files: {lists} is no folder; it must hold train.txt, val.txt and test.txt\n"
    assert "nolistfiles:" in in_one_line(bench("data", "list").output)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("add my_roads .", r"my_roads \(list files\): its files stay where they are; name their folder as `folder` of"),
        ("fetch my_roads", r"my_roads \(list files\) has no public archive"),
        ("add road_drives .", r"RoadScenes \(synthetic\), shared drives is drawn on the fly; there is nothing to add"),
        ("fetch tiny_drives", r"CamVid, separate drives has no public archive"),
        ("fetch camvid_separate_drives --url http://127.0.0.1:9/x", r"http://127\.0\.0\.1:9/x: download failed"),
        ("add camvid-separate-drives /nowhere", r"/nowhere: no such file or folder; name the folder that holds train/"),
        ("verify camvid_separate_drive", r"unknown data set .*did you mean 'camvid_separate_drives'"),
    ],
)
def test_what_cannot_be_brought_is_said_in_one_line(bench: Command, words: str, message: str) -> None:
    done = bench("data", *words.split())
    assert done.exit_code == 2
    assert re.fullmatch(rf"error: .*{message}.*\n", done.stderr)


def write_camvid(root: Path) -> str:
    """Writes a CamVid of one image a drive, all alike, and returns what bench.yaml says about its separate drives."""
    image, labels = np.full((360, 480, 3), 90, np.uint8), np.zeros((360, 480), np.uint8)
    names = {"train": ("0001TP_1", "0006R0_1", "0016E5_1"), "val": ("0016E5_2",), "test": ("Seq05VD_1",)}
    for split, of_split in names.items():
        for folder, pixels in ((split, image), (f"{split}annot", labels)):
            (root / folder).mkdir(parents=True)
            for name in of_split:
                Image.fromarray(pixels).save(root / folder / f"{name}.png")
    one = image.tobytes() + labels.tobytes()
    separate = {"train": ("0016E5_1", "0016E5_2"), "val": ("0006R0_1",), "test": ("Seq05VD_1",)}
    digests = {
        split: hashlib.sha256(b"".join(name.encode() + one for name in of_split)).hexdigest()
        for split, of_split in separate.items()
    }
    return ", ".join(f"{split}: {digest}" for split, digest in digests.items())


def test_add_brings_camvid_for_its_separate_drives(
    bench: Command, tmp_path: Path, data_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "mine"
    digests = write_camvid(root)
    done = bench("data", "add", "tiny_drives", root)
    assert done.exit_code == 2
    assert re.match(r"error: not taken: CamVid train in .*: the pixels have SHA-256 .*, expected", done.stderr)
    assert not (data_home / "CamVid").exists()

    study = tmp_path / "bench.yaml"
    study.write_text(re.sub(r"sha256: \{train: e3b0.*?\}", f"sha256: {{{digests}}}", study.read_text(), count=1))
    done = bench("data", "add", "tiny_drives", root)
    assert done.output == f"a checked copy of CamVid, separate drives is in '{data_home / 'CamVid'}'\n"
    assert bench("data", "verify", "tiny_drives").output.count("verified") == 3
    assert (data_home / "CamVid" / "train" / "0001TP_1.png").exists()  # which the published split needs

    monkeypatch.setenv("BENCH_CAMVID", str(root))
    done = bench("data", "add", "tiny_drives", root)
    assert f"note: BENCH_CAMVID is set, so trials use '{root}'; unset it to use this copy" in done.stderr
    assert f"note: it was there before, so '{root}' was not read; remove it to add another" in done.stderr


def test_score_takes_the_name_in_the_study_and_the_classes_of_its_options(
    bench: Command, lists: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "maps"
    folder.mkdir()
    for number in range(2):
        Image.new("L", (16, 12), 0).save(folder / f"test{number}.png")  # road everywhere
    words = ("score", "--predictions", folder, "--dataset", "my-roads", "--height", 12, "--width", 16)
    done = bench(*words, "--per-class", "--format", "csv")
    assert done.exit_code == 0
    rows = list(csv.DictReader(done.stdout.splitlines()))
    (accuracy,) = (row["value"] for row in rows if row["metric"] == "global_accuracy")
    assert float(accuracy) == pytest.approx(6 / 11)  # one row of 12 is void
    assert {row["class_name"] for row in rows} == {"", "Road", "Sky"}
    done = bench(*words, "--classes", "Sky,Tree")
    assert re.fullmatch(r"error: .*unknown class 'Tree'.*; known: Road, Sky\n", done.stderr)
    Image.new("L", (16, 12), 2).save(folder / "test0.png")
    assert bench(*words).exit_code == 2


def test_doctor_looks_at_every_data_set(bench: Command, lists: Path, tmp_path: Path) -> None:
    said = in_one_line(bench("doctor", "--results", tmp_path / "results").output)
    assert f"datasetmy_roadsokin'{lists}'(checkitwith`benchdataverifymy_roads`)" in said
    assert "datasettiny_drivesnotenothere;noCamVid:" in said
    assert "datasetroad_drivesokdrawnonthefly,168images" in said
