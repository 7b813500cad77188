"""What hangs, lies and stands in an IndoorScenes room besides its furniture. Lengths in metres."""

from __future__ import annotations

from bench.data.indoor_scenes_furniture import SPINES
from bench.data.indoor_scenes_room import (
    BAG,
    BLINDS,
    BOOKS,
    BOX,
    CLOTHES,
    CURTAIN,
    DARK,
    DOOR,
    FABRIC,
    FLOOR_MAT,
    LAMP,
    MIRROR,
    PAPER,
    PERSON,
    PICTURE,
    SHOWER_CURTAIN,
    STEEL,
    TOWEL,
    TV,
    WHITE,
    WHITEBOARD,
    WINDOW,
    WOOD,
    Place,
    Range,
    lighter,
)
from bench.data.road_scenes_canvas import Colour, Dice
from bench.data.split import IGNORE_INDEX

SKIN: tuple[Colour, ...] = ((202, 162, 136), (150, 108, 84), (96, 68, 54))
VIEWS: tuple[Colour, ...] = ((214, 224, 234), (236, 238, 240), (168, 190, 206), (90, 98, 108), (150, 168, 140))
CARDBOARD: tuple[Colour, ...] = ((170, 134, 94), (190, 156, 116), (146, 112, 78), (204, 200, 192))
PICTURES: tuple[Colour, ...] = (
    (186, 150, 90), (70, 100, 120), (140, 70, 60), (206, 200, 186), (60, 70, 60), (110, 130, 150), (40, 40, 44),
)  # fmt: skip


# --- on a wall: a along it, d = 0 its surface


def draw_window(wall: Place, dice: Dice, a: Range, v: Range) -> None:
    """Paints a window: a frame, panes, and a view that is brighter than the room unless it is night."""
    frame, view = dice.pick((*WHITE, *WOOD[:2])), lighter(dice.pick(VIEWS), 1.12)
    wall.front((a[0] - 0.06, a[1] + 0.06), (v[0] - 0.06, v[1] + 0.06), 0.005, frame, WINDOW)
    wall.front(a, v, 0.01, view, WINDOW)
    if dice.chance(0.5):
        wall.front(a, (v[0], v[0] + (v[1] - v[0]) * dice.between(0.2, 0.5)), 0.01, lighter(view, 0.75), None)
    for number in range(1, dice.whole(2, 3)):
        middle = a[0] + (a[1] - a[0]) * number / 2
        wall.front((middle - 0.03, middle + 0.03), v, 0.012, frame, None)
    if dice.chance(0.4):
        middle = (v[0] + v[1]) / 2
        wall.front(a, (middle - 0.03, middle + 0.03), 0.012, frame, None)


def draw_blinds(wall: Place, dice: Dice, a: Range, v: Range) -> None:
    """Paints blinds over a window, let down all the way or part of it: slats with gaps of light."""
    slat, low = dice.pick((*WHITE, *WHITE, *WOOD[2:3])), v[0] + (v[1] - v[0]) * dice.between(0, 0.45)
    wall.front(a, (low, v[1] + 0.05), 0.03, slat, BLINDS)
    step = 0.11
    for number in range(int((v[1] - low) / step)):
        start = low + number * step
        wall.front(a, (start, start + 0.045), 0.035, lighter(slat, 0.72), None)


def draw_curtain(wall: Place, dice: Dice, a: Range, v: Range, cloth: Colour, label: int = CURTAIN) -> None:
    """Paints a curtain in folds, from v[0] to v[1]."""
    wall.front(a, v, 0.06, cloth, label)
    step = dice.between(0.12, 0.2)
    for number in range(int((a[1] - a[0]) / step)):
        start = a[0] + number * step
        wall.front((start, start + 0.4 * step), v, 0.065, lighter(cloth, 0.78), None)
    if label == SHOWER_CURTAIN:
        wall.front((a[0] - 0.1, a[1] + 0.1), (v[1], v[1] + 0.03), 0.06, (170, 172, 174), None)


