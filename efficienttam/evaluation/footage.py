"""Footage with known truth: generated clips, DAVIS-style folders, plates with rendered mattes."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
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

#: The index that DAVIS gives to pixels of no object; other palettes do not reach it. In an image of black and
#: white it is the object.
VOID = 255
#: What tells a colour, 0xRRGGBB, from an index.
COLOR = 1 << 24
WHITE = COLOR | 0xFFFFFF

#: Share of the first frame that an object of a generated clip covers at least.
SMALLEST_SHARE = 0.01


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

    @property
    def annotated(self) -> Sequence[int]:
        """The frames that have a truth, ascending."""

    def truth(self, frame: int) -> Array:
        """Visible mattes (objects, height, width), float32 0..1."""


class GeneratedFootage:
    """One generated clip of the evaluation's seeds.

    Its objects are the largest ones on the first frame, ``objects`` of them at most: the hero, and after it
    those that cover ``SMALLEST_SHARE`` of that frame.
    """

    def __init__(self, index: int, frames: int, size: tuple[int, int], objects: int = 1) -> None:
        self.name = f"generated {index:03d}"
        self.size = size
        self.frames = range(1, frames + 1)
        self._clip = Clip(ClipRecipe(evaluation_seed(index), frames, *size))
        self._drawn: dict[int, tuple[Array, Array]] = {}
        areas = self._clip.render(0)[1].sum((1, 2))
        shares = areas / (size[0] * size[1])
        order = np.argsort(-areas, kind="stable")[:objects]
        self._chosen = [int(i) for rank, i in enumerate(order) if rank == 0 or shares[i] >= SMALLEST_SHARE]
        self.objects = ("hero", *(f"object{rank}" for rank in range(2, len(self._chosen) + 1)))
        self.share = float(shares[self._chosen[0]])

    @property
    def plate(self) -> FrameSource:
        """The clip itself."""
        return self

    @property
    def annotated(self) -> Sequence[int]:
        """Every frame."""
        return self.frames

    def read(self, frame: int) -> Array:
        """A frame, (height, width, 3) uint8 sRGB, frames count from 1."""
        return self._draw(frame)[0]

    def identity(self, frame: int) -> str:
        """The recipe of the clip, and the frame."""
        return f"{self._clip.recipe} {frame}"

    def truth(self, frame: int) -> Array:
        """Visible mattes (objects, height, width)."""
        return self._draw(frame)[1]

    def _draw(self, frame: int) -> tuple[Array, Array]:
        if frame not in self._drawn:
            image, mattes = self._clip.render(frame - 1)
            self._drawn[frame] = (image * 255 + 0.5).astype(np.uint8), mattes[self._chosen]
        return self._drawn[frame]


def generated_footage(
    count: int, frames: int, size: tuple[int, int], objects: int = 1
) -> list[GeneratedFootage]:
    """The first ``count`` evaluation clips whose largest object covers 1 % of the first frame."""
    found: list[GeneratedFootage] = []
    index = 0
    while len(found) < count:
        footage = GeneratedFootage(index, frames, size, objects)
        if footage.share >= SMALLEST_SHARE:
            found.append(footage)
        index += 1
    return found


class LabelledPictures:
    """Pictures with label images of the same stems beside them: a palette index, or a colour, per object.

    Frames are numbered from 1, one per picture; not each needs a label image. Where there is nothing but
    black and white, white is one object, in whatever way a file says it: of the grey label images of DAVIS
    2016 one is in colour.
    """

    def __init__(self, name: str, pictures: Sequence[Path], annotations: Mapping[str, Path]) -> None:
        self.name = name
        self._pictures, self._annotations = pictures, annotations
        self.frames = range(1, len(pictures) + 1)

    @functools.cached_property
    def labels(self) -> Array:
        """Labels of the objects that are scored: those of the first annotated frame, ascending."""
        return objects_among(np.unique(self._stored(self.annotated[0])).tolist())

    @functools.cached_property
    def size(self) -> tuple[int, int]:
        """(width, height) of the first picture."""
        height, width = read_picture(self._pictures[0]).shape[:2]
        return width, height

    @property
    def plate(self) -> FrameSource:
        """The pictures, numbered from 1."""
        return self

    @functools.cached_property
    def annotated(self) -> Sequence[int]:
        """The frames with a label image."""
        return [frame for frame, path in enumerate(self._pictures, start=1) if path.stem in self._annotations]

    def read(self, frame: int) -> Array:
        """A frame, (height, width, 3) uint8 sRGB."""
        return np.ascontiguousarray(read_picture(self._pictures[frame - 1])[..., ::-1])

    def identity(self, frame: int) -> str:
        """The picture's file."""
        return file_identity(str(self._pictures[frame - 1]), FileIdentity.STAT)

    def truth(self, frame: int) -> Array:
        """Hard masks (objects, height, width) as float32. Raises PlateError where a frame has none."""
        labels = self.label_image(frame)
        return (labels[None] == self.labels[:, None, None]).astype(np.float32)

    def label_image(self, frame: int) -> Array:
        """Labels (height, width), 0 for ground. Raises PlateError."""
        labels = self._stored(frame)
        return np.where(labels == WHITE, VOID, labels) if self.black_and_white else labels

    def void(self, frame: int) -> Array:
        """Pixels (height, width) bool that are neither object nor ground. Raises PlateError."""
        labels = self._stored(frame)
        return np.zeros(labels.shape, bool) if self.black_and_white else labels == VOID

    @property
    def black_and_white(self) -> bool:
        """True where the label images show one object in white."""
        return self.labels.tolist() == [VOID]

    def _stored(self, frame: int) -> Array:
        """Labels as the file tells them."""
        stem = self._pictures[frame - 1].stem
        if stem not in self._annotations:
            raise PlateError(f"There is no annotation for {stem}.", "Annotate every frame of the clip.")
        return read_labels(self._annotations[stem])


