"""What comes over a RoadScenes picture last: the bonnet of the car, the light of the hour, the noise of the camera."""

from __future__ import annotations

import math

import numpy as np

from bench.data import road_scenes_objects as objects
from bench.data.road_scenes_canvas import CLOUDS, GRAIN, TILE, Canvas, Colour, Dice, noise_tile
from bench.data.road_scenes_street import SKY
from bench.data.split import IGNORE_INDEX

SKIES: tuple[Colour, ...] = (
    (232, 236, 240),
    (176, 202, 230),
    (206, 210, 214),
    (150, 184, 226),
    (188, 190, 194),
)
# Grey levels of texture per class (0-10), then void. Trees and buildings are rough, the sky is smooth.
_GRAIN = (2.0, 9.0, 6.0, 7.0, 9.0, 16.0, 6.0, 10.0, 5.0, 8.0, 8.0, 8.0)


def draw_bonnet(canvas: Canvas, dice: Dice) -> None:
    """Paints the front of the car that carries the camera: void, as in CamVid's evening drive."""
    rise = canvas.rows * dice.between(0.04, 0.09)
    first = math.ceil(canvas.rows - rise)
    part = (np.arange(first, canvas.rows) + 0.5 - (canvas.rows - rise)) / rise
    half = canvas.cols * 0.62 * np.sqrt(np.minimum(np.maximum(part, 0), 1))
    middle = canvas.cols * dice.between(0.4, 0.6)
    colour = canvas.colour(dice.pick(objects.BODYWORK))
    canvas.row_spans(first, middle - half, middle + half, colour, IGNORE_INDEX)


def light_scene(
    image: np.ndarray, labels: np.ndarray, dice: Dice, dusk: bool, horizon: float, noise_dice: Dice | None = None
) -> np.ndarray:
    """Returns the image (H,W,3) uint8 with clouds, texture, the light of the hour and the camera's noise.

    Args:
        image: (H,W,3) float32; changed.
        labels: (H,W) uint8.
        dice: of the scene; the light is rolled with them.
        dusk: whether it is evening.
        horizon: its height as a part of the picture's, from the top.
        noise_dice: of the camera's noise, where two pictures share their light; None: `dice` roll it too.
    """
    height, width = labels.shape
    is_sky = labels == SKY
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
    noise = (noise_dice or dice).octets(image.size * 2).astype(np.float32).reshape(2, *image.shape)
    image += (noise[0] + noise[1] - np.float32(255)) * amount
    return np.minimum(np.maximum(image + np.float32(0.5), 0), 255).astype(np.uint8)
