"""What tracking gave, kept beside the mattes until these are made.

One small file per object and frame, ``.efficienttam/hero.1001.exr.hero.record`` beside ``hero.1001.exr``. It
names what it was made of, as a matte's header does, and is checked in full whenever it is read: one that is
gone, cut short, or of another job or plate is as good as none.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..contract.job import Output
from ..contract.sequence import SequencePattern
from ..media.whole_file import replacing, unfinished
from ..tracking.result_file import LARGEST_FILE, DamagedResult, ObjectResult, from_bytes, to_bytes
from .footage import make_folder
from .matte_stamp import MatteStamp

FOLDER = ".efficienttam"


class UnfitRecord(ValueError):
    """A record that is not there, damaged, or made of something else; says which, in a few words."""


class TrackRecords:
    """The records of one view. ``stamp`` is that of the job's mattes."""

    def __init__(self, output: Output, view: str, stamp: MatteStamp) -> None:
        self._pattern = SequencePattern(output.path)
        self._view = view
        self._stamp = stamp.of_tracking()

    def path(self, frame: int, name: str) -> str:
        """The file that holds the record of an object on a frame."""
        folder, matte = os.path.split(self._pattern.path(frame, self._view, name))
        return os.path.join(folder, FOLDER, f"{matte}.{name}.record")

    def made_of(self, frame: int, name: str) -> Mapping[str, str]:
        """What a record that is made now is made of."""
        return self._stamp.header(frame, (name,), self._view)

    def write(self, frame: int, name: str, result: ObjectResult) -> str:
        """Writes a record, whole or not at all, in any thread; its path. Raises OutputError."""
        path = self.path(frame, name)
        make_folder(os.path.dirname(path))
        with replacing(path) as temporary, open(temporary, "wb") as file:
            file.write(to_bytes(result))
        return path

    def read(self, frame: int, name: str) -> ObjectResult:
        """The record of an object on a frame. Raises UnfitRecord."""
        path = self.path(frame, name)
        try:
            with open(path, "rb") as file:
                result = from_bytes(file.read(LARGEST_FILE))
        except FileNotFoundError:
            raise UnfitRecord("missing") from None
        except DamagedResult:
            raise UnfitRecord("damaged") from None
        except OSError as error:
            raise UnfitRecord(f"unreadable ({error.strerror or error})") from None
        expected = self._stamp.expected(frame, (name,), self._view)
        if any(result.made_of.get(key) != told for key, told in expected.items()):
            raise UnfitRecord("of another job, plate or version")
        return result

    def fault(self, frame: int, name: str) -> str:
        """What is wrong with a record, in a few words; empty for a good one."""
        try:
            self.read(frame, name)
        except UnfitRecord as unfit:
            return str(unfit)
        return ""


class Removed(NamedTuple):
    """Files removed: ``records`` and ``unfinished`` ones are counts, ``size`` is bytes of all."""

    records: int
    unfinished: int
    size: int


def remove_records(output: Output, names: Iterable[str], ranges: Mapping[str, tuple[int, int]]) -> Removed:
    """Removes the records of a job whose mattes are all there, and what killed processes left of records and
    of mattes.

    ``output`` has its path resolved, ``ranges`` are first and last frame by view. One that cannot be removed
    stays.
    """
    pattern = SequencePattern(output.path)
    folders: dict[str, set[str]] = {}
    for view, (first, last) in ranges.items():
        for name in names:
            for frame in range(first, last + 1):
                folder, matte = os.path.split(pattern.path(frame, view, name))
                folders.setdefault(folder or os.curdir, set()).add(matte)
                folders.setdefault(os.path.join(folder, FOLDER), set()).add(f"{matte}.{name}.record")
    records = left = size = 0
    for folder, files in folders.items():
        of_records = os.path.basename(folder) == FOLDER
        for entry in _listed(folder):
            is_record = of_records and entry.name in files
            if is_record or unfinished(entry.name) in files:
                try:
                    freed = entry.stat().st_size
                    os.remove(entry.path)
                except OSError:
                    continue
                records, left, size = records + is_record, left + (not is_record), size + freed
        if of_records:
            _remove_empty(folder)
    return Removed(records, left, size)


def _listed(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _remove_empty(folder: str) -> None:
    try:
        os.rmdir(folder)
    except OSError:
        return  # Not there, or another job's records are in it.
