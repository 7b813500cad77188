"""Hypercolumns: adding upsampled scores equals classifying the concatenated, upsampled activations."""

import torch
from torch.nn import functional

from bench.profiling.cost import parameter_count
from models.hypercolumns import Hypercolumns
from models.vgg16 import pool


def test_parameters():
    with torch.device("meta"):
        model = Hypercolumns(11)
    classifiers = (128 + 256 + 512 + 512) * 11 + 4 * 11
    assert parameter_count(model) == 14_714_688 + 4224 + classifiers


def test_equals_a_classifier_on_the_concatenated_columns():
    torch.manual_seed(0)
    model = Hypercolumns(3).eval()
    images = torch.randn(1, 3, 37, 50)
    with torch.no_grad():
        columns, features = [], model.encoder[0](images)
        for level in range(1, 5):
            features = model.encoder[level](pool(features))
            whole = functional.interpolate(features, scale_factor=2**level, mode="bilinear", align_corners=False)
            columns.append(whole[:, :, :37, :50])
        column = torch.cat(columns, 1)
        assert column.shape == (1, 128 + 256 + 512 + 512, 37, 50)
        weight = torch.cat([layer.weight for layer in model.classifiers], 1)
        bias = sum(layer.bias for layer in model.classifiers)
        expected = functional.conv2d(column, weight, bias)
        assert torch.allclose(model(images), expected, atol=1e-4)
