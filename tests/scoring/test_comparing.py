"""Two results folders side by side: which trials are matched, what differs, and what may be said of it."""

import math
from dataclasses import replace

import pytest
from results_factory import outdated, trials, write
from scoring.scored_trials import guessed, planned, split_of, store, write_study

from bench.errors import ResultsError, UnknownNameError
from bench.results.committed import Place
from bench.scoring import latest
from bench.scoring.bootstrap import paired_image_intervals
from bench.scoring.comparing import Selection, compare
from bench.scoring.stored import files_by_trial, read_counts
from bench.study.catalog import METRIC_TITLES

TRIAL = next(trial for trial in trials() if trial.kind == "training")
COST = next(trial for trial in trials() if trial.kind == "cost")
OTHER = replace(TRIAL, model="fcn_basic")


def seeded(seed, trial=TRIAL, **changes):
    return replace(trial, seed=seed, **changes)


def folder(path, values, trial=TRIAL, **changes):
    """Writes trials of one cell: every score of the seed is its value."""
    for seed, value in values.items():
        write(path, seeded(seed, trial), value, **changes)
    return path


def compared(a, b, selection=(), **options):
    return compare(Place("before", a), Place("after", b), Selection(*selection), **options)


def of_metric(comparison, metric="mean_iou"):
    (found,) = [one for one in comparison.differences if one.row.metric == metric]
    return found


@pytest.fixture
def sides(tmp_path):
    return tmp_path / "a", tmp_path / "b"


def test_better_and_worse_are_told_by_the_interval_over_seeds(sides):
    a, b = folder(sides[0], {0: 0.5, 1: 0.6}), folder(sides[1], {0: 0.61, 1: 0.7})
    found = compared(a, b)
    assert [one.row.metric for one in found.differences] == list(METRIC_TITLES)
    one = of_metric(found)
    assert one.row[:4] == ("decoder-variants", "smoke", TRIAL.weighting, TRIAL.model)
    assert (one.a, one.b, one.n) == (pytest.approx(0.55), pytest.approx(0.655), 2)
    # differences 0.11 and 0.10: 0.105 ± 12.706 · 0.00707 / √2
    assert one.spread == pytest.approx((0.105 - 0.06353, 0.105 + 0.06353), abs=1e-5)
    assert one.verdict == "better"
    assert one.probability == 1  # 0.61 and 0.7 are both above 0.5 and 0.6
    assert not found.got_worse
    back = compared(b, a)
    assert of_metric(back).verdict == "worse"
    assert of_metric(back).probability == 0
    assert back.got_worse


def test_what_scatters_is_no_difference(sides):
    found = compared(folder(sides[0], {0: 0.5, 1: 0.6}), folder(sides[1], {0: 0.6, 1: 0.59}))
    one = of_metric(found)
    assert one.difference == pytest.approx(0.045)
    assert one.verdict == "no difference found"
    assert one.probability == 0.625  # 0.6 > 0.5, 0.6 ties with 0.6, 0.59 > 0.5, 0.59 < 0.6: 2.5 of 4


def test_one_seed_is_a_single_run(sides):
    one = of_metric(compared(folder(sides[0], {0: 0.5}), folder(sides[1], {0: 0.1})))
    assert (one.verdict, one.n, one.spread) == ("single run", 1, None)


def test_seeds_that_both_have_count(sides):
    found = compared(folder(sides[0], {0: 0.5, 1: 0.6, 2: 0.0}), folder(sides[1], {1: 0.6, 0: 0.5, 5: 1.0}))
    one = of_metric(found)
    assert (one.a, one.n, one.spread) == (pytest.approx(0.55), 2, (0, 0))
    assert one.verdict == "no difference found"
    cell = f"decoder-variants smoke {TRIAL.model} {TRIAL.weighting}"
    assert found.only == ((f"{cell}, seed 2",), (f"{cell}, seed 5",))


