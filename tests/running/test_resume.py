"""Checkpoints: the same bits after an interruption, and nothing that is damaged or foreign is believed."""

import hashlib
import json
import os
import pickle
from dataclasses import replace

import pytest
import torch
from results_factory import trials
from single_rows import single_rows
from torch import nn

from bench.errors import ConfigError, DivergedError, ResultsError
from bench.results.store import load_results, path_of
from bench.running.checkpoints import Checkpoints, check_resumable, checkpoints_of
from bench.running.control import Control, Interrupted, Notice
from bench.running.device import decides_bits
from bench.running.record import run_and_record
from bench.running.training_trial import run_training
from bench.training import loop
from bench.training.loop import training_step
from models import MODELS

CPU = torch.device("cpu")
HERE = decides_bits(CPU, 1)
FCN_BASIC = MODELS["fcn_basic"]


class WithDropout(nn.Module):
    """FCN-Basic behind a dropout: no model of the paper's Table 1 has one, the promise is for all that will."""

    ENCODER_INFORMATION = FCN_BASIC.ENCODER_INFORMATION

    def __init__(self, num_classes):
        super().__init__()
        self.dropout = nn.Dropout2d(0.3)
        self.network = FCN_BASIC(num_classes)

    def forward(self, images):
        return self.network(self.dropout(images))


def tiny(**changes):
    one = trials(models=["fcn_basic"], weightings=["median_frequency"])[0]
    small = {
        "dataset_options": {"train": 6, "val": 2, "test": 3, "seed": 5},
        "height": 32,
        "width": 40,
        "batch_size": 2,
        "iterations": 8,
        "validate_every": 4,
        "checkpoint_every": 3,
        "determinism": "strict",
        "panels": 0,
    }
    return replace(one, **(small | changes))


class Asking(Control):
    """Asks for something once so many steps are done, and keeps the notices."""

    def __init__(self, after=None, what="stop"):
        super().__init__()
        self.after, self.what, self.notices = after, what, []

    def step_done(self):
        if self.after is not None:
            self.after -= 1
            if self.after == 0:
                setattr(self, self.what, True)

    def report(self, message):
        if isinstance(message, Notice):
            self.notices.append(message.text)


def run(trial, folder, control=None, here=HERE):
    control = control or Asking()

    def step(*args, **keywords):
        loss = training_step(*args, **keywords)
        control.step_done()
        return loss

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "training_step", step)
        return run_training(trial, CPU, control.report, control, checkpoints_of(folder, trial, here))


def timeless(rows):
    return repr([row for row in single_rows(rows.rows) if row["metric"] != "images_per_s"])


def weights_digest(folder, trial):
    """SHA-256 over the trained weights and the momentum of the newest checkpoint."""
    state, problems = checkpoints_of(folder, trial, HERE).newest()
    assert not problems
    sha = hashlib.sha256()
    for tensor in state["training"]["model"].values():
        sha.update(tensor.numpy().tobytes())
    for entry in state["training"]["optimizer"]["state"].values():
        sha.update(entry["momentum_buffer"].numpy().tobytes())
    return sha.hexdigest()


@pytest.mark.parametrize("model", [*list(MODELS)[:8], "dropout"])  # the others are large
def test_strict_training_gives_the_same_bits_interrupted_or_not(tmp_path, monkeypatch, model):
    if model == "dropout":
        monkeypatch.setitem(MODELS, "fcn_basic", WithDropout)
        model = "fcn_basic"
    trial = tiny(model=model)
    undisturbed = run(trial, tmp_path / "a")
    assert torch.are_deterministic_algorithms_enabled()
    with pytest.raises(Interrupted, match="stopped at iteration 3 of 8"):  # where a checkpoint is due
        run(trial, tmp_path / "b", Asking(after=3))
    with pytest.raises(Interrupted, match="stopped at iteration 5 of 8"):  # between two
        run(trial, tmp_path / "b", Asking(after=2))
    control = Asking()
    resumed = run(trial, tmp_path / "b", control)
    assert control.notices == ["goes on from iteration 5 of 8"]
    assert resumed.history.resumptions == ["3", "5"]
    assert timeless(resumed) == timeless(undisturbed)
    assert weights_digest(tmp_path / "a", trial) == weights_digest(tmp_path / "b", trial)


@pytest.fixture
def stopped(tmp_path):
    """A training with checkpoints at iterations 3 and 5."""
    with pytest.raises(Interrupted):
        run(tiny(), tmp_path, Asking(after=5))
    return checkpoints_of(tmp_path, tiny(), HERE)


def test_two_checkpoints_are_kept_and_they_go_when_the_results_are_stored(tmp_path):
    with pytest.raises(Interrupted):
        run(tiny(), tmp_path, Asking(after=7))
    found = checkpoints_of(tmp_path, tiny(), HERE)
    assert [path.name for path in found.files()] == ["00000007.checkpoint", "00000006.checkpoint"]
    run_and_record(tiny(), "cpu", 1, tmp_path, Asking().report)
    assert list((tmp_path / "_checkpoints").iterdir()) == []
    rows = load_results(tmp_path).rows
    assert set(rows["resumptions"]) == {"7"}
    assert set(rows["determinism"]) == {"strict"}
    assert (rows["duration_s"] > 0).all()


