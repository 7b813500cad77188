"""Three loops that train the same model on the same images: ours, a bare one, and the one that most people write."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from bench.data import IGNORE_INDEX, Split
from bench.running.device import use_arithmetic
from bench.study.specs import ProfileSpec, RecipeSpec
from bench.training.loop import TrainingState, parameter_groups, train
from bench.training.loss import segmentation_loss
from bench.training.normalisation import local_contrast_normalise
from bench.training.order import BatchOrder
from bench.training.residency import Images, network_images

ORDER_SEED = 0

Losses = list[float]
Loop = Callable[[int], Losses]  # made with a fresh model; each call trains for so many iterations more


@dataclass(frozen=True)
class Setting:
    """What all ways of one table have in common; `build` returns the same fresh model every time, in fp32 and NCHW."""

    build: Callable[[], nn.Module]
    split: Split
    device: torch.device
    recipe: RecipeSpec
    profile: ProfileSpec
    iterations: int
    batch: int  # images of an iteration

    def order(self, iterations: Iterable[int]) -> list[np.ndarray]:
        """Returns the images of each iteration."""
        order = BatchOrder(len(self.split.labels), self.batch, ORDER_SEED, torch.device("cpu"))
        return [order.at(iteration).numpy() for iteration in iterations]

    def resident(self) -> tuple[Images, Tensor, Tensor]:
        """Returns images, labels and class weights as our trials hold them, on the device."""
        layout = {"channels_last": self.profile.channels_last}
        images = network_images(self.split.images, self.device, self.recipe.input_normalisation, **layout)
        labels = torch.from_numpy(self.split.labels.copy()).to(self.device)
        return images, labels, torch.ones(len(self.split.class_names), device=self.device)

    def model(self) -> nn.Module:
        """Returns a fresh model as our trials build it."""
        layout = torch.channels_last if self.profile.channels_last else torch.contiguous_format
        return self.build().to(self.device).to(memory_format=layout)

    def sgd(self, parameters: Any, weight_decay: float = 0.0) -> torch.optim.Optimizer:
        """Returns SGD with the settings of the suite."""
        recipe = self.recipe
        return torch.optim.SGD(parameters, lr=recipe.lr, momentum=recipe.momentum, weight_decay=weight_decay)


def our_loop(setting: Setting) -> Loop:
    """Ours: `bench.training.loop.train` from pause to pause."""
    images, labels, weights = setting.resident()
    recipe = setting.recipe
    state = TrainingState(setting.model(), lr=recipe.lr, momentum=recipe.momentum, weight_decay=recipe.weight_decay)

    def go_on(iterations: int) -> Losses:
        bf16 = use_arithmetic(setting.profile.precision, setting.profile.determinism)
        training = train(
            state,
            images,
            labels,
            weights,
            iterations=state.iteration + iterations,
            batch_size=setting.batch,
            order_seed=ORDER_SEED,
            dropout_seed=0,
            bf16=bf16,
            pause_at=lambda iteration: False,
            report=lambda progress: None,
        )
        return [pause.losses for pause in training][-1][-iterations:]

    return go_on


def bare_loop(setting: Setting) -> Loop:
    """The least that trains: resident data, batches known beforehand, no checks, no reports."""
    resident, labels, weights = setting.resident()
    images = resident[:]
    model = setting.model().train()
    optimizer = setting.sgd(parameter_groups(model, setting.recipe.weight_decay))
    batches = [torch.from_numpy(batch).to(setting.device) for batch in setting.order(range(1, 1 + len(images)))]
    done = 0

    def go_on(iterations: int) -> Losses:
        nonlocal done
        bf16 = use_arithmetic(setting.profile.precision, setting.profile.determinism)
        losses = []
        for iteration in range(done, done + iterations):
            batch = batches[iteration % len(batches)]
            with torch.autocast(setting.device.type, torch.bfloat16, enabled=bf16):
                logits = model(images[batch])
            loss = segmentation_loss(logits, labels[batch].long(), weights)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        done += iterations
        return torch.stack(losses).tolist()

    return go_on


class Pictures(Dataset):
    """Images and labels of a folder, decoded when they are asked for."""

    def __init__(self, folder: Path) -> None:
        self.images = sorted((folder / "images").glob("*.png"))
        self.labels = sorted((folder / "labels").glob("*.png"))

    def __len__(self) -> int:
        """How many pictures there are."""
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """One image, float (3,H,W), and its labels, int64 (H,W)."""
        image = np.array(Image.open(self.images[index]).convert("RGB"))
        labels = np.array(Image.open(self.labels[index]))
        normalised = local_contrast_normalise(torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255)[0]
        return normalised, torch.from_numpy(labels).long()


def write_pictures(split: Split, folder: Path) -> None:
    """Writes a split as PNG files."""
    for kind, pictures in (("images", split.images), ("labels", split.labels)):
        (folder / kind).mkdir()
        for name, picture in zip(split.names, pictures, strict=True):
            Image.fromarray(picture).save(folder / kind / f"{name}.png")


def as_pytorch_comes() -> None:
    """Sets arithmetic and determinism to what PyTorch has when nobody sets anything."""
    torch.use_deterministic_algorithms(False)
    torch.backends.cudnn.deterministic = torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = True, False


def plain_loop(setting: Setting, pictures: Dataset, workers: int) -> Loop:
    """What most people write: a DataLoader, fp32, NCHW, CrossEntropyLoss, the loss read back every iteration."""
    model = setting.build().to(setting.device).train()
    optimizer = setting.sgd(model.parameters(), setting.recipe.weight_decay)
    criterion = nn.CrossEntropyLoss(ignore_index=IGNORE_INDEX)
    done = 0

    def go_on(iterations: int) -> Losses:
        nonlocal done
        as_pytorch_comes()
        # an epoch in a given order, so that losses can be compared; shuffle=True costs the same
        order: Sequence[Any] = np.concatenate(setting.order(range(done + 1, done + iterations + 1))).tolist()
        losses = []
        for images, labels in DataLoader(pictures, batch_size=setting.batch, sampler=order, num_workers=workers):
            images, labels = images.to(setting.device), labels.to(setting.device)
            optimizer.zero_grad()
            loss = criterion(model(images), labels)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        done += iterations
        return losses

    return go_on
