"""What stands and moves in a RoadScenes street: trees, cars, people, poles and signs. Lengths in metres."""

from __future__ import annotations

import math

import numpy as np

from bench.data import road_scenes_street as streets
from bench.data.road_scenes_canvas import CROWN, TILE, Canvas, Colour, Dice, noise_tile
from bench.data.road_scenes_street import BICYCLIST, CAR, PEDESTRIAN, POLE, SIGN, TREE, darker, draw_fence
from bench.data.split import IGNORE_INDEX

LEAVES: tuple[Colour, ...] = ((62, 84, 44), (84, 98, 52), (48, 66, 42), (104, 106, 60), (92, 84, 60))
BODYWORK: tuple[Colour, ...] = (
    (196, 198, 200), (40, 42, 46), (120, 122, 126), (128, 34, 34), (44, 62, 108), (60, 92, 62),
    (170, 150, 110), (226, 226, 224), (84, 86, 90),
)  # fmt: skip
CLOTHES: tuple[Colour, ...] = (
    (40, 42, 52), (70, 66, 62), (120, 50, 48), (56, 74, 112), (150, 144, 134), (96, 104, 76), (186, 180, 172),
    (30, 30, 32), (140, 110, 60),
)  # fmt: skip
SKIN: tuple[Colour, ...] = ((196, 160, 136), (132, 96, 76), (88, 62, 50))
STEEL: tuple[Colour, ...] = ((82, 84, 86), (140, 140, 138), (46, 48, 50), (176, 176, 172), (92, 80, 64))
BOARDS: tuple[Colour, ...] = ((36, 66, 140), (176, 36, 40), (216, 214, 208), (206, 180, 60), (40, 104, 70))


def draw_standing(canvas: Canvas, dice: Dice, street: streets.Street, plots: list[streets.Plot]) -> None:
    """Paints the street itself, far to near."""
    streets.close_view(canvas, dice.branch(0), street)
    streets.draw_ground(canvas, dice.branch(1), street)
    streets.cast_shadows(canvas, dice.branch(2), street, plots)
    for number, plot in sorted(enumerate(plots, 3), key=lambda numbered: -numbered[1].z0):
        own, front = dice.branch(number), plot.side * street.front(plot.side)
        if plot.kind == "building":
            streets.draw_building(canvas, own, street, plot)
        if plot.kind in ("trees", "fence"):
            z = plot.z1
            while z > max(plot.z0, 2.5):
                draw_tree(canvas, own, front + plot.side * own.between(1.5, 4), z)
                z -= own.between(3, 6)
        if plot.kind == "fence":
            streets.draw_fence(canvas, own, front, plot.z0, plot.z1)


def draw_tree(canvas: Canvas, dice: Dice, x: float, z: float) -> None:
    """Paints a trunk and a ragged crown; a bare one lets the background through and is Tree all the same."""
    camera = canvas.camera
    tall, wide = dice.between(4.5, 9.5), dice.between(1.6, 3.4)
    trunk = canvas.colour(dice.pick(((74, 62, 50), (96, 88, 78), (52, 46, 42))), z)
    bole = dice.between(0.12, 0.24)
    canvas.box(x - bole, x + bole, 0, tall * 0.5, z, trunk, TREE)
    low = tall * dice.between(0.22, 0.4)
    scale = camera.focal / z
    col, row = camera.col(x, z), camera.row((tall + low) / 2, z)
    half_w, half_h = wide * scale, (tall - low) / 2 * scale
    left, right = max(0, math.ceil(col - 1.3 * half_w)), min(canvas.cols, math.ceil(col + 1.3 * half_w))
    top, bottom = max(0, math.ceil(row - 1.3 * half_h)), min(canvas.rows, math.ceil(row + 1.3 * half_h))
    leaf = dice.pick(LEAVES)
    tints = [canvas.colour(darker(leaf, part), z) for part in (0.55, 0.8, 1.0, 1.25)]
    bare, shift = dice.chance(0.3), dice.whole(0, TILE - 1)
    if right <= left or bottom <= top:
        return
    across = (np.arange(left, right) + 0.5 - col) / half_w
    down = (np.arange(top, bottom) + 0.5 - row) / half_h
    tile = noise_tile(CROWN)
    # A crown is about half the tile wide, near or far: its outline does not depend on the picture's size.
    noise_rows = ((down * 55).astype(np.int64) + shift) % TILE
    noise_cols = ((across * 55).astype(np.int64) + 90) % TILE
    noise = tile[noise_rows[:, None], noise_cols]
    reach = (across * across).astype(np.float32) + (down * down).astype(np.float32)[:, None] + 0.5 * noise
    crown = reach < 1
    area = (slice(top, bottom), slice(left, right))
    np.copyto(canvas.labels[area], np.uint8(TREE), where=crown)
    # Where crown and sky mix, CamVid's annotators left single pixels open.
    speckle = (reach > 0.93) & (reach < 1.03) & (noise > 0.15)
    np.copyto(canvas.labels[area], np.uint8(IGNORE_INDEX), where=speckle)
    if bare:
        crown &= (noise * 4) % 1 < 0.45
    light = np.minimum(np.maximum((noise - 0.35 * down.astype(np.float32)[:, None] + 0.6) * 2.6, 0), 3)
    np.copyto(canvas.paint[area], np.array(tints, np.uint16)[light.astype(np.uint8)], where=crown)


