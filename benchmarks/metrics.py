"""Speed of our metrics beside what one would use instead: one thread, 360x480, 11 classes.

    python benchmarks/metrics.py              # every table
    python benchmarks/metrics.py boundary     # those with this word in their title

Set BENCH_CAMVID to a folder with CamVid's testannot/ for real labels; without it they are drawn
(RoadScenes). Predictions are the labels with void filled, moved, bent and spotted, so that boundaries are
neither equal nor lost. In every round each way runs once over its images, one way after the other, so
that a busy moment hits all of them; printed are the median over the rounds and the range. Ways that count
the same thing must agree to the last pixel, or the script stops.
"""

from __future__ import annotations

import importlib.util
import os

os.environ["OMP_NUM_THREADS"] = "1"  # read when the libraries below are imported

import platform
import sys
import time
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from scipy import ndimage, sparse, spatial
from scipy.sparse.csgraph import maximum_flow
from skimage import morphology
from sklearn.metrics import confusion_matrix  # type: ignore[import-untyped]
from torchmetrics.classification import MulticlassConfusionMatrix

from bench.data import DATASETS
from bench.evaluation.boundary import STORED, boundary_counts, boundary_f1, boundary_tolerance_px
from bench.evaluation.confusion import confusion_counts

cv2: Any = importlib.import_module("cv2") if importlib.util.find_spec("cv2") else None  # not a dependency

HEIGHT, WIDTH, K, VOID = 360, 480, 11, 255
ROUNDS = 5
TOLERANCE_PX = boundary_tolerance_px(HEIGHT, WIDTH)
DISK = np.hypot(*np.mgrid[-4:5, -4:5]) <= TOLERANCE_PX
DAVIS_DISK = np.hypot(*np.mgrid[-5:6, -5:6]) <= 5  # the tolerance rounded up
VERSIONS = ("numpy", "numba", "scipy", "scikit-image", "scikit-learn", "torch", "torchmetrics")

Map = Any  # (H, W) uint8


class Way(NamedTuple):
    """One way to compute something: a function of one label map and one prediction, and how many images."""

    name: str
    compute: Callable[[Map, Map], np.ndarray]
    images: int


# ---- maps ---------------------------------------------------------------------------------------------