def test_other_settings_are_refused_by_name(sides):
    a, b = folder(sides[0], {0: 0.5, 1: 0.5}), sides[1]
    folder(b, {0: 0.6, 1: 0.6}, replace(TRIAL, iterations=7, dataset_options=TRIAL.dataset_options | {"test": 9}))
    with pytest.raises(ResultsError) as refused:
        compared(a, b)
    test = TRIAL.dataset_options["test"]
    assert str(refused.value) == (
        f"nothing to compare: decoder-variants smoke {TRIAL.model} {TRIAL.weighting} ran under different settings: "
        f"dataset_options.test: {test} in A, 9 in B; iterations: {TRIAL.iterations} in A, 7 in B; --across-settings "
        "compares it all the same"
    )
    found = compared(a, b, across_settings=True)
    assert of_metric(found).verdict == "better"
    settings = found.changed["decoder-variants", "smoke"].settings
    assert list(settings) == [
        f"dataset_options.test: {test} in A, 9 in B",
        f"iterations: {TRIAL.iterations} in A, 7 in B",
    ]


def test_some_are_refused_and_others_compared(sides):
    a, b = folder(sides[0], {0: 0.5}), folder(sides[1], {0: 0.5}, replace(TRIAL, lr=0.7))
    for side in sides:
        folder(side, {0: 0.5}, OTHER)
    found = compared(a, b)
    assert {one.row.model for one in found.differences} == {"fcn_basic"}
    ((cell, settings),) = found.refused
    assert (cell.model, list(map(str, settings))) == (TRIAL.model, [f"lr: {TRIAL.lr} in A, 0.7 in B"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"protocols": '{"data": 1, "evaluation": 2, "training": 1}'}, "protocol.evaluation: 1 in A, 2 in B"),
        ({"config": None}, "settings: not stored in B"),
        ({"dataset_digest": "ffff"}, "pixels of the data set: 0000 in A, ffff in B"),
    ],
)
def test_other_protocols_and_data_are_refused(sides, changes, message):
    a, b = folder(sides[0], {0: 0.5}, dataset_digest="0000"), folder(sides[1], {0: 0.5}, **changes)
    with pytest.raises(ResultsError, match=f"different settings: {message}; --across-settings"):
        compared(a, b)


def test_what_compares_is_what_decides_a_digest():
    for suite in ("decoder-variants", "road-scenes", "upsampling", "cost"):
        for trial in trials(suite=suite):
            declared = set(trial.declared) - {"model", "weighting", "seed"}
            known = set(latest.SETTINGS[trial.kind])
            assert declared <= known
            assert all(not getattr(trial, name) for name in known - declared)  # later fields, not used


def test_the_latest_configuration_of_a_cell_counts(sides):
    a = folder(sides[0], {0: 0.5, 1: 0.5})
    b = folder(sides[1], {0: 0.2, 1: 0.2, 2: 0.2}, outdated(TRIAL), started_at="2025-01-01T00:00:00+00:00")
    folder(b, {0: 0.6, 1: 0.6})
    found = compared(a, b)
    assert (of_metric(found).b, of_metric(found).n) == (0.6, 2)
    old = [seeded(seed, outdated(TRIAL)) for seed in (0, 1, 2)]
    assert found.older == ((), tuple(f"{one.id}-{one.digest}" for one in old))


def test_source_files_that_differ_are_named(sides):
    a, b = folder(sides[0], {0: 0.5}, torch="2.6"), folder(sides[1], {0: 0.5}, outdated(TRIAL), torch="2.7")
    changed = compared(a, b).changed["decoder-variants", "smoke"]
    assert list(changed.sources) == ["bench/training/loop.py"]
    assert list(changed.conditions) == ["torch 2.6 in A, 2.7 in B"]


def test_a_value_that_is_lost_is_worse(sides):
    a, b = folder(sides[0], {0: 0.5, 1: 0.5}), folder(sides[1], {0: 0.5, 1: math.nan})
    assert (of_metric(compared(a, b)).verdict, of_metric(compared(a, b)).note) == ("worse", "no value in B")
    assert of_metric(compared(b, a)).verdict == "better"
    assert of_metric(compared(b, b)).verdict == "not comparable"


