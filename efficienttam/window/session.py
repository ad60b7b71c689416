"""What the window knows of a shot through the worker: pictures, mattes, previews, tracking.

Nothing here waits: requests go out, and a timer hands the answers in.
"""

from __future__ import annotations

import os
import time
from typing import Any, Optional, Sequence, Set, Tuple, Union

from ..client import WorkerClient, WorkerState
from ..client.worker_client import was_cancelled
from ..contract.errors import EfficientTAMError
from ..contract.job import Output, TrackedObject
from ..contract.messages import (
    Failed,
    Forget,
    GetMattes,
    GetPicture,
    GetReview,
    Message,
    NotOpen,
    OpenPlate,
    Picture,
    PlateOpened,
    Preview,
    Previewed,
    Review,
    Status,
)
from ..contract.prompt_sheet import PromptSheet
from .bounded_store import BoundedStore
from .matte_image import matte_from_png
from .matte_shelf import MatteShelf
from .notice import Notice
from .qt import QtCore, QtGui
from .request_lane import RequestLane
from .shot import Shot
from .shot_edits import ready_objects
from .tracking_run import TrackingRun

#: Milliseconds between two looks at what the worker said.
POLL_MS = 15
#: A preview that takes longer is told of.
SLOW_SECONDS = 0.5
#: Bytes of decoded pictures that are kept.
PICTURE_BYTES = 256 * 2**20
#: What the object of a hover preview is called; no object of the artist's can have this name.
HOVER = "hover_"