def draw_car(canvas: Canvas, dice: Dice, x: float, z: float, kind: str, oncoming: bool) -> None:
    """Paints a vehicle that points along the road: kind car, van or bus; x is its middle, z its near end."""
    width, height, length = {"car": (1.75, 1.45, 4.2), "van": (2.0, 2.2, 5.2), "bus": (2.5, 3.4, 9.5)}[kind]
    half, far, waist = width / 2, z + length, 0.62 * height if kind == "car" else 0.55 * height
    body = dice.pick(BODYWORK)
    paint, dark = canvas.colour(body, z), canvas.colour(darker(body, 0.7), z)
    glass = canvas.colour(dice.pick(((38, 44, 52), (96, 112, 128), (160, 178, 194))), z)
    rubber = canvas.colour((24, 24, 26), z)
    slant = 0.16 if kind == "car" else 0.03
    # Shadow on the ground: road, but dark.
    canvas.slab((x - half - 0.1, x + half + 0.1), (x - half, x + half), -0.05, 0.25, z, rubber, None)
    edge = x - half if x > 0 else x + half
    side = canvas.wall(edge, z, edge, far)
    if side is not None:
        along = side.along
        canvas.panel(side, 0.22, waist, dark, CAR)
        cabin = (along > 0.05 * length) & (along < (0.72 if kind == "car" else 0.98) * length)
        canvas.panel(side, waist, height, dark, CAR, cabin)
        panes = cabin & (along > 0.12 * length) & ((along % (1.3 if kind == "bus" else 1.7)) > 0.15)
        canvas.panel(side, waist + 0.05, height - 0.15, glass, None, panes)
        for axle in (0.17 * length, 0.8 * length):
            rise = np.sqrt(np.maximum(0.33 * 0.33 - (along - axle) * (along - axle), 0))
            canvas.panel(side, 0.33 - rise, 0.33 + rise, rubber, CAR, rise > 0)
    for wheel in (x - half + 0.05, x + half - 0.3):
        canvas.box(wheel, wheel + 0.25, 0, 0.4, z, rubber, CAR)
    canvas.box(x - half, x + half, 0.2, waist, z, paint, CAR)
    canvas.slab((x - half + 0.04, x + half - 0.04), (x - half + slant, x + half - slant), waist, height, z, paint, CAR)
    canvas.slab(
        (x - half + 0.16, x + half - 0.16), (x - half + slant + 0.1, x + half - slant - 0.1),
        waist + 0.03, height - 0.12, z, glass, None,
    )  # fmt: skip
    lamp = canvas.colour((228, 226, 206) if oncoming else (170, 30, 28), z)
    canvas.box(x - half + 0.08, x - half + 0.34, waist - 0.3, waist - 0.1, z, lamp, None)
    canvas.box(x + half - 0.34, x + half - 0.08, waist - 0.3, waist - 0.1, z, lamp, None)
    canvas.box(x - 0.26, x + 0.26, 0.36, 0.48, z, canvas.colour((206, 190, 110), z), None)
    canvas.box(x - half, x + half, 0.2, 0.3, z, canvas.colour(darker(body, 0.5), z), None)


