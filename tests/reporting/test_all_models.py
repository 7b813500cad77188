from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.axes import Axes
from results_factory import trials, write

from bench.reporting.comparisons.all_models import AllModels, all_models
from bench.reporting.comparisons.suite_results import suite_results
from bench.reporting.figures.all_models import all_models_figure, all_models_group
from bench.reporting.pages.report_source import ReportSource
from bench.reporting.pages.suite_page import write_report
from bench.results.store import load_results
from bench.study.config import Study

SUITES = ("road-scenes", "cost")
GPU, CPU = "device_process, batch 1, 60x80", "resident_set, batch 1, 60x80"
Costs = dict[tuple[str, str], float]


def costs_of(number: int, memory: str = GPU) -> Costs:
    return {
        ("forward_ms", "median"): 10.0 * number,
        ("forward_ms", "table-6"): 99.0,
        ("inference_peak_mib", CPU): 7777.0,
        ("inference_peak_mib", memory): 100.0 * number,
        ("model_size_mb", ""): 50.0 * number,
    }


@pytest.fixture
def build(tmp_path: Path, study: Study) -> Callable[..., tuple[pd.DataFrame, list[AllModels]]]:
    """Stores the costs of SegNet (1), DeepLab-LargeFOV (2), DeconvNet (3) and U-Net, and trainings of road-scenes."""

    def built(
        memory: str = GPU, changes: dict[str, dict[str, str]] | None = None
    ) -> tuple[pd.DataFrame, list[AllModels]]:
        measured = {"segnet": 1, "deeplab_largefov": 2, "deconvnet": 3, "u_net": 4}
        for trial in trials(suite="cost"):
            if trial.model in measured:
                changed = (changes or {}).get(trial.model, {})
                write(tmp_path, trial, costs=costs_of(measured[trial.model], memory), **changed)
        for number, trial in enumerate(trials(suite="road-scenes")):
            if trial.model != "fcn":
                write(tmp_path, trial, value=0.3 + 0.1 * number)
        rows = load_results(tmp_path).rows
        return rows, all_models([suite_results(rows, study, suite, "smoke") for suite in SUITES], "cost")

    return built


def points(axes: Axes, hollow: bool) -> dict[str, tuple[float, float]]:
    """The coordinates of the points by the number in them."""
    places = {text.xy: text.get_text() for text in axes.texts}  # type: ignore[attr-defined]
    found = {}
    for line in axes.lines:
        ((x, y),) = line.get_xydata().tolist()
        place = (float(x), float(y))
        if (line.get_markerfacecolor() == "white") == hollow:
            found[places[place]] = place
    return found


def test_costs_of_one_suite_meet_scores_of_another(build: Callable[..., tuple[pd.DataFrame, list[AllModels]]]) -> None:
    _, (data,) = build()
    assert data.dataset == trials(suite="road-scenes")[0].dataset
    assert [(point.model, point.suite) for point in data.ours] == [
        ("segnet", "road-scenes"), ("deeplab_largefov", "road-scenes"), ("deconvnet", "road-scenes"),
    ]  # fmt: skip
    assert data.ours[1].cost == {"forward_ms": 20.0, "inference_peak_mib": 200.0, "model_size_mb": 100.0}
    assert data.ours[1].score == {"mean_iou": pytest.approx(0.4), "boundary_f1": pytest.approx(0.4)}
    assert data.without_cost == ("FCN (learnt deconv)", "DeconvNet-NoFC")
    assert data.without_training == ("U-Net",)
    # paper, Tables 3 and 6
    assert data.paper[0].score == {"mean_iou": pytest.approx(0.601), "boundary_f1": pytest.approx(0.4684)}
    assert data.paper[0].cost == {"forward_ms": 422.5, "inference_peak_mib": 1052, "model_size_mb": 117}
    assert data.left_out == (
        "Not drawn, since it has no finished cost trial: FCN (learnt deconv); DeconvNet-NoFC. "
        f"Not drawn, since it has no finished training on {data.title}: U-Net."
    )


def test_time_and_memory_are_multiples_of_segnets_on_the_same_machine(
    build: Callable[..., tuple[pd.DataFrame, list[AllModels]]],
) -> None:
    _, (data,) = build()
    grid = all_models_figure(data).axes
    time, memory, size = grid[0], grid[2], grid[4]
    assert {name: x for name, (x, _) in points(time, hollow=False).items()} == {"1": 1.0, "2": 2.0, "3": 3.0}
    assert points(time, hollow=True)["2"][0] == pytest.approx(110.06 / 422.5)
    assert points(memory, hollow=True)["3"][0] == pytest.approx(1872 / 1052)
    assert points(size, hollow=False)["2"] == (100.0, pytest.approx(0.4))
    assert points(size, hollow=True)["3"] == (877.0, pytest.approx(0.5977))


def test_memory_of_a_process_stands_beside_none_of_a_gpu(
    build: Callable[..., tuple[pd.DataFrame, list[AllModels]]],
) -> None:
    _, (data,) = build(memory=CPU)
    memory = all_models_figure(data).axes[2]
    assert points(memory, hollow=True) == {}
    assert points(memory, hollow=False)["2"][0] == 200.0
    assert memory.get_xlabel() == "Peak memory of inference (resident set) in MiB, ours alone"


@pytest.mark.parametrize("machine", [{"device_name": "a processor"}, {"kernels": "AVX2"}, {"threads": 7}], ids=str)
def test_costs_of_another_machine_are_not_drawn(
    build: Callable[..., tuple[pd.DataFrame, list[AllModels]]], machine: dict[str, object]
) -> None:
    assert build(changes={"deconvnet": machine})[1] == []  # two models are left


def test_costs_in_another_precision_are_not_drawn(build: Callable[..., tuple[pd.DataFrame, list[AllModels]]]) -> None:
    assert build(changes={"deconvnet": {"precision": "bf16"}})[1] == []  # two models are left


def test_the_suite_of_the_costs_decides_where_others_are_many(
    build: Callable[..., tuple[pd.DataFrame, list[AllModels]]], study: Study, tmp_path: Path
) -> None:
    for trial in trials(suite="decoder-variants"):
        if trial.kind == "cost":
            write(tmp_path, trial, costs=costs_of(5), precision="bf16")
    build()
    rows = load_results(tmp_path).rows
    (data,) = all_models([suite_results(rows, study, name, "smoke") for name in ("decoder-variants", *SUITES)], "cost")
    assert [point.model for point in data.ours] == ["segnet", "deeplab_largefov", "deconvnet"]


def test_the_page_of_a_suite_that_trains_nothing_has_the_figure(
    build: Callable[..., tuple[pd.DataFrame, list[AllModels]]], study: Study, tmp_path: Path
) -> None:
    rows, (data,) = build()
    small = study.model_copy(update={"suites": {name: study.suites[name] for name in SUITES}})
    page = write_report(ReportSource(rows, small), tmp_path, suite="cost", profile="smoke")
    assert f'src="figures/all-models-{data.dataset}.svg"' in page.read_text(encoding="utf-8")
    assert (page.parent / "figures" / f"all-models-{data.dataset}.png").is_file()
    assert (page.parent / "figures" / f"all-models-{data.dataset}.pdf").is_file()


def test_without_trainings_the_page_says_what_is_missing(study: Study, tmp_path: Path) -> None:
    for trial in trials(suite="cost"):
        write(tmp_path / "results", trial, costs=costs_of(1))
    rows = load_results(tmp_path / "results").rows
    group = all_models_group([suite_results(rows, study, suite, "smoke") for suite in SUITES], "cost", tmp_path)
    assert group.pictures == ()
    assert "three models" in group.missing
