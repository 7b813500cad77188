"""The rooms outside a home in IndoorScenes: office, meeting room, library, shop."""

from __future__ import annotations

from bench.data import indoor_scenes_furniture as furniture
from bench.data import indoor_scenes_things as things
from bench.data.indoor_scenes_layout import TO_BACK, TO_FRONT, TO_LEFT, TO_RIGHT, WALLS, Layout
from bench.data.indoor_scenes_room import BOOKS, DESK, FABRIC, SHELVES, WOOD, Place, Turn
from bench.data.road_scenes_canvas import Colour, Dice


def plan_office(layout: Layout) -> None:
    """Desks with screens and papers, swivel chairs, a whiteboard, shelves and cupboards."""
    dice = layout.dice
    board = WALLS[dice.whole(0, 2)] if dice.chance(0.5) else None
    for name in WALLS:
        if name == board:
            start = 0.3 if name != "left" else layout.length(name) - 2.2
            things.draw_whiteboard(layout.wall(name), layout.own_dice(), (start, start + dice.between(1.3, 1.9)))
        else:
            layout.dress(name, 0.5, 1.0, "blinds" if dice.chance(0.45) else None)
    chair = dice.pick(FABRIC)
    for name, turn in (("back", TO_BACK), ("left", TO_LEFT), ("right", TO_RIGHT)):
        if name != "back":
            layout.skip(name, 0.8)
        wide = dice.between(1.2, 1.6)
        if dice.chance(0.85 if name == "back" else 0.5):
            piece = layout.against(name, wide, 0.7, _desk, wide)
            if piece is not None and dice.chance(0.85):
                spot = layout.wall(name).spot((piece[0] + piece[1]) / 2, 1.0)
                _chair(layout, *spot, turn, chair, person=0.12)
        roll = dice.fraction()
        if roll < 0.3:
            layout.against(name, 0.9, 0.32, furniture.draw_rack, 0.9, 0.32, dice.between(1.5, 2.1))
        elif roll < 0.5:
            wood = dice.pick((*WOOD, *things.STEEL))
            layout.against(name, 0.8, 0.45, furniture.draw_cabinet, 0.8, 0.45, 0.0, dice.between(1.0, 1.9), wood)
        elif roll < 0.7:
            layout.hang_door(name)
    drop_at_work(layout, 2)


def _chair(layout: Layout, u: float, w: float, turn: Turn, cloth: Colour, person: float) -> None:
    """Puts a swivel chair somewhere, with somebody on it now and then."""
    seated, dice = layout.dice.chance(person), layout.own_dice()
    askew = Turn.of(dice.between(-0.25, 0.25))
    own = Turn(turn.cos * askew.cos - turn.sin * askew.sin, turn.sin * askew.cos + turn.cos * askew.sin)
    layout.standing(u, w, own, _taken_chair, cloth, seated)


def _taken_chair(place: Place, dice: Dice, cloth: Colour, seated: bool) -> None:
    """Paints a chair and who sits on it."""
    furniture.draw_chair(place, dice, cloth, dice.chance(0.7))
    if seated:
        things.draw_person(place, dice, True)


def _desk(place: Place, dice: Dice, wide: float) -> None:
    """Paints a desk with a screen, papers, books and a lamp."""
    furniture.draw_table(place, dice, wide, 0.7, 0.74, DESK)
    at = dice.between(0.3, wide - 0.55)
    if dice.chance(0.75):
        place.block((at + 0.18, at + 0.3), (0.74, 0.84), (0.2, 0.26), (40, 40, 42), things.TV)
        things.draw_screen(place, dice, (at, at + 0.5), (0.83, 1.16), 0.2)
        place.sheet((at, at + 0.42), (0.42, 0.56), 0.755, dice.pick(things.DARK), things.IGNORE_INDEX)  # keyboard
    for draw, probability in (
        (things.draw_papers, 0.7),
        (things.draw_book_pile, 0.55),
        (things.draw_lamp, 0.3),
        (things.draw_unlabelled, 0.3),
    ):
        if dice.chance(probability):
            draw(place, dice, dice.between(0.15, wide - 0.15), dice.between(0.2, 0.55), 0.74)


def plan_meeting_room(layout: Layout) -> None:
    """A long table with chairs around it or rows of small ones, a whiteboard or a screen on the wall."""
    dice, room = layout.dice, layout.room
    if dice.chance(0.7):
        start = room.width * dice.between(0.1, 0.3)
        things.draw_whiteboard(layout.wall("back"), layout.own_dice(), (start, start + dice.between(1.6, 2.4)))
    else:
        middle = room.width / 2
        things.draw_screen(layout.wall("back"), layout.own_dice(), (middle - 0.7, middle + 0.7), (1.1, 1.9), 0.03)
    for name in ("left", "right"):
        if dice.chance(0.5):
            layout.skip(name, 0.4)
            layout.hang_door(name)
        layout.dress(name, 0.6, 1.0, "blinds" if dice.chance(0.5) else None)
    cloth = dice.pick((*FABRIC, *WOOD))
    rows = (0,) if dice.chance(0.5) else (0, 1)
    for row in rows:
        w = room.depth - 1.5 - 1.5 * row
        wide = room.width * dice.between(0.55, 0.75)
        u = room.width / 2
        layout.standing(u, w, TO_FRONT, _bare_table, wide)
        for place in range(int(wide / 0.7)):
            at = u - wide / 2 + 0.35 + 0.7 * place
            if dice.chance(0.85):
                _chair(layout, at, w - 0.7, TO_BACK, cloth, person=0.08)
            if len(rows) == 1 and dice.chance(0.85):
                _chair(layout, at, w + 0.7, TO_FRONT, cloth, person=0.12)
    drop_at_work(layout, 1)


