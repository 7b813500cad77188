"""The drawing board of RoadScenes: random numbers, a camera, and shapes painted far to near.

World coordinates are metres: x to the right of the road's middle, y up from the road, z ahead of the camera.
The board has twice the rows and columns of the picture: images are averaged over 2x2, labels take one of the
four. A board pixel holds a label and the number of a colour; the odd number next to a colour's is its shaded
twin.

Everything is whole numbers or single IEEE operations (+ - * / sqrt, no sums whose order a library chooses),
and random numbers are raw PCG64 bits, so that a scene is the same on every machine and with every numpy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

Colour = tuple[float, float, float]
Extent = float | np.ndarray

NEAR = 0.7  # m; nothing nearer to the camera is drawn
TILE = 256  # rows and columns of the noise tile
_SHADED = 0.58  # brightness of a shaded colour


class Dice:
    """Random numbers of one scene, the same everywhere: raw 64-bit words made into fractions."""

    def __init__(self, *seed: int) -> None:
        self._seed = seed
        self._bits = np.random.PCG64(list(seed))
        self._ready: list[float] = []

    def branch(self, number: int) -> Dice:
        """Returns dice of its own for part `number`, so that what one part rolls moves no other part."""
        return Dice(*self._seed, number)

    def fraction(self) -> float:
        """Returns a number in 0 <= x < 1."""
        if not self._ready:
            self._ready = ((self._bits.random_raw(64) >> np.uint64(11)) * 2.0**-53).tolist()
        return self._ready.pop()

    def between(self, low: float, high: float) -> float:
        """Returns a number in low <= x < high."""
        return low + (high - low) * self.fraction()

    def whole(self, low: int, high: int) -> int:
        """Returns a whole number in low..high, both included."""
        return low + int(self.fraction() * (high - low + 1))

    def chance(self, probability: float) -> bool:
        """Returns True with this probability."""
        return self.fraction() < probability

    def side(self) -> int:
        """Returns -1 (left) or 1 (right)."""
        return 1 if self.fraction() < 0.5 else -1

    def pick(self, options: Sequence[Colour]) -> Colour:
        """Returns one of the colours, each channel moved a little."""
        red, green, blue = options[self.whole(0, len(options) - 1)]
        shift = self.between(-14, 14)
        return (
            red + shift + self.between(-7, 7),
            green + shift + self.between(-7, 7),
            blue + shift + self.between(-7, 7),
        )

    def octets(self, count: int) -> np.ndarray:
        """Returns `count` independent uint8 values."""
        # Little-endian whatever the machine, so that the order of the octets is fixed.
        return self._bits.random_raw(-(-count // 8)).astype("<u8").view(np.uint8)[:count]


# Octaves (cells per tile, weight) of the noise: outlines of crowns, clouds, and the grain of surfaces.
CROWN = ((8, 0.9), (16, 0.6), (32, 0.45), (64, 0.35), (128, 0.3))
CLOUDS = ((4, 0.8), (8, 0.6), (16, 0.35), (32, 0.15))
GRAIN = ((16, 0.25), (32, 0.4), (64, 0.7), (128, 0.9))


@lru_cache(maxsize=3)
def noise_tile(octaves: tuple[tuple[int, float], ...]) -> np.ndarray:
    """Returns (TILE,TILE) float32 in about -1..1: periodic value noise, one tile for all scenes."""
    dice, total = Dice(20151102, len(octaves)), np.zeros((TILE, TILE), np.float32)
    for octave, weight in octaves:
        grid = dice.octets(octave * octave).reshape(octave, octave).astype(np.float32) / 127.5 - 1
        step = TILE // octave
        position = np.arange(TILE)
        low, weight_high = position // step, ((position % step) / step).astype(np.float32)
        high = (low + 1) % octave
        rows = grid[low] * (1 - weight_high)[:, None] + grid[high] * weight_high[:, None]
        total += np.float32(weight) * (rows[:, low] * (1 - weight_high) + rows[:, high] * weight_high)
    total.flags.writeable = False
    return total


@dataclass(frozen=True)
class Camera:
    """Where the camera stands and looks; lengths in board pixels unless said otherwise."""

    focal: float
    column: float  # where the road's direction vanishes
    horizon: float
    height: float  # m above the road
    curve: float  # the road bends by curve * z**2 m

    def col(self, x: float, z: float) -> float:
        """Returns the board column of x metres at z metres."""
        return self.column + self.focal * (x / z + self.curve * z)

    def row(self, y: float, z: float) -> float:
        """Returns the board row of y metres at z metres."""
        return self.horizon + self.focal * (self.height - y) / z


@dataclass(frozen=True)
class Wall:
    """An upright plane as the board's columns see it: z and the way along it (both m) for each column."""

    first: int
    z: np.ndarray
    along: np.ndarray
    length: float


