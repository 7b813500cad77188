"""Counts that come back from stored rows, and scores of them that are the stored ones."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import strategies as st
from property_based import OFTEN, always
from scoring.scored_trials import ROOT, VOID, guessed, planned, split_of, store, write_study

from bench.data import Split
from bench.errors import BenchError, ResultsError
from bench.evaluation.boundary import boundary_counts
from bench.evaluation.boundary_scores import STORED
from bench.evaluation.confusion import confusion_counts
from bench.replication.scores import scores
from bench.results.store import load_results
from bench.results.trial_file import COUNT_COLUMNS
from bench.scoring.definition import Definition, Measure, score_counts
from bench.scoring.rescoring import rescore_trials
from bench.scoring.stored import Counts, read_counts
from bench.scoring.stored import counts_of as counts_of_table

EVERYTHING = Definition(protocols=tuple(STORED))


def counts_of(rows: pd.DataFrame) -> Counts:
    return counts_of_table(pa.Table.from_pandas(rows, preserve_index=False))


def with_an_image_of_void(split):
    labels = split.labels.copy()
    labels[2] = VOID
    return Split(split.images, labels, split.names, split.class_names, split.digest)


def check_scores_equal_stored(rows: pd.DataFrame, counts) -> int:
    """Holds every stored score and class score of the test split against the counts; returns how many there are."""
    rows = rows[(rows["split"] == "test") & (rows["iteration"] == rows["selected_iteration"])]
    scores = score_counts(EVERYTHING, counts.class_names, counts.confusion, counts.boundary)
    compared = 0
    for metric, protocol, value in rows.loc[rows["record"] == "score", ["metric", "protocol", "value"]].itertuples(
        index=False
    ):
        measure = Measure(metric, protocol if isinstance(protocol, str) else "")
        assert scores.values[measure] == value, measure
        compared += 1
    for row in rows[rows["record"] == "class_score"].itertuples(index=False):
        measure = Measure(row.metric, row.protocol if isinstance(row.protocol, str) else "")
        found = scores.class_values[measure][counts.class_names.index(row.class_name)]
        np.testing.assert_equal(found, row.value)
        compared += 1
    return compared


def test_counts_and_scores_come_back_bit_for_bit(tmp_path):
    trial = planned(write_study(tmp_path))[0]
    split = with_an_image_of_void(split_of(trial))
    predictions = guessed(split, 1)
    predictions[4] = 3
    path = store(tmp_path / "results", trial, split, predictions, label_maps=False)
    counts = read_counts(path)
    assert counts.images == split.names
    assert counts.class_names == split.class_names
    np.testing.assert_array_equal(counts.confusion, confusion_counts(split.labels, predictions, 11))
    assert not counts.confusion[2].any()
    assert list(counts.boundary) == list(STORED)
    for name, found in counts.boundary.items():
        np.testing.assert_array_equal(found, boundary_counts(split.labels, predictions, 11, *STORED[name]))
    rows = load_results(tmp_path / "results", without=()).rows
    assert check_scores_equal_stored(rows, counts) == 3 + 6 + 2 * 11 + 6 * 11
    again = counts_of(rows)
    np.testing.assert_array_equal(again.confusion, counts.confusion)


def test_counts_of_budgets_and_refined_predictions_are_left_alone(tmp_path):
    trial = planned(write_study(tmp_path))[0]
    split = split_of(trial)
    own = guessed(split, 1)
    besides = [(40, guessed(split, 2), None), (120, guessed(split, 3), None), (100, guessed(split, 4), "dense_crf")]
    path = store(tmp_path / "results", trial, split, own, label_maps=False, besides=besides)
    counts = read_counts(path)
    np.testing.assert_array_equal(counts.confusion, confusion_counts(split.labels, own, 11))
    for name, found in counts.boundary.items():
        np.testing.assert_array_equal(found, boundary_counts(split.labels, own, 11, *STORED[name]))
    assert counts.class_names == split.class_names
    rows = load_results(tmp_path / "results").rows
    assert check_scores_equal_stored(rows[rows["refinement"].isna()], counts) == 3 + 6 + 2 * 11 + 6 * 11
    rescored = rescore_trials(tmp_path / "results", [trial], Definition())
    assert (rescored.trials, rescored.without, rescored.problems) == (1, {}, [])
    stored = scores(rows).set_index(["model", "metric"])["value"]
    assert {one.measure.metric: one.value for one in rescored.values} == dict(stored[trial.model])


def test_an_image_without_any_boundary_counts(tmp_path):
    trial = planned(write_study(tmp_path))[0]
    split = split_of(trial)
    flat = Split(split.images, np.zeros_like(split.labels), split.names, split.class_names, split.digest)
    path = store(tmp_path / "results", trial, flat, np.zeros_like(split.labels), label_maps=False)
    counts = read_counts(path)
    assert counts.images == split.names
    assert not counts.boundary["paper"].any()
    assert score_counts(Definition(), counts.class_names, counts.confusion, counts.boundary).values == {
        Measure("global_accuracy"): 1.0,
        Measure("class_average_accuracy"): 1 / 11,
        Measure("mean_iou"): 1 / 11,
        Measure("boundary_f1", "paper"): 0.0,
    }


def test_older_files_have_fewer_protocols(tmp_path):
    trial = planned(write_study(tmp_path))[0]
    split = split_of(trial)
    path = store(
        tmp_path / "results",
        trial,
        split,
        guessed(split, 0),
        drop=lambda row: row.get("protocol") not in (None, "paper"),
    )
    assert list(read_counts(path).boundary) == ["paper"]


@pytest.fixture
def rows(tmp_path):
    trial = planned(write_study(tmp_path))[0]
    split = split_of(trial)
    store(tmp_path / "results", trial, split, guessed(split, 0), label_maps=False)
    return load_results(tmp_path / "results", without=()).rows[COUNT_COLUMNS]


@pytest.mark.parametrize("record", ["class_score", "image_confusion", "image_boundary"])
def test_a_trial_without_counts_is_refused(rows, record):
    with pytest.raises(ResultsError, match="it stores no counts of single images"):
        counts_of(rows[rows["record"] != record])


@pytest.mark.parametrize(
    ("record", "column", "value", "message"),
    [
        ("image_confusion", "value", 0.5, "counts that are no whole numbers from 0 to 67108864"),
        ("image_confusion", "value", -1.0, "counts that are no whole numbers"),
        ("image_confusion", "value", float("nan"), "counts that are no whole numbers"),
        ("image_boundary", "value", 1e18, "counts that are no whole numbers"),
        ("image_confusion", "image", "other", "name image 'other', which its other rows do not know"),
        ("image_confusion", "predicted_class", "Horse", "name predicted_class 'Horse'"),
        ("image_boundary", "class_name", None, "name class_name"),
        ("image_boundary", "metric", "label_pixel", "name metric 'label_pixel'"),
        ("image_boundary", "image", "other", "of other images than those by paper"),
    ],
)
def test_counts_that_no_trial_stored_are_refused(rows, record, column, value, message):
    place = rows.index[rows["record"] == record][-1]
    rows.loc[place, column] = value
    with pytest.raises(ResultsError, match=message):
        counts_of(rows)


def test_more_than_memory_holds_is_refused(rows, monkeypatch):
    monkeypatch.setattr("bench.scoring.stored.MAX_CELLS", 5 * 11 * 11 - 1)
    with pytest.raises(ResultsError, match="counts of 5 images and 11 classes are more than is read"):
        counts_of(rows)


@OFTEN
def test_any_damage_to_a_row_is_refused_in_one_line_or_read(tmp_path, times):
    trial = planned(write_study(tmp_path))[0]
    split = split_of(trial)
    store(tmp_path / "results", trial, split, guessed(split, 0), label_maps=False)
    whole = load_results(tmp_path / "results", without=()).rows[COUNT_COLUMNS]
    said: list[str] = []

    def check(damage):
        number, column, value = damage
        rows = whole.copy()
        rows[column] = rows[column].astype(object)
        rows.loc[rows.index[number % len(rows)], column] = value
        try:
            counts = counts_of(rows)
        except BenchError as error:
            said.append(str(error))
        else:
            assert counts.confusion.min() >= 0

    words = (
        st.none()
        | st.sampled_from(["test", "train", "Sky", "paper", "pixels", "image_confusion"])
        | st.text(max_size=5)
    )
    texts = ("record", "metric", "split", "protocol", "class_name", "predicted_class", "image")
    damage = st.tuples(st.integers(0, 10**6), st.sampled_from(texts), words) | st.tuples(
        st.integers(0, 10**6), st.just("value"), st.floats()
    )
    always(check, damage, times)
    assert said
    assert [line for line in said if not line.isprintable()] == []


def test_a_file_that_has_gone_is_named(tmp_path):
    with pytest.raises(ResultsError, match=r"nowhere\.parquet' cannot be read"):
        read_counts(tmp_path / "nowhere.parquet")


COMMITTED = sorted((ROOT / "results/decoder-variants/mini").glob("*.s?-*.parquet"))


@pytest.mark.parametrize("file", COMMITTED[::8], ids=lambda path: path.name.split(".", 2)[2])
def test_committed_results_give_their_scores(file):
    assert check_scores_equal_stored(pd.read_parquet(file), read_counts(file)) >= 4
