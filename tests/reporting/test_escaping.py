"""Names and numbers that come from files: refused when they are read, or shown as text and nothing else.

Each report is written by the command, from real results files that hold what a stranger may put there.
"""

import csv
import json
import re
import struct
from collections.abc import Callable
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import strategies as st
from PIL import Image
from property_based import always
from stored_results import bench

from bench.results.migrations import ARROW_SCHEMA
from bench.results.schema import COLUMNS
from bench.results.store import path_of
from bench.study.trials import Trial

Build = Callable[..., pd.DataFrame]
Change = tuple[str, Any, str]  # column, value, which rows
TEXTS = [column.name for column in COLUMNS if column.dtype == "string"]
INTEGERS = [column.name for column in COLUMNS if column.dtype == "int64"]
FLOATS = [column.name for column in COLUMNS if column.dtype == "float64"]

# Characters that HTML, Markdown, LaTeX, CSV, jinja, rich or matplotlib give a meaning of their own.
EVIL = (
    "<script>alert(1)</script><img src=x onerror=alert(1)> & ' \" `code` [link](javascript:x) ![](http://x) | "
    "{{ 7 * 7 }} {% x %} $\\frac{ [/] [red] \\input{x} \\"
)
FREE = ["device_name", "platform", "git_commit", "python", "torch", "torchvision", "numpy", "bench_version", "unit",
        "dataset_digest", "source_digest", "precision", "device"]  # fmt: skip
TAGS = {
    *("script", "dialog", "button", "form", "label", "select", "option", "optgroup", "output", "input", "pre", "svg"),
    *("rect", "small", "h4", "ol"),
    *("html", "head", "meta", "title", "style", "body", "div", "header", "main", "footer", "section", "nav", "p", "a"),
    *("h1", "h2", "h3", "b", "strong", "code", "span", "ul", "ol", "li", "dl", "dt", "dd", "table", "caption", "thead"),
    *("tbody", "tr", "th", "td", "details", "summary", "figure", "figcaption", "picture", "source", "img"),
}


class Page(HTMLParser):
    """The tags and attributes of a page, and its text outside <style> and <script>; `data` is the JSON in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.data = ""
        self.scripts: list[str] = []
        self._style = self._data = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.scripts += [dict(attrs).get("type") or ""] if tag == "script" else []
        self.attributes += [(name, value or "") for name, value in attrs]
        self._style = tag in ("style", "script")
        self._data = ("type", "application/json") in attrs

    def handle_endtag(self, tag: str) -> None:
        self._style = self._data = False

    def handle_data(self, data: str) -> None:
        self.text += "" if self._style else data
        self.data += data if self._data else ""


@pytest.fixture(scope="module")
def some(trials: list[Trial]) -> list[Trial]:
    """Trainings under both weightings, and two costs."""
    costs = [trial for trial in trials if trial.kind == "cost"]
    return [trials[0], trials[1], trials[len(costs) + 1], *costs[:2]]


@pytest.fixture(scope="module")
def rows(some: list[Trial], build_results: Build) -> pd.DataFrame:
    """What these trials stored, with fewer points of the curves."""
    frame = build_results(some)
    frame = frame[(frame["record"] != "curve") | (frame["iteration"] % 50 == 0)].astype(object)
    return frame.assign(metric=frame["metric"].fillna(frame["record"])).reset_index(drop=True)


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are built, not saved, which takes most of the time."""
    monkeypatch.setattr("bench.reporting.figures.drawing.save_figure", lambda *args: [])


def store(folder: Path, rows: pd.DataFrame, trials: list[Trial], digest: str | None = None) -> None:
    """Writes as many rows as each trial has to its file, whatever they hold."""
    for trial in trials:
        path = path_of(folder, trial)
        if digest:
            path = path.with_name(f"{trial.id}-{digest}.parquet")
        path.parent.mkdir(parents=True, exist_ok=True)
        mine = rows[rows["of"] == trial.id] if "of" in rows else rows[rows["trial"] == trial.id]
        columns = {name: mine[name].where(mine[name].notna(), None).tolist() for name in ARROW_SCHEMA.names}
        pq.write_table(pa.table(columns, schema=ARROW_SCHEMA), path)


def changed(rows: pd.DataFrame, changes: tuple[Change, ...]) -> pd.DataFrame:
    """Returns rows of which some hold other values; column `of` says which trial they were of."""
    rows = rows.assign(of=rows["trial"])
    for column, value, where in changes:
        number = np.arange(len(rows))
        chosen = {"all": number >= 0, "one": number == 100, "some": number % 3 == 0}
        rows.loc[chosen[where] if where in chosen else rows["record"] == where, column] = value
    return rows


