"""Running jobs: one engine for all nodes of a Nuke, one job at a time for each node.

Everything on the main thread. With a window a timer listens to the engine; in a terminal ``run`` waits.
"""

from __future__ import annotations

import dataclasses
import enum
import os
import time
from typing import Callable, Dict, FrozenSet, List, Optional, Tuple

from efficienttam.client import WorkerClient, WorkerState, clean_environment, engine_command
from efficienttam.client.worker_client import was_cancelled
from efficienttam.contract.document import from_json, to_json
from efficienttam.contract.errors import Cancelled, EfficientTAMError, ExitCode, JobError
from efficienttam.contract.job import TrackJob
from efficienttam.contract.messages import (
    Done,
    Failed,
    FrameDone,
    GetReview,
    Message,
    Progress,
    ReleaseDevice,
    Status,
    TrackRequest,
)

from . import host, inner_graph, job_document, knobs, settings, tracker_node
from .job_document import Run
from .shown_mattes import ShownMattes
from .tracker_node import TrackerNode

#: How often the engine is listened to, in milliseconds.
POLL_MILLISECONDS = 100
#: The matte in the Viewer grows after so many seconds or frames.
RELOAD_SECONDS, RELOAD_FRAMES = 1.0, 8
#: Labels in the node graph of a tracking that the artist, or an error, ended.
STOPPED, FAILED = "stopped", "failed: look at the status line"
#: How the label ends where a part was tracked.
ONLY = " only"
#: With these words begins the label of one that goes on.
GOING_ON = ("waiting", "readying", "tracking", "stopping")
#: Nuke's own variables that an engine has no use for.
_NUKE_NAMES = ("NUKE_PATH", "NUKE_INTERACTIVE", "NUKE_TEMP_DIR", "FN_CRASH_DUMP_PATH")


