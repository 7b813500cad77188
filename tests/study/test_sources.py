"""The files behind a trial's numbers are traced without importing them, and nothing else changes a digest."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.study import sources
from bench.study.catalog import DATASET_TITLES, MODEL_TITLES
from bench.study.sources import ROOT, digest_of, sources_of

EVERY = [(kind, model, dataset) for kind in sources.STARTS for model in MODEL_TITLES for dataset in DATASET_TITLES]
TRAINING = ("training", "segnet_basic", "camvid")
COST = ("cost", "segnet_basic", "camvid")

Project = Callable[..., Path]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Copies the project and changes some of its files; every copy is new, because a file is read once per process."""

    def copied(**changes: Callable[[str], str]) -> Path:
        root = tmp_path / str(len(list(tmp_path.iterdir())))
        for folder in ("bench", "models"):
            shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
        for name, change in changes.items():
            path = root / f"{name.replace('__in__', '/')}.py"
            path.write_text(change(path.read_text() if path.exists() else ""))
        return root

    return copied


def all_of(root: Path) -> dict[tuple[str, str, str], dict[str, str]]:
    return {trial: sources_of(*trial, root) for trial in EVERY}


def changed(root: Path) -> set[tuple[str, str, str]]:
    before, after = all_of(ROOT), all_of(root)
    return {trial for trial in EVERY if before[trial] != after[trial]}


def with_constant(text: str) -> str:
    return f"{text}\nADDED = 1\n"


def test_a_trial_has_the_files_that_compute_its_numbers_and_no_others() -> None:
    training, cost = sources_of(*TRAINING), sources_of(*COST)
    for path in (
        "bench/running/training_trial.py",
        "bench/running/inputs.py",
        "bench/running/device.py",
        "models/segnet_basic.py",
        "models/blocks.py",
        "bench/data/camvid.py",
        "bench/data/split.py",
        "bench/data/class_weights.py",
        "bench/training/loop.py",
        "bench/training/loss.py",
        "bench/evaluation/confusion.py",
        "bench/evaluation/matching.py",
    ):
        assert path in training
    assert {"bench/running/cost_trial.py", "bench/profiling/timing.py", "bench/training/loop.py"} <= set(cost)
    for path in {*training, *cost}:
        assert path.startswith((*(f"{room}/" for room in sources.ROOMS), "bench/running/")), path
        assert not path.endswith("__init__.py")
    assert "models/fcn_basic.py" not in training
    assert "bench/data/road_scenes.py" not in training
    assert not any(path.startswith("bench/profiling/") for path in training)
    assert not any(path.startswith("bench/evaluation/boundary") for path in cost)
    assert list(training) == sorted(training)
    assert all(len(digest) == 8 and int(digest, 16) >= 0 for digest in training.values())


@pytest.mark.parametrize("kind", sources.STARTS)
def test_everything_that_a_trial_loads_is_traced(kind: str) -> None:
    """What `bench.data` brings along besides, a cache and the downloads, changes no number."""
    code = f"import sys, bench.running.{kind}_trial; print(*sys.modules)"
    words = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = {f"{name.replace('.', '/')}.py" for name in words.split()}
    loaded = {path for path in files if path.startswith(sources._BELOW) and (ROOT / path).is_file()}
    traced = {path for trial in EVERY if trial[0] == kind for path in sources_of(*trial, parts=sources.PARTS)}
    apart = {"bench/data/cache.py", "bench/data/download.py", "bench/data/archive.py", "bench/data/pretrained.py"}
    apart |= {"bench/data/class_weights.py"} if kind == "cost" else set()
    of_rows = "bench/evaluation/" if kind == "cost" else "bench/profiling/"  # which the other kind needs
    untraced = {path for path in loaded - traced - apart if not path.startswith(of_rows)}
    assert "bench/training/loop.py" in loaded
    assert untraced == set()


def test_what_rows_compute_is_traced_although_their_layout_is_not() -> None:
    tree = sources._read("bench/running/rows.py", ROOT)
    evaluation = {path for path in tree.imports.values() if path.startswith("bench/evaluation/")}
    assert evaluation
    assert evaluation <= set(sources_of(*TRAINING))
    assert "bench/running/rows.py" not in sources_of(*TRAINING)


