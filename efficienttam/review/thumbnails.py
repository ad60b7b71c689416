"""Small pictures of mattes to check: the plate with the matte tinted over it."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ..contract.errors import PlateError
from ..mattes.overlay import as_bytes, overlay
from ..media import read_roto_info
from .shot import Shot
from .verdict import Verdict, Visit, matte_file, matte_on_disk

#: Pictures on a page at most: a page must open at once.
PICTURES = 60
#: Width of a picture in pixels.
WIDTH = 320
#: Of the words on a picture, and the height of the strip that they stand on.
_FONT, _SIZE, _STRIP = cv2.FONT_HERSHEY_SIMPLEX, 0.45, 21


@dataclass(frozen=True)
class Wanted:
    """A matte to show, and how much it is doubted."""

    verdict: Verdict
    frame: int
    doubt: float


@dataclass(frozen=True)
class Thumbnail:
    """A picture (height, WIDTH, 3), uint8, of one object on one frame."""

    verdict: Verdict
    frame: int
    picture: np.ndarray

    @property
    def jpeg(self) -> str:
        """A data URL."""
        _, packed = cv2.imencode(".jpg", self.picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 82])
        return "data:image/jpeg;base64," + base64.b64encode(packed.tobytes()).decode("ascii")


def wanted(verdicts: Sequence[Verdict], most: int = PICTURES) -> list[Wanted]:
    """The first, the worst and the last frame of every place, those of the most doubted places where there
    are too many; by view, object and frame."""
    found = []
    for verdict in verdicts:
        for place in verdict.places:
            doubt = verdict.checks[place.worst].doubt
            frames = sorted({place.first, place.worst, place.last})
            found += [Wanted(verdict, frame, doubt) for frame in frames]
    kept = sorted(found, key=lambda one: -one.doubt)[:most]
    return [one for one in found if any(one is other for other in kept)]


def thumbnails(shot: Shot, chosen: Sequence[Wanted], visit: Visit) -> Iterator[Thumbnail]:
    """Their pictures, one plate in memory at a time. A frame that cannot be read is black,
    as is one without a plate; pictures have the pixel aspect of the plate, else of the matte."""
    for one in chosen:
        visit(one.frame, one.verdict.view)
        matte = _matte(shot, one)
        plate = _plate(shot, one)
        if plate is None:
            plate = np.full((*_size(shot, one, matte)[::-1], 3), 24, np.uint8)
        height, width = plate.shape[:2]
        shown = [] if matte is None else [cv2.resize(matte, (width, height), interpolation=cv2.INTER_AREA)]
        yield Thumbnail(one.verdict, one.frame, overlay(plate, shown))


def labelled(thumbnail: Thumbnail) -> np.ndarray:
    """The picture with frame and object written on a dark strip of it."""
    picture = thumbnail.picture.copy()
    words = f"{thumbnail.frame} {thumbnail.verdict.name} {thumbnail.verdict.view}".strip()
    (width, _), _ = cv2.getTextSize(words, _FONT, _SIZE, 1)
    picture[:_STRIP, : width + 12] //= 4
    cv2.putText(picture, words, (6, 15), _FONT, _SIZE, (255, 255, 255), 1, cv2.LINE_AA)
    return picture


def _matte(shot: Shot, one: Wanted) -> np.ndarray | None:
    try:
        return matte_on_disk(shot, one.verdict.name, one.frame, one.verdict.view)
    except PlateError:
        return None


def _plate(shot: Shot, one: Wanted) -> np.ndarray | None:
    """The plate's picture, reduced; None where there is no plate, or none that can be read."""
    plate = shot.plates.get(one.verdict.view)
    if plate is None or not plate.frames[0] <= one.frame <= plate.frames[-1]:
        return None
    try:
        picture = as_bytes(plate.read(one.frame))
    except PlateError:
        return None
    return cv2.resize(picture, _reduced(plate.size, plate.pixel_aspect), interpolation=cv2.INTER_AREA)


def _size(shot: Shot, one: Wanted, matte: np.ndarray | None) -> tuple[int, int]:
    """(width, height) of a picture without a plate to show."""
    plate = shot.plates.get(one.verdict.view)
    if plate is not None:
        return _reduced(plate.size, plate.pixel_aspect)
    if matte is None:
        return WIDTH, WIDTH * 9 // 16
    path = matte_file(shot, one.verdict.name, one.frame, one.verdict.view)
    return _reduced((matte.shape[1], matte.shape[0]), read_roto_info(path).pixel_aspect)


def _reduced(size: tuple[int, int], pixel_aspect: float) -> tuple[int, int]:
    """(width, height) as a screen with square pixels shows it: WIDTH wide; a picture taller than wide is as
    high instead."""
    width, height = size[0] * pixel_aspect, size[1]
    scale = WIDTH / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))
