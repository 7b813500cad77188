"""Exports stored label maps and the ground truth for the two MATLAB scripts of the authors' SegNet-Tutorial.

The scripts disagree about ids, so each has folders of its own:

    for_compute_test_results/   ids 0..K-1, void K; compute_test_results.m adds 1 to both maps itself
    for_computeBFmeasure/       ids 1..K, void K+1; computeBFmeasure.m takes class n to be pixel value n

Each holds `ground_truth` and `predictions/<trial>`, 8-bit grey PNGs. The scripts pair the files of two folders by their
position in the sorted listing, from the third entry on (the first two are "." and ".."); so both folders have the same
names and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.data import IGNORE_INDEX, Split, dataset_of, load_split
from bench.errors import DataError, ResultsError, one_line
from bench.evaluation.confusion import confusion_counts
from bench.scoring.definition import Definition, Measure, score_counts
from bench.scoring.export_folder import new_export
from bench.scoring.predictions import Reading, read_predictions
from bench.scoring.rescoring import StoredTrial
from bench.scoring.stored import Counts, files_by_trial, read_counts

FORMAT = "matlab"
SCRIPTS = {"for_compute_test_results": 0, "for_computeBFmeasure": 1}  # folder -> id of the first class in it


class Exported(NamedTuple):
    """What was written: the trials, and the ids of those without label maps."""

    trials: tuple[StoredTrial, ...]
    without: tuple[str, ...]


def export(results: Path, stored: Sequence[StoredTrial], out: Path) -> Exported:
    """Writes the label maps of finished trials and the ground truth into a new folder.

    Args:
        results: the results folder.
        stored: finished trainings of one suite and profile.
        out: see `new_export`.

    Raises:
        ConfigError: `out` is a file, or holds something else.
        ResultsError: no trial has label maps.
        DataError: the data set or a label map is missing or damaged, or does not give the stored counts.
        UnwritableError: `out` cannot be written.
    """
    folders = {one: _label_maps(results, one) for one in stored}
    chosen = [one for one in stored if folders[one].is_dir()]
    without = tuple(one.trial.id for one in stored if one not in chosen)
    if not chosen:
        lost = any(one.trial.store_predictions for one in stored)  # they are large, and often left behind in a copy
        todo = "" if lost else "set `store_predictions: true` in the profile in bench.yaml and "
        raise ResultsError(
            f"none of {len(stored)} finished trainings has label maps in '{one_line(results / '_predictions')}'; "
            f"{todo}run them anew into another --results DIR"
        )
    trial = chosen[0].trial
    split = load_split(trial.dataset, "test", trial.height, trial.width, trial.dataset_options)
    if len(split.class_names) + 1 >= IGNORE_INDEX:
        raise DataError(f"{len(split.class_names)} classes and void do not fit into one byte from 1 on")
    files = files_by_trial(results)
    with new_export(out, FORMAT) as folder:
        void = np.uint8(len(split.class_names))
        _write_maps(folder, "ground_truth", split, np.where(split.labels == IGNORE_INDEX, void, split.labels))
        lines = []
        for one in chosen:
            counts = _read(files, one)
            maps = _checked_maps(folders[one], one, split, counts)
            _write_maps(folder, f"predictions/{one.key}", split, maps)
            lines.append(_scores_line(one, counts))
        (folder / "README.txt").write_text(_read_me(split, lines), encoding="utf-8")
    return Exported(tuple(chosen), without)


def _label_maps(results: Path, one: StoredTrial) -> Path:
    """Returns the folder of the label maps of a result, which may be stale."""
    return results / "_predictions" / one.trial.suite / one.trial.profile / one.key


def _read(files: dict[str, Path], one: StoredTrial) -> Counts:
    if one.key not in files:
        raise ResultsError(f"the file of {one.key} has gone")
    try:
        return read_counts(files[one.key])
    except ResultsError as error:
        raise ResultsError(f"{one.trial.id}: {error}") from None


def _checked_maps(folder: Path, one: StoredTrial, split: Split, counts: Counts) -> NDArray[np.uint8]:
    """Returns the label maps of a trial after holding them against its stored counts."""
    palette = dataset_of(one.trial.dataset, one.trial.dataset_options).palette
    maps, _ = read_predictions(folder, split.names, Reading(split.labels.shape[1:], split.class_names, palette))
    found = confusion_counts(split.labels, maps, len(split.class_names))
    if counts.images != split.names or not np.array_equal(found, counts.confusion):
        raise DataError(
            f"the label maps in '{one_line(folder)}' do not give the stored counts of the trial; they or the data set "
            "have changed since; leave the trial out, or run it anew"
        )
    return maps


def _write_maps(root: Path, folder: str, split: Split, maps: NDArray[np.uint8]) -> None:
    """Writes label maps (N, H, W) with ids from 0 and void K as grey PNGs, once for each script."""
    for script, first in SCRIPTS.items():
        target = root / script / folder
        target.mkdir(parents=True)
        for name, pixels in zip(split.names, maps, strict=True):
            Image.fromarray(pixels + np.uint8(first)).save(target / f"{name}.png", format="PNG")


def _scores_line(one: StoredTrial, counts: Counts) -> str:
    scores = score_counts(Definition(), counts.class_names, counts.confusion, counts.boundary)
    values = [scores.values.get(measure, np.nan) for measure in Definition().measures]
    return f"  {one.key}{' (stale)' if one.stale else ''}\n    " + "  ".join(
        f"{title} {value:.6f}" for title, value in zip(("G", "C", "mIoU", "BF"), values, strict=True)
    )


def _read_me(split: Split, lines: Sequence[str]) -> str:
    """Says which lines of the scripts to set, in MATLAB's words."""
    assert Measure("boundary_f1", "paper") in Definition().measures
    count, (height, width), k = len(split.names), split.labels.shape[1:], len(split.class_names)
    listed = "\n".join(f"  {number:3}  {name}" for number, name in enumerate((*split.class_names, "void")))
    expected = "\n".join(lines)
    return f"""Label maps for the MATLAB scripts of SegNet-Tutorial (folder Scripts)

{count} images of {height}x{width} px (height x width), {k} classes. All files are 8-bit grey PNGs, one an image, with
the same names in the ground truth and in the predictions. The scripts pair files by their position in the listing of a
folder and skip its first two entries ("." and ".."), so put nothing else into these folders. HERE is this folder,
TRIAL one of the folders of predictions below.

compute_test_results.m (G, C, mIoU): it adds 1 to every id itself, so ids start at 0 here and void is {k}. Set
  gtPath = 'HERE/for_compute_test_results/ground_truth';
  predPath = 'HERE/for_compute_test_results/predictions/TRIAL';
  iter = {count};
  numClasses = {k};
  unknown_class = {k + 1};     % void {k}, plus 1
  skip = 2 stays.

computeBFmeasure.m (BF): it adds nothing and takes class n to be pixel value n, so ids start at 1 here and void is
{k + 1}, which is no class to it. The slash at the end of both paths is needed. Set
  gtroot = 'HERE/for_computeBFmeasure/ground_truth/';
  predroot = 'HERE/for_computeBFmeasure/predictions/TRIAL/';
  numClasses = {k};      % it says 37, for SUN RGB-D
  [{height} {width}] in the line with imresize, where it says [360 480]: it resizes the prediction only, and the ground
  truth here has {height}x{width} px.
It needs seg2bdry and correspondPixels of the BSDS benchmark code on MATLAB's path.

Void has the id {k} (or {k + 1}) here, whatever it is in the data set's own files. Ids from 0:
{listed}

What to expect, as `bench rescore` prints it (fractions). G, C and mIoU are the same numbers. BF may be a little lower
in MATLAB: correspondPixels approximates an assignment and may leave out a match, ours is the largest matching.
{expected}
"""
