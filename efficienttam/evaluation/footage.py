"""Footage with known truth: generated clips, DAVIS-style folders, plates with rendered mattes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from PIL import Image

from efficienttam.contract.cache_settings import FileIdentity
from efficienttam.contract.errors import PlateError
from efficienttam.contract.sequence import SequencePattern
from efficienttam.media import FrameSequence, read_roto
from efficienttam.media.file_identity import file_identity
from efficienttam.tracking.frame_source import FrameSource
from efficienttam.training.clips import Clip, ClipRecipe, evaluation_seed

Array = np.ndarray


class Footage(Protocol):
    """A plate, its objects by name, and their true mattes."""

    @property
    def name(self) -> str:
        """What the report calls it."""

    @property
    def plate(self) -> FrameSource:
        """The pictures."""

    @property
    def objects(self) -> Sequence[str]:
        """Names of the objects that are scored."""

    def truth(self, frame: int) -> Array:
        """Visible mattes (objects, height, width), float32 0..1."""


class GeneratedFootage:
    """One generated clip of the evaluation's seeds; its object is the largest on the first frame."""

    def __init__(self, index: int, frames: int, size: tuple[int, int]) -> None:
        self.name = f"generated {index:03d}"
        self.objects = ("hero",)
        self.size = size
        self.frames = range(1, frames + 1)
        self._clip = Clip(ClipRecipe(evaluation_seed(index), frames, *size))
        self._drawn: dict[int, tuple[Array, Array]] = {}
        areas = self._clip.render(0)[1].sum((1, 2))
        self._hero = int(areas.argmax())
        self.share = float(areas[self._hero] / (size[0] * size[1]))

    @property
    def plate(self) -> FrameSource:
        """The clip itself."""
        return self

    def read(self, frame: int) -> Array:
        """A frame, (height, width, 3) uint8 sRGB, frames count from 1."""
        return self._draw(frame)[0]

    def identity(self, frame: int) -> str:
        """The recipe of the clip, and the frame."""
        return f"{self._clip.recipe} {frame}"

    def truth(self, frame: int) -> Array:
        """The hero's visible matte, (1, height, width)."""
        return self._draw(frame)[1][None]

    def _draw(self, frame: int) -> tuple[Array, Array]:
        if frame not in self._drawn:
            image, mattes = self._clip.render(frame - 1)
            self._drawn[frame] = (image * 255 + 0.5).astype(np.uint8), mattes[self._hero].copy()
        return self._drawn[frame]


def generated_footage(count: int, frames: int, size: tuple[int, int]) -> list[GeneratedFootage]:
    """The first ``count`` evaluation clips whose largest object covers 1 % of the first frame."""
    found: list[GeneratedFootage] = []
    index = 0
    while len(found) < count:
        footage = GeneratedFootage(index, frames, size)
        if footage.share >= 0.01:
            found.append(footage)
        index += 1
    return found


class DavisFootage:
    """A folder with ``JPEGImages/*.jpg`` and ``Annotations/*.png``: a palette index, or a colour, per object.

    Objects are numbered as in the palette, colours in their order.
    """

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        self._pictures = sorted((folder / "JPEGImages").glob("*.jpg"))
        self._annotations = {path.stem: path for path in (folder / "Annotations").glob("*.png")}
        if not self._pictures or self._pictures[0].stem not in self._annotations:
            raise PlateError(
                f"{folder} does not hold JPEGImages/*.jpg with Annotations/*.png of the same names.",
                "Give the folder of one DAVIS-style clip.",
            )
        self.frames = range(1, len(self._pictures) + 1)
        height, width = _picture(self._pictures[0]).shape[:2]
        self.size = (width, height)
        labels = np.unique(self._labels(1))
        self._objects = labels[labels > 0]
        self.objects = tuple(f"object{number}" for number in range(1, len(self._objects) + 1))

    @property
    def plate(self) -> FrameSource:
        """The pictures, numbered from 1."""
        return self

    def read(self, frame: int) -> Array:
        """A frame, (height, width, 3) uint8 sRGB."""
        return np.ascontiguousarray(_picture(self._pictures[frame - 1])[..., ::-1])

    def identity(self, frame: int) -> str:
        """The picture's file."""
        return file_identity(str(self._pictures[frame - 1]), FileIdentity.STAT)

    def truth(self, frame: int) -> Array:
        """Hard masks (objects, height, width) as float32."""
        labels = self._labels(frame)
        return np.stack([labels == label for label in self._objects]).astype(np.float32)

    def _labels(self, frame: int) -> Array:
        stem = self._pictures[frame - 1].stem
        if stem not in self._annotations:
            raise PlateError(f"There is no annotation for {stem}.", "Annotate every frame of the clip.")
        return _label_image(self._annotations[stem])


def _picture(path: Path) -> Array:
    """A picture (height, width, 3), uint8 BGR. Raises PlateError."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise PlateError(f"{path} is not a picture that can be read.", "Replace it.")
    return picture


def _label_image(path: Path) -> Array:
    """Labels (height, width), 0 for ground: indices of a palette, else colours as 0xRRGGBB.

    Raises PlateError.
    """
    try:
        with Image.open(path) as image:
            if image.mode in ("P", "L"):
                return np.array(image, np.int64)
            red, green, blue = np.array(image.convert("RGB"), np.int64).transpose(2, 0, 1)
    except OSError as error:
        raise PlateError(f"{path} is not a picture that can be read.", "Replace it.") from error
    return red << 16 | green << 8 | blue


class RenderedFootage:
    """A plate sequence and a sequence of EXR mattes, one channel per object."""

    def __init__(self, plate: str, mattes: str, channels: Sequence[str], color_space: str = "") -> None:
        self.name = Path(plate).name
        self.plate = FrameSequence(plate, color_space=color_space)
        self.objects = tuple(channels)
        self._mattes = SequencePattern(mattes)

    def truth(self, frame: int) -> Array:
        """Soft mattes (objects, height, width) as rendered."""
        path = self._mattes.path(frame)
        return np.stack([read_roto(path, channel) for channel in self.objects])
