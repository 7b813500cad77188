"""What a suite's keys make of its trials: budgets, lengths of single models, weights to start from, groups."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.errors import UnknownNameError
from bench.study.config import load_study
from bench.study.specs import Study
from bench.study.trials import plan, plan_all, suites_of

Changed = Callable[[str, str], Study]
ROOT = Path(__file__).resolve().parents[2]
RUN = "smoke: {dataset: road_scenes, "


@pytest.fixture(scope="module")
def committed() -> Study:
    return load_study(ROOT / "bench.yaml")


def training(study: Study, model: str = "segnet_basic"):
    return plan(study, "decoder-variants", "smoke", [model], ["median_frequency"])[0]


def test_every_suite_has_a_smoke_run_on_embedded_data_and_one_at_full_size(committed):
    for name, suite in committed.suites.items():
        assert {"smoke", "paper"} <= set(suite.runs), name
        assert committed.datasets[suite.runs["smoke"].dataset].seed is not None, name
        paper = plan(committed, name, "paper")[0]
        assert (paper.height, paper.width) == (360, 480)


def test_table_3_has_the_papers_lengths_and_budgets(committed):
    trials = {trial.model: trial for trial in plan(committed, "road-scenes", "paper")}
    lengths = {model: trial.iterations for model, trial in trials.items()}
    assert lengths == {
        "segnet": 140_000, "deeplab_largefov": 140_000, "fcn": 200_000, "fcn_learnt_deconv": 160_000,
        "deconvnet": 260_000, "deconvnet_no_fc": 260_000,
    }  # fmt: skip
    for trial in trials.values():
        assert (trial.batch_size, trial.lr, trial.budgets) == (5, 1e-3, {"40K": 40_000, "80K": 80_000})
        assert trial.pretrained["name"] == "vgg16_imagenet"
        assert trial.kind == "training"
    assert [model for model, trial in trials.items() if trial.refinement] == ["deeplab_largefov"]


def test_networks_without_vgg16_start_from_nothing(committed):
    start = {trial.model: trial.pretrained is not None for trial in plan(committed, "related", "paper")}
    assert [model for model, pretrained in start.items() if not pretrained] == ["u_net", "deeplab_v3plus"]


def test_the_cost_suite_measures_what_table_6_prints(committed):
    trials = plan(committed, "cost", "mini")
    assert {trial.kind for trial in trials} == {"cost"}
    assert {(trial.timing_height, trial.timing_width, trial.batch_size) for trial in trials} == {(360, 480, 4)}
    assert {trial.timing_paper for trial in trials} == {"table-6"}


def test_a_run_may_have_its_own_learning_rate_weightings_and_timing(changed: Changed):
    own = "lr: 0.05, weightings: [natural_frequency], timing: {height: 20, width: 30, rounds: 1, iterations: 2}, "
    study = changed(RUN, RUN + own)
    trials = plan(study, "decoder-variants", "smoke")
    assert {trial.lr for trial in trials} == {0.05}
    assert {trial.weighting for trial in trials if trial.kind == "training"} == {"natural_frequency"}
    assert (trials[0].timing_height, trials[0].timing_iterations) == (20, 2)
    assert {trial.lr for trial in plan(study, "decoder-variants", "mini")} == {0.1}


@pytest.mark.parametrize(
    "new",
    [
        "iterations_of: {segnet_basic: 150}, ",
        "budgets: {early: 50}, ",
        "pretrained: w, ",
    ],
)
def test_what_changes_one_model_leaves_another_alone(study: Study, study_text: str, changed: Changed, new: str):
    text = RUN + new
    one = changed("profiles:\n", 'pretrained: {w: {sha256: "01234567"}}\nprofiles:\n')
    assert training(one).digest == training(study).digest  # that some weights are known changes nothing
    other = changed(RUN, text) if "pretrained" not in new else None
    if other is None:
        return  # no model of Table 1 has VGG16's encoder
    assert training(other).digest != training(study).digest
    same = training(other, "fcn_basic").digest == training(study, "fcn_basic").digest
    assert same == ("iterations_of" in new)


def test_where_a_file_lies_is_in_no_digest(changed: Changed):
    lists = "profiles:\n"
    entry = '  mine: {{reader: list_file, folder: "{}", class_names: [a, b], train: 6, val: 1, test: 1}}\n'
    digests = set()
    for folder in ("/here", "/there/ünï"):
        text = entry.format(folder) + lists
        study = changed(lists, text)
        run = study.suites["decoder-variants"].runs["smoke"].model_copy(update={"dataset": "mine"})
        suite = study.suites["decoder-variants"].model_copy(update={"runs": {"smoke": run}})
        moved = study.model_copy(update={"suites": {"decoder-variants": suite}})
        trial = training(moved)
        assert trial.dataset_options["folder"] == folder
        assert "folder" not in trial.as_dict()["dataset_options"]
        digests.add(trial.digest)
    assert len(digests) == 1


def test_a_group_stands_for_its_suites(committed):
    members = ["published-split", "separate-drives", "road-scenes"]
    assert suites_of(committed, "open_questions") == members
    assert suites_of(committed, "cost") == ["cost"]
    trials = plan_all(committed, "open-questions", "smoke")
    assert list(dict.fromkeys(trial.suite for trial in trials)) == members
    assert {trial.suite for trial in plan_all(committed, "open-questions", "smoke", ["segnet"])} == {"road-scenes"}
    with pytest.raises(UnknownNameError, match="unknown suite 'open-question', did you mean 'open-questions'"):
        suites_of(committed, "open-question")
    with pytest.raises(UnknownNameError, match="unknown model of suite published-split 'u_net'"):
        plan_all(committed, "open-questions", "smoke", ["u_net"])
    with pytest.raises(UnknownNameError, match="^unknown profile 'tiny'"):
        plan_all(committed, "open-questions", "tiny")
    with pytest.raises(UnknownNameError, match="^unknown profile 'tiny'"):
        plan_all(committed, "cost", "tiny")
