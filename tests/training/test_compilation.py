"""A compiled network trains as an uncompiled one does, and keeps the names of its weights."""

import pytest
import torch
from torch import nn

from bench.training.bn_statistics import recompute_bn_statistics
from bench.training.compilation import compile_network, uncompiled
from bench.training.loop import TrainingState, train


class Small(nn.Module):
    """Convolution, batch norm, pooling and unpooling, as the networks of the paper have them."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.classifier = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.Conv2d(8, 2, 1)

    def forward(self, images):
        return self.classifier(self.norm(self.conv(images)).relu())


def trained(compiled, iterations=50):
    torch.manual_seed(0)
    model = Small()
    if compiled:
        compile_network(model)
    images = torch.randn(8, 3, 12, 16, generator=torch.Generator().manual_seed(1))
    labels = (images.mean(1) > 0).to(torch.uint8)
    state = TrainingState(model, lr=0.05, momentum=0.9, weight_decay=5e-4)
    pauses = train(state, images, labels, torch.ones(2), iterations=iterations, batch_size=4, order_seed=7,
                   dropout_seed=8, bf16=False, pause_at=lambda _: False, report=lambda _: None)  # fmt: skip
    losses = list(pauses)[-1].losses
    recompute_bn_statistics(model, images, batch_size=4, bf16=False)
    with torch.no_grad():
        return model, losses, model(images).argmax(1)


@pytest.mark.slow  # the C++ compiler takes its time
def test_fifty_iterations_have_the_losses_of_the_eager_network():
    eager, expected, labels = trained(compiled=False)
    model, losses, predicted = trained(compiled=True)
    assert losses == pytest.approx(expected, rel=1e-4)
    assert (predicted == labels).float().mean() > 0.99
    assert list(model.state_dict()) == list(eager.state_dict())
    # statistics were averaged over two batches, which the compiled passes must not have touched
    assert int(model.norm.num_batches_tracked) == int(eager.norm.num_batches_tracked) == 2


def test_what_is_not_compiled_needs_no_compiler():
    with uncompiled(Small()):
        pass
    assert Small()._compiled_call_impl is None
