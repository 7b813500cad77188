from __future__ import annotations

import numpy as np

from bench.reporting.figures.indexed_png import indexed


def opaque(colours: np.ndarray) -> np.ndarray:
    return np.concatenate([colours, np.full((*colours.shape[:2], 1), 255)], axis=2).astype(np.uint8)


def test_few_colours_are_kept_as_they_are() -> None:
    pixels = np.zeros((3, 4, 3), np.uint8)
    pixels[0], pixels[1], pixels[2] = (255, 255, 255), (0, 114, 178), (255, 241, 214)
    picture = indexed(opaque(pixels))
    assert picture.mode == "P"
    np.testing.assert_array_equal(np.asarray(picture.convert("RGB")), pixels)


def test_of_many_colours_the_frequent_ones_are_kept_and_the_others_are_near() -> None:
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (100, 100, 3))
    pixels[:50] = (222, 224, 226)
    found = np.asarray(indexed(opaque(pixels)).convert("RGB")).astype(int)
    assert np.abs(found[:50] - pixels[:50]).max() <= 3  # six bits a channel
    distances = np.linalg.norm(found[50:] - pixels[50:], axis=-1)
    kept = np.unique(found.reshape(-1, 3), axis=0)
    assert len(kept) <= 256
    nearest = np.linalg.norm(pixels[50:].reshape(-1, 1, 3) - kept[None], axis=-1).min(axis=1)
    assert np.abs(distances.reshape(-1) - nearest).max() <= 6  # of another colour of the same six bits