def draw_door(wall: Place, dice: Dice, a: float) -> None:
    """Paints a door from a on: frame, leaf, panels and handle."""
    leaf, wide, high = dice.pick((*WOOD, *WHITE)), dice.between(0.8, 0.95), dice.between(1.98, 2.1)
    frame = lighter(leaf, dice.between(0.75, 1.15))
    wall.front((a - 0.08, a + wide + 0.08), (0, high + 0.08), 0.01, frame, DOOR)
    wall.front((a, a + wide), (0, high), 0.015, leaf, DOOR)
    if dice.chance(0.6):
        for low, top in ((0.15, 0.85), (1.05, high - 0.15)):
            wall.front((a + 0.14, a + wide - 0.14), (low, top), 0.018, lighter(leaf, 0.86), None)
    grip = a + 0.07 if dice.chance(0.5) else a + wide - 0.16
    wall.front((grip, grip + 0.1), (0.98, 1.04), 0.02, dice.pick(STEEL), None)


def draw_picture(wall: Place, dice: Dice, a: float, v: float) -> None:
    """Paints a framed picture, or a poster, around (a, v)."""
    half, tall = dice.between(0.18, 0.5), dice.between(0.18, 0.42)
    wall.front((a - half, a + half), (v - tall, v + tall), 0.02, dice.pick((*DARK, *WOOD, *WHITE)), PICTURE)
    inner, up = half * 0.84, tall * 0.8
    wall.front((a - inner, a + inner), (v - up, v + up), 0.022, dice.pick(PICTURES), None)
    level = v - up + up * dice.between(0.4, 1.4)
    wall.front((a - inner, a + inner), (v - up, level), 0.024, dice.pick(PICTURES), None)
    shape = dice.between(-0.5, 0.3) * inner
    wall.front((a + shape, a + shape + 0.35 * inner), (v - up * 0.7, v + up * 0.5), 0.026, dice.pick(PICTURES), None)


def draw_mirror(wall: Place, dice: Dice, a: Range, v: Range) -> None:
    """Paints a mirror: a thin frame, and a room in it that is a little darker."""
    wall.front((a[0] - 0.04, a[1] + 0.04), (v[0] - 0.04, v[1] + 0.04), 0.02, dice.pick((*STEEL, *WOOD)), MIRROR)
    glass = dice.pick(((150, 158, 162), (176, 180, 180), (130, 140, 146)))
    wall.front(a, v, 0.022, glass, MIRROR)
    middle = a[0] + (a[1] - a[0]) * dice.between(0.3, 0.7)
    wall.front((middle, a[1]), (v[0], v[1] - 0.12), 0.024, lighter(glass, 0.8), None)
    wall.front((a[0] + 0.05, a[0] + 0.12), (v[0] + 0.1, v[1] - 0.1), 0.024, lighter(glass, 1.25), None)


def draw_whiteboard(wall: Place, dice: Dice, a: Range) -> None:
    """Paints a whiteboard with its frame, tray and some writing."""
    wall.front(a, (0.95, 2.0), 0.02, dice.pick(STEEL), WHITEBOARD)
    wall.front((a[0] + 0.04, a[1] - 0.04), (1.0, 1.96), 0.022, dice.pick(((226, 230, 234), (216, 222, 222))), None)
    wall.block((a[0], a[1]), (0.93, 0.97), (0, 0.08), dice.pick(STEEL), WHITEBOARD)
    ink = dice.pick(((50, 70, 150), (160, 50, 50), (50, 50, 56)))
    for _ in range(dice.whole(2, 6)):
        start, line = dice.between(a[0] + 0.1, a[1] - 0.5), dice.between(1.1, 1.85)
        wall.front((start, start + dice.between(0.2, 0.6)), (line, line + 0.035), 0.024, ink, None)


def draw_screen(wall: Place, dice: Dice, a: Range, v: Range, d: float) -> None:
    """Paints a flat screen, on or off, that hangs or stands at d."""
    wall.block(a, v, (d, d + 0.06), (26, 26, 28), TV)
    glow = dice.pick(((30, 32, 38), (22, 22, 26), (90, 130, 170), (150, 160, 170)))
    wall.front((a[0] + 0.03, a[1] - 0.03), (v[0] + 0.04, v[1] - 0.03), d + 0.065, glow, None)


