"""Outputs that wait on disk for another pass, so that memory does not grow with the shot."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from typing import BinaryIO, cast

import numpy as np
import torch

from .memory_bank import FrameMemory
from .object_track import ObjectId


class LogitSpool:
    """Outputs by frame and object, their logits in a temporary file of fixed-size records.

    The file is made when first needed, as long as the most outputs ever held at once, and disappears with
    the spool.
    """

    def __init__(self, side: int) -> None:
        self._side = side
        self._file: BinaryIO | None = None
        self._held: dict[tuple[int, ObjectId], tuple[int, FrameMemory]] = {}
        self._free: list[int] = []
        self._records = 0

    def __contains__(self, key: tuple[int, ObjectId]) -> bool:
        return key in self._held

    def put(self, frame: int, id: ObjectId, output: FrameMemory) -> None:
        """Holds an output; its memory map is not kept."""
        record = self._free.pop() if self._free else self._records
        self._records = max(self._records, record + 1)
        logits = output.logits.float().cpu().numpy()
        file = self._opened()
        file.seek(record * logits.nbytes)
        file.write(logits.tobytes())
        light = replace(output, logits=torch.empty(0), memory_map=None)
        self._held[frame, id] = (record, light)

    def take(self, frame: int, id: ObjectId) -> FrameMemory:
        """Gives an output back, its logits on the CPU, and forgets it."""
        record, light = self._held.pop((frame, id))
        length = self._side * self._side * 4
        file = self._opened()
        file.seek(record * length)
        logits = np.frombuffer(file.read(length), dtype=np.float32).reshape(self._side, self._side)
        self._free.append(record)
        return replace(light, logits=torch.from_numpy(logits.copy()))

    def close(self) -> None:
        """Removes the temporary file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _opened(self) -> BinaryIO:
        if self._file is None:
            self._file = cast(BinaryIO, tempfile.TemporaryFile(prefix="efficienttam-"))
        return self._file
