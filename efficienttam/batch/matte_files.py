"""The matte files of one view: which there must be, which are there already, and writing the rest."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from ..contract.errors import IncompleteError
from ..contract.job import Layout, Output
from ..contract.matte_score import MatteScore, score_attribute
from ..contract.sequence import SequencePattern
from ..media import FrameSequence, verify_matte, write_mattes
from .footage import make_folder
from .matte_score import placed
from .matte_spool import MatteSpool
from .matte_stamp import MatteStamp


class MatteFiles:
    """Files of one view of a job.

    ``wanted`` maps an object's name to the frames it must have mattes for; ``stamp`` goes into every
    header and tells, on resuming, whether a file is what this job would write.
    """

    def __init__(
        self,
        output: Output,
        view: str,
        plate: FrameSequence,
        wanted: Mapping[str, Sequence[int]],
        stamp: MatteStamp,
    ) -> None:
        self._output = output
        self._pattern = SequencePattern(output.path)
        self._view = view
        self._plate = plate
        self._wanted = {name: frozenset(frames) for name, frames in wanted.items()}
        self._stamp = stamp
        self._layered = output.layout is Layout.LAYER_PER_OBJECT
        #: Scores of the mattes that wait.
        self._scores: dict[tuple[int, str], MatteScore] = {}
        self._waiting = MatteSpool(os.path.dirname(os.path.abspath(self.path(1, ""))))

    def path(self, frame: int, name: str) -> str:
        """The file that holds an object's matte of a frame."""
        return self._pattern.path(frame, self._view, name)

    def remaining(self, together: bool) -> dict[str, list[int]]:
        """Frames by object without a good file.

        A file is good when its header, window, size and stamp are right and it is complete.
        ``together``, or a layer per object, makes a frame anew for all its objects when it must be made
        for one.
        """
        left = {
            name: {frame for frame in frames if not self._is_good(frame, name)}
            for name, frames in self._wanted.items()
        }
        if together or self._layered:
            anew: set[int] = set().union(*left.values())
            left = {name: anew & frames for name, frames in self._wanted.items()}
        return {name: sorted(frames) for name, frames in left.items()}

    def completed(
        self, frame: int, mattes: Mapping[str, np.ndarray], scores: Mapping[str, MatteScore]
    ) -> list[Callable[[], str]]:
        """The files that these mattes (height, width) of a frame, with their scores, complete.

        Each is called, in any thread, to write the file; that gives its path or raises OutputError.
        """
        if not self._layered:
            return [
                functools.partial(self._write, frame, name, {name: matte}, scores)
                for name, matte in mattes.items()
            ]
        expected = [name for name, frames in self._wanted.items() if frame in frames]
        if any(name not in mattes and (frame, name) not in self._waiting for name in expected):
            for name, matte in mattes.items():
                self._waiting.put(frame, name, matte)
                self._scores[frame, name] = scores[name]
            return []
        found = {
            name: mattes[name] if name in mattes else self._waiting.take(frame, name) for name in expected
        }
        told = {name: scores.get(name) or self._scores.pop((frame, name)) for name in expected}
        return [functools.partial(self._write, frame, "", found, told)]

    def close(self) -> None:
        """Drops mattes of frames that never became complete."""
        self._waiting.close()

    def _write(
        self, frame: int, name: str, mattes: Mapping[str, np.ndarray], scores: Mapping[str, MatteScore]
    ) -> str:
        path = self.path(frame, name)
        make_folder(os.path.dirname(path))
        told = {score_attribute(owner): str(placed(scores[owner], matte)) for owner, matte in mattes.items()}
        absent = np.zeros(next(iter(mattes.values())).shape, np.float32)
        write_mattes(
            path,
            {layer: mattes.get(owner, absent) for layer, owner in self._layers(name).items()},
            plate=self._plate.info(frame),
            compression=self._output.compression,
            depth=self._output.depth,
            data_window=self._output.data_window,
            metadata={**self._stamp.header(frame, self._owners(name), self._view), **told},
        )
        return path

    def _layers(self, name: str) -> dict[str, str]:
        """Layer -> object in the file of object ``name``, or of all of them."""
        if not self._layered:
            return {self._output.layer: name}
        channel = self._output.layer.rpartition(".")[2]
        return {f"{owner}.{channel}": owner for owner in self._wanted}

    def _owners(self, name: str) -> tuple[str, ...]:
        """The objects of a file."""
        return (name,) if name else tuple(self._wanted)

    def _is_good(self, frame: int, name: str) -> bool:
        name = "" if self._layered else name
        path = self.path(frame, name)
        if not os.path.isfile(path):
            return False
        try:
            verify_matte(
                path,
                plate=self._plate.info(frame),
                layers=list(self._layers(name)),
                metadata=self._stamp.expected(frame, self._owners(name), self._view),
            )
        except IncompleteError:
            return False
        return True


def frame_runs(frames: Iterable[int]) -> list[range]:
    """Frames as ascending runs."""
    runs: list[range] = []
    for frame in sorted(frames):
        if runs and frame == runs[-1].stop:
            runs[-1] = range(runs[-1].start, frame + 1)
        else:
            runs.append(range(frame, frame + 1))
    return runs
