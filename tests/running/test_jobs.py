"""How many trainings at once: what memory holds, and what a measurement finds worth it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from test_trial import tiny
from torch import nn
from torch.autograd.graph import saved_tensors_hooks

from bench.errors import BenchError, ConfigError
from bench.evaluation.predict import PIXELS_AT_ONCE
from bench.running import jobs as module
from bench.running import memory, throughput
from bench.running.inputs import build_model, num_classes_of
from bench.running.jobs import check_memory, choose
from bench.running.memory import free_memory_mib, training_memory_mib
from bench.running.throughput import images_per_s
from bench.training.loss import segmentation_loss
from models import MODELS

CPU, GPU = torch.device("cpu"), torch.device("cuda")
MANY = [tiny(seed=seed) for seed in range(20)]


@pytest.fixture(autouse=True)
def a_training_needs_100_mib(monkeypatch):
    monkeypatch.setattr(module, "training_memory_mib", lambda trial, device: 100.0)


def measured(**speeds):
    """A measurement that finds these images per second, by number at once."""
    found = {int(name[1:]): speed for name, speed in speeds.items()}

    def measure(trial, device, threads, number):
        if isinstance(found[number], Exception):
            raise found[number]
        return found[number]

    return measure


@pytest.mark.parametrize(
    ("speeds", "chosen"),
    [
        ({"n1": 10, "n2": 10.9}, 1),  # 9 % more are not worth it
        ({"n1": 10, "n2": 11, "n3": 12}, 2),  # 10 % are
        ({"n1": 10, "n2": 19, "n3": 25, "n4": 30, "n6": 40, "n8": 50}, 8),
        ({"n1": 10, "n2": 19, "n3": 25, "n4": 26}, 3),  # the first that is not worth it is the last that is measured
    ],
)
def test_as_many_as_gain_a_tenth_over_the_choice_before(speeds, chosen):
    found = choose(MANY, GPU, 8, 10_000.0, measured(**speeds))
    assert found.number == chosen
    assert found.line.startswith(f"--jobs auto: {chosen}, images/s of fcn_basic by number at once: 1: 10.0, 2: ")


FASTER = {"n1": 1, "n2": 2, "n3": 3, "n4": 4, "n6": 6, "n8": 8}


@pytest.mark.parametrize(
    ("free_mib", "chosen", "reason"),
    [
        (500.0, 4, "; no more fit into 500 MiB, one needs 100"),  # four fifths of them are 400
        (499.0, 3, "; no more fit into 499 MiB, one needs 100"),
        (None, 8, "; how much memory is free is not known here"),
        (10_000.0, 8, "6: 6.0, 8: 8.0"),
    ],
)
def test_no_more_than_memory_holds(free_mib, chosen, reason):
    found = choose(MANY, GPU, 1, free_mib, measured(**FASTER))
    assert found.number == chosen
    assert found.line.endswith(reason)


def test_where_memory_holds_one_alone_nothing_is_measured():
    assert choose(MANY, CPU, 8, 200.0, measured()) == (
        1,
        "--jobs auto: 1, fcn_basic needs 100 MiB, and 200 MiB are free",
    )


def test_no_more_than_threads_on_a_cpu_and_no_more_than_trainings():
    assert choose(MANY, CPU, 3, None, measured(**FASTER)).number == 3
    assert choose(MANY[:2], GPU, 3, None, measured(**FASTER)).number == 2
    assert choose(MANY, CPU, 1, None, measured()) == (1, "--jobs auto: 1, there is one training or one thread")
    assert choose([replace(MANY[0], kind="cost")], CPU, 8, None, measured()) == (1, "")


def test_a_number_that_fails_is_not_taken_and_named():
    failing = measured(n1=1, n2=2, n3=BenchError("OutOfMemoryError: CUDA out of memory."))
    found = choose(MANY, GPU, 8, None, failing)
    assert found.number == 2
    assert found.line.endswith("; 3 at once failed: OutOfMemoryError: CUDA out of memory.")
    with pytest.raises(BenchError, match="--jobs auto: a training step of fcn_basic cannot be measured: it was killed"):
        choose(MANY, GPU, 8, None, measured(n1=BenchError("it was killed")))


def test_too_little_memory_is_said_before_the_first_training():
    line = "--jobs 8: 8 trainings of fcn_basic at once need at least 800 MiB, but 790 MiB are free; use --jobs 7"
    with pytest.raises(ConfigError, match=line):
        check_memory(MANY, 8, CPU, 790.0)
    check_memory(MANY, 7, CPU, 790.0)
    check_memory(MANY[:7], 8, CPU, 790.0)  # there are no more
    check_memory(MANY, 8, CPU, None)


@pytest.mark.parametrize("model", ["fcn_basic", "segnet_basic"])
def test_memory_from_shapes_is_that_of_a_real_step(model, monkeypatch):
    monkeypatch.setitem(PIXELS_AT_ONCE, "cpu", 32 * 40)  # evaluation needs less then
    trial = tiny(model=model, channels_last=False)
    network = build_model(trial, num_classes_of(trial), CPU).train()
    weights = {parameter.data_ptr() for parameter in network.parameters()}
    kept = {}

    def remember(tensor):
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage
        return tensor

    with saved_tensors_hooks(remember, lambda tensor: tensor):
        logits = network(torch.randn(2, 3, 32, 40))
        segmentation_loss(logits, torch.zeros(2, 32, 40, dtype=torch.long), torch.ones(logits.shape[1]))
    real = sum(storage.nbytes() for at, storage in kept.items() if at not in weights)
    learnt = (
        4 * 5 * sum(parameter.numel() for parameter in network.parameters())
    )  # with gradients, momentum and two copies
    data = 11 * 32 * 40 * 16  # images of fp32 and uint8, and labels
    expected = (real + learnt + data) / 2**20 + memory.PROCESS_MIB["cpu"]
    assert training_memory_mib(trial, CPU) == pytest.approx(expected, rel=0.01)


def two_layers(classes):
    return nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, classes, 1))


@pytest.mark.parametrize(("precision", "bytes_each"), [("fp32", 4), ("bf16", 2)])
def test_on_a_gpu_evaluation_may_need_more_than_a_step(precision, bytes_each, monkeypatch):
    monkeypatch.setitem(MODELS, "fcn_basic", two_layers)
    monkeypatch.setattr(memory, "fits", lambda device, size: False)  # images stay outside
    splits = {"train": 30, "val": 20, "test": 40, "seed": 5}
    trial = tiny(precision=precision, channels_last=False, dataset_options=splits, batch_size=4)
    pixels, classes = 32 * 40, num_classes_of(trial)
    learnt = 4 * 5 * (16 * 28 + classes * 17)

    def on_top(device):
        return (training_memory_mib(trial, device) - memory.PROCESS_MIB[device.type]) * 2**20 - learnt

    def evaluation(images, logits):
        """What two layers take: an fp32 batch, 16 channels before and after the ReLU, the logits of the batch before,
        and the label maps of the longest split."""
        return pixels * (images * (3 * 4 + (16 + 16 + logits) * bytes_each) + 40)

    # a GPU takes all 40 images at once, and holds the labels of the training images
    assert on_top(GPU) == evaluation(40, 0) + 30 * pixels
    monkeypatch.setitem(PIXELS_AT_ONCE, "cuda", 16 * pixels)
    assert on_top(GPU) == evaluation(16, classes) + 30 * pixels
    monkeypatch.setitem(PIXELS_AT_ONCE, "cuda", pixels)  # a step on four takes more than evaluation of one
    assert on_top(GPU) > evaluation(1, classes) + 30 * pixels


def test_on_a_gpu_images_that_fit_and_labels_are_resident(monkeypatch):
    pixels = 32 * 40
    monkeypatch.setattr(memory, "fits", lambda device, size: True)
    everything = training_memory_mib(tiny(), GPU)
    monkeypatch.setattr(memory, "fits", lambda device, size: size < 6 * 3 * 4 * pixels)  # all but those of training
    assert (everything - training_memory_mib(tiny(), GPU)) * 2**20 == pytest.approx(6 * 3 * 4 * pixels)


def test_free_memory_is_what_the_system_says_and_the_group_leaves(tmp_path, monkeypatch):
    (tmp_path / "meminfo").write_text("MemTotal: 8000000 kB\nMemAvailable: 2097152 kB\n")
    (tmp_path / "cgroup").write_text("0::/job\n")
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "OUR_GROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(memory, "GROUPS", tmp_path)
    assert free_memory_mib(CPU) == 2048
    for name, text in {
        "max": 600 * 2**20,
        "current": 500 * 2**20,
        "stat": f"anon 1\ninactive_file {50 * 2**20}",
    }.items():
        (tmp_path / f"memory.{name}").write_text(f"{text}\n")
    assert free_memory_mib(CPU) == 150
    (tmp_path / "memory.max").write_text("max\n")
    assert free_memory_mib(CPU) == 2048
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "elsewhere")
    assert free_memory_mib(CPU) is None


def test_real_processes_train_and_say_why_they_cannot(monkeypatch):
    monkeypatch.setattr("bench.running.throughput.MEASURED_S", 0.2)
    assert images_per_s(tiny(), CPU, 2, 2) > 0
    with pytest.raises(BenchError, match="^ValueError: DeconvNet cannot be trained on a batch of one image"):
        images_per_s(tiny(model="deconvnet", batch_size=1), CPU, 1, 1)


def test_a_gpu_is_waited_for_once_a_window_and_a_cpu_after_every_step():
    assert throughput.steps_in_a_window(0.01, GPU) == 20
    assert throughput.steps_in_a_window(3.0, GPU) == throughput.steps_in_a_window(0.01, CPU) == 1


@pytest.mark.parametrize(("device", "between_waits"), [("cuda", {20}), ("cpu", {1})])
def test_only_whole_windows_are_counted(device, between_waits, monkeypatch):
    clock, waits, taken, said = [0.0], [], [], []

    def take():
        clock[0] += 0.01
        taken.append(clock[0])

    class Pipe:
        send = staticmethod(said.append)
        recv = staticmethod(lambda: 1.05)  # seconds

    monkeypatch.setattr(throughput, "step_of", lambda trial, device: throughput.Step(take, 12))
    monkeypatch.setattr(throughput, "settle", lambda device: waits.append(len(taken)))
    monkeypatch.setattr(throughput.time, "perf_counter", lambda: clock[0])
    throughput._train(tiny(), device, torch.get_num_threads(), Pipe)
    warm_up = throughput.WARM_UP_STEPS
    assert set(np.diff([at for at in waits if at >= warm_up])) - {0} == between_waits
    assert said == [0.0, pytest.approx(12 / 0.01)]
    assert waits[-1] == len(taken)
