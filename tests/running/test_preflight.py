"""Bad input is found before any training: by name, with the reason, in one line."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from test_pretraining import empty, write
from test_trial import tiny
from torch import nn

from bench.data import Split
from bench.errors import BenchError, ConfigError, DataError
from bench.running import most_rows, preflight
from bench.running.dry_run import Dry, Pass, check_models, dry, model_without_numbers, pass_on_shapes
from bench.study.config import load_study
from bench.study.trials import plan
from models import MODELS

ROOT = Path(__file__).parents[2]
SUITES = [(suite, profile) for suite, spec in load_study(ROOT / "bench.yaml").suites.items() for profile in spec.runs]


def line_of(trials, results):
    """Checks trials that must not be started, and returns the line; nothing may be left that says they were."""
    with pytest.raises(BenchError) as caught:
        preflight.check(trials, "cpu", 1, results)
    assert "\n" not in str(caught.value)
    assert not list(results.rglob("*.*"))
    return str(caught.value)


def cost(**changes):
    return replace(tiny(), kind="cost", weighting=None, seed=None, pretrained=None, **changes)


@pytest.fixture(autouse=True)
def no_data(monkeypatch):
    """Data are not read here: what is checked comes before them."""

    def load(trial, split):
        raise AssertionError("the data were read")

    monkeypatch.setattr(preflight, "load_trial_split", load)


# --- models


@pytest.mark.parametrize(("suite", "profile"), SUITES)
def test_every_suite_of_the_study_can_be_run(suite, profile):
    check_models(plan(load_study(ROOT / "bench.yaml"), suite, profile))


@pytest.mark.parametrize("name", MODELS)
def test_shapes_alone_say_what_the_networks_say(name):
    """Each network's output has the size of its images, and those that it refuses in earnest are refused here."""
    size = (45, 61)
    for training in (False, True):
        model = model_without_numbers(name, 5, size).train(training)
        assert pass_on_shapes(model, Pass(training, 2, *size)).shape == (2, 5, *size)


@pytest.mark.parametrize("name", ["segnet_basic", "hypercolumns", "deeplab_largefov", "u_net", "upsampling_nearest"])
@pytest.mark.parametrize("side", [4, 8, 9, 16, 17])
def test_networks_refuse_on_shapes_what_they_refuse_in_earnest(name, side):
    one = Pass(True, 1, side, side)

    def refused(call):
        try:
            call()
        except ValueError:
            return True
        return False

    with torch.no_grad():
        earnest = refused(lambda: MODELS[name](3).train()(torch.zeros(1, 3, side, side)))
    assert refused(lambda: pass_on_shapes(model_without_numbers(name, 3, (side, side)), one)) is earnest


def test_images_that_are_too_small_name_suite_profile_and_model(tmp_path):
    start = "suite decoder-variants, profile smoke, model"
    line = line_of([tiny(), tiny(model="segnet", height=16)], tmp_path)
    assert line == (
        f"{start} segnet: SegNet halves height and width 5 times and needs images of at least 17x17 pixels, got 16x40; "
        "use larger images"
    )
    line = line_of([tiny(model="deconvnet", height=16), tiny(model="fcn", width=16)], tmp_path)
    assert line.startswith(f"{start} deconvnet: DeconvNet can be built for images of at least 17x17 pixels")
    assert line.endswith(" (and 1 more)")


def test_a_batch_of_one_image_is_refused_where_a_network_needs_two(tmp_path):
    line = line_of([tiny(model="deconvnet", batch_size=1)], tmp_path)
    assert "model deconvnet: DeconvNet cannot be trained on a batch of one image of 32x40 pixels" in line
    check_models([tiny(model="deconvnet"), tiny(model="segnet", batch_size=1)])


class Narrow(nn.Module):
    """A network that says nothing itself of what its batch norm needs."""

    def __init__(self, num_classes):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, num_classes, (32, 40)), nn.BatchNorm2d(num_classes))

    def forward(self, images):
        return self.layers(images)


def test_a_batch_norm_of_one_value_is_refused_in_training_alone(monkeypatch):
    monkeypatch.setitem(MODELS, "fcn_basic", Narrow)
    check_models([tiny()])
    with pytest.raises(ConfigError, match="batch normalisation would have a single value per channel in training; use"):
        check_models([tiny(batch_size=1)])
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        Narrow(3)(torch.zeros(1, 3, 32, 40))


def test_cost_trials_are_checked_at_the_size_that_is_timed():
    small = {"timing_height": 16, "timing_width": 40}
    check_models([tiny(model="segnet", **small)])
    with pytest.raises(ConfigError, match="model segnet: SegNet halves .* got 16x40"):
        check_models([cost(model="segnet", **small)])


def test_images_too_small_for_a_checkerboard_are_refused():
    check_models([tiny(checkerboard=True)])
    with pytest.raises(ConfigError, match="model fcn_basic: maps of 24x40 pixels .* hold no window of 32"):
        check_models([tiny(checkerboard=True, height=30)])


def test_what_trials_share_is_checked_once():
    assert dry(tiny(seed=0)) == dry(tiny(seed=1, weighting="natural_frequency"))
    assert dry(tiny()) == Dry("fcn_basic", 11, (32, 40), (Pass(False, 1, 32, 40), Pass(True, 2, 32, 40)), False)