class EngineFailed(EfficientTAMError):
    """The engine could not do it. ``exit_code`` is that of the command line."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.message, failed.remedy)
        known = {int(code): code for code in ExitCode}
        self.exit_code = known.get(failed.exit_code, ExitCode.FAILED)


class TrackingState(enum.Enum):
    """Where a tracking is."""

    #: The engine has it and has not begun: it starts, loads the network or works for another node.
    WAITING = "waiting"
    #: Mattes are being made.
    TRACKING = "tracking"
    #: The artist pressed Stop; the frame at hand is being finished.
    STOPPING = "stopping"
    #: All mattes are there.
    DONE = "done"
    #: Ended by Stop; finished frames are there.
    STOPPED = "stopped"
    #: Ended by an error, told in the status line; finished frames are there.
    FAILED = "failed"


class TrackingJob:
    """One press of a Track button. Knows its node by uuid, and looks for it anew each time.

    ``run`` are the frames to make; ``complete`` says that with them the whole range will be up to date.
    ``ended`` is called once the node was told of the end.
    """

    def __init__(
        self, uuid: str, job: TrackJob, run: Run, complete: bool, ended: Callable[[TrackerNode], None]
    ) -> None:
        self.uuid = uuid
        self.job = job
        self.state = TrackingState.WAITING
        self.error: Optional[EngineFailed] = None
        self.number = 0
        self.made = 0
        self.kept = 0
        self._run = run
        self._complete = complete
        self._ended = ended
        self.mattes = ShownMattes(uuid, job.output.path)
        self._shown = False
        self._fresh = 0
        self._reloaded = 0.0
        self._cancel: Callable[[int], None] = lambda number: None

    @property
    def is_open(self) -> bool:
        """True until it is done, stopped or failed."""
        return self.state in (TrackingState.WAITING, TrackingState.TRACKING, TrackingState.STOPPING)

    def start(self, client: WorkerClient) -> None:
        """Asks the engine for it."""
        self._cancel = client.cancel
        self._tell("Waiting for the engine.", "waiting")
        self.number = client.send(TrackRequest(0, self.job, "", self._run), self.hear)

    def stop(self) -> None:
        """Asks the engine to end after the frame at hand."""
        self.state = TrackingState.STOPPING
        self._cancel(self.number)
        self._tell("Stopping after this frame.", "stopping")

    def hear(self, message: Message) -> None:
        """A word of the engine about the run at hand. Raises nothing: nobody would catch it."""
        tracker_node.or_told(self.uuid, lambda: self._hear(message))
        if self.is_open and not isinstance(message, (Status, Progress, FrameDone)):
            # An answer is the end, whatever went wrong when it was heard.
            self.state = TrackingState.FAILED
            self.error = EngineFailed(Failed(self.number, tracker_node.UNEXPECTED, ""))

    def _hear(self, message: Message) -> None:
        if self._node() is None and self.is_open and self.state is not TrackingState.STOPPING:
            # Its node was deleted: nobody waits for the mattes.
            self.stop()
        if isinstance(message, Status):
            self._tell(message.text, None)
        elif isinstance(message, Progress):
            self._progress(message)
        elif isinstance(message, FrameDone):
            self._frame_done()
        elif isinstance(message, Done):
            self.made, self.kept = message.made, message.kept
            self._end(TrackingState.DONE)
        elif was_cancelled(message):
            self._end(TrackingState.STOPPED)
        elif isinstance(message, Failed):
            told, remedy = (job_document.told_here(t, self.job) for t in (message.message, message.remedy))
            self.error = EngineFailed(dataclasses.replace(message, message=told, remedy=remedy))
            if message.trace:
                host.say(message.trace)
            self._end(TrackingState.FAILED)

    def _progress(self, progress: Progress) -> None:
        if self.state is TrackingState.STOPPING:
            return
        self.state = TrackingState.TRACKING
        done = progress.done + progress.kept
        text = "Tracking: {} of {} mattes".format(done, progress.mattes + progress.kept)
        if progress.passing is not None:
            text = "Tracking: passing frame {}".format(progress.passing)
        if progress.seconds_left is not None:
            text += ", {} left".format(told_time(progress.seconds_left))
        self._tell(text + ".", "tracking {}/{}".format(done, progress.mattes + progress.kept))

    def _frame_done(self) -> None:
        if self.state is TrackingState.WAITING:
            self.state = TrackingState.TRACKING
        self._fresh += 1
        waited = time.monotonic() - self._reloaded
        if not self._shown or waited >= RELOAD_SECONDS or self._fresh >= RELOAD_FRAMES:
            self._grow()

    def _grow(self) -> None:
        """Shows what is on disk by now."""
        self.mattes.show(*job_document.range_of(self.job))
        self._shown, self._fresh = self.mattes.refused is None, 0
        self._reloaded = time.monotonic()

    def _end(self, state: TrackingState) -> None:
        self.state = state
        tracker = self._node()
        if tracker is None:
            return
        if state is TrackingState.DONE and self._complete:
            keep_job(tracker, self.job)
        told, label = self._ending(tracker)
        unseen = self._fresh or self.mattes.refused or (state is TrackingState.DONE and not self._shown)
        self.mattes.tell_end(tracker, told, label, job_document.range_of(self.job) if unseen else None)
        _session.show_later(self.mattes)
        self._ended(tracker)

    def _ending(self, tracker: TrackerNode) -> Tuple[str, str]:
        """What the status line says at the end, and the label."""
        if self.state is TrackingState.STOPPED:
            return "Stopped. Finished frames are kept; Track goes on from there.", STOPPED
        if self.error is not None:
            return str(self.error), FAILED
        frames = told_frames(*self._run)
        told = "{} mattes made, {} were there".format(self.made, self.kept)
        told += "." if self.made else ": nothing changed."
        return "Tracked {}: {}".format(frames, told), label_of(tracker, self.job, frames)

    def _tell(self, text: str, label: Optional[str]) -> None:
        tracker = self._node()
        if tracker is not None:
            tracker.tell(text, label)
        if not host.has_window():
            host.say("EfficientTAM: " + text)

    def _node(self) -> Optional[TrackerNode]:
        return tracker_node.find(self.uuid)


class Session:
    """The engine of this Nuke and the jobs it has."""

    def __init__(self) -> None:
        self._client: Optional[WorkerClient] = None
        self._trackings: Dict[str, TrackingJob] = {}
        #: By uuid: what ends the tracking of a prompt window.
        self._elsewhere: Dict[str, Callable[[], None]] = {}
        #: By uuid: mattes that Nuke refused to show at the end of a tracking.
        self._late: Dict[str, ShownMattes] = {}
        self._timer: Optional[host.Timer] = None

    def client(self) -> WorkerClient:
        """The pipe to the engine, which starts with the first request.

        Raises JobError with what to run where it is not installed.
        """
        command = engine_command(engine_settings().python)
        if self._client is None or self._client.command != command:
            if self._client is not None:
                self._client.close()
            self._client = WorkerClient(command, engine_environment())
        return self._client

    def tracking(self, uuid: str) -> Optional[TrackingJob]:
        """The last tracking of a node; None where there was none."""
        return self._trackings.get(uuid)

    def is_busy(self, uuid: str) -> bool:
        """True while a node is being tracked."""
        tracking = self._trackings.get(uuid)
        return uuid in self._elsewhere or (tracking is not None and tracking.is_open)

    def tracked_elsewhere(self, uuid: str, stop: Callable[[], None]) -> None:
        """A prompt window tracks the node by itself until ``ended_elsewhere``; ``stop`` asks it to end.

        The engine is listened to from now on: the window may be shut before the end. Raises JobError while
        the node is being tracked.
        """
        self.check_free(uuid)
        self._elsewhere[uuid] = stop
        self.follow()

    def ended_elsewhere(self, uuid: str) -> None:
        """That tracking came to its end."""
        self._elsewhere.pop(uuid, None)

    def show_later(self, mattes: ShownMattes) -> None:
        """Tries again what Nuke refused to show, where that may help, until the node is tracked anew."""
        self._late.pop(mattes.uuid, None)
        if mattes.may_come:
            self._late[mattes.uuid] = mattes
            self.follow()

    def check_free(self, uuid: str) -> None:
        """Raises JobError while a node is being tracked."""
        if self.is_busy(uuid):
            raise JobError("This node is being tracked.", "Press Stop first, or wait.")

    def start(self, tracking: TrackingJob) -> None:
        """Begins; returns at once. Raises JobError while the node is being tracked, or without engine."""
        self.check_free(tracking.uuid)
        client = self.client()
        self._trackings[tracking.uuid] = tracking
        tracking.start(client)
        self.follow()

    def run(self, tracking: TrackingJob) -> None:
        """Begins and waits to the end: for terminals. Raises EngineFailed; Cancelled when it was stopped;
        JobError where the node does not show the mattes.

        Ctrl-C stops it after the frame at hand, and goes on to the caller.
        """
        self.start(tracking)
        try:
            self._wait(tracking)
        except KeyboardInterrupt:
            tracking.stop()
            self._wait(tracking)
            raise
        if tracking.error is not None:
            raise tracking.error
        if tracking.state is TrackingState.STOPPED:
            raise Cancelled("Tracking was stopped.", "Track again: finished frames are kept.")
        if tracking.mattes.refused is not None:
            raise tracking.mattes.refused

    def _wait(self, tracking: TrackingJob) -> None:
        while tracking.is_open:
            self.client().wait(tracking.number)

    def stop(self, uuid: str) -> bool:
        """Ends the tracking of a node; False where there is none."""
        if uuid in self._elsewhere:
            self._elsewhere[uuid]()
            return True
        tracking = self._trackings.get(uuid)
        if tracking is None or not tracking.is_open:
            return False
        tracking.stop()
        return True

    def release_device(self, heard: Callable[[Message], None]) -> bool:
        """Frees the GPU; False where there is no engine that could hold it."""
        if self._client is None or self._client.state is WorkerState.OFF:
            return False
        self._client.send(ReleaseDevice(0), heard)
        self.follow()
        return True

    def ask(self, request: GetReview, heard: Callable[[Message], None]) -> None:
        """Asks the engine something that is answered at once; waits for it where there is no window.

        Raises JobError without engine.
        """
        client = self.client()
        number = client.send(request, heard)
        if host.has_window():
            self.follow()
        else:
            client.wait(number)

    def follow(self) -> None:
        """Listens to the engine from now on, as long as it has something to do."""
        if self._timer is None:
            self._timer = host.Timer(POLL_MILLISECONDS, self.poll)
        self._timer.start()

    def poll(self) -> None:
        """Hands out what the engine said since; never waits."""
        if self._client is None:
            return
        self._client.poll()
        self._late = {
            uuid: late for uuid, late in self._late.items() if not self.is_busy(uuid) and late.try_again()
        }
        idle = self._client.state in (WorkerState.OFF, WorkerState.READY)
        goes_on = self._elsewhere or self._late or any(job.is_open for job in self._trackings.values())
        if idle and self._timer is not None and not goes_on:
            self._timer.stop()

    def log(self) -> List[str]:
        """The last lines of the engine."""
        return [] if self._client is None else self._client.log

    def close(self) -> None:
        """Ends the engine."""
        if self._client is not None:
            self._client.close()
            self._client = None


_session = Session()


def session() -> Session:
    """The one of this Nuke."""
    return _session


def poll() -> None:
    """What the timer does."""
    _session.poll()


def current_settings() -> settings.Settings:
    """The settings as they are now. Raises JobError where the site's file is wrong."""
    try:
        return settings.read_settings(os.environ, settings.root_of_plugin())
    except settings.SettingsError as error:
        raise JobError(str(error), "") from error


