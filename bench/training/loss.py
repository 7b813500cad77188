"""The pixel-wise loss of the paper, with its normalisation."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from bench.data import IGNORE_INDEX


def segmentation_loss(logits: Tensor, labels: Tensor, class_weights: Tensor) -> Tensor:
    """Returns the class-weighted soft-max cross-entropy, averaged over the labelled pixels.

        loss = sum over labelled pixels of w[label] * -log softmax(logits)[label]  /  number of labelled pixels

    Args:
        logits: float (N,K,H,W)
        labels: int64 (N,H,W), 0..K-1, or 255 for void
        class_weights: float32 (K,)

    Returns: scalar, float32.

    Edge cases: a batch without a labelled pixel gives 0 with zero gradients.

    Source: paper §3.2; softmax_loss_layer of caffe-segnet, `normalize: true`.
    Deviation: the paper says that the loss is summed over the mini-batch; its code divides by the number of labelled
        pixels, and a learning rate of 0.1 only makes sense with that. PyTorch's `CrossEntropyLoss(weight)` would divide
        by the sum of the weights instead, which doubles the gradient for the authors' weights. The sum can be trained
        as well (recipe `loss: summed`), to see what it does.
    """
    labelled = labels != IGNORE_INDEX
    # gather, not nll_loss: nll_loss has no deterministic CUDA version
    target = labels.where(labelled, 0)
    log_likelihood = functional.log_softmax(logits.float(), dim=1).gather(1, target.unsqueeze(1)).squeeze(1)
    weights = class_weights[target] * labelled
    return -(weights * log_likelihood).sum() / labelled_pixels(labels)


def labelled_pixels(labels: Tensor) -> Tensor:
    """Returns how many pixels of labels (N,H,W) are not void, at least 1; int64 scalar on their device."""
    return (labels != IGNORE_INDEX).sum().clamp_min(1)


def coarse_labels(labels: Tensor, stride: int) -> Tensor:
    """Returns the label in the middle of each cell of `stride` x `stride` pixels.

    Args:
        labels: (N,H,W), 0..K-1, or 255 for void
        stride: in pixels; 1 returns the labels as they are

    Returns: (N,ceil(H/stride),ceil(W/stride)). A cell whose middle lies outside the image is void.

    Source: paper §4 (DeepLab is trained on labels at 45x60); Chen et al. 2015 (labels subsampled by 8).
    """
    if stride == 1:
        return labels
    height, width = labels.shape[1:]
    middle = stride // 2
    padded = functional.pad(labels, (0, -width % stride, 0, -height % stride), value=IGNORE_INDEX)
    return padded[:, middle::stride, middle::stride]
