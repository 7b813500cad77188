"""The architectures of the paper. `MODELS[name](num_classes)` maps images (N,3,H,W) to logits (N,K,H,W)."""

from models.blocks import SegmentationModel
from models.deconvnet import DeconvNet, DeconvNetNoFC
from models.deeplab_largefov import DeepLabLargeFOV
from models.deeplab_v3plus import DeepLabV3Plus
from models.fcn import FCN, FCN8s, FCN16s, FCN32s, FCNLearntDeconv
from models.fcn_basic import (
    BilinearInterpolation,
    FCNBasic,
    FCNBasicNoAddition,
    FCNBasicNoAdditionNoDimReduction,
    FCNBasicNoDimReduction,
)
from models.hypercolumns import Hypercolumns
from models.segnet import SegNet
from models.segnet_basic import SegNetBasic, SegNetBasicEncoderAddition, SegNetBasicSingleChannelDecoder
from models.unet import UNet
from models.upsampling_study import (
    UpsamplingBilinear,
    UpsamplingMaxUnpooling,
    UpsamplingNearest,
    UpsamplingSubPixel,
    UpsamplingTransposed3,
    UpsamplingTransposed4,
)

# Keys are the paper's row names in snake_case: Table 1, Tables 3 to 6, the systems it is compared with, our own study.
MODELS: dict[str, type[SegmentationModel]] = {
    "bilinear_interpolation": BilinearInterpolation,
    "segnet_basic": SegNetBasic,
    "segnet_basic_encoder_addition": SegNetBasicEncoderAddition,
    "segnet_basic_single_channel_decoder": SegNetBasicSingleChannelDecoder,
    "fcn_basic": FCNBasic,
    "fcn_basic_no_addition": FCNBasicNoAddition,
    "fcn_basic_no_dim_reduction": FCNBasicNoDimReduction,
    "fcn_basic_no_addition_no_dim_reduction": FCNBasicNoAdditionNoDimReduction,
    "segnet": SegNet,
    "deeplab_largefov": DeepLabLargeFOV,
    "fcn": FCN,
    "fcn_learnt_deconv": FCNLearntDeconv,
    "deconvnet": DeconvNet,
    "deconvnet_no_fc": DeconvNetNoFC,
    "fcn_32s": FCN32s,
    "fcn_16s": FCN16s,
    "fcn_8s": FCN8s,
    "u_net": UNet,
    "hypercolumns": Hypercolumns,
    "deeplab_v3plus": DeepLabV3Plus,
    "upsampling_max_unpooling": UpsamplingMaxUnpooling,
    "upsampling_transposed_4": UpsamplingTransposed4,
    "upsampling_transposed_3": UpsamplingTransposed3,
    "upsampling_nearest": UpsamplingNearest,
    "upsampling_bilinear": UpsamplingBilinear,
    "upsampling_sub_pixel": UpsamplingSubPixel,
}