def engine_settings() -> settings.Settings:
    """The settings of an engine that is there. Raises JobError with what to run where it is not installed."""
    found = current_settings()
    if not os.path.isfile(found.python):
        raise JobError(
            "The engine is not installed: there is no {}.".format(found.python),
            "{} in a terminal, or name its Python in EFFICIENTTAM_PYTHON.".format(
                settings.how_to_install(settings.root_of_plugin())
            ),
        )
    return found


def engine_environment() -> Dict[str, str]:
    """What a process of the engine's Python is started with."""
    environment = clean_environment(None, host.folder_of_nuke(), _NUKE_NAMES)
    # The engine of this plugin's release, whatever else that Python has installed.
    environment["PYTHONPATH"] = current_settings().engine
    return environment


def last_job(tracker: TrackerNode) -> Optional[TrackJob]:
    """The job of the last complete tracking; None where there was none, or this code cannot read it."""
    text = tracker.text(knobs.TRACKED)
    if not text.strip():
        return None
    try:
        return from_json(text)
    except EfficientTAMError:
        return None


def keep_job(tracker: TrackerNode, job: TrackJob) -> None:
    """Remembers the job of a complete tracking in the node."""
    with host.without_undo():
        tracker.put(knobs.TRACKED, " ".join(to_json(job).split("\n")).strip())


