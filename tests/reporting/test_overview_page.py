"""The page that leads to all others, from results of several suites, of one, and of none."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pandas as pd
import pytest
from results_factory import outdated

from bench.errors import ConfigError, ResultsError
from bench.replication.claim_verdicts import ClaimVerdict
from bench.replication.claims import claims, on_paper
from bench.reporting.pages.claims_section import audit_section, claims_section
from bench.reporting.pages.overview_page import write_overview
from bench.reporting.pages.report_source import ReportSource
from bench.reporting.provenance.citation import CITATIONS
from bench.reporting.verdict_marks import OF_CLAIMS, ON_PAPER
from bench.study.config import Study
from bench.study.trials import Trial, plan

Build = Callable[..., pd.DataFrame]
ROOT = Path(__file__).parents[2]
EVIL = "<script>alert('|')</script> & [link](javascript:x)"


@pytest.fixture(scope="module")
def several(study: Study, trials: list[Trial], build_results: Build) -> pd.DataFrame:
    """A whole suite, and one training of another."""
    roads = plan(study, "road-scenes", "smoke", models=["segnet"])
    return pd.concat([build_results(trials), build_results(roads)], ignore_index=True)


def text_of(page: Path) -> str:
    content = re.sub(r"<(style|script).*?</\1>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", content)).split())


def test_every_suite_has_a_line_with_its_state_and_its_verdicts(
    tmp_path: Path, study: Study, several: pd.DataFrame, trials: list[Trial]
) -> None:
    page = write_overview(ReportSource(several, study), tmp_path)
    assert page == tmp_path / "index.html"
    text = text_of(page)
    planned = len(plan(study, "road-scenes", "smoke"))
    assert f"{len(trials)} of {len(trials)} done" in text
    assert f"1 of {planned} done {planned - 1} missing" in text
    assert f"{len(trials) + 1} of {len(trials) + planned} done" in text  # all together
    assert "2, in profile smoke" in text
    assert "96 images of RoadScenes (synthetic) at 60×80 pixels" in text
    assert "AMD EPYC 9B45 (AVX2), 2 threads" in text
    assert "2026-01-02 03:00 UTC" in text
    assert "NOT AT THE PAPER'S SCALE decoder-variants in profile smoke, road-scenes in profile smoke" in text
    assert "indoor-scenes: Deep networks on indoor scenes, bench run --suite indoor-scenes --profile smoke" in text


def test_a_page_that_is_not_there_is_named_with_its_command(
    tmp_path: Path, study: Study, several: pd.DataFrame
) -> None:
    there = tmp_path / "decoder-variants" / "smoke" / "index.html"
    there.parent.mkdir(parents=True)
    there.write_text("")
    page = write_overview(ReportSource(several, study), tmp_path)
    links = re.findall(r'href="([^"#]+)"', page.read_text(encoding="utf-8"))
    assert links == ["decoder-variants/smoke/index.html"]
    for command in ("--suite road-scenes --profile smoke", "--suite open-questions --profile smoke"):
        assert f"no page yet: bench report {command}" in text_of(page)
    markdown = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "](decoder-variants/smoke/report.md)" in markdown
    assert "no page yet: `bench report --suite road-scenes --profile smoke`" in markdown


def test_the_audit_of_the_paper_is_there_without_any_run(tmp_path: Path, study: Study, several: pd.DataFrame) -> None:
    text = text_of(write_overview(ReportSource(several.iloc[:0], study), tmp_path))
    assert "Nothing ran yet" in text
    assert "✓ 53 hold ✗ 15 do not hold ○ 3 have no number" in text
    failing = [claim for claim in claims().values() if on_paper(claim).outcome == "does not hold"]
    assert all(text.count(claim.statement) == 2 for claim in failing)
    assert all(claim.statement in text for claim in claims().values())
    assert "NOT AT THE PAPER'S SCALE" not in text


def test_stale_and_damaged_results_are_told(
    tmp_path: Path, study: Study, trials: list[Trial], build_results: Build
) -> None:
    rows = build_results([outdated(trial) for trial in trials[:2]])
    text = text_of(write_overview(ReportSource(rows, study, problems=["'x.parquet' cannot be read"]), tmp_path))
    assert f"0 of {len(trials)} done 2 stale {len(trials) - 2} missing" in text
    assert "† Stale: measured under other settings" in text
    assert "'x.parquet' cannot be read" in text


def test_text_from_data_is_escaped(tmp_path: Path, study: Study, trials: list[Trial], build_results: Build) -> None:
    rows = build_results(trials[:2], failed=[trials[1].id], reason=EVIL).assign(device_name=EVIL)
    page = write_overview(ReportSource(rows, study, problems=[EVIL]), tmp_path).read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;") >= 3
    markdown = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "<script" not in markdown
    for table in re.findall(r"(?:^\|.*\n?)+", markdown, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.strip().split("\n")}) == 1, table


def test_tolerances_that_contradict_each_other_are_told_and_the_page_is_written(
    tmp_path: Path, study: Study, several: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ConfigError("two exceptions match")

    monkeypatch.setattr("bench.reporting.tables.verdicts.verdicts_of", refuse)
    text = text_of(write_overview(ReportSource(several, study), tmp_path))
    assert text.count("No number has a verdict: two exceptions match") == 1


def test_claims_are_counted_by_the_last_profile() -> None:
    section = audit_section({})
    assert [(mark.verdict, mark.count) for mark in section.verdicts] == [("not tested", 71)]
    assert [(mark.verdict, mark.count) for mark in section.on_paper] == [
        ("holds", 53), ("does not hold", 15), ("no number", 3),
    ]  # fmt: skip
    assert len({item.address for item in section.items}) == 71
    assert all(item.parts for item, _ in section.failing)


def test_notes_of_claims_say_that_they_are_about_the_paper() -> None:
    notes = {item.id: item.notes for item in audit_section({}).items}
    assert (
        notes["T1-SF-5"][0]
        == "On the paper: BF falls from 38.11 to 31.96, by 6.15 points, C by 3.8, mIoU by 3.2, G by 1.2."
    )
    assert all(note[0].startswith(("On the paper: ", "The ")) for note in notes.values() if note)


def test_the_legend_of_claims_does_not_speak_of_tolerances() -> None:
    meanings = {mark.verdict: meaning for mark, meaning in audit_section({}).legend}
    assert meanings["inconclusive"].startswith("neither replicated nor contradicted: an interval crosses its threshold")
    assert list(meanings) == [*OF_CLAIMS, *ON_PAPER]


def test_what_the_page_says_of_the_scale_is_not_said_again_beside_claims() -> None:
    claim = next(iter(claims().values()))
    found = [ClaimVerdict(claim, "holds", "not tested", "", (), notice) for notice in ("", "A.", "A. B.", "A. B.")]
    section = claims_section(found, "A.")
    assert section is not None
    assert section.notices == ("B.",)
    assert claims_section([]) is None


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, study: Study, several: pd.DataFrame) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match=r"report folder '.*' cannot be made: .*; choose another with --out DIR"):
        write_overview(ReportSource(several, study), tmp_path / "file")


def test_the_citation_is_that_of_the_repository() -> None:
    cff = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    paper, suite = (item.bibtex for item in CITATIONS)
    for field in ("10.1109/TPAMI.2016.2644615", "Badrinarayanan", "Kendall", "Cipolla", "2017"):
        assert field in paper
        assert field in cff
    version = re.search(r"version *= \{(.*)\}", suite)
    assert version is not None
    assert f"version: {version[1]}" in cff