def test_another_model_or_data_set_changes_no_trial(project: Project) -> None:
    root = project(
        models__in__newer=lambda text: "class Newer:\n    pass\n",
        models__in____init__=lambda text: text.replace(
            "from models.blocks", "from models.newer import Newer\nfrom models.blocks"
        ).replace('    "segnet_basic": SegNetBasic,', '    "newer": Newer,\n    "segnet_basic": SegNetBasic,'),
        bench__in__data__in__newer=lambda text: "CLASS_NAMES = ()\n",
        bench__in__data__in____init__=lambda text: f"from bench.data import newer\n{text}\nDATASETS['newer'] = newer\n",
    )
    assert changed(root) == set()
    assert "models/newer.py" in sources_of("training", "newer", "newer", root)
    assert "bench/data/newer.py" in sources_of("training", "newer", "newer", root)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: f"# a comment\n{text}",
        lambda text: text.replace('"""', '"""Otherwise. ', 1),
        lambda text: text.replace('    """', '    """Otherwise. ', 1),
        lambda text: text.replace("\n\n\n", "\n\n\n\n\n"),
        lambda text: re.sub(r"return ([^(\n]+\(.*\))$", r"return (\n        \1\n    )", text, flags=re.MULTILINE),
        lambda text: f"{text}\n'''No docstring, and of no effect.'''\n",
    ],
    ids=["comment", "module", "function", "blank lines", "brackets", "text"],
)
def test_comments_docstrings_and_layout_do_not_count(project: Project, change: Callable[[str], str]) -> None:
    assert change((ROOT / "models/blocks.py").read_text()) != (ROOT / "models/blocks.py").read_text()
    assert changed(project(models__in__blocks=change)) == set()


def test_what_an_error_says_does_not_count_but_when_it_is_raised_does(project: Project) -> None:
    said = project(bench__in__training__in__loop=lambda text: text.replace("the training loss became", "the loss is"))
    assert sources_of(*TRAINING, said) == sources_of(*TRAINING)
    raised = project(bench__in__training__in__loop=lambda text: text.replace("if loss != loss or", "if"))
    assert sources_of(*TRAINING, raised) != sources_of(*TRAINING)


def test_a_constant_counts_and_only_its_file_differs(project: Project) -> None:
    root = project(
        bench__in__training__in__order=lambda text: text.replace('seed, "order", epoch', 'seed, "other", epoch')
    )
    before, after = sources_of(*TRAINING), sources_of(*TRAINING, root)
    assert [path for path in before if before[path] != after[path]] == ["bench/training/order.py"]
    assert digest_of(before) != digest_of(after)


@pytest.mark.parametrize(
    ("name", "touched"),
    [
        ("models/blocks", lambda kind, model, dataset: True),
        ("models/segnet_basic", lambda kind, model, dataset: model.startswith("segnet_basic")),
        ("bench/data/class_weights", lambda kind, model, dataset: kind == "training"),
        ("bench/data/road_scenes_objects", lambda kind, model, dataset: dataset == "road_scenes"),
        ("bench/data/camvid_classes", lambda kind, model, dataset: dataset != "indoor_scenes"),
        # it also says where data lie
        ("bench/data/camvid", lambda kind, model, dataset: dataset not in ("road_scenes", "indoor_scenes")),
        ("bench/data/split", lambda kind, model, dataset: True),
        ("bench/training/bn_statistics", lambda kind, model, dataset: kind == "training"),
        ("bench/evaluation/matching", lambda kind, model, dataset: kind == "training"),
        ("bench/profiling/memory", lambda kind, model, dataset: kind == "cost"),
        ("bench/running/device", lambda kind, model, dataset: True),
        ("bench/running/cost_trial", lambda kind, model, dataset: kind == "cost"),
        *(
            (name, lambda kind, model, dataset: False)
            for name in (
                "models/__init__", "bench/data/__init__", "bench/data/cache", "bench/data/download",
                "bench/running/rows", "bench/running/suite", "bench/results/store", "bench/replication/scores",
                "bench/reporting/pages/suite_page", "bench/cli/training", "bench/study/config", "bench/errors",
            )
        ),
    ],
)  # fmt: skip
def test_which_trials_a_file_counts_for(project: Project, name: str, touched: Callable[[str, str, str], bool]) -> None:
    root = project(**{name.replace("/", "__in__"): with_constant})
    assert changed(root) == {trial for trial in EVERY if touched(*trial)}


