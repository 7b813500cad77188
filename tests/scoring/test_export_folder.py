"""The folder of an export: whole or not at all, and nothing of anybody's is lost."""

import json
from pathlib import Path

import pytest

from bench.errors import ConfigError, UnwritableError
from bench.scoring.export_folder import check_free, new_export


def put(out, content="one", form="csv", fails=False):
    with new_export(out, form) as folder:
        (folder / "below").mkdir()
        (folder / "below" / "file.txt").write_text(content)
        if fails:
            raise ZeroDivisionError


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_an_export_says_what_it_wrote(tmp_path):
    put(tmp_path / "new" / "out")
    listing = json.loads((tmp_path / "new/out/export.json").read_text())
    assert (listing["program"], listing["format"], list(listing["files"])) == (
        "segnet-bench",
        "csv",
        ["below/file.txt"],
    )
    assert files(tmp_path) == ["new/out/below/file.txt", "new/out/export.json"]


def test_an_unchanged_earlier_export_of_the_format_is_replaced(tmp_path):
    put(tmp_path / "out", "one")
    (tmp_path / "out/below/file.txt").unlink()  # can be written again
    put(tmp_path / "out", "two")
    assert (tmp_path / "out/below/file.txt").read_text() == "two"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("name", ["below/file.txt", "below/mine.txt"])
def test_what_somebody_changed_or_added_stays(tmp_path, name):
    put(tmp_path / "out")
    (tmp_path / "out" / name).write_text("my work")
    with pytest.raises(ConfigError, match=f"an earlier export in which '{name}' was changed or added since, and noth"):
        put(tmp_path / "out")
    assert (tmp_path / "out" / name).read_text() == "my work"


def test_a_link_that_somebody_added_stays(tmp_path):
    put(tmp_path / "out")
    (tmp_path / "out" / "link").symlink_to(tmp_path)
    with pytest.raises(ConfigError, match="'link' was changed or added"):
        check_free(tmp_path / "out", "csv")


def test_other_folders_are_refused(tmp_path):
    put(tmp_path / "out")
    with pytest.raises(ConfigError, match="holds an export of format csv, not mlflow; name another folder"):
        put(tmp_path / "out", form="mlflow")
    (tmp_path / "full").mkdir()
    for content in ("{", "[]", '{"format": "csv"}'):
        (tmp_path / "full" / "export.json").write_text(content)
        with pytest.raises(ConfigError, match="is not empty, and nothing is overwritten; name another folder"):
            put(tmp_path / "full")
    for name in ("link", "full/export.json"):
        if name == "link":
            (tmp_path / name).symlink_to(tmp_path / "full")
        with pytest.raises(ConfigError, match="is no folder; name one that is not there yet"):
            put(tmp_path / name)
    with pytest.raises(UnwritableError, match=r"export.json.* cannot be written: Not a directory"):
        put(tmp_path / "full" / "export.json" / "below")


def test_nothing_is_left_of_an_export_that_fails(tmp_path):
    put(tmp_path / "out", "one")
    for out in (tmp_path / "out", tmp_path / "second"):
        with pytest.raises(ZeroDivisionError):
            put(out, fails=True)
    assert files(tmp_path) == ["out/below/file.txt", "out/export.json"]


def test_the_earlier_export_comes_back_where_the_new_one_cannot_take_its_place(tmp_path, monkeypatch):
    put(tmp_path / "out", "one")
    rename = Path.replace

    def fails_for_the_new(self, target):
        if (self / "below" / "file.txt").read_text() == "two":
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", fails_for_the_new)
    with pytest.raises(UnwritableError, match="cannot be written: No space left on device"):
        put(tmp_path / "out", "two")
    assert files(tmp_path) == ["out/below/file.txt", "out/export.json"]
    assert (tmp_path / "out/below/file.txt").read_text() == "one"
