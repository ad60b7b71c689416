"""A shot that is kept in a job document on disk, for artists without a host.

Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import dataclasses
import os
from typing import Callable

from ..contract.document import write_job
from ..contract.job import TrackJob
from ..contract.messages import OpenPlate
from ..contract.prompt_sheet import PromptSheet
from .shot import Shot
from .shot_edits import ready_objects


def sheet_of(job: TrackJob) -> PromptSheet:
    """The sheet that says what the objects of a job say."""
    sheet = PromptSheet()
    for number, thing in enumerate(job.objects, 1):
        id = "object{}".format(number)
        sheet = sheet.with_object(thing.name, id).in_region(id, thing.region)
        for prompt in thing.prompts:
            sheet = sheet.with_prompt(id, prompt)
    return sheet


class DocumentShot(Shot):
    """The document at ``path``, written whenever another job comes of the sheet.

    ``job`` is what was read from it, or a new one without objects: a document is written as soon as there is
    an object to track. With none left the file keeps what it last said.
    """

    def __init__(self, path: str, job: TrackJob, write: Callable[[TrackJob, str], None] = write_job) -> None:
        super().__init__()
        self.path = os.path.join(os.getcwd(), path)
        self._job = job
        self._sheet = sheet_of(job)
        self._write = write
        self._written = job if job.objects else None
        self._frame = job.range.first if job.range.first is not None else 0

    @property
    def title(self) -> str:
        return os.path.basename(self.path)

    @property
    def sheet(self) -> PromptSheet:
        return self._sheet

    def set_sheet(self, sheet: PromptSheet, what: str) -> None:
        self._sheet = sheet
        job = self.job(sheet)
        if job.objects and (job != self._written or not os.path.exists(self.path)):
            # What the disk holds is not known again before it is written.
            self._written = None
            self._write(job, self.path)
            self._written = job

    @property
    def frame(self) -> int:
        return self._frame

    def set_frame(self, frame: int) -> None:
        self._frame = frame

    def open_plate(self) -> OpenPlate:
        job = self._job
        view = job.views[0] if job.views else ""
        return OpenPlate(
            0, self.path, job.plate, job.range, view, job.model, job.tracking, self.folder, job.mattes
        )

    def job(self, sheet: PromptSheet) -> TrackJob:
        return dataclasses.replace(self._job, objects=ready_objects(sheet))

    @property
    def folder(self) -> str:
        return os.path.dirname(self.path)
