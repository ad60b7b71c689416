"""Which frames of an object get mattes, and which must be tracked for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..contract.job import TrackedObject, TrackJob


def wanted_frames(job: TrackJob, first: int, last: int) -> dict[str, list[int]]:
    """The frames from ``first`` to ``last``, both included, that each object gets a matte on."""
    return {
        thing.name: [
            frame
            for frame in range(first, last + 1)
            if job.tracking.direction.reaches(frame, _prompted(thing))
        ]
        for thing in job.objects
    }


def tracked_frames(job: TrackJob, name: str, made: Iterable[int], plate: Sequence[int]) -> list[int]:
    """The frames that an object is tracked on: those to make and those that steady them, which may lie
    outside the part of the range that is made but not outside the plate's frames."""
    reach, made = job.mattes.steady_frames, set(made)
    if not reach or not made:
        return sorted(made)
    prompted = next(_prompted(thing) for thing in job.objects if thing.name == name)
    beside = {one for frame in made for one in range(frame - reach, frame + reach + 1)}
    return [
        one
        for one in sorted(beside)
        if plate[0] <= one <= plate[-1] and job.tracking.direction.reaches(one, prompted)
    ]


def _prompted(thing: TrackedObject) -> list[int]:
    return [prompt.frame for prompt in thing.prompts]
