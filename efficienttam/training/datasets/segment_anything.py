"""The layouts of Segment Anything: SA-V (movies and masklets) and SA-1B (images and masks), both with JSON.

SA-V: ``sav_000001.mp4``, or a folder ``sav_000001`` of its frames as pictures, beside
``sav_000001_manual.json`` and ``sav_000001_auto.json``, whose ``masklet`` holds a list of run lengths for
every annotated frame: every fourth frame of the movie. SA-1B: ``sa_1.jpg`` beside ``sa_1.json`` with
``annotations[].segmentation``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from efficienttam.contract.errors import PlateError
from efficienttam.media.movie import Movie

from .folder_clips import read_rgb
from .run_lengths import decode_mask, mask_area, size_of
from .training_plate import Source, size_faults

Array = np.ndarray

#: Frames of the movie from one annotated frame to the next (24 and 6 a second).
SAV_STRIDE = 4


class SegmentAnythingVideo:
    """One movie of SA-V with one of its JSON files; frames are annotated frames, counted from 0."""

    def __init__(self, pictures: Path, truth: Path) -> None:
        self.name = truth.stem
        self._pictures, self._truth = pictures, truth

    @property
    def annotated(self) -> Sequence[int]:
        """0 to the number of annotated frames."""
        return range(len(self._masklets))

    def check(self) -> list[str]:
        """JSON without masklets, too few pictures, sizes that differ on the first frame."""
        try:
            if not self._masklets:
                return [f"{self._truth} has no annotated frame."]
            self._source(len(self._masklets) - 1)
            coded = next((one for one in self._masklets[0] if one), None)
            if coded is None:
                return []
            height, width = decode_mask(coded).shape
            tall, wide = self.picture(0).shape[:2]
            return size_faults(str(self._truth), (wide, tall), (width, height))
        except PlateError as error:
            return [str(error)]
        except (ValueError, TypeError) as error:
            return [f"{self._truth} holds a mask that is none: {error}."]

    def picture(self, frame: int) -> Array:
        """A frame, (height, width, 3) uint8 RGB."""
        source = self._source(frame)
        if isinstance(source, Path):
            return read_rgb(source)
        pixels = _open_movie(str(self._pictures)).read(source)
        return pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)

    def areas(self, frame: int) -> Array:
        """Shares of the masklets; 0 where one is absent."""
        return np.array([self._area(one) for one in self._masklets[frame]])

    def mattes(self, frame: int, objects: Sequence[int]) -> Array:
        """Masks (n, height, width) as float32."""
        masklets = self._masklets[frame]
        chosen = [masklets[one] if one < len(masklets) else None for one in objects]
        if not any(chosen):
            return np.zeros((len(chosen), *self.picture(frame).shape[:2]), np.float32)
        return _decoded(chosen, self._truth)

    def _area(self, coded: Any) -> float:
        try:
            return mask_area(coded) if coded else 0.0
        except (ValueError, TypeError) as error:
            raise PlateError(f"{self._truth}: {error}.", "Download it again.") from error

    @property
    def _masklets(self) -> list[list[Any]]:
        told = _read_json(str(self._truth))
        masklets = told.get("masklet") if isinstance(told, dict) else None
        if not isinstance(masklets, list) or not all(isinstance(one, list) for one in masklets):
            raise PlateError(f"{self._truth} has no list of lists named masklet.", "Give the JSON of SA-V.")
        return masklets

    def _source(self, frame: int) -> Path | int:
        """The picture file, or the movie's frame number, of an annotated frame."""
        annotated = len(self._masklets)
        if self._pictures.is_dir():
            files = _listed(str(self._pictures))
            by_number = {int(path.stem): path for path in files if path.stem.isdigit()}
            wanted = frame * _stride(annotated, len(files))
            # Pictures may be all of the movie's or the annotated ones alone, then numbered as either.
            found = files[frame] if len(files) == annotated else by_number.get(wanted)
            if found is None:
                raise PlateError(
                    f"{self._pictures} has {len(files)} pictures, none of them {wanted:05d}, for {annotated} "
                    "annotated frames.",
                    "Extract every fourth frame, or all.",
                )
            return found
        movie = _open_movie(str(self._pictures))
        wanted = frame * _stride(annotated, len(movie.frames))
        if wanted >= len(movie.frames):
            raise PlateError(
                f"{self._pictures} has {len(movie.frames)} frames; its JSON annotates frame {wanted}.",
                "Copy the movie again.",
            )
        return movie.frames[wanted]


