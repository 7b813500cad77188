"""Dense CRF of one 360x480 image, 10 iterations: ours beside pydensecrf2 (the authors' C++ code); one thread.

    python benchmarks/dense_crf.py
    python benchmarks/dense_crf.py --classes 37

Set BENCH_CAMVID to the folder of CamVid for real images; without it they are drawn.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # read when the libraries below are imported

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pages
from command_line import run, script_arguments
from label_maps import FULL, QUICK
from machine import description
from rounds import Way, measure, optional

from bench.data import DATASETS, IGNORE_INDEX
from bench.evaluation.dense_crf import ITERATIONS, CrfParameters, build_kernels, dense_crf, infer, smoothness_kernel
from bench.results.provenance import ROOT
from bench.study.config import load_study

IMAGES = 4
PARAMETERS = CrfParameters(w1=4, theta_alpha=49, theta_beta=5)  # defaults of DeepLab's public script
AGREEING = 0.97  # share of pixels with the same label: two lattices lie differently over the image

densecrf = optional("pydensecrf.densecrf")

Image, Unary = Any, Any  # (H, W, 3) uint8, (K, H, W) float32


class Scenes(NamedTuple):
    """(N, H, W, 3) images, (N, K, H, W) unaries, and what the images are."""

    images: np.ndarray
    unaries: np.ndarray
    origin: str


def draw_scenes(num_classes: int, *, quick: bool) -> Scenes:
    """Returns images, real ones where BENCH_CAMVID names the folder of CamVid, and noisy unaries by their labels."""
    height, width = QUICK if quick else FULL
    number = 1 if quick else IMAGES
    if "BENCH_CAMVID" in os.environ and not quick:
        options = load_study(ROOT / "bench.yaml").datasets["camvid"].options
        split, origin = DATASETS["camvid"].load("test", height, width, options), "CamVid, test"
    else:
        options = {"train": 1, "val": 1, "test": number, "seed": 1511}
        split, origin = DATASETS["road_scenes"].load("test", height, width, options), "RoadScenes, test"
    every = slice(0, None, max(1, len(split.images) // number))
    images, labels = split.images[every][:number], split.labels[every][:number]
    likely = np.random.default_rng(0).random((number, num_classes, height, width), dtype=np.float32) + np.float32(0.2)
    for k in range(num_classes):
        likely[:, k] += labels == k
    likely[:, 0] += labels == IGNORE_INDEX
    return Scenes(images, -np.log(likely / likely.sum(axis=1, keepdims=True)), origin)


def ours(image: Image, unary: Unary) -> np.ndarray:
    """Both lattices built anew, as for the first image of a size."""
    smoothness_kernel.cache_clear()
    return dense_crf(image, unary, PARAMETERS, normalisation="symmetric")


def ours_again(image: Image, unary: Unary) -> np.ndarray:
    """As for every other image of a size."""
    return dense_crf(image, unary, PARAMETERS, normalisation="symmetric")


def theirs(image: Image, unary: Unary) -> np.ndarray:
    """The same two kernels, and the normalisation that is the package's own choice."""
    height, width = image.shape[:2]
    field = densecrf.DenseCRF2D(width, height, len(unary))
    field.setUnaryEnergy(np.ascontiguousarray(unary).reshape(len(unary), -1))
    field.addPairwiseGaussian(sxy=PARAMETERS.theta_gamma, compat=PARAMETERS.w2)
    field.addPairwiseBilateral(
        sxy=PARAMETERS.theta_alpha, srgb=PARAMETERS.theta_beta, rgbim=np.array(image), compat=PARAMETERS.w1
    )
    return np.array(field.inference(ITERATIONS)).reshape(unary.shape)


def alike(expected: np.ndarray, got: np.ndarray) -> bool:
    """Says whether two label maps are the same but for a few pixels."""
    return bool((expected == got).mean() >= AGREEING)


def each(compute: Callable[[Image, Unary], Any], scenes: Scenes) -> list[Any]:
    """Returns what one way makes of each image."""
    return [compute(image, unary) for image, unary in zip(scenes.images, scenes.unaries, strict=True)]


def whole_ways(scenes: Scenes) -> list[Way]:
    """Returns the ways from an image and a unary to probabilities, ours first."""

    def way(name: str, meaning: str, compute: Callable[[Image, Unary], np.ndarray]) -> Way:
        def labels() -> np.ndarray:
            return compute(scenes.images[0], scenes.unaries[0]).argmax(axis=0)

        return Way(name, meaning, partial(each, compute, scenes), len(scenes.images), labels, alike)

    found = [
        way("ours", "`bench.evaluation.dense_crf.dense_crf`, both lattices built for every image", ours),
        way("ours, second image", "the same; the smoothness kernel of this image size is kept", ours_again),
    ]
    if densecrf:
        found.append(way("pydensecrf2", "`DenseCRF2D` with both pairwise terms and `inference(10)`", theirs))
    return found


def part_ways(scenes: Scenes) -> list[Way]:
    """Returns the parts of ours."""
    weights = (PARAMETERS.w1, PARAMETERS.w2)
    kernels = [build_kernels(image, PARAMETERS) for image in scenes.images]

    def build(image: Image, _: Unary) -> None:
        smoothness_kernel.cache_clear()
        build_kernels(image, PARAMETERS)

    def iterate() -> None:
        for unary, pair in zip(scenes.unaries, kernels, strict=True):
            infer(unary, pair, weights)

    count = len(scenes.images)
    return [
        Way(
            "ours: both kernels",
            "`build_kernels`: lattices and their normalisation",
            partial(each, build, scenes),
            count,
        ),
        Way("ours: mean field", f"`infer`: {ITERATIONS} iterations", iterate, count),
    ]


def main(arguments: list[str]) -> None:
    """Prints the tables of each number of classes."""
    parser = script_arguments(str(__doc__).partition("\n")[0], rounds=5)
    parser.add_argument("--classes", type=int, choices=(11, 37), help="only with so many classes")
    options = parser.parse_args(arguments)
    rounds = 1 if options.quick else options.rounds
    height, width = QUICK if options.quick else FULL
    pages.show("## Dense CRF", "" if options.section else description())
    for num_classes in (11, 37):
        if options.classes not in (None, num_classes):
            continue
        scenes = draw_scenes(num_classes, quick=options.quick)
        count = len(scenes.images)
        pages.show(
            f"### {num_classes} classes",
            f"{scenes.origin}: {count} image{'s' if count > 1 else ''} of {height}×{width}, unaries from the labels "
            f"with noise; {PARAMETERS}; symmetric normalisation; one thread. The labels of all ways agree in "
            f"{AGREEING:.0%} of the pixels, or nothing is printed. {pages.load()}",
            pages.left_out({"pydensecrf2": densecrf}),
        )
        for ways in (whole_ways(scenes), part_ways(scenes)):
            measured = measure(ways, rounds)
            pages.show(pages.timing_table(measured, "image"), pages.caption(rounds, measured.others_share))
            pages.show(pages.meanings(ways))


if __name__ == "__main__":
    run(main)
