"""Verdicts, intervals and what is behind a cell, from one table whose numbers can be checked by hand."""

import json
import math
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest

from bench.replication.check import Place as VerdictPlace
from bench.replication.check import Verdict
from bench.replication.scores import COST_COLUMNS, SCORE_COLUMNS
from bench.replication.statistics import Interval
from bench.reporting.pages.cell_details import page_data
from bench.reporting.provenance.trial_records import TrialRecord, shared, trial_records
from bench.reporting.rendering import template_environment
from bench.reporting.tables.cells import Place, Table
from bench.reporting.tables.formats import to_csv, to_markdown
from bench.reporting.tables.html import to_html
from bench.reporting.tables.intervals import READING, intervals_of
from bench.reporting.tables.latex import to_latex
from bench.reporting.tables.per_class import class_table
from bench.reporting.tables.variants import table_1
from bench.reporting.tables.verdicts import image_intervals, with_image_intervals, with_verdicts
from bench.reporting.verdict_marks import (
    MEANING_OF_CLAIMS,
    MEANING_OF_NUMBERS,
    MEANING_ON_PAPER,
    OF_CLAIMS,
    OF_NUMBERS,
    ON_PAPER,
    SIGNS,
    counted,
)

MEDIAN = "median_frequency"
ADDRESS = "cell-T1-segnet_basic-median_frequency-test-mean_iou"
PLACE = Place("segnet_basic", MEDIAN, "test", "mean_iou", "", "")
# the mean is 0.5 and the standard deviation 0.01; t of one degree of freedom is 12.706, so half the interval is
# 12.706 * 0.01 / sqrt(2) = 0.0898
VALUES = {0: 0.5 - 0.01 / math.sqrt(2), 1: 0.5 + 0.01 / math.sqrt(2)}
EVIL = '</script><script>alert(1)</script><b>"\u2028'


def score(model: str, values: dict[int, float], metric: str = "mean_iou", class_name: str = "") -> tuple:
    frame = pd.Series(values)
    digests = tuple(f"{model}-{seed}" for seed in values)
    return (model, MEDIAN, "test", metric, "", class_name, "", frame.mean(), frame.std(), len(frame), digests, values)


SCORES = pd.DataFrame(
    [score("segnet_basic", VALUES), score("fcn_basic", {0: 0.4}), score("fcn_basic", {0: 0.6}, "global_accuracy")],
    columns=list(SCORE_COLUMNS),
)
COSTS = pd.DataFrame(columns=list(COST_COLUMNS))


def verdict(outcome: str = "outside", reason: str = "its interval ends at 59.0") -> Verdict:
    return Verdict(
        VerdictPlace(*PLACE, protocol=""), 0.5, 0.477, 0.023, 0.02, outcome, 2, Interval(0.41, 0.59), reason, ()
    )


@pytest.fixture(scope="module")
def table() -> Table:
    made = with_verdicts(table_1(SCORES, COSTS), {PLACE: verdict()})
    return with_image_intervals(made, {("segnet_basic", MEDIAN, "mean_iou"): Interval(0.481, 0.522)})


def cell_of(table: Table, address: str) -> ElementTree.Element:
    root = ElementTree.fromstring(f"<div>{to_html(table)}</div>")
    (cell,) = root.findall(f".//td[@id='{address}']")
    return cell


def test_a_verdict_has_colour_sign_and_word(table: Table) -> None:
    cell = cell_of(table, ADDRESS)
    assert cell.get("class") == "v-outside"
    assert [(span.get("class"), "".join(span.itertext())) for span in cell.findall("span")] == [
        ("paper", "47.7"), ("ours best", "50.0 ± 1.0"), ("difference above", "+2.3"), ("verdict", "✗ outside"),
    ]  # fmt: skip


def test_a_number_without_a_verdict_has_no_colour_but_is_still_opened(table: Table) -> None:
    cell = cell_of(table, "cell-T1-fcn_basic-median_frequency-test-mean_iou")
    assert cell.get("class") is None
    assert "verdict" not in [span.get("class") for span in cell]


def test_what_most_cells_may_be_is_a_sign_in_them_and_a_sentence_below(table: Table) -> None:
    other = with_verdicts(table, {PLACE: verdict("not comparable", "another scale")})
    shown = cell_of(other, ADDRESS).findall("span")[-1]
    assert (shown.get("class"), shown.get("title")) == ("verdict", "not comparable")
    assert [(part.get("class"), part.get("aria-hidden"), part.text) for part in shown] == [
        (None, "true", "≠"), ("unseen", None, "not comparable"),
    ]  # fmt: skip
    sentence = "≠ not comparable: the two numbers are not of one kind"
    assert sentence in to_html(other)
    assert sentence not in to_html(table)
    assert page_data([other], {})["cells"][ADDRESS]["verdict"] == ["v-not-comparable", "≠ not comparable"]


