"""The architectures of the paper. `MODELS[name](num_classes)` maps images (N,3,H,W) to logits (N,K,H,W)."""

from models.blocks import SegmentationModel
from models.fcn_basic import (
    BilinearInterpolation,
    FCNBasic,
    FCNBasicNoAddition,
    FCNBasicNoAdditionNoDimReduction,
    FCNBasicNoDimReduction,
)
from models.segnet_basic import SegNetBasic, SegNetBasicEncoderAddition, SegNetBasicSingleChannelDecoder

# Keys are the paper's row names in snake_case, in the order of Table 1.
MODELS: dict[str, type[SegmentationModel]] = {
    "bilinear_interpolation": BilinearInterpolation,
    "segnet_basic": SegNetBasic,
    "segnet_basic_encoder_addition": SegNetBasicEncoderAddition,
    "segnet_basic_single_channel_decoder": SegNetBasicSingleChannelDecoder,
    "fcn_basic": FCNBasic,
    "fcn_basic_no_addition": FCNBasicNoAddition,
    "fcn_basic_no_dim_reduction": FCNBasicNoDimReduction,
    "fcn_basic_no_addition_no_dim_reduction": FCNBasicNoAdditionNoDimReduction,
}
