"""Boundary counts under three protocols: ours beside ways made of OpenCV, SciPy and scikit-image; one thread.

    python benchmarks/boundary_metrics.py
    python benchmarks/boundary_metrics.py --classes 37

Set BENCH_CAMVID to the folder of CamVid for real labels; without it they are drawn.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # read when the libraries below are imported

from collections.abc import Callable, Iterable

import numpy as np
import pages
import torch
from command_line import run, script_arguments
from label_maps import Map, Maps, draw_maps, image_by_image, with_37_classes
from machine import description
from rounds import Way, measure, optional
from scipy import ndimage, sparse, spatial
from scipy.sparse.csgraph import maximum_flow
from skimage import morphology

from bench.evaluation.boundary import boundary_counts
from bench.evaluation.boundary_scores import STORED, boundary_f1, boundary_tolerance_px

IMAGES = 40

cv2 = optional("cv2")

Reach = Callable[[np.ndarray], np.ndarray]  # (H, W) bool boundary -> (H, W) bool, the pixels within reach of it


def disk(radius_px: float) -> np.ndarray:
    """Returns the pixels within a distance of the centre, bool."""
    reach = int(radius_px)
    return np.hypot(*np.mgrid[-reach : reach + 1, -reach : reach + 1]) <= radius_px


def class_boundaries(classes: Map, num_classes: int) -> Iterable[np.ndarray]:
    """(H, W) bool of each class: its 2x2 block (self, right, below, diagonal) is not constant."""
    padded = np.pad(classes, ((0, 1), (0, 1)), mode="edge")
    for k in range(num_classes):
        mask = padded == k
        a, b, c, d = mask[:-1, :-1], mask[:-1, 1:], mask[1:, :-1], mask[1:, 1:]
        yield (a | b | c | d) & ~(a & b & c & d)


def with_reach(near: Reach, num_classes: int) -> Callable[[Map, Map], np.ndarray]:
    """Protocols distance and davis: a pixel matches if it is within reach of the other boundary."""

    def compute(label: Map, prediction: Map) -> np.ndarray:
        rows = []
        pairs = zip(class_boundaries(label, num_classes), class_boundaries(prediction, num_classes), strict=True)
        for true, guess in pairs:
            near_true = near(true) if true.any() else true
            near_guess = near(guess) if guess.any() else guess
            rows.append([guess.sum(), true.sum(), (guess & near_true).sum(), (true & near_guess).sum()])
        return np.array(rows)

    return compute


def scipy_distance(tolerance_px: float) -> Reach:
    """Euclidean distance transform, then a threshold."""
    return lambda boundary: ndimage.distance_transform_edt(~boundary) <= tolerance_px


def skimage_dilation(around: np.ndarray) -> Reach:
    """Dilation by a disk."""
    return lambda boundary: morphology.dilation(boundary, around)


def opencv_dilation(around: np.ndarray) -> Reach:
    """Dilation by a disk."""
    return lambda boundary: cv2.dilate(boundary.view(np.uint8), around.astype(np.uint8)).view(bool)


def opencv_distance(tolerance_px: float) -> Reach:
    """Euclidean distance transform, then a threshold."""

    def near(boundary: np.ndarray) -> np.ndarray:
        away = cv2.distanceTransform((~boundary).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        return away <= tolerance_px

    return near


def scipy_flow(tolerance_px: float, num_classes: int) -> Callable[[Map, Map], np.ndarray]:
    """Protocol paper: the largest one-to-one matching, as a flow."""

    def compute(label: Map, prediction: Map) -> np.ndarray:
        rows = []
        pairs = zip(class_boundaries(label, num_classes), class_boundaries(prediction, num_classes), strict=True)
        for true, guess in pairs:
            lefts, rights = np.argwhere(guess), np.argwhere(true)
            matched = flow_matching(lefts, rights, tolerance_px) if len(lefts) and len(rights) else 0
            rows.append([len(lefts), len(rights), matched, matched])
        return np.array(rows)

    return compute


def flow_matching(lefts: np.ndarray, rights: np.ndarray, tolerance_px: float) -> int:
    """Size of the largest matching of two lists of (y, x), as a flow through unit edges."""
    near = spatial.cKDTree(lefts).sparse_distance_matrix(spatial.cKDTree(rights), tolerance_px, output_type="ndarray")
    source, sink = len(lefts) + len(rights), len(lefts) + len(rights) + 1
    left_ids, right_ids = np.arange(len(lefts)), len(lefts) + np.arange(len(rights))
    tails = np.concatenate([np.full(len(lefts), source), near["i"], right_ids])
    heads = np.concatenate([left_ids, len(lefts) + near["j"], np.full(len(rights), sink)])
    ones = np.ones(len(tails), dtype=np.int32)
    graph = sparse.csr_array((ones, (tails, heads)), shape=(sink + 1, sink + 1))
    return int(maximum_flow(graph, source, sink, method="dinic").flow_value)


def ways_of(protocol: str, maps: Maps) -> list[Way]:
    """Returns the ways to the counts of one protocol, ours first."""
    k, tolerance_px = maps.num_classes, boundary_tolerance_px(*maps.labels.shape[1:])

    def ours(label: Map, prediction: Map) -> np.ndarray:
        return boundary_counts(label[None], prediction[None], k, *STORED[protocol])[0]

    called = f"`bench.evaluation.boundary.boundary_counts(protocol='{protocol}')`"
    found = [image_by_image("ours", f"{called}, which checks its input", ours, maps, 40)]
    if protocol == "paper":
        meaning = "neighbours from a KD-tree, then `maximum_flow(method='dinic')` with unit capacities, class by class"
        found.append(image_by_image("SciPy flow", meaning, scipy_flow(tolerance_px, k), maps, 2))
        return found
    around = disk(np.ceil(tolerance_px) if protocol == "davis" else tolerance_px)
    reaches: list[tuple[str, str, Reach, int]] = []
    if cv2:
        meaning = "`dilate` by the disk, class by class, as the DAVIS toolkit of 2017"
        reaches.append(("OpenCV dilation", meaning, opencv_dilation(around), 20))
    if protocol == "distance":
        threshold = "then a threshold, class by class"
        if cv2:
            meaning = f"`distanceTransform(DIST_MASK_PRECISE)`, {threshold}"
            reaches.append(("OpenCV distance", meaning, opencv_distance(tolerance_px), 4))
        meaning = f"`distance_transform_edt`, {threshold}; most code that one finds does this"
        reaches.append(("SciPy distance", meaning, scipy_distance(tolerance_px), 4))
    meaning = "`dilation` by the disk, class by class, as the first DAVIS toolkit"
    reaches.append(("scikit-image dilation", meaning, skimage_dilation(around), 2))
    return found + [
        image_by_image(name, meaning, with_reach(near, k), maps, images) for name, meaning, near, images in reaches
    ]


def all_counts(maps: Maps) -> Way:
    """Returns our way to everything that results hold of one image."""

    def compute(label: Map, prediction: Map) -> np.ndarray:
        every = [boundary_counts(label[None], prediction[None], maps.num_classes, *how)[0] for how in STORED.values()]
        return np.stack(every)

    return image_by_image("ours", f"the counts of {', '.join(STORED)}, one after the other", compute, maps, 40)


def scores(maps: Maps) -> str:
    """Returns a table of what the protocols make of these maps, in percent."""
    rows = []
    for name, how in STORED.items():
        counts = boundary_counts(maps.labels, maps.predictions, maps.num_classes, *how)
        rows.append([name, *[f"{boundary_f1(counts, divisor).boundary_f1:.2%}" for divisor in ("union", "gt")]])
    return pages.table(["protocol", "BF, divisor union", "BF, divisor gt"], rows)


def main(arguments: list[str]) -> None:
    """Prints the tables of each protocol and number of classes."""
    parser = script_arguments(str(__doc__).partition("\n")[0], rounds=5)
    parser.add_argument("--classes", type=int, choices=(11, 37), help="only with so many classes")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    if cv2:
        cv2.setNumThreads(1)
    maps = draw_maps(2 if options.quick else IMAGES, quick=options.quick)
    rounds = 1 if options.quick else options.rounds
    height, width = maps.labels.shape[1:]
    pages.show(
        "## Boundary metrics",
        "" if options.section else description(),
        f"{maps.origin}: {len(maps.labels)} label maps of {height}×{width} and as many predictions; tolerance "
        f"{boundary_tolerance_px(height, width):.3g} px; one thread. What is timed are the counts of boundary pixels "
        "and matches of every class of one image. With 37 classes the maps are the same, each class numbered anew in "
        f"each of four vertical stripes. All ways give the same counts, or nothing is printed. {pages.load()}",
        pages.left_out({"OpenCV": cv2}),
    )
    for kind in (maps, with_37_classes(maps)):
        if options.classes not in (None, kind.num_classes):
            continue
        tables = {f"Protocol `{protocol}`": ways_of(protocol, kind) for protocol in ("paper", "distance", "davis")}
        tables["All six counts that results hold"] = [all_counts(kind)]
        for title, ways in tables.items():
            measured = measure(ways, rounds, warm_up=False)
            pages.show(f"### {title}, {kind.num_classes} classes", pages.timing_table(measured, "image"))
            pages.show(pages.caption(rounds, measured.others_share), pages.meanings(ways) if kind is maps else "")
    pages.show("### What the protocols make of these maps, 11 classes", scores(maps))


if __name__ == "__main__":
    run(main)