def taken_names(tracker: TrackerNode) -> FrozenSet[str]:
    """Names of objects that the mattes shown have, whether the objects are there still or not.

    A new object of such a name would show another one's matte.
    """
    if not tracker.flag(knobs.HAS_MATTES):
        return frozenset()
    whole = last_job(tracker)
    tracked = () if whole is None else whole.objects
    return inner_graph.layers(tracker) | {thing.name for thing in tracked}


def label_of(tracker: TrackerNode, job: TrackJob, frames: str) -> str:
    """For the node graph after ``frames`` of a job: the whole range where all of it is so, else the part."""
    whole = last_job(tracker)
    if whole is None or dataclasses.replace(whole, range=job.range) != job:
        return "tracked {}{}".format(frames, ONLY)
    return "tracked {}".format(told_frames(*job_document.range_of(whole)))


def told_frames(first: int, last: int) -> str:
    """``1001-1048``, or one frame."""
    return str(first) if first == last else "{}-{}".format(first, last)


def told_time(seconds: float) -> str:
    """``8 s``, ``3 min``, ``1 h 20 min``."""
    whole = int(round(seconds))
    if whole < 60:
        return "{} s".format(whole)
    minutes = (whole + 30) // 60
    return "{} min".format(minutes) if minutes < 60 else "{} h {} min".format(minutes // 60, minutes % 60)
