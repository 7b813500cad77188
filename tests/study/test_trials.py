import json
import pickle
from collections.abc import Callable
from dataclasses import fields, replace

import pytest

from bench.errors import UnknownNameError
from bench.study import trials
from bench.study.config import study_from
from bench.study.sources import sources_of
from bench.study.specs import Study
from bench.study.trials import Trial, derive_seed, plan
from bench.study.yaml_source import parse_yaml

Changed = Callable[[str, str], Study]


def digests(study: Study) -> dict[str, str]:
    return {trial.id: trial.digest for trial in plan(study, "decoder-variants", "smoke")}


def test_a_suite_is_one_training_per_model_weighting_and_seed_then_one_cost_per_model(study: Study) -> None:
    got = plan(study, "decoder-variants", "mini")
    assert [trial.kind for trial in got] == ["training"] * 16 + ["cost"] * 8
    assert [trial.weighting for trial in got[:16]] == ["median_frequency"] * 8 + ["natural_frequency"] * 8
    assert [trial.model for trial in got[:8]] == study.suites["decoder-variants"].models
    assert len({trial.id for trial in got}) == len({trial.digest for trial in got}) == 24


def test_ids_are_readable(study: Study) -> None:
    ids = [trial.id for trial in plan(study, "decoder-variants", "mini", models=["segnet_basic"])]
    assert ids == [
        "decoder-variants.mini.segnet_basic.median_frequency.s0",
        "decoder-variants.mini.segnet_basic.natural_frequency.s0",
        "decoder-variants.mini.segnet_basic.cost",
    ]


def test_values_are_resolved(study: Study) -> None:
    training, cost = plan(study, "decoder-variants", "smoke", ["fcn_basic"], ["natural_frequency"])
    assert training.dataset_options == {"train": 96, "val": 24, "test": 48, "seed": 1511}
    assert (training.height, training.width, training.batch_size) == (60, 80, 6)
    assert (training.iterations, training.validate_every, training.lr) == (100, 50, 0.1)
    assert (training.seed, training.weighting) == (0, "natural_frequency")
    assert (cost.seed, cost.weighting) == (None, None)
    timing = (cost.timing_height, cost.timing_width, cost.timing_rounds, cost.timing_iterations, cost.timing_paper)
    assert timing == (60, 80, 3, 20, None)


def test_names_are_found_as_the_paper_prints_them(study: Study) -> None:
    got = plan(study, "Decoder_Variants", "MINI", ["SegNet-Basic", "segnet-basic"], ["median-frequency"], [0])
    assert [trial.model for trial in got] == ["segnet_basic"] * 2