class SegmentAnythingImage:
    """One image of SA-1B: a plate of one frame, 0."""

    annotated = (0,)

    def __init__(self, image: Path) -> None:
        self.name = image.stem
        self._image, self._truth = image, image.with_suffix(".json")

    def check(self) -> list[str]:
        """JSON without masks, sizes that differ."""
        try:
            if not self._masks:
                return []
            height, width = size_of(self._masks[0])
            tall, wide = self.picture(0).shape[:2]
            return size_faults(str(self._image), (wide, tall), (width, height))
        except PlateError as error:
            return [str(error)]
        except (ValueError, TypeError) as error:
            return [f"{self._truth} holds a mask that is none: {error}."]

    def picture(self, frame: int) -> Array:
        """The image, (height, width, 3) uint8 RGB."""
        return read_rgb(self._image)

    def areas(self, frame: int) -> Array:
        """Shares of the masks."""
        try:
            return np.array([mask_area(one) for one in self._masks])
        except (ValueError, TypeError) as error:
            raise PlateError(f"{self._truth}: {error}.", "Download it again.") from error

    def mattes(self, frame: int, objects: Sequence[int]) -> Array:
        """Masks (n, height, width) as float32."""
        return _decoded([self._masks[one] for one in objects], self._truth)

    @property
    def _masks(self) -> list[Any]:
        told = _read_json(str(self._truth))
        try:
            return [one["segmentation"] for one in told["annotations"]]
        except (KeyError, TypeError) as error:
            raise PlateError(
                f"{self._truth} has no list annotations with a segmentation each.", "Give the JSON of SA-1B."
            ) from error


def open_sav(root: Path) -> Source:
    """Every movie or folder of frames below ``root`` that has a JSON file of SA-V, once for each."""
    source = Source()
    for truth in sorted([*root.rglob("*_manual.json"), *root.rglob("*_auto.json")]):
        stem = truth.with_name(truth.stem.rpartition("_")[0])
        frames = stem if stem.is_dir() else stem.with_suffix(".mp4")
        if frames.exists():
            source.plates.append(SegmentAnythingVideo(frames, truth))
        else:
            source.faults.append(f"{truth} has neither {stem.name}.mp4 nor a folder {stem.name} beside it.")
    if not source.plates and not source.faults:
        source.faults.append(f"{root} holds no *_manual.json or *_auto.json of SA-V.")
    return source


def open_sa1b(root: Path) -> Source:
    """Every ``*.jpg`` below ``root`` with its JSON file."""
    source = Source()
    for image in sorted(root.rglob("*.jpg")):
        if image.with_suffix(".json").exists():
            source.plates.append(SegmentAnythingImage(image))
        else:
            source.faults.append(f"{image} has no {image.stem}.json beside it.")
    if not source.plates and not source.faults:
        source.faults.append(f"{root} holds no *.jpg of SA-1B.")
    return source


def _stride(annotated: int, pictures: int) -> int:
    return 1 if pictures == annotated else SAV_STRIDE


def _decoded(masks: Sequence[Any], path: Path) -> Array:
    """Masks (n, height, width) float32; None is empty, but not all are. Raises PlateError."""
    try:
        shape = next(size_of(one) for one in masks if one)
        known = [decode_mask(one) if one else np.zeros(shape, bool) for one in masks]
        return np.stack(known).astype(np.float32)
    except (ValueError, TypeError) as error:
        raise PlateError(f"{path}: {error}.", "Download it again.") from error


@lru_cache(maxsize=4)
def _read_json(path: str) -> Any:
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PlateError(f"{path} is not JSON that can be read: {error}.", "Download it again.") from error


@lru_cache(maxsize=4)
def _open_movie(path: str) -> Movie:
    return Movie(path, start=0)


@lru_cache(maxsize=64)
def _listed(folder: str) -> tuple[Path, ...]:
    kinds = {".jpg", ".jpeg", ".png"}
    return tuple(sorted(path for path in Path(folder).iterdir() if path.suffix.lower() in kinds))
