"""The room of an IndoorScenes picture: where the camera stands in it, flat faces and blocks, walls, floor, ceiling.

Room coordinates are metres: u along the back wall from its left end, v up from the floor, w from the open front to
the back wall. The camera stands near the open front and looks in at an angle. Turns are given as half-angle
tangents, so that no sine is needed and a room is the same on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.data.road_scenes_canvas import Canvas, Colour, Dice

(
    WALL, FLOOR, CABINET, BED, CHAIR, SOFA, TABLE, DOOR, WINDOW, BOOKSHELF, PICTURE, COUNTER, BLINDS, DESK, SHELVES,
    CURTAIN, DRESSER, PILLOW, MIRROR, FLOOR_MAT, CLOTHES, CEILING, BOOKS, FRIDGE, TV, PAPER, TOWEL, SHOWER_CURTAIN,
    BOX, WHITEBOARD, PERSON, NIGHT_STAND, TOILET, SINK, LAMP, BATHTUB, BAG,
) = range(37)  # fmt: skip

Point = tuple[float, float, float]  # u, v, w
Range = tuple[float, float]

NEAR = 0.3  # m; what is nearer to the camera is cut off

PLASTER: tuple[Colour, ...] = (
    (206, 200, 188), (188, 180, 166), (214, 214, 210), (170, 176, 178), (196, 176, 146), (150, 160, 150),
    (178, 150, 132), (120, 132, 148), (208, 196, 160), (164, 164, 166),
)  # fmt: skip
FLOORS: tuple[Colour, ...] = (
    (142, 104, 70), (116, 84, 60), (168, 140, 108), (120, 118, 116), (150, 146, 140), (96, 90, 98), (140, 124, 108),
    (176, 164, 146), (92, 72, 60),
)  # fmt: skip
WOOD: tuple[Colour, ...] = (
    (134, 94, 60), (96, 64, 44), (166, 126, 84), (70, 50, 40), (188, 158, 118), (206, 200, 190), (112, 78, 54),
)  # fmt: skip
WHITE: tuple[Colour, ...] = ((214, 214, 212), (200, 198, 190), (222, 222, 222))
STEEL: tuple[Colour, ...] = ((150, 152, 154), (92, 94, 98), (182, 184, 186), (60, 60, 64))
DARK: tuple[Colour, ...] = ((34, 34, 38), (48, 46, 46), (28, 30, 36))
FABRIC: tuple[Colour, ...] = (
    (126, 54, 50), (62, 78, 112), (150, 142, 130), (84, 98, 78), (184, 172, 152), (70, 66, 70), (112, 90, 74),
    (44, 46, 54), (160, 110, 70), (120, 128, 150), (196, 190, 184), (104, 62, 84),
)  # fmt: skip


def lighter(colour: Colour, part: float) -> Colour:
    """Returns the colour with `part` of its brightness; more than 1 is brighter."""
    return (colour[0] * part, colour[1] * part, colour[2] * part)


@dataclass(frozen=True)
class Turn:
    """An angle on the floor, to the left: cosine and sine. At (1, 0) a thing looks towards the open front."""

    cos: float
    sin: float

    @staticmethod
    def of(half_tangent: float) -> Turn:
        """Returns the turn to the left by twice the arc tangent of `half_tangent`."""
        square = half_tangent * half_tangent
        return Turn((1 - square) / (1 + square), 2 * half_tangent / (1 + square))


class Room:
    """A box of width x depth x height metres as a camera in it sees it; paints flat faces on the canvas."""

    def __init__(self, canvas: Canvas, size: Point, eye: tuple[float, float], turn: Turn, lamp: tuple[float, float]):
        self.canvas = canvas
        self.width, self.height, self.depth = size
        self.eye = eye  # u, w of the camera
        self._turn = turn
        self._lamp = lamp  # where the light comes from, as a direction on the floor

    def seen(self, u: float, w: float) -> tuple[float, float]:
        """Returns metres to the right of and ahead of the camera."""
        du, dw = u - self.eye[0], w - self.eye[1]
        return du * self._turn.cos + dw * self._turn.sin, dw * self._turn.cos - du * self._turn.sin

    def distance(self, u: float, w: float) -> float:
        """Returns metres from the camera over the floor."""
        du, dw = u - self.eye[0], w - self.eye[1]
        return math.sqrt(du * du + dw * dw)

    def shade(self, normal: tuple[float, float]) -> float:
        """Returns the brightness of an upright face that looks along `normal`."""
        return 0.86 + 0.16 * (normal[0] * self._lamp[0] + normal[1] * self._lamp[1])

    def face(self, points: Sequence[Point], colour: Colour | None, label: int | None) -> None:
        """Paints a flat convex polygon; None for the colour or the label leaves what is there."""
        camera, corners = self.canvas.camera, []
        spots = [(*self.seen(u, w), v) for u, v, w in points]
        for (x0, z0, y0), (x1, z1, y1) in zip(spots, spots[1:] + spots[:1], strict=True):
            if z0 >= NEAR:
                corners.append((camera.col(x0, z0), camera.row(y0, z0)))
            if (z0 >= NEAR) != (z1 >= NEAR):
                part = (NEAR - z0) / (z1 - z0)
                x, y = x0 + (x1 - x0) * part, y0 + (y1 - y0) * part
                corners.append((camera.col(x, NEAR), camera.row(y, NEAR)))
        if len(corners) >= 3:
            self._fill(corners, None if colour is None else self.canvas.colour(colour), label)

    def _fill(self, corners: list[tuple[float, float]], colour: int | None, label: int | None) -> None:
        """Paints a convex polygon given as (column, row) on the board."""
        heights = [row for _, row in corners]
        first = max(0, math.ceil(min(heights) - 0.5))
        last = min(self.canvas.rows, math.ceil(max(heights) - 0.5))
        if last <= first:
            return
        rows = np.arange(first, last) + 0.5
        left, right = np.full(len(rows), np.inf), np.full(len(rows), -np.inf)
        for (col0, row0), (col1, row1) in zip(corners, corners[1:] + corners[:1], strict=True):
            if row0 == row1:
                continue
            (col0, row0), (col1, row1) = sorted(((col0, row0), (col1, row1)), key=lambda corner: corner[1])
            begin, end = math.ceil(row0 - 0.5) - first, math.ceil(row1 - 0.5) - first
            part = slice(max(0, begin), max(0, end))
            cols = col0 + (rows[part] - row0) * ((col1 - col0) / (row1 - row0))
            left[part] = np.minimum(left[part], cols)
            right[part] = np.maximum(right[part], cols)
        self.canvas.row_spans(first, left, np.maximum(right, left + 1), colour, label)

    def post(self, u: float, w: float, radius: float, v: Range, colour: Colour, label: int | None) -> None:
        """Paints something upright and round, at least one picture pixel wide."""
        x, z = self.seen(u, w)
        if z > NEAR:
            self.canvas.box(x - radius, x + radius, v[0], v[1], z, self.canvas.colour(colour), label)

    def cone(self, u: float, w: float, low: float, high: float, v: Range, colour: Colour, label: int | None) -> None:
        """Paints something upright and round that narrows: its radius is `low` at the bottom, `high` at the top."""
        x, z = self.seen(u, w)
        if z > NEAR:
            ends = (x - low, x + low), (x - high, x + high)
            self.canvas.slab(*ends, v[0], v[1], z, self.canvas.colour(colour), label)

    def ball(self, u: float, w: float, v: float, across: float, tall: float, colour: Colour, label: int | None) -> None:
        """Paints an ellipse that faces the camera, radii in metres."""
        x, z = self.seen(u, w)
        if z > NEAR:
            self.canvas.disc(x, v, across, tall, z, self.canvas.colour(colour), label)


class Place:
    """Where a thing stands: a along it (left to right for who looks at its front), d out from its back, v up."""

    def __init__(self, room: Room, u: float, w: float, turn: Turn) -> None:
        self.room = room
        self._origin = (u, w)
        self._along = (turn.cos, turn.sin)
        self._out = (turn.sin, -turn.cos)
        du, dw = room.eye[0] - u, room.eye[1] - w
        self._eye_a = du * self._along[0] + dw * self._along[1]
        self._eye_d = du * self._out[0] + dw * self._out[1]

    def spot(self, a: float, d: float) -> tuple[float, float]:
        """Returns (u, w) of a place."""
        (u, w), along, out = self._origin, self._along, self._out
        return u + a * along[0] + d * out[0], w + a * along[1] + d * out[1]

    def at(self, a: float, d: float, turn: Turn) -> Place:
        """Returns a place of its own for something that stands at (a, d) of this one."""
        return Place(self.room, *self.spot(a, d), turn)

    def shift(self, a: float, d: float) -> Place:
        """Returns this place moved by (a, d), looking the same way."""
        return Place(self.room, *self.spot(a, d), Turn(*self._along))

    def block(self, a: Range, v: Range, d: Range, colour: Colour, label: int | None, top: Colour | None = None) -> None:
        """Paints those faces of a block that the camera sees, shaded by where they look."""
        along, out, shade = self._along, self._out, self.room.shade
        if self._eye_d > d[1]:
            self.front(a, v, d[1], lighter(colour, shade(out)), label)
        elif self._eye_d < d[0]:
            self._upright((a[0], d[0]), (a[1], d[0]), v, lighter(colour, shade((-out[0], -out[1]))), label)
        if self._eye_a < a[0]:
            self._upright((a[0], d[0]), (a[0], d[1]), v, lighter(colour, shade((-along[0], -along[1]))), label)
        elif self._eye_a > a[1]:
            self._upright((a[1], d[0]), (a[1], d[1]), v, lighter(colour, shade(along)), label)
        if self.room.canvas.camera.height > v[1]:
            self.sheet(a, d, v[1], lighter(top or colour, 1.1), label)
        elif self.room.canvas.camera.height < v[0]:
            self.sheet(a, d, v[0], lighter(colour, 0.6), label)

    def blocks(self, parts: Sequence[tuple[Range, Range, Range]], colour: Colour, label: int | None) -> None:
        """Paints several blocks of one colour, far to near."""

        def far(part: tuple[Range, Range, Range]) -> float:
            (a0, a1), _, (d0, d1) = part
            return -self.room.distance(*self.spot((a0 + a1) / 2, (d0 + d1) / 2))

        for a, v, d in sorted(parts, key=far):
            self.block(a, v, d, colour, label)

    def _upright(
        self, start: tuple[float, float], stop: tuple[float, float], v: Range, colour: Colour | None, label: int | None
    ) -> None:
        (u0, w0), (u1, w1) = self.spot(*start), self.spot(*stop)
        self.room.face(((u0, v[0], w0), (u1, v[0], w1), (u1, v[1], w1), (u0, v[1], w0)), colour, label)

    def front(self, a: Range, v: Range, d: float, colour: Colour | None, label: int | None) -> None:
        """Paints an upright rectangle at d that looks out, where the camera is in front of it."""
        if self._eye_d > d:
            self._upright((a[0], d), (a[1], d), v, colour, label)

    def tilted(self, a: Range, v: Range, d: Range, colour: Colour, label: int | None) -> None:
        """Paints a rectangle whose lower edge is at d[0] and whose upper edge is at d[1]."""
        low, high = [self.spot(end, d[0]) for end in a], [self.spot(end, d[1]) for end in a]
        points = [(u, v[0], w) for u, w in low] + [(u, v[1], w) for u, w in reversed(high)]
        self.room.face(points, colour, label)

    def round(self, a: float, v: float, d: float, radius: float, colour: Colour, label: int | None) -> None:
        """Paints a disc that lies flat at height v: an octagon of this radius."""
        part = 0.7071 * radius
        ring = ((radius, 0), (part, part), (0, radius), (-part, part))
        spots = [self.spot(a + x, d + y) for x, y in (*ring, *((-x, -y) for x, y in ring))]
        self.room.face([(u, v, w) for u, w in spots], colour, label)

    def sheet(self, a: Range, d: Range, v: float, colour: Colour | None, label: int | None) -> None:
        """Paints a rectangle that lies flat at height v."""
        spots = [self.spot(a[0], d[0]), self.spot(a[1], d[0]), self.spot(a[1], d[1]), self.spot(a[0], d[1])]
        self.room.face([(u, v, w) for u, w in spots], colour, label)

    def post(self, a: float, d: float, radius: float, v: Range, colour: Colour, label: int | None) -> None:
        """Paints something upright and round."""
        self.room.post(*self.spot(a, d), radius, v, colour, label)

    def ball(self, a: float, v: float, d: float, across: float, tall: float, colour: Colour, label: int | None) -> None:
        """Paints an ellipse that faces the camera."""
        self.room.ball(*self.spot(a, d), v, across, tall, colour, label)

    def cone(self, a: float, d: float, low: float, high: float, v: Range, colour: Colour, label: int | None) -> None:
        """Paints something upright and round that narrows."""
        self.room.cone(*self.spot(a, d), low, high, v, colour, label)


def draw_shell(room: Room, dice: Dice) -> None:
    """Paints floor, walls and ceiling; tiles, boards, skirting and ceiling panels are part of them."""
    plaster, floor, ground = dice.pick(PLASTER), dice.pick(FLOORS), -1.5
    room.face(_flat(room, 0.0, (0, room.width), (ground, room.depth)), floor, FLOOR)
    seam, step = lighter(floor, dice.between(0.8, 0.95)), dice.between(0.3, 0.7)
    if dice.chance(0.6):  # boards, or tiles
        for number in range(int(room.width / step)):
            u = (number + 0.5) * step
            room.face(_flat(room, 0.0, (u, u + 0.05), (ground, room.depth)), seam, None)
        if dice.chance(0.5):
            for number in range(int((room.depth - ground) / step)):
                w = ground + (number + 0.5) * step
                room.face(_flat(room, 0.0, (0, room.width), (w, w + 0.04)), seam, None)
    ceiling = dice.pick(WHITE)
    room.face(_flat(room, room.height, (0, room.width), (ground, room.depth)), ceiling, CEILING)
    if dice.chance(0.4):
        for number in range(int(room.width / 0.6)):
            u = (number + 0.5) * 0.6
            room.face(_flat(room, room.height, (u, u + 0.04), (ground, room.depth)), lighter(ceiling, 0.82), None)
    feature = dice.pick(PLASTER) if dice.chance(0.25) else plaster
    skirting = dice.pick(WOOD)
    far, walls = room.depth, []
    walls += [((u, ground), (u, far), plaster, (way, 0.0)) for u, way in ((0.0, 1.0), (room.width, -1.0))]
    walls += [((0.0, far), (room.width, far), feature, (0.0, -1.0))]
    for (u0, w0), (u1, w1), colour, normal in walls:
        for high, own in ((room.height, colour), (0.09, skirting)):
            shaded = lighter(own, room.shade(normal))
            room.face(((u0, 0.0, w0), (u1, 0.0, w1), (u1, high, w1), (u0, high, w0)), shaded, WALL)


def _flat(room: Room, v: float, u: Range, w: Range) -> list[Point]:
    """Returns the corners of a rectangle on the floor or under the ceiling."""
    return [(u[0], v, w[0]), (u[1], v, w[0]), (u[1], v, w[1]), (u[0], v, w[1])]
