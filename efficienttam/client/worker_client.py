"""Requests to a worker, answered when the host has time to listen; a dead worker is started anew."""

from __future__ import annotations

import dataclasses
import enum
import queue
import time
from typing import IO, Callable, Mapping, Optional, Sequence

from ..contract.errors import EfficientTAMError, ExitCode
from ..contract.messages import (
    PROTOCOL_VERSION,
    Cancel,
    Close,
    Dropped,
    Failed,
    FrameDone,
    Hello,
    Message,
    Progress,
    Request,
    Status,
    from_line,
    to_line,
)
from .engine_process import EngineProcess

#: How long a worker may take until its first word, in seconds: libraries on a cold network disk.
START_SECONDS = 180.0
_EVENTS = (Status, Progress, FrameDone)


class WorkerState(enum.Enum):
    """Where a worker is in its life."""

    #: There is none; the next request starts one.
    OFF = "off"
    #: It was started and has not spoken yet.
    STARTING = "starting"
    #: It waits for requests.
    READY = "ready"
    #: It has requests to answer.
    BUSY = "busy"


class WorkerClient:
    """Speaks with one worker; to be used from one thread.

    ``send`` returns at once. ``poll``, called often (by a timer of the host's), hands every message to who
    sent the request: events, then exactly one reply. Where the worker ends or cannot be started every open
    request is answered by ``Failed``, and the next request starts another worker.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Optional[Mapping[str, str]] = None,
        log: Optional[IO[str]] = None,
    ) -> None:
        self.command = list(command)
        self.hello: Optional[Hello] = None
        self._environment = environment
        self._log = log
        self._process: Optional[EngineProcess] = None
        self._started = 0.0
        self._next = 1
        self._open: dict[int, Callable[[Message], None]] = {}
        self._late: list[tuple[Callable[[Message], None], Message]] = []
        self._last_words: list[str] = []
        #: How the last worker ended by itself while no request was open; None where one runs, where it ended
        #: well, and where those who waited were told.
        self.lost: Optional[Failed] = None

    @property
    def state(self) -> WorkerState:
        if self._process is None:
            return WorkerState.OFF
        if self.hello is None:
            return WorkerState.STARTING
        return WorkerState.BUSY if self._open else WorkerState.READY

    @property
    def pid(self) -> Optional[int]:
        """The worker's process number; None where there is none."""
        return None if self._process is None else self._process.pid

    @property
    def log(self) -> list[str]:
        """The last lines of the worker's stderr, of the one before where there is none now."""
        return self._last_words if self._process is None else self._process.log

    def send(self, request: Request, heard: Callable[[Message], None]) -> int:
        """Sends a request, whose ``id`` is set here, and returns its number.

        ``heard`` is called from ``poll`` with every event and the reply. Never raises for a worker that
        is not there: the reply tells it.
        """
        number = self._next
        self._next += 1
        line = to_line(dataclasses.replace(request, id=number))
        if self._process is None:
            try:
                self._start()
            except OSError as error:
                reason = error.strerror or str(error)
                failed = Failed(
                    number,
                    "The engine cannot be started: {}: {}.".format(self.command[0], reason),
                    "Set the engine's Python (EFFICIENTTAM_PYTHON) to the one that the installer made.",
                    int(ExitCode.FAILED),
                )
                self._late.append((heard, failed))
                return number
        assert self._process is not None
        self._open[number] = heard
        self._process.say(line)
        return number

    def cancel(self, number: int) -> None:
        """Ends a request at the next frame; it is answered by ``Failed`` with exit code 130."""
        if number in self._open:
            self.send(Cancel(0, number), _unheard)

    def poll(self) -> None:
        """Hands out what the worker said since. Never waits."""
        late, self._late = self._late, []
        for heard, message in late:
            heard(message)
        while self._process is not None:
            try:
                line = self._process.lines.get_nowait()
            except queue.Empty:
                self._give_up_if_mute()
                return
            self._take(line)

    def wait(self, number: int, seconds: float = float("inf"), pause: float = 0.02) -> bool:
        """Polls until a request is answered; True when it was. Only for programs without a window."""
        until = time.monotonic() + seconds
        while True:
            self.poll()
            if number not in self._open:
                return True
            if time.monotonic() >= until:
                return False
            time.sleep(pause)

    def is_open(self, number: int) -> bool:
        """True until a request is answered."""
        return number in self._open

    def close(self, seconds: float = 0.0) -> None:
        """Ends the worker; open requests fail. It finishes the file it writes and tidies up by itself;
        with ``seconds`` that is waited for, and one that has not ended by then is killed."""
        process = self._process
        if process is None:
            return
        process.say(to_line(Close(0)))
        process.hang_up()
        if seconds and not process.wait(seconds):
            process.kill()
        self._ended("The engine was stopped.", "Start again.", ExitCode.CANCELLED)

    def _start(self) -> None:
        self.hello = self.lost = None
        self._process = EngineProcess(self.command, self._environment, self._log)
        self._started = time.monotonic()

    def _take(self, line: Optional[str]) -> None:
        if line is None:
            self._died()
            return
        try:
            message = from_line(line)
        except EfficientTAMError as error:
            self._break_off(error.message, error.remedy)
            return
        if isinstance(message, Hello):
            self._greet(message)
            return
        number = message.id  # type: ignore[union-attr]
        if isinstance(message, _EVENTS):
            heard = self._open.get(number)
        else:
            heard = self._open.pop(number, None)
        if heard is not None:
            heard(message)

    def _greet(self, hello: Hello) -> None:
        if hello.version != PROTOCOL_VERSION:
            self._break_off(
                "The engine ({}) speaks version {} of the messages, this host version {}.".format(
                    hello.software, hello.version, PROTOCOL_VERSION
                ),
                "Install the plugin and the engine of one release.",
            )
            return
        self.hello = hello

    def _give_up_if_mute(self) -> None:
        if self.hello is None and time.monotonic() - self._started > START_SECONDS:
            self._break_off(
                "The engine did not start within {:.0f} seconds.".format(START_SECONDS),
                "Start {} in a terminal to see why.".format(" ".join(self.command)),
            )

    def _break_off(self, message: str, remedy: str) -> None:
        assert self._process is not None
        self._process.kill()
        self._ended(message, remedy, ExitCode.FAILED)

    def _died(self) -> None:
        process = self._process
        assert process is not None
        status, began = process.exit_status, self.hello is not None
        words = [line for line in process.log if line.strip()]
        last = " Its last words: {}".format(words[-1]) if words else ""
        if not began:
            message = "The engine ended before it began (exit status {}).{}".format(status, last)
            remedy = "Check the engine's Python: {}.".format(self.command[0])
        elif status in (-9, 137):
            message = "The engine was killed, most likely because memory ran out."
            remedy = "Press the button again; with a smaller model or fewer objects where it happens again."
        elif status == 0:
            message, remedy = "The engine had shut down.", "Press the button again."
        else:
            message = "The engine crashed (exit status {}).{}".format(status, last)
            remedy = "Press the button again; nothing you drew is lost."
        if not self._open and status != 0:
            self.lost = Failed(0, message, remedy, int(ExitCode.FAILED))
        self._ended(message, remedy, ExitCode.FAILED)

    def _ended(self, message: str, remedy: str, code: ExitCode) -> None:
        process, self._process = self._process, None
        self._last_words = [] if process is None else process.log
        self.hello = None
        trace = "\n".join(self._last_words)
        unanswered, self._open = self._open, {}
        for number, heard in unanswered.items():
            heard(Failed(number, message, remedy, int(code), trace))


def _unheard(message: Message) -> None:
    """Hears what nobody waits for."""


def was_cancelled(reply: Message) -> bool:
    """True for the reply to a request that was cancelled or superseded."""
    return isinstance(reply, Dropped) or (
        isinstance(reply, Failed) and reply.exit_code == int(ExitCode.CANCELLED)
    )
