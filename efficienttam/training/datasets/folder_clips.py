"""The layout of DAVIS, YouTube-VOS and MOSE: pictures and label images of the same names.

``JPEGImages/<clip>/*.jpg`` with ``Annotations/<clip>/*.png``, with a folder for the resolution between
(DAVIS: ``480p``) or without, below ``train`` or not; or one clip alone, its files in the two folders
themselves. Frames without a label image (YouTube-VOS) are not trained on. Label images of black and white are
masks of one object (DAVIS 2016), grey or, as one of its files, in colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from efficienttam.contract.errors import PlateError

from .training_plate import Source, size_faults

Array = np.ndarray

#: In palette images: neither object nor ground (DAVIS, YouTube-VOS).
VOID = 255
#: What tells a colour, 0xRRGGBB, from a number.
COLOR = 1 << 24
WHITE = COLOR | 0xFFFFFF
#: Resolutions that DAVIS keeps in folders of their own; the first one that is there is taken.
RESOLUTIONS = ("480p", "Full-Resolution", "1080p")
_PICTURES = (".jpg", ".jpeg", ".png")


class FolderClip:
    """One clip: pictures and label images by stem, in the order of their names."""

    def __init__(self, name: str, pictures: Path, truths: Path) -> None:
        self.name = name
        self._pictures = {p.stem: p for p in sorted(pictures.iterdir()) if p.suffix.lower() in _PICTURES}
        self._truths = {p.stem: p for p in sorted(truths.iterdir()) if p.suffix.lower() == ".png"}
        self._stems = [stem for stem in self._pictures if stem in self._truths]
        self.strays = [stem for stem in self._truths if stem not in self._pictures]

    @property
    def annotated(self) -> Sequence[int]:
        """Places of the frames that have both files, counted from 0."""
        return range(len(self._stems))

    def check(self) -> list[str]:
        """Labels without a picture, no labels at all, sizes that differ on the first frame."""
        faults = []
        if self.strays:
            faults.append(
                f"{self.name}: {len(self.strays)} label images without a picture, first {self.strays[0]}."
            )
        if not self._stems:
            return [*faults, f"{self.name}: no picture has a label image of its name."]
        stem = self._stems[0]
        try:
            with Image.open(self._pictures[stem]) as picture, Image.open(self._truths[stem]) as truth:
                return faults + size_faults(f"{self.name}/{stem}", picture.size, truth.size)
        except OSError as error:
            return [*faults, f"{self.name}/{stem} cannot be read: {error}."]

    def picture(self, frame: int) -> Array:
        """A frame, (height, width, 3) uint8 sRGB."""
        return read_rgb(self._pictures[self._stems[frame]])

    def areas(self, frame: int) -> Array:
        """Shares of labels 1 to 254, or of the clip's colours in their order."""
        labels = self._labels(frame)
        if self._colors is None:
            return np.bincount(labels.reshape(-1), minlength=VOID + 1)[1:VOID] / labels.size
        return np.array([(labels == color).mean() for color in self._colors])

    def mattes(self, frame: int, objects: Sequence[int]) -> Array:
        """Hard mattes (n, height, width) as float32."""
        labels = self._labels(frame)
        names = [one + 1 if self._colors is None else self._colors[one] for one in objects]
        return np.stack([labels == name for name in names]).astype(np.float32)

    @cached_property
    def _colors(self) -> list[int] | None:
        """Colours of the objects where labels are colours; None where they are numbers."""
        with Image.open(self._truths[self._stems[0]]) as image:
            if image.mode in ("P", "L", "1", "I", "I;16"):
                return None
        found: set[int] = set()
        for stem in self._stems:
            found.update(np.unique(_read_labels(self._truths[stem])).tolist())
        colors = found - {0}
        return None if colors <= {1, WHITE} else sorted(colors)

    def _labels(self, frame: int) -> Array:
        path = self._truths[self._stems[frame]]
        labels = _read_labels(path)
        if self._colors is not None:
            return labels
        labels = np.where(labels == WHITE, 1, labels)
        if labels.max() > VOID:
            raise PlateError(
                f"{path} shows colours, and other label images of the clip numbers.",
                "Save all of them in one way.",
            )
        return labels


