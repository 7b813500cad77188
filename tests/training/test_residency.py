"""Images that stay uint8, or in host memory, give the network the same bits as those normalised beforehand."""

import numpy as np
import pytest
import torch

from bench.training import residency
from bench.training.normalisation import normalise
from bench.training.residency import NormalisedImages, network_images

CPU = torch.device("cpu")


@pytest.fixture
def pictures():
    return np.random.default_rng(0).integers(0, 256, (40, 12, 16, 3), dtype=np.uint8)


@pytest.mark.parametrize("channels_last", [True, False])
@pytest.mark.parametrize("kind", ["local_contrast", "imagenet", "none"])
def test_batches_have_the_bits_of_the_whole_split(pictures, kind, channels_last):
    whole = normalise(torch.from_numpy(pictures), kind, channels_last=channels_last)
    images = network_images(pictures, CPU, kind, channels_last=channels_last)
    chosen = torch.tensor([39, 0, 7])
    assert len(images) == 40
    for batch, expected in ((images[chosen], whole[chosen]), (images[30:50], whole[30:50])):
        assert batch.dtype == torch.float32
        assert torch.equal(batch, expected)
        assert batch.stride() == expected.stride()


@pytest.mark.parametrize(("kind", "stored"), [("local_contrast", torch.float32), ("imagenet", torch.uint8)])
def test_local_contrast_is_normalised_once_and_the_rest_stays_in_bytes(pictures, monkeypatch, kind, stored):
    calls = []

    def count(images, *arguments, **keywords):
        calls.append(len(images))
        return normalise(images, *arguments, **keywords)

    monkeypatch.setattr(residency, "normalise", count)
    images = network_images(pictures, CPU, kind, channels_last=True)
    assert images.stored.dtype == stored
    for _ in range(3):
        images[0:4]
    assert calls == ([40] if kind == "local_contrast" else [4, 4, 4])


def test_images_on_the_processor_are_not_copied_unless_they_are_read_only(pictures):
    shared = network_images(pictures, CPU, "none", channels_last=True)
    assert shared.stored.data_ptr() == pictures.ctypes.data
    pictures.flags.writeable = False
    copied = network_images(pictures, CPU, "none", channels_last=True)
    assert copied.stored.data_ptr() != pictures.ctypes.data
    assert torch.equal(copied[0:2], shared[0:2])


def test_what_takes_too_much_of_a_device_stays_in_host_memory(pictures, monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1000, 4000))
    assert residency.fits(torch.device("cuda"), 300)
    assert not residency.fits(torch.device("cuda"), 301)
    assert residency.fits(CPU, 10**15)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("kind", ["local_contrast", "imagenet"])
def test_batches_from_host_memory_are_those_of_resident_images(pictures, monkeypatch, kind):
    device = torch.device("cuda")
    resident = network_images(pictures, device, kind, channels_last=True)
    monkeypatch.setattr(residency, "fits", lambda *_: False)
    streamed = network_images(pictures, device, kind, channels_last=True)
    chosen = torch.tensor([5, 2, 9], device=device)
    assert streamed.stored.device.type == "cpu"
    assert streamed[chosen].device.type == "cuda"
    assert torch.allclose(streamed[chosen], resident[chosen], atol=1e-5)


def test_a_batch_of_what_is_stored_as_network_input_is_taken_as_it_is():
    stored = torch.randn(4, 3, 5, 6)
    images = NormalisedImages(stored, CPU, "local_contrast", channels_last=False)
    assert torch.equal(images[torch.tensor([2])], stored[2:3])
