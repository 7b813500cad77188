from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from results_factory import outdated

from bench.errors import ResultsError, UnknownNameError
from bench.reporting.definitions.glossary import glossary
from bench.reporting.pages.report_source import ReportSource
from bench.reporting.pages.suite_page import class_legend, write_report
from bench.reporting.provenance.overview import as_duration, grouped, provenance, run_facts, trial_states
from bench.reporting.rendering import (
    escape_markdown,
    escape_markdown_around_code,
    first_sentence,
    start_sentence,
    with_code,
)
from bench.results.changes import Change
from bench.study.config import Study
from bench.study.trials import Trial, plan

Build = Callable[..., pd.DataFrame]
EVIL = "<script>alert('|')</script> & `code` [link](javascript:x)"


class Page(HTMLParser):
    """Start tags with their attributes, and the text outside <style> and <script>."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._style = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._style = tag in ("style", "script")

    def handle_endtag(self, tag: str) -> None:
        self._style = self._style and tag not in ("style", "script")

    def handle_data(self, data: str) -> None:
        if not self._style:
            self.text += " ".join(data.split()) + " "

    def values(self, name: str) -> Iterator[str]:
        """Every value of an attribute."""
        return (attrs[name] for _, attrs in self.tags if name in attrs)


def read(path: Path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def report(
    tmp_path_factory: pytest.TempPathFactory, results: pd.DataFrame, study: Study, trials: list[Trial], panels_dir: Path
) -> Path:
    out = tmp_path_factory.mktemp("reports")
    suite, profile = trials[0].suite, trials[0].profile
    return write_report(ReportSource(results, study, panels_dir.parent), out, suite=suite, profile=profile)


@pytest.fixture
def write(tmp_path: Path, study: Study, trials: list[Trial]) -> Callable[..., Page]:
    def written(results: pd.DataFrame, problems: tuple[str, ...] = (), **names: str) -> Page:
        names = {"suite": trials[0].suite, "profile": trials[0].profile} | names
        return read(write_report(ReportSource(results, study, problems=problems), tmp_path, **names))

    return written


def test_the_folder_holds_pages_tables_and_figures(report: Path, trials: list[Trial]) -> None:
    folder = report.parent
    assert folder.parts[-2:] == (trials[0].suite, trials[0].profile)
    names = {path.name for path in folder.iterdir()}
    tables = {"table1.md", "table1.csv", "table1.tex", "boundary_protocols.csv", "pairs.csv"}
    assert names == {"index.html", "report.md", "figures", "panels"} | tables
    figures = [path.suffix for path in (folder / "figures").iterdir()]
    assert set(figures) == {".png", ".svg", ".pdf", ".json"}
    assert figures.count(".png") == figures.count(".svg") == figures.count(".pdf") == 2 + 2 + 2 + 1 + 2 + 2


def test_the_page_needs_nothing_from_outside_its_folder(report: Path, panels_dir: Path) -> None:
    page = read(report)
    linked = [*page.values("src"), *page.values("href"), *page.values("srcset")]
    anchors = set(page.values("id"))
    assert linked
    for link in linked:
        if link.endswith(".parquet"):  # where a number comes from
            found = (report.parent / link).resolve().relative_to(panels_dir.parent)
            assert found.parts[:2] == report.parent.parts[-2:]
        elif link != "../../index.html":  # which leads to all pages
            assert link[1:] in anchors if link.startswith("#") else (report.parent / link).is_file(), link
    assert not [attrs for tag, attrs in page.tags if tag == "script" and "src" in attrs]
    assert "@import" not in report.read_text(encoding="utf-8")
    assert "url(" not in report.read_text(encoding="utf-8")


def test_every_image_has_a_text_and_every_wide_table_its_own_scroll(report: Path) -> None:
    page = read(report)
    images = [attrs for tag, attrs in page.tags if tag == "img"]
    figures = [attrs for attrs in images if attrs.get("src", "").startswith("figures/")]
    assert len(figures) == 11
    assert all(len(attrs["alt"]) > 40 for attrs in figures)
    assert all("alt" in attrs for attrs in images)
    tables = [index for index, (tag, _) in enumerate(page.tags) if tag == "table"]
    assert all("scroll" in page.tags[index - 1][1].get("class", "") for index in tables)


def test_the_scale_is_said_in_words_nobody_can_miss(report: Path) -> None:
    assert "NOT AT THE PAPER'S SCALE" in read(report).text
    assert [attrs for _, attrs in read(report).tags if attrs.get("class") == "banner"]
    for name in ("report.md", "table1.md", "table1.csv", "table1.tex"):
        assert "NOT AT THE PAPER'S SCALE" in (report.parent / name).read_text(encoding="utf-8")


def test_the_papers_scale_needs_no_banner(
    tmp_path: Path, study: Study, trials: list[Trial], build_results: Build
) -> None:
    planned = plan(study, trials[0].suite, "paper")
    results = build_results(planned[:1])
    page = read(write_report(ReportSource(results, study), tmp_path, suite=trials[0].suite, profile="paper"))
    assert "NOT AT THE PAPER'S SCALE" not in page.text
    assert not [attrs for _, attrs in page.tags if attrs.get("class") == "banner"]
    assert f"1 of {len(planned)} done" in page.text


def test_the_same_results_give_the_same_report(
    tmp_path: Path, build_results: Build, study: Study, trials: list[Trial]
) -> None:
    results = build_results(trials[:1])
    profile = trials[0].profile
    source = ReportSource(results, study)
    first = write_report(source, tmp_path / "1", suite="decoder-variants", profile=profile).parent
    again = write_report(source, tmp_path / "2", suite="Decoder_Variants", profile=profile.upper()).parent
    files = [path.relative_to(first) for path in first.rglob("*.*")]
    assert {path.suffix for path in files} == {".html", ".md", ".csv", ".tex", ".svg", ".png", ".pdf", ".json"}
    for file in files:
        assert (first / file).read_bytes() == (again / file).read_bytes(), file


def test_text_from_data_is_escaped(write: Callable[..., Page], build_results: Build, trials: list[Trial]) -> None:
    results = build_results(trials[:1], failed=[trials[0].id], reason=EVIL).assign(device_name=EVIL)
    page = write(results, problems=(EVIL,))
    assert [attrs.get("type") for tag, attrs in page.tags if tag == "script"] == ["application/json", None]  # ours
    assert page.text.count("<script>alert('|')</script> & `code`") >= 3


def test_markdown_from_data_is_escaped(tmp_path: Path, build_results: Build, study: Study, trials: list[Trial]) -> None:
    results = build_results(trials[:1], failed=[trials[0].id], reason=EVIL)
    names = {"suite": trials[0].suite, "profile": trials[0].profile}
    page = write_report(ReportSource(results, study, problems=[EVIL]), tmp_path, **names)
    text = page.with_name("report.md").read_text(encoding="utf-8")
    assert "<script" not in text
    line = next(line for line in text.splitlines() if "diverged" in line and "alert" in line)
    assert len(re.findall(r"(?<!\\)\|", line)) == 4


def test_a_half_finished_suite_says_what_is_missing(
    write: Callable[..., Page], build_results: Build, trials: list[Trial]
) -> None:
    results = build_results(trials[:3], failed=[trials[1].id])
    page = write(results, problems=("'x.parquet' cannot be read",))
    assert f"2 of {len(trials)} done 1 diverged {len(trials) - 3} missing" in page.text
    assert "loss became nan" in page.text
    assert "'x.parquet' cannot be read" in page.text
    where = f"--suite {trials[0].suite} --profile {trials[0].profile}"
    assert f"bench run {where} runs what is left. bench retry {where} tries again what ended badly." in page.text
    assert "No model has both a finished cost trial and a finished training." in page.text


def test_a_suite_that_never_ran_has_a_report(
    write: Callable[..., Page], results: pd.DataFrame, trials: list[Trial]
) -> None:
    page = write(results.iloc[:0])
    assert f"0 of {len(trials)} done" in page.text
    assert "Nothing ran yet" in page.text
    assert "img" not in [tag for tag, _ in page.tags]


def test_cost_trials_alone_have_a_report(write: Callable[..., Page], build_results: Build, trials: list[Trial]) -> None:
    page = write(build_results([trial for trial in trials if trial.kind == "cost"]))
    assert "No training has finished." in page.text


def test_stale_results_are_counted_marked_and_explained_wherever_they_are_shown(
    write: Callable[..., Page], build_results: Build, trials: list[Trial], tmp_path: Path
) -> None:
    models = ("segnet_basic", "fcn_basic")
    few = [trial for trial in trials if trial.model in models and trial.weighting != "natural_frequency"]
    page = write(build_results([outdated(trial) for trial in few]))
    assert f"0 of {len(trials)} done {len(few)} stale {len(trials) - len(few)} missing" in page.text
    legend = "† Stale: measured under other settings or source than are planned now (changed since: bench/training/loop"
    assert page.text.count(legend) >= 4  # on top, below the table, below the costs, beside the settings
    assert f"bench status --suite {trials[0].suite} --profile {trials[0].profile} --why" in page.text
    assert page.text.count("stale 2026-01-02 03:00 7 min 11 s changed since: bench/training/loop.py") == 1
    assert page.text.count("changed since: bench/training/loop.py ") == len(few)
    assert page.text.count("SegNet-Basic † ") == 1  # in the table of costs; the names in figures are pictures
    folder = tmp_path / trials[0].suite / trials[0].profile
    for name in ("report.md", "table1.md"):
        assert legend in (folder / name).read_text(encoding="utf-8").replace("\\_", "_")
    assert "bench status --suite decoder-variants --profile smoke --why" in (folder / "report.md").read_text()


def test_a_report_without_stale_results_has_no_mark(report: Path) -> None:
    for name in ("report.md", "table1.md", "table1.tex", "table1.csv"):
        text = (report.parent / name).read_text(encoding="utf-8").lower()
        assert "†" not in text
        assert "dagger" not in text
        assert ">stale" not in text
    page = report.read_text(encoding="utf-8")
    assert page.count("†") == page.count('"mark v-stale">† stale</span>') == 1  # what the mark would mean


def test_current_and_stale_results_are_told_apart(
    write: Callable[..., Page], build_results: Build, trials: list[Trial]
) -> None:
    old = outdated(trials[1])
    page = write(build_results([trials[0], old, outdated(trials[0])]))
    assert f"1 of {len(trials)} done 1 stale {len(trials) - 2} missing" in page.text
    assert f"{len(trials) - 2} of {len(trials)} trials are not in this report" in page.text
    assert "Bilinear-Interpolation †" not in page.text
    pictures = [attrs for tag, attrs in page.tags if tag == "img"]
    assert any("SegNet-Basic †" in attrs["alt"] for attrs in pictures)
    assert "blue above it. † Stale: measured before settings or source changed." in page.text
    assert "count more. Partly stale" not in page.text  # the first training is current, and data is data


def test_a_stale_seed_beside_a_current_one_is_named_but_not_shown(
    study: Study, build_results: Build, tmp_path: Path
) -> None:
    one, two = (
        next(trial for trial in plan(study, "decoder-variants", "mini", seeds=[seed]) if trial.kind == "training")
        for seed in (0, 1)
    )
    results = build_results([one, outdated(two)])
    text = read(write_report(ReportSource(results, study), tmp_path, suite=one.suite, profile="mini")).text
    assert "not shown beside current runs of other seeds" in text
    assert "† Stale: measured" not in text


def test_a_failed_trial_whose_stale_result_is_shown_says_both(build_results: Build, trials: list[Trial]) -> None:
    old = outdated(trials[0])
    results = build_results([trials[0], old], failed=[])
    results.loc[results["digest"] == trials[0].digest, ["status", "reason"]] = ["killed", "signal 9"]
    why = {trials[0].id: (Change("lr", "0.2 → 0.1"),)}
    (state,) = trial_states(results, trials[:1], {old.digest}, why)
    assert (state.status, state.reason, state.shown) == ("killed", "signal 9; an older, stale result is shown", True)
    (state,) = trial_states(results[results["digest"] == old.digest], trials[:1], {old.digest}, why)
    assert (state.status, state.reason, state.shown) == ("stale", "changed since: lr", True)
    assert state.started_at == "2026-01-02 03:15"


def test_other_suites_and_profiles_are_left_out(write: Callable[..., Page], results: pd.DataFrame) -> None:
    page = write(results.assign(suite="another"))
    assert "img" not in [tag for tag, _ in page.tags]


def test_an_unknown_profile_is_named(write: Callable[..., Page], results: pd.DataFrame) -> None:
    with pytest.raises(UnknownNameError, match="unknown profile 'minni', did you mean 'mini'"):
        write(results, profile="minni")


def test_a_folder_that_cannot_be_made_is_named(
    tmp_path: Path, study: Study, trials: list[Trial], results: pd.DataFrame
) -> None:
    (tmp_path / "file").write_text("")
    names = {"suite": trials[0].suite, "profile": trials[0].profile}
    with pytest.raises(ResultsError, match=r"report folder '.*' cannot be made: .*; choose another with --out DIR"):
        write_report(ReportSource(results, study), tmp_path / "file", **names)


def test_the_report_needs_no_torch() -> None:
    code = "import sys, bench.reporting.pages.suite_page; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_facts_add_up(results: pd.DataFrame, trials: list[Trial]) -> None:
    states = trial_states(results, trials)
    assert {state.status for state in states} == {"done"}
    facts = {fact.name: fact.values for fact in run_facts(results, trials, states)}
    assert facts["Trials"] == (f"{len(trials)} of {len(trials)} done",)
    assert facts["Machine"] == ("AMD EPYC 9B45 (AVX2), 2 threads",)
    assert facts["When"][0] == "2026-01-02 03:00 UTC"


def test_seeds_that_were_not_run_are_not_counted(build_results: Build, study: Study) -> None:
    planned = plan(study, "decoder-variants", "mini", models=["segnet_basic"], seeds=[0, 1])
    trainings = [trial for trial in planned if trial.kind == "training"]  # two loss weightings of two seeds
    for run, shown in (
        (trainings, "2 per model and weighting"),
        (trainings[:3], "2 planned per model and weighting, 1 to 2 in this report"),
        (trainings[:1], "2 planned per model and weighting, 0 to 1 in this report"),
    ):
        results = build_results(run)
        facts = {fact.name: fact.values for fact in run_facts(results, planned, trial_states(results, planned))}
        assert facts["Seeds"] == (shown,)


def test_provenance_counts_trials_where_they_differ(build_results: Build, trials: list[Trial]) -> None:
    results = build_results(trials[:3])
    results.loc[results["trial"] == trials[0].id, "torch"] = "2.11.0"
    facts = {fact.name: fact.values for fact in provenance(results)}
    assert facts["torch"] == ("2.15.0 (2 trials)", "2.11.0 (1 trial)")
    assert facts["numpy"] == ("2.3.4",)


def test_definitions_give_the_tolerance_in_pixels(trials: list[Trial]) -> None:
    text = dict(glossary(trials[:1]))["BF, boundary F1 (protocol paper)"]
    # 60 x 80 has a diagonal of 100
    assert trials[0].height, trials[0].width == (60, 80)
    assert "(0.75 px at 60 × 80)" in text


def test_the_legend_of_classes_has_every_colour_and_void(study: Study, trials: list[Trial]) -> None:
    found = class_legend([trial for trial in trials if trial.kind == "training"])
    assert found is not None
    assert [entry.name for entry in found.entries][:2] == ["Sky", "Building"]
    assert [entry.colour for entry in found.entries][:2] == ["#808080", "#800000"]
    assert found.entries[-1] == ("void, neither trained nor scored", "#000000")
    assert len(found.entries) == 12
    assert class_legend([]) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(59.4, "59 s"), (59.6, "1 min 00 s"), (431, "7 min 11 s"), (11_100, "3 h 05 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert as_duration(seconds) == text


def test_small_texts() -> None:
    assert grouped(10_000) == "10\u202f000"
    assert first_sentence("A: b. C.") == "A: b."
    assert first_sentence("") == ""
    assert start_sentence("the end") == "The end"
    assert start_sentence("correspondPixels is exact") == "correspondPixels is exact"
    assert with_code("a `b<c` d") == "a <code>b&lt;c</code> d"
    assert escape_markdown("a|b\n<i> `c` *d*") == r"a\|b &lt;i&gt; \`c\` \*d\*"
    assert escape_markdown_around_code("a_b\n`c_d <e>`, ` f*") == r"a\_b `c_d <e>`, \` f\*"