def label_maps(number: int) -> tuple[str, np.ndarray]:
    """Where the labels come from, and (N, H, W) of them."""
    if "BENCH_CAMVID" not in os.environ:
        options = {"train": 1, "val": 1, "test": number, "seed": 1511}
        return "RoadScenes, test", DATASETS["road_scenes"].load("test", HEIGHT, WIDTH, options).labels
    files = sorted((Path(os.environ["BENCH_CAMVID"]) / "testannot").glob("*.png"))
    labels = np.stack([np.asarray(Image.open(file)) for file in files[:: len(files) // number][:number]])
    return "CamVid, test", np.where(labels == K, VOID, labels).astype(np.uint8)


def bent(label: Map, rng: np.random.Generator) -> Map:
    """A prediction whose boundaries wander by a few pixels, with some wrong patches."""
    field = ndimage.zoom(rng.normal(size=(2, HEIGHT // 30, WIDTH // 30)), (1, 30, 30), order=1) * 3
    y, x = np.mgrid[:HEIGHT, :WIDTH] + field + rng.integers(-2, 3, (2, 1, 1))
    prediction = label[np.clip(y, 0, HEIGHT - 1).astype(int), np.clip(x, 0, WIDTH - 1).astype(int)]
    for _ in range(10):
        top, left, size = rng.integers(0, HEIGHT - 30), rng.integers(0, WIDTH - 30), rng.integers(5, 30)
        prediction[top : top + size, left : left + size] = rng.integers(0, K)
    prediction[prediction == VOID] = rng.integers(0, K)
    return prediction


# ---- confusion matrix ---------------------------------------------------------------------------------


def ours_confusion(label: Map, prediction: Map) -> np.ndarray:
    """Ours."""
    return confusion_counts(label[None], prediction[None], K)[0]


def numpy_code(label: Map, prediction: Map) -> np.ndarray:
    """One 16-bit code a pixel, void included and cut off afterwards."""
    code = label.astype(np.uint16) * 256 + prediction
    return np.bincount(code.ravel(), minlength=65536).reshape(256, 256)[:K, :K]


def numpy_mask(label: Map, prediction: Map) -> np.ndarray:
    """The usual numpy lines: drop void, then count label * K + prediction."""
    kept = label < K
    return np.bincount(label[kept].astype(np.int64) * K + prediction[kept], minlength=K * K).reshape(K, K)


def sklearn_confusion(label: Map, prediction: Map) -> np.ndarray:
    """scikit-learn on the pixels that are not void."""
    kept = label < K
    return confusion_matrix(label[kept], prediction[kept], labels=range(K))


def torchmetrics_confusion(validate_args: bool) -> Callable[[Map, Map], np.ndarray]:
    """torchmetrics, which drops void by itself."""
    metric = MulticlassConfusionMatrix(K, ignore_index=VOID, validate_args=validate_args)

    def compute(label: Map, prediction: Map) -> np.ndarray:
        metric.reset()
        metric.update(torch.from_numpy(prediction), torch.from_numpy(label))
        return metric.confmat.numpy()

    return compute


def torch_histc(label: Map, prediction: Map) -> np.ndarray:
    """mmsegmentation's way: histograms of the intersection and of both maps; no full matrix."""
    kept = torch.from_numpy(label) != VOID
    target, guess = torch.from_numpy(label)[kept], torch.from_numpy(prediction)[kept]
    areas = [torch.histc(a.float(), bins=K, min=0, max=K - 1) for a in (guess[guess == target], guess, target)]
    return torch.stack(areas).long().numpy()


def areas_of(counts: np.ndarray) -> np.ndarray:
    """(3, K) of a confusion matrix: intersection, predicted and labelled pixels."""
    return np.stack([np.diagonal(counts), counts.sum(axis=0), counts.sum(axis=1)])


# ---- boundary -----------------------------------------------------------------------------------------


def ours_boundary(protocol: Any) -> Callable[[Map, Map], np.ndarray]:
    """Ours, (K, 4)."""
    return lambda label, prediction: boundary_counts(label[None], prediction[None], K, protocol)[0]


def ours_stored(label: Map, prediction: Map) -> np.ndarray:
    """Everything that results hold of one image, (6, K, 4): three protocols under two void rules."""
    return np.stack([boundary_counts(label[None], prediction[None], K, *how)[0] for how in STORED.values()])


def class_boundaries(classes: Map) -> Iterable[np.ndarray]:
    """(H, W) bool of each class: its 2x2 block (self, right, below, diagonal) is not constant."""
    padded = np.pad(classes, ((0, 1), (0, 1)), mode="edge")
    for k in range(K):
        mask = padded == k
        a, b, c, d = mask[:-1, :-1], mask[:-1, 1:], mask[1:, :-1], mask[1:, 1:]
        yield (a | b | c | d) & ~(a & b & c & d)


def with_nearness(near: Callable[[np.ndarray], np.ndarray]) -> Callable[[Map, Map], np.ndarray]:
    """Protocol distance or davis, where near(boundary) is the (H, W) area within reach of a boundary."""

    def compute(label: Map, prediction: Map) -> np.ndarray:
        rows = []
        for true, guess in zip(class_boundaries(label), class_boundaries(prediction), strict=True):
            near_true = near(true) if true.any() else true
            near_guess = near(guess) if guess.any() else guess
            rows.append([guess.sum(), true.sum(), (guess & near_true).sum(), (true & near_guess).sum()])
        return np.array(rows)

    return compute


def scipy_near(boundary: np.ndarray) -> np.ndarray:
    """Euclidean distance transform, then a threshold."""
    return ndimage.distance_transform_edt(~boundary) <= TOLERANCE_PX


def skimage_dilate(disk: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Dilation by the disk, the way of the first DAVIS toolkit."""
    return lambda boundary: morphology.dilation(boundary, disk)


def opencv_dilate(disk: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Dilation by the disk, the way of the DAVIS toolkit of 2017."""
    return lambda boundary: cv2.dilate(boundary.view(np.uint8), disk.astype(np.uint8)).view(bool)


def opencv_distance(boundary: np.ndarray) -> np.ndarray:
    """Euclidean distance transform, then a threshold."""
    away = cv2.distanceTransform((~boundary).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return away <= TOLERANCE_PX


def scipy_flow(label: Map, prediction: Map) -> np.ndarray:
    """Protocol paper: neighbours from a KD-tree, maximum flow with unit capacities (Dinic)."""
    rows = []
    for true, guess in zip(class_boundaries(label), class_boundaries(prediction), strict=True):
        lefts, rights = np.argwhere(guess), np.argwhere(true)
        matched = flow_matching(lefts, rights) if len(lefts) and len(rights) else 0
        rows.append([len(lefts), len(rights), matched, matched])
    return np.array(rows)


def flow_matching(lefts: np.ndarray, rights: np.ndarray) -> int:
    """Size of the largest matching of two lists of (y, x), as a flow through unit edges."""
    near = spatial.cKDTree(lefts).sparse_distance_matrix(spatial.cKDTree(rights), TOLERANCE_PX, output_type="ndarray")
    source, sink = len(lefts) + len(rights), len(lefts) + len(rights) + 1
    left_ids, right_ids = np.arange(len(lefts)), len(lefts) + np.arange(len(rights))
    tails = np.concatenate([np.full(len(lefts), source), near["i"], right_ids])
    heads = np.concatenate([left_ids, len(lefts) + near["j"], np.full(len(rights), sink)])
    ones = np.ones(len(tails), dtype=np.int32)
    graph = sparse.csr_array((ones, (tails, heads)), shape=(sink + 1, sink + 1))
    return int(maximum_flow(graph, source, sink, method="dinic").flow_value)


# ---- measuring ----------------------------------------------------------------------------------------


def measure(ways: list[Way], labels: np.ndarray, predictions: np.ndarray) -> list[list[float]]:
    """Seconds an image of each way, one value a round; the first, unmeasured call warms up and compiles."""
    for way in ways:
        way.compute(labels[0], predictions[0])
    seconds: list[list[float]] = [[] for _ in ways]
    for _ in range(ROUNDS):
        for way, record in zip(ways, seconds, strict=True):
            start = time.perf_counter()
            for label, prediction in zip(labels[: way.images], predictions[: way.images], strict=True):
                way.compute(label, prediction)
            record.append((time.perf_counter() - start) / way.images)
    return seconds


def check(ways: list[Way], labels: np.ndarray, predictions: np.ndarray) -> None:
    """Stops unless every way gives what the first, ours, gives; two images each."""
    for label, prediction in zip(labels[:2], predictions[:2], strict=True):
        expected = ways[0].compute(label, prediction)
        for way in ways[1:]:
            got = way.compute(label, prediction)
            wanted = areas_of(expected) if got.shape == (3, K) else expected
            assert np.array_equal(got, wanted), f"{way.name} disagrees with {ways[0].name}"


def print_table(title: str, ways: list[Way], seconds: list[list[float]]) -> None:
    """One line a way: median, range, rate, and how many times faster ours is."""
    print(f"\n{title:45} {'ms/image':>9} {'range':>17} {'images/s':>9} {'to ours':>8} {'images':>7}")
    ours = float(np.median(seconds[0]))
    for way, record in zip(ways, seconds, strict=True):
        typical = float(np.median(record))
        spread = f"{min(record) * 1e3:.3g} .. {max(record) * 1e3:.3g}"
        times = f"{typical / ours:.1f}x" if way is not ways[0] else ""
        print(f"{way.name:45} {typical * 1e3:9.3g} {spread:>17} {1 / typical:9.0f} {times:>8} {way.images:7}")


def main() -> None:
    """Prints what is measured and on what, then the tables."""
    torch.set_num_threads(1)
    if cv2 is not None:
        cv2.setNumThreads(1)
    source, labels = label_maps(40)
    rng = np.random.default_rng(0)
    predictions = np.stack([bent(label, rng) for label in labels])
    print(f"{source}: {len(labels)} label maps of {HEIGHT}x{WIDTH}, {K} classes; one thread; {ROUNDS} rounds")
    print(f"{processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {platform.platform()}")
    versions = [f"{name} {metadata.version(name)}" for name in VERSIONS]
    versions += [f"opencv {cv2.__version__}"] if cv2 is not None else []
    print(f"python {platform.python_version()}, {', '.join(versions)}")

    opencv = cv2 is not None
    tables = {
        "confusion matrix": [
            Way("ours", ours_confusion, 40),
            Way("numpy, 16-bit code, bincount", numpy_code, 40),
            Way("numpy, mask, int64 bincount", numpy_mask, 40),
            Way("torchmetrics, validate_args=False", torchmetrics_confusion(False), 20),
            Way("torchmetrics, as it comes", torchmetrics_confusion(True), 20),
            Way("torch.histc (mmsegmentation; areas only)", torch_histc, 20),
            Way("scikit-learn", sklearn_confusion, 5),
        ],
        "boundary, protocol distance": [
            Way("ours", ours_boundary("distance"), 40),
            *([Way("OpenCV dilate", with_nearness(opencv_dilate(DISK)), 20)] if opencv else []),
            *([Way("OpenCV distance transform", with_nearness(opencv_distance), 5)] if opencv else []),
            Way("SciPy distance transform", with_nearness(scipy_near), 5),
            Way("scikit-image dilation", with_nearness(skimage_dilate(DISK)), 5),
        ],
        "boundary, protocol davis": [
            Way("ours", ours_boundary("davis"), 40),
            *(
                [Way("OpenCV dilate (davis2017-evaluation)", with_nearness(opencv_dilate(DAVIS_DISK)), 20)]
                if opencv
                else []
            ),
            Way("scikit-image dilation", with_nearness(skimage_dilate(DAVIS_DISK)), 5),
        ],
        "boundary, protocol paper": [
            Way("ours", ours_boundary("paper"), 40),
            Way("SciPy KD-tree and maximum_flow (Dinic)", scipy_flow, 2),
        ],
        "boundary, all six counts that are stored": [Way("ours", ours_stored, 40)],
    }
    for title, ways in tables.items():
        if not any(word in title for word in sys.argv[1:] or [""]):
            continue
        check(ways, labels, predictions)
        print_table(title, ways, measure(ways, labels, predictions))

    print("\nboundary F1 of these maps (percent)            union      gt")
    for name, how in STORED.items():
        counts = boundary_counts(labels, predictions, K, *how)
        scores = [boundary_f1(counts, divisor).boundary_f1 for divisor in ("union", "gt")]
        print(f"{name:45} {scores[0] * 100:7.2f} {scores[1] * 100:7.2f}")


def processor() -> str:
    """Model of the processor as the system names it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
