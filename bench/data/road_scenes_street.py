"""The standing part of a RoadScenes picture: ground, markings, buildings, fences and the street's end."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench.data.road_scenes_canvas import Canvas, Colour, Dice, Wall
from bench.data.split import IGNORE_INDEX

SKY, BUILDING, POLE, ROAD, PAVEMENT, TREE, SIGN, FENCE, CAR, PEDESTRIAN, BICYCLIST = range(11)

BRICK: tuple[Colour, ...] = (
    (122, 78, 62), (150, 122, 92), (176, 160, 132), (112, 106, 104), (196, 190, 182), (88, 76, 70),
    (142, 134, 126), (108, 118, 104), (134, 96, 74),
)  # fmt: skip
GLASS: tuple[Colour, ...] = ((46, 52, 60), (70, 82, 96), (150, 172, 196), (30, 30, 34), (196, 204, 210))
ASPHALT: tuple[Colour, ...] = ((96, 96, 98), (84, 86, 92), (112, 108, 104), (74, 74, 76))
FLAGS: tuple[Colour, ...] = ((124, 118, 112), (106, 104, 104), (138, 118, 104), (94, 92, 92))
WOOD: tuple[Colour, ...] = ((96, 74, 54), (62, 62, 60), (150, 146, 140), (58, 74, 56), (118, 100, 84))
SHOPS: tuple[Colour, ...] = (
    (150, 36, 40), (36, 70, 130), (40, 96, 66), (200, 180, 70), (40, 38, 40), (210, 206, 200),
)  # fmt: skip
PAINT_ON_ROAD: Colour = (204, 204, 198)

# What stands beside the pavement, and the upper ends of each kind's share of the rolls.
PLOT_KINDS = ("building", "trees", "fence", "gap")
PLOT_LIMITS = {"urban": (0.80, 0.86, 0.94, 1.0), "suburban": (0.42, 0.62, 0.82, 1.0)}


def darker(colour: Colour, part: float) -> Colour:
    """Returns the colour with `part` of its brightness."""
    return (colour[0] * part, colour[1] * part, colour[2] * part)


@dataclass(frozen=True)
class Street:
    """The plan of a street, metres from the middle of the road."""

    road: float  # half its width
    pavement: tuple[float, float]  # left, right
    urban: bool
    sun: int  # -1: from the left, 1: from the right, 0: behind clouds
    end: float  # where something closes the view
    driven: float | None = None  # how far the camera has come along the street, where it belongs to a drive

    def front(self, side: int) -> float:
        """Returns how far the building line of a side is from the middle."""
        return self.road + self.pavement[side > 0]


@dataclass(frozen=True)
class Plot:
    """One piece of a side of the street, from z0 to z1."""

    kind: str  # building | trees | fence | gap
    side: int
    z0: float
    z1: float


def plan_plots(dice: Dice, street: Street, side: int) -> list[Plot]:
    """Returns what stands along one side, near to far."""
    plots, z = [], dice.between(-6, 0.5)
    while z < street.end:
        length = dice.between(5, 20)
        draw = dice.fraction()
        limits = PLOT_LIMITS["urban" if street.urban else "suburban"]
        kind = next(kind for kind, limit in zip(PLOT_KINDS, limits, strict=True) if draw < limit)
        plots.append(Plot(kind, side, z, z + length))
        z += length
    return plots


def plan_both_sides(dice: Dice, street: Street) -> list[Plot]:
    """Returns what stands along the left side, then along the right."""
    return [plot for side in (-1, 1) for plot in plan_plots(dice, street, side)]


def draw_ground(canvas: Canvas, dice: Dice, street: Street) -> None:
    """Paints everything below the horizon: verge, pavements, kerbs, road and its markings."""
    camera = canvas.camera
    first = max(0, math.ceil(camera.horizon))
    if first >= canvas.rows:
        return
    z = camera.focal * camera.height / np.maximum(np.arange(first, canvas.rows) + 0.5 - camera.horizon, 0.5)
    middle, scale = camera.column + camera.focal * camera.curve * z, camera.focal / z
    z = z + (street.driven or 0.0)  # what lies on the ground is left behind

    def strip(x0: float, x1: float, colour: int, label: int | None, where: np.ndarray | None = None) -> None:
        left, right = middle + scale * x0, middle + scale * x1
        canvas.row_spans(first, left, right if where is None else np.where(where, right, left), colour, label)

    # The verge beyond the pavements is grass, which CamVid counts as Tree, or more pavement.
    grass = dice.chance(0.25 if street.urban else 0.6)
    flags = dice.pick(FLAGS)
    verge = canvas.colour(dice.pick(((86, 104, 58), (98, 100, 62))) if grass else flags, 8)
    canvas.frame(0, canvas.cols, first, canvas.rows, verge, TREE if grass else PAVEMENT)
    left, right = -street.front(-1), street.front(1)
    strip(left, right, canvas.colour(flags, 6), PAVEMENT)
    for x in (left + 0.9, right - 0.9):
        if dice.chance(0.5):
            strip(x - 0.5, x + 0.5, canvas.colour(dice.pick(FLAGS), 6), None, (z * 0.4) % 1 < 0.8)
    kerb = canvas.colour(dice.pick(((150, 146, 140), (120, 116, 112), (86, 84, 84))), 6)
    strip(-street.road - 0.2, street.road + 0.2, kerb, PAVEMENT)
    asphalt = dice.pick(ASPHALT)
    strip(-street.road, street.road, canvas.colour(asphalt, 6), ROAD)
    for _ in range(dice.whole(1, 4)):  # repairs, wet places and manholes: other colours, still road
        x, start, size = dice.between(-street.road, street.road), dice.between(3, 22), dice.between(0.4, 3)
        patch = canvas.colour(dice.pick((*ASPHALT, (132, 128, 122), (60, 60, 62))), 6)
        x1 = min(x + dice.between(0.5, 2.5), street.road)
        strip(x, x1, patch, None, (z > start) & (z < start + size))
    _draw_markings(dice, street, canvas.colour(PAINT_ON_ROAD, 6), strip, z)


def _draw_markings(dice: Dice, street: Street, white: int, strip: Callable[..., None], z: np.ndarray) -> None:
    """Paints centre line, edge lines and, sometimes, a crossing."""
    period, phase = dice.between(4, 9), dice.fraction()
    dashes = (z / period + phase) % 1 < dice.between(0.4, 0.65)
    width = dice.between(0.07, 0.12)
    wide = street.road > 4.5 and dice.chance(0.5)
    for x in (-street.road / 3, street.road / 3) if wide else (dice.between(-0.4, 0.4),):
        strip(x - width, x + width, white, None, dashes)
    if dice.chance(0.55):
        gap = dice.between(0.25, 0.6)
        for x in (-street.road + gap, street.road - gap):
            strip(x, x + 0.1, white, None)
    if dice.chance(0.3):
        near, depth = dice.between(5, 16), dice.between(2, 3.5)
        crossing = (z > near) & (z < near + depth)
        x = -street.road + 0.3
        while x < street.road - 0.5:
            strip(x, x + 0.5, white, None, crossing)
            x += 1.0


def cast_shadows(canvas: Canvas, dice: Dice, street: Street, plots: list[Plot]) -> None:
    """Shades the ground in front of the buildings that the sun stands behind."""
    if not street.sun:
        return
    camera = canvas.camera
    first = max(0, math.ceil(camera.horizon))
    z = camera.focal * camera.height / np.maximum(np.arange(first, canvas.rows) + 0.5 - camera.horizon, 0.5)
    reach = np.zeros(len(z))
    slant = dice.between(0.3, 0.9)
    for plot in plots:
        if plot.side == street.sun and plot.kind == "building":
            length = slant * dice.between(5, 11)
            reach = np.where((z > plot.z0 + 1) & (z < plot.z1 + 1), length, reach)
    middle, scale = camera.column + camera.focal * camera.curve * z, camera.focal / z
    edge = middle + scale * (street.front(street.sun) * street.sun)
    inner = edge - scale * (street.sun * reach)
    canvas.row_spans(first, np.minimum(edge, inner), np.maximum(edge, inner), -1)


def draw_building(canvas: Canvas, dice: Dice, street: Street, plot: Plot) -> None:
    """Paints a house: its front along the street, its end towards the camera, roof, windows, shop, pipes."""
    x = plot.side * (street.front(plot.side) + (dice.between(0, 2.5) if dice.chance(0.3) else 0.0))
    storeys = dice.whole(2, 4 if dice.chance(0.3) else 3) if street.urban else dice.whole(1, 3)
    storey = dice.between(2.8, 3.6)
    height = storeys * storey + dice.between(0.3, 1.2)
    distance = max(plot.z0, 2.0)
    stone = dice.pick(BRICK)
    in_shade = street.sun == plot.side
    shade = 0.62 if in_shade else 1.0
    own = darker(stone, shade)
    front, end = canvas.wall(x, plot.z0, x, plot.z1), canvas.wall(x, plot.z0, x + 9 * plot.side, plot.z0)
    # A house behind scaffolding is nobody's class.
    label = IGNORE_INDEX if dice.chance(0.07) else BUILDING
    roof = canvas.colour(dice.pick(((92, 66, 56), (76, 76, 80), (60, 58, 58))), distance)
    pitch = dice.between(1.2, 3.0) if dice.chance(0.6) else 0.0
    side_stone = canvas.colour(darker(own, 0.82), distance)
    if end is not None:
        gable = pitch * (1 - np.abs(end.along / end.length * 2 - 1))
        canvas.panel(end, 0, height + gable, side_stone, label)
        # In a drive the house stays what it is when its end goes out of sight: the end has dice of its own.
        own_dice = dice if street.driven is None else dice.branch(1)
        _draw_windows(canvas, own_dice, end, storeys, storey, distance, own_dice.between(0.3, 0.5))
    if front is None:
        return
    if pitch:
        wave = (front.along / dice.between(3, 7)) % 1
        ridge = pitch * (0.6 + (0.4 * (1 - np.abs(2 * wave - 1)) if dice.chance(0.4) else 0.0))
        canvas.panel(front, height, height + ridge, roof, label)
        if dice.chance(0.7):
            stack = (front.along % dice.between(4, 9)) < 0.8
            canvas.panel(front, height + 0.5, height + pitch + 0.9, side_stone, label, stack)
    canvas.panel(front, 0, height, canvas.colour(own, distance), label)
    _draw_windows(canvas, dice, front, storeys, storey, distance, dice.between(0.4, 0.75))
    if dice.chance(0.55):  # a drain pipe or a pilaster: as thin and upright as a pole, and no pole
        pipe = canvas.colour(dice.pick(((70, 70, 72), (160, 158, 152), (50, 48, 46))), distance)
        canvas.panel(front, 0, height, pipe, None, (front.along % dice.between(3.5, 8)) < 0.16)
    if storeys > 1 and dice.chance(0.45 if street.urban else 0.15):
        _draw_shop(canvas, dice, front, distance)


def _draw_windows(
    canvas: Canvas, dice: Dice, wall: Wall, storeys: int, storey: float, distance: float, share: float
) -> None:
    """Paints one row of windows per storey, now and then with frames or a lit pane."""
    period = dice.between(1.7, 3.4)
    phase = (wall.along / period) % 1
    margin = (1 - share) / 2
    glass = dice.pick(GLASS)
    frame = canvas.colour(dice.pick(((214, 210, 204), (60, 56, 54))), distance) if dice.chance(0.4) else None
    for level in range(storeys):
        sill = level * storey + storey * 0.32
        lintel = level * storey + storey * dice.between(0.72, 0.86)
        opening = (phase > margin) & (phase < 1 - margin)
        if frame is not None:
            wider = (phase > margin - 0.06) & (phase < 1.06 - margin)
            canvas.panel(wall, sill - 0.15, lintel + 0.12, frame, None, wider)
        pane = dice.pick(GLASS) if dice.chance(0.3) else glass
        canvas.panel(wall, sill, lintel, canvas.colour(pane, distance), None, opening)


def _draw_shop(canvas: Canvas, dice: Dice, wall: Wall, distance: float) -> None:
    """Paints a shop front: wide panes under a coloured board, which is part of the building."""
    inside = (wall.along > 0.5) & (wall.along < wall.length - 0.5)
    panes = inside & ((wall.along % 2.4) > 0.35)
    canvas.panel(wall, 0.5, 2.5, canvas.colour(dice.pick(GLASS), distance), None, panes)
    canvas.panel(wall, 2.6, 3.2, canvas.colour(dice.pick(SHOPS), distance), None, inside)
    lettering = inside & ((wall.along % 0.7) > 0.35) & (wall.along > 1.5) & (wall.along < wall.length - 1.5)
    canvas.panel(wall, 2.75, 3.05, canvas.colour((214, 208, 190), distance), None, lettering)


def draw_fence(canvas: Canvas, dice: Dice, x: float, z0: float, z1: float) -> None:
    """Paints a fence along the street: boards, or railings that one sees through; all of it is Fence."""
    wall = canvas.wall(x, z0, x, z1)
    if wall is None:
        return
    distance = max(z0, 2.0)
    height = dice.between(0.9, 2.0)
    colour = dice.pick(WOOD)
    main, dark = canvas.colour(colour, distance), canvas.colour(darker(colour, 0.6), distance)
    canvas.panel(wall, 0, height, None, FENCE)
    post = (wall.along % 2.0) < 0.14
    if dice.chance(0.5):
        canvas.panel(wall, 0, height, main, None)
        canvas.panel(wall, 0, height, dark, None, (wall.along % 0.5) < 0.1)
        canvas.panel(wall, 0, height + 0.15, dark, FENCE, post)
        return
    canvas.panel(wall, 0.05, height, main, None, (wall.along % 0.32) < 0.13)
    for rail in (0.15, height - 0.12):
        canvas.panel(wall, rail, rail + 0.08, dark, None)
    canvas.panel(wall, 0, height + 0.1, dark, FENCE, post)


def close_view(canvas: Canvas, dice: Dice, street: Street) -> None:
    """Paints what stands where the street ends: far roofs, and sometimes a house across."""
    z = street.end
    x, stop = -70.0, 70.0
    while x < stop:
        width = dice.between(6, 16)
        draw = dice.fraction()
        if draw < 0.5:
            canvas.box(x, x + width, 0, dice.between(4, 11), z, canvas.colour(dice.pick(BRICK), z), BUILDING)
        elif draw < 0.86:
            green = canvas.colour(dice.pick(((60, 82, 46), (84, 88, 58))), z)
            canvas.box(x, x + width, 0, dice.between(3, 8), z, green, TREE)
        else:
            grey = canvas.colour(dice.pick(BRICK), z)
            canvas.box(x, x + width, 0, dice.between(2, 6), z, grey, IGNORE_INDEX)
        x += width
    if z < 45:
        wall = canvas.wall(-16, z, 16, z)
        if wall is not None:
            storeys = dice.whole(2, 4)
            canvas.panel(wall, 0, storeys * 3.2 + 0.8, canvas.colour(dice.pick(BRICK), z), BUILDING)
            _draw_windows(canvas, dice, wall, storeys, 3.2, z, 0.5)