def test_every_way_to_import_is_followed(project: Project) -> None:
    """Inside a function, under another name, a whole module, and what a package passes on."""
    importing = """
import bench.data.first
def late():
    from bench.data import second as other
    from bench.data.third import something as renamed
    from bench.data import passed_on
    from bench.study.config import load_study
    import torch, os.path
"""
    files = ("first", "second", "third", "fourth")
    root = project(
        bench__in__training__in__order=lambda text: text + importing,
        bench__in__data__in____init__=lambda text: f"{text}\nfrom bench.data.fourth import passed_on\n",
        **{f"bench__in__data__in__{name}": with_constant for name in files},
    )
    found = set(sources_of(*TRAINING, root)) - set(sources_of(*TRAINING))
    assert found == {f"bench/data/{name}.py" for name in files}


def test_a_digest_is_the_same_under_every_version_of_python(tmp_path: Path) -> None:
    """Pinned, with what is written down differently from version to version: f-strings, type hints, matching."""
    text = '''
"""Docstring."""
import os
A: dict[str, int | None] = {"a": 1, **{"b": None}}
def f(x, /, y=1.5, *rest: int, z=1e-3, **more) -> str:
    """Docstring."""
    if (n := len(x)) > 2 and not y:
        return f"{n!r:>{y}} and {x['key']}" "é"
    match x:
        case {"a": [1, *_]} | None:
            return u"u"
        case _:
            pass
    async def g(): return [i async for i in x if i is not ...]
    return lambda q: (yield), 1j, -1, True
'''
    (tmp_path / "a.py").write_text(text)
    assert sources._read("a.py", tmp_path).digest == "9ab1aa18"


def test_a_file_is_read_once_per_process(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project()
    read: list[Path] = []
    real = Path.read_text
    monkeypatch.setattr(Path, "read_text", lambda path, **options: read.append(path) or real(path, **options))
    all_of(root)
    first = len(read)
    all_of(root)
    assert len(read) == first == len(set(read))


def test_the_answer_may_be_changed_without_harm() -> None:
    sources_of(*TRAINING).clear()
    assert sources_of(*TRAINING)


def write_latin_1(path: Path) -> None:
    path.write_bytes(b"A = '\xe9'\n")


def write_half(path: Path) -> None:
    path.write_text("def f(:\n")


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (Path.unlink, "No such file or directory"),
        (write_latin_1, "'utf-8' codec can't decode byte 0xe9"),
        (write_half, "invalid syntax"),
    ],
)
def test_a_source_that_cannot_be_read_is_named_in_one_line(
    project: Project, harm: Callable[[Path], None], reason: str
) -> None:
    root = project()
    path = root / "bench" / "running" / "inputs.py"
    harm(path)
    with pytest.raises(BenchError) as caught:
        sources_of(*TRAINING, root)
    assert f"source file '{path}' cannot be read: {reason}" in str(caught.value)
    assert "install bench together with its source files" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_model_that_is_not_registered_is_named() -> None:
    with pytest.raises(BenchError, match=r"model 'newer' is not in '.*models/__init__\.py'; add it to MODELS there"):
        sources_of("training", "newer", "camvid")


def test_an_installed_copy_gives_the_same_digests_and_imports_no_torch(project: Project) -> None:
    """As from a wheel: no checkout around it, another folder, another working directory."""
    root = project()
    code = (
        "import sys; from bench.study.sources import ROOT, digest_of, sources_of\n"
        f"assert str(ROOT) == {str(root)!r}, ROOT\n"
        f"print(digest_of(sources_of(*{TRAINING!r})))\n"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root.parent,
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == digest_of(sources_of(*TRAINING)), done.stderr