@pytest.mark.slow
def test_torch_does_not_import_its_compiler_for_it():
    """That would take longer than all passes of a suite."""
    code = """
import sys
from bench.running.dry_run import check_models
from bench.study.config import load_study
from bench.study.trials import plan
for suite in ("related", "upsampling", "road-scenes", "decoder-variants"):
    check_models(plan(load_study(), suite, "smoke"))
assert "torch._dynamo" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# --- more results than are read


def test_a_training_of_too_many_iterations_is_refused_before_the_data_are_read(tmp_path):
    line = line_of([tiny(), tiny(model="segnet", iterations=2_000_000, validate_every=2_000_000)], tmp_path)
    assert line.startswith("suite decoder-variants, profile smoke, model segnet: its results could have 2000")
    assert line.endswith("rows of curves, scores and times, at most 2000000 are read back; use fewer iterations")


def test_a_measurement_of_too_many_passes_is_refused(tmp_path):
    line = line_of([cost(timing_iterations=500_000)], tmp_path)
    assert line.endswith("at most 2000000 are read back; use fewer timing rounds or iterations")


def test_too_many_counts_of_test_images_are_refused(tmp_path, monkeypatch):
    """What is possible is known from the labels: here of 2 of 11 classes, at 2 points."""
    labels = np.zeros((3, 32, 40), np.uint8)
    labels[:, 3, 4] = 10
    labels[0, 5, 5] = 255
    split = Split(np.zeros((3, 32, 40, 3), np.uint8), labels, ("a", "b", "c"), tuple("12345678901"), "")
    monkeypatch.setattr(preflight, "load_trial_split", lambda trial, name: split)
    most = 2 * 3 * (2 * 11 + 6 * (11 + 3 * 2))
    monkeypatch.setattr(most_rows, "MAX_IMAGE_ROWS", most)
    preflight.check([tiny()], "cpu", 1, tmp_path)
    with pytest.raises(ConfigError) as caught:
        preflight.check([tiny(), tiny(budgets={"early": 1})], "cpu", 1, tmp_path)
    assert str(caught.value) == (
        "suite decoder-variants, profile smoke, model fcn_basic: its results could have 1116 counts of 3 test images "
        "of road_scenes at 3 points, at most 744 are read back; use fewer test images or budgets"
    )


@pytest.mark.parametrize(("suite", "profile"), SUITES)
def test_no_trial_of_the_study_has_too_many_rows(suite, profile):
    """With 16 classes in each label map, more than any data set has on average."""
    for trial in plan(load_study(ROOT / "bench.yaml"), suite, profile):
        images = trial.dataset_options["test"] if trial.kind == "training" else 0
        most_rows.check_rows(trial, [16] * images, preflight.num_classes_of(trial))


# --- weights


def test_weights_are_found_verified_and_fitted_before_the_data_are_read(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    results = tmp_path / "results"
    missing = {"name": "vgg16_imagenet", "file": None, "sha256": "397923af"}
    line = line_of([tiny(), tiny(model="segnet", pretrained=missing)], results)
    assert line.startswith("no weights vgg16_imagenet: looked for '")
    assert "`bench data fetch vgg16_imagenet`" in line
    weights = write(tmp_path / "features.pth", empty(part="features"))
    line = line_of([tiny(model="segnet", pretrained=weights | {"sha256": "0" * 64})], results)
    assert f"features.pth': its SHA-256 begins with {weights['sha256']}" in line
    trials = [tiny(model=model, pretrained=weights) for model in ("segnet", "deconvnet", "fcn")]
    assert "features.pth': layer 'classifier.0.weight' is missing" in line_of(trials, results)
    with pytest.raises(AssertionError, match="the data were read"):
        preflight.check(trials[:2], "cpu", 1, results)


# --- data


def test_weights_that_nobody_published_are_named(tmp_path):
    line = line_of([tiny(weighting="median_frequency_official")], tmp_path)
    assert line.startswith("weighting median_frequency_official: the authors published weights for CamVid only")


def test_published_weights_of_another_number_of_classes(tmp_path, monkeypatch):
    entry = replace(preflight.dataset_of("road_scenes", {}), official_weights=np.ones(12))
    monkeypatch.setattr(preflight, "dataset_of", lambda name, options: entry)
    line = line_of([tiny(weighting="median_frequency_official")], tmp_path)
    assert "there are 12 published weights, but road_scenes has 11 classes" in line


@pytest.mark.parametrize(("label", "fits"), [(10, True), (255, True), (11, False), (254, False)])
def test_a_label_of_no_class_is_named_with_its_image(tmp_path, monkeypatch, label, fits):
    labels = np.zeros((2, 32, 40), np.uint8)
    labels[1, 3, 4] = label
    split = Split(np.zeros((2, 32, 40, 3), np.uint8), labels, ("a", "b"), tuple("12345678901"), "")
    monkeypatch.setattr(preflight, "load_trial_split", lambda trial, name: split)
    if fits:
        preflight.check([tiny()], "cpu", 1, tmp_path)
        return
    with pytest.raises(DataError, match=f"split train, image b: has label {label}, but the 11 classes are 0 to 10; "):
        preflight.check([tiny()], "cpu", 1, tmp_path)