def test_every_verdict_has_a_sign_and_a_meaning() -> None:
    everyone = (*OF_NUMBERS, *OF_CLAIMS, *ON_PAPER)
    assert set(everyone) == set(SIGNS)
    assert everyone == (*MEANING_OF_NUMBERS, *MEANING_OF_CLAIMS, *MEANING_ON_PAPER)
    assert len({SIGNS[name] for name in OF_NUMBERS}) == len(OF_NUMBERS)
    assert [(mark.verdict, mark.count) for mark in counted(["outside", "within", "outside"], OF_NUMBERS)] == [
        ("within", 1),
        ("outside", 2),
    ]


def test_the_last_headings_name_their_column(table: Table) -> None:
    root = ElementTree.fromstring(f"<div>{to_html(table)}</div>")
    heads = root.findall(".//thead//th[@data-column]")
    assert sorted(int(head.get("data-column")) for head in heads) == list(range(17))
    titles = {int(head.get("data-column")): head.text for head in heads}
    assert [titles[number] for number in (0, 2, 3, 16)] == ["Params (M)", "Infer time (ms)", "G", "mIoU"]


def test_addresses_are_apart_whatever_the_classes_are_called() -> None:
    names = ("Sky", "a b", "a_b", "<b>", "Ä", "Ö")
    frame = pd.DataFrame(
        [score("segnet_basic", {0: 0.1 * place}, "iou", name) for place, name in enumerate(names)],
        columns=list(SCORE_COLUMNS),
    )
    made = class_table(frame, "iou")
    addresses = [made.address(made.rows[0], column) for column in made.columns]
    assert len(set(addresses)) == len(names)
    assert addresses[0] == "cell-classes_iou_test-segnet_basic-median_frequency-test-Sky-iou"
    assert all(address.isascii() and not set(address) & set("<> &\"'#%") for address in addresses)


def test_intervals_stand_in_every_format(table: Table) -> None:
    row = pd.read_csv(StringIO(to_csv(table))).query("model == 'segnet_basic' and metric == 'mean_iou' and n == 2")
    (found,) = row[["std", "low", "high", "image_low", "image_high", "verdict", "tolerance", "reason"]].to_numpy()
    assert found.tolist() == [1.0, 41.0154, 58.9846, 48.1, 52.2, "outside", 2.0, "its interval ends at 59.0"]
    markdown = to_markdown(table)
    assert "### Intervals: Median frequency balancing" in markdown
    assert "| SegNet-Basic | 41.0 to 59.0, n 2 \\[48.1 to 52.2\\] |" in markdown
    assert markdown.count("| FCN-Basic |") == 3  # one a section, and none of intervals: it is a single run
    assert READING in markdown
    latex = to_latex(table)
    assert r"SegNet-Basic & 41.0 to 59.0, n 2 [48.1 to 52.2] \\" in latex
    assert latex.count(r"\begin{tabular}") == latex.count(r"\end{tabular}}") == 3  # two of the table, one of intervals
    assert latex.count(r"\begin{table*}") == latex.count(r"\end{table*}") == latex.count(r"\caption{") == 2


def test_single_runs_have_no_table_of_intervals() -> None:
    single = table_1(SCORES.iloc[1:], COSTS)
    assert intervals_of(single, range(len(single.columns))) is None
    assert "Intervals" not in to_markdown(single)


