from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from bench.errors import ConfigError
from bench.replication.scores import MACHINE_COSTS
from bench.study.catalog import MODEL_TITLES
from bench.study.config import json_schema, load_study
from bench.study.specs import Study
from bench.study.tolerances import MACHINE_COST_NAMES
from bench.study.trials import plan

Changed = Callable[[str, str], Study]


def line_of(text: str, wanted: str) -> int:
    return text[: text.index(wanted)].count("\n") + 1


def test_the_committed_study_is_table_1_as_the_paper_ran_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).resolve().parents[2])
    study = load_study()
    suite = study.suites["decoder-variants"]
    assert (suite.tables, suite.models) == (["T1"], list(MODEL_TITLES)[:8])
    assert suite.weightings == ["median_frequency", "natural_frequency"]
    assert suite.paper_timing == "table-1"
    assert (suite.recipe.lr, suite.recipe.momentum, suite.recipe.weight_decay) == (0.1, 0.9, 0.0005)
    assert suite.runs["smoke"].dataset == "road_scenes"  # runs everywhere
    paper = suite.runs["paper"]
    assert (paper.dataset, paper.batch_size) == ("camvid", 12)
    assert (paper.iterations, paper.validate_every) == (10000, 1000)
    profile = study.profiles["paper"]
    assert (profile.height, profile.width, profile.timing.rounds) == (360, 480, 3)
    camvid = study.datasets["camvid"]
    assert (camvid.train, camvid.val, camvid.test) == (367, 101, 233)


def test_bench_yaml_of_the_current_folder_is_the_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, study: Study, study_text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"^bench\.yaml: no such file"):
        load_study()
    (tmp_path / "bench.yaml").write_text(study_text, encoding="utf-8")
    assert load_study() == study


def test_specs_are_frozen(study: Study) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        study.suites["decoder-variants"].recipe.lr = 1.0  # type: ignore[misc]