def test_the_order_is_the_studys_whatever_was_asked_first(changed: Changed) -> None:
    study = changed("seeds: [0]", "seeds: [3, 1, 2]")
    got = plan(study, "decoder-variants", "smoke", ["fcn_basic", "segnet_basic"], ["natural_frequency"], [2, 3])
    assert [(trial.seed, trial.model) for trial in got[:4]] == [
        (3, "segnet_basic"),
        (3, "fcn_basic"),
        (2, "segnet_basic"),
        (2, "fcn_basic"),
    ]


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (
            {"suite": "decoder"},
            r"^unknown suite 'decoder', did you mean 'decoder-variants'\?; known: decoder-variants$",
        ),
        (
            {"profile": "smokes"},
            r"^unknown profile 'smokes', did you mean 'smoke'\?; known: smoke, mini, paper$",
        ),
        (
            {"models": ["segnet"]},
            r"^unknown model of suite decoder-variants 'segnet', did you mean 'segnet_basic'",
        ),
        (
            {"weightings": ["median_frequency_official"]},
            r"^unknown weighting of suite decoder-variants 'median_freq",
        ),
        ({"seeds": [0, 7]}, r"^unknown seed of profile smoke '7'; known: 0$"),
        ({"seeds": [-0, -1]}, r"^unknown seed of profile smoke '-1'; known: 0$"),
    ],
)
def test_unknown_names_list_the_known_ones(study: Study, choice: dict, message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        plan(study, **({"suite": "decoder-variants", "profile": "smoke"} | choice))


def test_a_profile_without_a_run_is_named(changed: Changed) -> None:
    study = changed(
        "smoke: {dataset: road_scenes, batch_size: 6, iterations: 100, validate_every: 50, checkpoint_every: 25}", ""
    )
    with pytest.raises(UnknownNameError, match=r"^unknown profile of suite decoder-variants 'smoke'; known: mini, pap"):
        plan(study, "decoder-variants", "smoke")


def test_a_trial_survives_json(study: Study) -> None:
    for trial in plan(study, "decoder-variants", "paper"):
        copy = Trial(**json.loads(json.dumps(trial.as_dict())), sources=json.loads(json.dumps(trial.sources)))
        assert copy == trial
        assert hash(copy) == hash(trial)
        assert copy.digest == trial.digest


def test_what_is_declared_keeps_its_digest(study: Study) -> None:
    """Whoever changes this makes every stored result stale without touching a line that computes one."""
    got = {trial.id: trial.declared_digest for trial in plan(study, "decoder-variants", "smoke")}
    assert got["decoder-variants.smoke.segnet_basic.median_frequency.s0"] == "5b567c99168a8af4"
    assert got["decoder-variants.smoke.segnet_basic.cost"] == "bc6231c07e2aee9a"


def test_the_digest_is_of_what_is_declared_and_of_the_source(study: Study) -> None:
    trial = plan(study, "decoder-variants", "smoke")[0]
    fixed = replace(trial, sources={"models/a.py": "01234567", "bench/b.py": "89abcdef"})
    assert fixed.declared_digest == trial.declared_digest
    assert fixed.digest == "ddc4bd1c23e46f9f" != trial.digest
    assert replace(fixed, sources=dict(reversed(fixed.sources.items()))).digest == fixed.digest
    assert replace(fixed, sources={"models/a.py": "01234568", "bench/b.py": "89abcdef"}).digest != fixed.digest
    assert replace(fixed, lr=0.2).digest != fixed.digest


def test_a_trial_has_the_sources_of_its_kind_model_and_data_set(study: Study) -> None:
    training, *_, cost = plan(study, "decoder-variants", "smoke", ["fcn_basic"], ["natural_frequency"])
    assert training.sources == sources_of("training", "fcn_basic", "road_scenes")
    assert cost.sources == sources_of("cost", "fcn_basic", "road_scenes")


def test_a_trial_keeps_the_sources_it_was_planned_with(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that runs it has loaded those, whatever is written to the files in the meantime."""
    trial = plan(study, "decoder-variants", "smoke")[0]
    digest = trial.digest
    monkeypatch.setattr(trials, "sources_of", lambda *names, **parts: {"models/other.py": "0" * 8})
    assert pickle.loads(pickle.dumps(trial)).digest == digest
    assert plan(study, "decoder-variants", "smoke")[0].digest != digest


def test_another_suite_changes_no_trial(study: Study, study_text: str) -> None:
    suite = study_text[study_text.index("  decoder-variants:\n") : study_text.index("tolerances:\n")]
    assert suite.count("decoder-variants") == 1
    text = study_text.replace(suite, suite.replace("decoder-variants", "another-suite") + suite)
    assert digests(study_from(parse_yaml(text, "bench.yaml"))) == digests(study)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("alexgkendall/SegNet", "someone/SegNet"),
        ("description: synthetic scenes", "description: drawn scenes"),
        ("panels: 3", "panels: 5"),
        ("title: Decoder", "title: The decoder"),
        ("    tables: [T1]\n", ""),
        ("seeds: [0]", "seeds: [0, 1]"),
        ("      - fcn_basic_no_addition\n", ""),
        ("median_frequency, natural", "median_frequency_official, median_frequency, natural"),
        ("iterations: 600", "iterations: 1200"),  # another profile
        ("{global_accuracy: 0.02", "{global_accuracy: 0.04"),
        ("weight_decay: 5e-4", "weight_decay: 0.0005"),
        ("train: 367", "train: 368"),  # another data set
        ("checkpoint_every: 25", "checkpoint_every: 20"),
    ],
)
def test_what_cannot_change_numbers_keeps_digests(changed: Changed, study: Study, old: str, new: str) -> None:
    before, after = digests(study), digests(changed(old, new))
    assert {id: after[id] for id in before if id in after} == {id: before[id] for id in before if id in after}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("lr: 0.1", "lr: 0.05"),
        ("weight_decay: 5e-4", "weight_decay: 0"),
        ("input_normalisation: local_contrast", "input_normalisation: none"),
        ("selection: global_accuracy", "selection: mean_iou"),
        ("iterations: 100", "iterations: 200"),
        ("validate_every: 50", "validate_every: 25"),
        ("train: 96", "train: 97"),
        ("seed: 1511", "seed: 1512"),
    ],
)
def test_what_changes_training_leaves_costs_alone(changed: Changed, study: Study, old: str, new: str) -> None:
    before, after = digests(study), digests(changed(old, new))
    assert before.keys() == after.keys()
    for id in before:
        assert (before[id] == after[id]) == id.endswith(".cost"), id


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rounds: 3, iterations: 20", "rounds: 4, iterations: 20"),
        ("iterations: 20", "iterations: 30"),
        ("    tables: [T1]\n", "    tables: [T1]\n    paper_timing: table-6\n"),
    ],
)
def test_what_changes_timing_leaves_training_alone(changed: Changed, study: Study, old: str, new: str) -> None:
    before, after = digests(study), digests(changed(old, new))
    for id in before:
        assert (before[id] != after[id]) == id.endswith(".cost"), id


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("height: 60\n", "height: 64\n"),
        ("batch_size: 6", "batch_size: 4"),
        ("momentum: 0.9", "momentum: 0.8"),  # zero would leave an optimizer without memory
        ("precision: fp32", "precision: bf16"),
        ("st: true", "st: false"),
        ("determinism: strict", "determinism: seeded"),
    ],
)
def test_what_changes_both(changed: Changed, study: Study, old: str, new: str) -> None:
    before, after = digests(study), digests(changed(old, new))
    assert all(before[id] != after[id] for id in before)


def test_a_protocol_version_changes_the_digests_of_its_kind(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    before = digests(study)
    monkeypatch.setitem(trials.PROTOCOL_VERSIONS, "evaluation", 2)
    after = digests(study)
    for id in before:
        assert (before[id] == after[id]) == id.endswith(".cost"), id


def test_every_field_is_in_a_digest_or_known_not_to_matter(study: Study) -> None:
    """Whoever adds a field decides whether it changes numbers."""
    listed = {name for _, names in trials._DEPENDS_ON.values() for name in names.split()}
    free = {"kind", "suite", "profile", "panels", "store_predictions", "checkpoint_every", "sources"}
    assert listed | free == {field.name for field in fields(Trial)}
    training = plan(study, "decoder-variants", "smoke")[0]
    assert replace(training, suite="x", profile="paper", panels=9, checkpoint_every=7).digest == training.digest


def test_derived_seeds_depend_on_every_part_its_type_and_order() -> None:
    seeds = [
        derive_seed(),
        derive_seed(0),
        derive_seed("0"),
        derive_seed(0, "order", 1),
        derive_seed(0, "order", 2),
        derive_seed(1, "order", 0),
        derive_seed(0, "initialisation", 1),
        derive_seed("ab", "c"),
        derive_seed("a", "bc"),
    ]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert derive_seed(0, "order", 1) == derive_seed(0, "order", 1)


def test_a_derived_seed_stays_what_it_is() -> None:
    """First eight bytes of `printf '[0,"order",1]' | sha256sum`, without their last bit."""
    assert derive_seed(0, "order", 1) == 1860338126330257371
