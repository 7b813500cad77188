"""What refined predictions and the checkerboard measure mean, as data; legend and fields as in scores.py."""

from __future__ import annotations

from bench.reporting.definitions.scores import Definition

CRF, CHECKERBOARD, CHECKPOINTS = "Dense CRF", "Checkerboards of the output", "Checkpoints"

_DEEPLAB = "other: Chen et al., ICLR 2015 (DeepLab), section 4.1."
_SEARCHED = f"{_DEEPLAB[:-1]}; paper §4.1 speaks of a grid search on part of the training images."
_SCALED = "At other heights than 360 px the values to choose from shrink or grow with the image."
_MASKED = "A void pixel of the labels counts for nothing; the CRF gives it a class like any other."
_ODENA = "other: a measure of this project, for the effect that Odena et al., Distill 2016, show by eye."

CHECKPOINT_RULES = (
    Definition(
        "budget", "Budget, such as 40K", CHECKPOINTS,
        "A point on the way of one training at which the test split is scored as well. The names are the paper's; the "
        "profile says which iteration each of them is.",
        source="paper §4 and its Tables 3 and 4.",
        deviation="The paper does not say whether its columns are points of one training; here they are.",
        also=("budgets",),
    ),
    Definition(
        "selected_iteration", "Reported checkpoint", CHECKPOINTS,
        "The validation point with the highest score on the validation split, by the metric that the suite selects by; "
        "where there are budgets, of those after the last of them. In tables it is the column > 80K or > 140K.",
        edge_cases="Of equal scores the first point counts, and none after the length of the training.",
        source="paper §3.3, by global accuracy; for §4 it gives a maximum of iterations only.",
        deviation="The rule of §3.3 is taken for §4 as well.",
        also=("selection",),
    ),
)  # fmt: skip

REFINEMENTS = (
    Definition(
        "dense_crf", "Dense CRF", CRF,
        "Refines the label maps of the reported checkpoint: 10 iterations of mean field over all pixels, with one "
        "kernel of position and colour and one of position. Its rows stand beside the network's own.",
        formula="E = sum_i U_i + sum_i<j [x_i != x_j] (w1 k1 + w2 k2)",
        void=_MASKED,
        source=f"paper §4.1, DeepLab-LargeFOV-denseCRF; {_DEEPLAB.removeprefix('other: ')}",
        deviation="The sum over the neighbours of a pixel holds the pixel itself, as in the published code.",
        also=("refinement",),
    ),
    Definition(
        "w1", "Weight of the appearance kernel", CRF,
        "How strongly pixels that are near and of one colour are drawn to one class.",
        source=_SEARCHED,
    ),
    Definition(
        "w2", "Weight of the smoothness kernel", CRF,
        "How strongly pixels that are near are drawn to one class, whatever their colour. Fixed at 3.",
        source=_DEEPLAB,
    ),
    Definition(
        "theta_alpha", "Reach of the appearance kernel in position", CRF,
        "Standard deviation of the appearance kernel in position, in pixels.",
        source=_SEARCHED,
        deviation=_SCALED,
    ),
    Definition(
        "theta_beta", "Reach of the appearance kernel in colour", CRF,
        "Standard deviation of the appearance kernel in colour, in levels of 0 to 255.",
        source=_SEARCHED,
    ),
    Definition(
        "theta_gamma", "Reach of the smoothness kernel", CRF,
        "Standard deviation of the smoothness kernel in position, in pixels. Fixed at 3 for images of 360 rows.",
        source=_DEEPLAB,
        deviation=_SCALED,
    ),
    Definition(
        "search_mean_iou", "mIoU of the chosen parameters", CRF,
        "Mean IoU of the refined predictions with the chosen parameters, on the training images of the search.",
        divides_by="The classes that occur in these images (rule present).",
        void=_MASKED,
        source="other: kept to show what the search found.",
        deviation="On training images, so it says nothing about the test split.",
    ),
    Definition(
        "search_images", "Images of the search", CRF,
        "How many training images the parameters were chosen on, evenly spaced over the split.",
        source=_SEARCHED,
        deviation="The paper does not say how many; DeepLab took 100.",
    ),
    Definition(
        "search_choices", "Choices that were tried", CRF,
        "How many combinations of w1, theta_alpha and theta_beta were scored, from a coarse grid to a fine one.",
        source=_SEARCHED,
        deviation="Neither paper says by which steps the grid gets finer.",
    ),
)  # fmt: skip

CHECKERBOARDS = (
    Definition(
        "checkerboard_period", "Period of a checkerboard, such as period 2", CHECKERBOARD,
        "The number of pixels after which a pattern repeats: 2 for what the last step up leaves, 4 for the last two, 8 "
        "for the last three.",
        source=_ODENA,
    ),
    Definition(
        "contrast_constant", "Contrast for a constant image", CHECKERBOARD,
        "Amplitude of the repeating pattern in the logits of an image of one colour, relative to the logits. Away from "
        "the border such an image has no content, so all that varies comes from the network.",
        formula="sqrt(mean repeating^2 / mean map^2)",
        divides_by="The mean square of the logits, their mean included.",
        edge_cases="0 for logits of zeros. A border of 64 pixels is left out, where padding makes its own pattern.",
        source=_ODENA,
    ),
    Definition(
        "energy_images", "Local checkerboard energy in the logits of images", CHECKERBOARD,
        "Share of what varies within small windows of the logits of test images that repeats with the period.",
        formula="mean repeating^2 / mean (map - mean)^2, in windows of four periods",
        divides_by="What varies within the windows, over all classes and images.",
        void="Labels take no part.",
        edge_cases="Not 0 without a pattern either: an edge repeats a little too. Compare with energy_labels.",
        source=_ODENA,
    ),
    Definition(
        "energy_labels", "Local checkerboard energy of the labels", CHECKERBOARD,
        "The same share for the one-hot labels of the same images: what a network without any pattern would have.",
        divides_by="What varies within the windows, over all classes and images.",
        void="A void pixel is 0 in every class.",
        source=_ODENA,
    ),
)  # fmt: skip

OUTPUTS = CHECKPOINT_RULES + REFINEMENTS + CHECKERBOARDS