def report(results: Path, out: Path) -> Path:
    """Reports the results in a folder; returns that of the report, which holds no markup but ours."""
    said = bench("report", "--suite", "decoder-variants", "--profile", "smoke", "--results", results, "--out", out)
    assert "report: " in said, said
    written = out / "decoder-variants" / "smoke"
    page = Page((written / "index.html").read_text(encoding="utf-8"))
    assert page.tags <= TAGS
    assert page.scripts == ["application/json", ""]  # ours; text from data would be a third
    assert set(json.loads(page.data)) == {"cells", "trials", "shared"}
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert not [value for name, value in page.attributes if name in ("href", "src", "srcset") and ":" in value]
    for name in ("report.md", "table1.md"):
        check_markdown((written / name).read_text(encoding="utf-8"))
    lines = list(csv.reader(StringIO((written / "table1.csv").read_text(encoding="utf-8"))))
    assert {len(line) for line in lines} == {len(lines[0])}
    assert not [cell for line in lines for cell in line if cell[:1] in ("=", "+", "@", "\t")]
    latex = (written / "table1.tex").read_text(encoding="utf-8")
    assert len(re.findall(r"(?<!\\)\{", latex)) == len(re.findall(r"(?<!\\)\}", latex))
    for picture in (written / "figures").glob("*.svg"):
        names = {element.tag.rpartition("}")[2] for element in ElementTree.parse(picture).iter()}
        assert not names & {"script", "foreignObject", "a"}
    return written


def check_markdown(text: str) -> None:
    """No HTML, no link but to figures, and as many cells in every row of a table as in its head."""
    assert not re.search(r"(?<!\\)<", text)
    assert not re.search(r"(?<!\\)\]\((?!figures/)", text)
    for table in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.strip().split("\n")}) == 1, table


def test_every_free_text_of_a_results_file_is_shown_as_text(
    tmp_path: Path, rows: pd.DataFrame, some: list[Trial]
) -> None:
    store(tmp_path / "results", rows.assign(**dict.fromkeys(FREE, EVIL)), [some[0], some[-1]])
    page = Page((report(tmp_path / "results", tmp_path) / "index.html").read_text(encoding="utf-8"))
    for title in ("Device", "Platform", "Git commit", "torch", "numpy", "Data digest"):
        assert title in page.text
    assert page.text.count("<script>alert(1)</script>") >= 10
    assert "{{ 7 * 7 }}" in page.text
    assert list((tmp_path / "decoder-variants" / "smoke" / "figures").glob("*.svg"))


@pytest.mark.usefixtures("no_pictures")
def test_a_reason_is_shown_as_text_on_one_line(tmp_path: Path, rows: pd.DataFrame, some: list[Trial]) -> None:
    hostile = f"{EVIL}\n\x1b]0;owned\x07\u202e\0 the end"
    store(tmp_path / "results", rows.assign(status="failed", reason=hostile), some)
    written = report(tmp_path / "results", tmp_path)
    page = Page((written / "index.html").read_text(encoding="utf-8"))
    assert page.text.count("<script>alert(1)</script>") >= 5  # of the trials, and of claims that they leave untested
    cell = json.loads(page.data)["cells"]["cell-T1-segnet_basic-median_frequency-test-mean_iou"]
    assert "<script>alert(1)</script>" in cell["reason"]
    assert "\x1b" not in page.text
    said = bench("status", "--results", tmp_path / "results")
    assert "5 failed" in said
    assert said.count("[link](javascript:x)") == said.count("the end") == 5
    bench("check", "--suite", "decoder-variants", "--results", tmp_path / "results", "--against", "paper")


def test_stale_results_are_explained_in_printable_words(tmp_path: Path, rows: pd.DataFrame, some: list[Trial]) -> None:
    """`status --why` prints what an older file declared."""
    settings = '{"lr": "[/] [red] <script>", "momentum": [[1]], "dataset_options": {"[bold]": 3}, "model": null}'
    sources = '{"[/]": "x", "bench/training/loop.py": 7}'
    stale = {"digest": "0" * 16, "config": settings, "sources": sources, "git_commit": "[/] [red]", "protocols": "{}"}
    store(tmp_path, rows.assign(**stale), some, digest="0" * 16)
    said = bench("status", "--results", tmp_path, "--why")
    assert "[/] [red]" in said
    assert "[bold]" in said


# --- anything anywhere

