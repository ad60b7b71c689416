"""What the node's buttons and handles do, one function each. A button calls it with its node.

An error ends in the status line of the node; without a window it is raised too, so that a script ends with
it. Scripts track with ``track``, which waits in a terminal.
"""

from __future__ import annotations

import functools
import os
import traceback
import uuid as uuids
from typing import Any, Callable, List, Optional, Tuple, cast

from efficienttam.contract.document import JobFaults
from efficienttam.contract.errors import EfficientTAMError, JobError, OutputError
from efficienttam.contract.fields import Fault
from efficienttam.contract.messages import Done, Failed, Message
from efficienttam.contract.prompt_sheet import PromptSheet, SheetObject, in_signs
from efficienttam.contract.prompts import FRAME, RotoFile
from efficienttam.contract.site_settings import Scheduler

from . import (
    checking,
    display,
    farm_submission,
    host,
    inner_graph,
    job_document,
    jobs,
    knobs,
    listeners,
    native_nodes,
    newcomers,
    object_colors,
    object_region,
    plate,
    sheet_edits,
    shot_job,
    tracker_node,
    upgrade,
)
from .tracker_node import TrackerNode


def _button(action: Callable[[TrackerNode], None]) -> Callable[[Any], None]:
    """A function for a node's button: errors are told in its status line."""

    @functools.wraps(action)
    def press(node: Any) -> None:
        tracker = TrackerNode(node)
        try:
            ready(tracker)
            action(tracker)
        except EfficientTAMError as error:
            tracker.tell_error(error)
            if not host.has_window():
                raise
        except Exception:
            tracker.tell(tracker_node.UNEXPECTED)
            if not host.has_window():
                raise
            host.say(traceback.format_exc())

    return press


def ready(tracker: TrackerNode) -> None:
    """Raises JobError for a node that this code must not touch. One of another script gets a uuid of its own,
    and so does one whose onCreate did not run."""
    _check_ours(tracker.node)
    tracker.check_version()
    version = tracker.whole(knobs.VERSION)
    if version < knobs.NODE_VERSION:
        # Not replaced here: its own button is at work. A terminal replaces nothing by itself, a render least.
        opened = "Save the script and open it again: the node is brought up to date then."
        called = "Call efficienttam_nuke.actions.up_to_date(node) first: it returns the node to go on with."
        raise JobError(
            "This node is of version {}, the plugin works with {}.".format(version, knobs.NODE_VERSION),
            opened if host.has_window() else called,
        )
    if not tracker.uuid:
        tracker.issue_uuid()
    newcomers.settle(tracker)


def _check_ours(node: Any) -> None:
    if not tracker_node.is_ours(node):
        raise JobError("This is no EfficientTAM node.", "Choose one.")


@_button
def add_object(tracker: TrackerNode) -> None:
    """One object more, current from now on."""
    name = tracker.text(knobs.OBJECT_NAME).strip()
    sheet = tracker.sheet
    taken = jobs.taken_names(tracker)
    sheet = sheet_edits.named(sheet, name or sheet.free_name(taken=taken))
    display.commit(tracker, sheet, "Add object", sheet.objects[-1].name)
    tracker.put(knobs.OBJECT_NAME, "")
    if name in taken:
        tracker.tell(
            "An object {} was tracked before: its matte is shown until you track again.".format(name)
        )


@_button
def rename_object(tracker: TrackerNode) -> None:
    """The name in the field for the current object."""
    thing = _current(tracker)
    name = tracker.text(knobs.OBJECT_NAME).strip()
    if not name:
        raise JobError("There is no name in the field.", "Write one, then press Rename.")
    display.commit(tracker, sheet_edits.renamed(tracker.sheet, thing.id, name), "Rename object", name)
    tracker.put(knobs.OBJECT_NAME, "")
    if tracker.flag(knobs.HAS_MATTES):
        tracker.tell("{} is {} now. Track again: its layer has the old name.".format(thing.name, name))


@_button
def remove_object(tracker: TrackerNode) -> None:
    """The current object and its prompts, after a question."""
    thing = _current(tracker)
    if thing.prompts and not host.ask("Remove {} and all its prompts?".format(thing.name)):
        return
    display.commit(tracker, tracker.sheet.without_object(thing.id), "Remove object")


