"""Drawing several figures: which are drawn again, by whom, and what is left behind when it fails."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from bench.errors import ResultsError
from bench.reporting.figures import inputs as figure_inputs
from bench.reporting.figures.drawing import FEWEST, RECORD, Drawing
from bench.reporting.figures.inputs import InputDigests
from bench.reporting.figures.style import new_figure

TABLE = pd.DataFrame({"text": ["a", None, "b"], "number": [1.0, np.nan, 3.0], "whole": pd.array([1, None, 3], "Int64")})


def bar(table: pd.DataFrame, title: str, log: str = "") -> Figure | None:
    """Draws the numbers of a table; a line in `log` for each time."""
    if log:
        with Path(log).open("a") as file:
            file.write(f"{title} {os.getpid()}\n")
    if table.empty:
        return None
    figure = new_figure(1.0, "")
    figure.subplots().plot(table["number"])
    return figure


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def drawn(log: Path) -> list[str]:
    """The titles of the figures that were drawn since the last question."""
    lines = log.read_text().splitlines() if log.exists() else []
    log.write_text("")
    return sorted(line.split()[0] for line in lines)


def figures(log: Path, tables: Mapping[str, pd.DataFrame]) -> dict[str, partial[Figure | None]]:
    return {name: partial(bar, table, name, log=str(log)) for name, table in tables.items()}


def test_a_figure_is_three_files(tmp_path: Path, log: Path) -> None:
    folder = tmp_path / "figures"
    assert Drawing(figures(log, {"one": TABLE, "none": TABLE.iloc[:0]}), folder).finished() == {"one"}
    assert {path.name for path in folder.iterdir()} == {"one.svg", "one.png", "one.pdf", RECORD}
    assert (folder / "one.pdf").read_bytes().startswith(b"%PDF")
    with Image.open(folder / "one.png") as picture:
        assert picture.mode == "P"


def test_without_a_figure_there_is_no_folder(tmp_path: Path, log: Path) -> None:
    assert Drawing(figures(log, {"none": TABLE.iloc[:0]}), tmp_path / "figures").finished() == set()
    assert not (tmp_path / "figures").exists()


def test_what_has_not_changed_is_not_drawn_again(tmp_path: Path, log: Path) -> None:
    tables = {"one": TABLE, "two": TABLE.assign(number=2.0), "none": TABLE.iloc[:0]}
    Drawing(figures(log, tables), tmp_path).finished()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.*")}
    assert drawn(log) == ["none", "one", "two"]
    assert Drawing(figures(log, {name: table.copy() for name, table in tables.items()}), tmp_path).finished() == {
        "one",
        "two",
    }
    assert drawn(log) == []
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.*")} == before


@pytest.mark.parametrize(
    "change",
    [
        {"number": [1.0, np.nan, 3.0000001]},
        {"number": [1.0, 2.0, 3.0]},
        {"text": ["a", "", "b"]},
        {"whole": pd.array([1, 2, 3], "Int64")},
    ],
)
def test_changed_data_are_drawn_again(tmp_path: Path, log: Path, change: dict[str, Any]) -> None:
    Drawing(figures(log, {"one": TABLE, "two": TABLE}), tmp_path).finished()
    drawn(log)
    Drawing(figures(log, {"one": TABLE.assign(**change), "two": TABLE}), tmp_path).finished()
    assert drawn(log) == ["one"]


def test_changed_source_is_drawn_again(tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Drawing(figures(log, {"one": TABLE}), tmp_path).finished()
    drawn(log)
    package = tmp_path / "package"
    package.mkdir()
    (package / "style.py").write_text("RED = 1")
    monkeypatch.setattr(figure_inputs, "PACKAGE", package)
    for text in ("RED = 1", "RED = 2"):
        (package / "style.py").write_text(text)
        figure_inputs.source_digest.cache_clear()
        Drawing(figures(log, {"one": TABLE}), tmp_path).finished()
        assert drawn(log) == ["one"], text
        Drawing(figures(log, {"one": TABLE}), tmp_path).finished()
        assert drawn(log) == []
    figure_inputs.source_digest.cache_clear()


@pytest.mark.parametrize("suffix", ["svg", "png", "pdf"])
def test_a_lost_or_shortened_file_is_drawn_again(tmp_path: Path, log: Path, suffix: str) -> None:
    Drawing(figures(log, {"one": TABLE, "two": TABLE}), tmp_path).finished()
    path = tmp_path / f"one.{suffix}"
    whole = path.read_bytes()
    drawn(log)
    for hurt in (lambda: path.unlink(), lambda: path.write_bytes(whole[:-1]), lambda: path.write_bytes(b"")):
        hurt()
        Drawing(figures(log, {"one": TABLE, "two": TABLE}), tmp_path).finished()
        assert drawn(log) == ["one"]
        assert path.read_bytes() == whole


@pytest.mark.parametrize("record", ["", "[]", '{"one": 1}', '{"one": {"inputs": "x"}}', '{"one": {"files": {"a": 1}}}'])
def test_a_damaged_record_is_no_record(tmp_path: Path, log: Path, record: str) -> None:
    Drawing(figures(log, {"one": TABLE}), tmp_path).finished()
    drawn(log)
    (tmp_path / RECORD).write_text(record)
    Drawing(figures(log, {"one": TABLE}), tmp_path).finished()
    assert drawn(log) == ["one"]
    assert json.loads((tmp_path / RECORD).read_text())["one"]["files"].keys() == {"one.svg", "one.png", "one.pdf"}


def test_a_record_that_names_other_files_is_not_followed(tmp_path: Path, log: Path) -> None:
    Drawing(figures(log, {"one": TABLE}), tmp_path).finished()
    drawn(log)
    record = json.loads((tmp_path / RECORD).read_text())
    record["one"]["files"] = {"/dev/zero": "0"}  # would be read for ever
    (tmp_path / RECORD).write_text(json.dumps(record))
    Drawing(figures(log, {"one": TABLE}), tmp_path).finished()
    assert drawn(log) == ["one"]


def test_figures_of_two_calls_are_remembered_side_by_side(tmp_path: Path, log: Path) -> None:
    Drawing(figures(log, {"one": TABLE}), tmp_path).finished()
    Drawing(figures(log, {"two": TABLE}), tmp_path).finished()
    drawn(log)
    Drawing(figures(log, {"one": TABLE}), tmp_path).finished()
    Drawing(figures(log, {"two": TABLE}), tmp_path).finished()
    assert drawn(log) == []


def test_many_figures_are_the_same_files_in_several_processes(
    tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = {f"figure-{number}": TABLE.assign(number=float(number)) for number in range(FEWEST)}
    monkeypatch.setattr("os.sched_getaffinity", lambda of: {0, 1})
    Drawing(figures(log, tables), tmp_path / "several").finished()
    assert str(os.getpid()) not in log.read_text()
    monkeypatch.setattr("os.sched_getaffinity", lambda of: {0})
    Drawing(figures(log, tables), tmp_path / "alone").finished()
    several, alone = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("several", "alone")
    )
    assert several == alone
    assert len(several) == 3 * FEWEST + 1


def raises(message: str) -> Figure:
    raise ResultsError(message)


def test_an_error_of_another_process_arrives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda of: {0, 1})
    calls: dict[str, partial[Figure | None]] = {str(number): partial(raises, "no luck") for number in range(FEWEST)}
    with pytest.raises(ResultsError, match="no luck"):
        Drawing(calls, tmp_path).finished()
    assert not (tmp_path / RECORD).exists()


def leaves(status: int) -> Figure:
    os._exit(status)


def test_a_killed_process_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda of: {0, 1})
    calls: dict[str, partial[Figure | None]] = {str(number): partial(leaves, 9) for number in range(FEWEST)}
    with pytest.raises(ResultsError, match="a process that draws figures into '.*' was killed; is memory short"):
        Drawing(calls, tmp_path).finished()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((1, "2"), (1, 2)),
        (("ab", "c"), ("a", "bc")),
        (([1], [2]), ([1, 2], [])),
        (({"a": None},), ({"a": "None"},)),
        ((np.array([1, 2]),), (np.array([[1, 2]]),)),
        ((np.array([1, 2], np.uint8),), (np.array([1, 2], np.int8),)),
        ((np.arange(2000),), (np.where(np.arange(2000) == 1000, 0, np.arange(2000)),)),  # numpy's repr leaves it out
    ],
)
def test_different_arguments_have_different_digests(one: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    digests = InputDigests()
    assert digests.of(partial(bar, *one)) != digests.of(partial(bar, *other))
    assert digests.of(partial(bar, *one)) == InputDigests().of(partial(bar, *one))


def test_an_argument_without_an_encoding_is_an_error() -> None:
    with pytest.raises(TypeError, match="no encoding for set"):
        InputDigests().of(partial(bar, {1, 2}))
