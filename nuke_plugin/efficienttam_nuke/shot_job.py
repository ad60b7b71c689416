"""From a node to a running job: the range, the plate on disk, the document beside the mattes, the engine."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from typing import Optional, Tuple

from efficienttam.contract.document import write_job
from efficienttam.contract.errors import EfficientTAMError, JobError, OutputError
from efficienttam.contract.job import Mattes, Refine, TrackJob
from efficienttam.contract.prompt_sheet import PromptSheet

from . import host, job_document, jobs, knobs, plate, tracker_node
from .job_document import Run
from .tracker_node import TrackerNode

#: Label of a node that was tracked, and told something else since.
CHANGED = "changed: track again"


@dataclasses.dataclass(frozen=True)
class Wanted:
    """A job and what of it is to be done now. ``feed`` makes its plate's frames exist."""

    job: TrackJob
    feed: plate.Feed
    run: Run
    #: With this run the whole range will be up to date.
    complete: bool
    #: The document is written beside the mattes; not for a preview, whose job is short.
    documented: bool = True


def whole_of(tracker: TrackerNode) -> Wanted:
    """The whole range: what is there and good is kept by the engine."""
    job, feed = job_of(tracker, tracker.sheet)
    return Wanted(job, feed, job_document.range_of(job), True)


def part_of(tracker: TrackerNode, first: Optional[int], last: Optional[int]) -> Wanted:
    """Frames of the range from ``first`` to ``last``; None for its ends. Raises JobError for no frames."""
    job, feed = job_of(tracker, tracker.sheet)
    start, end = job_document.range_of(job)
    run = (start if first is None else max(first, start), end if last is None else min(last, end))
    if run[1] < run[0]:
        raise JobError(
            "There is no frame of the range {}-{} there.".format(start, end),
            "Move to a frame of the range, or widen it.",
        )
    return Wanted(job, feed, run, run == (start, end))


def frames_of(tracker: TrackerNode, first: int, last: int) -> Wanted:
    """Frames from ``first`` to ``last``, whatever range the knobs tell, as far as the plate goes.

    Their mattes are those of the whole range where they lie in it. Raises JobError for a range that runs
    backwards or misses the plate.
    """
    sheet = tracker.sheet
    whole = plate.plate_range(tracker)
    run = job_document.chosen_range(whole, (first, last), 0, ())
    try:
        told = _told_range(tracker, whole, sheet)
    except JobError:
        # Not asked for, so nothing to stumble over.
        told = job_document.chosen_range(whole, run, 0, sheet.prompted)
    job, feed = job_of(tracker, sheet, (min(run[0], told[0]), max(run[1], told[1])))
    return Wanted(job, feed, run, run == job_document.range_of(job))


def preview_of(tracker: TrackerNode, frame: int) -> Wanted:
    """One frame, with as much of the plate as its matte depends on."""
    sheet = tracker.sheet
    first, last = plate.plate_range(tracker)
    if not first <= frame <= last:
        raise JobError(
            "Frame {} is not of the plate, {}-{}.".format(frame, first, last), "Move to one that is."
        )
    job, feed = job_of(tracker, sheet, (min((frame, *sheet.prompted)), max((frame, *sheet.prompted))))
    return Wanted(job, feed, (frame, frame), False, documented=False)


def job_of(
    tracker: TrackerNode, sheet: PromptSheet, frames: Optional[Run] = None
) -> Tuple[TrackJob, plate.Feed]:
    """The job of the node with these prompts, over ``frames`` or the range that its knobs tell.

    Nothing is rendered yet. Raises JobError, JobFaults or PlateError.
    """
    feed = plate.feed_of(tracker, jobs.current_settings().feed)
    words = words_of(tracker, sheet, feed, frames)
    return job_document.build_job(words, feed.plate), feed


def words_of(
    tracker: TrackerNode, sheet: PromptSheet, feed: plate.Feed, frames: Optional[Run] = None
) -> job_document.Words:
    """What the knobs say, over ``frames`` or the range that they tell."""
    run = frames or _told_range(tracker, (feed.first, feed.last), sheet)
    return _words(tracker, sheet, mattes_path(tracker), run)


def _words(tracker: TrackerNode, sheet: PromptSheet, mattes: str, run: Run) -> job_document.Words:
    return job_document.Words(
        sheet=sheet,
        mattes=mattes,
        first=run[0],
        last=run[1],
        views=plate.views_of(tracker),
        model=tracker.choice("model"),
        device=tracker.choice("device"),
        precision=tracker.choice("precision"),
        weights=weights_path(tracker),
        between=tracker.choice("between"),
        fill_hole_area=tracker.whole("fill_hole_area"),
        non_overlapping=tracker.flag("non_overlapping"),
        border=tracker.number("border"),
        form=form_of(tracker),
    )


def form_of(tracker: TrackerNode) -> Mattes:
    """The form of the mattes as the knobs say; lengths and areas in full-size pixels, as knobs have them."""
    refine = Refine.UNMIX if tracker.choice("refine") == "unmix" else Refine.NONE
    # A width or a band beside what is off waits there for its turn.
    band = tracker.whole("refine_band") if refine is not Refine.NONE else 0
    return Mattes(
        softness=tracker.number("edge_softness") if tracker.flag("set_softness") else None,
        refine=refine,
        refine_band=float(band) if band else None,
        fill_holes=tracker.whole("fill_holes"),
        remove_specks=tracker.whole("remove_specks"),
        keep_largest=tracker.flag("keep_largest"),
        # off, 1 frame, 2 frames, 3 frames
        steady_frames=tracker.place("steady_frames"),
        roto_blend=tracker.whole("roto_blend"),
    )


