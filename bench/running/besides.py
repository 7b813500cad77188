"""What some trainings measure besides the scores of their network: refined predictions, and checkerboards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import nn

from bench.evaluation.output_maps import checkerboards
from bench.evaluation.predict import images_at_once, log_probabilities
from bench.evaluation.refinement import choose_parameters, refine
from bench.running.control import Notice, Report
from bench.running.rows import TrialRows
from bench.study.trials import Trial
from bench.training.residency import Images


def add_refined(
    trial: Trial, model: nn.Module, images: Mapping[str, Images], rows: TrialRows, bf16: bool, report: Report
) -> None:
    """Adds the scores of the test predictions after the dense CRF, whose parameters are searched on training images.

    Args:
        trial: with a refinement
        model: with the weights of the selected iteration
        images: network input of the splits train and test
        rows: of the trial
        bf16: forward passes under bf16 autocast
        report: told what was chosen

    Source: paper §4.1: at the last point only.
    """
    assert trial.refinement == "dense_crf"
    assert rows.selected_iteration is not None

    def of_training(chosen: np.ndarray) -> Iterator[np.ndarray]:
        some = images["train"][torch.from_numpy(chosen)]
        return log_probabilities(model, some, batch_size=at_once, bf16=bf16)

    at_once = images_at_once(images["test"].device, trial.height, trial.width)
    train, test = rows.splits["train"], rows.splits["test"]
    found, searched = choose_parameters(train.images, train.labels, of_training)
    chosen = found.parameters
    report(Notice(f"dense CRF: w1 {chosen.w1:g}, theta_alpha {chosen.theta_alpha:g} px, theta_beta "
                  f"{chosen.theta_beta:g}, the best of {len(found.tried)} on {searched} training images"))  # fmt: skip
    names = ("w1", "w2", "theta_alpha", "theta_beta", "theta_gamma")
    parameters = {name: getattr(chosen, name) for name in names}
    how = {"search_mean_iou": found.mean_iou, "search_images": searched, "search_choices": len(found.tried)}
    rows.add_refinement(trial.refinement, parameters | how)
    maps = log_probabilities(model, images["test"], batch_size=at_once, bf16=bf16)
    predictions = refine(test.images, maps, chosen, torch.get_num_threads())
    rows.add_regions("test", rows.selected_iteration, predictions, trial.refinement)
    rows.add_boundaries("test", rows.selected_iteration, predictions, trial.refinement)
    rows.keep_panels(trial.panels, "test", predictions, trial.refinement)


def add_checkerboards(model: nn.Module, images: Images, rows: TrialRows) -> None:
    """Adds how much of the output repeats with the upsampling.

    Args:
        model: with the weights of the selected iteration
        images: network input of the test split
        rows: of the trial
    """
    test = rows.splits["test"]
    for period, measured in checkerboards(model, images, test.labels, len(test.class_names)).items():
        rows.add_checkerboard(period, measured._asdict())
