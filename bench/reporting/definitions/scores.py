"""What the scores mean, as data: region scores, boundary F1, the rules they come with, class weights.

Legend of the formulas: n_ij pixels labelled i and predicted j; K classes; void pixels are in no n_ij.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Definition:
    """What one metric, rule, protocol or mark means; a text is empty where there is nothing to say.

    Attributes:
        name: as in results or on the command line.
        title: its name in tables and figures.
        group: the heading it stands under.
        meaning: one or two sentences.
        formula: plain text.
        divides_by: what the value or a mean in it is divided by.
        void: what unlabelled pixels do.
        edge_cases: values that do not exist, classes that do not occur.
        source: paper section, released script or other.
        deviation: where this project departs from the paper or from the released script.
        also: other names that find it.
    """

    name: str
    title: str
    group: str
    meaning: str
    formula: str = ""
    divides_by: str = ""
    void: str = ""
    edge_cases: str = ""
    source: str = ""
    deviation: str = ""
    also: tuple[str, ...] = ()


REGIONS, RULES, BOUNDARY = "Region scores", "Region rules", "Boundary F1"
PROTOCOLS, DIVISORS, CLASSES = "Boundary protocols", "Boundary divisors", "Classes and loss weights"

_RELEASED_REGIONS = "released script SegNet-Tutorial, Scripts/compute_test_results.m"
_RELEASED_BOUNDARY = "released script SegNet-Tutorial, Scripts/computeBFmeasure.m"
_VOID_REMOVED = "Pixels with a void label are removed from labels and prediction before anything is counted."
_KEPT = (
    "Kept: void is in no class, so an edge against void is an edge of the labels, and what is predicted inside void "
    "has boundaries too, which can match the outline of the region alone."
)
_MASKED = (
    "Masked: a 2x2 block with a void pixel of the labels has no boundary, in labels and prediction, for every class. "
    "What is predicted inside void is never read."
)
_MASKED_REASON = (
    "The paper and its script keep void. Setting the prediction to void inside void regions, as some evaluations do, "
    "would copy the outline of each region into the prediction, where it matches that of the labels although no "
    "network found it; leaving these blocks out does not."
)

REGION_SCORES = (
    Definition(
        "global_accuracy", "G, global accuracy", REGIONS,
        "Share of the labelled pixels of a split that are predicted right.",
        formula="G = sum_i n_ii / sum_ij n_ij",
        divides_by="The labelled pixels of the whole split.",
        void=_VOID_REMOVED,
        edge_cases="No labelled pixel: NaN.",
        source=f"paper §3.3; {_RELEASED_REGIONS}.",
        also=("G",),
    ),
    Definition(
        "class_average_accuracy", "C, class average accuracy", REGIONS,
        "Share of the pixels of a class that are found, averaged over the classes.",
        formula="C = 1/K sum_i n_ii / sum_j n_ij",
        divides_by="K, the number of classes of the data set, whether they occur or not (rule authors).",
        void=_VOID_REMOVED,
        edge_cases="A class without a labelled pixel adds 0. No labelled pixel at all: NaN.",
        source=f"paper §3.3; {_RELEASED_REGIONS}, which divides by the fixed class count.",
        also=("C",),
    ),
    Definition(
        "mean_iou", "mIoU, mean intersection over union", REGIONS,
        "Pixels both labelled and predicted as a class, divided by those that are either; the mean over the classes. "
        "From one confusion matrix of the whole split, not image by image.",
        formula="mIoU = 1/K sum_i n_ii / (sum_j n_ij + sum_j n_ji - n_ii)",
        divides_by="K, the number of classes of the data set, whether they occur or not (rule authors).",
        void=_VOID_REMOVED + " So a class predicted on void costs nothing.",
        edge_cases="A class that occurs neither in labels nor in predictions adds 0. No labelled pixel at all: NaN.",
        source=f"paper §3.3; {_RELEASED_REGIONS}.",
        also=("mIoU",),
    ),
    Definition(
        "class_accuracy", "Accuracy of a class", REGIONS,
        "Share of the pixels labelled as the class that are predicted as it (recall).",
        formula="n_ii / sum_j n_ij",
        divides_by="The pixels labelled as the class.",
        void=_VOID_REMOVED,
        edge_cases="NaN for a class without a labelled pixel.",
        source=f"paper Tables 2 and 5; {_RELEASED_REGIONS}.",
        also=("accuracy",),
    ),
    Definition(
        "class_iou", "IoU of a class", REGIONS,
        "Pixels both labelled and predicted as the class, divided by those that are either.",
        formula="n_ii / (sum_j n_ij + sum_j n_ji - n_ii)",
        divides_by="The pixels labelled or predicted as the class.",
        void=_VOID_REMOVED,
        edge_cases="0 for a class that is predicted but never labelled; NaN for one that occurs nowhere.",
        source=f"{_RELEASED_REGIONS}. The paper prints accuracy per class only.",
        also=("iou",),
    ),
)  # fmt: skip

REGION_RULES = (
    Definition(
        "authors", "Region rule authors (default)", RULES,
        "Void removed from both maps; one confusion matrix of the split; sums over classes divided by the fixed K.",
        divides_by="K, the number of classes of the data set.",
        void=_VOID_REMOVED,
        edge_cases="A class that does not occur adds 0 to C and to mIoU.",
        source=f"{_RELEASED_REGIONS}.",
        also=("fixed",),
    ),
    Definition(
        "present", "Region rule present", RULES,
        "As authors, but a mean over classes takes only those whose value exists.",
        divides_by="For C the classes with a labelled pixel, for mIoU those that are labelled or predicted.",
        void=_VOID_REMOVED,
        edge_cases="A class that occurs nowhere is left out; one that is only predicted counts with 0 in mIoU alone.",
        source="other: scikit-learn and torchmetrics, macro average with the void class ignored.",
        deviation="Not the paper's rule. The same as authors where every class is labelled, as in CamVid's test split.",
    ),
    Definition(
        "per-image", "Region rule per-image", RULES,
        "G, C and mIoU of each image by the rule present; then the mean over the images.",
        divides_by="In each image as present; then the number of images.",
        void=_VOID_REMOVED,
        edge_cases="Every image weighs the same, whatever its share of void; one without a labelled pixel is left out.",
        source="other: scores of single images as in Csurka et al., BMVC 2013, which the paper follows for BF alone.",
        deviation="Not the paper's rule, which takes one confusion matrix of the whole split.",
    ),
    Definition(
        "frequency-weighted", "Region rule frequency-weighted", RULES,
        "IoU weighted by how many labelled pixels a class has. It changes mIoU alone; G and C are as authors.",
        formula="sum_i (sum_j n_ij / sum_kj n_kj) IoU_i",
        divides_by="The labelled pixels of the split.",
        void=_VOID_REMOVED,
        edge_cases="A class without a labelled pixel has weight 0.",
        source="other: frequency weighted IU of Long et al., CVPR 2015.",
        deviation="Not the paper's rule. Large classes decide it; thin ones such as poles hardly count.",
    ),
    Definition(
        "classes", "Class subset (--classes)", RULES,
        "Scores over some of the classes. A pixel labelled with another class is treated as void.",
        formula="IoU_i = n_ii / (labelled_i + predicted_i among the kept pixels - n_ii)",
        divides_by="The number of classes in the subset.",
        void="Void, and every pixel labelled outside the subset, is left out.",
        edge_cases="A prediction outside the subset on a kept pixel is a miss of the labelled class and counts for no "
        "other. BF is the mean over the classes of the subset, then over the images in which one of them counts; its "
        "boundary pixels are those of the whole maps.",
        source="other: a rule of this project; the paper scores all classes.",
        also=("class-subset",),
    ),
)  # fmt: skip

BOUNDARY_SCORES = (
    Definition(
        "boundary_f1", "BF, boundary F1", BOUNDARY,
        "F1 of predicted against labelled boundary pixels of each class in each image; the mean over classes, then "
        "over images. What counts as boundary, as match, as class and as void is the protocol, which is part of the "
        "number: values under two protocols do not compare.",
        formula="P = matched predicted / predicted; R = matched labelled / labelled; F1 = 2 P R / (P + R)",
        divides_by="In an image, the classes of the divisor (union unless said otherwise); then the number of images.",
        void="A part of the protocol: kept, or left out by the ones named void-masked.",
        edge_cases="F1 is 0 where P + R is 0. An image in which no class counts adds 0, as in the script.",
        source=f"paper §3.3 (after Csurka et al., BMVC 2013); {_RELEASED_BOUNDARY}.",
        deviation="The tolerance is 0.75 % of the diagonal of the maps that are scored, so BF at two image sizes does "
        "not compare. The script scales predictions to 360x480 first.",
        also=("BF",),
    ),
    Definition(
        "class_boundary_f1", "Boundary F1 of a class", BOUNDARY,
        "The mean of the F1 of one class over the images in which it counts.",
        divides_by="The images in which the class counts under the divisor.",
        edge_cases="NaN for a class that counts in no image. The mean of these over classes is not BF, which "
        "averages within each image first.",
        source="other: the parts of BF; the paper prints none per class.",
    ),
    Definition(
        "boundary", "Boundary pixel", BOUNDARY,
        "A pixel is on the boundary of a class where the mask of the class is not constant on its 2x2 block: the "
        "pixel, its right, lower and lower right neighbour. The last row and column use what they have.",
        void="See kept and masked.",
        edge_cases="The frame of the image is no boundary. A part one pixel wide has a boundary two pixels wide.",
        source=f"{_RELEASED_BOUNDARY}, through seg2bdry of the BSDS benchmark with imageSize. The paper does not say.",
    ),
    Definition(
        "tolerance", "Boundary tolerance", BOUNDARY,
        "How far apart two boundary pixels of a class may lie to match: 0.75 % of the image diagonal, 4.5 px at "
        "360x480, 1.125 px at 90x120; compared exactly, in whole squared pixels.",
        formula="0.0075 sqrt(H^2 + W^2)",
        source=f"paper §3.3; {_RELEASED_BOUNDARY}.",
    ),
    Definition(
        "kept", "Void rule kept (default)", BOUNDARY,
        _KEPT,
        source=f"{_RELEASED_BOUNDARY}, which does nothing about void. The paper does not say.",
    ),
    Definition(
        "masked", "Void rule masked", BOUNDARY,
        _MASKED + " A prediction that is right wherever there are labels scores 1.",
        edge_cases="A true edge that meets void loses the pixels whose block touches it.",
        source="other: a rule of this project.",
        deviation=_MASKED_REASON,
    ),
)  # fmt: skip

_ONE_TO_ONE = (
    "Predicted and labelled boundary pixels are matched one to one within the tolerance; the largest such matching "
    "counts."
)
_ANY_NEAR = "A boundary pixel matches where any boundary pixel of its class in the other map lies within the tolerance."
_DAVIS = "As distance, with the tolerance rounded up to a whole pixel: 5 px at 360x480, 2 px at 90x120."
_APPROXIMATE = (
    "The script calls correspondPixels, which approximates a minimum-cost assignment and may leave out a match. The "
    "matching here is exact, so that a score can only be as high or higher."
)
_NOT_THE_PAPERS = (
    "Not the paper's BF. Several pixels may match the same one, so values are at least as high as under one-to-one "
    "matching."
)
_DAVIS_TOLERANCE = "DAVIS takes 0.8 % of the diagonal before it rounds up; here it is 0.75 %, as in the paper."
_MATLAB = "other: most re-implementations, such as MATLAB's bfscore."
_DAVIS_CODE = "other: davis2017-evaluation, f_measure."


def _both_void_rules(name: str, meaning: str, source: str, deviation: str, formula: str = "") -> tuple[Definition, ...]:
    """Returns a protocol under both void rules."""
    divisor = "union or gt score the same counts; results hold union."
    default = " (default)" if name == "paper" else ""
    masked_source = f"{source} The void rule is this project's."
    return (
        Definition(
            name, f"BF protocol {name}{default}", PROTOCOLS, meaning,
            formula=formula, divides_by=divisor, void=_KEPT, source=source, deviation=deviation,
        ),
        Definition(
            f"{name}-void-masked", f"BF protocol {name}-void-masked", PROTOCOLS, meaning,
            formula=formula, divides_by=divisor, void=_MASKED, source=masked_source,
            deviation=f"{deviation} {_MASKED_REASON}",
        ),
    )  # fmt: skip


_PAPER = _both_void_rules(
    "paper", _ONE_TO_ONE, f"paper §3.3; {_RELEASED_BOUNDARY}.", _APPROXIMATE, "F1 = 2 M / (predicted + labelled)"
)
_DISTANCE = _both_void_rules("distance", _ANY_NEAR, _MATLAB, _NOT_THE_PAPERS)
_DAVIS_RULES = _both_void_rules("davis", _DAVIS, _DAVIS_CODE, f"{_NOT_THE_PAPERS} {_DAVIS_TOLERANCE}")

BOUNDARY_PROTOCOLS = (
    *(pair[0] for pair in (_PAPER, _DISTANCE, _DAVIS_RULES)),
    *(pair[1] for pair in (_PAPER, _DISTANCE, _DAVIS_RULES)),
)

BOUNDARY_DIVISORS = (
    Definition(
        "union", "Divisor union (default)", DIVISORS,
        "In an image a class counts where it has a boundary in the labels or in the prediction.",
        divides_by="The classes with a boundary in either map. A class that is only imagined counts with 0.",
        source=f"{_RELEASED_BOUNDARY}: what its code does.",
        deviation="The paper's text, and a comment in the script, say ground truth only; what the script computes is "
        "followed.",
    ),
    Definition(
        "gt", "Divisor gt", DIVISORS,
        "In an image a class counts where it has a boundary in the labels.",
        divides_by="The classes with a boundary in the labels. A class that is only imagined costs nothing.",
        source="paper §3.3, the text.",
        deviation="Not what the released script computes.",
    ),
)  # fmt: skip

CLASS_WEIGHTS = (
    Definition(
        "class_frequency", "Class frequency", CLASSES,
        "How much of the images that contain a class is labelled as it.",
        formula="freq(c) = pixels labelled c / all pixels of the images that contain c",
        divides_by="All pixels, void included, of the images that contain the class.",
        void="Counts in the divisor: only so do the weights known for the released labels come out.",
        edge_cases="0 for a class that never occurs.",
        source="paper §3.2, after Eigen & Fergus, ICCV 2015.",
    ),
    Definition(
        "class_weight", "Class weight, median frequency balancing", CLASSES,
        "The weight of a class in the loss. Under natural frequency it is 1 for all.",
        formula="weight(c) = median of the frequencies / freq(c)",
        divides_by="The frequency of the class in the training split.",
        void="A void pixel adds nothing to the loss.",
        edge_cases="A class that never occurs has weight 0 and takes no part in the median.",
        source="paper §3.2.",
        deviation="The eleven weights in the authors' files do not follow from the released labels by this formula; "
        "they can be chosen as median_frequency_official.",
        also=("median_frequency", "weighting"),
    ),
)  # fmt: skip

SCORES = REGION_SCORES + REGION_RULES + BOUNDARY_SCORES + BOUNDARY_PROTOCOLS + BOUNDARY_DIVISORS + CLASS_WEIGHTS
