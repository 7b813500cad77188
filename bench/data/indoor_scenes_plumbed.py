"""The rooms of a home with water in IndoorScenes: kitchen and bathroom."""

from __future__ import annotations

from collections.abc import Callable

from bench.data import indoor_scenes_furniture as furniture
from bench.data import indoor_scenes_things as things
from bench.data.indoor_scenes_homes import dining_set, drop_at_home
from bench.data.indoor_scenes_layout import TO_BACK, TO_FRONT, Layout
from bench.data.indoor_scenes_room import FABRIC, SHOWER_CURTAIN, WHITE, WOOD, Place
from bench.data.road_scenes_canvas import Colour, Dice

STONE: tuple[Colour, ...] = ((120, 116, 112), (70, 66, 66), (184, 176, 164), (150, 110, 76))


def plan_kitchen(layout: Layout) -> None:
    """Units with a worktop along the back wall and a side wall, cupboards above, sink, fridge, sometimes a table."""
    dice, room = layout.dice, layout.room
    wood, stone = (
        dice.pick((*WOOD, *WHITE)),
        dice.pick(((120, 116, 112), (70, 66, 66), (184, 176, 164), (150, 110, 76))),
    )
    side = "left" if room.eye[0] > room.width / 2 else "right"
    other = "right" if side == "left" else "left"
    layout.dress(other, 0.4)
    middle = room.width / 2
    with_window = dice.chance(0.5)
    if with_window:
        layout.hang_window("back", (middle - 0.5, middle + 0.5), 1.15, None if dice.chance(0.6) else "blinds")
    fridge, basin = dice.whole(0, 3), dice.whole(1, 3)
    number = 0
    while layout.left("back") > 0.65:
        if number == fridge:
            layout.against("back", 0.7, 0.66, furniture.draw_fridge, 0.68, gap=0)
        else:
            centre = layout.length("back") - layout.left("back") + 0.3
            above = not with_window or abs(centre - middle) > 0.9
            layout.against("back", 0.6, 0.6, _unit, 0.6, wood, stone, number == basin, above, gap=0)
        number += 1
    layout.skip(side, 0.62)
    for number in range(dice.whole(1, 4)):
        layout.against(side, 0.6, 0.6, _unit, 0.6, wood, stone, number == 1 and basin > number, dice.chance(0.7), gap=0)
    if dice.chance(0.5):
        layout.skip(other, 0.9)
        layout.hang_door(other)
    u, w = room.width * dice.between(0.35, 0.65), room.depth - dice.between(1.9, 2.4)
    roll = dice.fraction()
    if roll < 0.45:
        dining_set(layout, u, w, dice.between(0.9, 1.2))
    elif roll < 0.7:  # an island with stools in front of it
        layout.standing(u - 0.75, w, TO_FRONT, furniture.draw_counter, 1.5, wood, stone, False)
        for place in range(dice.whole(1, 3)):
            layout.standing(u - 0.5 + 0.5 * place, w - 0.9, TO_BACK, furniture.draw_stool)
    elif dice.chance(0.5):
        layout.standing(u - 0.5, w + 0.6, TO_FRONT, things.draw_mat, (0.0, 1.1), (0.0, 0.6))
    if dice.chance(0.2):
        layout.standing(u + 0.5, w + 0.7, TO_FRONT, things.draw_person, False)
    drop_at_home(layout, 1)


def _unit(place: Place, dice: Dice, wide: float, wood: Colour, stone: Colour,
          sink: bool, above: bool) -> None:  # fmt: skip
    """Paints one unit of a kitchen, what stands on it, and the cupboard above it."""
    if above:
        furniture.draw_cabinet(place, dice, wide, 0.34, 1.45, 2.15, wood)
    furniture.draw_counter(place, dice, wide, wood, stone, sink)
    roll = dice.fraction()
    if sink:
        if roll < 0.3:
            place.front((0.1, 0.4), (0.35, 0.75), 0.6, dice.pick(FABRIC), things.TOWEL)
    elif roll < 0.25:
        things.draw_unlabelled(place, dice, 0.3, 0.25, 0.92)
    elif roll < 0.4:
        things.draw_box(place, dice, 0.3, 0.3, 0.92, 0.32)
    elif roll < 0.5:
        things.draw_book_pile(place, dice, 0.3, 0.3, 0.92)
    elif roll < 0.7:  # an appliance: nobody's class
        steel = dice.pick(things.STEEL)
        place.block((0.1, 0.52), (0.92, 1.16), (0.1, 0.42), steel, things.IGNORE_INDEX)


def plan_bathroom(layout: Layout) -> None:
    """A toilet, a wash basin under a mirror, a bathtub with its curtain, towels and a mat."""
    dice, room = layout.dice, layout.room
    side = "left" if room.eye[0] > room.width / 2 else "right"
    other = "right" if side == "left" else "left"
    if dice.chance(0.3):
        layout.hang_window("back", (0.4, 1.1), 1.35, "blinds" if dice.chance(0.4) else "none")
    tub = dice.chance(0.6)
    if tub:
        layout.against(side, min(1.65, room.depth - 0.3), 0.75, _bath, min(1.65, room.depth - 0.3))
        layout.skip("back", 0.8 if side == "left" else 0.0)
    pieces: list[tuple[float, float, Callable[..., object], tuple[float, ...]]]
    pieces = [(0.5, 0.66, furniture.draw_toilet, ()), (0.75, 0.5, _wash_place, (0.75,))]
    for wide, deep, draw, more in pieces if dice.chance(0.5) else reversed(pieces):
        layout.skip("back", dice.between(0.02, 0.15))
        layout.against("back", wide, deep, draw, *more)
    if dice.chance(0.7):
        layout.skip(other if tub else side, 0.5)
        piece = layout.reserve(other if tub else side, 0.85)
        if piece is not None:
            things.draw_towels(layout.wall(other if tub else side), layout.own_dice(), piece[0] + 0.06, 1.35)
    if dice.chance(0.5):
        layout.hang_door(other)
    if dice.chance(0.55):
        u = room.width * dice.between(0.3, 0.6)
        layout.standing(u - 0.35, room.depth - 0.75, TO_FRONT, things.draw_mat, (0.0, 0.75), (0.0, 0.5))
    if dice.chance(0.3):
        layout.standing(room.width * 0.5, room.depth - 1.1, TO_FRONT, things.draw_unlabelled, 0.0, 0.0, 0.0)


def _bath(place: Place, dice: Dice, wide: float) -> None:
    """Paints a bathtub and, often, a shower curtain drawn over part of it."""
    furniture.draw_bathtub(place, dice, wide, 0.75)
    if dice.chance(0.55):
        share, cloth = wide * dice.between(0.3, 0.75), dice.pick((*WHITE, *FABRIC))
        a = (0.0, share) if dice.chance(0.5) else (wide - share, wide)
        things.draw_curtain(place.shift(0, 0.7), dice, a, (0.2, 1.95), cloth, SHOWER_CURTAIN)


def _wash_place(place: Place, dice: Dice, wide: float) -> None:
    """Paints a wash basin and a mirror over it."""
    if dice.chance(0.8):
        things.draw_mirror(place, dice, (0.08, wide - 0.08), (1.1, 1.85))
    furniture.draw_vanity(place, dice, wide)
