"""What is said of a stale result: names, old and new values, nothing that did not change."""

import json
from dataclasses import replace

import pytest
from results_factory import constants, outdated, trials

from bench.results.changes import Change, changes, summary

NOW = trials()[0]
COST = trials()[-1]


def text(stored, trial=NOW):
    return [str(change) for change in changes(stored, trial)]


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ({"lr": 0.05}, ["lr: 0.05 → 0.1"]),
        ({"precision": "bf16", "iterations": 600}, ["iterations: 600 → 100", "precision: bf16 → fp32"]),
        ({"channels_last": False}, ["channels_last: false → true"]),
        ({"dataset_options": {"train": 96, "val": 24, "test": 48, "seed": 7}}, ["dataset_options.seed: 7 → 1511"]),
        (
            {"dataset_options": {"train": 96, "val": 24, "test": 48, "sha256": {"test": "ab" * 32}}},
            ["dataset_options.seed: nothing → 1511", "dataset_options.sha256.test: abababababab… → nothing"],
        ),
        ({"panels": 9, "checkpoint_every": 1, "suite": "x"}, []),  # decide nothing
    ],
)
def test_declared_values_are_named_with_old_and_new(before, said):
    stored = constants(outdated(replace(NOW, **before)))
    assert text(stored) == [*said, "bench/training/loop.py: changed"]


def test_source_files_are_named():
    before = {path: digest for path, digest in NOW.sources.items() if path != "models/blocks.py"}
    stored = constants(replace(NOW, sources=before | {"models/old.py": "0" * 8, "bench/data/split.py": "0" * 8}))
    assert text(stored) == ["bench/data/split.py: changed", "models/blocks.py: new", "models/old.py: no longer used"]


def test_protocols_are_named():
    stored = constants(NOW) | {"protocols": json.dumps({"data": 1, "training": 0})}
    assert text(stored) == ["protocol training: version 0 → 1", "protocol evaluation: version nothing → 1"]


@pytest.mark.parametrize("nothing", [None, float("nan")])
def test_version_1_recorded_neither_source_nor_determinism(nothing):
    config = NOW.as_dict()
    del config["determinism"]
    stored = constants(NOW, config=json.dumps(config), schema_version=1, sources=nothing, protocols=nothing)
    assert text(stored) == [
        "determinism: not declared then → strict",
        "unrecorded source files: stored before they were recorded (schema version 1)",
    ]


def test_a_cost_is_not_explained_by_what_it_does_not_depend_on():
    stored = constants(outdated(replace(COST, lr=9.0, iterations=7, timing_rounds=9)))
    assert text(stored, COST) == ["timing_rounds: 9 → 3", "bench/training/loop.py: changed"]


@pytest.mark.parametrize("config", [None, "{half", "[]", float("nan")])
def test_a_file_without_readable_settings_says_so(config):
    assert text(constants(NOW, config=config)) == ["unrecorded settings: they are not in the file"]


def test_where_nothing_differs_it_was_another_way_of_telling():
    assert text(constants(NOW, bench_version="0.0.9")) == [
        "bench: stored by version 0.0.9, which told trials apart differently"
    ]


def test_a_summary_has_each_name_once_and_not_too_many():
    found = [Change(name, "changed") for name in "abacdefg"]
    assert summary(found[:3]) == "a, b"
    assert summary(found) == "a, b, c, d, e and 2 more"
    assert summary([]) == ""