def draw_crossing_car(canvas: Canvas, dice: Dice, x: float, z: float) -> None:
    """Paints a car seen from its side, x at its rear end."""
    body = dice.pick(BODYWORK)
    paint, rubber = canvas.colour(body, z), canvas.colour((24, 24, 26), z)
    glass = canvas.colour(dice.pick(((38, 44, 52), (96, 112, 128))), z)
    canvas.box(x + 0.1, x + 4.1, -0.05, 0.25, z, rubber, None)
    canvas.slab((x, x + 4.2), (x + 0.1, x + 4.1), 0.25, 0.88, z, paint, CAR)
    canvas.slab((x + 0.4, x + 3.2), (x + 0.9, x + 2.6), 0.88, 1.42, z, paint, CAR)
    canvas.slab((x + 0.65, x + 1.7), (x + 1.0, x + 1.7), 0.9, 1.32, z, glass, None)
    canvas.slab((x + 1.85, x + 2.9), (x + 1.85, x + 2.5), 0.9, 1.32, z, glass, None)
    for axle in (x + 0.85, x + 3.35):
        canvas.disc(axle, 0.33, 0.33, 0.33, z, rubber, CAR)


def draw_pedestrian(canvas: Canvas, dice: Dice, x: float, z: float) -> None:
    """Paints a person on foot: legs, coat, head, sometimes a bag."""
    tall = dice.between(1.5, 1.9)
    coat, trousers = canvas.colour(dice.pick(CLOTHES), z), canvas.colour(dice.pick(CLOTHES), z)
    stride, broad = dice.between(0.04, 0.22), dice.between(0.19, 0.26)
    for sign in (-1, 1):
        foot, hip = x + sign * stride, x + sign * 0.09
        leg = (foot - 0.08, foot + 0.08), (hip - 0.1, hip + 0.1)
        canvas.slab(*leg, 0, 0.5 * tall, z, trousers, PEDESTRIAN)
    trunk = (x - broad * 0.9, x + broad * 0.9), (x - broad, x + broad)
    canvas.slab(*trunk, 0.45 * tall, 0.84 * tall, z, coat, PEDESTRIAN)
    canvas.disc(x, 0.92 * tall, 0.11, 0.13, z, canvas.colour(dice.pick(SKIN), z), PEDESTRIAN)
    canvas.disc(x, 0.96 * tall, 0.11, 0.08, z, canvas.colour((44, 36, 30), z), PEDESTRIAN)
    if dice.chance(0.3):
        at, bag = x + broad * dice.side(), canvas.colour(dice.pick(BOARDS), z)
        canvas.box(at - 0.12, at + 0.12, 0.42 * tall, 0.6 * tall, z, bag, PEDESTRIAN)


def draw_bicyclist(canvas: Canvas, dice: Dice, x: float, z: float) -> None:
    """Paints someone on a bicycle, from behind or from the side; bicycle and rider are one class."""
    coat, trousers = canvas.colour(dice.pick(CLOTHES), z), canvas.colour(dice.pick(CLOTHES), z)
    metal, rubber = canvas.colour(dice.pick(STEEL), z), canvas.colour((26, 26, 28), z)
    head = canvas.colour(dice.pick((*SKIN, (206, 206, 200), (170, 40, 40))), z)
    if dice.chance(0.5):
        canvas.box(x - 0.04, x + 0.04, 0, 0.75, z, rubber, BICYCLIST)
        for sign in (-1, 1):
            foot, hip = x + sign * 0.12, x + sign * 0.14
            leg = (foot - 0.07, foot + 0.07), (hip - 0.09, hip + 0.09)
            canvas.slab(*leg, 0.25, 0.95, z, trousers, BICYCLIST)
        canvas.box(x - 0.3, x + 0.3, 0.92, 1.0, z, metal, BICYCLIST)
        canvas.slab((x - 0.2, x + 0.2), (x - 0.24, x + 0.24), 0.85, 1.5, z, coat, BICYCLIST)
        canvas.disc(x, 1.65, 0.12, 0.14, z, head, BICYCLIST)
        return
    way = 0.2 * dice.side()  # the way the rider leans
    for wheel in (x - 0.5, x + 0.5):
        canvas.disc(wheel, 0.34, 0.34, 0.34, z, rubber, BICYCLIST)
        canvas.disc(wheel, 0.34, 0.25, 0.25, z, metal, None)
    canvas.box(x - 0.5, x + 0.5, 0.48, 0.58, z, metal, BICYCLIST)
    hip, neck, hands = x - way, x + way, x + 2.5 * way
    canvas.slab((x - 0.1, x + 0.12), (hip - 0.13, hip + 0.13), 0.35, 1.0, z, trousers, BICYCLIST)
    canvas.slab((hip - 0.17, hip + 0.17), (neck - 0.15, neck + 0.15), 0.92, 1.5, z, coat, BICYCLIST)
    canvas.box(min(neck, hands), max(neck, hands), 1.0, 1.12, z, coat, BICYCLIST)
    canvas.disc(x + 1.4 * way, 1.62, 0.12, 0.14, z, head, BICYCLIST)


