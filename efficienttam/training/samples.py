"""One sample of the paper's recipe: a few frames of a plate, objects, prompts and the chances of clicks.

A sample follows from (seed, stage, step, place in the batch) alone. Which process draws it, in which order
and how often a run was stopped changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from efficienttam.contract.errors import EfficientTAMError, PlateError
from efficienttam.tracking.network_input import MEAN, STD, frame_input
from efficienttam.training.augmentation import Augmentation
from efficienttam.training.datasets import Mixture, TrainingPlate
from efficienttam.training.prompt_sampling import draw_box, draw_click

Array = np.ndarray

#: What the first frame of a sample is told.
KINDS = ("click", "box", "mask")
#: Plates tried for one that shows an object.
_TRIES = 100


@dataclass(frozen=True)
class SampleRecipe:
    """What samples of a stage look like.

    At most ``frames`` frames; at most ``most_objects`` objects, of a single image ``most_in_image``;
    ``kinds`` are the chances of a click, a box or a mask on the first frame. Up to ``corrected_frames``
    frames take ``clicks`` corrective clicks each; of a single image all do.
    """

    frames: int
    most_objects: int
    most_in_image: int
    kinds: tuple[float, float, float]
    corrected_frames: int
    clicks: int
    augmentation: Augmentation


@dataclass(frozen=True)
class Sample:
    """T frames and n objects of one plate.

    ``images`` (T, 3, S, S) normalised, ``masks`` (T, n, S, S) bool, ``targets`` (T, n, L, L) the covered
    share of low-res pixels. ``kind`` is what the first frame is told: ``clicks`` (n, 1, 2) or ``boxes``
    (n, 2, 2) in network pixels, or its masks. Frames ``corrected`` take clicks, drawn with ``chances``
    (T, clicks, n).
    """

    name: str
    images: Tensor
    masks: Tensor
    targets: Tensor
    kind: str
    clicks: Tensor
    boxes: Tensor
    chances: Tensor
    corrected: tuple[int, ...]

    def to(self, device: torch.device) -> Sample:
        """The same on a device."""
        return replace(
            self,
            images=self.images.to(device),
            masks=self.masks.to(device),
            targets=self.targets.to(device),
            clicks=self.clicks.to(device),
            boxes=self.boxes.to(device),
            chances=self.chances.to(device),
        )


def draw_sample(data: Mixture, recipe: SampleRecipe, side: int, rng: np.random.Generator) -> Sample:
    """A sample at network size ``side``. Raises PlateError: no object, or damage."""
    for _ in range(_TRIES):
        plate = data.draw(rng)
        frames = _frames_of(plate, recipe, rng)
        objects = _objects_of(plate, frames, recipe, rng)
        if len(objects) == 0:
            continue
        pictures = np.stack([_network_picture(plate.picture(frame), side) for frame in frames])
        mattes = np.stack([_network_mattes(plate.mattes(frame, objects), side) for frame in frames])
        pictures, mattes = recipe.augmentation.apply(pictures, mattes, rng)
        seen = (mattes[0] >= 0.5).any((1, 2))
        if seen.any():
            return _prompted(plate.name, pictures, mattes[:, seen], recipe, rng)
    raise PlateError(
        f"None of {_TRIES} plates in a row shows an object.", "Give data whose truth is not empty."
    )


def _frames_of(plate: TrainingPlate, recipe: SampleRecipe, rng: np.random.Generator) -> list[int]:
    """Annotated frames that follow each other, forward or backward."""
    known = plate.annotated
    count = min(recipe.frames, len(known))
    start = int(rng.integers(len(known) - count + 1))
    frames = [known[place] for place in range(start, start + count)]
    return frames[::-1] if rng.random() < 0.5 else frames


def _objects_of(
    plate: TrainingPlate, frames: Sequence[int], recipe: SampleRecipe, rng: np.random.Generator
) -> list[int]:
    """Some of the objects that the first frame shows, in the plate's order."""
    seen = np.flatnonzero(plate.areas(frames[0]) > 0)
    most = recipe.most_in_image if len(plate.annotated) == 1 or recipe.frames == 1 else recipe.most_objects
    chosen = rng.permutation(len(seen))[:most]
    return [int(one) for one in np.sort(seen[chosen])]


