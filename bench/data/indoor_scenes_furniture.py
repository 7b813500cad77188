"""The furniture of an IndoorScenes picture. A piece fills 0..wide along its place and 0..deep out of it, in metres."""

from __future__ import annotations

from bench.data.indoor_scenes_room import (
    BATHTUB,
    BED,
    BOOKSHELF,
    CABINET,
    CHAIR,
    COUNTER,
    DARK,
    DESK,
    DRESSER,
    FABRIC,
    FRIDGE,
    NIGHT_STAND,
    PILLOW,
    SHELVES,
    SINK,
    SOFA,
    STEEL,
    TABLE,
    TOILET,
    WHITE,
    WOOD,
    Place,
    lighter,
)
from bench.data.road_scenes_canvas import Colour, Dice

SPINES: tuple[Colour, ...] = (
    (140, 50, 44), (52, 72, 116), (196, 186, 160), (60, 92, 66), (84, 60, 48), (190, 140, 60), (44, 44, 50),
    (150, 150, 156),
)  # fmt: skip


def draw_bed(place: Place, dice: Dice, wide: float, deep: float) -> None:
    """Paints a bed with its head at the back: frame, head board, blanket and pillows."""
    wood, cover, sheet = dice.pick(WOOD), dice.pick(FABRIC), dice.pick((*WHITE, *FABRIC))
    high = dice.between(0.45, 0.6)
    place.block((0, wide), (0, dice.between(0.9, 1.25)), (0, 0.08), wood, BED)
    place.block((0, wide), (0, high - 0.2), (0.08, deep), wood, BED)
    place.block((0, wide), (high - 0.25, high), (0.08, deep), lighter(cover, 0.9), BED, cover)
    fold = dice.between(0.5, 0.9)
    place.sheet((0, wide), (0.08, fold), high, sheet, BED)
    place.sheet((0, wide), (fold, fold + 0.12), high, lighter(cover, 1.25), BED)
    if dice.chance(0.4):
        for start in (1.1, 1.5):
            place.sheet((0, wide), (start, start + 0.15), high, lighter(cover, dice.between(0.6, 1.4)), None)
    count = 2 if wide > 1.2 else 1
    for number in range(count):
        middle = wide * (number + 0.5) / count
        draw_pillow(place, dice, middle, 0.3, high, min(0.32, wide / count * 0.4))


def draw_pillow(place: Place, dice: Dice, a: float, d: float, v: float, half: float) -> None:
    """Paints a pillow that leans back at (a, d) on something v high."""
    colour, rise = dice.pick((*WHITE, *WHITE, *FABRIC)), 0.9 * half
    place.sheet((a - half, a + half), (d - 0.12, d + 0.16), v + 0.08, lighter(colour, 1.05), PILLOW)
    place.tilted((a - half, a + half), (v + 0.02, v + rise), (d + 0.16, d - 0.06), lighter(colour, 0.92), PILLOW)


def draw_sofa(place: Place, dice: Dice, wide: float, deep: float) -> None:
    """Paints a sofa: back, arms, seat cushions and, often, pillows."""
    cloth, arm = dice.pick(FABRIC), dice.between(0.14, 0.25)
    high, seat, rest = dice.between(0.72, 0.9), dice.between(0.38, 0.45), dice.between(0.5, 0.62)
    place.block((0, wide), (0.05, high), (0, 0.25), cloth, SOFA)
    sides = [((0, arm), (0.05, rest), (0.1, deep)), ((wide - arm, wide), (0.05, rest), (0.1, deep))]
    place.blocks(sides, lighter(cloth, 0.93), SOFA)
    place.block((arm, wide - arm), (0.05, seat), (0.2, deep - 0.03), lighter(cloth, 0.98), SOFA, lighter(cloth, 1.04))
    count = max(1, round((wide - 2 * arm) / 0.7))
    for number in range(1, count):
        a = arm + (wide - 2 * arm) * number / count
        place.sheet((a - 0.02, a + 0.02), (0.25, deep - 0.03), seat, lighter(cloth, 0.7), None)
        place.front((a - 0.02, a + 0.02), (seat, high), 0.25, lighter(cloth, 0.7), None)
    for _ in range(dice.whole(0, 3)):
        draw_pillow(place, dice, dice.between(arm + 0.25, wide - arm - 0.25), 0.4, seat, 0.22)