VALUES = st.sampled_from(
    [None, "", " ", "x", EVIL, "\x1b[2J", "\u202e", "a" * 5000, "../../x", "=cmd()", "mean_iou", "loss", "test",
     "train", "boundary_f1", "iou", "cost", "score", "curve", "class_score", "paper", "distance", "forward_ms", "done"]
)  # fmt: skip
COUNTS = st.sampled_from([None, -1, 0, 1, 100, 2**53, 2**62])
AMOUNTS = st.sampled_from([None, np.nan, np.inf, -1.0, 0.0, 1.0, 0.5, 5.0, 1e17, 1e-300, 1e300])
WHERE = st.sampled_from(["all", "one", "some", "score", "class_score", "curve", "cost", "class_weight", "outcome"])
CHANGES = st.lists(
    st.tuples(st.sampled_from(TEXTS), VALUES, WHERE)
    | st.tuples(st.sampled_from(INTEGERS), COUNTS, WHERE)
    | st.tuples(st.sampled_from(FLOATS), AMOUNTS, WHERE),
    min_size=1,
    max_size=3,
).map(tuple)


@pytest.mark.parametrize("times", [1, pytest.param(500, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])])
@pytest.mark.usefixtures("no_pictures")
def test_whatever_a_file_holds_there_is_a_report(
    tmp_path: Path, rows: pd.DataFrame, some: list[Trial], times: int
) -> None:
    def reported(changes: tuple[Change, ...]) -> None:
        store(tmp_path / "results", changed(rows, changes), some)
        report(tmp_path / "results", tmp_path)
        bench("status", "--results", tmp_path / "results", "--why")
        bench("check", "--suite", "decoder-variants", "--results", tmp_path / "results", "--against", "paper")

    always(reported, CHANGES, times)


# --- pictures of predictions, which are files of their own


@pytest.fixture
def panel(tmp_path: Path, rows: pd.DataFrame, some: list[Trial]) -> Path:
    """A results folder with one training and the panels of one image; returns the folder of the panels."""
    store(tmp_path / "results", rows, some[:1])
    folder = tmp_path / "results" / "_panels" / some[0].suite / some[0].profile / "image_01"
    folder.mkdir(parents=True)
    Image.fromarray(np.zeros((6, 8, 3), np.uint8)).save(folder / "image.png")
    for name in ("labels", f"{some[0].id}-{some[0].digest}"):
        Image.fromarray(np.zeros((6, 8), np.uint8)).save(folder / f"{name}.png")
    return folder


def animated(path: Path) -> None:
    frames = [Image.new("L", (8, 6), shade) for shade in (0, 9)]
    frames[0].save(path, save_all=True, append_images=frames[1:])


PICTURES = {
    "is 60000x60000 px, expected 6x8": lambda path: declare(path, 60_000, 60_000),
    "not a PNG image": lambda path: path.write_bytes(b"\x89PNG not really"),
    "it does not begin as PNG does": lambda path: Image.new("L", (8, 6)).save(path, "GIF"),
    "has 16 bits a channel": lambda path: Image.fromarray(np.zeros((6, 8), np.uint16)).save(path),
    "pixel mode is RGB, expected L": lambda path: Image.new("RGB", (8, 6)).save(path),
    "is animated": animated,
    "class id 77; allowed are 0 to 10 and 255": lambda path: Image.new("L", (8, 6), 77).save(path),
}


def declare(path: Path, height: int, width: int) -> None:
    content = bytearray(path.read_bytes())
    content[16:24] = struct.pack(">II", width, height)
    path.write_bytes(content)


@pytest.mark.parametrize("message", PICTURES)
@pytest.mark.usefixtures("no_pictures")
def test_a_picture_that_no_trial_has_stored_is_refused(panel: Path, tmp_path: Path, message: str) -> None:
    PICTURES[message](next(panel.glob("decoder*.png")))
    said = bench("report", "--suite", "decoder-variants", "--results", tmp_path / "results", "--out", tmp_path)
    assert said.startswith("error: ")
    assert message in said
    assert said.endswith("; run its trial again\n")


@pytest.mark.usefixtures("no_pictures")
def test_a_large_image_is_refused_before_it_unfolds(panel: Path, tmp_path: Path) -> None:
    declare(panel / "image.png", 60_000, 60_000)
    said = bench("report", "--suite", "decoder-variants", "--results", tmp_path / "results", "--out", tmp_path)
    assert "image.png: is 60000x60000 px, at most 8192x8192 are read; run its trial again" in said


@pytest.mark.parametrize("name", ["<script>alert(1)<", '" onerror="$x$](x)|', "a\nb\x1b[2J", "\udcff"])
@pytest.mark.usefixtures("no_pictures")
def test_a_folder_of_panels_may_have_any_name(panel: Path, tmp_path: Path, name: str) -> None:
    panel.rename(panel.with_name(name))
    page = Page((report(tmp_path / "results", tmp_path) / "index.html").read_text(encoding="utf-8"))
    (alt,) = [value for key, value in page.attributes if key == "alt" and value.startswith("Grid of test images")]
    assert alt.isprintable()
