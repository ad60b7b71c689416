"""Everything that can be wrong with a job, found before anything heavy is imported.

That is without torch, and without OpenImageIO unless the job names a colour space or configuration.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Set

from ..contract.disk import disk_faults, place_at
from ..contract.document import examine, read_text
from ..contract.errors import ColorError, WeightsError
from ..contract.fields import Fault, known, nearest
from ..contract.job import TrackJob
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


def job_faults(job: TrackJob, folder: str = "", writes: bool = True) -> list[Fault]:
    """What model, disk and colour configuration hold against a job; relative paths are from ``folder``.
    ``writes`` is False for work that only reads the mattes."""
    faults = disk_faults(job, folder, writes)
    faults.extend(_model_faults(job, folder, {fault.place for fault in faults}))
    faults.extend(_color_faults(job, folder, {fault.place for fault in faults}))
    return faults


def _model_faults(job: TrackJob, folder: str, found: Set[str]) -> Iterator[Fault]:
    name, weights = known(job.model, "name"), known(job.model, "weights")
    if name is None:
        return
    if name not in MODELS:
        yield Fault("model.name", f"There is no model {name!r}.", nearest(name, MODELS))
    elif weights is not None and "model.weights" not in found:
        try:
            find_weights(name, place_at(weights, folder) if weights else None)
        except WeightsError as error:
            place = "model.weights" if weights else "model.name"
            yield Fault(place, error.message, error.remedy, error.exit_code)


def _color_faults(job: TrackJob, folder: str, found: Set[str]) -> Iterator[Fault]:
    """Names that the colour configuration lacks. OpenColorIO is asked only where the job names any."""
    space, config = known(job.plate, "color_space"), known(job.plate, "ocio_config")
    if config is None or not (space or config) or "plate.ocio_config" in found:
        return
    from ..media.color import check_color_space, check_configuration

    config = config if config.startswith("ocio://") else config and place_at(config, folder)
    try:
        place = "plate.ocio_config"
        check_configuration(config)
        place = "plate.color_space"
        check_color_space(space or "", config)
    except ColorError as error:
        yield Fault(place, error.message, error.remedy, error.exit_code)