class Session:
    """One shot's plate, open in the worker. A worker that is gone is started by the next request.

    ``told`` has a sentence for the status line, and True where it tells of trouble.
    """

    def __init__(self, client: WorkerClient, shot: Shot) -> None:
        self.opened = Notice()
        self.seen = Notice()
        self.reviewed = Notice()
        self.hovered = Notice()
        #: Frames were replaced on disk, and what was seen of them is forgotten: the frames.
        self.replaced = Notice()
        #: The worker ended by itself, or ``slow`` changed.
        self.changed = Notice()
        self.told = Notice()
        self.client = client
        self.shot = shot
        self.plate: Optional[PlateOpened] = None
        self.shelf = MatteShelf()
        #: Frame and grey QImage of what a click at the last asked place would select.
        self.hover: Optional[Tuple[int, Any]] = None
        self.side = 0
        self.tracking = TrackingRun(self)
        self._pictures: BoundedStore[int, Any] = BoundedStore(PICTURE_BYTES)
        self._opening = self._closed = False
        self._opening_number = 0
        self._pid: Optional[int] = None
        self._request: Optional[OpenPlate] = None
        self._stale: Set[Tuple[int, str]] = set()
        self._sheet = shot.sheet
        self._previewing = 0
        #: True while a preview, or what readies one, takes so long that somebody may wonder.
        self.slow = False
        self._waits_since: Optional[float] = None
        self._lanes = {name: RequestLane(client) for name in ("picture", "mattes", "hover", "ready")}
        self._timer = QtCore.QTimer()
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._poll)
        self._timer.start()

    @property
    def alive(self) -> bool:
        """True while the plate is open in a worker that runs."""
        return self.plate is not None and self._pid is not None and self.client.pid == self._pid

    @property
    def view(self) -> str:
        """The view of the open plate; empty without views."""
        return "" if self._request is None else self._request.view

    def open(self) -> None:
        """Opens the plate, with a worker started for it where there is none. ``opened`` follows."""
        if self._opening:
            return
        request = None
        # From here on: a host that renders may let events through, and one of them ask for the plate.
        self._opening = True
        try:
            request = self.shot.open_plate()
        except EfficientTAMError as error:
            self.trouble(error)
        finally:
            self._opening = request is not None
        if request is None:
            return
        self._request = request
        starting = self.client.state in (WorkerState.OFF, WorkerState.STARTING)
        self.told.emit("Starting the engine..." if starting else "Opening the plate...", False)
        self._opening_number = self.client.send(self._request, self._open_heard)

    def reopen(self) -> None:
        """Opens the plate again, which became another: nothing that was seen counts."""
        self._pictures.clear()
        self.shelf.clear()
        self.hover = None
        self.plate = None
        # An answer about the plate before comes to nobody.
        self._opening = False
        self.open()

    def close(self) -> None:
        """Closes the plate and tells nothing any more; the worker stays for others."""
        if self._closed:
            # Another window may have the plate open by now.
            return
        self._closed = True
        self._timer.stop()
        tracking = self.tracking
        for notice in (self.opened, self.seen, self.reviewed, self.hovered, self.told):
            notice.fall_silent()
        for notice in (self.replaced, self.changed):
            notice.fall_silent()
        for notice in (tracking.changed, tracking.frame_done, tracking.ended):
            notice.fall_silent()
        if self.alive and self._request is not None:
            self.client.send(Forget(0, self._request.session), _unheard)

    def ready(self) -> bool:
        """True where requests can be sent; where not, the plate is being opened, and ``opened`` follows."""
        if not self.alive:
            self.open()
            return False
        return True

    def picture(self, frame: int) -> Any:
        """The QImage of a frame; None where it was not asked for or has gone."""
        return self._pictures.get(frame)

    def ask_picture(self, frame: int) -> None:
        """Asks for a frame's picture where there is none of the present side; ``seen`` follows."""
        held = self._pictures.get(frame)
        if held is not None and _sharp(held, self.side, self.plate):
            return
        if self.ready() and self._fed((frame,)):
            asked = GetPicture(0, self._session, frame, self.side)
            self._lanes["picture"].ask(asked, self._picture_heard)

    def ask_mattes(self, frame: int, names: Sequence[str], output: Output) -> None:
        """Asks for mattes of a frame on disk that are not here yet; ``seen`` follows."""
        wanting = self.shelf.wanting(frame, names)
        if wanting and self.ready():
            asked = GetMattes(0, self._session, output, tuple(wanting), frame, self.side)
            self._lanes["mattes"].ask(asked, self._mattes_heard)

    def ask_review(self, names: Sequence[str], output: Output) -> None:
        """Asks which mattes are on disk; ``reviewed`` follows."""
        if names and self.ready():
            self.client.send(GetReview(0, self._session, output, tuple(names)), self._review_heard)

    def prompts_changed(self, before: PromptSheet, after: PromptSheet) -> None:
        """Forgets previews of objects about which something else is said now."""
        self._sheet = after
        old = {thing.name: thing for thing in before.tracked()}
        new = {thing.name: thing for thing in after.tracked()}
        for name in {*old} - {*new}:
            # Another object may take the name: what is on disk under it is not that one's.
            self.shelf.forget(name)
        for name in {*old, *new}:
            if old.get(name) != new.get(name):
                said = {prompt.frame for prompt in (new[name].prompts if name in new else ())}
                silent = {prompt.frame for prompt in (old[name].prompts if name in old else ())} - said
                # What is seen on a frame stays until its next preview comes: no flicker under a click.
                self._stale |= {(frame, name) for frame in said}
                self._stale -= {(frame, name) for frame in silent}
                for frame in silent:
                    self.shelf.drop_preview(frame, name)

    def mattes_tracked(self, frame: int, names: Sequence[str]) -> None:
        """The mattes of a frame are as tracked now: no preview is needed."""
        self._stale -= {(frame, name) for name in names}

    def ask_preview(self, frame: int, sheet: PromptSheet) -> None:
        """Asks for previews of the objects prompted on a frame that have none; ``seen`` follows."""
        wanted = tuple(thing for thing in ready_objects(sheet) if self._wants_preview(frame, thing))
        if not wanted or not self.ready() or not self._fed((frame,)):
            return
        names = {(frame, thing.name) for thing in wanted}
        self._sheet = sheet

        def heard(message: Message) -> None:
            if isinstance(message, Status):
                self.told.emit(message.text, False)
                return
            self._previewing -= 1
            if isinstance(message, Previewed):
                self._take_replaced(message)
                for thing in wanted:
                    if thing in ready_objects(self._sheet):
                        self._stale.discard((frame, thing.name))
                self._take(message, preview=True)
                for sentence in message.told:
                    self.told.emit(sentence, False)
            elif isinstance(message, (Failed, NotOpen)):
                if self.alive:
                    # Asked again it would fail again; what a dead worker did not answer is asked anew.
                    self._stale -= names
                self.failed(message)

        self._previewing += 1
        self.client.send(Preview(0, self._session, frame, wanted, self.side), heard)

    def ask_readiness(self, frame: int, objects: Tuple[TrackedObject, ...]) -> None:
        """Lets the worker do ahead what a click on these objects on a frame would wait for."""
        if self.alive and not self._previewing and not self.tracking.running:
            asked = Preview(0, self._session, frame, objects, 0, mattes=False)
            self._lanes["ready"].ask(asked, self._ready_heard)

    def ask_hover(self, frame: int, thing: TrackedObject) -> None:
        """Asks what a click would select, unless something more urgent is asked; ``hovered`` follows."""
        busy = self._previewing or self.tracking.running or self._lanes["ready"].busy
        if busy or not self.alive:
            return

        def heard(message: Message) -> None:
            if isinstance(message, Previewed) and message.mattes:
                image = matte_from_png(message.mattes[0].png)
                self.hover = None if image is None else (message.frame, image)
                self.hovered.emit()

        self._lanes["hover"].ask(Preview(0, self._session, frame, (thing,), self.side), heard)

    def forget_hover(self) -> None:
        """Shows no hover preview any more."""
        self._lanes["hover"].forget()
        if self.hover is not None:
            self.hover = None
            self.hovered.emit()

    def failed(self, message: Union[Failed, NotOpen]) -> None:
        """Tells a failure with its remedy in one line; opens the plate again where the worker closed it."""
        if isinstance(message, NotOpen):
            if self._pid is not None:
                self._pid = None
                self.open()
            return
        self.told.emit(" ".join("{} {}".format(message.message, message.remedy).split()), True)

    def trouble(self, error: EfficientTAMError) -> None:
        """Tells an error with its remedy in one line."""
        self.told.emit(" ".join(str(error).split()), True)

    @property
    def _session(self) -> str:
        assert self._request is not None
        return self._request.session

    def _poll(self) -> None:
        self.client.poll()
        if self._pid is not None and self.client.pid != self._pid:
            self._pid = None
            lost = self.client.lost
            if lost is not None:
                # Nobody waited for an answer that would tell it.
                words = "{} Nothing you drew is lost; what you do next starts it again."
                self.told.emit(words.format(lost.message), True)
            self.changed.emit()
        waits = (self._previewing or self._lanes["ready"].busy) and not self.tracking.running
        now = time.monotonic()
        if not waits or self._waits_since is None:
            self._waits_since = now
        slow = now - self._waits_since > SLOW_SECONDS
        if slow != self.slow:
            self.slow = slow
            self.changed.emit()

    def _wants_preview(self, frame: int, thing: TrackedObject) -> bool:
        if not _has_prompt(thing, frame):
            return False
        if (frame, thing.name) in self._stale:
            return True
        return self.shelf.image(frame, thing.name) is None and thing.name not in self.shelf.on_disk(frame)

    def _fed(self, frames: Sequence[int]) -> bool:
        try:
            self.shot.feed(frames)
        except EfficientTAMError as error:
            self.trouble(error)
            return False
        return True

    def _open_heard(self, message: Message) -> None:
        if not isinstance(message, (Status, PlateOpened, Failed)) or message.id != self._opening_number:
            return
        if isinstance(message, Status):
            self.told.emit(message.text, False)
            return
        self._opening = False
        if isinstance(message, PlateOpened):
            if self._pid != self.client.pid:
                # Frames may have been replaced while no worker looked at them.
                self._pictures.clear()
            self.plate, self._pid = message, self.client.pid
            self.opened.emit()
        else:
            self.failed(message)

    def _ready_heard(self, message: Message) -> None:
        if isinstance(message, Previewed):
            self._take_replaced(message)
        elif isinstance(message, Failed) and not was_cancelled(message):
            # A frame that is gone or of another size now: its picture is of before.
            self.failed(message)

    def _take_replaced(self, message: Previewed) -> None:
        """Forgets what was seen of frames that are others now on disk."""
        if not message.replaced:
            return
        for frame in message.replaced:
            self._pictures.drop(frame)
            prompted = [thing for thing in ready_objects(self._sheet) if _has_prompt(thing, frame)]
            self._stale |= {(frame, thing.name) for thing in prompted}
        self.hover = None
        self.replaced.emit(message.replaced)

    def _picture_heard(self, message: Message) -> None:
        if isinstance(message, Picture):
            image = QtGui.QImage(message.path)
            _remove(message.path)
            if image.isNull():
                self.told.emit("The picture of frame {} cannot be read.".format(message.frame), True)
                return
            self._pictures.put(message.frame, image, image.width() * image.height() * 4)
            self.seen.emit(message.frame)
        elif isinstance(message, (Failed, NotOpen)):
            self.failed(message)

    def _mattes_heard(self, message: Message) -> None:
        if isinstance(message, Previewed):
            self._take(message, preview=False)
        elif isinstance(message, (Failed, NotOpen)):
            self.failed(message)

    def _take(self, message: Previewed, preview: bool) -> None:
        for matte in message.mattes:
            image = matte_from_png(matte.png)
            if image is not None and (preview or self.shelf.image(message.frame, matte.name) is None):
                self.shelf.put(message.frame, matte.name, image, preview)
        self.seen.emit(message.frame)

    def _review_heard(self, message: Message) -> None:
        if isinstance(message, Review):
            self.shelf.reviewed(message.frames)
            self.reviewed.emit()
        elif isinstance(message, (Failed, NotOpen)):
            self.failed(message)


def _has_prompt(thing: TrackedObject, frame: int) -> bool:
    return any(prompt.frame == frame for prompt in thing.prompts)


def _sharp(image: Any, side: int, plate: Optional[PlateOpened]) -> bool:
    """True where a picture is as large as ``side`` asks for."""
    whole = 0 if plate is None else max(plate.width, plate.height)
    return bool(max(image.width(), image.height()) >= (min(side, whole) if side else whole))


def _remove(path: str) -> None:
    try:
        os.remove(path)
    except OSError:
        return


def _unheard(message: Message) -> None:
    """Hears what nobody waits for."""
