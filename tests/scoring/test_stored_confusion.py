from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from results_factory import constants, trials

from bench.errors import ResultsError
from bench.results.trial_file import write_trial
from bench.scoring.stored import read_confusion, read_counts

TRIAL = next(trial for trial in trials() if trial.kind == "training")
CLASSES = ("Road", "Sky", "Tree")
COUNTS = {("a", "Road", "Road"): 5, ("a", "Road", "Sky"): 2, ("b", "Road", "Sky"): 4, ("b", "Tree", "Tree"): 1}


def store(path: Path, counts: dict[tuple[str, str, str], float] = COUNTS, **changes: object) -> Path:
    """Writes a training of three classes with counts at the selected iteration, and others that are to be left out."""
    here = {"split": "test", "iteration": 100}
    score = {"record": "class_score", "metric": "accuracy", "value": 0.5, **here}
    rows = [score | {"class_name": name, "refinement": made} for made in (None, "dense_crf") for name in CLASSES]
    for (image, label, predicted), value in counts.items():
        row = {"record": "image_confusion", "metric": "pixels", "value": float(value), "image": image, **here}
        row |= {"class_name": label, "predicted_class": predicted}
        rows += [row, row | {"iteration": 50}, row | {"refinement": "dense_crf", "value": 2.0 * value}]
    rows.append({"record": "image_boundary", "metric": "label_pixels", "value": 7.0, "image": "a", **here})
    write_trial(path, constants(TRIAL, **changes), rows)
    return path


def test_the_counts_of_all_images_are_added_up(tmp_path: Path) -> None:
    found = read_confusion(store(tmp_path / "x.parquet"))
    assert found is not None
    assert found[0] == CLASSES
    np.testing.assert_array_equal(found[1], [[5, 6, 0], [0, 0, 0], [0, 0, 1]])


def test_refined_predictions_have_counts_of_their_own(tmp_path: Path) -> None:
    found = read_confusion(store(tmp_path / "x.parquet"), "dense_crf")
    assert found is not None
    np.testing.assert_array_equal(found[1], [[10, 12, 0], [0, 0, 0], [0, 0, 2]])


def test_a_file_of_schema_version_2_refined_nothing(tmp_path: Path) -> None:
    path = store(tmp_path / "x.parquet")
    table = pq.read_table(path)
    table = table.filter(pc.is_null(table["refinement"])).drop_columns(["refinement"])
    pq.write_table(table, path)
    found = read_confusion(path)
    assert found is not None
    assert found[1].sum() == 12
    assert read_confusion(path, "dense_crf") is None


def test_a_trial_without_counts_has_none(tmp_path: Path) -> None:
    assert read_confusion(store(tmp_path / "x.parquet", {})) is None
    assert read_confusion(store(tmp_path / "y.parquet", selected_iteration=None)) is None


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({("a", "Road", "Road"): 0.5}, "counts that are no whole numbers from 0 to"),
        ({("a", "Road", "Road"): float("nan")}, "column 'value' holds NaN where a number was measured"),
        ({("a", "Road", "Road"): -1}, "column 'value' holds -2, which is out of range"),
        ({("a", "Road", "Moon"): 1}, "its counts name predicted_class 'Moon', which its other rows do not know"),
        ({("a", "Moon", "Road"): 1}, "its counts name class_name 'Moon', which its other rows do not know"),
    ],
)
def test_impossible_counts_are_refused(tmp_path: Path, counts: dict[tuple[str, str, str], float], message: str) -> None:
    with pytest.raises(ResultsError, match=message):
        read_confusion(store(tmp_path / "x.parquet", counts))


def test_a_file_that_is_gone_or_damaged_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"gone\.parquet' cannot be read"):
        read_confusion(tmp_path / "gone.parquet")
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    with pytest.raises(ResultsError, match=r"x\.parquet' cannot be read"):
        read_confusion(tmp_path / "x.parquet")


def test_the_sum_is_that_of_the_counts_of_every_image(tmp_path: Path) -> None:
    path = store(tmp_path / "x.parquet")
    table = pq.read_table(path)
    boundary = {"record": "image_boundary", "metric": "label_pixels", "protocol": "paper", "class_name": "Road"}
    boundary |= {"split": "test", "iteration": 100, "value": 1.0}
    rows = [row for row in table.to_pylist() if row["record"] != "image_boundary"]
    rows += [
        dict.fromkeys(table.column_names) | boundary | {"image": image, "selected_iteration": 100} for image in "ab"
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    found = read_confusion(path)
    assert found is not None
    np.testing.assert_array_equal(found[1], read_counts(path).confusion.sum(axis=0))
