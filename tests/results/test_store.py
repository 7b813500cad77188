"""Files are whole or absent, readable without this package, and a damaged one harms no other."""

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest
from results_factory import constants, trials, write

from bench.errors import ResultsError
from bench.results.schema import COLUMNS
from bench.results.store import check_writable, load_results, outcome, path_of, write_atomically, write_trial

ONE, TWO = trials()[:2]


def test_pandas_and_duckdb_read_a_folder_without_this_package(tmp_path):
    write(tmp_path, ONE, 0.25)
    write(tmp_path, TWO, 0.75)
    (tmp_path / "_panels").mkdir()
    (tmp_path / "_panels" / "note.txt").write_text("not parquet")
    frame = pd.read_parquet(tmp_path)
    assert sorted(frame[frame.metric == "mean_iou"].value.unique()) == [0.25, 0.75]
    query = f"select max(value) from read_parquet('{tmp_path}/**/*.parquet') where metric = 'mean_iou'"
    assert duckdb.sql(query).fetchall() == [(0.75,)]


def test_rows_come_back_with_the_columns_of_the_schema(tmp_path):
    write(tmp_path, ONE)
    rows = load_results(tmp_path).rows
    assert list(rows.columns) == [column.name for column in COLUMNS]
    assert rows["iteration"].dtype == "Int64"
    assert set(rows["trial"]) == {ONE.id}


def test_per_image_records_are_left_out_unless_asked_for(tmp_path):
    write(tmp_path, ONE)
    assert "image_boundary" not in set(load_results(tmp_path).rows["record"])
    assert "image_boundary" in set(load_results(tmp_path, without=()).rows["record"])


def test_a_damaged_file_is_named_and_left_alone_and_the_others_are_read(tmp_path):
    good, bad = write(tmp_path, ONE), write(tmp_path, TWO)
    cut = bad.read_bytes()[:500]
    bad.write_bytes(cut)
    found = load_results(tmp_path)
    assert set(found.rows["trial"]) == {ONE.id}
    assert len(found.problems) == 1
    assert str(bad) in found.problems[0]
    assert bad.read_bytes() == cut
    assert good.exists()
    assert outcome(tmp_path, TWO).status == "damaged"
    assert "cannot be read; move it away or delete it" in outcome(tmp_path, TWO).reason


def test_a_file_of_another_program_or_version_is_named(tmp_path):
    write(tmp_path, ONE, schema_version=99)
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "other.parquet")
    problems = load_results(tmp_path).problems
    assert any("column 'trial' is missing" in problem for problem in problems)
    assert any("schema version ['99'], this program reads 1" in problem for problem in problems)


def test_a_missing_folder_says_what_to_run(tmp_path):
    with pytest.raises(ResultsError, match="no results folder .*run `bench run` first"):
        load_results(tmp_path / "nowhere")


def test_outcome_of_a_stored_trial(tmp_path):
    write(tmp_path, ONE, status="diverged", reason="the training loss became nan at iteration 3")
    assert outcome(tmp_path, ONE).status == "diverged"
    assert "iteration 3" in outcome(tmp_path, ONE).reason
    assert outcome(tmp_path, TWO).status == "missing"


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = write(tmp_path, ONE, 0.5)

    def fill_the_disk(temporary):
        temporary.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(ResultsError, match="cannot be written: No space left on device"):
        write_atomically(path, fill_the_disk)
    assert load_results(tmp_path).rows["value"].iloc[1] == 0.5
    assert [child.name for child in path.parent.iterdir()] == [path.name]


def test_a_folder_that_cannot_be_written_is_said_before(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match="cannot be written.*--results DIR"):
        check_writable(tmp_path / "file" / "results")


def test_unknown_columns_are_our_own_mistake(tmp_path):
    with pytest.raises(AssertionError):
        write_trial(tmp_path / "x.parquet", constants(ONE), [{"colour": "red"}])


def test_strings_are_stored_once(tmp_path):
    """Identity and provenance repeat in every row at no cost."""
    path = path_of(tmp_path, ONE)
    row = {"record": "curve", "metric": "loss", "unit": "nat"}
    write_trial(path, constants(ONE, config="x" * 2000), [row | {"iteration": i, "value": i} for i in range(2000)])
    assert path.stat().st_size < 60_000
    assert pq.ParquetFile(path).metadata.num_rows == 2000