def open_folders(root: Path) -> Source:
    """Every clip below a folder of this layout; those of ``ImageSets/*/train.txt`` where DAVIS has one.

    ``root`` may also be the pictures of one resolution, ``JPEGImages/Full-Resolution``.
    """
    named = root.name if root.parent.name == "JPEGImages" and root.name in RESOLUTIONS else ""
    if named:
        root = root.parent.parent
    for top in (root, root / "train"):
        if (top / "JPEGImages").is_dir() and (top / "Annotations").is_dir():
            break
    else:
        return Source(faults=[f"{root} holds no folders JPEGImages and Annotations."])
    pairs = _pairs(*one_resolution(top / "JPEGImages", top / "Annotations", named))
    if not pairs:
        return Source(faults=[f"{top}/JPEGImages holds no pictures."])
    # Years (2016, 2017) before resolutions: a folder of both has the list of DAVIS 2017 in the year's.
    lists = sorted(root.glob("ImageSets/*/train.txt"), key=lambda path: (path.parent.name.isdigit(), path))
    if lists:
        wanted = set(listed_clips(lists[-1].read_text()))
        pairs = [pair for pair in pairs if pair[0].name in wanted]
    source = Source()
    for pictures, truths in pairs:
        if truths.is_dir():
            source.plates.append(FolderClip(str(pictures), pictures, truths))
        else:
            source.faults.append(f"{pictures} has no label images: {truths} is not there.")
    if not source.plates and not source.faults:
        source.faults.append(f"{lists[-1]} names no clip that is there.")
    return source


def one_resolution(pictures: Path, truths: Path, named: str = "") -> tuple[Path, Path]:
    """The two folders of one resolution: the one that is named, else the first that both have; the folders
    themselves where there is none."""
    for resolution in (named,) if named else RESOLUTIONS:
        if (pictures / resolution).is_dir() and (truths / resolution).is_dir():
            return pictures / resolution, truths / resolution
    return pictures, truths


def listed_clips(text: str) -> list[str]:
    """Names of clips in a list, each once: a name, or as DAVIS 2016 has it paths of a clip's pictures and
    label images (``/JPEGImages/480p/bear/00000.jpg``)."""
    return list(dict.fromkeys(Path(word).parent.name if "/" in word else word for word in text.split()))


def _pairs(pictures: Path, truths: Path) -> list[tuple[Path, Path]]:
    """Folders that hold pictures, with the folder that should hold their labels."""
    if any(path.suffix.lower() in _PICTURES for path in pictures.iterdir()):
        return [(pictures, truths)]
    inner = sorted(path for path in pictures.iterdir() if path.is_dir())
    return [pair for path in inner for pair in _pairs(path, truths / path.name)]


def read_rgb(path: Path) -> Array:
    """A picture (height, width, 3) uint8 RGB. Raises PlateError."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise PlateError(f"{path} is not a picture that can be read.", "Copy it again.")
    return np.ascontiguousarray(picture[..., ::-1])


def _read_labels(path: Path) -> Array:
    """Labels (height, width): numbers 0..255, or colours as ``COLOR`` and 0xRRGGBB. Raises PlateError."""
    try:
        with Image.open(path) as image:
            if image.mode in ("P", "L", "1", "I", "I;16"):
                labels = np.array(image.convert("L") if image.mode == "1" else image, np.int64)
                # One object as black and white (DAVIS 2016): white is the object, not void.
                white = image.mode != "P" and set(np.unique(labels).tolist()) <= {0, VOID}
                return np.minimum(labels, 1) if white else np.clip(labels, 0, VOID)
            red, green, blue = np.array(image.convert("RGB"), np.int64).transpose(2, 0, 1)
    except OSError as error:
        raise PlateError(f"{path} is not a picture that can be read.", "Copy it again.") from error
    colors = red << 16 | green << 8 | blue
    return np.where(colors > 0, colors | COLOR, 0)