@_button
def include_point(tracker: TrackerNode) -> None:
    """The point under the handle belongs to the current object."""
    _add_point(tracker, True)


@_button
def exclude_point(tracker: TrackerNode) -> None:
    """The point under the handle does not."""
    _add_point(tracker, False)


@_button
def use_box(tracker: TrackerNode) -> None:
    """The box around the current object."""
    x, y, r, t = tracker.numbers(knobs.BOX)
    box = plate.placement(tracker).box_from_nuke((x, y, r, t))
    sheet, thing = _with_current(tracker)
    frame = host.frame()
    display.commit(tracker, sheet.with_box(thing.id, frame, box), "Use box on {}".format(frame), thing.name)
    _told_prompt(tracker, thing, frame)


@_button
def use_roto(tracker: TrackerNode) -> None:
    """The alpha of the input roto on this frame as the current object's shape."""
    sheet, thing = _with_current(tracker)
    frame = host.frame()
    stereo = bool(plate.views_of(tracker))
    mattes = shot_job.mattes_path(tracker)
    path = job_document.roto_path(mattes, thing.name, frame, uuids.uuid4().hex[:6], stereo)
    _make_folder(os.path.dirname(path))
    plate.render_roto(tracker, frame, path)
    sheet = sheet.with_roto(thing.id, frame, RotoFile(path))
    display.commit(tracker, sheet, "Use roto on {}".format(frame), thing.name)
    _told_prompt(tracker, thing, frame)


@_button
def draw_region(tracker: TrackerNode) -> None:
    """The current object is tracked inside the box."""
    object_region.draw(tracker, _current(tracker).id)


@_button
def erase_region(tracker: TrackerNode) -> None:
    """The region drawn on this frame is taken back."""
    object_region.erase(tracker, _current(tracker).id)


@_button
def go_to_prompt(tracker: TrackerNode) -> None:
    """The chosen prompt's frame, with its object current."""
    id, frame = _chosen_prompt(tracker)
    tracker.offer(
        knobs.CURRENT, [thing.name for thing in tracker.sheet.objects], tracker.sheet.object(id).name
    )
    host.go_to(frame)
    display.show_current(tracker)
    listeners.announce(tracker.uuid, listeners.Change.FRAME)


@_button
def delete_prompt(tracker: TrackerNode) -> None:
    """The chosen prompt is taken back."""
    id, frame = _chosen_prompt(tracker)
    display.commit(tracker, tracker.sheet.without_prompt(id, frame), "Delete prompt")


@_button
def copy_prompt(tracker: TrackerNode) -> None:
    """The chosen prompt on this frame too."""
    id, frame = _chosen_prompt(tracker)
    sheet = tracker.sheet.with_copied_prompt(id, frame, host.frame())
    display.commit(tracker, sheet, "Copy prompt to {}".format(host.frame()))


@_button
def preview(tracker: TrackerNode) -> None:
    """The matte of this frame, as tracking would give it."""
    shot_job.start(tracker, shot_job.preview_of(tracker, host.frame()))


@_button
def track_both(tracker: TrackerNode) -> None:
    """The mattes of the whole range."""
    shot_job.start(tracker, shot_job.whole_of(tracker))


@_button
def track_forward(tracker: TrackerNode) -> None:
    """The mattes from this frame on."""
    shot_job.start(tracker, shot_job.part_of(tracker, host.frame(), None))


@_button
def track_backward(tracker: TrackerNode) -> None:
    """The mattes up to this frame."""
    shot_job.start(tracker, shot_job.part_of(tracker, None, host.frame()))


@_button
def track_range(tracker: TrackerNode) -> None:
    """The mattes from ``first`` to ``last``, whatever the range says."""
    shot_job.start(tracker, shot_job.frames_of(tracker, tracker.whole("first"), tracker.whole("last")))


@_button
def retrack(tracker: TrackerNode) -> None:
    """The mattes of the range that are not what Track would make now.

    The engine knows them by what each file says it was made of: prompts and plate, as they are now.
    """
    shot_job.start(tracker, shot_job.whole_of(tracker))


@_button
def stop(tracker: TrackerNode) -> None:
    """Ends tracking after the frame at hand."""
    if not jobs.session().stop(tracker.uuid):
        tracker.tell("Nothing is being tracked.")


