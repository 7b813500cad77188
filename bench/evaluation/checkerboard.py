"""How much of a map repeats with the stride of the upsampling that made it: the checkerboard of deconvolutions.

The repeating part of a map of period `stride` is the mean over all of its cells of `stride` x `stride` pixels. Its
energy is what the discrete Fourier transform has at the frequency 1/stride and its multiples. After several up-steps
take the product of their strides; shorter periods repeat with it too.

Shapes: maps (..., H, W), for example logits (N,K,H,W); energies are summed over all maps before they are divided.

Source: Odena, Dumoulin & Olah 2016, "Deconvolution and Checkerboard Artifacts" (by eye; this measure is ours).
"""

from __future__ import annotations

import numpy as np

# Deviations below this share of a map's own root mean square are rounding of 32-bit sums, not a pattern.
ROUNDING = 1e-5


def checkerboard_energy(maps: np.ndarray, stride: int, *, margin: int = 0) -> float:
    """Returns the share of the energy at the stride's frequency in all energy but the constant's.

    Formula: mean over cells' positions of (repeating part - mean)^2 / mean over pixels of (map - mean)^2.

    Args:
        maps: real (..., H, W)
        stride: period in pixels, at least 2
        margin: pixels to leave out at each border, where padding makes a pattern of its own

    Returns: 0 to 1; a map that only repeats has 1. White noise has about (stride^2 - 1) / (H W), a ramp 3 / W^2 for
        stride 2.

    Raises:
        ValueError: a stride below 2, values that are not finite, or maps with no whole cell inside the margin.

    Edge cases: a constant map, up to rounding, has 0. What a network makes of a constant image only repeats, away from
        the border, so it has 0 or 1 and nothing between: there `checkerboard_contrast` says how strong the pattern is.
    """
    repeating, varying, total = _energies(_inside(maps, stride, margin), stride)
    return 0.0 if varying <= ROUNDING**2 * total else float(repeating / varying)


def checkerboard_contrast(maps: np.ndarray, stride: int, *, margin: int = 0) -> float:
    """Returns the amplitude of the pattern relative to the map: root of repeating energy / all energy.

    Args:
        maps: real (..., H, W), made from a constant image
        stride, margin: as in `checkerboard_energy`

    Returns: 0 to 1; a map of 1 and 3 in turns has 1 / sqrt(5).

    Raises:
        ValueError: as `checkerboard_energy`.

    Edge cases: a map of zeros has 0.
    """
    repeating, _, total = _energies(_inside(maps, stride, margin), stride)
    return float(np.sqrt(repeating / total)) if total > 0 else 0.0


def local_checkerboard_energy(maps: np.ndarray, stride: int, window: int, *, margin: int = 0) -> float:
    """Returns `checkerboard_energy` within windows, for maps of real images.

    Over a whole image a pattern cancels where its sign follows the content; within a window of a few cells it does not.

    Args:
        maps: real (..., H, W)
        stride, margin: as in `checkerboard_energy`
        window: side of the windows in pixels, a multiple of `stride` and at least twice it; rows and columns beyond
            the last whole window are left out

    Returns: 0 to 1. What has no pattern is not 0 either: white noise has about (stride^2 - 1) / (window^2 - 1), and so
        has a ramp for stride 2. Compare with the same measure on labels or on another way up.

    Raises:
        ValueError: as `checkerboard_energy`, and for a window that is no multiple of the stride or only one cell.
    """
    if window % stride or window < 2 * stride:
        raise ValueError(
            f"a window of {window} pixels does not hold whole cells of {stride}; use a multiple of {stride} from "
            f"{2 * stride} on"
        )
    inside = _inside(maps, stride, margin)
    rows, columns = inside.shape[-2] // window, inside.shape[-1] // window
    if rows == 0 or columns == 0:
        raise ValueError(
            f"maps of {inside.shape[-2]}x{inside.shape[-1]} pixels inside the margin hold no window of {window}; use a "
            "smaller window or margin"
        )
    whole = inside[:, : rows * window, : columns * window]
    windows = whole.reshape(-1, rows, window, columns, window).swapaxes(2, 3).reshape(-1, window, window)
    repeating, varying, total = _energies(windows, stride)
    return 0.0 if varying <= ROUNDING**2 * total else float(repeating / varying)


def _inside(maps: np.ndarray, stride: int, margin: int) -> np.ndarray:
    """Returns float64 (M,h,w): all maps without the margin, cut to whole cells."""
    if stride < 2:
        raise ValueError(f"a pattern repeats after 2 pixels or more, got a stride of {stride}")
    if margin < 0:
        raise ValueError(f"a margin is 0 pixels or more, got {margin}")
    height, width = maps.shape[-2] - 2 * margin, maps.shape[-1] - 2 * margin
    if min(height, width) < stride:
        raise ValueError(
            f"maps of {maps.shape[-2]}x{maps.shape[-1]} pixels hold no cell of {stride}x{stride} inside a margin of "
            f"{margin}; use larger maps or a smaller margin"
        )
    height, width = height - height % stride, width - width % stride
    inside = np.asarray(maps[..., margin : margin + height, margin : margin + width], dtype=np.float64)
    if not np.isfinite(inside).all():
        raise ValueError("maps hold values that are not finite; measure a network whose training has not diverged")
    return inside.reshape(-1, height, width)


def _energies(maps: np.ndarray, stride: int) -> tuple[float, float, float]:
    """Returns energy per pixel of the repeating part without its mean, of all but the mean, and of all."""
    count, height, width = maps.shape
    means = maps.mean((1, 2), keepdims=True)
    deviations = maps - means
    cells = deviations.reshape(count, height // stride, stride, width // stride, stride)
    repeating = cells.mean((1, 3))
    return float((repeating**2).mean()), float((deviations**2).mean()), float((maps**2).mean())
