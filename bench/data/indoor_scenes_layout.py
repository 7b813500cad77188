"""Where things stand in an IndoorScenes room: a place along each wall in turn, the middle, and what hangs on walls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from bench.data import indoor_scenes_things as things
from bench.data.indoor_scenes_room import FABRIC, Place, Range, Room, Turn
from bench.data.road_scenes_canvas import Dice

TO_FRONT, TO_RIGHT, TO_LEFT, TO_BACK = Turn(1, 0), Turn(0, 1), Turn(0, -1), Turn(-1, 0)  # the way a thing looks
WALLS = ("left", "back", "right")


@dataclass
class Layout:
    """Deals out the walls of a room from the far corners on, and paints what was put there far to near."""

    room: Room
    dice: Dice
    _used: dict[str, float] = field(default_factory=lambda: {"left": 0.1, "back": 0.1, "right": 0.1})
    _along_walls: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    _free: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    _rolled: int = 0

    def own_dice(self) -> Dice:
        """Returns dice for the next thing, so that what it rolls moves nothing else."""
        self._rolled += 1
        return self.dice.branch(self._rolled)

    def wall(self, name: str) -> Place:
        """Returns a wall as a place: a runs along it from the left, d = 0 is its surface."""
        room = self.room
        return {
            "left": Place(room, 0, 0, TO_RIGHT),
            "back": Place(room, 0, room.depth, TO_FRONT),
            "right": Place(room, room.width, room.depth, TO_LEFT),
        }[name]

    def length(self, name: str) -> float:
        """Returns how long a wall is, m."""
        return self.room.width if name == "back" else self.room.depth

    def left(self, name: str) -> float:
        """Returns how much of a wall is still free, m."""
        return self.length(name) - self._used[name]

    def skip(self, name: str, wide: float) -> None:
        """Leaves the next piece of a wall empty."""
        self._used[name] += wide

    def reserve(self, name: str, wide: float, gap: float = 0.1) -> Range | None:
        """Returns the next free piece of a wall, counted from the far corner, or None where it does not fit."""
        if self.left(name) < wide + 0.02:
            return None
        start = self._used[name]
        self._used[name] += wide + gap
        if name == "left":
            start = self.room.depth - start - wide
        return start, start + wide

    def against(
        self, name: str, wide: float, deep: float, draw: Callable[..., object], *more: object, gap: float = 0.1
    ) -> Range | None:
        """Puts a piece of furniture against a wall: `draw(place, dice, *more)`; returns the wall it takes, if any."""
        piece = self.reserve(name, wide, gap)
        if piece is None:
            return None
        place = self.wall(name).shift(piece[0], 0.03)
        self._queue(self._along_walls, place.spot(wide / 2, deep / 2), partial(draw, place, self.own_dice(), *more))
        return piece

    def standing(self, u: float, w: float, turn: Turn, draw: Callable[..., object], *more: object) -> Place:
        """Puts a thing anywhere in the room."""
        place = Place(self.room, u, w, turn)
        self._queue(self._free, (u, w), partial(draw, place, self.own_dice(), *more))
        return place

    def _queue(
        self, queue: list[tuple[float, Callable[[], None]]], spot: tuple[float, float], draw: Callable[..., object]
    ) -> None:
        def paint() -> None:
            draw()

        queue.append((self.room.distance(*spot), paint))

    def paint(self) -> None:
        """Paints what was put into the room: what stands against walls, then what stands free, far to near."""
        for queue in (self._along_walls, self._free):
            for _, draw in sorted(queue, key=lambda entry: -entry[0]):
                draw()

    # --- on walls, painted at once: furniture comes in front of it

    def hang_door(self, name: str) -> None:
        """Paints a door in the next free piece of a wall."""
        piece = self.reserve(name, 1.15)
        if piece is not None:
            things.draw_door(self.wall(name), self.own_dice(), piece[0] + 0.12)

    def hang_window(self, name: str, a: Range, sill: float, cover: str | None = None) -> None:
        """Paints a window with blinds, with curtains or with neither; `cover` decides which, or the dice do."""
        dice, wall = self.own_dice(), self.wall(name)
        v = sill, min(self.room.height - 0.25, sill + dice.between(1.0, 1.35))
        things.draw_window(wall, dice, a, v)
        roll = dice.fraction()
        kind = cover or ("curtain" if roll < 0.4 else "blinds" if roll < 0.65 else "none")
        if kind == "blinds":
            things.draw_blinds(wall, dice, a, v)
        if kind == "curtain":
            cloth, low = dice.pick(FABRIC), 0.05 if dice.chance(0.6) else sill - 0.15
            share = (a[1] - a[0]) * dice.between(0.15, 0.32)
            for start, stop in ((a[0] - 0.25, a[0] + share), (a[1] - share, a[1] + 0.25)):
                things.draw_curtain(wall, dice, (start, stop), (low, v[1] + 0.12), cloth)

    def hang_pictures(self, name: str, a: Range, probability: float = 0.6) -> None:
        """Paints pictures along a piece of a wall."""
        at = a[0] + 0.45
        while at < a[1] - 0.35:
            if self.dice.chance(probability):
                things.draw_picture(self.wall(name), self.own_dice(), at, self.dice.between(1.45, 1.75))
            at += self.dice.between(0.9, 1.5)

    def dress(self, name: str, windows: float = 0.4, sill: float = 1.0, cover: str | None = None) -> None:
        """Paints a window or pictures on a whole wall."""
        length = self.length(name)
        start = 0.3 if name != "left" else max(0.3, length - 3.2)
        if self.dice.chance(windows) and length > 1.7:
            wide = self.dice.between(0.9, min(1.9, length - 0.7))
            a = start + self.dice.between(0.0, max(0.05, min(length, 3.2) - wide - 0.5))
            self.hang_window(name, (a, a + wide), sill + self.dice.between(-0.1, 0.15), cover)
        else:
            self.hang_pictures(name, (start, length - 0.2))