def draw_lamp_post(canvas: Canvas, dice: Dice, x: float, z: float) -> None:
    """Paints a street lamp: a thin post with an arm over the road and a head."""
    steel, tall, thick = canvas.colour(dice.pick(STEEL), z), dice.between(5, 8.5), dice.between(0.05, 0.09)
    canvas.box(x - thick, x + thick, 0, tall, z, steel, POLE)
    if dice.chance(0.7):
        reach = -dice.between(0.8, 1.8) if x > 0 else dice.between(0.8, 1.8)
        canvas.box(min(x, x + reach), max(x, x + reach), tall - 0.12, tall, z, steel, POLE)
        canvas.box(x + reach - 0.25, x + reach + 0.25, tall - 0.22, tall + 0.02, z, steel, POLE)


def draw_railing(canvas: Canvas, dice: Dice, x: float, z: float, length: float) -> None:
    """Paints a fence between pavement and road."""
    draw_fence(canvas, dice, x, z, z + length)


def draw_bollards(canvas: Canvas, dice: Dice, x: float, z: float) -> None:
    """Paints a row of short posts along the kerb, far to near."""
    steel, tall, step = canvas.colour(dice.pick(STEEL), z), dice.between(0.8, 1.1), dice.between(1.4, 2.5)
    for index in reversed(range(dice.whole(2, 5))):
        canvas.box(x - 0.08, x + 0.08, 0, tall, z + index * step, steel, POLE)


def draw_sign(canvas: Canvas, dice: Dice, x: float, z: float) -> None:
    """Paints a traffic sign, a traffic light or an advertising board on its post; the board is SignSymbol."""
    steel, tall = canvas.colour(dice.pick(STEEL), z), dice.between(2.3, 3.4)
    canvas.box(x - 0.05, x + 0.05, 0, tall, z, steel, POLE)
    draw = dice.fraction()
    if draw < 0.3:
        canvas.box(x - 0.2, x + 0.2, tall - 0.9, tall + 0.1, z, canvas.colour((32, 32, 32), z), SIGN)
        light = ((206, 40, 30), (60, 200, 110), (220, 150, 40))[dice.whole(0, 2)]
        canvas.disc(x, tall - dice.between(0.1, 0.7), 0.1, 0.1, z, canvas.colour(light, z), None)
        return
    rim, face = canvas.colour(dice.pick(BOARDS), z), canvas.colour(dice.pick(BOARDS), z)
    if draw < 0.6:
        canvas.disc(x, tall, 0.34, 0.34, z, rim, SIGN)
        canvas.disc(x, tall, 0.22, 0.22, z, face, None)
    elif draw < 0.75:
        canvas.slab((x - 0.42, x + 0.42), (x - 0.03, x + 0.03), tall - 0.4, tall + 0.35, z, rim, SIGN)
        canvas.slab((x - 0.22, x + 0.22), (x - 0.02, x + 0.02), tall - 0.3, tall + 0.12, z, face, None)
    else:
        wide, high = dice.between(0.4, 0.9), dice.between(0.4, 1.2)
        canvas.box(x - wide, x + wide, tall - high, tall + high * 0.3, z, rim, SIGN)
        canvas.box(x - wide * 0.75, x + wide * 0.75, tall - high * 0.7, tall - high * 0.4, z, face, None)


def draw_board(canvas: Canvas, dice: Dice, x: float, z: float) -> None:
    """Paints a board that hangs on a house front, above the pavement."""
    low, wide, high = dice.between(2.6, 4.0), dice.between(0.3, 0.8), dice.between(0.5, 1.2)
    board, writing = canvas.colour(dice.pick(BOARDS), z), canvas.colour(dice.pick(BOARDS), z)
    canvas.box(x - wide, x + wide, low, low + high, z, board, SIGN)
    canvas.box(x - wide * 0.6, x + wide * 0.6, low + 0.15, low + high * 0.5, z, writing, None)


def draw_clutter(canvas: Canvas, dice: Dice, x: float, z: float) -> None:
    """Paints a bin or a cabinet on the pavement: void."""
    wide, high = dice.between(0.25, 0.8), dice.between(0.8, 1.7)
    canvas.box(x - wide, x + wide, 0, high, z, canvas.colour(dice.pick((*STEEL, *BOARDS)), z), IGNORE_INDEX)
