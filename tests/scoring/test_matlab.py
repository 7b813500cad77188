"""The export for the authors' scripts, read back and scored by the scripts' rule in plain numpy."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from scipy.optimize import linear_sum_assignment
from scoring.scored_trials import VOID, guessed, planned, split_of, store, write_study

from bench.data import Split
from bench.errors import ConfigError, DataError, ResultsError, UnwritableError
from bench.scoring import matlab
from bench.scoring.definition import Definition, Measure, score_counts
from bench.scoring.rescoring import finished_trials
from bench.scoring.stored import read_counts

CLASSES = 11


def pictures(folder):
    """What the scripts read: every entry of the listing after "." and "..", by position."""
    found = []
    for path in sorted(folder.iterdir()):
        with Image.open(path) as picture:
            assert picture.mode == "L"
            found.append(np.asarray(picture).astype(int))
    return found


def region_script(truth_folder, prediction_folder, num_classes, unknown_class):
    """G, C and mIoU as compute_test_results.m has them: ids plus 1, void out of both, sums divided by the classes."""
    table, points = np.zeros((num_classes, num_classes)), 0
    for truth, prediction in zip(pictures(truth_folder), pictures(prediction_folder), strict=True):
        truth, prediction = truth + 1, prediction + 1
        void = truth == unknown_class
        truth[void] = prediction[void] = 0
        points += (truth > 0).sum()
        for i in range(num_classes):
            for j in range(num_classes):
                table[i, j] += ((truth == i + 1) & (prediction == j + 1)).sum()
    recall = iou = 0.0
    for i in range(num_classes):
        labelled = table[i].sum()
        if labelled:
            recall += table[i, i] / labelled
            iou += table[i, i] / (labelled + table[:, i].sum() - table[i, i])
    return np.trace(table) / points, recall / num_classes, iou / num_classes


def edges(mask):
    """Pixels whose right, lower or lower right neighbour differs; beyond the frame the last row and column go on."""
    more = np.pad(mask, (0, 1), mode="edge")[: mask.shape[0] + 1, : mask.shape[1] + 1]
    return (mask != more[:-1, 1:]) | (mask != more[1:, :-1]) | (mask != more[1:, 1:])


def boundary_script(truth_folder, prediction_folder, num_classes):
    """BF as computeBFmeasure.m has it: class n is pixel value n, one-to-one matches, classes in either map count."""
    total = []
    for truth, prediction in zip(pictures(truth_folder), pictures(prediction_folder), strict=True):
        reach, found, counted = 0.0075 * math.hypot(*truth.shape), 0.0, 0
        for n in range(1, num_classes + 1):
            a, b = (np.argwhere(edges(part == n)) for part in (prediction, truth))
            if not len(a) and not len(b):
                continue
            counted += 1
            near = np.linalg.norm(a[:, None] - b[None], axis=2) <= reach
            matched = near[linear_sum_assignment(near, maximize=True)].sum()
            if matched:
                precision, recall = matched / len(a), matched / len(b)
                found += 2 * precision * recall / (precision + recall)
        total.append(found / counted if counted else 0.0)
    return np.mean(total)


@pytest.fixture
def stored(tmp_path):
    """Results of two trials, of which the first has label maps of its own."""
    trials = planned(write_study(tmp_path))[:2]
    split = split_of(trials[0])
    for number, trial in enumerate(trials):
        store(tmp_path / "results", trial, split, guessed(split, number, 0.9))
    return tmp_path / "results", finished_trials(tmp_path / "results", trials)[0]


def test_the_scripts_rules_give_the_stored_scores(stored, tmp_path):
    results, trials = stored
    exported = matlab.export(results, trials, tmp_path / "out")
    assert (exported.trials, exported.without) == (tuple(trials), ())
    for one in trials:
        regions, boundaries = (
            tmp_path / "out" / f"for_{name}" for name in ("compute_test_results", "computeBFmeasure")
        )
        found = region_script(regions / "ground_truth", regions / "predictions" / one.key, CLASSES, CLASSES + 1)
        bf = boundary_script(boundaries / "ground_truth", boundaries / "predictions" / one.key, CLASSES)
        counts = read_counts(results / "decoder-variants" / "smoke" / f"{one.key}.parquet")
        scores = score_counts(Definition(), counts.class_names, counts.confusion, counts.boundary).values
        assert (*found, bf) == pytest.approx(list(scores.values()), abs=1e-12)
        assert 0.05 < scores[Measure("boundary_f1", "paper")] < 0.95


def test_files_names_and_ids(stored, tmp_path):
    results, trials = stored
    matlab.export(results, trials, tmp_path / "out")
    split = split_of(trials[0].trial)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "README.txt",
        "export.json",
        "for_computeBFmeasure",
        "for_compute_test_results",
    ]
    for folder, first in (("for_compute_test_results", 0), ("for_computeBFmeasure", 1)):
        for part in ("ground_truth", *(f"predictions/{one.key}" for one in trials)):
            names = sorted(path.name for path in (tmp_path / "out" / folder / part).iterdir())
            assert names == [f"{name}.png" for name in split.names]
        truth = np.array(pictures(tmp_path / "out" / folder / "ground_truth"))
        assert np.array_equal(truth == CLASSES + first, split.labels == VOID)
        assert np.array_equal(truth[split.labels != VOID], split.labels[split.labels != VOID] + first)


def test_the_readme_says_what_to_set(stored, tmp_path):
    results, trials = stored
    matlab.export(results, trials, tmp_path / "out")
    text = (tmp_path / "out" / "README.txt").read_text()
    for part in (
        "gtPath = 'HERE/for_compute_test_results/ground_truth';",
        "predPath = 'HERE/for_compute_test_results/predictions/TRIAL';",
        "iter = 5;",
        "numClasses = 11;",
        "unknown_class = 12;",
        "gtroot = 'HERE/for_computeBFmeasure/ground_truth/';",
        "[24 32] in the line with imresize",
        "11  void",
        trials[1].key,
    ):
        assert part in text
    assert max(len(line) for line in text.splitlines()) <= 120
    assert len(re.findall(r"G 0\.\d{6}  C 0\.\d{6}  mIoU 0\.\d{6}  BF 0\.\d{6}", text)) == 2


def test_trials_without_label_maps_are_named(stored, tmp_path):
    results, trials = stored
    folder = results / "_predictions" / "decoder-variants" / "smoke"
    (folder / trials[0].key).rename(folder / "elsewhere")
    exported = matlab.export(results, trials, tmp_path / "out")
    assert exported.without == (trials[0].trial.id,)
    assert [path.name for path in (tmp_path / "out/for_computeBFmeasure/predictions").iterdir()] == [trials[1].key]
    (folder / trials[1].key).rename(folder / "elsewhere too")
    with pytest.raises(ResultsError, match=r"none of 2 finished trainings has label maps in '[^;]*'; run them anew "):
        matlab.export(results, trials, tmp_path / "other")
    never = [one._replace(trial=replace(one.trial, store_predictions=False)) for one in trials]
    with pytest.raises(ResultsError, match=r"; set `store_predictions: true` in the profile in bench.yaml and run "):
        matlab.export(results, never, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_label_maps_that_are_not_those_of_the_trial_are_refused(stored, tmp_path):
    results, trials = stored
    folder = results / "_predictions" / "decoder-variants" / "smoke" / trials[1].key
    first, second, *_ = sorted(folder.iterdir())
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    with pytest.raises(
        DataError, match="do not give the stored counts of the trial; they or the data set have changed"
    ):
        matlab.export(results, trials, tmp_path / "out")
    first.write_bytes(content[:-40])
    with pytest.raises(DataError, match="missing, truncated or not a PNG image"):
        matlab.export(results, trials, tmp_path / "out")
    first.unlink()
    with pytest.raises(DataError, match="1 of 5 images are missing"):
        matlab.export(results, trials, tmp_path / "out")
    assert not [path for path in tmp_path.iterdir() if "out" in path.name]


def test_only_a_new_or_empty_folder_is_written(stored, tmp_path):
    results, trials = stored
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("years of work")
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="is not empty, and nothing is overwritten; name another folder"):
        matlab.export(results, trials, tmp_path / "full")
    for name in ("file", "link"):
        with pytest.raises(ConfigError, match="is no folder; name one that is not there yet"):
            matlab.export(results, trials, tmp_path / name)
    with pytest.raises(UnwritableError, match="cannot be written"):
        matlab.export(results, trials, tmp_path / "file" / "below")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["thesis.tex"]
    (tmp_path / "empty").mkdir()
    matlab.export(results, trials, tmp_path / "empty")
    assert (tmp_path / "empty" / "README.txt").exists()


def test_nothing_half_written_is_left(stored, tmp_path, monkeypatch):
    results, trials = stored

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(matlab, "_read_me", full)
    with pytest.raises(UnwritableError, match="cannot be written: No space left on device"):
        matlab.export(results, trials, tmp_path / "out")
    assert not [path for path in tmp_path.iterdir() if "out" in path.name]


def test_the_rules_of_the_scripts_by_hand(tmp_path):
    """One image of two classes and void, so that the transcription above is worth something."""
    for folder, pixels in (("truth", [[0, 0, 1], [0, 2, 1]]), ("guess", [[0, 1, 1], [0, 0, 0]])):
        (tmp_path / folder).mkdir()
        Image.fromarray(np.array(pixels, np.uint8)).save(tmp_path / folder / "a.png")
    found = region_script(tmp_path / "truth", tmp_path / "guess", 2, 3)
    assert found == pytest.approx((3 / 5, (2 / 3 + 1 / 2) / 2, (2 / 4 + 1 / 3) / 2))


def test_the_split_of_the_factory_has_void(tmp_path):
    split = split_of(planned(write_study(tmp_path))[0])
    assert isinstance(split, Split)
    assert (split.labels == VOID).any()