class Canvas:
    """A board of labels and colour numbers, and the shapes that can be painted on it."""

    def __init__(self, height: int, width: int, camera: Camera, haze: Colour) -> None:
        self.camera = camera
        self.rows, self.cols = 2 * height, 2 * width
        self.labels = np.zeros((self.rows, self.cols), np.uint8)
        self.paint = np.zeros((self.rows, self.cols), np.uint16)
        self._colours: list[Colour] = []
        self._haze = haze
        self._grid = np.arange(max(self.rows, self.cols) + 1, dtype=np.int16)

    def colour(self, colour: Colour, z: float = 0.0) -> int:
        """Returns the number of a colour seen at z metres; distance mixes in the haze."""
        part = 0.75 * z / (z + 60.0)
        red, green, blue = (own * (1 - part) + far * part for own, far in zip(colour, self._haze, strict=True))
        self._colours.append((red, green, blue))
        return 2 * len(self._colours) - 2

    def picture(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns the image (H,W,3) float32 before light and noise, and the labels (H,W) uint8."""
        lit = np.array(self._colours, np.float32)
        table = np.empty((2 * len(lit), 4), np.uint16)  # four columns: aligned rows are gathered faster
        table[::2, :3] = np.minimum(np.maximum(lit, 0), 255)
        table[1::2, :3] = table[::2, :3] * np.float32(_SHADED)
        total = table[self.paint[::2, ::2]]
        for down, right in ((0, 1), (1, 0), (1, 1)):
            total += table[self.paint[down::2, right::2]]
        image = total[:, :, :3].astype(np.float32)
        image *= np.float32(0.25)
        return image, np.ascontiguousarray(self.labels[1::2, 1::2])

    def _spans(
        self,
        first: int,
        low: np.ndarray,
        high: np.ndarray,
        colour: int | None,
        label: int | None,
        upright: bool,
    ) -> None:
        """Paints low <= pixel centre < high on each line from `first` on; lines are columns if `upright`."""
        lines, limit = (self.cols, self.rows) if upright else (self.rows, self.cols)
        skip, stop = max(0, -first), min(len(low), lines - first)
        if stop <= skip:
            return
        begin = np.ceil(np.minimum(np.maximum(low[skip:stop], 0), limit) - 0.5).astype(np.int16)
        end = np.ceil(np.minimum(np.maximum(high[skip:stop], 0), limit) - 0.5).astype(np.int16)
        left, right = max(0, int(begin.min())), int(end.max())
        if right <= left:
            return
        grid = self._grid[left:right]
        inside = (grid >= begin[:, None]) & (grid < end[:, None])
        area = (slice(first + skip, first + stop), slice(left, right))
        if label is not None:
            np.copyto((self.labels.T if upright else self.labels)[area], np.uint8(label), where=inside)
        if colour is not None:
            paint = (self.paint.T if upright else self.paint)[area]
            if colour < 0:
                np.bitwise_or(paint, np.uint16(1), out=paint, where=inside)
            else:
                np.copyto(paint, np.uint16(colour), where=inside)

    def row_spans(
        self, first: int, left: np.ndarray, right: np.ndarray, colour: int | None, label: int | None = None
    ) -> None:
        """Paints columns left..right of each row from `first` on; colour -1 shades what is there."""
        self._spans(first, left, right, colour, label, False)

    def box(self, x0: float, x1: float, y0: float, y1: float, z: float, colour: int | None, label: int | None) -> None:
        """Paints an upright rectangle that faces the camera; at least one picture pixel wide and high."""
        camera = self.camera
        self.frame(camera.col(x0, z), camera.col(x1, z), camera.row(y1, z), camera.row(y0, z), colour, label)

    def frame(
        self, left: float, right: float, top: float, bottom: float, colour: int | None, label: int | None
    ) -> None:
        """Paints a rectangle in board pixels; at least one picture pixel wide and high."""
        first_col, first_row = math.ceil(left - 0.5), math.ceil(top - 0.5)
        last_col, last_row = (
            max(math.ceil(right - 0.5), first_col + 2),
            max(math.ceil(bottom - 0.5), first_row + 2),
        )
        area = (slice(max(0, first_row), max(0, last_row)), slice(max(0, first_col), max(0, last_col)))
        if label is not None:
            self.labels[area] = label
        if colour is not None:
            self.paint[area] = colour

    def slab(
        self, low: tuple[float, float], high: tuple[float, float], y0: float, y1: float, z: float,
        colour: int | None, label: int | None,
    ) -> None:  # fmt: skip
        """Paints a shape with straight sides that faces the camera: x range `low` at y0, `high` at y1."""
        camera = self.camera
        top, bottom = camera.row(y1, z), camera.row(y0, z)
        first, last = math.ceil(top - 0.5), max(math.ceil(bottom - 0.5), math.ceil(top - 0.5) + 2)
        part = (np.arange(first, last) + 0.5 - top) / max(bottom - top, 1e-6)
        part = np.minimum(np.maximum(part, 0), 1)
        left, right = (camera.col(high[i], z) * (1 - part) + camera.col(low[i], z) * part for i in (0, 1))
        self.row_spans(first, left, np.maximum(right, left + 1), colour, label)

    def disc(self, x: float, y: float, rx: float, ry: float, z: float, colour: int | None, label: int | None) -> None:
        """Paints an ellipse that faces the camera, radii in metres."""
        camera = self.camera
        row, col, scale = camera.row(y, z), camera.col(x, z), camera.focal / z
        wide, tall = max(rx * scale, 1.0), max(ry * scale, 1.0)
        first, last = math.ceil(row - tall - 0.5), math.ceil(row + tall - 0.5)
        off = (np.arange(first, last) + 0.5 - row) / tall
        half = wide * np.sqrt(np.maximum(1 - off * off, 0))
        self.row_spans(first, col - half, col + half, colour, label)

    def wall(self, x0: float, z0: float, x1: float, z1: float) -> Wall | None:
        """Returns the plane over the ground line (x0, z0) to (x1, z1), or None where none of it shows."""
        camera = self.camera
        ends = []
        for (x, z), (other_x, other_z) in (((x0, z0), (x1, z1)), ((x1, z1), (x0, z0))):
            if z < NEAR:
                if other_z <= NEAR:
                    return None
                x, z = x + (other_x - x) * (NEAR - z) / (other_z - z), NEAR
            ends.append(camera.col(x, z))
        first, last = max(0, math.ceil(min(ends) - 0.5)), min(self.cols, math.ceil(max(ends) - 0.5))
        if last <= first:
            return None
        # The road bends, a wall does not: it stands on the chord between its ends.
        x0, x1 = x0 + camera.curve * z0 * z0, x1 + camera.curve * z1 * z1
        ray = (np.arange(first, last) + 0.5 - camera.column) / camera.focal
        slope = (x1 - x0) - ray * (z1 - z0)
        part = (ray * z0 - x0) / np.where(np.abs(slope) < 1e-9, 1e-9, slope)
        part = np.minimum(np.maximum(part, 0), 1)
        depth = np.maximum(z0 + part * (z1 - z0), NEAR)
        length = math.sqrt((x1 - x0) * (x1 - x0) + (z1 - z0) * (z1 - z0))
        return Wall(first, depth, part * length, length)

    def panel(
        self, wall: Wall, y0: Extent, y1: Extent, colour: int | None, label: int | None,
        where: np.ndarray | None = None,
    ) -> None:  # fmt: skip
        """Paints y0..y1 metres of a wall, each a number or one per column, on the columns in `where`."""
        camera = self.camera
        scale = camera.focal / wall.z
        top = camera.horizon + scale * (camera.height - y1)
        bottom = camera.horizon + scale * (camera.height - y0)
        if where is not None:
            top = np.where(where, top, bottom)
        self._spans(wall.first, top, bottom, colour, label, True)
