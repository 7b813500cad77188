"""RoadScenes: synthetic street scenes with CamVid's classes, drawn from (seed, split, index) alone; no files.

A scene is a street in metres: a plan is rolled, standing things are painted far to near, then what moves,
then light and noise at the size of the picture. The same scene at another size shows the same things. Colours
overlap between classes on purpose (grey pavement and asphalt, drain pipes and poles, green cars, sky in
windows), and poles, signs, people and bicycles are a few pixels wide at 60x80, so that position, shape and
fine detail matter, not colour.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from bench.data import road_scenes_objects as objects
from bench.data import road_scenes_street as streets
from bench.data.camvid_classes import CLASS_NAMES
from bench.data.road_scenes_canvas import Camera, Canvas, Dice
from bench.data.road_scenes_drives import draw_frame, drives_of
from bench.data.road_scenes_light import SKIES, draw_bonnet, light_scene
from bench.data.split import SPLITS, Options, Split, check_request, expected_count, pixel_digest
from bench.errors import DataError


def draw_scene(seed: int, split: str, index: int, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Draws one scene.

    Args:
        seed: of the data set.
        split: train, val or test; each has scenes of its own.
        index: of the image in its split.
        height: rows, px.
        width: columns, px.

    Returns:
        The image (H,W,3) uint8 and its labels (H,W) uint8, void IGNORE_INDEX.
    """
    dice = Dice(seed, SPLITS.index(split), index)
    dusk = dice.chance(0.3)
    sky = dice.pick(SKIES)
    camera = Camera(
        focal=2 * width * dice.between(0.85, 1.1),
        column=2 * width * dice.between(0.36, 0.64),
        horizon=2 * height * dice.between(0.45, 0.57),
        height=dice.between(1.35, 1.9),
        curve=dice.between(-0.0025, 0.0025) if dice.chance(0.5) else 0.0,
    )
    street = streets.Street(
        road=dice.between(3.1, 5.4),
        pavement=(dice.between(1.8, 5.8), dice.between(1.8, 5.8)),
        urban=dice.chance(0.6),
        sun=0 if dusk or dice.chance(0.35) else dice.side(),
        end=dice.between(22, 44) if dice.chance(0.25) else dice.between(60, 110),
    )
    canvas = Canvas(height, width, camera, sky)
    canvas.frame(0, canvas.cols, 0, canvas.rows, canvas.colour(sky), streets.SKY)
    objects.draw_standing(canvas, dice, street, streets.plan_both_sides(dice, street))
    _draw_moving(canvas, dice, street)
    if dice.chance(0.3):
        draw_bonnet(canvas, dice)
    image, labels = canvas.picture()
    return light_scene(image, labels, dice, dusk, camera.horizon / (2 * height)), labels


def _draw_moving(canvas: Canvas, dice: Dice, street: streets.Street) -> None:
    """Rolls what stands on and beside the road, and paints it far to near."""
    things: list[tuple[float, Callable[[], None]]] = []

    def put(z: float, x: float, draw: Callable[..., None], *more: object) -> None:
        own = dice.branch(1000 + len(things))
        things.append((z, partial(draw, canvas, own, x, z, *more)))

    def pavement(low: float, high: float) -> float:
        side = dice.side()
        return side * (street.road + street.pavement[side > 0] * dice.between(low, high))

    for side in (-1, 1):
        if dice.chance(0.4):  # a row of parked cars
            z = dice.between(4, 14)
            for _ in range(dice.whole(1, 4)):
                put(
                    z,
                    side * (street.road - 0.95),
                    objects.draw_car,
                    "van" if dice.chance(0.15) else "car",
                    side < 0,
                )
                z += dice.between(5.5, 9)
        z = dice.between(6, 15)
        for _ in range(dice.whole(0, 2)):
            put(z, side * (street.road + dice.between(0.3, 0.6)), objects.draw_lamp_post)
            z += dice.between(8, 16)
        if dice.chance(0.15):  # railings along the kerb
            start = dice.between(4, 12)
            put(start, side * (street.road + 0.25), objects.draw_railing, dice.between(5, 14))
    for _ in range(dice.whole(0, 2)):
        lane = dice.side()
        kind = "car" if dice.chance(0.78) else "van" if dice.chance(0.6) else "bus"
        put(
            dice.between(8, 34),
            lane * street.road * dice.between(0.3, 0.55),
            objects.draw_car,
            kind,
            lane > 0,
        )
    if dice.chance(0.2):
        put(dice.between(9, 22), dice.between(-street.road - 2, street.road - 2), objects.draw_crossing_car)
    for _ in range(dice.whole(2, 6)):
        put(dice.between(6, 17), pavement(0.1, 0.6), objects.draw_pedestrian)
    if dice.chance(0.2):
        put(dice.between(7, 16), dice.between(-street.road, street.road), objects.draw_pedestrian)
    for _ in range(dice.whole(1, 2) if dice.chance(0.75) else 0):
        put(dice.between(9, 24), dice.side() * street.road * dice.between(0.45, 1.1), objects.draw_bicyclist)
    for _ in range(dice.whole(1, 4)):
        put(dice.between(5, 15), pavement(0.1, 0.4), objects.draw_sign)
    for _ in range(dice.whole(1, 4)):
        put(dice.between(4.5, 16), pavement(0.75, 0.98), objects.draw_board)
    for _ in range(dice.whole(0, 3)):
        put(dice.between(4.5, 16), pavement(0.6, 0.95), objects.draw_clutter)
    if dice.chance(0.25):
        put(dice.between(6, 15), pavement(0.1, 0.2), objects.draw_bollards)
    for _ in range(dice.whole(0, 2)):
        put(dice.between(8, 26), pavement(0.3, 0.7), objects.draw_tree)
    for _, draw in sorted(things, key=lambda thing: -thing[0]):
        draw()


def load(split: str, height: int, width: int, options: Options) -> Split:
    """Draws one split.

    Args:
        split: train, val or test.
        height: rows, px.
        width: columns, px.
        options: images per split, `seed` and, for images that come in drives, `drives`: shared or separate (see
            `road_scenes_drives`).

    Raises:
        DataError: the options hold no seed of at least 0, no number of images for the split, or `drives` of another
            kind.

    Deviation: the paper has no synthetic images; numbers on RoadScenes show that the suite works and say nothing
        about CamVid.
    """
    check_request(split, height, width)
    count, seed = expected_count("road_scenes", split, options), options.get("seed")
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise DataError(f"road_scenes: option 'seed' must be a whole number, at least 0, got {seed!r}")
    images = np.empty((count, height, width, 3), np.uint8)
    labels = np.empty((count, height, width), np.uint8)
    if "drives" in options:
        frames = drives_of(split, options)
        names = tuple(f"drive-{drive:04d}-frame-{frame:03d}" for drive, frame in frames)
        for index, (drive, frame) in enumerate(frames):
            images[index], labels[index] = draw_frame(seed, drive, frame, height, width)
    else:
        names = tuple(f"{split}-{index:05d}" for index in range(count))
        for index in range(count):
            images[index], labels[index] = draw_scene(seed, split, index, height, width)
    return Split(images, labels, names, CLASS_NAMES, pixel_digest(names, images, labels))
