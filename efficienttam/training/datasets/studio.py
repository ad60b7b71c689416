"""A studio's own plates with mattes, read as tracking reads them.

Either a folder per shot with ``plate/`` (one sequence or movie) and ``mattes/`` (a sequence per object, its
alpha or first channel), or a JSON file that lists them::

    {"shots": [{"plate": "sh010/plate.%04d.exr", "color_space": "ACEScg",
                "mattes": [{"path": "sh010/matte.%04d.exr", "channel": "hero"}]}]}

Paths are relative to the file. Only frames on which every object has a matte are trained on: twenty key
frames of a long plate are fine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from efficienttam.contract.errors import EfficientTAMError
from efficienttam.contract.sequence import MissingFrames, SequencePattern
from efficienttam.media import FrameSequence, read_roto, read_roto_info
from efficienttam.media.movie import is_movie

from .training_plate import Source, size_faults

Array = np.ndarray

#: A minus is the number's where another separator, or nothing, stands before it: ``hero-1001.png`` is 1001.
_NUMBERED = re.compile(r"^(.*?)((?:(?:(?<=[._\s-])|^)-)?[0-9]+)(\.[^.]+)$")
_SHOT_KEYS = {"plate", "mattes", "color_space", "config", "layer"}


@dataclass(frozen=True)
class MatteSequence:
    """Mattes of one object; without a ``channel`` the alpha, else the first one."""

    path: str
    channel: str = ""


class StudioShot:
    """One plate with its mattes, frames by the plate's own numbers."""

    def __init__(
        self,
        plate: str,
        mattes: Sequence[MatteSequence],
        color_space: str = "",
        config: str = "",
        layer: str = "",
    ) -> None:
        self.name = plate
        self._mattes = tuple(mattes)
        self._color_space, self._config, self._layer = color_space, config, layer

    def __getstate__(self) -> dict[str, Any]:
        """Without the open plate: every process that draws samples opens its own."""
        return {name: value for name, value in self.__dict__.items() if name != "_plate"}

    @property
    def annotated(self) -> Sequence[int]:
        """Frames that the plate and the mattes of every object have."""
        return self._annotated

    def check(self) -> list[str]:
        """Files that cannot be read, no frame in common, sizes that differ."""
        try:
            if not self._annotated:
                return [f"{self.name}: no frame has a matte of every object ({self._told()})."]
            height, width = self.picture(self._annotated[0]).shape[:2]
            faults = []
            for one in self._mattes:
                pattern = SequencePattern(one.path)
                for path in dict.fromkeys(pattern.path(frame) for frame in self._annotated):
                    window = read_roto_info(path, one.channel).display_window
                    faults += size_faults(path, (width, height), (window.width, window.height))
            return faults
        except EfficientTAMError as error:
            return [str(error)]

    def picture(self, frame: int) -> Array:
        """A frame as the tracker sees it, colour and all."""
        return self._plate.read(frame)

    def areas(self, frame: int) -> Array:
        """Shares of the frame that the mattes cover."""
        return np.array([float(self._matte(one, frame).mean()) for one in self._mattes])

    def mattes(self, frame: int, objects: Sequence[int]) -> Array:
        """Soft mattes (n, height, width) as rendered."""
        return np.stack([self._matte(self._mattes[one], frame) for one in objects])

    def _matte(self, one: MatteSequence, frame: int) -> Array:
        return read_roto(SequencePattern(one.path).path(frame), one.channel)

    @cached_property
    def _plate(self) -> FrameSequence:
        return FrameSequence(
            self.name,
            missing=MissingFrames.HOLD,
            color_space=self._color_space,
            config=self._config,
            layer=self._layer,
        )

    @cached_property
    def _annotated(self) -> list[int]:
        pattern = SequencePattern(self.name)
        common = set(pattern.frames_on_disk() if pattern.is_sequence else self._plate.frames)
        for one in self._mattes:
            matte = SequencePattern(one.path)
            common &= set(matte.frames_on_disk() if matte.is_sequence else [matte.still_frame()])
        return sorted(common)

    def _told(self) -> str:
        return ", ".join(one.path for one in self._mattes)


