"""Hypercolumns on VGG16: every pixel is classified from the activations of several layers above it.

The convolutional form: a 1x1 classifier on each chosen layer, its scores upsampled bilinearly to the image, the score
maps added. Classifying the concatenated, upsampled activations would give the same sums, because classifier and
interpolation are both linear and can be exchanged.

Source: Hariharan, Arbelaez, Girshick & Malik 2015; paper §2, where it is named only.
Deviation: boxes, the grid of position-dependent classifiers within a box, and the sigmoid per object are left out:
    they segment one detected object, here every pixel of an image gets one of K classes.
Deviation: which layers of VGG16 the original used is not known to us. Here it is the last convolution of stages 2 to
    5, at 1/2, 1/4, 1/8 and 1/16 of the resolution; fc7, which describes a box there, is left out.
Deviation: batch norm after each convolution of VGG16, as in the benchmark's other networks; the original has none.
"""

from __future__ import annotations

from torch import Tensor, nn

from models.blocks import SegmentationModel, conv
from models.input_size import check_images, check_statistics
from models.upsampling import upsample_centred
from models.vgg16 import STAGES, normalised_stages, pool

HALVINGS = len(STAGES) - 1  # pool5 is not used
FIRST_LEVEL = 1  # stage 1, at full resolution, is not classified


class Hypercolumns(SegmentationModel):
    """Hypercolumns: the sum of upsampled scores of conv2_2, conv3_3, conv4_3 and conv5_3.

    Keeps the scores of these layers: K channels at 1/2 of the resolution, as the cost columns count, and at 1/4, 1/8
    and 1/16.
    """

    ENCODER_INFORMATION = ("reduced_maps",)

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.encoder = normalised_stages()
        self.classifiers = nn.ModuleList(conv(widths[-1], num_classes, 1, bias=True) for widths in STAGES[FIRST_LEVEL:])

    def forward(self, images: Tensor) -> Tensor:
        """Maps images (N,3,H,W) to logits (N,K,H,W).

        Raises:
            ValueError: a side is shorter than 9 pixels, or training on one image of at most 16x16.
        """
        check_images(self, images, HALVINGS)
        check_statistics(self, images, 2**HALVINGS)
        height, width = images.shape[2:]
        features = self.encoder[0](images)
        scores = []
        for level in range(FIRST_LEVEL, len(STAGES)):
            features = pool(features)
            features = self.encoder[level](features)
            coarse = self.classifiers[level - FIRST_LEVEL](features)
            scores.append(upsample_centred(coarse, 2**level, (height, width)))
        return sum(scores[1:], scores[0])