def draw_towels(wall: Place, dice: Dice, a: float, v: float) -> None:
    """Paints a rail with one or two towels."""
    wall.block((a - 0.05, a + 0.75), (v, v + 0.03), (0, 0.06), dice.pick(STEEL), IGNORE_INDEX)
    for number in range(dice.whole(1, 2)):
        cloth, start = dice.pick((*FABRIC, *WHITE)), a + 0.36 * number
        low = v - dice.between(0.45, 0.75)
        wall.front((start, start + 0.33), (low, v + 0.03), 0.07, cloth, TOWEL)
        wall.front((start, start + 0.33), (low + 0.06, low + 0.12), 0.075, lighter(cloth, 0.75), None)


def draw_hanging_clothes(wall: Place, dice: Dice, a: Range, v: float, d: Range) -> None:
    """Paints coats and shirts side by side under a rail at v."""
    wall.block(a, (v, v + 0.03), (d[0], d[0] + 0.04), dice.pick(STEEL), IGNORE_INDEX)
    at = a[0]
    while at < a[1] - 0.1:
        thick, cloth = dice.between(0.1, 0.22), dice.pick(FABRIC)
        wall.block((at, min(at + thick, a[1])), (v - dice.between(0.7, 1.05), v), d, cloth, CLOTHES)
        at += thick


# --- on the floor, or on top of something v high


def draw_lamp(place: Place, dice: Dice, a: float, d: float, v: float) -> None:
    """Paints a lamp: a standard lamp on the floor, a table lamp on anything else."""
    tall, size = (dice.between(1.35, 1.65), 0.22) if v == 0 else (dice.between(0.4, 0.55), 0.16)
    steel, shade = dice.pick((*STEEL, *DARK, *WOOD)), dice.pick(((240, 226, 190), (222, 214, 200), (200, 150, 110)))
    place.cone(a, d, 0.5 * size, 0.2 * size, (v, v + 0.06), steel, LAMP)
    place.post(a, d, 0.02, (v, v + tall - size), steel, LAMP)
    place.cone(a, d, size, 0.6 * size, (v + tall - 1.5 * size, v + tall), shade, LAMP)


def draw_book_pile(place: Place, dice: Dice, a: float, d: float, v: float) -> None:
    """Paints some books, one on the other."""
    for number in range(dice.whole(1, 4)):
        half = dice.between(0.1, 0.15)
        low = v + 0.045 * number
        place.block((a - half, a + half), (low, low + 0.045), (d - 0.1, d + 0.1), dice.pick(SPINES), BOOKS)


def draw_papers(place: Place, dice: Dice, a: float, d: float, v: float) -> None:
    """Paints a few sheets of paper."""
    for _ in range(dice.whole(1, 3)):
        x, y = a + dice.between(-0.12, 0.12), d + dice.between(-0.1, 0.1)
        white = lighter(dice.pick(((226, 226, 222), (214, 214, 206))), 1.02)
        place.sheet((x - 0.13, x + 0.13), (y - 0.16, y + 0.16), v + 0.01, white, PAPER)
        place.sheet((x - 0.08, x + 0.08), (y - 0.08, y + 0.02), v + 0.012, lighter(white, 0.8), None)


def draw_box(place: Place, dice: Dice, a: float, d: float, v: float, size: float) -> None:
    """Paints a cardboard box, with tape or a label."""
    board, half, tall = dice.pick(CARDBOARD), size / 2, size * dice.between(0.5, 1.0)
    place.block((a - half, a + half), (v, v + tall), (d - half * 0.8, d + half * 0.8), board, BOX, lighter(board, 0.92))
    place.sheet((a - 0.1 * size, a + 0.1 * size), (d - half * 0.8, d + half * 0.8), v + tall, lighter(board, 1.2), None)
    place.front((a - 0.3 * size, a), (v + 0.3 * tall, v + 0.6 * tall), d + half * 0.8, dice.pick(CARDBOARD), None)


