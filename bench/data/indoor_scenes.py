"""IndoorScenes: synthetic rooms with SUN RGB-D's 37 classes, drawn from (seed, split, index) alone; no files.

The indoor sibling of RoadScenes. A scene is a room in metres: its kind is dealt (bedroom, living room, kitchen,
office, bathroom, ...), furniture is put along its walls and into its middle, things onto the furniture; all of it
is painted far to near, then light, shade and noise at the size of the picture. Colours overlap between classes on
purpose (white doors, fridges and walls; wooden floors, tables and beds; one cloth for curtains, clothes and sofas), so
that position, shape and fine detail matter. Frequencies have a long tail as in SUN RGB-D: a floor mat is rare.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bench.data import indoor_scenes_homes as homes
from bench.data import indoor_scenes_plumbed as plumbed
from bench.data import indoor_scenes_public as public
from bench.data.indoor_scenes_layout import Layout
from bench.data.indoor_scenes_room import CEILING, WINDOW, Room, Turn, draw_shell
from bench.data.road_scenes_canvas import CROWN, GRAIN, TILE, Camera, Canvas, Dice, noise_tile
from bench.data.split import IGNORE_INDEX, SPLITS, Options, Split, check_request, expected_count, pixel_digest
from bench.data.sun_rgbd_classes import CLASS_NAMES
from bench.errors import DataError

# A deck of rooms: how to plan one, how many cards of it, and the ranges of its width and depth, m. Every 24 images of a
# split are one deck in an order of its own, so that no split goes without a kind of room.
_KINDS: tuple[tuple[Callable[[Layout], None], int, tuple[float, float], tuple[float, float]], ...] = (
    (homes.plan_bedroom, 5, (3.0, 4.2), (3.2, 4.2)),
    (homes.plan_living_room, 4, (3.4, 4.8), (3.4, 4.6)),
    (plumbed.plan_kitchen, 3, (2.6, 3.8), (3.0, 4.0)),
    (plumbed.plan_bathroom, 3, (1.9, 2.5), (2.1, 2.9)),
    (homes.plan_dining_room, 1, (3.2, 4.4), (3.4, 4.4)),
    (public.plan_office, 4, (3.0, 4.6), (3.0, 4.2)),
    (public.plan_meeting_room, 2, (3.6, 5.2), (3.6, 5.0)),
    (public.plan_library, 1, (3.2, 4.4), (3.4, 4.6)),
    (public.plan_shop, 1, (3.4, 5.0), (3.6, 5.0)),
)
_DECK = tuple(number for number, (_, cards, _, _) in enumerate(_KINDS) for _ in range(cards))
_BRANCH_OF_DECKS = 9000


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
    plan, _, wide, deep = _KINDS[_dealt(seed, split, index)]
    size = dice.between(*wide), dice.between(2.4, 2.8), dice.between(*deep)
    side = dice.side()  # the camera stands on this side and looks across
    middle = size[0] * (0.5 + side * dice.between(0.0, 0.28))
    camera = Camera(
        focal=2 * width * dice.between(0.66, 0.86),
        column=width,
        horizon=2 * height * dice.between(0.18, 0.34),
        height=dice.between(1.3, 1.65),
        curve=0.0,
    )
    canvas = Canvas(height, width, camera, (128.0, 128.0, 128.0))
    lamp = Turn.of(dice.between(-1, 1))
    room = Room(
        canvas,
        size,
        eye=(middle, dice.between(-0.9, 0.1)),
        turn=Turn.of(side * dice.between(0.0, 0.22)),
        lamp=(lamp.sin, -lamp.cos),
    )
    draw_shell(room, dice.branch(0))
    layout = Layout(room, dice.branch(1))
    plan(layout)
    layout.paint()
    image, labels = canvas.picture()
    image = _light(image, labels, dice)
    _leave_open(labels, dice)
    return image, labels


def _dealt(seed: int, split: str, index: int) -> int:
    """Returns the number of the kind of room that an image shows."""
    deck, card = divmod(index, len(_DECK))
    dice, cards = Dice(seed, SPLITS.index(split), deck, _BRANCH_OF_DECKS), list(_DECK)
    for last in range(len(cards) - 1, 0, -1):
        other = dice.whole(0, last)
        cards[last], cards[other] = cards[other], cards[last]
    return cards[card]


def _light(image: np.ndarray, labels: np.ndarray, dice: Dice) -> np.ndarray:
    """Returns the image (H,W,3) uint8 with soft light, texture, the colour of the lamps and the camera's noise."""
    height, width = labels.shape
    start = dice.whole(0, TILE - 1)
    # Light falls unevenly and belongs to the scene; texture and noise belong to the camera.
    rows, columns = (np.arange(height) * 60 // height + start) % TILE, (np.arange(width) * 80 // width) % TILE
    soft = noise_tile(((4, 0.6), (8, 0.4)))[rows[:, None], columns]
    image *= (np.float32(1) + soft * np.float32(dice.between(0.05, 0.18)))[:, :, None]
    texture = noise_tile(GRAIN)[((np.arange(height) + start) % TILE)[:, None], np.arange(width) % TILE]
    rough = np.where((labels == CEILING) | (labels == WINDOW), np.float32(2), np.float32(dice.between(4, 9)))
    image += (rough * texture)[:, :, None]
    level, warm = dice.between(0.6, 1.12), dice.between(-0.05, 0.14)
    image *= np.array((level * (1 + warm), level, level * (1 - warm)), np.float32)
    amount = np.float32(dice.between(0.02, 0.06))
    noise = dice.octets(image.size * 2).astype(np.float32).reshape(2, *image.shape)
    image += (noise[0] + noise[1] - np.float32(255)) * amount
    return np.minimum(np.maximum(image + np.float32(0.5), 0), 255).astype(np.uint8)


def _leave_open(labels: np.ndarray, dice: Dice) -> None:
    """Voids pieces of the outlines between labels, in place: SUN RGB-D's polygons do not always meet."""
    height, width = labels.shape
    start = dice.whole(0, TILE - 1)
    outline = np.zeros(labels.shape, bool)
    outline[:, :-1] |= labels[:, 1:] != labels[:, :-1]
    outline[:-1] |= labels[1:] != labels[:-1]
    rows, columns = (np.arange(height) * 120 // height + start) % TILE, (np.arange(width) * 160 // width) % TILE
    loose = noise_tile(CROWN)[rows[:, None], columns] > np.float32(dice.between(0.3, 0.6))
    labels[outline & loose] = IGNORE_INDEX


def load(split: str, height: int, width: int, options: Options) -> Split:
    """Draws one split.

    Args:
        split: train, val or test.
        height: rows, px.
        width: columns, px.
        options: images per split and `seed`.

    Raises:
        DataError: the options hold no seed of at least 0, or no number of images for the split.

    Deviation: the paper has no synthetic images; numbers on IndoorScenes show that the suite works and say nothing
        about SUN RGB-D.
    """
    check_request(split, height, width)
    count, seed = expected_count("indoor_scenes", split, options), options.get("seed")
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise DataError(f"indoor_scenes: option 'seed' must be a whole number, at least 0, got {seed!r}")
    images = np.empty((count, height, width, 3), np.uint8)
    labels = np.empty((count, height, width), np.uint8)
    for index in range(count):
        images[index], labels[index] = draw_scene(seed, split, index, height, width)
    names = tuple(f"{split}-{index:05d}" for index in range(count))
    return Split(images, labels, names, CLASS_NAMES, pixel_digest(names, images, labels))
