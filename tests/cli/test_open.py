"""`bench open` as a user types it, without a browser."""

import re
import webbrowser

import click
import pytest
from click.testing import CliRunner
from results_factory import ROOT

from bench.cli import ErrorsInOneLine
from bench.cli.open import open_report


@click.group(cls=ErrorsInOneLine)
@click.pass_context
def group(ctx):
    ctx.obj = ROOT / "bench.yaml"


group.add_command(open_report)


@pytest.fixture
def opened(monkeypatch):
    """The addresses that a browser was asked to open."""
    found = []
    monkeypatch.setattr(webbrowser, "open", lambda address: found.append(address) or True)
    return found


@pytest.fixture
def reports(tmp_path):
    for page in ("index.html", "cost/mini/index.html", "road-scenes/mini/index.html", "road-scenes/smoke/index.html",
                 "open-questions/smoke/index.html"):  # fmt: skip
        path = tmp_path / "some reports" / page
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page)
    return tmp_path / "some reports"


def bench(*words):
    return CliRunner().invoke(group, ["open", *map(str, words)])


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ((), "index.html"),
        (("--suite", "Cost"), "cost/mini/index.html"),
        (("--suite", "road_scenes", "--profile", "SMOKE"), "road-scenes/smoke/index.html"),
        (("--suite", "open-questions"), "open-questions/smoke/index.html"),
    ],
)
def test_the_page_is_opened_and_named(reports, opened, words, page):
    done = bench(*words, "--out", reports)
    assert (done.exit_code, done.stdout) == (0, f"{reports / page}\n")
    assert opened == [(reports / page).as_uri()]
    assert "%20" in opened[0]


@pytest.mark.parametrize("answer", [False, webbrowser.Error("no display")])
def test_without_a_browser_the_path_is_printed(reports, monkeypatch, answer):
    def no_browser(_):
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(webbrowser, "open", no_browser)
    done = bench("--out", reports)
    assert (done.exit_code, done.stdout) == (0, f"{reports / 'index.html'}\n")
    assert done.stderr == "no browser could be started; open the page yourself\n"


def test_pages_that_are_not_there(reports, opened, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for words, message in (
        ((), r"there is no 'reports/index.html'; `bench report` writes it"),
        (("--out", "a b"), r"there is no 'a b/index.html'; `bench report --out 'a b'` writes it"),
        (
            ("--suite", "cost", "--profile", "paper", "--out", reports),
            r"there is no '.*/cost/paper/index.html'; `bench report --suite cost --profile paper --out ",
        ),
        (
            ("--suite", "related", "--out", reports),
            r"there is no '.*/related/\*/index.html'; `bench report --suite related --out '.*some reports'` writes it",
        ),
        (("--suite", "roads", "--out", reports), r"unknown suite 'roads', did you mean"),
        (("--suite", "cost", "--profile", "mimi", "--out", reports), r"unknown profile 'mimi', did you mean 'mini'\?"),
        (("--profile", "mini", "--out", reports), r"--profile goes with --suite; the overview shows all profiles"),
        (
            ("--suite", "road-scenes", "--out", reports),
            r"there are reports of road-scenes in several profiles; name one with --profile: mini, smoke",
        ),
    ):
        done = bench(*words)
        assert done.exit_code == 2
        assert re.search(f"^error: {message}", done.stderr), done.stderr
        assert done.stderr.count("\n") == 1
    assert opened == []
