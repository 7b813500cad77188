"""Tables 2 to 6: which of the paper's numbers stands beside which of ours."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from xml.etree import ElementTree

import pandas as pd
import pytest

from bench.replication.scores import budget_scores, class_scores, scores
from bench.reporting.staleness import FRESH
from bench.reporting.tables.beside_paper import TableSource
from bench.reporting.tables.cells import Cell, Table
from bench.reporting.tables.formats import to_csv, to_markdown
from bench.reporting.tables.html import to_html
from bench.reporting.tables.latex import to_latex
from bench.reporting.tables.notes import initialisation_note
from bench.reporting.tables.paper_tables import side_by_side
from bench.results.schema import COLUMNS
from bench.study.config import Study
from bench.study.trials import Trial, plan

Build = Callable[..., pd.DataFrame]
NATURAL = "natural_frequency"


def source(study: Study, results: pd.DataFrame, trials: list[Trial]) -> TableSource:
    return TableSource(results, trials, study.suites[trials[0].suite].tables, "A NOTICE: here.", FRESH)


@pytest.fixture(scope="module")
def roads(study: Study, build_results: Build) -> dict[str, Table]:
    trials = plan(study, "road-scenes", "smoke", models=["segnet", "deeplab_largefov", "fcn"])
    return {table.key: table for table in side_by_side(source(study, build_results(trials), trials))}


@pytest.fixture(scope="module")
def indoors(study: Study, build_results: Build) -> dict[str, Table]:
    trials = plan(study, "indoor-scenes", "smoke", models=["segnet"])
    trials += plan(study, "indoor-scenes", "smoke", models=["segnet"], weightings=["median_frequency"])
    return {table.key: table for table in side_by_side(source(study, build_results(trials), trials))}


def cost_table_of(study: Study, build_results: Build, *kinds: str) -> Table:
    trials = plan(study, "cost", "smoke", models=["segnet", "deeplab_largefov", "u_net"])
    (table,) = side_by_side(source(study, build_results(trials, memory_kinds=kinds), trials))
    return table


def cell(table: Table, row: str, metric: str, *, budget: str = "", class_name: str = "") -> Cell:
    of_row = next(found for found in table.rows if found.model == row)
    return next(
        cell
        for column, cell in zip(table.columns, of_row.cells, strict=True)
        if (column.metric, column.budget, column.class_name) == (metric, budget, class_name)
    )


def notes(table: Table) -> str:
    return " ".join(table.notes)


def test_a_suite_has_its_tables_in_order(roads: dict[str, Table], indoors: dict[str, Table]) -> None:
    assert list(roads) == ["T3", "T2"]
    assert list(indoors) == ["T4", "T5"]
    for table in (*roads.values(), *indoors.values()):
        assert table.notice == "A NOTICE: here."
        assert "He's initialisation, not from ImageNet weights" in notes(table)
        assert "Learning rate: 0.03 here, 0.001 in the paper." in notes(table)


def test_each_budget_has_its_scores_beside_the_papers(
    roads: dict[str, Table], study: Study, build_results: Build
) -> None:
    trials = plan(study, "road-scenes", "smoke", models=["segnet", "deeplab_largefov", "fcn"])
    results = build_results(trials)
    table = roads["T3"]
    early = budget_scores(results).query("model == 'segnet' and budget == '40K' and metric == 'mean_iou'")["value"]
    final = scores(results).query("model == 'segnet' and split == 'test' and metric == 'mean_iou'")["value"]
    found = cell(table, "segnet", "mean_iou", budget="40K")
    assert (found.printed, found.ours_text) == ("50.02", f"{100 * early.item():.2f}")
    found = cell(table, "segnet", "mean_iou")
    assert (found.printed, found.ours_text) == ("60.10", f"{100 * final.item():.2f}")
    assert early.item() < final.item()


def test_the_headings_say_how_long_a_budget_is_here(roads: dict[str, Table], study: Study) -> None:
    budgets = study.suites["road-scenes"].runs["smoke"].budgets
    assert list(roads["T3"].sections()) == [
        f"40K: {budgets['40K']} iterations here",
        f"80K: {budgets['80K']} iterations here",
        f"> 80K: best point after {budgets['80K']} iterations here",
        "Length",
    ]
    assert "highest G on the validation images of those after the budget 80K" in notes(roads["T3"])
    full = plan(study, "road-scenes", "paper")
    (first, *_) = side_by_side(source(study, pd.DataFrame(columns=[column.name for column in COLUMNS]), full))
    assert list(first.sections())[:2] == ["40K iterations", "80K iterations"]


def test_the_length_of_a_training_stands_beside_the_papers_and_is_not_subtracted(
    roads: dict[str, Table], study: Study
) -> None:
    found = cell(roads["T3"], "fcn", "max_iterations")
    thousands = study.suites["road-scenes"].runs["smoke"].iterations / 1000
    assert (found.printed, float(found.ours_text), found.difference_text) == ("200", thousands, "—")
    lines = pd.read_csv(StringIO(to_csv(roads["T3"]))).query("metric == 'max_iterations'")
    assert set(lines["runs"]) == {"as planned"}


def test_refined_predictions_are_a_row_of_their_own_at_the_last_point(roads: dict[str, Table]) -> None:
    table, row = roads["T3"], "deeplab_largefov_dense_crf"
    assert cell(table, row, "global_accuracy", budget="40K").ours is None
    refined, plain = (cell(table, name, "global_accuracy").ours for name in (row, "deeplab_largefov"))
    assert refined == pytest.approx(0.97 * plain)
    assert cell(table, row, "global_accuracy").printed == "89.71"
    assert "A dense CRF refines the predictions of the reported checkpoint alone" in notes(table)


def test_the_row_with_class_balancing_is_there_where_it_was_run(
    indoors: dict[str, Table], study: Study, build_results: Build
) -> None:
    row = indoors["T4"].rows[-1]
    assert (row.model, row.weighting, row.group) == (
        "segnet_median_frequency", "median_frequency", "with class balancing",
    )  # fmt: skip
    assert cell(indoors["T4"], row.model, "boundary_f1").printed == "14.06"
    lines = pd.read_csv(StringIO(to_csv(indoors["T4"])))
    assert set(lines[lines["unit"] == "percent"].groupby("model")["weighting"].first()) == {NATURAL, "median_frequency"}
    trials = plan(study, "indoor-scenes", "smoke", models=["segnet"])
    without = side_by_side(source(study, build_results(trials), trials))[0]
    assert [row.model for row in without.rows] == ["segnet"]


def test_a_model_that_the_paper_has_not_stands_below(study: Study, build_results: Build) -> None:
    trials = plan(study, "road-scenes", "smoke", models=["segnet", "deconvnet_no_fc"])
    (table,) = side_by_side(TableSource(build_results(trials), trials, ["T3"], "", FRESH))
    assert [(row.model, row.sides) for row in table.rows] == [("segnet", "both"), ("deconvnet_no_fc", "ours")]
    assert table.rows[1].group == "not in the paper's table"
    line = next(line for line in to_markdown(table).splitlines() if line.startswith("| DeconvNet-NoFC"))
    assert "→" not in line
    assert "DeconvNet-NoFC & ours (single run) &" in to_latex(table)


def test_table_2_has_the_papers_methods_and_ours_in_segnets_row_alone(
    roads: dict[str, Table], study: Study, build_results: Build
) -> None:
    table = roads["T2"]
    assert [column.title for column in table.columns] == [
        "Building", "Tree", "Sky", "Car", "SignSymbol", "Road", "Pedestrian", "Fence", "Pole", "Pavement", "Bicyclist",
        "C", "G", "mIoU", "BF",
    ]  # fmt: skip
    assert [row.model for row in table.rows if row.sides == "both"] == ["segnet"]
    assert len(table.rows) == 11
    results = build_results(plan(study, "road-scenes", "smoke", models=["segnet", "deeplab_largefov", "fcn"]))
    where = "model == 'segnet' and class_name == 'Car' and metric == 'accuracy' and split == 'test'"
    ours = class_scores(results).query(where)["value"].item()
    found = cell(table, "segnet", "accuracy", class_name="Car")
    assert (found.printed, found.ours_text) == ("87.7", f"{100 * ours:.1f}")
    lines = to_markdown(table).splitlines()
    (line,) = [line for line in lines if line.startswith("| Super Parsing") and "87.0" in line]
    assert line.endswith("| the paper's alone |")
    assert "→" not in line
    assert "Super Parsing & difference" not in to_latex(table)
    assert to_latex(table).count("& difference &") == 1


def test_table_5_is_broken_into_bands_that_hold_every_class_once(indoors: dict[str, Table]) -> None:
    table = indoors["T5"]
    assert [len(band) for band in table.bands()] == [13, 13, 11]
    assert len({column.class_name for column in table.columns}) == 37
    root = ElementTree.fromstring(f"<div>{to_html(table)}</div>")
    parts = root.findall(".//table")
    assert [len(part.findall(".//tbody/tr/td")) for part in parts] == [13, 13, 11]
    assert len({part.get("id") for part in parts}) == 3
    assert to_latex(table).count(r"\begin{tabular}") == to_latex(table).count(r"\end{tabular}") == 3
    assert re.search(r"\\begin\{tabular\}\{ll(r{11})\}", to_latex(table))
    assert cell(table, "segnet", "accuracy", class_name="Shower curtain").printed == "0.03"


def test_classes_that_our_data_lack_are_named(study: Study, build_results: Build) -> None:
    trials = plan(study, "indoor-scenes", "smoke", models=["segnet"])
    results = build_results(trials)
    results = results[results["class_name"].fillna("") != "Bathtub"]
    assert "Classes that our data do not have: Bathtub." in side_by_side(source(study, results, trials))[1].notes


def test_a_training_that_started_from_imagenet_weights_has_no_note(study: Study, build_results: Build) -> None:
    trials = plan(study, "road-scenes", "smoke", models=["segnet", "fcn"])
    assert "the encoders start" in initialisation_note(build_results(trials), trials)
    started = replace(trials[0], pretrained={"name": "vgg16_imagenet", "sha256": "397923af"})
    assert initialisation_note(build_results([started]), trials) == ""
    assert "the encoders of FCN start" in initialisation_note(build_results([started, trials[1]]), trials)
    basic = plan(study, "decoder-variants", "smoke", models=["segnet_basic"])
    assert initialisation_note(build_results(basic), basic) == ""


def test_memory_of_a_processor_stands_beside_nvidia_smis_without_a_difference(
    study: Study, build_results: Build
) -> None:
    table = cost_table_of(study, build_results, "resident_set")
    found = cell(table, "segnet", "training_peak_mib")
    assert (found.printed, found.ours_text[:2], found.difference_text) == ("6803", "60", "—")
    assert "Ours: resident set, the whole process" in notes(table)
    assert notes(table).count("on AMD EPYC 9B45 (AVX2).") == 2  # times and memory
    assert cell(table, "segnet", "forward_ms").printed == "422.50"
    assert [cell(table, "segnet", time).difference_text for time in ("forward_ms", "backward_ms")] == ["—", "—"]
    assert cell(table, "segnet", "model_size_mb").difference is not None
    assert float(cell(table, "segnet", "forward_ms").ours_text) >= 400  # the paper's protocol, not the other one
    assert [row.sides for row in table.rows] == ["both", "both", "ours"]


def test_memory_as_nvidia_smi_shows_it_is_taken_where_it_is_there(study: Study, build_results: Build) -> None:
    table = cost_table_of(study, build_results, "resident_set", "cuda_allocated", "device_process")
    found = cell(table, "segnet", "inference_peak_mib")
    assert (found.printed, found.ours_text[:2]) == ("1052", "30")
    assert found.difference is not None
    assert "device process, what the process takes from the GPU, as nvidia-smi shows it" in notes(table)
    assert "Memory of a GPU and of a process on a processor" not in notes(table)
