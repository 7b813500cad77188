"""The findings: every number comes from the stored results, and what has none is said to have none."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from results_factory import ROOT, outdated, trials, write

from bench.cli import main
from bench.errors import UnknownNameError
from bench.reporting.comparisons.recipe_questions import class_weights, lengths, losses, rankings
from bench.reporting.comparisons.suite_results import SuiteResults, suite_results
from bench.reporting.pages.findings import findings, rests_on
from bench.reporting.pages.report_source import ReportSource
from bench.results.store import load_results
from bench.study.config import Study

MODELS = ("segnet_basic", "fcn_basic", "bilinear_interpolation")


def suite_of(folder: Path, study: Study, suite: str = "decoder-variants") -> SuiteResults:
    return suite_results(load_results(folder).rows, study, suite, "mini")


def store(folder: Path, scores: dict[str, tuple[float, ...]], weighting: str = "median_frequency", **of_suite) -> None:
    """Writes a training for each model and each of its scores, seed by seed."""
    for trial in trials("mini", weightings=[weighting], models=list(scores), **of_suite):
        if trial.kind == "training" and trial.seed < len(scores[trial.model]):
            write(folder, trial, value=scores[trial.model][trial.seed])


def test_official_weights_stand_beside_computed_ones_where_both_were_trained(tmp_path: Path, study: Study) -> None:
    store(tmp_path, {"segnet_basic": (0.5, 0.52), "fcn_basic": (0.4,)})
    assert class_weights(suite_of(tmp_path, study)) is None
    store(tmp_path, {"segnet_basic": (0.47, 0.48)}, "median_frequency_official")
    table = class_weights(suite_of(tmp_path, study))
    assert table is not None
    (row,) = table.rows
    assert row.title == "SegNet-Basic"
    # seed by seed 3 and 4 points less, so 3.5 and a spread of √0.5
    assert row.cells[0].text == "51.0 ± 1.4 → 47.5 ± 0.7 (−3.5 ± 0.7)"


def test_losses_are_compared_on_the_same_model_and_weighting(tmp_path: Path, study: Study) -> None:
    store(tmp_path, {"segnet_basic": (0.5,), "bilinear_interpolation": (0.3,)})
    store(tmp_path, {"segnet_basic": (0.1,)}, suite="summed-loss")
    table = losses(suite_of(tmp_path, study), suite_of(tmp_path, study, "summed-loss"))
    assert table is not None
    assert [(row.title, row.cells[2].text) for row in table.rows] == [("SegNet-Basic", "50.0 → 10.0 (−40.0)")]


def test_lengths_are_compared_on_the_same_model_and_say_who_changes_places(tmp_path: Path, study: Study) -> None:
    store(tmp_path, {"segnet_basic": (0.3,), "bilinear_interpolation": (0.4,), "fcn_basic_no_addition": (0.2,)})
    store(tmp_path, {"segnet_basic": (0.6,), "bilinear_interpolation": (0.5,)}, suite="longer-training")
    table = lengths(suite_of(tmp_path, study), suite_of(tmp_path, study, "longer-training"))
    assert table is not None
    assert table.sides == ("400 iterations", "1 600 iterations")
    assert [(row.title, row.cells[2].text) for row in table.rows] == [
        ("Bilinear-Interpolation", "40.0 → 50.0 (+10.0)"),
        ("SegNet-Basic", "30.0 → 60.0 (+30.0)"),
    ]
    text = findings(ReportSource(load_results(tmp_path).rows, study), "mini")
    assert "Bilinear-Interpolation / SegNet-Basic" in section_of(text, "Longer training")


def test_places_are_those_of_the_paper_and_of_ours(tmp_path: Path, study: Study) -> None:
    store(tmp_path, {"segnet_basic": (0.5,), "fcn_basic": (0.6,), "bilinear_interpolation": (0.6,)})
    table = rankings(suite_of(tmp_path, study))
    assert table is not None
    # the paper's G: 82.7, 81.7 and 77.9; its mIoU: 47.7, 47.3 and 43.3
    assert {row.title: [cell.text for cell in row.cells] for row in table.rows} == {
        "SegNet-Basic": ["1 → 1", "3 → 3"],
        "FCN-Basic": ["2 → 2", "1 → 1"],
        "Bilinear-Interpolation": ["3 → 3", "1 → 1"],
    }
    assert "the paper's numbers: No two models change places." in table.notes[0]


def test_stale_results_have_no_place(tmp_path: Path, study: Study) -> None:
    for trial in trials("mini", models=MODELS, weightings=["median_frequency"], seeds=[0]):
        write(tmp_path, outdated(trial))
    assert rankings(suite_of(tmp_path, study)) is None


def test_the_page_counts_what_is_there(tmp_path: Path, study: Study) -> None:
    values = {"segnet_basic": (0.5, 0.52), "fcn_basic": (0.45, 0.44), "bilinear_interpolation": (0.3,)}
    store(tmp_path, values)
    text = findings(ReportSource(load_results(tmp_path).rows, study), "mini")
    assert "| 5 of 48 | 0 of 8 | 0, 1 |" in text
    # 51 ± 12.706 · √2 / √2
    assert "| SegNet-Basic | 51.0 (38.3 to 63.7) |" in text
    assert "| Bilinear-Interpolation | 30.0 | 30.0 | 30.0 | 30.00 | 1 |" in text
    assert "bear out 53, do not bear out 15, and have no number for 3" in text
    assert "NOT AT THE PAPER'S SCALE" in text
    assert "A training or measurement that it needs has not been run: " in text
    for heading in ("Class weights", "The loss", "What the decoders keep"):
        assert "No results answer it yet." in text.partition(f"## {heading}")[2].partition("\n## ")[0]


def test_counts_are_held_against_the_paper_at_any_scale(tmp_path: Path, study: Study) -> None:
    (trial,) = (one for one in trials("mini", models=["segnet_basic"]) if one.kind == "cost")
    write(tmp_path, trial, costs={("parameters", "learnable"): 1_500_000.0, ("storage_multiplier", "paper"): 1.0})
    text = findings(ReportSource(load_results(tmp_path).rows, study), "mini")
    section = text.partition("## Numbers held against the paper's")[2].partition("\n## ")[0]
    # the paper prints 1.425 M, and 3 % of it is 42 750
    assert "| SegNet-Basic |  | parameters | 1,500,000 | 1,425,000 | 75,000 | 42,750 | outside |" in section
    assert "| storage multiplier | 1.00 | 1.00 | 0.00 | 0.00 | within |" in section


@pytest.mark.parametrize(("stale", "title"), [(False, "SegNet-Basic"), (True, "SegNet-Basic †")], ids=["now", "stale"])
def test_what_a_decoder_keeps_is_marked_where_it_is_stale(tmp_path: Path, study: Study, stale: bool, title) -> None:
    kept = {("storage_multiplier", "paper"): 1.0, ("stored_encoder_mib", "first stage"): 0.5}
    (trial,) = (one for one in trials("mini", models=["segnet_basic"]) if one.kind == "cost")
    write(tmp_path, outdated(trial) if stale else trial, costs=kept)
    text = findings(ReportSource(load_results(tmp_path).rows, study), "mini")
    assert f"| {title} | 1 | 0.500 | 1.00 |" in text


def test_a_training_that_diverged_is_named(tmp_path: Path, study: Study) -> None:
    (trial,) = trials("mini", suite="summed-loss", models=["segnet_basic"], seeds=[0])
    reason = "the training loss became nan; log: there"
    write(tmp_path, trial, status="diverged", reason=reason, selected_iteration=None)
    text = findings(ReportSource(load_results(tmp_path).rows, study), "mini")
    said = "SegNet-Basic, median frequency balancing, seed 0: diverged, the training loss became nan\n"
    assert f"Run, and without a result:\n\n- `summed-loss`: {said}" in text
    section = text.partition("## The loss")[2].partition("\n## ")[0]
    assert f"- {said}" in section
    assert "the sum multiplies every step" in section


def test_a_recipe_that_is_not_the_papers_is_named(tmp_path: Path, study: Study) -> None:
    store(tmp_path, {"segnet": (0.6,)}, "natural_frequency", suite="road-scenes")
    store(tmp_path, {"segnet_basic": (0.6,)})
    section = section_of(findings(ReportSource(load_results(tmp_path).rows, study), "mini"), "What this scale allows")
    (line,) = (line for line in section.splitlines() if "The recipe of" in line)
    assert line.startswith("- **The recipe of `road-scenes` is another one.** Optimizer: SGD, learning rate 0.03 fixed")
    assert "Weights at the start: He's initialisation; profile paper: VGG16 encoders" in line


def test_a_claim_says_what_kind_of_numbers_it_rests_on(study: Study) -> None:
    kinds = {
        one.claim.id: rests_on(one) for one in ReportSource(load_results(ROOT / "tests").rows, study).claims("mini")
    }
    assert kinds["T1-SF-4"] == "scores"
    assert kinds["T1-COST-1"] == "counts and times"
    assert kinds["T6-1"] == "memory"
    assert kinds["T3-7"] == "scores and length"


def section_of(text: str, heading: str) -> str:
    return text.partition(f"\n## {heading}")[2].partition("\n## ")[0]


def test_every_suite_has_its_scores_at_each_point(tmp_path: Path, study: Study) -> None:
    store(tmp_path, {"segnet": (0.6, 0.63)}, "natural_frequency", suite="road-scenes")
    store(tmp_path, {"deeplab_largefov": (0.3,)}, "natural_frequency", suite="road-scenes")
    store(tmp_path, {"upsampling_nearest": (0.4,)}, "natural_frequency", suite="upsampling")
    text = findings(ReportSource(load_results(tmp_path).rows, study), "mini")
    scores = section_of(text, "Test scores")
    first, _, second = scores.partition("### Six ways to upsample")
    early, _, late = first.partition("\nNatural frequency, at 80K (here 200 iterations):\n")
    # a third of the score at the first budget; 20.5 ± 12.706 · 0.707 / √2
    assert "Natural frequency, at 40K (here 100 iterations):" in early
    assert "| SegNet | 20.5 (14.1 to 26.9) |" in early
    assert "| DeepLab-LargeFOV-denseCRF |" not in early
    assert "| DeepLab-LargeFOV-denseCRF | 30.0 |" in late.partition("\nNatural frequency, at the end:\n")[2]
    assert "| 40.0 | 40.0 | 40.0 | 40.00 | 1 |" in second
    assert "| 20.00 |" in section_of(text, "Ways to upsample")  # of a pattern of 2 px; `write` halves the score


def test_splits_with_and_without_shared_drives_are_compared(tmp_path: Path, study: Study) -> None:
    store(tmp_path, {"segnet_basic": (0.5,)}, suite="published-split")
    store(tmp_path, {"segnet_basic": (0.4,)}, suite="separate-drives")
    text = findings(ReportSource(load_results(tmp_path).rows, study), "mini")
    assert "| SegNet-Basic | 50.0 → 40.0 (−10.0) |" in section_of(
        text, "Drives shared between training and test images?"
    )


def test_times_of_the_deep_networks_stand_beside_the_papers(tmp_path: Path, study: Study) -> None:
    (trial,) = (one for one in trials("mini", suite="cost", models=["segnet"]) if one.kind == "cost")
    write(tmp_path, trial, costs={("forward_ms", "table-6"): 500.0, ("model_size_mb", ""): 118.0})
    section = section_of(findings(ReportSource(load_results(tmp_path).rows, study), "mini"), "Time and memory")
    assert "| SegNet | 422.50 → 500.00 |" in section
    assert "| SegNet | 117 → 118 (+1) |" in section


def test_nothing_run_yet_is_a_page_too(study: Study) -> None:
    text = findings(ReportSource(load_results(ROOT / "tests").rows, study), "Mini")
    assert "| 0 of 48 | 0 of 8 | — |" in text
    assert "\nNothing was run.\n" in text
    for heading in ("Test scores", "Time and memory", "Ways to upsample", "Drives shared"):
        assert f"## {heading}" not in text


def test_an_unknown_profile_is_named(study: Study) -> None:
    with pytest.raises(UnknownNameError, match="unknown profile 'huge'; known: smoke, mini, paper"):
        findings(ReportSource(load_results(ROOT / "tests").rows, study), "huge")


def test_the_command_prints_or_writes_them(tmp_path: Path) -> None:
    store(tmp_path / "results", {"segnet_basic": (0.5,)})
    words = ["--config", str(ROOT / "bench.yaml"), "findings", "--profile", "mini", "--results", tmp_path / "results"]
    printed = CliRunner().invoke(main, [str(word) for word in words])
    assert printed.exit_code == 0
    assert printed.stdout.startswith("# Findings: profile mini\n")
    assert f"computed from `{tmp_path / 'results'}/` by" in printed.stdout
    assert f"    bench {' '.join(map(str, words))} --out docs/findings.md\n" in printed.stdout
    out = tmp_path / "new" / "findings.md"
    written = CliRunner().invoke(main, [str(word) for word in [*words, "--out", out]])
    assert written.stdout == f"findings: {out}\n"
    assert out.read_text(encoding="utf-8") == printed.stdout


def test_a_results_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    words = ["--config", str(ROOT / "bench.yaml"), "findings", "--profile", "mini", "--results", str(tmp_path / "no")]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 2
    assert "no results folder" in done.stderr
