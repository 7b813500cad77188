from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from results_factory import outdated, trials, write

from bench.errors import UnknownNameError
from bench.reporting.comparisons.checkpoint_choice import candidates, checkpoint_choices, checkpoint_table
from bench.reporting.comparisons.comparison import (
    NOTHING,
    SINGLE_RUN,
    Side,
    apart,
    decided,
    runs_of,
    score_pairs,
    swaps,
    undecidable,
)
from bench.reporting.comparisons.drive_scores import drives_of, scores_by_drive
from bench.reporting.comparisons.open_questions import Question, open_questions
from bench.reporting.comparisons.suite_results import suite_results
from bench.reporting.pages.group_page import write_group_report
from bench.reporting.pages.report_source import ReportSource
from bench.results.store import load_results
from bench.study.config import Study
from bench.study.trials import Trial

GROUP = ("published-split", "separate-drives", "road-scenes")
METRICS = ("global_accuracy", "class_average_accuracy", "mean_iou", "boundary_f1")


@pytest.fixture(scope="module")
def small(study: Study) -> Study:
    """The study with the group's suites and that of the costs."""
    return study.model_copy(update={"suites": {name: study.suites[name] for name in (*GROUP, "cost")}})


def side(*values: float, stale: bool = False) -> Side:
    return Side({metric: dict(enumerate(values)) for metric in METRICS}, stale)


def test_a_difference_is_that_of_the_numbers_as_shown_with_the_spread_of_the_pairs() -> None:
    pair = score_pairs(side(0.50, 0.52), side(0.53, 0.57))[0]
    # means 51 and 55; differences 3 and 5, so √2; spreads 1.41 and 2.83
    assert pair.text == "51.0 ± 1.4 → 55.0 ± 2.8 (+4.0 ± 1.4)"
    assert pair.side == "above"
    assert score_pairs(side(0.5004), side(0.4996))[0].text == "50.0 → 50.0 (0.0)"
    assert score_pairs(side(0.5), Side({}))[0].text == "50.0 → —"
    assert score_pairs(side(0.5, stale=True), side(0.4))[3].text == "50.00 † → 40.00 (−10.00)"


def test_runs_are_counted_on_both_sides() -> None:
    assert runs_of(side(0.1), side(0.2)) == "single run each"
    assert runs_of(side(0.1, 0.2), side(0.2, 0.3)) == "mean of 2 runs each"
    assert runs_of(side(0.1), side(0.2, 0.3)) == "1 and 2 runs"


def test_pairs_of_models_that_change_places_are_named() -> None:
    left = {"a": side(0.1), "b": side(0.2), "c": side(0.3)}
    titles = {name: name.upper() for name in left}
    assert swaps(left, left, titles) == "No two models change places, by G or by C or by mIoU or by BF."
    right = {"a": side(0.1), "b": side(0.35), "c": side(0.3)}
    text = swaps(left, right, titles)
    # of three pairs two keep their order: τ = (2 - 1) / 3
    assert "by G, 1 of 3 (B / C, τ +0.33)" in text
    assert swaps({"a": side(0.1)}, {"a": side(0.2)}, titles) == ""


def test_differences_that_are_sure_are_told_from_the_others() -> None:
    clear = side(0.50, 0.52), side(0.60, 0.62)  # 10 points each: no spread
    open_ = side(0.50, 0.52), side(0.51, 0.55)  # 1 and 3 points: 2 ± 12.7
    named = "G +10.0 to +10.0, C +10.0 to +10.0, mIoU +10.0 to +10.0, BF +10.00 to +10.00"
    assert decided({"A": clear}).endswith(f": A: {named}; that is all 4.")
    assert decided({"A": clear, "B": open_}).endswith(f": A: {named}; the other 4 of 8 leave open which way.")
    assert decided({"B": open_}).endswith(": none; the other 4 of 4 leave open which way.")
    assert decided({"C": (side(0.5), side(0.6, 0.7))}) == ""  # one seed in common
    assert decided({"C": (side(0.5), side(0.6, 0.7)), "A": clear}).endswith("; that is all 4.")


