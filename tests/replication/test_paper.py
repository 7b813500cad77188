from pathlib import Path

import pytest

from bench.errors import UnknownNameError
from bench.replication.paper import Address, Target, paper_table, paper_tables, target
from bench.study.catalog import MODEL_TITLES, ROW_TITLES

# Transcribed from the PDF a second time, column by column:
# params, multiplier, ms, then for each weighting G C mIoU BF of test and G C mIoU of train.
COLUMNS = [("", "", "parameters"), ("", "", "storage_multiplier"), ("", "", "forward_ms")] + [
    (weighting, split, metric)
    for weighting in ("median_frequency", "natural_frequency")
    for split, metrics in (
        ("test", ("global_accuracy", "class_average_accuracy", "mean_iou", "boundary_f1")),
        ("train", ("global_accuracy", "class_average_accuracy", "mean_iou")),
    )
    for metric in metrics
]
TABLE_1 = list(MODEL_TITLES)[:8]
ROWS = {
    "bilinear_interpolation": (
        "0.625 0 24.2  77.9 61.1 43.3 20.83  89.1 90.2 82.7  82.7 52.5 43.8 23.08  93.5 74.1 59.9"
    ),
    "segnet_basic": ("1.425 1 52.6  82.7 62.0 47.7 35.78  94.7 96.2 92.7  84.0 54.6 46.3 36.67  96.1 83.9 73.3"),
    "fcn_basic_no_addition": (
        "0.65 n/a 23.8  80.5 58.6 44.1 31.96  92.5 93.0 87.2  82.3 53.9 44.2 29.43  93.1 72.8 57.6"
    ),
    "fcn_basic_no_dim_reduction": (
        "1.625 64 44.8  84.1 63.4 50.1 37.37  95.1 96.5 93.2  83.5 57.3 47.0 37.13  97.2 91.7 84.8"
    ),
}


@pytest.mark.parametrize("model", ROWS)
def test_rows_equal_an_independent_transcription(model: str) -> None:
    printed = paper_table("T1").printed
    found = [printed[Address(model, metric, weighting, split)] for weighting, split, metric in COLUMNS]

    assert found == ROWS[model].split()


def test_table_1_has_every_cell_and_no_other() -> None:
    table = paper_table("T1")

    assert list(table.rows) == TABLE_1
    assert [row.title for row in table.rows.values()] == [MODEL_TITLES[model] for model in TABLE_1]
    assert set(table.printed) == {Address(m, metric, w, s) for m in TABLE_1 for w, s, metric in COLUMNS}
    assert len(table.printed) == 8 * (3 + 2 * 7)
    assert [address for address, text in table.printed.items() if text == "n/a"] == [
        Address("fcn_basic_no_addition", "storage_multiplier")
    ]


def test_table_1_is_in_range() -> None:
    table = paper_table("T1")
    ranges = {
        "parameters": (0.6, 1.7),
        "storage_multiplier": (0, 64),
        "forward_ms": (20, 60),
        "boundary_f1": (20, 40),
    }
    decimals = {"forward_ms": {1}, "boundary_f1": {2}, "storage_multiplier": {0}, "parameters": {2, 3}}

    for address in table.printed:
        if (cell := table.target(address)) is not None:
            low, high = ranges.get(address.metric, (40, 98))
            assert low <= cell.value <= high, address
            assert cell.decimals in decimals.get(address.metric, {1}), address


def test_the_best_scores_are_those_the_paper_sets_in_bold() -> None:
    best = {}
    for weighting, split, metric in COLUMNS[3:]:
        values = {model: target("T1", model, weighting, split, metric) for model in TABLE_1}
        best[weighting, split, metric] = max(values, key=lambda model: values[model].value)

    bold = dict.fromkeys(best, "fcn_basic_no_dim_reduction")
    bold["median_frequency", "test", "class_average_accuracy"] = "segnet_basic_encoder_addition"
    bold["natural_frequency", "test", "global_accuracy"] = "segnet_basic_encoder_addition"
    bold["natural_frequency", "test", "mean_iou"] = "segnet_basic_encoder_addition"
    bold["median_frequency", "test", "boundary_f1"] = "fcn_basic"
    bold["natural_frequency", "test", "boundary_f1"] = "fcn_basic"
    assert best == bold