def draw_armchair(place: Place, dice: Dice, wide: float, deep: float) -> None:
    """Paints an upholstered chair: built as a sofa is, and Chair all the same."""
    cloth = dice.pick(FABRIC)
    place.block((0, wide), (0, 0.85), (0, 0.2), cloth, CHAIR)
    place.blocks([((0, 0.14), (0, 0.58), (0.1, deep)), ((wide - 0.14, wide), (0, 0.58), (0.1, deep))], cloth, CHAIR)
    place.block((0.14, wide - 0.14), (0.05, 0.42), (0.15, deep), lighter(cloth, 0.95), CHAIR)


def draw_chair(place: Place, dice: Dice, colour: Colour | None = None, swivel: bool | None = None) -> None:
    """Paints a chair around its place, looking out: with four legs, or on a foot with castors."""
    cloth = colour or dice.pick((*WOOD, *FABRIC))
    half, seat, high = dice.between(0.2, 0.26), dice.between(0.42, 0.5), dice.between(0.82, 1.02)
    steel = dice.pick((*STEEL, *WOOD, *DARK))
    if dice.chance(0.35) if swivel is None else swivel:
        place.post(0, 0, 0.03, (0.08, seat), steel, CHAIR)
        for a, d in ((-0.25, 0.0), (0.25, 0.0), (0.0, 0.25), (0.0, -0.25)):
            place.block((min(a, 0) - 0.02, max(a, 0) + 0.02), (0.03, 0.09), (min(d, 0), max(d, 0) + 0.04), steel, CHAIR)
    else:
        for d in (
            (half, -half)
            if place.room.distance(*place.spot(0, -half)) < place.room.distance(*place.spot(0, half))
            else (-half, half)
        ):
            for a in (-half, half):
                place.post(a, d, 0.02, (0, seat), steel, CHAIR)
    back = ((-half, half), (seat + 0.08 if half > 0.23 else seat, high), (-half, -half + 0.05))
    place.blocks([((-half, half), (seat - 0.05, seat), (-half, half)), back], cloth, CHAIR)


def draw_stool(place: Place, dice: Dice) -> None:
    """Paints a bar stool: a high seat without a back."""
    steel, seat = dice.pick((*STEEL, *WOOD)), dice.between(0.6, 0.75)
    for a, d in ((-0.14, -0.14), (0.14, -0.14), (-0.14, 0.14), (0.14, 0.14)):
        place.post(a, d, 0.02, (0, seat), steel, CHAIR)
    place.block((-0.18, 0.18), (seat, seat + 0.05), (-0.18, 0.18), dice.pick((*WOOD, *FABRIC)), CHAIR)


def draw_table(place: Place, dice: Dice, wide: float, deep: float, high: float, label: int = TABLE) -> Colour:
    """Paints a table or a desk on legs, or on side boards; returns its colour."""
    wood = dice.pick((*WOOD, *WOOD, *WHITE))
    leg = wood if dice.chance(0.6) else dice.pick((*STEEL, *DARK))
    if label == DESK and dice.chance(0.6):
        boards = [((0, 0.04), (0, high), (0.02, deep - 0.02)), ((wide - 0.42, wide), (0, high), (0.02, deep - 0.02))]
        place.blocks(boards, lighter(wood, 0.9), label)
        for number in range(3):
            low = 0.08 + number * (high - 0.12) / 3
            place.front((wide - 0.39, wide - 0.03), (low, low + 0.02), deep - 0.02, lighter(wood, 0.55), None)
    else:
        thick = dice.between(0.05, 0.08)
        legs = [
            ((a, a + thick), (0.0, high - 0.04), (d, d + thick))
            for a in (0.03, wide - 0.03 - thick)
            for d in (0.03, deep - 0.03 - thick)
        ]
        place.blocks(legs, leg, label)
    place.block((0, wide), (high - 0.05, high), (0, deep), wood, label)
    return wood


def draw_round_table(place: Place, dice: Dice, radius: float, high: float) -> None:
    """Paints a round table on one foot, around its place."""
    wood = dice.pick((*WOOD, *WHITE))
    place.cone(0, 0, 0.25, 0.04, (0, 0.1), lighter(wood, 0.7), TABLE)
    place.post(0, 0, 0.05, (0.08, high), lighter(wood, 0.7), TABLE)
    place.round(0, high - 0.05, 0, radius, lighter(wood, 0.75), TABLE)
    place.round(0, high, 0, radius, lighter(wood, 1.1), TABLE)