@_button
def check_next(tracker: TrackerNode) -> None:
    """The next place to check."""
    checking.jump(tracker, 1)


@_button
def check_previous(tracker: TrackerNode) -> None:
    """The place to check before this frame."""
    checking.jump(tracker, -1)


@_button
def bake(tracker: TrackerNode) -> None:
    """The matte as plain nodes beside this one."""
    if not tracker.flag(knobs.HAS_MATTES):
        raise JobError("There are no mattes yet.", "Track first.")
    made = native_nodes.bake(tracker, [thing.name for thing in tracker.sheet.visible])
    tracker.tell("Baked: {} reads the mattes, {} holds the result.".format(made[0], made[-1]))


@_button
def clear(tracker: TrackerNode) -> None:
    """All prompts and mattes are forgotten, after a question."""
    if jobs.session().is_busy(tracker.uuid):
        raise JobError("This node is being tracked.", "Press Stop first, or wait.")
    if not host.ask("Take back all prompts of this node? The files of its mattes stay on disk."):
        return
    with host.undoable("Clear"):
        inner_graph.forget_mattes(tracker)
        display.commit(tracker, PromptSheet(), "Clear")
        # Not by ``tell``: undo brings the mattes back, and with them what was told of them.
        tracker.put(knobs.STATE, "")
        tracker.put(knobs.STATUS, "Put the point on the object and press Include here.")


@_button
def submit(tracker: TrackerNode) -> None:
    """Writes the job document, with the plate it needs, and hands it to the studio's scheduler."""
    if farm_submission.submissions().is_open(tracker.uuid):
        raise JobError("This node's job is being handed over.", "Wait.")
    farm = farm_submission.farm_settings()
    sends = farm.scheduler is not Scheduler.NONE
    if sends:
        # Before minutes of rendering: an engine that is not there is told at once.
        jobs.engine_settings()
    wanted = shot_job.frozen(shot_job.whole_of(tracker))
    path = shot_job.write_document(wanted.job)
    if sends:
        submission = farm_submission.Submission(tracker.uuid, path, wanted, farm)
        farm_submission.submissions().follow(submission, tracker.uuid)
    else:
        tracker.tell(
            "The job is {}: run it with efficienttam track. Nothing was sent: the settings name no "
            "scheduler (farm.scheduler).".format(path)
        )


@_button
def own_channel(tracker: TrackerNode) -> None:
    """The output goes into efficienttam.(current object)."""
    channel = inner_graph.own_channel(_current(tracker).name)
    tracker.inner(knobs.OUTPUT_COPY)["to0"].setValue(channel)
    tracker.tell("The matte goes into {}.".format(channel))


@_button
def release_device(tracker: TrackerNode) -> None:
    """The engine drops its network."""
    uuid = tracker.uuid

    def heard(message: Message) -> None:
        alive = tracker_node.find(uuid)
        if alive is None:
            return
        if isinstance(message, Failed):
            alive.tell_error(jobs.EngineFailed(message))
            if message.trace:
                host.say(message.trace)
        elif isinstance(message, Done):
            alive.tell("The GPU is free.")

    if not jobs.session().release_device(heard):
        tracker.tell("The engine is not running: the GPU is free.")


@_button
def show_log(tracker: TrackerNode) -> None:
    """The engine's last lines, in the Script Editor."""
    lines = jobs.session().log()
    host.say("\n".join(lines) if lines else "The engine has said nothing.")
    tracker.tell("The engine's last lines are in the Script Editor.")


@_button
def open_window(tracker: TrackerNode) -> None:
    """The prompt window for this node."""
    if not host.has_window():
        raise JobError("There is no window in a terminal.", "Use efficienttam ui with the job document.")
    from . import panel

    panel.open_for(tracker)


def up_to_date(node: Any) -> Any:
    """For scripts: the node to go on with. For one of an earlier version a new one in its place, else itself.

    Raises JobError for one of a later version.
    """
    _check_ours(node)
    return upgrade.bring_up_to_date(TrackerNode(node)).node