def test_a_target_keeps_the_printed_decimals() -> None:
    assert target("T1", "segnet_basic", "median_frequency", "test", "class_average_accuracy") == Target(
        62.0, "percent", 1
    )
    assert target("T1", "fcn_basic", None, None, "parameters") == Target(0.65, "million", 2)


def test_stored_is_in_the_unit_of_results() -> None:
    assert Target(35.78, "percent", 2).stored == 0.3578
    assert Target(1.425, "million", 3).stored == 1_425_000
    assert Target(52.6, "ms", 1).stored == 52.6
    assert Target(64, "ratio", 0).stored == 64


@pytest.mark.parametrize(
    ("model", "weighting", "split", "metric"),
    [
        ("fcn_basic_no_addition", None, None, "storage_multiplier"),  # printed as n/a
        ("segnet_basic", "median_frequency", "train", "boundary_f1"),
        ("segnet_basic", "median_frequency", "val", "mean_iou"),
        ("segnet_basic", "median_frequency_official", "test", "mean_iou"),
        ("segnet_basic", None, None, "backward_ms"),
        ("segnet_basic", None, "test", "mean_iou"),
    ],
)
def test_no_target_where_the_paper_prints_no_number(
    model: str, weighting: str | None, split: str | None, metric: str
) -> None:
    assert target("T1", model, weighting, split, metric) is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("T9", "segnet_basic", None, None, "parameters"), "unknown paper table 'T9'.*known: T1"),
        (("T1", "segnet_basics", None, None, "parameters"), "unknown model.*did you mean 'segnet_basic'"),
        (("T1", "segnet_basic", "median", "test", "mean_iou"), "unknown weighting 'median'"),
        (
            ("T1", "segnet_basic", "median_frequency", "valid", "mean_iou"),
            "split 'valid'.*known: train, val, test",
        ),
        (("T1", "segnet_basic", "median_frequency", "test", "mean_iuo"), "did you mean 'mean_iou'"),
    ],
)
def test_unknown_names_are_errors(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        target(*arguments)


def test_an_unknown_budget_or_class_is_an_error() -> None:
    cell = ("T1", "segnet_basic", "median_frequency", "test", "mean_iou")

    with pytest.raises(UnknownNameError, match="unknown budget of table T1 '40K'"):
        target(*cell, budget="40K")
    with pytest.raises(UnknownNameError, match="unknown class of table T1 'Sky'"):
        target(*cell, class_name="Sky")


def test_the_file_is_read_once() -> None:
    assert paper_tables() is paper_tables()


OTHER_SHAPES = """
metrics:
  G: {name: global_accuracy, unit: percent}
  accuracy: {name: accuracy, unit: percent}
tables:
  budgets:
    title: t
    section: "4"
    groups: {all: ""}
    notes: {}
    blocks:
      scores: {levels: [budget, metric], fixed: {split: test, weighting: natural_frequency}}
      classes: {levels: [class_name], fixed: {split: test, metric: accuracy}}
    rows:
      segnet: {title: SegNet, group: all, scores: {40K: {G: 88.81}, final: {G: 90.4}}, classes: {Sky: 96.1}}
      crf: {title: CRF, group: all, scores: {final: {G: 89.71}}}
      other: {title: Other, group: all, model: segnet, weighting: median_frequency, scores: {final: {G: 87.0}}}
"""


def test_tables_with_budgets_and_classes_fit_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "tables.yaml"
    path.write_text(OTHER_SHAPES, encoding="utf-8")

    table = paper_tables(path)["budgets"]

    assert table.printed == {
        Address("segnet", "global_accuracy", "natural_frequency", "test", budget="40K"): "88.81",
        Address("segnet", "global_accuracy", "natural_frequency", "test"): "90.4",
        Address("segnet", "accuracy", "", "test", class_name="Sky"): "96.1",
        Address("crf", "global_accuracy", "natural_frequency", "test"): "89.71",
        Address("other", "global_accuracy", "median_frequency", "test"): "87.0",
    }
    assert table.budgets == ("40K",)
    assert [row.model for row in table.rows.values()] == ["segnet", "crf", "segnet"]
    address = Address("segnet", "accuracy", "", "test", class_name="Sky")
    assert table.target(address) == Target(96.1, "percent", 1)


TEST = {"split": "test", "weighting": "natural_frequency"}


def values(table: str, row: str, metric: str, **where: str) -> float | None:
    found = paper_table(table).target(Address(row, metric, **where))
    return None if found is None else found.value


def test_every_table_of_the_paper_is_there_with_all_its_cells() -> None:
    counts = {key: sum(text != "n/a" for text in table.printed.values()) for key, table in paper_tables().items()}
    # T2: eight rows of 11 classes and one of 10, C and G of all eleven, mIoU and BF of SegNet; T3: five nets at three
    # points and one at the last; T4: four and one, and the caption's; T5: 37 classes; T6: four nets, five columns
    assert counts == {
        "T1": 8 * 17 - 1,
        "T2": 8 * 11 + 10 + 11 * 2 + 2,
        "T3": (5 * 3 + 1) * 4 + 6,
        "T4": (4 * 3 + 1 + 1) * 4 + 6,
        "T5": 37,
        "T6": 4 * 5,
    }


def test_the_tables_agree_where_they_print_the_same_run() -> None:
    """SegNet's row of Table 2 is the last one of Table 3; the classes of Table 5 average to C of Table 4."""
    last = {"split": "test", "weighting": "natural_frequency"}
    for metric in ("global_accuracy", "class_average_accuracy", "mean_iou", "boundary_f1"):
        assert values("T2", "segnet", metric, **last) == values("T3", "segnet", metric, **last) is not None
    classes = [float(text) for text in paper_table("T5").printed.values()]
    assert sum(classes) / 37 == pytest.approx(values("T4", "segnet", "class_average_accuracy", **last), abs=0.006)


@pytest.mark.parametrize(
    ("table", "row", "metric", "where", "value", "decimals"),
    [
        ("T2", "dense_depth_maps", "accuracy", {"class_name": "Pavement", **TEST}, 38.1, 1),
        ("T3", "deconvnet", "boundary_f1", TEST, 52.23, 2),
        ("T3", "fcn", "max_iterations", {}, 200, 0),
        ("T4", "fcn_learnt_deconv", "boundary_f1", {"budget": "140K", **TEST}, 9.0, 1),
        ("T4", "segnet_median_frequency", "mean_iou", {"weighting": "median_frequency", "split": "test"}, 32.08, 2),
        ("T4", "segnet", "mean_iou", TEST, 31.84, 2),
        ("T5", "segnet", "accuracy", {"class_name": "Shower curtain", **TEST}, 0.03, 2),
        ("T6", "deeplab_largefov", "inference_peak_mib", {}, 1993, 0),
        ("T6", "segnet", "forward_ms", {}, 422.5, 2),
    ],
)
def test_single_cells_of_the_other_tables(table, row, metric, where, value, decimals) -> None:
    found = paper_table(table).target(Address(row, metric, **where))
    assert (found.value, found.decimals) == (value, decimals)


@pytest.mark.parametrize("budget", ["40K", "80K"])
def test_what_was_not_computed_is_no_number(budget: str) -> None:
    row = ("T3", "deeplab_largefov_dense_crf", "mean_iou")
    assert values(*row, **TEST, budget=budget) is None
    assert values(*row, **TEST) == 54.74


def test_a_model_that_has_two_rows_is_told_apart_by_its_weighting() -> None:
    found = {weighting: target("T4", "segnet", weighting, "test", "mean_iou") for weighting in WEIGHTINGS}
    assert {weighting: cell.value for weighting, cell in found.items()} == WEIGHTINGS
    assert target("T4", "segnet", "median_frequency", "test", "mean_iou", budget="80K") is None


WEIGHTINGS = {"natural_frequency": 31.84, "median_frequency": 32.08}


def test_rows_of_models_of_ours_have_their_titles() -> None:
    rows = {(row.model, row.title) for key in ("T1", "T3", "T4", "T6") for row in paper_table(key).rows.values()}
    assert rows == {(model, ROW_TITLES[model]) for model, _ in rows} | {
        ("segnet", "SegNet, median frequency balancing")
    }
    assert [paper_table(key).budgets for key in ("T1", "T3", "T4")] == [(), ("40K", "80K"), ("80K", "140K")]