def draw_drawers(place: Place, dice: Dice, wide: float, deep: float, label: int = DRESSER) -> float:
    """Paints a chest of drawers, low and narrow for a night stand; returns its height."""
    wood = dice.pick(WOOD)
    high = dice.between(0.45, 0.62) if label == NIGHT_STAND else dice.between(0.75, 1.1)
    place.block((0, wide), (0.05, high), (0, deep), wood, label)
    rows, columns = (2, 1) if label == NIGHT_STAND else (dice.whole(3, 4), 2 if wide > 0.9 else 1)
    step, knob = (high - 0.1) / rows, dice.pick((*STEEL, *DARK))
    for row in range(rows):
        low = 0.08 + row * step
        for column in range(columns):
            a, size = wide * column / columns, wide / columns
            place.front((a + 0.03, a + size - 0.03), (low + 0.02, low + step - 0.02), deep, lighter(wood, 0.84), None)
            middle = a + size / 2
            place.front((middle - 0.06, middle + 0.06), (low + step / 2, low + step / 2 + 0.03), deep, knob, None)
    return high


def draw_cabinet(place: Place, dice: Dice, wide: float, deep: float, low: float, high: float, wood: Colour) -> None:
    """Paints a cupboard with doors, from low to high above the floor: a wardrobe, a kitchen cupboard, a side board."""
    place.block((0, wide), (low, high), (0, deep), wood, CABINET)
    doors, knob = max(1, round(wide / 0.5)), dice.pick((*STEEL, *DARK))
    for door in range(doors):
        a0, a1 = wide * door / doors + 0.02, wide * (door + 1) / doors - 0.02
        place.front((a0, a1), (low + 0.04, high - 0.03), deep, lighter(wood, 0.9), None)
        if a1 - a0 > 0.25:
            place.front((a0 + 0.07, a1 - 0.07), (low + 0.12, high - 0.1), deep, lighter(wood, 1.02), None)
        grip = a1 - 0.06 if door % 2 == 0 else a0 + 0.03
        middle = (low + high) / 2
        place.front((grip, grip + 0.03), (middle - 0.06, middle + 0.06), deep, knob, None)


def draw_counter(place: Place, dice: Dice, wide: float, wood: Colour, stone: Colour, sink: bool) -> None:
    """Paints a kitchen unit: cupboard, worktop (the Counter) and perhaps a sink with its tap."""
    draw_cabinet(place, dice, wide, 0.58, 0.0, 0.86, wood)
    place.block((0, wide), (0.86, 0.92), (0, 0.62), stone, COUNTER)
    if sink:
        draw_basin(place, dice, (0.08, wide - 0.08), (0.1, 0.54), 0.925)


def draw_basin(place: Place, dice: Dice, a: tuple[float, float], d: tuple[float, float], v: float) -> None:
    """Paints a sink let into a top v high: rim, hollow and tap."""
    rim = dice.pick((*STEEL[:1], *STEEL[2:3], *WHITE))
    place.sheet(a, d, v, rim, SINK)
    place.sheet((a[0] + 0.06, a[1] - 0.06), (d[0] + 0.06, d[1] - 0.05), v, lighter(rim, 0.62), None)
    place.post((a[0] + a[1]) / 2, d[0], 0.02, (v, v + 0.24), dice.pick(STEEL), SINK)


def draw_vanity(place: Place, dice: Dice, wide: float) -> None:
    """Paints a wash basin: on a pedestal, or in the top of a cupboard."""
    white = dice.pick(WHITE)
    if dice.chance(0.5):
        place.cone(wide / 2, 0.25, 0.13, 0.09, (0, 0.72), lighter(white, 0.88), SINK)
        place.block((0.05, wide - 0.05), (0.7, 0.86), (0, 0.5), white, SINK)
        place.sheet((0.14, wide - 0.14), (0.1, 0.42), 0.865, lighter(white, 0.74), None)
        place.post(wide / 2, 0.08, 0.025, (0.86, 1.02), dice.pick(STEEL), SINK)
        return
    draw_cabinet(place, dice, wide, 0.48, 0.0, 0.8, dice.pick(WOOD))
    place.block((0, wide), (0.8, 0.86), (0, 0.52), white, COUNTER)
    draw_basin(place, dice, (0.12, wide - 0.12), (0.08, 0.46), 0.865)


