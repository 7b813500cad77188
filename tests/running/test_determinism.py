"""Strict determinism across processes: the same weights to the last bit, twice, and interrupted or not."""

import json
import os
import subprocess
import sys

import pytest

PROGRAM = """
import hashlib, json, sys
from dataclasses import replace
from pathlib import Path
import torch
sys.path[:0] = ["tests", "tests/running"]
from single_rows import single_rows
from test_resume import CPU, HERE, MODELS, Asking, WithDropout, run, tiny
from bench.running.checkpoints import checkpoints_of
from bench.running.control import Interrupted

torch.set_num_threads(1)
folder, stop_after = Path(sys.argv[1]), int(sys.argv[2]) or None
digests = {}
for name in ("segnet_basic", "fcn_basic", "dropout"):
    if name == "dropout":
        MODELS["fcn_basic"] = WithDropout
    trial = tiny(model="fcn_basic" if name == "dropout" else name)
    try:
        rows = run(trial, folder / name, Asking(after=stop_after))
    except Interrupted:
        continue
    state, problems = checkpoints_of(folder / name, trial, HERE).newest()
    sha = hashlib.sha256()
    for key, tensor in sorted(state["training"]["model"].items()):
        sha.update(key.encode() + tensor.numpy().tobytes())
    values = [row for row in single_rows(rows.rows) if row["metric"] != "images_per_s"]
    digests[name] = [sha.hexdigest(), hashlib.sha256(repr(values).encode()).hexdigest(), rows.history.resumptions]
print(json.dumps(digests))
"""


def start(folder, stop_after=0, hash_seed="0"):
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "BENCH_DATA": str(folder / "data")}
    arguments = [sys.executable, "-c", PROGRAM, str(folder), str(stop_after)]
    return subprocess.Popen(arguments, env=environment, stdout=subprocess.PIPE, text=True)


def digests(process):
    out, _ = process.communicate(timeout=200)
    assert process.returncode == 0
    return json.loads(out)


@pytest.mark.timeout(300)
def test_weights_and_values_are_the_same_in_every_process_interrupted_or_not(tmp_path):
    once, twice = start(tmp_path / "a"), start(tmp_path / "b", hash_seed="17")
    stopped = start(tmp_path / "c", stop_after=5)
    first, second = digests(once), digests(twice)
    assert digests(stopped) == {}
    resumed = digests(start(tmp_path / "c", hash_seed="5"))
    assert list(first) == ["segnet_basic", "fcn_basic", "dropout"]  # unpooling, transposed convolution, dropout
    assert second == first
    assert len({weights for weights, _, _ in first.values()}) == 3
    for name, (weights, values, resumptions) in resumed.items():
        assert [weights, values] == first[name][:2], name
        assert resumptions == ["5"]