def test_dataset_options_hold_what_decides_the_images(study: Study) -> None:
    assert study.datasets["road_scenes"].options == {"train": 96, "val": 24, "test": 48, "seed": 1511}
    assert set(study.datasets["camvid"].options) == {"train", "val", "test", "sha256"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("lr: 0.1", "lr: fast", r"suites\.decoder-variants\.recipe\.lr: must be a number, got 'fast'"),
        ("lr: 0.1", "lr: true", r"recipe\.lr: must be a number, got true"),
        ("lr: 0.1", "lr: 0", r"recipe\.lr: must be greater than 0, got 0"),
        ("lr: 0.1", "lr: .nan", r"recipe\.lr: must be a finite number, got nan"),
        ("lr: 0.1", "lr: 1e999", r"recipe\.lr: must be a finite number, got inf"),
        (
            "lr: 0.1",
            "learning_rate: 0.1",
            r"recipe\.learning_rate: unknown key; known: lr, momentum, .* \(and 1 more\)",
        ),
        ("momentum: 0.9", "momentum: 1.0", r"recipe\.momentum: must be less than 1, got 1\.0"),
        ("momentum: 0.9", "momentum: '0.9'", r"recipe\.momentum: must be a number, got '0\.9'"),
        (
            "weight_decay: 5e-4",
            "weight_dekay: 5e-4",
            r"recipe\.weight_dekay: unknown key, did you mean 'weight_decay'\?; .* \(and 1 more\)",
        ),
        (
            "title: Dec",
            "colour: red\n    title: Dec",
            r"decoder-variants\.colour: unknown key; known: title, tables, models",
        ),
        (
            "panels: 3",
            "panels: 3\n    pannels: 3",
            r"profiles\.smoke\.pannels: unknown key, did you mean 'panels'\?; known: desc",
        ),
        ("version: 1", "version: 2", r"version: must be 1, got 2"),
        ("version: 1", "version: true", r"version: must be an integer, got true"),
        ("height: 60", "height: 15", r"profiles\.smoke\.height: must be greater than or equal to 16, got 15"),
        ("height: 60", "height: true", r"profiles\.smoke\.height: must be an integer, got true"),
        ("height: 60", "height: 60.0", r"profiles\.smoke\.height: must be a.* integer, got 60\.0"),
        ("channels_last: true", "channels_last: yes", r"channels_last: must be true or false, got 'yes'"),
        ("precision: fp32", "precision: fp16", r"precision: must be 'fp32', 'tf32' or 'bf16', got 'fp16'"),
        ("seeds: [0]", "seeds: []", r"profiles\.smoke\.seeds: must not be empty, got a list"),
        ("seeds: [0]", "seeds: 0", r"profiles\.smoke\.seeds: must be a list, got 0"),
        (
            "seeds: [0]",
            "seeds: [0, -1]",
            r"profiles\.smoke\.seeds\[1\]: must be greater than or equal to 0, got -1",
        ),
        ("seeds: [0]", "seeds: [4, 0, 4]", r"profiles\.smoke\.seeds\[2\]: seed 4 appears twice"),
        (
            "timing: {height: 60, ",
            "timing: {",
            r"profiles\.smoke\.timing\.height: missing; it is: height of the timed",
        ),
        (
            "description: synthetic scenes,",
            'description: "a\\nb" #',
            r"smoke\.description: must match pattern .*, got 'a\\nb'",
        ),
        (
            "  smoke:\n    desc",
            "  tiny:\n    desc",
            r"profiles\.tiny: unknown profile 'tiny', did you mean 'mini'\?; known: smoke, mini, paper",
        ),
        (
            "  road_scenes:",
            "  road_scene:",
            r"datasets\.road_scene: unknown data set 'road_scene', did you mean 'road_scenes'\?",
        ),
        ("seed: 1511", "url: http://x/y.zip", r"datasets\.road_scenes: needs either `sha256` .* or `seed`"),
        ("url: https://", "url: ftp://", r"datasets\.camvid\.url: must match pattern .*, got 'ftp://"),
        ("train: 6d48", "train: 6D48", r"datasets\.camvid\.sha256\.train: must match pattern"),
        (
            "- segnet_basic\n",
            "- segnet_basik\n",
            r"models\[1\]: unknown model 'segnet_basik', did you mean 'segnet_basic'\?; known: bil",
        ),
        ("- segnet_basic\n", "- fcn_basic\n", r"models\[4\]: model 'fcn_basic' appears twice"),
        (
            "[median_frequency,",
            "[median,",
            r"weightings\[0\]: unknown weighting 'median'.*; known: median_frequency,",
        ),
        ("  decoder-variants:", "  ../x:", r"suites\.\.\./x: a suite's name is made of a-z, 0-9 and '-'"),
        (
            "smoke: {dataset: road_scenes",
            "smoke: {dataset: camvit",
            r"runs\.smoke\.dataset: unknown data set 'camvit', did you mean 'camvid'\?",
        ),
        (
            "smoke: {dataset",
            "smoky: {dataset",
            r"runs\.smoky: unknown profile 'smoky', did you mean 'smoke'\?; known: smoke, mini, paper",
        ),
        (
            "batch_size: 6",
            "batch_size: 97",
            r"runs\.smoke\.batch_size: must not exceed the 96 training images, got 97",
        ),
        (
            "validate_every: 50",
            "validate_every: 30",
            r"runs\.smoke\.iterations: validate_every \(30\) must divide it, .*, got 100",
        ),
        ("tables: [T1]", "tables: [T9]", r"decoder-variants\.tables\[0\]: must be 'T1', .* or 'T6', got 'T9'"),
        ("tables: [T1]", "tables: [T1, T1]", r"decoder-variants\.tables\[1\]: table 'T1' appears twice"),
        ("tables: [T1]", "refinements: {segnet: dense_crf}", r"refinements\.segnet: unknown model of the suite"),
        ("iterations: 100, ", "", r"runs\.smoke: needs `iterations`, because the suite trains"),
        (
            "iterations: 100, ",
            "iterations: 100, iterations_of: {segnet: 100}, ",
            r"iterations_of\.segnet: unknown model of the suite 'segnet', did you mean 'segnet_basic'",
        ),
        (
            "iterations: 100, ",
            "iterations: 100, iterations_of: {segnet_basic: 110}, ",
            r"iterations_of\.segnet_basic: validate_every \(50\) must divide it",
        ),
        ("iterations: 100, ", "iterations: 100, budgets: {early: 20}, ", r"budgets\.early: validate_every \(50\) must"),
        (
            "iterations: 100, ",
            "iterations: 100, budgets: {early: 50, late: 50}, ",
            r"runs\.smoke\.budgets\[1\]: budget of 50 appears twice",
        ),
        (
            "iterations: 100, ",
            "iterations: 100, budgets: {all: 100}, ",
            r"runs\.smoke\.iterations: must exceed the last budget \(100\), got 100",
        ),
        (
            "iterations: 100, ",
            "iterations: 100, pretrained: vgg16, ",
            r"runs\.smoke\.pretrained: unknown weights 'vgg16'; known: none",
        ),
        ("iterations: 100, ", "iterations: 100, weightings: [median], ", r"smoke\.weightings\[0\]: unknown weighting"),
        (
            "suites:",
            "groups: {both: [decoder-variant]}\nsuites:",
            r"groups\.both\[0\]: unknown suite 'decoder-variant', ",
        ),
        (
            "suites:",
            "groups: {decoder-variants: [decoder-variants]}\nsuites:",
            r"groups\.decoder-variants: a suite is called decoder-variants as well",
        ),
        ("seed: 1511", "seed: 1511\n    reader: roads", r"datasets\.road_scenes\.reader: unknown data set 'roads'"),
        ("seed: 1511", "seed: 1511\n    void: 11", r"datasets\.road_scenes\.void: goes with reader list_file only"),
        (
            "seed: 1511",
            "seed: 1511\n  mine: {reader: list_file, train: 1, val: 1, test: 1}",
            r"datasets\.mine: needs `class_names`, in the order of the ids",
        ),
        (
            "seed: 1511",
            "seed: 1511\n  Mine: {reader: road_scenes, seed: 1, train: 1, val: 1, test: 1}",
            r"datasets\.Mine: a data set's name is made of a-z, 0-9 and '_'",
        ),
        (
            "{global_accuracy: 0.02",
            "{global_accuracy: 2",
            r"paper\.smoke\.global_accuracy: must be a fraction from 0 to 1 .*, got 2\.0 \(and 2 more\)",
        ),
        (
            "{global_accuracy: 0.02",
            "{accurancy: 0.02",
            r"tolerances\.paper\.smoke\.accurancy: unknown metric 'accurancy', did you mean 'accuracy'",
        ),
        (
            "    smoke: &paper",
            "    smok: &paper",
            r"tolerances\.paper\.smok: unknown profile 'smok', did you mean 'smoke'\?",
        ),
        ("suites:", "suites: {}\nother:", r"suites: must not be empty, got a mapping \(and 1 more\)"),
        (
            "    recipe:\n",
            "    recipe: []\n    recipes:\n",
            r"decoder-variants\.recipe: must be a mapping, got a list",
        ),
    ],
)
def test_refused_in_one_line(changed: Changed, old: str, new: str, message: str) -> None:
    with pytest.raises(ConfigError, match=r"^bench\.yaml:\d+: .*" + message) as caught:
        changed(old, new)
    assert len(str(caught.value).splitlines()) == 1


