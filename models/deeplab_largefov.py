"""DeepLab-LargeFOV: VGG16 whose last stages keep 1/8 of the resolution and see far through atrous convolutions.

Three poolings halve H and W; pool4 and pool5 keep them, the fifth stage has dilation 2, fc6 is a 3x3 convolution with
dilation 12 and 1024 channels. Scores come out at 1/8 (45x60 at 360x480) and are upsampled bilinearly.

Source: Chen et al. 2015 and the public layer files of LargeFOV; paper §4, §4.1 (final resolution 45x60).
Deviation: the public files pool 3x3 with stride 2, which gives 46x61 at 360x480; the paper's 45x60 needs 2x2. pool4 and
    pool5 are 3x3 with stride 1, and a 3x3 average follows pool5, as in the public files.
Deviation: 82.1 MB with 11 and 82.2 MB with 37 classes against 83 MB in Table 6. A further layer of 37x37 kernels of
    16x16, which would upsample the scores inside the network, would make 83.6 MB; nothing in the text speaks of one.
Deviation: fc8, the classifier, has a bias and no batch norm, as SegNet's last convolution.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from models.blocks import SegmentationModel, conv
from models.input_size import check_images, check_statistics
from models.upsampling import upsample_centred
from models.vgg16 import STAGES, atrous_conv, normalised, normalised_stages, pool

FC_CHANNELS = 1024
FC6_DILATION = 12
LAST_STAGE_DILATION = 2
HALVINGS = 3


class DeepLabLargeFOV(SegmentationModel):
    """DeepLab-LargeFOV of the benchmark, without the dense CRF.

    LOSS_STRIDE: the loss is taken on `coarse_logits`, one value for 8x8 pixels. Value i stands for the rows or columns
        8i to 8i+7, so its centre lies between 8i+3 and 8i+4.
    """

    LOSS_STRIDE = 8

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.encoder = normalised_stages(LAST_STAGE_DILATION)
        fc6 = normalised(atrous_conv(STAGES[-1][-1], FC_CHANNELS, FC6_DILATION))
        self.fc6 = nn.Sequential(fc6, nn.Dropout(0.5))
        self.fc7 = nn.Sequential(normalised(conv(FC_CHANNELS, FC_CHANNELS, 1)), nn.Dropout(0.5))
        self.classifier = conv(FC_CHANNELS, num_classes, 1, bias=True)

    def forward(self, images: Tensor) -> Tensor:
        """Maps images (N,3,H,W) to logits (N,K,H,W).

        Raises:
            ValueError: a side is shorter than 5 pixels, or training on one image of at most 8x8.
        """
        height, width = images.shape[2:]
        return upsample_centred(self.coarse_logits(images), self.LOSS_STRIDE, (height, width))

    def coarse_logits(self, images: Tensor) -> Tensor:
        """Maps images (N,3,H,W) to logits (N,K,ceil(H/8),ceil(W/8)), on which the network is trained.

        Raises:
            ValueError: as `forward`.
        """
        check_images(self, images, HALVINGS)
        check_statistics(self, images, self.LOSS_STRIDE)
        features = images
        for level, stage in enumerate(self.encoder):
            features = stage(features)
            features = pool(features) if level < HALVINGS else functional.max_pool2d(features, 3, 1, padding=1)
        features = functional.avg_pool2d(features, 3, 1, padding=1)
        return self.classifier(self.fc7(self.fc6(features)))
