"""Everything that can be wrong with a job, found before anything heavy is imported."""

from __future__ import annotations

import os

from ..contract.disk import disk_faults
from ..contract.document import examine, read_text
from ..contract.errors import ExitCode, WeightsError
from ..contract.fields import Fault, nearest
from ..contract.job import TrackJob
from ..contract.rules import known
from ..model.config import MODELS
from ..weights.location import find_weights


def document_faults(path: str) -> list[Fault]:
    """Every fault of a job document: of form, of content, and what the disk holds against it.

    Raises JobError when the file cannot be read.
    """
    job, faults = examine(read_text(path))
    if job is not None:
        faults.extend(job_faults(job, os.path.dirname(path)))
    return faults


def job_faults(job: TrackJob, folder: str = "") -> list[Fault]:
    """What model and disk hold against a job; relative paths are taken from ``folder``."""
    faults = disk_faults(job, folder)
    name = known(job.model, "name")
    if name is None:
        return faults
    if name not in MODELS:
        message = f"There is no model {name!r}."
        faults.append(Fault("model.name", message, nearest(name, MODELS), ExitCode.USAGE))
    elif not known(job.model, "weights"):
        try:
            find_weights(name)
        except WeightsError as error:
            faults.append(Fault("model.weights", error.message, error.remedy, error.exit_code))
    return faults
