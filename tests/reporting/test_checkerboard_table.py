from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from results_factory import outdated, trials, write

from bench.reporting.pages.further_sections import further_sections
from bench.reporting.staleness import FRESH, Staleness
from bench.reporting.tables.checkerboard import checkerboard_table
from bench.results.store import load_results
from bench.study.trials import Trial


@pytest.fixture(scope="module")
def planned() -> list[Trial]:
    return trials(suite="upsampling")


def rows_of(folder: Path) -> pd.DataFrame:
    return load_results(folder).rows


def test_a_row_holds_size_scores_and_every_period_in_their_units(tmp_path: Path, planned: list[Trial]) -> None:
    first, second = (trial for trial in planned[:2])
    write(tmp_path, first, value=0.4)
    write(tmp_path, second, value=0.6)
    for trial in planned:
        if trial.kind == "cost" and trial.model == first.model:
            write(tmp_path, trial, costs={("parameters", ""): 1.5e6})
    table = checkerboard_table(rows_of(tmp_path))
    assert table is not None
    assert [row.model for row in table.rows] == [first.model, second.model]
    shown = {
        (column.section, column.metric): (one.ours_text, two.ours_text)
        for column, one, two in zip(table.columns, table.rows[0].cells, table.rows[1].cells, strict=True)
    }
    assert shown["Size", "parameters"] == ("1.500", "—")
    assert shown["Test scores", "global_accuracy"] == ("40.0", "60.0")
    assert shown["Test scores", "boundary_f1"] == ("40.00", "60.00")
    # the factory stores value / period
    for metric in ("contrast_constant", "energy_images", "energy_labels"):
        assert shown["Period 2 px", metric] == ("20.00", "30.00")
        assert shown["Period 4 px", metric] == ("10.00", "15.00")
    sections = list(table.sections())
    assert sections == ["Size", "Test scores", "Period 2 px", "Period 4 px"]


def test_a_strong_pattern_is_no_best_value(tmp_path: Path, planned: list[Trial]) -> None:
    for trial, value in zip(planned[:2], (0.4, 0.6), strict=True):
        write(tmp_path, trial, value=value)
    table = checkerboard_table(rows_of(tmp_path))
    assert table is not None
    best = {column.metric for column, cell in zip(table.columns, table.rows[1].cells, strict=True) if cell.best_ours}
    assert best == {"global_accuracy", "mean_iou", "boundary_f1"}
    assert not any(cell.best_ours for cell in table.rows[0].cells)


def test_a_stale_result_is_marked_and_a_single_run_called_one(tmp_path: Path, planned: list[Trial]) -> None:
    old = outdated(planned[0])
    write(tmp_path, old, value=0.4)
    stale = Staleness(frozenset({old.digest}), "a file")
    table = checkerboard_table(rows_of(tmp_path), stale=stale)
    assert table is not None
    assert table.notes[0] == stale.legend
    assert any(note.startswith("Single run") for note in table.notes)
    assert {cell.stale for cell in table.rows[0].cells if cell.n} == {True}


def test_a_suite_that_measures_no_pattern_has_no_section(tmp_path: Path) -> None:
    other = trials()[0]
    write(tmp_path, other)
    assert checkerboard_table(rows_of(tmp_path)) is None
    sections = further_sections(rows_of(tmp_path), [other], "", FRESH)
    assert sections["checkerboard_title"] == ""
    assert sections["further_files"] == {}


def test_a_suite_that_has_not_measured_yet_says_so(tmp_path: Path, planned: list[Trial]) -> None:
    write(tmp_path, planned[0], status="failed", reason="it fell over", selected_iteration=None)
    sections = further_sections(rows_of(tmp_path).iloc[:0], planned, "", FRESH)
    assert sections["checkerboard_title"] == "Checkerboard patterns"
    assert sections["checkerboard_html"] == ""