def draw_bag(place: Place, dice: Dice, a: float, d: float, v: float) -> None:
    """Paints a handbag, a rucksack or a carrier bag with its handles."""
    cloth, half, tall = dice.pick((*FABRIC, *DARK)), dice.between(0.15, 0.22), dice.between(0.26, 0.42)
    place.ball(a, v + tall, d, 0.6 * half, 0.14, lighter(cloth, 0.6), BAG)
    place.cone(a, d, half, 0.75 * half, (v, v + tall), cloth, BAG)
    place.cone(a, d, 0.5 * half, 0.5 * half, (v + 0.06, v + 0.4 * tall), lighter(cloth, 0.75), None)


def draw_dropped_clothes(place: Place, dice: Dice, a: float, d: float, v: float) -> None:
    """Paints a heap of clothes."""
    for _ in range(dice.whole(2, 4)):
        x, y = a + dice.between(-0.2, 0.2), d + dice.between(-0.15, 0.15)
        high = v + 0.06 + dice.between(0, 0.06)
        place.round(x, high, y, dice.between(0.16, 0.28), dice.pick(FABRIC), CLOTHES)


def draw_mat(place: Place, dice: Dice, a: Range, d: Range) -> None:
    """Paints a mat on the floor, with a border."""
    cloth = dice.pick(FABRIC)
    place.sheet(a, d, 0.01, cloth, FLOOR_MAT)
    inner = (a[0] + 0.08, a[1] - 0.08), (d[0] + 0.08, d[1] - 0.08)
    place.sheet(*inner, 0.011, lighter(cloth, dice.between(0.7, 1.35)), None)


def draw_person(place: Place, dice: Dice, seated: bool) -> None:
    """Paints a person around the place, on foot or on a chair that has been painted."""
    coat, trousers, skin = dice.pick(FABRIC), dice.pick((*DARK, *FABRIC)), dice.pick(SKIN)
    hip = 0.48 if seated else 0.85
    if seated:
        place.blocks([((-0.18, 0.18), (0.42, 0.56), (0.0, 0.42))], trousers, PERSON)
        place.blocks(
            [((-0.17, -0.03), (0, 0.5), (0.34, 0.46)), ((0.03, 0.17), (0, 0.5), (0.34, 0.46))], trousers, PERSON
        )
    else:
        for a in (-0.09, 0.09):
            place.cone(a, 0, 0.08, 0.11, (0, hip + 0.05), trousers, PERSON)
    place.cone(0, 0, 0.2, 0.24, (hip, hip + 0.58), coat, PERSON)
    place.cone(-0.25, 0.05, 0.05, 0.07, (hip + 0.02, hip + 0.55), lighter(coat, 0.8), PERSON)
    place.cone(0.25, 0.05, 0.05, 0.07, (hip + 0.02, hip + 0.55), lighter(coat, 0.8), PERSON)
    place.ball(0, hip + 0.74, 0, 0.1, 0.14, skin, PERSON)
    place.ball(0, hip + 0.83, 0, 0.11, 0.07, dice.pick((*DARK, *WOOD[:2])), PERSON)


def draw_unlabelled(place: Place, dice: Dice, a: float, d: float, v: float) -> None:
    """Paints what SUN RGB-D's 37 classes have no name for: a pot plant, a bin, a vase."""
    pot, size = dice.pick((*FABRIC, *STEEL, *WHITE)), 0.16 if v == 0 else 0.07
    place.cone(a, d, 0.8 * size, size, (v, v + 2.2 * size), pot, IGNORE_INDEX)
    if dice.chance(0.6):
        green = dice.pick(((70, 104, 56), (92, 118, 66), (54, 80, 50)))
        for _ in range(4):
            x, rise = a + dice.between(-1.2, 1.2) * size, v + dice.between(2.6, 4.6) * size
            place.ball(x, rise, d, 0.9 * size, 1.1 * size, lighter(green, dice.between(0.7, 1.3)), IGNORE_INDEX)
