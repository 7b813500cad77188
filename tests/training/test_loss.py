"""The loss divides by labelled pixels, not by weights, and does not see void."""

import math

import pytest
import torch

from bench.training.loss import coarse_labels, segmentation_loss


def test_value_by_hand():
    # two pixels, uniform logits over 2 classes: -log(1/2) each; weights 1 and 3; divided by 2 pixels
    logits = torch.zeros(1, 2, 1, 2)
    labels = torch.tensor([[[0, 1]]])
    assert segmentation_loss(logits, labels, torch.tensor([1.0, 3.0])).item() == pytest.approx(2 * math.log(2))


def test_differs_from_the_weighted_mean_of_pytorch_by_the_mean_weight():
    torch.manual_seed(0)
    logits, labels = torch.randn(2, 4, 5, 6), torch.randint(0, 4, (2, 5, 6))
    weights = torch.tensor([0.5, 1.0, 2.0, 4.0])
    theirs = torch.nn.functional.cross_entropy(logits, labels, weights)
    mean_weight = weights[labels].mean()
    assert segmentation_loss(logits, labels, weights).item() == pytest.approx(float(theirs * mean_weight), rel=1e-5)


def test_void_changes_neither_value_nor_gradient():
    torch.manual_seed(0)
    logits = torch.randn(1, 3, 2, 2, requires_grad=True)
    labels = torch.tensor([[[0, 255], [2, 255]]])
    loss = segmentation_loss(logits, labels, torch.ones(3))
    expected = torch.nn.functional.cross_entropy(logits, labels, ignore_index=255)
    assert loss.item() == pytest.approx(expected.item())
    loss.backward()
    assert float(logits.grad[0, :, :, 1].abs().max()) == 0
    assert float(logits.grad[0, :, :, 0].abs().min()) > 0


def test_a_batch_of_void_gives_zero():
    logits = torch.randn(1, 3, 2, 2, requires_grad=True)
    loss = segmentation_loss(logits, torch.full((1, 2, 2), 255), torch.ones(3))
    loss.backward()
    assert loss.item() == 0
    assert float(logits.grad.abs().max()) == 0


def test_coarse_labels_are_those_in_the_middle_of_each_cell():
    labels = torch.arange(20 * 24).reshape(1, 20, 24) % 200
    coarse = coarse_labels(labels, 8)
    assert coarse.shape == (1, 3, 3)
    assert coarse[0, :2].tolist() == [[int(labels[0, r, c]) for c in (4, 12, 20)] for r in (4, 12)]
    assert coarse[0, 2].tolist() == [255, 255, 255]  # the middle of rows 16 to 23 lies below the image
    assert coarse_labels(labels, 1) is labels
