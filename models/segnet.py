"""SegNet: VGG16's convolutions as encoder, and a decoder that mirrors them and unpools with stored max-pooling indices.

All convolutions are 3x3 with padding 1, followed by batch norm and ReLU, in the decoder too; the last one, to K
classes, stands alone. At 360x480 the pooled maps are 180x240, 90x120, 45x60, 23x30 and 12x15.

Source: paper §3, Fig. 2, §4; layers and sizes of the released segnet_train.prototxt. For 11 classes 29 433 483
    weights and shifts (a shift of batch norm does the work of a convolution's bias) and 7 936 scales: 117.8 MB, where
    Table 6 prints 117.
Deviation: dropout of 0.5 follows pool3, pool4, pool5 and the decoder stages 5, 4 and 3, as in the released SUN RGB-D
    files; the paper only says that dropout was added after the deeper layers, the released CamVid file has none.
"""

from __future__ import annotations

from torch import Tensor, nn

from models.blocks import SegmentationModel, conv, max_unpool
from models.input_size import check_images
from models.vgg16 import DROPOUT_STAGES, STAGES, encode_with_indices, normalised_stage, normalised_stages

# Output channels of the convolutions after each unpooling; index 0 is the stage that reaches full resolution, where
# the classifier is the second convolution.
DECODER = ((64,), (128, 64), (256, 256, 128), (512, 512, 256), (512, 512, 512))


class SegNet(SegmentationModel):
    """SegNet of the benchmark (Tables 2 to 6).

    The cost columns count its encoder information at the first stage: indices of 64 channels at half resolution.
    """

    ENCODER_INFORMATION = ("indices",)

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.encoder = normalised_stages()
        self.dropout = nn.Dropout(0.5)
        self.decoders = nn.ModuleList(
            normalised_stage(encoded[-1], widths) for encoded, widths in zip(STAGES, DECODER, strict=True)
        )
        self.classifier = conv(DECODER[0][-1], num_classes, 3, bias=True)

    def forward(self, images: Tensor) -> Tensor:
        """Maps images (N,3,H,W) to logits (N,K,H,W).

        Raises:
            ValueError: a side is shorter than 17 pixels.
        """
        check_images(self, images, halvings=5)
        features, indices, sizes = encode_with_indices(self.encoder, self.dropout, images)
        for level in reversed(range(len(DECODER))):
            features = self.decoders[level](max_unpool(features, indices[level], sizes[level]))
            if level in DROPOUT_STAGES:
                features = self.dropout(features)
        return self.classifier(features)
