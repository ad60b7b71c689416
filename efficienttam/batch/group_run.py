"""Results of one group of objects, frame by frame: from the network, or from what it left on disk."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

from ..contract.errors import IncompleteError
from ..contract.prompts import Prompt
from ..contract.sequence import format_frames
from ..tracking import ObjectId
from ..tracking.result_file import ObjectResult
from ..tracking.track_result import TrackResult, drawn_masks
from .matte_files import frame_runs
from .object_groups import ObjectGroup
from .open_job import OpenJob, with_mask
from .track_records import TrackRecords, UnfitRecord


@dataclass(frozen=True)
class GroupRun:
    """``results`` come once and are to be closed. ``prompts`` are those that the tracker has, by object and
    frame, masks as arrays."""

    names: Mapping[ObjectId, str]
    prompts: Mapping[ObjectId, Mapping[int, Prompt]]
    results: Generator[TrackResult, None, None]


def tracked_run(
    opened: OpenJob, view: str, group: ObjectGroup, frames: Mapping[str, Sequence[int]], made: set[int]
) -> GroupRun:
    """Tracks the objects of a group on some frames of each; ``made`` are those that give something."""
    tracker, names = opened.tracker(view, group, made)
    only = {id: frame_runs(frames[name]) for id, name in names.items()}
    every = {*opened.ranges[view]}.union(*(frames[name] for name in group.names))
    direction = opened.job.tracking.direction
    results = tracker.track(min(every), max(every), direction, only, opened.exact)
    return GroupRun(names, {id: tracker.prompts(id) for id in names}, results)


def recorded_run(
    opened: OpenJob,
    view: str,
    group: ObjectGroup,
    frames: Mapping[str, Sequence[int]],
    made: set[int],
    records: TrackRecords,
) -> GroupRun:
    """The same from records, in the order of the frames."""
    size = group.plate.size
    names = {ObjectId(number): name for number, name in enumerate(group.names, 1)}
    said = {thing.name: [with_mask(prompt, view) for prompt in thing.prompts] for thing in opened.job.objects}
    prompts = {
        id: {prompt.frame: group.prompt(prompt) for prompt in said[name]} for id, name in names.items()
    }

    wanted = {id: frozenset(frames[name]) for id, name in names.items()}

    def results() -> Generator[TrackResult, None, None]:
        for frame in sorted(set().union(*wanted.values())):
            opened.visit(view, made, frame)
            found: dict[ObjectId, ObjectResult] = {}
            for id, name in names.items():
                if frame in wanted[id]:
                    try:
                        found[id] = records.read(frame, name)
                    except UnfitRecord as unfit:
                        raise _lacking(view, group, [frame], str(unfit)) from unfit
                    opened.stamp.tell_precision(view, frame, name, found[id].made_of)
            yield TrackResult(
                frame=frame,
                size=size,
                logits={id: one.logits for id, one in found.items()},
                object_score={id: one.object_score for id, one in found.items()},
                predicted_iou={id: one.predicted_iou for id, one in found.items()},
                drawn=drawn_masks({id: prompts[id].get(frame) for id in found}),
                apart=opened.job.tracking.non_overlapping,
                agreement={id: one.agreement for id, one in found.items() if one.agreement is not None},
            )

    return GroupRun(names, prompts, results())


def refuse_unfit(
    opened: OpenJob,
    view: str,
    groups: Sequence[ObjectGroup],
    frames: Mapping[str, Sequence[int]],
    records: TrackRecords,
) -> None:
    """Raises IncompleteError when a record that is needed cannot be used."""
    for group in groups:
        faults: dict[int, str] = {}
        for name in group.names:
            for frame in frames[name]:
                opened.end_if_stopped()
                fault = records.fault(frame, name)
                if fault:
                    faults.setdefault(frame, fault)
        if faults:
            raise _lacking(view, group, list(faults), ", ".join(sorted({*faults.values()})))


def _lacking(view: str, group: ObjectGroup, frames: Sequence[int], why: str) -> IncompleteError:
    of = ", ".join(group.names) + (f" ({view})" if view else "")
    words = f"--step track --frames {min(frames)}-{max(frames)} --objects {','.join(group.names)} --records"
    words += f" --view {view}" if view else ""
    return IncompleteError(
        f"What tracking gave of {of} on {format_frames(frames)} is {why}.",
        f"Do that farm task again: {words}.",
    )


def part_of(result: TrackResult, id: ObjectId, made_of: Mapping[str, str]) -> ObjectResult:
    """One object's part of a result, as it is recorded."""
    return ObjectResult(
        made_of,
        result.logits[id],
        result.object_score[id],
        result.predicted_iou[id],
        result.agreement.get(id),
    )