def test_differences_of_less_than_two_seeds_in_common_are_named() -> None:
    pairs = {"A": (side(0.5, 0.6), side(0.6)), "B": (side(0.5, 0.6), side(0.6, 0.7)), "C": (side(0.5), NOTHING)}
    assert undecidable(pairs) == "Less than two seeds in common, so that no difference is evidence: A."
    assert undecidable({"B": pairs["B"]}) == ""


def test_two_machines_are_named() -> None:
    one, other = (Side({"mean_iou": {0: 0.5}}, machines=frozenset(names)) for names in (("m",), ("m", "n")))
    assert apart({"A": (one, one)}) == apart({"A": (other, other)}) == apart({"A": (one, NOTHING)}) == ""
    assert apart({"A": (one, one), "B": (one, other)}).startswith("The first ran on m, the second on m and n.")


def test_a_training_with_one_checkpoint_had_no_choice(tmp_path: Path) -> None:
    (trial,) = (one for one in trials(suite="road-scenes", models=["segnet"]) if one.kind == "training")
    assert candidates([trial]) == [1]  # 36 iterations, validated every 12, the last budget 24
    assert candidates([trial, replace(trial, iterations=60)]) == [1, 3]
    write(tmp_path, trial, value=0.5, other=0.5)
    table = checkpoint_table(checkpoint_choices(load_results(tmp_path).rows), [trial])
    assert table is not None
    assert table.notes[0] == "There was no choice: each of 1 trainings has one validation after its last budget."
    assert not any("change places" in note for note in table.notes)


def test_the_other_checkpoint_stands_beside_the_reported_one(tmp_path: Path) -> None:
    first, second = (trial for trial in trials(suite="separate-drives") if trial.kind == "training")
    write(tmp_path, first, value=0.5, other=0.4)
    write(tmp_path, second, value=0.45, other=0.55)
    table = checkpoint_table(checkpoint_choices(load_results(tmp_path).rows), [first, second])
    assert table is not None
    assert table.title == "Checkpoint chosen by mIoU instead of G"
    assert [cell.text for cell in table.rows[0].cells[:3]] == ["50.0 → 40.0 (−10.0)"] * 3
    assert table.rows[0].cells[-1].text == "100 → 125"
    assert "in 0 of 2 trainings" in table.notes[0]
    assert "by G, 1 of 1 (SegNet-Basic / FCN-Basic)" in table.notes[1]
    assert SINGLE_RUN in table.notes


def test_results_that_know_one_checkpoint_only_make_no_table(tmp_path: Path) -> None:
    trial = trials(suite="separate-drives")[0]
    write(tmp_path, trial)
    assert checkpoint_table(checkpoint_choices(load_results(tmp_path).rows), [trial]) is None


@dataclass(frozen=True)
class Counts:
    images: tuple[str, ...]
    confusion: np.ndarray
    boundary: Mapping[str, np.ndarray]


def counts(*right: int, names: tuple[str, ...]) -> Counts:
    """Two classes, ten pixels of the first and ten of the second an image; `right` of the first are predicted right."""
    confusion = np.array([[[hits, 10 - hits], [0, 10]] for hits in right])
    boundary = np.full((len(right), 2, 4), 5)
    boundary[..., 2:] = 4
    return Counts(names, confusion, {"paper": boundary})


def test_scores_of_a_drive_are_of_its_images_alone() -> None:
    found = scores_by_drive(counts(10, 10, 0, names=("0001TP_1", "Seq05VD_1", "Seq05VD_2")))
    assert list(found) == ["0001TP", "Seq05VD"]
    assert found["0001TP"] == {
        "global_accuracy": 1.0, "class_average_accuracy": 1.0, "mean_iou": 1.0, "boundary_f1": pytest.approx(0.8),
    }  # fmt: skip
    # 30 of 40 pixels; of the first class 10 of 20, of the second 20 of 20, whose union has the 10 that were missed
    assert found["Seq05VD"]["global_accuracy"] == pytest.approx(0.75)
    assert found["Seq05VD"]["class_average_accuracy"] == pytest.approx(0.75)
    assert found["Seq05VD"]["mean_iou"] == pytest.approx((10 / 20 + 20 / 30) / 2)