def test_what_is_behind_a_cell(table: Table) -> None:
    records = {
        "segnet_basic-0": TrialRecord(
            "t.s0", "segnet_basic-0", {"Git commit": "1"}, {"lr": 0.1, "seed": 0}, "f0", "h0"
        ),
        "segnet_basic-1": TrialRecord(
            "t.s1", "segnet_basic-1", {"Git commit": "1"}, {"lr": 0.1, "seed": 1}, "f1", "h1"
        ),
    }
    data = page_data([table], records)
    cell = data["cells"][ADDRESS]
    assert cell["title"] == "SegNet-Basic: Median frequency balancing, test mIoU"
    assert cell["verdict"] == ["v-outside", "✗ outside"]
    assert cell["facts"] == [
        ["The paper's", "47.7 %"],
        ["Ours", "50.0 ± 1.0 %, mean ± standard deviation of 2 runs"],
        ["Ours minus the paper's", "+2.3 points"],
        ["Allowed difference", "±2.0 points, from 45.7 to 49.7"],
        ["95 % interval over 2 seeds (t)", "41.0 to 59.0 %"],
        ["95 % interval over test images (bootstrap, first seed)", "48.1 to 52.2 %"],
    ]
    assert cell["runs"] == [["Seed 0: 49.29", 0], ["Seed 1: 50.71", 1]]
    assert cell["sort"] == pytest.approx([47.7, 50.0, 2.3])
    assert data["shared"] == {"facts": [["Git commit", "1"]], "config": {"lr": 0.1}}
    assert [trial["config"] for trial in data["trials"]] == [{"seed": 0}, {"seed": 1}]
    single = data["cells"]["cell-T1-fcn_basic-median_frequency-test-mean_iou"]
    assert ["95 % interval over seeds", "none: single run"] in single["facts"]
    assert single["runs"] == [["Seed 0: 40.00", None]]  # of no trial that is known
    missing = data["cells"]["cell-T1-segnet_basic-parameters"]
    assert (missing["facts"], missing["runs"]) == ([["The paper's", "1.425 million"]], [])
    assert missing["sort"] == [1.425, None, None]


def test_numbers_that_differ_do_not_look_alike_behind_a_cell() -> None:
    near = table_1(pd.DataFrame([score("segnet_basic", {0: 0.47711, 1: 0.47713})], columns=list(SCORE_COLUMNS)), COSTS)
    cell = next(cell for row in near.rows for cell in row.cells if cell.place == PLACE)
    assert (cell.number_text, cell.difference_text) == ("47.7 ± 0.0", "0.0")
    facts = dict(page_data([near], {})["cells"][ADDRESS]["facts"])
    assert facts["The paper's"] == "47.7 %"
    assert facts["Ours"].startswith("47.712 ± 0.001 %")
    assert facts["Ours minus the paper's"] == "+0.012 points"
    assert facts["95 % interval over 2 seeds (t)"] == "47.699 to 47.725 %"


def test_data_in_a_page_cannot_end_its_script(table: Table) -> None:
    hostile = with_verdicts(table, {PLACE: verdict(reason=EVIL)})
    written = template_environment().from_string("{{ data | tojson }}").render(data=page_data([hostile], {}))
    assert "<" not in written
    assert json.loads(written)["cells"][ADDRESS]["reason"] == EVIL.strip("\u2028")
    assert "&lt;/script&gt;" not in to_html(hostile)  # the reason is in the data alone


def test_what_all_trials_share_is_told_from_what_they_do_not() -> None:
    assert shared([{"a": 1, "b": 2, "c": True}, {"a": 1, "b": 3, "c": 1}]) == {"a": 1}
    assert shared([{"a": 1}]) == {}
    assert shared([]) == {}


def test_links_lead_from_the_page_to_the_results_file(tmp_path: Path) -> None:
    names = ("trial", "digest", "suite", "profile", "config", "started_at", "duration_s", "selected_iteration")
    row = ("s.p.m.cost", "d", "s", "p", "{}", None, None, None)
    frame = pd.DataFrame([row], columns=list(names))
    frame = frame.reindex(columns=[*names, *("device_name", "git_commit")])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bench.reporting.provenance.trial_records.PROVENANCE_TITLES", {"git_commit": "Git commit"})
        (record,) = trial_records(frame, tmp_path / "my results#1", tmp_path / "out" / "s" / "p").values()
        (without,) = trial_records(frame, None, tmp_path).values()
    assert record.href == "../../../my%20results%231/s/p/s.p.m.cost-d.parquet"
    assert record.file == "my results#1/s/p/s.p.m.cost-d.parquet"
    assert (without.href, without.file) == ("", "")


def test_the_first_seed_of_each_model_gives_the_image_intervals() -> None:
    columns = ["status", "kind", "digest", "seed", "model", "weighting", "trial"]
    rows = pd.DataFrame(
        [
            ("done", "training", "d1", 1, "a", MEDIAN, "t1"),
            ("done", "training", "d0", 0, "a", MEDIAN, "t0"),
            ("failed", "training", "d2", 0, "b", MEDIAN, "t2"),
            ("done", "cost", "d3", None, "a", None, "t3"),
        ],
        columns=columns,
    )
    asked = []

    def read(key: str) -> dict[tuple[str, str], Interval]:
        asked.append(key)
        return {("mean_iou", ""): Interval(0.1, 0.2), ("iou", "Sky"): Interval(0.0, 1.0)}

    assert image_intervals(rows, read) == {("a", MEDIAN, "mean_iou"): Interval(0.1, 0.2)}
    assert asked == ["t0-d0"]
    assert image_intervals(rows, None) == {}