def test_a_trial_that_ends_no_more_is_lost(sides):
    a, b = folder(sides[0], {0: 0.5, 1: 0.5}), folder(sides[1], {0: 0.5})
    write(b, seeded(1), status="diverged", reason="nan", selected_iteration=None)
    found = compared(a, b)
    assert found.lost == (f"{seeded(1).id}: diverged",)
    assert found.only == ((), ())
    assert found.got_worse
    assert compared(b, a).lost == ()


def test_only_failures_on_one_side_are_still_an_answer(sides):
    a, b = folder(sides[0], {0: 0.5}), sides[1]
    write(b, seeded(0), status="failed", reason="it fell over", selected_iteration=None)
    found = compared(a, b)
    assert (found.differences, found.lost) == ((), (f"{TRIAL.id}: failed",))


def test_trials_of_two_suites_may_have_the_same_digest(sides):
    twin = replace(TRIAL, suite="related")
    assert twin.digest == TRIAL.digest
    for side, value in zip(sides, (0.5, 0.6), strict=True):
        folder(side, {0: value, 1: value})
        folder(side, {0: 1 - value, 1: 1 - value}, twin)
    found = compared(*sides, selection=((), (), (), ("mIoU",)))
    verdicts = {one.row.suite: (one.a, one.verdict) for one in found.differences}
    assert verdicts == {"decoder-variants": (0.5, "better"), "related": (0.5, "worse")}


def test_refined_predictions_are_a_row_of_their_own(sides):
    crf = next(trial for trial in trials(suite="road-scenes") if trial.refinement)
    for side, value in zip(sides, (0.5, 0.6), strict=True):
        write(side, crf, 0.5, refined=value)
    found = compared(*sides, selection=((), (), ("deeplab_largefov",), ("G",)))
    assert {one.row.model: round(one.difference, 9) for one in found.differences} == {
        "deeplab_largefov": 0.0,
        "deeplab_largefov_dense_crf": 0.1,
    }


def test_selections_by_name(sides):
    for side in sides:
        folder(side, {0: 0.5})
        folder(side, {0: 0.5}, OTHER)
        write(side, COST)
    found = compared(*sides, selection=(("Decoder_Variants",), ("smoke",), ("FCN-basic",), ("bf", "parameters")))
    assert [(one.row.model, one.row.metric) for one in found.differences] == [("fcn_basic", "boundary_f1")]
    for selection, message in (
        ((("road-scenes",),), "unknown suite with results 'road-scenes'.*known: decoder-variants"),
        (((), ("mini",)), "unknown profile with results 'mini'.*known: smoke"),
        (((), (), ("segnot",)), "unknown model with results 'segnot'"),
        (((), (), (), ("mIuO",)), "unknown metric 'mIuO', did you mean 'mIoU'.*known: G, C, mIoU, BF, parameters"),
    ):
        with pytest.raises(UnknownNameError, match=message):
            compared(*sides, selection=selection)


def test_nothing_in_common(sides):
    folder(sides[0], {0: 0.5})
    folder(sides[1], {0: 0.5}, OTHER)
    message = "of models, loss weightings and costs 1 done in before and 1 done in after, and no trial in both"
    with pytest.raises(ResultsError, match=message):
        compared(*sides)


def test_intervals_over_the_images_of_the_first_seed(sides, tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_DATA", str(tmp_path / "home"))
    study = write_study(tmp_path)
    chosen = planned(study, models=["fcn_basic"], weightings=["natural_frequency"])
    split = split_of(chosen[0])
    for side, right in zip(sides, (0.4, 0.9), strict=True):
        for number, trial in enumerate(chosen):
            store(side, trial, split, guessed(split, number, right), label_maps=False)
    found = compared(*sides)
    counts = [read_counts(files_by_trial(side)[f"{chosen[0].id}-{chosen[0].digest}"]) for side in sides]
    expected = paired_image_intervals(counts[1], counts[0])
    assert {(one.row.metric, ""): one.images for one in found.differences} == expected
    assert expected["global_accuracy", ""].low > 0.3
    assert {one.note for one in found.differences} == {""}


def test_without_counts_there_is_no_interval_over_images(sides):
    one = of_metric(compared(folder(sides[0], {0: 0.5}), folder(sides[1], {0: 0.5})))
    assert one.images is None
    assert one.note == "no interval over images: it stores no counts of single images (A)"
