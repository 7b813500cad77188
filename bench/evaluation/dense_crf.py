"""Fully connected CRF over the pixels of an image: mean field with two contrast-sensitive Gaussian kernels.

    E(x) = sum_i U_i(x_i) + sum_{i<j} [x_i != x_j] * (w1 k1(i, j) + w2 k2(i, j))
    k1(i, j) = exp(-|p_i - p_j|² / 2 theta_alpha² - |c_i - c_j|² / 2 theta_beta²)     appearance: position and colour
    k2(i, j) = exp(-|p_i - p_j|² / 2 theta_gamma²)                                  smoothness: position

One iteration of mean field gives pixel i the probabilities softmax(-U_i + sum_m w_m sum_j k_m(i, j) Q_j), a vector.
The sums over all pixels are Gaussian filters (`bench.evaluation.permutohedral`), each divided by what it makes of ones.

Legend: H rows, W columns, N = H*W pixels, K classes.

Source: Krähenbühl & Koltun 2011, Efficient Inference in Fully Connected CRFs with Gaussian Edge Potentials; the two
    kernels with their names and the values of w2 and theta_gamma: Chen et al. 2015 (DeepLab), equation 2.
Deviation: the sum over j includes i itself, as in the authors' code, where the paper takes it out. A pixel is one of
    hundreds under either kernel at 360x480, and the lattice gives no exact weight that could be taken out.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from functools import lru_cache
from typing import Literal

import numba
import numpy as np
from numpy.typing import NDArray

from bench.evaluation.permutohedral import Lattice, add_slice, blur, build_lattice, gaussian_filter, splat

ITERATIONS = 10  # both papers

Normalisation = Literal["pixel", "symmetric"]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class CrfParameters:
    """Weights and standard deviations of the two kernels.

    Attributes:
        w1: weight of the appearance kernel.
        theta_alpha: its deviation in position, px.
        theta_beta: its deviation in colour, levels of 0-255.
        w2: weight of the smoothness kernel.
        theta_gamma: its deviation in position, px.
    """

    w1: float
    theta_alpha: float
    theta_beta: float
    w2: float = 3.0  # DeepLab, section 4.1: fixed
    theta_gamma: float = 3.0  # likewise

    def __post_init__(self) -> None:
        values = astuple(self)
        if (
            not np.isfinite(values).all()
            or min(values) < 0
            or 0 in (self.theta_alpha, self.theta_beta, self.theta_gamma)
        ):
            raise ValueError(f"{self}: weights must be 0 or more and the thetas above 0, all finite")


@dataclass(frozen=True, eq=False)
class Kernel:
    """One Gaussian kernel over the pixels of one image, normalised.

    The normalisation is part of the weights: `splat_weights` and `slice_weights` are those of the lattice times one
    factor a pixel each.
    """

    lattice: Lattice
    splat_weights: Floats
    slice_weights: Floats


def dense_crf(
    image: NDArray[np.uint8],
    unary: Floats,
    parameters: CrfParameters,
    iterations: int = ITERATIONS,
    normalisation: Normalisation = "pixel",
) -> Floats:
    """Returns the class probabilities of every pixel after mean field.

    Args:
        image: (H, W, 3) uint8, RGB.
        unary: (K, H, W) float32, negative log probabilities of the network; a constant added to all classes of a
            pixel changes nothing, so minus the logits will do.
        parameters: of the two kernels.
        iterations: of mean field; 0 gives softmax(-unary).
        normalisation: how the kernels are normalised. pixel: sum_j k(i, j) is 1 for each pixel i. symmetric:
            k(i, j) is divided by the roots of both pixels' sums.

    Returns:
        (K, H, W) float32, sums to 1 over the classes. Same input, same bits.

    Raises:
        ValueError: shapes or types are wrong, the unary is not finite, or a theta is so small that the lattice
            cannot hold the image.

    Source: the pixel-wise normalisation is the one that Krähenbühl & Koltun 2011 found to work best, and DeepLab's
        code is built on theirs of that time. Their later code is symmetric by default, so that the energy is one.
    """
    check_input(image, unary, iterations)
    kernels = build_kernels(image, parameters, normalisation)
    return infer(unary, kernels, (parameters.w1, parameters.w2), iterations)


def check_input(image: NDArray[np.uint8], unary: Floats, iterations: int = ITERATIONS) -> None:
    """Raises ValueError unless image (H, W, 3) uint8 and unary (K, H, W) belong together."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
        raise ValueError(f"image must be (H, W, 3) uint8, got {image.shape} {image.dtype}")
    if unary.ndim != 3 or unary.shape[1:] != image.shape[:2] or not len(unary):
        raise ValueError(f"unary must be (K, {image.shape[0]}, {image.shape[1]}) as the image is, got {unary.shape}")
    if not np.isfinite(unary).all():
        raise ValueError("unary must be finite: clip probabilities before their logarithm is taken")
    if iterations < 0:
        raise ValueError(f"iterations must be 0 or more, got {iterations}")


