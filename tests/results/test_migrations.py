"""Files of every known version are read as those of today; others are named."""

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from results_factory import ROOT, trials, write

from bench.errors import ResultsError
from bench.results.migrations import ARROW_SCHEMA, STEPS, up_to_date
from bench.results.schema import SCHEMA_VERSION
from bench.results.store import load_results, outcome, stored_before

ONE, TWO = trials()[:2]
ADDED_IN_2 = ["determinism", "resumptions", "sources", "protocols", "kernels"]
ADDED_IN_3 = ["refinement"]
ADDED = {1: [*ADDED_IN_2, *ADDED_IN_3], 2: ADDED_IN_3}  # since a version


def changed(path, change):
    """Rewrites a file with its table changed."""
    pq.write_table(change(pq.ParquetFile(path).read()), path)
    return path


def with_version(version, dtype=None):
    def change(table):
        column = pa.array([version] * len(table), type=dtype or pa.int64())
        return table.set_column(table.column_names.index("schema_version"), "schema_version", column)

    return change


def as_version(version):
    return lambda table: with_version(version)(table).drop_columns(ADDED[version])


def test_there_is_a_step_from_every_older_version():
    assert list(STEPS) == list(range(1, SCHEMA_VERSION))


@pytest.mark.parametrize("version", ADDED)
def test_an_older_version_is_read_with_null_for_what_it_did_not_record(tmp_path, version):
    path = write(tmp_path, ONE)
    now = load_results(tmp_path).rows
    before = changed(path, as_version(version)).read_bytes()
    found = load_results(tmp_path)
    assert found.problems == []
    assert list(found.rows.columns) == ARROW_SCHEMA.names
    assert found.rows[ADDED[version]].isna().all(axis=None)
    assert set(found.rows["schema_version"]) == {version}  # as what it was stored
    same = [name for name in ARROW_SCHEMA.names if name not in (*ADDED[version], "schema_version")]
    pd.testing.assert_frame_equal(found.rows[same], now[same])
    assert outcome(tmp_path, ONE).status == "done"
    assert path.read_bytes() == before


def test_the_committed_results_are_read():
    found = load_results(ROOT / "results")
    assert found.problems == []
    assert len(found.rows["trial"].unique()) >= 40


def test_several_versions_in_one_folder_are_read_with_and_without_this_package(tmp_path):
    changed(write(tmp_path, ONE, 0.25), as_version(1))
    write(tmp_path, TWO, 0.75)
    assert set(load_results(tmp_path).rows["trial"]) == {ONE.id, TWO.id}
    assert set(pd.read_parquet(tmp_path)["trial"]) == {ONE.id, TWO.id}
    files = f"read_parquet('{tmp_path}/**/*.parquet', union_by_name = true)"
    query = f"select max(value), count(distinct sources) from {files} where metric = 'mean_iou'"
    assert duckdb.sql(query).fetchall() == [(0.75, 1)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_version(SCHEMA_VERSION + 1), "schema version 4 is newer than 3, which this bench reads; update it"),
        (with_version(0), "schema version 0, known are 1, 2, 3; it may be damaged, or of another program"),
        (with_version(None), "schema version None, known are 1, 2, 3"),
        (with_version("2", pa.string()), "schema version 2, known are 1, 2, 3"),
        (lambda table: pa.concat_tables([table, with_version(1)(table)]), "several schema versions, known are 1, 2, 3"),
        (lambda table: table.slice(0, 0), "schema version None, known are 1, 2, 3"),
        (lambda table: table.drop_columns(["schema_version"]), "column 'schema_version' is missing"),
        (lambda table: table.drop_columns(["metric"]), "column 'metric' is missing"),
        (
            lambda table: table.set_column(
                table.column_names.index("value"), "value", pa.array(["high"] * len(table))
            ),
            "its columns have other types than `bench list --columns` says",
        ),
        (
            lambda table: table.set_column(
                table.column_names.index("record"), "record", pa.nulls(len(table), pa.string())
            ),
            "column 'record' has rows without a value",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_with_what_to_do(tmp_path, change, message):
    path = changed(write(tmp_path, ONE), change)
    write(tmp_path, TWO)
    found = load_results(tmp_path)
    assert set(found.rows["trial"]) == {TWO.id}
    (problem,) = found.problems
    assert problem.startswith(f"'{path}' cannot be read and is left out: ")
    assert message in problem


def test_a_newer_file_of_a_trial_is_not_taken_for_a_result(tmp_path):
    changed(write(tmp_path, ONE), with_version(SCHEMA_VERSION + 1))
    found = outcome(tmp_path, ONE)
    assert found.status == "damaged"
    assert found.reason.endswith(": schema version 4 is newer than 3, which this bench reads; update it")
    assert stored_before(tmp_path, ONE) is None


def test_text_that_another_program_stored_in_another_way_is_text(tmp_path):
    """Dictionary-encoded columns, as pandas and Polars write categories."""
    path = write(tmp_path, ONE)
    table = pq.ParquetFile(path).read()
    model = table.column_names.index("model")
    encoded = table.set_column(model, "model", table["model"].dictionary_encode())
    assert up_to_date(encoded).schema.equals(ARROW_SCHEMA)
    with pytest.raises(ResultsError, match="column 'trial' is missing"):
        up_to_date(table.drop_columns(["trial"]))