def _bare_table(place: Place, dice: Dice, wide: float) -> None:
    """Paints a long table around its place, with papers."""
    furniture.draw_table(place.shift(-wide / 2, -0.35), dice, wide, 0.7, 0.74)
    for _ in range(dice.whole(0, 3)):
        things.draw_papers(place, dice, dice.between(-0.4, 0.4) * wide, dice.between(-0.15, 0.15), 0.74)


def plan_library(layout: Layout) -> None:
    """Walls of books, a reading table with chairs."""
    dice, room = layout.dice, layout.room
    high = dice.between(1.8, 2.2)
    for name in WALLS:
        if name != "back":
            layout.skip(name, 0.4)
        while layout.left(name) > 0.95 and dice.chance(0.9):
            layout.against(name, 0.92, 0.32, furniture.draw_rack, 0.9, 0.32, high, gap=0)
    u, w = room.width * dice.between(0.4, 0.6), room.depth - dice.between(1.5, 2.0)
    if dice.chance(0.5):
        layout.standing(u, w, TO_FRONT, furniture.draw_round_table, 0.55, 0.74)
    else:
        layout.standing(u, w, TO_FRONT, _bare_table, 1.4)
    layout.standing(u, w - 0.01, TO_FRONT, things.draw_book_pile, 0.0, 0.0, 0.74)
    cloth = dice.pick((*WOOD, *FABRIC))
    for at, turn in ((-0.85, TO_RIGHT), (0.85, TO_LEFT)):
        if dice.chance(0.8):
            _chair(layout, u + at, w, turn, cloth, person=0.15)
    drop_at_work(layout, 1)


def plan_shop(layout: Layout) -> None:
    """Shelves full of goods, clothes on rails, a sales counter, customers."""
    dice, room = layout.dice, layout.room
    layout.dress("left", 0.2)
    for name in WALLS:
        if name != "back":
            layout.skip(name, 0.4)
        while layout.left(name) > 1.05:
            if dice.chance(0.6):
                layout.against(name, 1.0, 0.42, _goods, 1.0, dice.between(1.5, 2.1), gap=0.05)
            else:
                layout.against(name, 1.0, 0.5, _rail, 1.0, gap=0.05)
    u, w = room.width * dice.between(0.3, 0.7), room.depth - dice.between(1.5, 2.2)
    roll = dice.fraction()
    if roll < 0.4:
        stone = dice.pick(things.CARDBOARD)
        layout.standing(u - 0.7, w, TO_FRONT, furniture.draw_counter, 1.4, dice.pick(WOOD), stone, False)
    elif roll < 0.7:
        layout.standing(u - 0.6, w, TO_FRONT, _rail, 1.2)
    else:
        layout.standing(u, w, TO_FRONT, _bare_table, 1.3)
    for _ in range(dice.whole(0, 2)):
        at = room.width * dice.between(0.2, 0.8)
        layout.standing(at, room.depth - dice.between(1.0, 2.6), TO_FRONT, things.draw_person, False)
    drop_at_work(layout, 2)


def _goods(place: Place, dice: Dice, wide: float, high: float) -> None:
    """Paints shelves with boxes, books, bags, folded clothes, and goods that have no class."""
    boards = furniture.draw_rack(place, dice, wide, 0.4, high, SHELVES)
    for board in boards:
        roll = dice.fraction()
        if roll < 0.3:
            for number in range(3):
                things.draw_box(place, dice, 0.18 + 0.3 * number, 0.2, board, 0.22)
        elif roll < 0.5:
            furniture.draw_books(place, dice, (0.06, wide - 0.05), board, 0.405, BOOKS)
        elif roll < 0.65:
            for number in range(3):
                a = 0.08 + 0.3 * number
                place.front((a, a + 0.24), (board, board + 0.16), 0.405, dice.pick(FABRIC), things.CLOTHES)
        elif roll < 0.8:
            things.draw_bag(place, dice, dice.between(0.25, wide - 0.25), 0.3, board)
        else:
            for number in range(5):
                a = 0.08 + 0.18 * number
                v = board, board + dice.between(0.12, 0.26)
                place.front((a, a + 0.1), v, 0.405, dice.pick(FABRIC), None)


def _rail(place: Place, dice: Dice, wide: float) -> None:
    """Paints a rail with clothes on it."""
    steel = dice.pick(things.STEEL)
    for a in (0.0, wide):
        place.post(a, 0.2, 0.02, (0, 1.5), steel, things.IGNORE_INDEX)
    things.draw_hanging_clothes(place, dice, (0.03, wide - 0.03), 1.5, (0.05, 0.4))


def drop_at_work(layout: Layout, most: int) -> None:
    """Leaves boxes, bags and bins on the floor."""
    dice, room = layout.dice, layout.room
    for _ in range(dice.whole(0, most)):
        u, w = room.width * dice.between(0.1, 0.9), room.depth - dice.between(1.2, 2.6)
        roll = dice.fraction()
        if roll < 0.35:
            layout.standing(u, w, TO_FRONT, things.draw_bag, 0.0, 0.0, 0.0)
        elif roll < 0.7:
            layout.standing(u, w, TO_FRONT, things.draw_box, 0.0, 0.0, 0.0, dice.between(0.3, 0.5))
        else:
            layout.standing(u, w, TO_FRONT, things.draw_unlabelled, 0.0, 0.0, 0.0)