def draw_toilet(place: Place, dice: Dice) -> None:
    """Paints a toilet: cistern, bowl, and a lid that is up or down."""
    white = dice.pick(WHITE)
    place.block((0.02, 0.46), (0.38, 0.8), (0, 0.18), white, TOILET)
    place.cone(0.24, 0.42, 0.13, 0.19, (0, 0.36), lighter(white, 0.86), TOILET)
    if dice.chance(0.5):
        place.front((0.05, 0.43), (0.42, 0.8), 0.2, lighter(white, 0.94), TOILET)
    place.round(0.24, 0.36, 0.44, 0.25, lighter(white, 0.9), TOILET)
    place.round(0.24, 0.41, 0.44, 0.25, lighter(white, 1.04), TOILET)
    place.round(0.24, 0.415, 0.45, 0.15, lighter(white, 0.68 if dice.chance(0.6) else 0.96), None)


def draw_bathtub(place: Place, dice: Dice, wide: float, deep: float) -> None:
    """Paints a bathtub along the wall, with its tap."""
    white = dice.pick(WHITE)
    place.block((0, wide), (0, 0.55), (0, deep), lighter(white, 0.94), BATHTUB, white)
    place.sheet((0.1, wide - 0.1), (0.09, deep - 0.09), 0.555, lighter(white, 0.72), None)
    place.sheet((0.2, wide - 0.2), (0.2, deep - 0.12), 0.555, lighter(white, 0.84), None)
    place.post(0.15, deep / 2, 0.03, (0.55, 0.75), dice.pick(STEEL), BATHTUB)


def draw_fridge(place: Place, dice: Dice, wide: float) -> None:
    """Paints a fridge with its freezer door above or below."""
    steel, high = dice.pick((*WHITE, *STEEL[:1], *STEEL[2:3], *DARK[:1])), dice.between(1.55, 1.85)
    place.block((0, wide), (0.03, high), (0, 0.66), steel, FRIDGE)
    gap = high * dice.between(0.6, 0.7)
    place.front((0, wide), (gap, gap + 0.03), 0.66, lighter(steel, 0.5), None)
    grip, dark = (0.05, 0.09) if dice.chance(0.5) else (wide - 0.09, wide - 0.05), lighter(steel, 0.55)
    place.front(grip, (gap - 0.5, gap - 0.06), 0.66, dark, None)
    place.front(grip, (gap + 0.08, min(gap + 0.35, high - 0.1)), 0.66, dark, None)


def draw_books(place: Place, dice: Dice, a: tuple[float, float], v: float, d: float, label: int | None) -> None:
    """Paints a row of upright books whose spines are at d."""
    at = a[0]
    while at < a[1] - 0.05:
        thick = dice.between(0.04, 0.11)
        if dice.chance(0.88):
            tall = dice.between(0.18, 0.28)
            place.front((at, min(at + thick, a[1])), (v, v + tall), d, dice.pick(SPINES), label)
        at += thick


def draw_rack(place: Place, dice: Dice, wide: float, deep: float, high: float, label: int = BOOKSHELF) -> list[float]:
    """Paints a rack of boards with an open front, books in it if it is a Bookshelf; returns its boards' heights."""
    wood, count = dice.pick(WOOD if label == BOOKSHELF else (*WOOD, *STEEL)), max(2, round(high / 0.36))
    place.block((0, wide), (0, high), (0, deep), wood, label)
    place.front((0.04, wide - 0.04), (0.06, high - 0.04), deep, lighter(wood, 0.42), None)
    boards = [0.06 + number * (high - 0.1) / count for number in range(count)]
    for board in boards:
        place.front((0, wide), (board - 0.04, board), deep, wood, None)
        if label == BOOKSHELF:
            draw_books(place, dice, (0.06, wide - 0.05), board, deep, None)
    if label == SHELVES and wide > 0.8:
        place.front((wide / 2 - 0.02, wide / 2 + 0.02), (0, high), deep, wood, None)
    return boards
