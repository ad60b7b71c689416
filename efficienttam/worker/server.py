"""The worker's two threads: one reads requests, the other answers them.

The reading thread answers nothing but ``Cancel``; it notices at once when the host hangs up or dies, and
then ends the process: what a job has finished is on disk, everything else can be made again.
"""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
import threading
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable
from typing import IO, Any

from .. import __version__
from ..contract.errors import Cancelled, EfficientTAMError, ExitCode
from ..contract.messages import (
    PROTOCOL_VERSION,
    Cancel,
    Close,
    Done,
    Dropped,
    Failed,
    Forget,
    GetMattes,
    GetPicture,
    GetReview,
    Hello,
    NotOpen,
    OpenPlate,
    Picture,
    Preview,
    Previewed,
    ProtocolError,
    ReleaseDevice,
    Request,
    Review,
    Status,
    TrackRequest,
    from_line,
    number_of,
)
from .channel import Channel
from .inbox import Inbox

#: Plates open at once; the one used longest ago is closed for another.
SESSIONS = 8
#: How long a job may go on after the host is gone, in seconds: enough to finish writing a file.
LAST_SECONDS = 2.0
_PARENT_SECONDS = 1.0


class _NotOpenError(Exception):
    """A request names a plate that is not open."""

    def __init__(self, session: str) -> None:
        super().__init__(session)
        self.session = session


