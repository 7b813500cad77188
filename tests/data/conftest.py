"""A CamVid of four images in the public layout, with its own counts and digests."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

COUNTS = {"train": 2, "val": 1, "test": 1}
REAL_OPTIONS = {
    "train": 367,
    "val": 101,
    "test": 233,
    "sha256": {
        "train": "6d48a4a00fd86d6e38372d593c80ddd655162ff42446bd2ce87f784c6ee71fe1",
        "val": "0ba897527a9b87830cb333eaf21f7426607695272b25e0d2e0530827ecf0cc7c",
        "test": "e240473d2eb0b0d8b0611b8e678333eb6e2b892422e29518363a8259aa7e7418",
    },
}


def write_camvid(root: Path) -> dict:
    """Writes the tree under `root` and returns its options."""
    options: dict = {**COUNTS, "sha256": {}}
    for split, count in COUNTS.items():
        sha = hashlib.sha256()
        lines = []
        for folder in (split, f"{split}annot"):
            (root / folder).mkdir(parents=True)
        for index in range(count):
            name = f"{split}_{index:03d}"
            image = np.full((360, 480, 3), (10 * index, 100, 200), np.uint8)
            image[:180] = len(split)
            labels = np.full((360, 480), 3, np.uint8)
            labels[:100], labels[350:] = 0, 11
            Image.fromarray(image).save(root / split / f"{name}.png")
            Image.fromarray(labels).save(root / f"{split}annot" / f"{name}.png")
            sha.update(name.encode() + image.tobytes() + labels.tobytes())
            lines.append(f"/SegNet/CamVid/{split}/{name}.png /SegNet/CamVid/{split}annot/{name}.png\n")
        (root / f"{split}.txt").write_text("".join(reversed(lines)))
        options["sha256"][split] = sha.hexdigest()
    return options


@pytest.fixture(autouse=True)
def data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test has its own BENCH_DATA, and none sees the user's data sets."""
    monkeypatch.setenv("BENCH_DATA", str(tmp_path / "home"))
    for name in ("CAMVID", "SUNRGBD", "VOC", "LIST_FILES"):
        monkeypatch.delenv(f"BENCH_{name}", raising=False)
    return tmp_path / "home"


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, dict]:
    """A good tree, found through BENCH_CAMVID, and its options."""
    root = tmp_path / "tree" / "CamVid"
    options = write_camvid(root)
    monkeypatch.setenv("BENCH_CAMVID", str(root))
    return root, options


_REAL = os.environ.get("BENCH_CAMVID")


@pytest.fixture
def real_options(monkeypatch: pytest.MonkeyPatch) -> dict:
    """The options of the real CamVid; skips where BENCH_CAMVID does not name it."""
    if not _REAL:
        pytest.skip("BENCH_CAMVID is not set: no real CamVid images to test with")
    monkeypatch.setenv("BENCH_CAMVID", _REAL)
    return REAL_OPTIONS
