"""A job cut into tasks: pure arithmetic on prompts and frame numbers, without disk or network.

Tracking is sequential between two prompted frames and independent beyond them, so tracking tasks end where
all of their objects are prompted. Embeddings, and mattes that are made apart from tracking, are cut anywhere.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence

from ..contract.job import Layout, Refine, TrackedObject, TrackJob
from ..contract.passes import Recall
from ..contract.region import Follow
from ..contract.site_settings import FarmSettings, SeparateMattes, TrackObjects
from ..tracking.spans import heard, neighbours, runs_to, share, words_of
from .task import Step, Task

#: First and last frame, both included.
Frames = tuple[int, int]
Things = Sequence[TrackedObject]


def plan_shot(
    job: TrackJob, ranges: Mapping[str, Frames], settings: FarmSettings, part: Frames | None = None
) -> tuple[Task, ...]:
    """The tasks of a job, in the order in which one machine would do them.

    ``ranges`` gives the frames of the job's range by view; all prompted ones are among them. The name of the
    one view of a plate without views is empty. ``part`` are those to make mattes for, None for all.
    """
    parts = {view: common(frames, part) for view, frames in ranges.items()}
    reached = {view: _reached(job, job.objects, frames) for view, frames in parts.items()}
    tasks: list[Task] = []
    for view, frames in ranges.items():
        looked_for = following(job)
        if looked_for:
            # Regions lie by the whole shot, whatever part of it is made.
            seen = _reached(job, looked_for, frames)
            tasks.append(Task(Step.REGIONS, seen, view, passed=_passed(job, looked_for, seen, frames, 0)))
    if embeds_ahead(settings):
        tasks += _chunked(Step.EMBED, reached, settings.embed_chunk)
    apart = separate_mattes(job, settings)
    for view, frames in parts.items():
        for things in object_groups(job, settings):
            for span in spans(job, things, frames, settings.least_span):
                tasks.append(_track_task(job, things, view, span, ranges[view], apart))
    if apart:
        tasks += _chunked(Step.MATTES, reached, settings.matte_chunk)
    whole = min(first for first, _ in parts.values()), max(last for _, last in parts.values())
    return (*tasks, Task(Step.VERIFY, whole))


def embeds_ahead(settings: FarmSettings) -> bool:
    """Whether embeddings that one machine makes serve another."""
    return settings.shared_cache and settings.cache.lower() != "off"


def following(job: TrackJob) -> list[TrackedObject]:
    """The objects whose region goes by where tracking the whole frame finds them."""
    return [thing for thing in job.objects if thing.region and thing.region.follow is Follow.TRACK]


def separate_mattes(job: TrackJob, settings: FarmSettings) -> bool:
    """Whether mattes are made by tasks of their own, from records of tracking."""
    if settings.separate_mattes is not SeparateMattes.AUTO:
        return settings.separate_mattes is SeparateMattes.ALWAYS
    if job.mattes.refine is not Refine.NONE or job.mattes.steady_frames:
        return True
    return settings.objects is TrackObjects.APART and len(job.objects) > 1 and needs_all_objects(job)


def needs_all_objects(job: TrackJob) -> bool:
    """Whether a file can only be written by who has all objects of its frame."""
    return job.output.layout is not Layout.FILE_PER_OBJECT or job.tracking.non_overlapping


def object_groups(job: TrackJob, settings: FarmSettings) -> list[list[TrackedObject]]:
    """Objects by the tracking task that takes them."""
    if needs_all_objects(job) and not separate_mattes(job, settings):
        return [list(job.objects)]
    if settings.objects is TrackObjects.APART:
        return [[thing] for thing in job.objects]
    return tracked_together(job)


def tracked_together(job: TrackJob) -> list[list[TrackedObject]]:
    """Objects by the picture that they are tracked in: those of the whole frame, and those of each region.

    A number computed in one batch with others may differ in its last bits from the same number computed
    alone: so what one machine tracks together stays together.
    """
    groups: dict[object, list[TrackedObject]] = {}
    for thing in job.objects:
        region = thing.region
        if region is None:
            key: object = None
        elif region.name or region.follow is Follow.DRAWN:
            key = region
        else:
            key = thing.name
        groups.setdefault(key, []).append(thing)
    return list(groups.values())


def common(frames: Frames, part: Frames | None) -> Frames:
    """The frames of a range that are in a part of it."""
    return frames if part is None else (max(frames[0], part[0]), min(frames[1], part[1]))


def _reached(job: TrackJob, things: Things, frames: Frames) -> Frames:
    """The frames of a range with a matte of some of these objects; the last before the first for none."""
    ends = [_own(job, thing, frames) for thing in things]
    return min(first for first, _ in ends), max(last for _, last in ends)


def _own(job: TrackJob, thing: TrackedObject, frames: Frames) -> Frames:
    """The frames of a range on which an object gets a matte; the last lies before the first for none."""
    prompted = [prompt.frame for prompt in thing.prompts]
    first, last = frames
    reaches = job.tracking.direction.reaches
    return (
        first if reaches(first, prompted) else max(first, min(prompted)),
        last if reaches(last, prompted) else min(last, max(prompted)),
    )


def _chunked(step: Step, ranges: Mapping[str, Frames], size: int) -> Iterator[Task]:
    for view, frames in ranges.items():
        for chunk in chunks(frames, size):
            yield Task(step, chunk, view)


def chunks(frames: Frames, size: int) -> list[Frames]:
    """Frames in the fewest runs of ``size`` at most, all of one length but the last, which may be shorter."""
    first, last = frames
    count = last - first + 1
    if count < 1:
        return []
    length = math.ceil(count / math.ceil(count / size))
    return [(start, min(start + length - 1, last)) for start in range(first, last + 1, length)]


def _track_task(job: TrackJob, things: Things, view: str, span: Frames, frames: Frames, apart: bool) -> Task:
    names = () if len(things) == len(job.objects) else tuple(thing.name for thing in things)
    task = Task(Step.TRACK, span, view, names, apart)
    return dataclasses.replace(task, passed=passed_frames(job, task, span, frames))


def passed_frames(job: TrackJob, task: Task, span: Frames, frames: Frames) -> int:
    """How many frames are tracked without giving a matte when the task does this span of the range
    ``frames``; 0 for tasks that do not track."""
    if task.step is not Step.TRACK:
        return 0
    things = [thing for thing in job.objects if not task.objects or thing.name in task.objects]
    return _passed(job, things, span, frames, 0 if task.records else job.mattes.steady_frames)


def spans(job: TrackJob, things: Things, frames: Frames, least: int) -> list[Frames]:
    """The frames on which some of these objects get a matte, cut where all of them are prompted.

    A prompted frame belongs to the span that begins there; one that the range ends with belongs to the span
    before. Spans shorter than ``least`` are joined with their neighbour.
    """
    first, last = _reached(job, things, frames)
    if last < first:
        return []
    if job.tracking.recall is Recall.ALL:
        return [(first, last)]
    common = set.intersection(*({prompt.frame for prompt in thing.prompts} for thing in things))
    starts = [first]
    for cut in sorted(common):
        if starts[-1] < cut < last and cut - starts[-1] >= least and last - cut + 1 >= least:
            starts.append(cut)
    return [(start, after - 1) for start, after in zip(starts, [*starts[1:], last + 1])]


def _passed(job: TrackJob, things: Things, span: Frames, frames: Frames, beside: int) -> int:
    """How many frames are tracked without giving a matte of the span: ``beside`` it to steady its ends, to
    reach frames that later prompts correct, and once more where both ways are blended."""
    walked = 0
    visited: set[tuple[int, bool]] = set()
    given: set[tuple[int, bool]] = set()
    for thing in things:
        own = _own(job, thing, frames)
        wanted = range(max(span[0] - beside, own[0]), min(span[1] + beside, own[1]) + 1)
        if wanted:
            seen, ends = _visited(job, thing, wanted, frames)
            visited |= seen
            given.update((frame, back) for frame, back in ends if span[0] <= frame <= span[1])
            walked += _walked(job, thing, wanted)
    return walked + len(visited - given)


def _visited(
    job: TrackJob, thing: TrackedObject, wanted: Sequence[int], frames: Frames
) -> tuple[set[tuple[int, bool]], set[tuple[int, bool]]]:
    """What the passes visit to give the frames that are wanted, (frame, whether backward); and which of these
    visits gives what is wanted."""
    prompted = sorted(prompt.frame for prompt in thing.prompts)
    wish = job.tracking
    among = range(frames[0], frames[1] + 1) if wish.recall is Recall.ALL else wanted
    tops, lows = runs_to(among, prompted, wish.between, wish.direction)
    parts = {frame: share(frame, prompted, wish.between, wish.direction) for frame in {*wanted} - {*prompted}}
    given = {(frame, part.backward) for frame, part in parts.items() if part is not None}
    visited = {(frame, False) for key, top in tops.items() for frame in range(key + 1, top + 1)}
    visited |= {(frame, True) for key, low in lows.items() for frame in range(low, key)}
    return visited, given


def _walked(job: TrackJob, thing: TrackedObject, wanted: Sequence[int]) -> int:
    """How many frames are tracked to reach those whose prompts correct what is there, as far as the wanted
    frames depend on them."""
    words = words_of(thing.prompts)
    order = [word.frame for word in words]
    if job.tracking.recall is Recall.ALL:
        needed = set(order)
    else:
        ends = {tuple(neighbours(frame, sorted(order))): frame for frame in wanted}
        needed = {key for frame in ends.values() for key in heard(frame, words)}
    return sum(
        min(abs(word.frame - earlier) for earlier in order[:at])
        for at, word in enumerate(words)
        if word.corrects and word.frame in needed
    )