def test_a_checkpoint_on_request_does_not_end_the_training(tmp_path):
    finished = run(tiny(), tmp_path, Asking(after=4, what="checkpoint"))
    assert finished.selected_iteration
    assert [path.stem for path in checkpoints_of(tmp_path, tiny(), HERE).files()] == ["00000008", "00000006"]


def damage_middle(path):
    content = bytearray(path.read_bytes())
    content[-len(content) // 3] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        damage_middle,
        lambda path: path.write_bytes(path.read_bytes()[:-100]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"[]\n"),
        lambda path: path.write_bytes(b"\x80\x04not json\n"),
        lambda path: path.write_bytes(path.read_bytes().replace(b'"format": 1', b'"format": 9', 1)),
    ],
)
def test_a_damaged_newest_checkpoint_is_named_and_the_one_before_is_used(tmp_path, stopped, damage):
    damage(stopped.files()[0])
    control = Asking()
    resumed = run(tiny(), tmp_path, control)
    assert "00000005.checkpoint' is damaged and left out" in control.notices[0]
    assert control.notices[1] == "goes on from iteration 3 of 8"
    assert timeless(resumed) == timeless(run(tiny(), tmp_path / "undisturbed"))


def test_without_a_whole_checkpoint_it_starts_afresh_and_says_so(tmp_path, stopped):
    for path in stopped.files():
        path.write_bytes(b"")
    control = Asking()
    run(tiny(), tmp_path, control)
    assert control.notices[-1] == "no whole checkpoint is left; the training starts afresh"


def test_damaged_checkpoints_do_not_push_out_new_ones(tmp_path, stopped):
    for path in stopped.files():
        path.write_bytes(b"")
    with pytest.raises(Interrupted):
        run(tiny(), tmp_path, Asking(after=2))
    assert [path.stem for path in stopped.files()] == ["00000002"]
    control = Asking()
    run(tiny(), tmp_path, control)
    assert control.notices == ["goes on from iteration 2 of 8"]


def test_a_training_that_starts_afresh_names_the_unfinished_one_of_another_configuration(tmp_path, stopped):
    control = Asking()
    run(tiny(lr=0.05), tmp_path, control)
    (line,) = control.notices
    assert "different: lr 0.1, now 0.05; it is left where it is" in line
    assert [path.stem for path in stopped.files()] == ["00000005", "00000003"]


def test_a_checkpoint_cannot_run_code(tmp_path, stopped):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "owned"),)

    for path in stopped.files():
        header = json.loads(path.read_bytes().split(b"\n", 1)[0])
        payload = pickle.dumps(Evil(), protocol=2)
        header["sha256"] = hashlib.sha256(payload).hexdigest()
        path.write_bytes(json.dumps(header).encode() + b"\n" + payload)
    state, problems = stopped.newest()
    assert state is None
    assert len(problems) == 2
    assert not (tmp_path / "owned").exists()


def test_a_checkpoint_of_another_configuration_is_refused_by_name(tmp_path, stopped):
    other = tiny(lr=0.05, batch_size=3)
    foreign = Checkpoints(stopped.folder, other, HERE)
    with pytest.raises(ResultsError, match=r"different: batch_size 2, now 3, lr 0\.1, now 0\.05; it is left where"):
        foreign.newest()


def test_strict_determinism_does_not_go_on_under_other_conditions(tmp_path, stopped):
    elsewhere = HERE | {"threads": 2}
    match = r"written under other conditions: threads 1, now 2; strict determinism goes on only under the same"
    with pytest.raises(ConfigError, match=match):
        check_resumable(tmp_path, tiny(), elsewhere)
    with pytest.raises(ConfigError, match=match):
        run(tiny(), tmp_path, here=elsewhere)
    check_resumable(tmp_path, tiny(), HERE)


def test_seeded_determinism_goes_on_elsewhere_and_keeps_a_note(tmp_path):
    trial = tiny(determinism="seeded")
    with pytest.raises(Interrupted):
        run(trial, tmp_path, Asking(after=5))
    resumed = run(trial, tmp_path, here=HERE | {"threads": 2})
    assert resumed.history.resumptions == ["5 (threads 1, now 2)"]


def test_a_diverged_training_leaves_no_checkpoint_to_go_on_from(tmp_path):
    with pytest.raises(DivergedError):
        run_and_record(tiny(lr=1e30, iterations=40, checkpoint_every=1), "cpu", 1, tmp_path, Asking().report)
    assert list((tmp_path / "_checkpoints").iterdir()) == []
    assert not path_of(tmp_path, tiny()).exists()
