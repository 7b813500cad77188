"""Provenance columns: what ran, and by which source."""

import json

from results_factory import outdated, trials

from bench.results import provenance
from bench.results.schema import COLUMNS, SCHEMA_VERSION


def test_environment_fills_columns_of_the_schema():
    found = provenance.environment()
    assert set(found) <= {column.name for column in COLUMNS}
    assert found["torch"][0].isdigit()
    assert found["schema_version"] == SCHEMA_VERSION


def test_the_columns_of_the_source_are_those_the_trial_was_planned_with():
    training, cost = trials()[0], trials()[-1]
    found = provenance.source_columns(training)
    assert set(found) <= {column.name for column in COLUMNS}
    assert json.loads(found["sources"]) == training.sources
    assert json.loads(found["protocols"]) == {"data": 1, "training": 1, "evaluation": 1}
    assert len(found["source_digest"]) == 16
    assert provenance.source_columns(outdated(training))["source_digest"] != found["source_digest"]
    assert json.loads(provenance.source_columns(cost)["protocols"]) == {"profiling": 1}


def test_a_copy_inside_another_checkout_claims_no_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    assert provenance.git_state() == (None, None)
