"""Local contrast normalisation against its formula written out, and its invariances."""

import numpy as np
import pytest
import torch

from bench.training.normalisation import SIGMA_PX, WINDOW_PX, local_contrast_normalise, normalise


def test_equals_the_formula_written_out():
    rng = np.random.default_rng(0)
    image = rng.random((3, 13, 11))
    half = WINDOW_PX // 2
    ramp = np.exp(-0.5 * (np.arange(-half, half + 1) / SIGMA_PX) ** 2)
    window = np.outer(ramp, ramp) / np.outer(ramp, ramp).sum() / 3  # over the three channels as well

    def local_sum(maps):
        padded = np.pad(maps, ((0, 0), (half, half), (half, half)), mode="reflect")
        out = np.zeros(maps.shape[1:])
        for i in range(out.shape[0]):
            for j in range(out.shape[1]):
                out[i, j] = (padded[:, i : i + WINDOW_PX, j : j + WINDOW_PX] * window).sum()
        return out

    centred = image - local_sum(image)
    deviation = np.sqrt(local_sum(centred**2))
    expected = centred / np.maximum(deviation, deviation.mean())
    ours = local_contrast_normalise(torch.from_numpy(image)[None].float())[0].numpy()
    assert ours == pytest.approx(expected, abs=1e-4)


def test_brightness_and_contrast_do_not_matter():
    image = torch.rand(1, 3, 20, 20)
    assert torch.allclose(local_contrast_normalise(image), local_contrast_normalise(0.3 * image + 0.4), atol=1e-4)


def test_a_constant_image_gives_zeros():
    assert float(local_contrast_normalise(torch.full((1, 3, 12, 12), 0.7)).abs().max()) < 1e-2


@pytest.mark.parametrize("channels_last", [True, False])
def test_normalise_gives_the_memory_format_that_is_asked_for(channels_last):
    images = torch.randint(0, 256, (3, 16, 18, 3), dtype=torch.uint8)
    out = normalise(images, "local_contrast", channels_last=channels_last)
    assert out.shape == (3, 3, 16, 18)
    assert out.is_contiguous(memory_format=torch.channels_last) is channels_last
    assert torch.equal(normalise(images, "none", channels_last=channels_last), images.permute(0, 3, 1, 2) / 255 - 0.5)
