"""RoadScenes: synthetic street scenes with CamVid's classes, drawn from (seed, split, index) alone; no files.

A scene is a street in metres: a plan is rolled, standing things are painted far to near, then what moves,
then light and noise at the size of the picture. The same scene at another size shows the same things. Colours
overlap between classes on purpose (grey pavement and asphalt, drain pipes and poles, green cars, sky in
windows), and poles, signs, people and bicycles are a few pixels wide at 60x80, so that position, shape and
fine detail matter, not colour.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from bench.data import road_scenes_objects as objects
from bench.data import road_scenes_street as streets
from bench.data.camvid_classes import CLASS_NAMES
from bench.data.road_scenes_canvas import CLOUDS, GRAIN, TILE, Camera, Canvas, Colour, Dice, noise_tile
from bench.data.split import IGNORE_INDEX, SPLITS, Options, Split, check_request, expected_count, pixel_digest
from bench.errors import DataError

SKIES: tuple[Colour, ...] = (
    (232, 236, 240),
    (176, 202, 230),
    (206, 210, 214),
    (150, 184, 226),
    (188, 190, 194),
)
# Grey levels of texture per class (0-10), then void. Trees and buildings are rough, the sky is smooth.
_GRAIN = (2.0, 9.0, 6.0, 7.0, 9.0, 16.0, 6.0, 10.0, 5.0, 8.0, 8.0, 8.0)


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
    _draw_standing(canvas, dice, street)
    _draw_moving(canvas, dice, street)
    if dice.chance(0.3):
        _draw_bonnet(canvas, dice)
    image, labels = canvas.picture()
    return _light(image, labels, dice, dusk, camera.horizon / (2 * height)), labels


def _draw_standing(canvas: Canvas, dice: Dice, street: streets.Street) -> None:
    """Paints the street itself, far to near."""
    streets.close_view(canvas, dice.branch(0), street)
    streets.draw_ground(canvas, dice.branch(1), street)
    plots = [plot for side in (-1, 1) for plot in streets.plan_plots(dice, street, side)]
    streets.cast_shadows(canvas, dice.branch(2), street, plots)
    for number, plot in sorted(enumerate(plots, 3), key=lambda numbered: -numbered[1].z0):
        own, front = dice.branch(number), plot.side * street.front(plot.side)
        if plot.kind == "building":
            streets.draw_building(canvas, own, street, plot)
        if plot.kind in ("trees", "fence"):
            z = plot.z1
            while z > max(plot.z0, 2.5):
                objects.draw_tree(canvas, own, front + plot.side * own.between(1.5, 4), z)
                z -= own.between(3, 6)
        if plot.kind == "fence":
            streets.draw_fence(canvas, own, front, plot.z0, plot.z1)


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


def _draw_bonnet(canvas: Canvas, dice: Dice) -> None:
    """Paints the front of the car that carries the camera: void, as in CamVid's evening drive."""
    rise = canvas.rows * dice.between(0.04, 0.09)
    first = math.ceil(canvas.rows - rise)
    part = (np.arange(first, canvas.rows) + 0.5 - (canvas.rows - rise)) / rise
    half = canvas.cols * 0.62 * np.sqrt(np.minimum(np.maximum(part, 0), 1))
    middle = canvas.cols * dice.between(0.4, 0.6)
    colour = canvas.colour(dice.pick(objects.BODYWORK))
    canvas.row_spans(first, middle - half, middle + half, colour, IGNORE_INDEX)


def _light(image: np.ndarray, labels: np.ndarray, dice: Dice, dusk: bool, horizon: float) -> np.ndarray:
    """Returns the image (H,W,3) uint8 with clouds, texture, the light of the hour and the camera's noise."""
    height, width = labels.shape
    is_sky = labels == streets.SKY
    # Clouds and the sky's gradient belong to the scene and scale with the picture; texture and noise do not.
    start = dice.whole(0, TILE - 1)
    rows, columns = (np.arange(height) * 220 // height + start) % TILE, np.arange(width) * 250 // width
    clouds = noise_tile(CLOUDS)[rows[:, None], columns] * np.float32(dice.between(4, 42))
    gradient = (np.arange(height) / max(height * horizon, 1.0)).astype(np.float32)[:, None] - np.float32(0.5)
    sky = clouds + gradient * np.float32(dice.between(0, 60))
    texture = noise_tile(GRAIN)[((np.arange(height) + start) % TILE)[:, None], np.arange(width) % TILE]
    grain = np.array(_GRAIN, np.float32)[np.minimum(labels, len(_GRAIN) - 1)] * texture
    image += np.where(is_sky, sky, grain * np.float32(dice.between(0.7, 1.6)))[:, :, None]
    if dusk:
        level = dice.between(0.3, 0.5)
        gain = (level, level * dice.between(1.0, 1.05), level * dice.between(1.02, 1.18))
    else:
        level = dice.between(0.72, 1.12)
        gain = (level * dice.between(0.97, 1.05), level, level * dice.between(0.92, 1.04))
    image *= np.array(gain, np.float32)
    # The sky is brighter than the street: by day often beyond what the camera holds, in the evening by far.
    glare = dice.between(1.2, 2.0) if dusk else dice.between(1.0, 1.4)
    image *= np.where(is_sky, np.float32(glare), np.float32(1))[:, :, None]
    amount = np.float32(dice.between(0.02, 0.06))
    noise = dice.octets(image.size * 2).astype(np.float32).reshape(2, *image.shape)
    image += (noise[0] + noise[1] - np.float32(255)) * amount
    return np.minimum(np.maximum(image + np.float32(0.5), 0), 255).astype(np.uint8)


def load(split: str, height: int, width: int, options: Options) -> Split:
    """Draws one split.

    Args:
        split: train, val or test.
        height: rows, px.
        width: columns, px.
        options: images per split and `seed`.

    Raises:
        DataError: the options hold no seed of at least 0, or no number of images for the split.

    Deviation: the paper has no synthetic images; numbers on RoadScenes show that the suite works and say nothing
        about CamVid.
    """
    check_request(split, height, width)
    count, seed = expected_count("road_scenes", split, options), options.get("seed")
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise DataError(f"road_scenes: option 'seed' must be a whole number, at least 0, got {seed!r}")
    images = np.empty((count, height, width, 3), np.uint8)
    labels = np.empty((count, height, width), np.uint8)
    for index in range(count):
        images[index], labels[index] = draw_scene(seed, split, index, height, width)
    names = tuple(f"{split}-{index:05d}" for index in range(count))
    return Split(images, labels, names, CLASS_NAMES, pixel_digest(names, images, labels))