def open_studio(root: Path) -> Source:
    """The shots of a JSON list, or of a folder."""
    if root.is_file():
        return _open_list(root)
    folders = (
        [root] if (root / "plate").is_dir() else sorted(path for path in root.iterdir() if path.is_dir())
    )
    source = Source()
    for folder in folders:
        _add_folder(folder, source)
    if not folders:
        source.faults.append(f"{root} holds no folder plate, and no folders of shots.")
    return source


def _add_folder(folder: Path, source: Source) -> None:
    for name in ("plate", "mattes"):
        if not (folder / name).is_dir():
            source.faults.append(f"{folder} has no folder {name}.")
            return
    plates, mattes = _sequences(folder / "plate"), _sequences(folder / "mattes")
    if len(plates) != 1:
        source.faults.append(f"{folder}/plate holds {len(plates)} sequences, expected one.")
    elif not mattes:
        source.faults.append(f"{folder}/mattes holds no sequence.")
    else:
        source.plates.append(StudioShot(plates[0], [MatteSequence(path) for path in mattes]))


def _sequences(folder: Path) -> list[str]:
    """Patterns of the sequences, and names of the movies and stills, that lie in a folder."""
    widths: dict[tuple[str, str], set[int]] = {}
    found = []
    for path in sorted(folder.iterdir()):
        match = _NUMBERED.match(path.name)
        if path.name.startswith(".") or path.is_dir():
            continue
        if match is None or is_movie(path.name):
            found.append(str(path))
        else:
            widths.setdefault((match.group(1), match.group(3)), set()).add(len(match.group(2)))
    for (stem, ending), lengths in widths.items():
        found.append(str(folder / f"{stem}%0{min(lengths)}d{ending}"))
    return sorted(found)


def _open_list(path: Path) -> Source:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return Source(faults=[f"{path} is not JSON that can be read: {error}."])
    shots = told.get("shots") if isinstance(told, dict) else None
    if not isinstance(shots, list) or not shots:
        return Source(faults=[f"{path} has no list of shots."])
    source = Source()
    for number, shot in enumerate(shots, 1):
        fault = _shot_fault(shot)
        if fault:
            source.faults.append(f"{path}, shot {number}: {fault}")
            continue
        mattes = [
            MatteSequence(str(path.parent / one["path"]), one.get("channel", "")) for one in shot["mattes"]
        ]
        more = {key: shot[key] for key in ("color_space", "config", "layer") if key in shot}
        source.plates.append(StudioShot(str(path.parent / shot["plate"]), mattes, **more))
    return source


def _shot_fault(shot: Any) -> str:
    """What is wrong with an entry of the list; empty when nothing is."""
    if not isinstance(shot, dict) or not isinstance(shot.get("plate"), str):
        return "there is no plate."
    unknown = sorted(set(shot) - _SHOT_KEYS)
    if unknown:
        return f"{unknown[0]!r} is not known; expected {', '.join(sorted(_SHOT_KEYS))}."
    for key in sorted(set(shot) - {"mattes"}):
        if not isinstance(shot[key], str):
            return f"{key} is {shot[key]!r}; expected a text."
    mattes = shot.get("mattes")
    if not isinstance(mattes, list) or not mattes:
        return "there are no mattes."
    return next((fault for one in mattes if (fault := _matte_fault(one))), "")


def _matte_fault(matte: Any) -> str:
    """What is wrong with one of its mattes; empty when nothing is."""
    if not isinstance(matte, dict) or not isinstance(matte.get("path"), str):
        return "every matte needs a path."
    unknown = sorted(set(matte) - {"path", "channel"})
    if unknown:
        return f"{unknown[0]!r} of a matte is not known; expected path, channel."
    channel = matte.get("channel", "")
    return "" if isinstance(channel, str) else f"the channel of a matte is {channel!r}; expected a text."
