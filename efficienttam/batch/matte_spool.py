"""Mattes that wait on disk for the others of their frame, so that memory does not grow with the shot."""

from __future__ import annotations

import os
import tempfile
import zlib
from typing import BinaryIO

import numpy as np

from ..contract.errors import OutputError


class MatteSpool:
    """Mattes by frame and object, packed without loss into a temporary file in ``folder``.

    The file is made when first needed and vanishes with the process.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._file: BinaryIO | None = None
        self._places: dict[tuple[int, str], tuple[int, int, tuple[int, ...]]] = {}

    def __contains__(self, key: tuple[int, str]) -> bool:
        return key in self._places

    def put(self, frame: int, name: str, matte: np.ndarray) -> None:
        """Holds a matte (height, width). Raises OutputError when it cannot be written."""
        packed = zlib.compress(np.ascontiguousarray(matte, np.float32).tobytes(), 1)
        try:
            file = self._opened()
            start = file.seek(0, os.SEEK_END)
            file.write(packed)
            file.flush()
        except OSError as error:
            raise OutputError(
                f"Nothing can be written to {self._folder}: {error.strerror or error}.",
                "Make room there or choose another folder for the mattes.",
            ) from error
        self._places[frame, name] = (start, len(packed), matte.shape)

    def take(self, frame: int, name: str) -> np.ndarray:
        """Gives a matte back and forgets it; the file is emptied with its last matte."""
        start, length, shape = self._places.pop((frame, name))
        file = self._opened()
        file.seek(start)
        matte = np.frombuffer(zlib.decompress(file.read(length)), np.float32).reshape(shape)
        if not self._places:
            file.truncate(0)
        return matte

    def close(self) -> None:
        """Removes the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _opened(self) -> BinaryIO:
        if self._file is None:
            os.makedirs(self._folder, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=self._folder, prefix=".efficienttam-")
        return self._file