def test_the_line_is_the_one_to_edit(changed: Changed, study_text: str) -> None:
    line = line_of(study_text, "weight_decay: 5e-4")
    with pytest.raises(ConfigError, match=rf"^bench\.yaml:{line}: suites\.decoder-variants\.recipe\.weight_decay: "):
        changed("weight_decay: 5e-4", "weight_decay: -5e-4")


def test_the_first_of_several_problems_is_told(changed: Changed, study_text: str) -> None:
    line = line_of(study_text, "    train: 367")
    message = rf"^bench\.yaml:{line}: datasets\.camvid\.train: .* got 0 \(and 1 more\)$"
    with pytest.raises(ConfigError, match=message):
        changed("train: 367\n    val: 101", "train: 0\n    val: -1")


def test_costs_may_have_relative_tolerances(changed: Changed) -> None:
    study = changed("{global_accuracy: 0.02", "{forward_flops: 1.5, global_accuracy: 0.02")
    assert study.tolerances.paper["mini"]["forward_flops"] == 1.5


@pytest.mark.parametrize("metric", ["forward_ms", "training_peak_mib", "forward_energy_j"])
def test_times_and_memory_have_no_tolerance_against_the_paper(changed: Changed, metric: str) -> None:
    with pytest.raises(ConfigError, match=f"{metric}: is time or memory of the authors' machine; compare it with a"):
        changed("{global_accuracy: 0.02", f"{{{metric}: 0.2, global_accuracy: 0.02")
    study = changed("{global_accuracy: 0.05", f"{{{metric}: 0.2, global_accuracy: 0.05")
    assert study.tolerances.baseline["mini"][metric] == 0.2


def test_what_belongs_to_a_machine_is_what_another_does_not_reproduce() -> None:
    assert set(MACHINE_COST_NAMES) == set(MACHINE_COSTS)


def test_the_schema_describes_every_key() -> None:
    schema = json_schema()
    shapes = [schema, *schema["$defs"].values()]
    assert {"DatasetSpec", "ProfileSpec", "SuiteSpec", "RunSpec", "RecipeSpec"} <= set(schema["$defs"])
    for shape in shapes:
        assert shape["additionalProperties"] is False
        for name, field in shape["properties"].items():
            assert field.get("description"), f"{shape['title']}.{name} has no description"


def test_a_suite_may_measure_without_training(changed: Changed) -> None:
    study = changed("    weightings: [median_frequency, natural_frequency]\n", "")
    assert {trial.kind for trial in plan(study, "decoder-variants", "smoke")} == {"cost"}


def test_a_suite_without_anything_to_do_is_refused(changed: Changed) -> None:
    with pytest.raises(ConfigError, match=r"suites\.decoder-variants: has nothing to do: name `weightings`"):
        changed("    weightings: [median_frequency, natural_frequency]\n", "    costs: false\n")


@pytest.mark.parametrize("name", ["sun_rgbd", "pascal_voc"])
def test_a_data_set_that_nobody_has_fixed_may_lack_digests_but_not_have_a_seed_as_well(
    changed: Changed, name: str
) -> None:
    counts = f"  {name}: {{train: 5, val: 2, test: 3"
    study = changed("profiles:\n", f"{counts}}}\nprofiles:\n")
    assert study.datasets[name].options == {"train": 5, "val": 2, "test": 3}
    digests = ", ".join(f"{split}: {'a' * 64}" for split in ("train", "val", "test"))
    with pytest.raises(ConfigError, match=rf"datasets\.{name}: needs either `sha256` .* or `seed`"):
        changed("profiles:\n", f"{counts}, seed: 1, sha256: {{{digests}}}}}\nprofiles:\n")
