"""The table of boundary F1 by protocol: which columns there are, what stands in them, and where it is shown."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from results_factory import outdated

from bench.evaluation.boundary_scores import STORED
from bench.reporting.pages.report_source import ReportSource
from bench.reporting.pages.suite_page import write_report
from bench.reporting.staleness import Staleness
from bench.reporting.tables.boundary_protocols import EXPLAINED_BY, READING, boundary_protocols
from bench.reporting.tables.formats import to_csv, to_markdown
from bench.reporting.tables.html import to_html
from bench.study.config import Study
from bench.study.trials import Trial, plan

Build = Callable[..., pd.DataFrame]
ALL = list(STORED)


def with_protocols(results: pd.DataFrame, values: dict[str, float]) -> pd.DataFrame:
    """Gives every training a test BF under some protocols, in place of those it has."""
    bf = (results["metric"] == "boundary_f1") & (results["record"] == "score")
    one = results[bf & (results["protocol"] == "paper")]
    parts = [results[~bf], *(one.assign(protocol=name, value=value) for name, value in values.items())]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def few(trials: list[Trial]) -> list[Trial]:
    """Two models under both weightings."""
    return [t for t in trials if t.kind == "training" and t.model in ("segnet_basic", "fcn_basic")]


def test_paper_is_first_and_every_weighting_has_a_table(build_results: Build, few: list[Trial]) -> None:
    values = {name: 0.1 * (number + 1) for number, name in enumerate(reversed(ALL))}
    found = boundary_protocols(with_protocols(build_results(few), values))
    assert found is not None
    assert [[column.title for column in table.columns] for table in found.tables] == [ALL, ALL]
    assert [table.columns[0].weighting for table in found.tables] == ["median_frequency", "natural_frequency"]
    assert found.absent == ()
    assert found.left_out == ""
    for table in found.tables:
        assert [row.title for row in table.rows] == ["SegNet-Basic", "FCN-Basic"]
        assert [cell.ours_text for cell in table.rows[0].cells] == [f"{60 - 10 * n:.2f}" for n in range(6)]


def test_protocols_that_no_trial_stored_are_left_out_and_named(build_results: Build, few: list[Trial]) -> None:
    found = boundary_protocols(build_results(few))
    assert found is not None
    assert [column.title for column in found.tables[0].columns] == ["paper", "distance"]
    assert found.left_out == (
        "Not stored by any of these trials: davis, paper-void-masked, distance-void-masked, davis-void-masked."
    )


def test_a_protocol_that_one_trial_lacks_is_a_dash(build_results: Build, few: list[Trial]) -> None:
    results = with_protocols(build_results(few), {"paper": 0.25, "davis": 0.5})
    lacking = (results["model"] == "fcn_basic") & (results["protocol"] == "davis")
    found = boundary_protocols(results[~lacking])
    assert found is not None
    assert [cell.ours_text for cell in found.tables[0].rows[1].cells] == ["25.00", "—"]


def test_seeds_are_averaged(study: Study, build_results: Build) -> None:
    trials = [
        trial
        for trial in plan(study, "decoder-variants", "mini", seeds=[0, 1])
        if trial.model == "segnet_basic" and trial.weighting == "median_frequency"
    ]
    results = with_protocols(build_results(trials), {"paper": 0.3, "distance": 0.4})
    results.loc[(results["seed"] == 1) & (results["metric"] == "boundary_f1"), "value"] += 0.02
    found = boundary_protocols(results)
    assert found is not None
    # 30 and 32: mean 31, standard deviation with n - 1 is the square root of 2
    assert [cell.ours_text for cell in found.tables[0].rows[0].cells] == ["31.00 ± 1.41", "41.00 ± 1.41"]
    assert "Mean ± standard deviation over seeds, where there are several." in found.tables[0].notes


def test_a_protocol_of_another_version_is_not_hidden(build_results: Build, few: list[Trial]) -> None:
    found = boundary_protocols(with_protocols(build_results(few), {"bfscore": 0.5, "paper": 0.25}))
    assert found is not None
    assert [column.title for column in found.tables[0].columns] == ["paper", "bfscore"]


def test_results_without_boundary_f1_have_no_table(build_results: Build, trials: list[Trial]) -> None:
    assert boundary_protocols(build_results([trial for trial in trials if trial.kind == "cost"])) is None


def test_stale_values_are_marked_and_explained(build_results: Build, few: list[Trial]) -> None:
    old = outdated(few[0])
    stale = Staleness(frozenset({old.digest}), "lr")
    found = boundary_protocols(build_results([old]), stale=stale)
    assert found is not None
    assert found.tables[0].rows[0].cells[0].ours_text.endswith(" †")
    assert stale.legend in found.tables[0].notes


def test_the_notice_stands_once_on_the_page_and_in_every_file(build_results: Build, few: list[Trial]) -> None:
    found = boundary_protocols(build_results(few), notice="NOT AT SCALE")
    assert found is not None
    assert "".join(map(to_html, found.tables)).count("NOT AT SCALE") == 1
    assert "see above" in found.tables[1].title
    assert to_markdown(found.whole).count("NOT AT SCALE") == 1
    csv = pd.read_csv(io.StringIO(to_csv(found.whole)))
    assert set(csv["notice"]) == {"NOT AT SCALE"}
    assert set(csv["protocol"]) == {"paper", "distance"}
    assert len(csv) == 2 * 2 * 2
    assert csv["paper"].isna().all()


def test_the_report_has_the_section(tmp_path: Path, build_results: Build, study: Study, few: list[Trial]) -> None:
    names = {"suite": few[0].suite, "profile": few[0].profile}
    page = write_report(ReportSource(build_results(few[:1]), study), tmp_path, **names)
    for name in ("index.html", "report.md"):
        text = page.with_name(name).read_text(encoding="utf-8").replace("\\_", "_").replace("&#39;", "'")
        section = text[text.index("Boundary F1 under every protocol") :]
        assert READING in section
        assert EXPLAINED_BY in section
        assert "Not stored by any of these trials: davis, " in section
        assert section.index("BF by protocol, test (%)") < section.index("What the numbers mean")
    assert 'href="boundary_protocols.csv"' in page.read_text(encoding="utf-8")
    assert page.with_name("boundary_protocols.csv").is_file()


def test_a_report_without_boundary_f1_says_so(
    tmp_path: Path, build_results: Build, study: Study, trials: list[Trial]
) -> None:
    names = {"suite": trials[0].suite, "profile": trials[0].profile}
    page = write_report(ReportSource(build_results([]), study), tmp_path, **names)
    assert "No training has stored boundary F1." in page.read_text(encoding="utf-8")
    assert "No training has stored boundary F1." in page.with_name("report.md").read_text(encoding="utf-8")
    assert not page.with_name("boundary_protocols.csv").exists()