def test_names_say_which_drive_an_image_is_of() -> None:
    assert drives_of(("drive-0001-frame-003", "drive-0002-frame-001", "drive-0001-frame-009")) == {
        "drive-0001": [0, 2],
        "drive-0002": [1],
    }
    assert drives_of(("test-00001", "test-00002")) == {}


def test_images_without_drives_have_no_scores_by_drive() -> None:
    assert scores_by_drive(counts(1, 2, names=("test-00001", "test-00002"))) == {}
    assert scores_by_drive(counts(1, 2, names=("0001TP_1", "0001TP_2"))) == {}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    for suite, level in zip(GROUP, (0.5, 0.3, 0.4), strict=True):
        for number, trial in enumerate(trials(suite=suite)):
            write(folder, trial, value=level + 0.02 * number, other=level)
    for trial in trials(suite="cost", models=["segnet", "deconvnet", "deconvnet_no_fc"]):
        size = {"segnet": 117.0, "deconvnet": 877.0, "deconvnet_no_fc": 116.0}[trial.model]
        write(folder, trial, costs={("model_size_mb", ""): size, ("parameters", ""): size / 4 * 1e6})
    return folder


def asked(rows: pd.DataFrame, study: Study, **options: object) -> dict[str, Question]:
    group, others = ([suite_results(rows, study, name, "smoke") for name in names] for names in (GROUP, ("cost",)))
    return {question.key: question for question in open_questions(group, others, **options)}  # type: ignore[arg-type]


def test_every_question_is_answered_with_numbers(stored: Path, study: Study) -> None:
    found = asked(load_results(stored).rows, study)
    assert list(found) == ["weights", "drives", "layer", "checkpoint"]
    assert not any(question.to_run for question in found.values())
    weights = found["weights"].tables[0]
    # trials of the suite in order: both models with median, then with natural frequency
    assert [(row.title, row.cells[0].text) for row in weights.rows] == [
        ("SegNet-Basic", "50.0 → 54.0 (+4.0)"),
        ("FCN-Basic", "52.0 → 56.0 (+4.0)"),
    ]
    assert "natural frequency stands in for them" in found["weights"].asks
    drives = found["drives"].tables[0]
    assert [row.cells[2].text for row in drives.rows] == ["50.0 → 30.0 (−20.0)", "52.0 → 32.0 (−20.0)"]
    layer = {row.title: row for row in found["layer"].tables[0].rows}
    assert list(layer) == ["SegNet → DeconvNet", "SegNet → DeconvNet-NoFC", "DeconvNet → DeconvNet-NoFC"]
    assert layer["DeconvNet → DeconvNet-NoFC"].cells[0].text == "48.0 → 50.0 (+2.0)"
    assert layer["DeconvNet → DeconvNet-NoFC"].cells[-1].text == "877.0 → 116.0 (−761.0)"
    assert [table.title for table in found["checkpoint"].tables] == [f"Suite {suite}" for suite in GROUP]


def test_the_authors_weights_answer_the_question_at_the_paper_profile(study: Study) -> None:
    nothing = load_columns()
    question = open_questions([suite_results(nothing, study, "published-split", "paper")])[0]
    assert "stands in" not in question.asks
    assert question.tables == ()
    assert question.to_run == [
        "4 of 4 trainings of suite published-split have no result: `bench run --suite published-split --profile paper`"
    ]


def test_another_suite_with_both_weightings_answers_for_the_authors_weights(tmp_path: Path, study: Study) -> None:
    both = ["median_frequency", "median_frequency_official"]
    for number, trial in enumerate(trials("mini", models=["segnet_basic"], weightings=both, seeds=[0])):
        if trial.kind == "training":
            write(tmp_path, trial, value=0.5 + 0.1 * number)
    rows = load_results(tmp_path).rows
    suites = [suite_results(rows, study, name, "mini") for name in ("published-split", "decoder-variants")]
    question = open_questions(suites[:1], suites[1:])[0]
    assert [(table.title, table.rows[0].title) for table in question.tables] == [
        ("Suite decoder-variants", "SegNet-Basic"),
    ]  # fmt: skip
    assert question.suites == (suites[0],)