def void_pixels(footage: Footage, frame: int) -> Array | None:
    """Pixels (height, width) bool of an annotated frame that are not scored; None where all are."""
    if not isinstance(footage, LabelledPictures):
        return None
    void = footage.void(frame)
    return void if void.any() else None


class DavisFootage(LabelledPictures):
    """A folder with ``JPEGImages/*.jpg`` and ``Annotations/*.png``, every frame annotated.

    Objects are those of the first frame, numbered as in the palette, colours in their order.
    """

    def __init__(self, folder: Path) -> None:
        pictures = sorted((folder / "JPEGImages").glob("*.jpg"))
        annotations = {path.stem: path for path in (folder / "Annotations").glob("*.png")}
        if not pictures or pictures[0].stem not in annotations:
            raise PlateError(
                f"{folder} does not hold JPEGImages/*.jpg with Annotations/*.png of the same names.",
                "Give the folder of one DAVIS-style clip.",
            )
        super().__init__(folder.name, pictures, annotations)
        self.objects = tuple(f"object{number}" for number in range(1, len(self.labels) + 1))


def read_picture(path: Path) -> Array:
    """A picture (height, width, 3), uint8 BGR. Raises PlateError."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise PlateError(f"{path} is not a picture that can be read.", "Replace it.")
    return picture


def read_labels(path: Path) -> Array:
    """Labels (height, width), 0 for ground: indices of a palette, else colours as ``COLOR`` and 0xRRGGBB.

    Raises PlateError.
    """
    try:
        with Image.open(path) as image:
            if image.mode in ("P", "L"):
                return np.array(image, np.int64)
            red, green, blue = np.array(image.convert("RGB"), np.int64).transpose(2, 0, 1)
    except OSError as error:
        raise PlateError(f"{path} is not a picture that can be read.", "Replace it.") from error
    colors = red << 16 | green << 8 | blue
    return np.where(colors > 0, colors | COLOR, 0)


def objects_among(found: Iterable[int]) -> Array:
    """The labels of objects among all labels found, ascending: neither ground nor void."""
    labels = set(found) - {0}
    if labels and labels <= {VOID, WHITE}:
        return np.array([VOID])
    return np.array(sorted(labels - {VOID}), np.int64)


class RenderedFootage:
    """A plate sequence and a sequence of EXR mattes, one channel per object."""

    def __init__(self, plate: str, mattes: str, channels: Sequence[str], color_space: str = "") -> None:
        self.name = Path(plate).name
        self.plate = FrameSequence(plate, color_space=color_space)
        self.objects = tuple(channels)
        self._mattes = SequencePattern(mattes)

    @property
    def annotated(self) -> Sequence[int]:
        """The frames of the plate whose mattes are on disk."""
        return [frame for frame in self.plate.frames if Path(self._mattes.path(frame)).is_file()]

    def truth(self, frame: int) -> Array:
        """Soft mattes (objects, height, width) as rendered."""
        path = self._mattes.path(frame)
        return np.stack([read_roto(path, channel) for channel in self.objects])
