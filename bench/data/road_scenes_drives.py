"""RoadScenes in drives: a drive's frames show one street in one light from one camera that moves along it.

How drives are dealt out. The train + val + test images of the options make about one drive per IMAGES_A_DRIVE of them.
The test images go round these drives one by one and lie spread over the frames of each.

shared: validation and training images take the frames between, so that every test image has neighbours of its own
    drive, a few metres on, in the training split, as CamVid's test frames of 0001TP have.
separate: the test images are the very same; validation and training images come from other drives, each whole in one
    split.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from bench.data import road_scenes_objects as objects
from bench.data import road_scenes_street as streets
from bench.data.road_scenes_canvas import Camera, Canvas, Dice
from bench.data.road_scenes_light import SKIES, draw_bonnet, light_scene
from bench.data.split import SPLITS, Options, expected_count
from bench.errors import DataError

KINDS = ("shared", "separate")
IMAGES_A_DRIVE = 12
METRES_A_FRAME = 2.5
_NEAREST = 3.0  # m; what is nearer than this has been passed


def drives_of(split: str, options: Options) -> list[tuple[int, int]]:
    """Returns (drive, frame) of each image of a split, in order.

    Raises:
        DataError: `drives` is not one of KINDS, or a split has no number of images.
    """
    kind = options["drives"]
    if kind not in KINDS:
        raise DataError(f"road_scenes: option 'drives' must be one of {', '.join(KINDS)}, got {kind!r}")
    counts = {name: expected_count("road_scenes", name, options) for name in SPLITS}
    total = sum(counts.values())
    drives = max(1, round(total / IMAGES_A_DRIVE))
    if kind == "separate" and split != "test":
        # Numbers that no drive with test images has.
        first = drives if split == "train" else drives + -(-counts["train"] // IMAGES_A_DRIVE)
        return [(first + index // IMAGES_A_DRIVE, index % IMAGES_A_DRIVE) for index in range(counts[split])]
    dealt, owners = [], [name for name in ("test", "val", "train") for _ in range(counts[name])]
    for drive in range(drives):
        mine = owners[drive::drives]
        free = list(range(len(mine)))
        for name in ("test", "val", "train"):
            number = mine.count(name)
            taken = [free[(2 * rank + 1) * len(free) // (2 * number)] for rank in range(number)]
            free = [frame for frame in free if frame not in taken]
            if name == split:
                dealt += [(drive, frame) for frame in taken]
    return dealt


def draw_frame(seed: int, drive: int, frame: int, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Draws one frame of a drive.

    Args:
        seed: of the data set.
        drive: which drive; each has a street, a light and a camera of its own.
        frame: how often the camera has moved METRES_A_FRAME along the street.
        height: rows, px.
        width: columns, px.

    Returns:
        The image (H,W,3) uint8 and its labels (H,W) uint8, void IGNORE_INDEX.
    """
    dice = Dice(seed, len(SPLITS), drive)
    traffic = Dice(seed, len(SPLITS), drive, 5000 + frame)
    driven = frame * METRES_A_FRAME
    dusk, sky = dice.chance(0.3), dice.pick(SKIES)
    camera = Camera(
        focal=2 * width * dice.between(0.85, 1.1),
        column=2 * width * dice.between(0.4, 0.6),
        horizon=2 * height * dice.between(0.45, 0.57),
        height=dice.between(1.35, 1.9),
        curve=0.0,
    )
    start = streets.Street(
        road=dice.between(3.1, 5.4),
        pavement=(dice.between(1.8, 5.8), dice.between(1.8, 5.8)),
        urban=dice.chance(0.6),
        sun=0 if dusk or dice.chance(0.35) else dice.side(),
        end=dice.between(90, 130),
    )
    plots = [replace(plot, z0=plot.z0 - driven, z1=plot.z1 - driven) for plot in streets.plan_both_sides(dice, start)]
    # However long a drive is, its end stays ahead of it.
    street = replace(start, end=max(start.end - driven, 46.0), driven=driven)
    canvas = Canvas(height, width, camera, sky)
    canvas.frame(0, canvas.cols, 0, canvas.rows, canvas.colour(sky), streets.SKY)
    objects.draw_standing(canvas, dice, street, plots)
    standing, moving = _standing(canvas, dice.branch(2000), street), _moving(canvas, traffic, street)
    for _, draw in sorted(standing + moving, key=lambda thing: -thing[0]):
        draw()
    if dice.chance(0.3):
        draw_bonnet(canvas, dice)
    image, labels = canvas.picture()
    return light_scene(image, labels, dice, dusk, camera.horizon / (2 * height), traffic), labels


_Thing = tuple[float, Callable[[], None]]


def _pavement(dice: Dice, street: streets.Street, low: float, high: float) -> float:
    """Returns the x of a place on one of the pavements, low..high of the way from the kerb to the houses."""
    side = dice.side()
    return side * (street.road + street.pavement[side > 0] * dice.between(low, high))


def _standing(canvas: Canvas, dice: Dice, street: streets.Street) -> list[_Thing]:
    """Returns what stands along the whole street, as far as the camera has not passed it."""
    kinds: tuple[tuple[float, float, float, Callable[..., None]], ...] = (
        # m between two of them, and where on the pavement
        (4.5, 0.1, 0.4, objects.draw_sign),
        (4.5, 0.75, 0.98, objects.draw_board),
        (7.0, 0.6, 0.95, objects.draw_clutter),
        (18.0, 0.1, 0.2, objects.draw_bollards),
        (14.0, 0.3, 0.7, objects.draw_tree),
        (14.0, 0.03, 0.12, objects.draw_lamp_post),
        (12.0, -0.25, -0.2, objects.draw_car),
    )
    things: list[_Thing] = []
    for number, (step, low, high, draw) in enumerate(kinds):
        own, z, count = dice.branch(number), 4.0, 0
        while z < 80:
            z += own.between(0.4, 1.6) * step
            x, count = _pavement(own, street, low, high), count + 1
            more: tuple[object, ...] = ()
            if draw is objects.draw_car:  # parked
                x = (1 if x > 0 else -1) * (street.road - 0.95)
                more = ("van" if own.chance(0.15) else "car", x < 0)
            ahead = z - (street.driven or 0.0)
            if _NEAREST < ahead < 45:
                things.append((ahead, partial(draw, canvas, own.branch(count), x, ahead, *more)))
    return things


def _moving(canvas: Canvas, dice: Dice, street: streets.Street) -> list[_Thing]:
    """Returns the traffic of one frame: cars, people, bicycles."""
    things: list[_Thing] = []

    def put(z: float, x: float, draw: Callable[..., None], *more: object) -> None:
        things.append((z, partial(draw, canvas, dice.branch(len(things)), x, z, *more)))

    for _ in range(dice.whole(0, 2)):
        lane = dice.side()
        kind = "car" if dice.chance(0.78) else "van" if dice.chance(0.6) else "bus"
        x = lane * street.road * dice.between(0.3, 0.55)
        put(dice.between(8, 34), x, objects.draw_car, kind, lane > 0)
    for _ in range(dice.whole(2, 6)):
        put(dice.between(6, 17), _pavement(dice, street, 0.1, 0.6), objects.draw_pedestrian)
    if dice.chance(0.2):
        put(dice.between(7, 16), dice.between(-street.road, street.road), objects.draw_pedestrian)
    for _ in range(dice.whole(1, 2) if dice.chance(0.75) else 0):
        put(dice.between(9, 24), dice.side() * street.road * dice.between(0.45, 1.1), objects.draw_bicyclist)
    return things
