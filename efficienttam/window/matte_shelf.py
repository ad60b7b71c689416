"""Mattes that can be shown, by frame and object, and what is known about those on disk."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, FrozenSet, Iterable, List, Tuple

from ..contract.messages import FrameReview, ObjectMatte
from .bounded_store import BoundedStore

#: Bytes of decoded mattes that are kept.
MATTE_BYTES = 128 * 2**20


@dataclasses.dataclass(frozen=True)
class ShelvedMatte:
    """A grey QImage, and whether it is a preview (else it is as on disk)."""

    image: Any
    preview: bool


class MatteShelf:
    """Pictures of mattes come and go by a bound of bytes; scores of mattes on disk stay."""

    def __init__(self) -> None:
        self._images: BoundedStore[Tuple[int, str], ShelvedMatte] = BoundedStore(MATTE_BYTES)
        self.scores: Dict[int, Dict[str, ObjectMatte]] = {}
        #: Goes up with every change of the scores.
        self.changes = 0

    def clear(self) -> None:
        """Forgets all: another plate."""
        self._images.clear()
        self.scores.clear()
        self.changes += 1

    def put(self, frame: int, name: str, image: Any, preview: bool) -> None:
        """Keeps the picture of a matte."""
        self._images.put((frame, name), ShelvedMatte(image, preview), image.width() * image.height())

    def image(self, frame: int, name: str) -> Any:
        """The picture of an object's matte on a frame; None where there is none."""
        held = self._images.get((frame, name))
        return None if held is None else held.image

    def reviewed(self, frames: Iterable[FrameReview]) -> None:
        """Takes what is known about the mattes on disk, in the place of what was known."""
        self.changes += 1
        self.scores = {found.frame: {matte.name: matte for matte in found.mattes} for found in frames}

    def tracked(self, frame: int, mattes: Iterable[ObjectMatte]) -> None:
        """Takes what is known about the new mattes of a frame."""
        self.changes += 1
        known = self.scores.setdefault(frame, {})
        for matte in mattes:
            known[matte.name] = dataclasses.replace(matte, png="")

    def frames(self, names: Iterable[str]) -> FrozenSet[int]:
        """Frames on which every one of these objects that is on disk at all is on disk."""
        there = {name for mattes in self.scores.values() for name in mattes} & set(names)
        return frozenset(frame for frame, known in self.scores.items() if there and there <= set(known))

    def on_disk(self, frame: int) -> FrozenSet[str]:
        """Names of objects that have a matte on disk."""
        return frozenset(self.scores.get(frame, ()))

    def wanting(self, frame: int, names: Iterable[str]) -> List[str]:
        """Of these objects those that have a matte on disk and no picture here."""
        return [
            name for name in names if name in self.on_disk(frame) and self._images.get((frame, name)) is None
        ]

    def drop(self, frame: int, name: str) -> None:
        """Forgets the picture of an object's matte on a frame."""
        self._images.drop((frame, name))

    def forget(self, name: str) -> None:
        """Forgets all about an object."""
        self.changes += 1
        for known in self.scores.values():
            known.pop(name, None)
        self.scores = {frame: known for frame, known in self.scores.items() if known}
        for frame, other in self._images.keys():
            if other == name:
                self._images.drop((frame, other))

    def drop_preview(self, frame: int, name: str) -> None:
        """Forgets the preview of an object on a frame; a matte as on disk stays."""
        held = self._images.get((frame, name))
        if held is not None and held.preview:
            self._images.drop((frame, name))