def build_kernels(
    image: NDArray[np.uint8], parameters: CrfParameters, normalisation: Normalisation = "pixel"
) -> tuple[Kernel, Kernel]:
    """Returns the appearance and the smoothness kernel of an image; the weights w1 and w2 do not matter here."""
    return (
        appearance_kernel(image, parameters.theta_alpha, parameters.theta_beta, normalisation),
        smoothness_kernel(image.shape[0], image.shape[1], parameters.theta_gamma, normalisation),
    )


def appearance_kernel(
    image: NDArray[np.uint8], theta_alpha: float, theta_beta: float, normalisation: Normalisation = "pixel"
) -> Kernel:
    """Returns the kernel over position and colour of an image (H, W, 3) uint8."""
    colours = image.reshape(-1, 3).astype(np.float32) / np.float32(theta_beta)
    places = _positions(image.shape[0], image.shape[1]) / np.float32(theta_alpha)
    return _normalised(build_lattice(np.concatenate([places, colours], axis=1)), normalisation)


@lru_cache(maxsize=2)
def smoothness_kernel(height: int, width: int, theta_gamma: float, normalisation: Normalisation = "pixel") -> Kernel:
    """Returns the kernel over position alone, which is the same for all images of a size."""
    return _normalised(build_lattice(_positions(height, width) / np.float32(theta_gamma)), normalisation)


def _positions(height: int, width: int) -> Floats:
    """Returns (N, 2) float32: column and row of each pixel."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float32)


def _normalised(lattice: Lattice, normalisation: Normalisation) -> Kernel:
    """Returns the kernel of a lattice; every sum is at least a pixel's weight for itself, so none is zero."""
    sums = gaussian_filter(lattice, np.ones((len(lattice.corners), 1), np.float32))
    if normalisation == "pixel":
        return Kernel(lattice, lattice.weights, lattice.weights / sums)
    if normalisation == "symmetric":
        weights = np.divide(lattice.weights, np.sqrt(sums), dtype=np.float32)
        return Kernel(lattice, weights, weights)
    raise ValueError(f"normalisation must be pixel or symmetric, got {normalisation!r}")


def infer(
    unary: Floats, kernels: tuple[Kernel, Kernel], weights: tuple[float, float], iterations: int = ITERATIONS
) -> Floats:
    """Returns probabilities (K, H, W) float32 for kernels that were built before.

    Args:
        unary: (K, H, W) float32.
        kernels: of the image.
        weights: w1 and w2.
        iterations: of mean field.
    """
    # Pixel by pixel, so that one row of memory holds all classes of a pixel or corner.
    score = np.ascontiguousarray(-unary.reshape(len(unary), -1).T, dtype=np.float32)
    used = [(kernel, weight) for kernel, weight in zip(kernels, weights, strict=True) if weight > 0]
    scaled = [kernel.slice_weights * np.float32(weight) for kernel, weight in used]
    buffers = [np.empty((2, kernel.lattice.size, len(unary)), np.float32) for kernel, _ in used]
    now = np.empty_like(score)
    _softmax(score, now)
    message = np.empty_like(score)
    for _ in range(iterations if used else 0):
        message[:] = score
        for (kernel, _), slice_weights, (first, second) in zip(used, scaled, buffers, strict=True):
            splat(now, kernel.lattice.corners, kernel.splat_weights, first)
            blurred = blur(kernel.lattice.neighbours, first, second)
            add_slice(blurred, kernel.lattice.corners, slice_weights, message)
        _softmax(message, now)
    return np.ascontiguousarray(now.T).reshape(unary.shape)


def _softmax(scores: Floats, probabilities: Floats) -> None:
    """Overwrites (N, K) with the softmax of each row; the powers are NumPy's, which takes many at a time."""
    _below_largest(scores, probabilities)
    np.exp(probabilities, out=probabilities)
    _divide_by_sum(probabilities)


@numba.njit(cache=True, nogil=True)
def _below_largest(scores, differences):  # type: ignore[no-untyped-def]
    """Overwrites (N, K) with each row less its largest value."""
    for n in range(len(scores)):
        largest = scores[n, 0]
        for k in range(1, scores.shape[1]):
            largest = max(largest, scores[n, k])
        for k in range(scores.shape[1]):
            differences[n, k] = scores[n, k] - largest


@numba.njit(cache=True, nogil=True)
def _divide_by_sum(powers):  # type: ignore[no-untyped-def]
    """Divides each row of (N, K) by its sum."""
    for n in range(len(powers)):
        total = np.float32(0)
        for k in range(powers.shape[1]):
            total += powers[n, k]
        share = np.float32(1) / total
        for k in range(powers.shape[1]):
            powers[n, k] *= share
