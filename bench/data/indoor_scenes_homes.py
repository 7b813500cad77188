"""The dry rooms of a home in IndoorScenes: bedroom, living room, dining room."""

from __future__ import annotations

from bench.data import indoor_scenes_furniture as furniture
from bench.data import indoor_scenes_things as things
from bench.data.indoor_scenes_layout import TO_BACK, TO_FRONT, TO_LEFT, TO_RIGHT, WALLS, Layout
from bench.data.indoor_scenes_room import DRESSER, FABRIC, NIGHT_STAND, SHELVES, WOOD, Place
from bench.data.road_scenes_canvas import Dice


def plan_bedroom(layout: Layout) -> None:
    """A bed against the back wall or along a side wall, night stands with lamps, a dresser, a wardrobe."""
    dice, room = layout.dice, layout.room
    side = "left" if room.eye[0] > room.width / 2 else "right"
    for name in WALLS:
        layout.dress(name, 0.45)
    wide = dice.between(1.5, 1.9) if dice.chance(0.7) else dice.between(0.95, 1.1)
    deep = dice.between(1.9, 2.1)
    layout.skip("back", dice.between(0.0, max(0.05, min(0.9, room.width - wide - 1.3))))
    if dice.chance(0.75):
        layout.against("back", 0.5, 0.42, _night_stand, 0.5)
    layout.against("back", wide, 0.6, furniture.draw_bed, wide, deep)
    if dice.chance(0.6):
        layout.against("back", 0.5, 0.42, _night_stand, 0.5)
    if dice.chance(0.3):
        layout.hang_door("back")
    for name in ("left", "right"):
        layout.skip(name, 0.7)
        if name == side and dice.chance(0.55):
            layout.against(name, 1.3, 0.5, _dresser, 1.3)
        if dice.chance(0.4):
            wood = dice.pick(WOOD)
            layout.against(name, 1.1, 0.6, furniture.draw_cabinet, 1.1, 0.6, 0.0, dice.between(1.9, 2.2), wood)
        if dice.chance(0.6):
            layout.hang_door(name)
        if dice.chance(0.2):
            piece = layout.reserve(name, 1.0)
            if piece is not None:
                things.draw_hanging_clothes(layout.wall(name), layout.own_dice(), piece, 1.7, (0.05, 0.4))
    drop_at_home(layout, 2, clothes=0.6)


def _night_stand(place: Place, dice: Dice, wide: float) -> None:
    """Paints a night stand with what lies on it."""
    high = furniture.draw_drawers(place, dice, wide, 0.42, NIGHT_STAND)
    if dice.chance(0.75):
        things.draw_lamp(place, dice, 0.5 * wide, 0.18, high)
    if dice.chance(0.35):
        things.draw_book_pile(place, dice, 0.3 * wide, 0.28, high)


def _dresser(place: Place, dice: Dice, wide: float) -> None:
    """Paints a chest of drawers, a mirror above it or a television on it."""
    if dice.chance(0.5):
        things.draw_mirror(place, dice, (0.2, wide - 0.2), (1.2, 1.95))
    high = furniture.draw_drawers(place, dice, wide, 0.48, DRESSER)
    roll = dice.fraction()
    if roll < 0.35:
        things.draw_screen(place, dice, (0.3, wide - 0.3), (high + 0.04, high + 0.5), 0.15)
    elif roll < 0.7:
        things.draw_lamp(place, dice, 0.25, 0.2, high)
        things.draw_unlabelled(place, dice, wide - 0.2, 0.25, high)
    else:
        things.draw_box(place, dice, 0.4, 0.22, high, 0.3)


def plan_living_room(layout: Layout) -> None:
    """A sofa, a low table, a television, a bookshelf, lamps and chairs."""
    dice, room = layout.dice, layout.room
    for name in WALLS:
        layout.dress(name, 0.45)
    wide = dice.between(1.7, 2.2)
    layout.skip("back", dice.between(0.0, max(0.05, room.width - wide - 1.1)))
    layout.against("back", wide, 0.9, furniture.draw_sofa, wide, 0.9)
    if dice.chance(0.6):
        layout.against("back", 0.5, 0.5, things.draw_lamp, 0.25, 0.25, 0.0)
    if dice.chance(0.5):
        layout.against("back", 0.9, 0.32, furniture.draw_rack, 0.9, 0.32, dice.between(1.4, 2.1))
    for name in ("left", "right"):
        layout.skip(name, 1.0)
        roll = dice.fraction()
        if roll < 0.35:
            layout.against(name, 1.4, 0.4, _television, 1.4)
        elif roll < 0.6:
            layout.against(name, 1.5, 0.9, furniture.draw_sofa, 1.5, 0.88)
        elif roll < 0.8:
            layout.against(name, 0.9, 0.32, furniture.draw_rack, 0.9, 0.32, dice.between(1.4, 2.1))
        if dice.chance(0.4):
            layout.hang_door(name)
    u, w = room.width * dice.between(0.35, 0.65), room.depth - dice.between(1.6, 2.0)
    long = dice.between(0.9, 1.2)
    layout.standing(u - long / 2, w, TO_FRONT, _low_table, long)
    if dice.chance(0.5):
        layout.standing(room.width * dice.between(0.1, 0.3), w - 0.5, TO_RIGHT, furniture.draw_armchair, 0.75, 0.75)
    if dice.chance(0.15):
        layout.standing(u + 0.9, w + 0.3, TO_FRONT, things.draw_person, False)
    if dice.chance(0.25):
        layout.standing(u - 0.9, w - 0.4, TO_FRONT, things.draw_mat, (0.0, 1.7), (-0.6, 0.5))
    drop_at_home(layout, 2)