def track(node: Any, first: Any = None, last: Any = None) -> None:
    """For scripts: makes the mattes from ``first`` to ``last``, else up to the end of the node's range.

    In a terminal (``nuke -t``) it returns when they are on disk. Raises EfficientTAMError; its ``exit_code``
    is that of the command line, for ``sys.exit``.
    """
    tracker = TrackerNode(up_to_date(node))
    ready(tracker)
    first, last = _frame_number(first, "first"), _frame_number(last, "last")
    if first is None and last is None:
        wanted = shot_job.whole_of(tracker)
    elif first is None or last is None:
        wanted = shot_job.part_of(tracker, first, last)
    else:
        wanted = shot_job.frames_of(tracker, first, last)
    shot_job.start(tracker, wanted)


def _frame_number(value: Any, name: str) -> Optional[int]:
    """A frame as scripts give it: knobs have floats. Raises JobFaults for anything else."""
    faults: List[Fault] = []
    frame = None if value is None else FRAME.read(value, name, faults)
    if faults:
        raise JobFaults(faults)
    return cast(Optional[int], frame)


def move_point(tracker: TrackerNode, handle: str) -> None:
    """A handle was dragged: its point goes along. Raises for a place where no point can be, with the handle
    back at its point."""
    stands_for = display.handle_stands_for(tracker, handle)
    if stands_for is None:
        display.show_points(tracker, tracker.current)
        return
    id, frame, slot = stands_for
    try:
        where = plate.placement(tracker)
        x, y = tracker.numbers(handle)
        point = where.on_plate(where.from_nuke((x, y)))
        sheet = sheet_edits.with_moved_point(tracker.sheet, id, frame, slot, point)
    except EfficientTAMError:
        display.show_points(tracker, tracker.current)
        raise
    display.commit(tracker, sheet, "Move a point on {}".format(frame))


def show_object_as_told(tracker: TrackerNode) -> None:
    """Colour, solo and mute of the current object, as the knobs say now."""
    thing = tracker.current
    if thing is None:
        return
    sheet = tracker.sheet.shown(
        thing.id,
        color=object_colors.color_text(tracker.numbers(knobs.OBJECT_COLOR)),
        solo=tracker.flag(knobs.SOLO),
        mute=tracker.flag(knobs.MUTE),
    )
    if sheet != tracker.sheet:
        display.commit(tracker, sheet, "Show {} otherwise".format(thing.name))


def _add_point(tracker: TrackerNode, include: bool) -> None:
    where = plate.placement(tracker)
    x, y = tracker.numbers(knobs.POINT)
    point = where.on_plate(where.from_nuke((x, y)))
    sheet, thing = _with_current(tracker)
    frame = host.frame()
    what = "{} a point on {}".format("Include" if include else "Exclude", frame)
    sheet = sheet.with_point(thing.id, frame, point, include)
    display.commit(tracker, sheet, what, thing.name)
    _told_prompt(tracker, thing, frame)


def _told_prompt(tracker: TrackerNode, thing: SheetObject, frame: int) -> None:
    prompt = tracker.sheet.object(thing.id).prompt_on(frame)
    assert prompt is not None
    done = "Re-track changed" if tracker.flag(knobs.HAS_MATTES) else "Track"
    tracker.tell(
        "{} on {}: {}. Preview frame shows it, {} does the shot.".format(
            thing.name, frame, in_signs(prompt), done
        )
    )


def _current(tracker: TrackerNode) -> SheetObject:
    thing = tracker.current
    if thing is None:
        raise JobError("There is no object yet.", "Press Add.")
    return thing


def _with_current(tracker: TrackerNode) -> Tuple[PromptSheet, SheetObject]:
    """The sheet and the current object, which is made where there is none."""
    sheet = tracker.sheet
    thing = tracker.current
    if thing is None:
        sheet = sheet.with_object(sheet.free_name(taken=jobs.taken_names(tracker)))
        thing = sheet.objects[-1]
    return sheet, thing


def _chosen_prompt(tracker: TrackerNode) -> Tuple[str, int]:
    """Object id and frame of the chosen line. Raises JobError where there is none."""
    found = sheet_edits.rows(tracker.sheet).get(tracker.choice(knobs.PROMPT))
    if found is None:
        raise JobError("There is no prompt yet.", "Put the point on the object and press Include here.")
    return found


def _make_folder(folder: str) -> None:
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise OutputError(
            "The folder {} cannot be made: {}.".format(folder, error.strerror),
            "Choose another place for the mattes on the tab Advanced.",
        ) from error