def _network_picture(picture: Array, side: int) -> Array:
    """A frame as the network is given it in tracking, before normalisation: (S, S, 3) float32 0..1."""
    seen = frame_input(picture, side)[0].permute(1, 2, 0).numpy()
    return np.clip(seen * np.array(STD, np.float32) + np.array(MEAN, np.float32), 0, 1)


def _network_mattes(mattes: Array, side: int) -> Array:
    """Mattes (n, h, w) averaged over the network's pixels."""
    if mattes.shape[1:] == (side, side):
        return mattes.astype(np.float32)
    way = cv2.INTER_AREA if min(mattes.shape[1:]) >= side else cv2.INTER_LINEAR
    return np.stack([cv2.resize(one, (side, side), interpolation=way) for one in mattes])


def _prompted(
    name: str, pictures: Array, mattes: Array, recipe: SampleRecipe, rng: np.random.Generator
) -> Sample:
    """A sample with its prompts drawn."""
    frames, count = mattes.shape[:2]
    kind = KINDS[int(rng.choice(3, p=recipe.kinds))]
    first = mattes[0] >= 0.5
    clicks = [draw_click(mask, rng) for mask in first] if kind == "click" else []
    boxes = [draw_box(mask, rng) for mask in first] if kind == "box" else []
    if frames == 1:
        corrected: tuple[int, ...] = (0,) if kind != "mask" else ()
    else:
        can_be = np.arange(kind == "mask", frames)
        number = int(rng.integers(0, min(recipe.corrected_frames, len(can_be)) + 1))
        corrected = tuple(int(one) for one in np.sort(rng.permutation(can_be)[:number]))
    images = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2)
    mean, std = torch.tensor(MEAN).view(3, 1, 1), torch.tensor(STD).view(3, 1, 1)
    soft = torch.from_numpy(np.ascontiguousarray(mattes))
    return Sample(
        name=name,
        images=((images - mean) / std).contiguous(),
        masks=soft >= 0.5,
        # Four pixels of the low-res grid are one of the embedding grid, sixteen pixels wide.
        targets=functional.avg_pool2d(soft, 4),
        kind=kind,
        clicks=torch.tensor(np.array(clicks), dtype=torch.float32).reshape(-1, 1, 2),
        boxes=torch.tensor(np.array(boxes), dtype=torch.float32).reshape(-1, 2, 2),
        chances=torch.from_numpy(rng.random((frames, recipe.clicks, count), np.float32)),
        corrected=corrected,
    )


@dataclass(frozen=True)
class Draw:
    """Where a sample stands: in which step, and which of its batch."""

    step: int
    place: int


class SampleDraws(Dataset):
    """Samples by their place in the run; a plate that cannot be read comes back as the error it is."""

    def __init__(self, data: Mixture, recipe: SampleRecipe, side: int, stream: tuple[int, int]) -> None:
        self._data, self._recipe, self._side, self._stream = data, recipe, side, stream

    def __getitem__(self, draw: Draw) -> Sample | EfficientTAMError:
        cv2.setNumThreads(1)
        rng = np.random.default_rng((*self._stream, draw.step, draw.place))
        try:
            return draw_sample(self._data, self._recipe, self._side, rng)
        except EfficientTAMError as error:
            return error


@dataclass(frozen=True)
class _Order:
    """The draws of one process from a step on, without end."""

    step: int
    places: range

    def __iter__(self) -> Iterator[Draw]:
        step = self.step
        while True:
            yield from (Draw(step, place) for place in self.places)
            step += 1


def sample_stream(draws: SampleDraws, step: int, places: range, drawers: int) -> Iterator[Sample]:
    """Samples ``places`` of every batch from ``step`` on, drawn ahead by ``drawers`` processes.

    Raises PlateError for a plate that cannot be read when its turn comes.
    """
    loader = DataLoader(
        draws,
        batch_size=None,
        sampler=_Order(step, places),
        num_workers=drawers,
        multiprocessing_context="spawn" if drawers else None,
    )
    for drawn in loader:
        if isinstance(drawn, EfficientTAMError):
            raise drawn
        yield drawn
