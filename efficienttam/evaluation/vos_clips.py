"""Clips of DAVIS, YouTube-VOS and MOSE as they lie on disk: pictures, label images, objects that come later.

| layout | pictures | label images |
|---|---|---|
| one clip | ``JPEGImages/*.jpg`` | ``Annotations/*.png`` |
| YouTube-VOS, MOSE | ``JPEGImages/CLIP/*.jpg`` | ``Annotations/CLIP/*.png``, maybe not for every frame |
| DAVIS | ``JPEGImages/480p/CLIP/*.jpg`` | ``Annotations/480p/CLIP/*.png`` |
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from efficienttam.contract.errors import PlateError
from efficienttam.evaluation.footage import VOID, LabelledPictures, objects_among
from efficienttam.training.datasets.folder_clips import one_resolution


class VosClip(LabelledPictures):
    """A clip whose objects are all those of its label images, whenever they appear.

    Which those are is looked up when first asked for: every label image is read then.
    """

    @functools.cached_property
    def labels(self) -> np.ndarray:
        """Labels of the objects, ascending. Raises PlateError where there is no object."""
        found: set[int] = set()
        for frame in self.annotated:
            found.update(np.unique(self._stored(frame)).tolist())
        labels = objects_among(found)
        if not len(labels):
            raise PlateError(f"No label image of {self.name} shows an object.", "Leave the clip out.")
        return labels

    @functools.cached_property
    def objects(self) -> Sequence[str]:
        """``objectN``, N the palette's index; colours are counted."""
        if self.labels[-1] <= VOID:
            return tuple(f"object{label}" for label in self.labels)
        return tuple(f"object{number}" for number in range(1, len(self.labels) + 1))


def clips_in(folder: Path, names: Sequence[str] = ()) -> list[VosClip]:
    """The clips of a folder in any of the layouts above, by name; only those in ``names`` if there are any.

    Raises PlateError where the folder holds none, a clip that is named is not there, a clip has no label
    image that belongs to one of its pictures, or one that belongs to none.
    """
    pictures, annotations = folder / "JPEGImages", folder / "Annotations"
    if not pictures.is_dir() or not annotations.is_dir():
        raise PlateError(
            f"{folder} does not hold the folders JPEGImages and Annotations.",
            "Give a clip or a data set in the layout of DAVIS, YouTube-VOS or MOSE.",
        )
    if any(pictures.glob("*.jpg")):
        clips = {folder.resolve().name: (pictures, annotations)}
    else:
        pictures, annotations = one_resolution(pictures, annotations)
        inside = sorted(path for path in pictures.iterdir() if path.is_dir())
        clips = {path.name: (path, annotations / path.name) for path in inside}
    absent = [name for name in names if name not in clips]
    if absent or not clips:
        raise PlateError(
            f"{pictures} has no clip {absent[0]}." if absent else f"{pictures} has no clips.",
            f"There are: {', '.join(list(clips)[:5]) or 'none'}{' ...' if len(clips) > 5 else ''}.",
        )
    return [_clip(name, *clips[name]) for name in (names or clips)]


def _clip(name: str, pictures: Path, annotations: Path) -> VosClip:
    """A clip whose files fit each other. Raises PlateError."""
    seen = sorted(pictures.glob("*.jpg"))
    labels = {path.stem: path for path in sorted(annotations.glob("*.png"))}
    if not seen or not labels:
        raise PlateError(
            f"The clip {name} has {len(seen)} pictures in {pictures} and {len(labels)} label images in "
            f"{annotations}.",
            "Give both, or leave the clip out with --list.",
        )
    without = sorted(set(labels) - {path.stem for path in seen})
    if without:
        raise PlateError(
            f"The label image {labels[without[0]]} has no picture {without[0]}.jpg in {pictures}.",
            "Give label images the names of their pictures.",
        )
    return VosClip(name, seen, labels)