def refresh_label(tracker: TrackerNode) -> None:
    """Lets the label of a node that was tracked tell whether Track would still make the same of that plate.

    The plate itself, the range and the device are passed over: nothing above the node is looked at.
    """
    label = tracker.text(knobs.STATE)
    if label != CHANGED and not (label.startswith("tracked ") and not label.endswith(jobs.ONLY)):
        return
    whole = jobs.last_job(tracker)
    if whole is None:
        return
    now = CHANGED
    try:
        words = _words(tracker, tracker.sheet, whole.output.path, job_document.range_of(whole))
        job = job_document.build_job(words, whole.plate)
        model = dataclasses.replace(job.model, device=whole.model.device)
        if dataclasses.replace(job, model=model) == whole:
            now = jobs.label_of(tracker, whole, "")
    except EfficientTAMError:
        # What nobody can track is not what was.
        pass
    with host.without_undo():
        tracker.put(knobs.STATE, now)


def start(tracker: TrackerNode, wanted: Wanted) -> None:
    """Feeds the plate and begins; waits to the end where there is no window."""
    session = jobs.session()
    session.check_free(tracker.uuid)
    check_place(tracker, wanted.job.output.path)
    # Before minutes of rendering: an engine that is not there is told at once.
    session.client()
    first, last = job_document.range_of(wanted.job)
    label = tracker.text(knobs.STATE)
    tracker.tell("Readying the plate, {}-{}.".format(first, last), "readying")
    try:
        wanted.feed.ensure(range(first, last + 1))
        if wanted.documented:
            write_document(wanted.job)
    finally:
        # Where it goes wrong the mattes are as they were.
        with host.without_undo():
            tracker.put(knobs.STATE, label)
    tracking = jobs.TrackingJob(tracker.uuid, wanted.job, wanted.run, wanted.complete, refresh_label)
    if host.has_window():
        session.start(tracking)
    else:
        session.run(tracking)


def check_place(tracker: TrackerNode, mattes: str) -> None:
    """Raises JobError where another node of the script has mattes at this place, or is making some."""
    for other in tracker_node.all_ours():
        if other.uuid == tracker.uuid or _place_of(other) != mattes:
            continue
        # Of two that have some already, as old scripts may hold, neither is hindered.
        is_later = other.text(knobs.TRACKED).strip() and not tracker.text(knobs.TRACKED).strip()
        if is_later or jobs.session().is_busy(other.uuid):
            raise JobError(
                "{} writes its mattes to {} too.".format(other.name, mattes),
                "Name another place in mattes to on the tab Advanced, or empty it for one of its own.",
            )


def _place_of(other: TrackerNode) -> str:
    """Where another node's mattes go; empty where nobody can tell, and that is told on its own buttons."""
    try:
        return other.path(knobs.MATTES)
    except JobError:
        return ""


def frozen(wanted: Wanted) -> Wanted:
    """The same on a plate that stays as it is now; its frames are made to exist."""
    first, last = job_document.range_of(wanted.job)
    frames = range(first, last + 1)
    wanted.feed.ensure(frames)
    return dataclasses.replace(wanted, job=dataclasses.replace(wanted.job, plate=wanted.feed.frozen(frames)))


def write_document(job: TrackJob) -> str:
    """Writes the document beside the mattes and says where it is."""
    path = job_document.document_path(job.output.path)
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    except OSError as error:
        raise OutputError(
            "The folder {} cannot be made: {}.".format(os.path.dirname(path), error.strerror),
            "Choose another place for the mattes on the tab Advanced.",
        ) from error
    write_job(job, path)
    return path


def mattes_path(tracker: TrackerNode) -> str:
    """Where the node's mattes go. What nobody named is named now and kept in the knob."""
    told = tracker.path(knobs.MATTES)
    named = os.path.expanduser(told)
    if named and not os.path.isabs(named):
        raise JobError(
            "Mattes to: {} does not say in which folder.".format(told),
            "Name the files with their whole path.",
        )
    stereo = bool(plate.views_of(tracker))
    # The script may have got its second view since: each needs files of its own.
    path = job_document.with_the_views(named, tracker.uuid, stereo) or job_document.default_mattes(
        host.script_name(),
        os.path.join(tempfile.gettempdir(), "efficienttam"),
        tracker.name,
        tracker.uuid,
        stereo,
    )
    job_document.check_path(path, "mattes to")
    if path != told:
        with host.without_undo():
            tracker.put(knobs.MATTES, path)
    return path


def weights_path(tracker: TrackerNode) -> str:
    """The weights file that the node names, empty for the model's own. Raises JobError for a relative one."""
    told = os.path.expanduser(tracker.path("weights"))
    if told and not os.path.isabs(told):
        raise JobError(
            "Weights: {} does not say in which folder.".format(told), "Name the file with its whole path."
        )
    return told


def _told_range(tracker: TrackerNode, whole: Run, sheet: PromptSheet) -> Run:
    told = tracker.choice("frame_range")
    asked = whole
    if told == "custom":
        asked = tracker.whole("first"), tracker.whole("last")
    elif told == "in-out":
        asked = host.viewer_range()
    return job_document.chosen_range(whole, asked, tracker.whole("handles"), sheet.prompted)
