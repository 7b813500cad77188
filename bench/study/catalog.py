"""The names a study can use, with the names the paper prints. Imports nothing, so `bench list` is instant.

`tests/study/test_catalog.py` holds these keys against the `MODELS` and `DATASETS` dicts.
"""

from __future__ import annotations

from collections.abc import Iterable

from bench.errors import UnknownNameError

# Keys of `models.MODELS` and the names that the paper prints: Table 1 in its order, Tables 3 to 6, the systems that its
# readers compare it with, and our own study of ways to upsample.
MODEL_TITLES = {
    "bilinear_interpolation": "Bilinear-Interpolation",
    "segnet_basic": "SegNet-Basic",
    "segnet_basic_encoder_addition": "SegNet-Basic-EncoderAddition",
    "segnet_basic_single_channel_decoder": "SegNet-Basic-SingleChannelDecoder",
    "fcn_basic": "FCN-Basic",
    "fcn_basic_no_addition": "FCN-Basic-NoAddition",
    "fcn_basic_no_dim_reduction": "FCN-Basic-NoDimReduction",
    "fcn_basic_no_addition_no_dim_reduction": "FCN-Basic-NoAddition-NoDimReduction",
    "segnet": "SegNet",
    "deeplab_largefov": "DeepLab-LargeFOV",
    "fcn": "FCN",
    "fcn_learnt_deconv": "FCN (learnt deconv)",
    "deconvnet": "DeconvNet",
    "deconvnet_no_fc": "DeconvNet-NoFC",
    "fcn_32s": "FCN-32s",
    "fcn_16s": "FCN-16s",
    "fcn_8s": "FCN-8s",
    "u_net": "U-Net",
    "hypercolumns": "Hypercolumns",
    "deeplab_v3plus": "DeepLab v3+",
    "upsampling_max_unpooling": "Max-unpooling",
    "upsampling_transposed_4": "Transposed convolution, 4 by 4",
    "upsampling_transposed_3": "Transposed convolution, 3 by 3",
    "upsampling_nearest": "Nearest neighbour, convolution",
    "upsampling_bilinear": "Bilinear, convolution",
    "upsampling_sub_pixel": "Sub-pixel convolution",
}

# Those that have VGG16's encoder, which weights of a VGG16 trained on ImageNet fit.
VGG16_MODELS = (
    "segnet",
    "deeplab_largefov",
    "fcn",
    "fcn_learnt_deconv",
    "deconvnet",
    "deconvnet_no_fc",
    "fcn_32s",
    "fcn_16s",
    "fcn_8s",
    "hypercolumns",
)

# What is made of a model's final predictions, and what the paper calls the model then: a row of its own in tables,
# from the same training.
REFINED_TITLES = {"deeplab_largefov_dense_crf": "DeepLab-LargeFOV-denseCRF"}


def refined(model: str, refinement: str) -> str:
    """Returns the key of a table's row for the refined predictions of a model."""
    return f"{model}_{refinement}" if refinement else model


# Titles of every row that a table of ours can have.
ROW_TITLES = {
    row: title
    for model, of_model in MODEL_TITLES.items()
    for row, title in [(model, of_model), *((r, t) for r, t in REFINED_TITLES.items() if r.startswith(f"{model}_d"))]
}

# Keys of `bench.data.DATASETS`.
DATASET_TITLES = {
    "camvid": "CamVid",
    "road_scenes": "RoadScenes (synthetic)",
    "sun_rgbd": "SUN RGB-D",
    "pascal_voc": "Pascal VOC 2012",
    "indoor_scenes": "IndoorScenes (synthetic)",
    "list_file": "list files of one's own",
}

WEIGHTING_TITLES = {
    "median_frequency": "median frequency balancing",
    "median_frequency_official": "median frequency balancing with the authors' eleven weights",
    "natural_frequency": "natural frequency",
}

# What a score is called in results (long) and in the paper's tables (short).
METRIC_TITLES = {
    "global_accuracy": "G",
    "class_average_accuracy": "C",
    "mean_iou": "mIoU",
    "boundary_f1": "BF",
}


def resolve(what: str, got: str, known: Iterable[str]) -> str:
    """Returns the known key that `got` names; letter case, '-' and '_' do not matter.

    Raises:
        UnknownNameError: nothing matches; the message lists the known names and the nearest one.
    """
    keys = list(known)
    plain = {key.replace("_", "").replace("-", "").lower(): key for key in keys}
    key = plain.get(got.replace("_", "").replace("-", "").lower())
    if key is None:
        raise UnknownNameError(what, got, keys)
    return key