def _television(place: Place, dice: Dice, wide: float) -> None:
    """Paints a television on a low cupboard."""
    furniture.draw_cabinet(place, dice, wide, 0.42, 0.0, 0.5, dice.pick(WOOD))
    half = dice.between(0.4, 0.6)
    things.draw_screen(place, dice, (wide / 2 - half, wide / 2 + half), (0.56, 0.56 + 1.15 * half), 0.18)


def _low_table(place: Place, dice: Dice, wide: float) -> None:
    """Paints a low table with what lies on it."""
    high = dice.between(0.4, 0.48)
    furniture.draw_table(place, dice, wide, 0.55, high)
    if dice.chance(0.6):
        things.draw_book_pile(place, dice, dice.between(0.2, wide - 0.2), 0.25, high)
    if dice.chance(0.3):
        things.draw_papers(place, dice, dice.between(0.2, wide - 0.2), 0.3, high)
    if dice.chance(0.4):
        things.draw_unlabelled(place, dice, dice.between(0.2, wide - 0.2), 0.25, high)


def plan_dining_room(layout: Layout) -> None:
    """A table with its chairs, a lamp, a cupboard and windows."""
    dice, room = layout.dice, layout.room
    for name in WALLS:
        layout.dress(name, 0.6)
    layout.skip("back", dice.between(0.0, 0.8))
    layout.against("back", 1.4, 0.45, furniture.draw_cabinet, 1.4, 0.45, 0.0, dice.between(0.8, 1.9), dice.pick(WOOD))
    if dice.chance(0.4):
        layout.against("back", 0.8, 0.35, furniture.draw_rack, 0.8, 0.35, 1.7, SHELVES)
    if dice.chance(0.5):
        layout.skip("left", 0.9)
        layout.hang_door("left")
    dining_set(layout, room.width * dice.between(0.4, 0.6), room.depth - dice.between(1.8, 2.2), dice.between(1.3, 1.8))
    drop_at_home(layout, 1)


def dining_set(layout: Layout, u: float, w: float, wide: float) -> None:
    """Puts a table around (u, w) with chairs of one kind on its sides."""
    dice, deep = layout.dice, layout.dice.between(0.75, 0.95)
    cloth = dice.pick((*WOOD, *FABRIC))
    swivel = False
    for place in range(max(1, round(wide / 0.65))):
        at = u - wide / 2 + 0.35 + 0.62 * place
        if dice.chance(0.85):
            layout.standing(at, w + 0.35 + deep / 2, TO_FRONT, furniture.draw_chair, cloth, swivel)
        if dice.chance(0.7):
            layout.standing(at, w - 0.3 - deep / 2, TO_BACK, furniture.draw_chair, cloth, swivel)
    for at, turn in ((u - wide / 2 - 0.3, TO_RIGHT), (u + wide / 2 + 0.3, TO_LEFT)):
        if dice.chance(0.5):
            layout.standing(at, w, turn, furniture.draw_chair, cloth, swivel)
    layout.standing(u, w, TO_FRONT, _laid_table, wide, deep)


def _laid_table(place: Place, dice: Dice, wide: float, deep: float) -> None:
    """Paints a table around its place with what is on it."""
    high = dice.between(0.72, 0.77)
    furniture.draw_table(place.shift(-wide / 2, -deep / 2), dice, wide, deep, high)
    for _ in range(dice.whole(0, 2)):
        a, roll = dice.between(-0.35, 0.35) * wide, dice.fraction()
        if roll < 0.5:
            things.draw_unlabelled(place, dice, a, 0.0, high)
        elif roll < 0.7:
            things.draw_papers(place, dice, a, 0.1, high)
        else:
            things.draw_box(place, dice, a, 0.0, high, 0.25)


def drop_at_home(layout: Layout, most: int, clothes: float = 0.15) -> None:
    """Leaves boxes, bags, clothes or pots on the floor of the near half of the room."""
    dice, room = layout.dice, layout.room
    for _ in range(dice.whole(0, most)):
        u, w = room.width * dice.between(0.1, 0.9), room.depth - dice.between(1.3, 2.6)
        roll = dice.fraction()
        if roll < clothes:
            layout.standing(u, w, TO_FRONT, things.draw_dropped_clothes, 0.0, 0.0, 0.0)
        elif roll < clothes + 0.25:
            layout.standing(u, w, TO_FRONT, things.draw_bag, 0.0, 0.0, 0.0)
        elif roll < clothes + 0.5:
            layout.standing(u, w, TO_FRONT, things.draw_box, 0.0, 0.0, 0.0, dice.between(0.35, 0.55))
        else:
            layout.standing(u, w, TO_FRONT, things.draw_unlabelled, 0.0, 0.0, 0.0)