class Server:
    """Answers one host until it hangs up. ``idle_seconds`` without a request end it; 0 for never."""

    def __init__(self, channel: Channel, idle_seconds: float) -> None:
        self._channel = channel
        self._idle = idle_seconds
        self._inbox = Inbox()
        self._sessions: OrderedDict[str, Any] = OrderedDict()
        self._model: Any = None
        self._ending = threading.Event()
        self._pictures = ""
        self._parent = os.getppid()
        self._answers: dict[type, Callable[[Any], None]] = {
            OpenPlate: self._open_plate,
            GetPicture: self._get_picture,
            Preview: self._preview,
            GetMattes: self._get_mattes,
            GetReview: self._get_review,
            TrackRequest: self._track,
            Forget: self._forget,
            ReleaseDevice: self._release_device,
            Close: self._close,
        }

    def run(self, requests: IO[bytes]) -> int:
        """Answers until the end; the exit status."""
        self._channel.say(Hello(PROTOCOL_VERSION, __version__, platform.python_version(), os.getpid()))
        threading.Thread(target=self._read, args=(requests,), name="requests", daemon=True).start()
        threading.Thread(target=self._watch_parent, name="parent", daemon=True).start()
        try:
            while True:
                request = self._inbox.take(self._idle or None)
                if request is None:
                    break
                self._answer(request)
                if isinstance(request, Close):
                    break
        finally:
            self._tidy_up()
        return 0

    def _read(self, requests: IO[bytes]) -> None:
        for raw in requests:
            line = raw.decode("utf-8", "replace")
            try:
                request = from_line(line)
            except EfficientTAMError as error:
                self._fail(number_of(line), error)
                continue
            if isinstance(request, Cancel):
                self._cancel(request)
                continue
            if type(request) not in self._answers:
                self._fail(number_of(line), ProtocolError("This is no request.", "Send requests alone."))
                continue
            if isinstance(request, Close):
                self._ending.set()
            for replaced in self._inbox.put(request):  # type: ignore[arg-type]
                self._channel.say(Dropped(replaced.id))
        self._leave()

    def _leave(self) -> None:
        """The host is gone: ends the process, a little later where a file may be half written."""
        self._ending.set()
        if self._inbox.busy:
            time.sleep(LAST_SECONDS)
        self._tidy_up()
        os._exit(0)

    def _tidy_up(self) -> None:
        if self._pictures:
            shutil.rmtree(self._pictures, ignore_errors=True)

    def _watch_parent(self) -> None:
        """A pipe that another child of the host inherited stays open; its death is seen here."""
        while os.getppid() == self._parent:
            time.sleep(_PARENT_SECONDS)
        self._leave()

    def _cancel(self, request: Cancel) -> None:
        if self._inbox.cancel(request.other):
            self._fail(request.other, Cancelled("Cancelled before it began.", ""))
        self._channel.say(Done(request.id))

    def _answer(self, request: Request) -> None:
        """Answers one request, whatever comes of it."""
        try:
            if self._ending.is_set() and not isinstance(request, Close):
                raise Cancelled("The engine is closing.", "")
            self._answers[type(request)](request)
        except _NotOpenError as error:
            self._channel.say(NotOpen(request.id, error.session))
        except Cancelled:
            self._fail(request.id, Cancelled("Stopped; finished frames were kept.", "Track again to go on."))
        except EfficientTAMError as error:
            self._fail(request.id, error)
        except Exception as error:
            trace = traceback.format_exc()
            print(trace, flush=True)
            what = f"{type(error).__name__}: {error}".strip()
            self._channel.say(
                Failed(
                    request.id,
                    f"Something unexpected went wrong in the engine: {what}.",
                    "Press the button again; please report it with the log if it stays.",
                    int(ExitCode.FAILED),
                    trace,
                )
            )

    def _fail(self, number: int, error: EfficientTAMError) -> None:
        self._channel.say(Failed(number, error.message, error.remedy, int(error.exit_code)))

    def _stop_asked(self) -> bool:
        """Asked with every frame of a job, or oftener: answers what is quick, and whether it is to end."""
        while not self._to_end():
            request = self._inbox.take_quick()
            if request is None:
                return False
            self._answer(request)
        return True

    def _to_end(self) -> bool:
        return self._inbox.cancelled.is_set() or self._ending.is_set()

    def _loaded(self) -> Any:
        """What holds the network; its libraries are imported with the first request that needs it."""
        if self._model is None:
            from .loaded_model import LoadedModel

            self._model = LoadedModel()
        return self._model

    def _session(self, name: str) -> Any:
        if name not in self._sessions:
            raise _NotOpenError(name)
        self._sessions.move_to_end(name)
        return self._sessions[name]

    def _open_plate(self, request: OpenPlate) -> None:
        from ..batch.failures import plain_failures
        from .session import Session

        self._sessions.pop(request.session, None)

        def tell(text: str) -> None:
            self._channel.say(Status(request.id, text))

        with plain_failures():
            session = Session(request, self._loaded().load, tell)
        self._sessions[request.session] = session
        while len(self._sessions) > SESSIONS:
            self._sessions.popitem(last=False)
        self._channel.say(session.opened(request.id))

    def _get_picture(self, request: GetPicture) -> None:
        session = self._session(request.session)
        self._pictures = self._pictures or tempfile.mkdtemp(prefix="efficienttam-")
        path = os.path.join(self._pictures, f"{request.id}.ppm")
        session.write_picture(request.frame, request.side, path)
        self._channel.say(Picture(request.id, request.frame, path))

    def _preview(self, request: Preview) -> None:
        from ..batch.failures import plain_failures

        started = time.monotonic()
        session = self._session(request.session)
        mattes, told = (), ()
        with plain_failures():
            if request.mattes:
                mattes, told = session.preview(request.frame, request.objects, request.side)
            else:
                session.ready(request.frame, request.objects)
        took = time.monotonic() - started
        replaced = session.take_replaced()
        self._channel.say(Previewed(request.id, request.frame, mattes, took, told, replaced))

    def _get_mattes(self, request: GetMattes) -> None:
        session = self._session(request.session)
        mattes = session.mattes(request.output, request.objects, request.frame, request.side)
        self._channel.say(Previewed(request.id, request.frame, mattes))

    def _get_review(self, request: GetReview) -> None:
        from .disk_mattes import reviewed

        if request.frames is None:
            found = self._session(request.session).review(request.output, request.objects)
        else:
            first, last = request.frames
            found = reviewed(request.output, request.objects, range(first, last + 1), request.view)
        self._channel.say(Review(request.id, tuple(found)))

    def _track(self, request: TrackRequest) -> None:
        from ..contract.document import resolve
        from ..run import run_job
        from .track_events import TrackEvents

        events = TrackEvents(self._channel, request.id, resolve(request.job, request.folder), request.side)
        if self._to_end():
            raise Cancelled("Cancelled before it began.", "")
        summary = run_job(
            request.job,
            events,
            folder=request.folder,
            frames=request.frames,
            resume=request.resume,
            stop=self._stop_asked,
            load=self._loaded().load,
        )
        text = f"{summary.made} made, {summary.kept} kept, {summary.seconds:.1f} s."
        self._channel.say(Done(request.id, text, summary.made, summary.kept))

    def _forget(self, request: Forget) -> None:
        self._sessions.pop(request.session, None)
        self._channel.say(Done(request.id))

    def _release_device(self, request: ReleaseDevice) -> None:
        self._sessions.clear()
        if self._model is not None:
            self._model.release()
        self._channel.say(Done(request.id, "Memory was given back."))

    def _close(self, request: Close) -> None:
        self._ending.set()
        self._channel.say(Done(request.id))
