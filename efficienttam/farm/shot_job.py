"""One job document made ready for a farm: checked against its plate, frozen, its facts read."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence

from ..batch.footage import Footage
from ..batch.preflight import document_faults
from ..contract.cache_settings import CacheSettings
from ..contract.document import JobFaults, job_hash, read_job, resolve
from ..contract.errors import JobError
from ..contract.job import FrameRange, Model, TrackJob
from ..contract.sequence import SequencePattern
from ..contract.site_settings import FarmSettings, PathRule
from .path_map import mapped, this_platform
from .plan import Frames, plan_shot
from .task import Shot


@dataclasses.dataclass(frozen=True)
class ShotJob:
    """A job with absolute paths and a range that is told, so that it means the same on every machine and
    whatever becomes of the document that it was read from, ``source``.

    ``ranges`` are the frames of its range by view, ``part`` those to make of them, None for all; ``size`` is
    (width, height) of the plate. ``notes`` are what the people who submit it should know.
    """

    name: str
    source: str
    job: TrackJob
    ranges: dict[str, Frames]
    size: tuple[int, int]
    part: Frames | None = None
    priority: int | None = None
    notes: tuple[str, ...] = ()

    def shot(self, document: str, settings: FarmSettings) -> Shot:
        """Its tasks; ``document`` is where the frozen job will be."""
        tasks = plan_shot(self.job, self.ranges, settings, self.part)
        outputs = sorted(
            {
                os.path.dirname(self._matte(first, view, thing.name))
                for view, (first, _) in self.made().items()
                for thing in self.job.objects
            }
        )
        return Shot(self.name, document, job_hash(self.job), tasks, tuple(outputs), self.priority)

    def made(self) -> dict[str, Frames]:
        """The frames of each view to make."""
        return {view: self.part or frames for view, frames in self.ranges.items()}

    def mattes(self) -> dict[str, Frames]:
        """Names of its matte files, all frames under one name, and the frames of each."""
        return {
            self._matte(0, view, thing.name): frames
            for view, frames in self.made().items()
            for thing in self.job.objects
        }

    def _matte(self, frame: int, view: str, name: str) -> str:
        return SequencePattern(self.job.output.path).path(frame, view, name)


def read_shot_job(
    path: str,
    name: str,
    settings: FarmSettings,
    part: tuple[int | None, int | None] = (None, None),
    priority: int | None = None,
    path_map: Sequence[PathRule] = (),
    writes: bool = True,
) -> ShotJob:
    """Reads and freezes a document. ``part`` are the first and the last frame to make, None for the range's.

    Paths of other platforms become those of this one by ``path_map``. ``writes`` is False where the mattes
    are only read, whose folder then may be one that cannot be written to.
    Raises JobFaults with all that is wrong with it; JobError, PlateError or ColorError.
    """
    folder = os.path.dirname(os.path.abspath(path))
    try:
        read = read_job(path)
    except JobFaults as faults:
        # What the disk holds against it goes by its paths as written: they are mapped in a whole job only.
        raise JobFaults(faults.faults if path_map else document_faults(path), path) from None
    job = resolve(mapped(read, path_map, (), this_platform()), folder)
    job = dataclasses.replace(job, model=_model(job.model, settings))
    try:
        footage = Footage(job, folder, CacheSettings(), writes=writes)
    except JobFaults as faults:
        raise JobFaults(faults.faults, path) from None
    ranges = {view: (plate.frames[0], plate.frames[-1]) for view, plate in footage.plates.items()}
    if len(set(ranges.values())) == 1:
        job = dataclasses.replace(job, range=FrameRange(*next(iter(ranges.values()))))
    return ShotJob(
        name,
        os.path.abspath(path),
        job,
        ranges,
        next(iter(footage.plates.values())).size,
        _part(part, ranges),
        priority,
        _notes(job),
    )


def _model(model: Model, settings: FarmSettings) -> Model:
    """The network as the farm's tasks run it, so that the frozen job says what its mattes were made with: in
    bfloat16 another number of threads, and anywhere another kind of device, gives other last bits."""
    return dataclasses.replace(
        model,
        threads=settings.cores,
        device=settings.device or model.device,
        weights=settings.weights or model.weights,
    )


def _part(asked: tuple[int | None, int | None], ranges: dict[str, Frames]) -> Frames | None:
    """The part in full, None for all. Raises JobError for frames outside the range of a view."""
    if asked == (None, None):
        return None
    low, high = max(first for first, _ in ranges.values()), min(last for _, last in ranges.values())
    first, last = low if asked[0] is None else asked[0], high if asked[1] is None else asked[1]
    if not low <= first <= last <= high:
        raise JobError(
            f"The frames {first}-{last} are not in the job's range {low}-{high}.",
            "Ask for frames of the range.",
        )
    return first, last


def _notes(job: TrackJob) -> tuple[str, ...]:
    config = os.environ.get("OCIO", "")
    if config and not job.plate.ocio_config:
        return (
            f"The colour configuration is that of each machine; here OCIO names {config}. "
            "Name it in the job, or see that farm machines have the same.",
        )
    return ()