def load_columns() -> pd.DataFrame:
    from bench.results.schema import COLUMNS

    return pd.DataFrame(columns=[column.name for column in COLUMNS])


def test_single_drives_are_scored_where_counts_are_there(stored: Path, study: Study) -> None:
    names = ("0001TP_1", "Seq05VD_1")

    def read(key: str) -> Counts:
        assert key.startswith(("published-split.smoke.", "separate-drives.smoke."))
        return counts(10, 4 if key.startswith("separate") else 8, names=names)

    tables = asked(load_results(stored).rows, study, read=read)["drives"].tables
    assert [table.key for table in tables] == ["drives", "single-drives"]
    shown = {row.title: row.cells[0].text for row in tables[1].rows}
    assert shown["SegNet-Basic: 0001TP, 1 images"] == "100.0 → 100.0 (0.0)"
    assert shown["FCN-Basic: Seq05VD, 1 images"] == "90.0 → 70.0 (−20.0)"


class Page(HTMLParser):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self.text, self.ids = "", set[str]()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids |= {str(value) for name, value in attrs if name == "id"}

    def handle_data(self, data: str) -> None:
        self.text += " ".join(data.split()) + " "


def test_the_page_holds_every_question_and_says_what_is_a_single_run(
    stored: Path, small: Study, tmp_path: Path
) -> None:
    rows = load_results(stored).rows
    evil = "<script>alert(1)</script>"
    source = ReportSource(rows, small, problems=[evil])
    path = write_group_report(source, tmp_path, group="Open_Questions", profile="smoke")
    assert path == tmp_path / "open-questions" / "smoke" / "index.html"
    page = Page(path)
    assert {"weights", "drives", "layer", "checkpoint"} <= page.ids
    assert SINGLE_RUN in page.text
    assert "4 of 4 trainings done" in page.text
    assert not re.search('href="../../(published|separate)', path.read_text(encoding="utf-8"))
    assert evil not in path.read_text(encoding="utf-8")
    markdown = (path.parent / "report.md").read_text(encoding="utf-8")
    assert "| SegNet-Basic | 50.0 → 54.0 (+4.0) | 50.0 → 54.0 (+4.0) |" in markdown
    assert "<script>" not in markdown
    (tmp_path / "published-split" / "smoke").mkdir(parents=True)
    (tmp_path / "published-split" / "smoke" / "index.html").touch()
    write_group_report(source, tmp_path, group="open-questions", profile="smoke")
    links = re.findall('href="(../../[a-z]+-.*?)"', path.read_text(encoding="utf-8"))
    assert links == ["../../published-split/smoke/index.html"]
    assert "| [published-split](../../published-split/smoke/report.md) |" in path.with_name("report.md").read_text()


def test_an_old_result_is_marked_and_the_page_says_why(small: Study, tmp_path: Path) -> None:
    planned: list[Trial] = trials(suite="separate-drives")
    write(tmp_path, outdated(planned[0]), value=0.5)
    rows = load_results(tmp_path).rows
    source = ReportSource(rows, small)
    path = write_group_report(source, tmp_path / "reports", group="open-questions", profile="smoke")
    page = Page(path)
    assert "† Stale: measured under other settings or source" in page.text
    assert "— → 50.0 †" in (path.parent / "report.md").read_text(encoding="utf-8")
    assert page.text.count("1 of 2 trainings of suite separate-drives have no result:") == 1  # two questions ask for it
    assert page.text.index("have no result:") < page.text.index("Drives shared between training and test images?")


def test_an_unknown_group_is_named(study: Study, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="group 'open'"):
        write_group_report(ReportSource(load_columns(), study), tmp_path, group="open", profile="smoke")
