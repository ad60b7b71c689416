"""How far a job is, told to people on stderr or to machines on stdout."""

from __future__ import annotations

import enum
import json
import math
import sys
import time
from typing import Any, Protocol, TextIO

from ..contract.errors import EfficientTAMError


class Progress(Protocol):
    """What ``run_job`` tells while it works. The unit is one matte: one object on one frame."""

    def begin(self, mattes: int, kept: int) -> None:
        """So many mattes are to be made; ``kept`` others are there already."""

    def status(self, text: str) -> None:
        """What is being done, in a few words."""

    def advance(self, frame: int, view: str, mattes: int) -> None:
        """So many more mattes were made on this frame."""

    def wrote(self, frame: int, view: str, path: str) -> None:
        """A file is complete."""

    def end(self, text: str) -> None:
        """All is done."""

    def failed(self, error: EfficientTAMError) -> None:
        """Work ended early. Told by who made the progress, who knows what the process will exit with."""


class ProgressStyle(enum.Enum):
    """How progress is shown."""

    #: A bar on a terminal, plain lines elsewhere.
    AUTO = "auto"
    #: A bar with time left, on stderr.
    BAR = "bar"
    #: A line now and then, on stderr.
    PLAIN = "plain"
    #: One JSON object per line, on stdout.
    JSON = "json"
    #: Open Job Description messages, on stdout.
    OPENJD = "openjd"
    #: Nothing.
    NONE = "none"


def make_progress(style: ProgressStyle) -> Progress:
    """The progress of that style on this process's own streams."""
    if style is ProgressStyle.AUTO:
        style = ProgressStyle.BAR if sys.stderr.isatty() else ProgressStyle.PLAIN
    if style is ProgressStyle.BAR:
        return BarProgress(sys.stderr)
    if style is ProgressStyle.PLAIN:
        return PlainProgress(sys.stderr)
    if style is ProgressStyle.JSON:
        return JsonProgress(sys.stdout)
    if style is ProgressStyle.OPENJD:
        return OpenJdProgress(sys.stdout)
    return SilentProgress()


class Clock:
    """Mattes done of those to make, and the time that the rest will take."""

    def __init__(self, mattes: int) -> None:
        self.mattes = mattes
        self.done = 0
        self._start = time.monotonic()

    @property
    def fraction(self) -> float:
        """0 to 1."""
        return min(1.0, self.done / self.mattes) if self.mattes else 1.0

    @property
    def per_second(self) -> float:
        """Mattes per second so far."""
        return self.done / max(time.monotonic() - self._start, 1e-6)

    @property
    def seconds_left(self) -> float | None:
        """None before the first matte."""
        return max(0, self.mattes - self.done) / self.per_second if self.done else None


class SilentProgress:
    """Says nothing."""

    def begin(self, mattes: int, kept: int) -> None: ...

    def status(self, text: str) -> None: ...

    def advance(self, frame: int, view: str, mattes: int) -> None: ...

    def wrote(self, frame: int, view: str, path: str) -> None: ...

    def end(self, text: str) -> None: ...

    def failed(self, error: EfficientTAMError) -> None: ...


class BarProgress(SilentProgress):
    """A bar with time left."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._bar: Any = None

    def begin(self, mattes: int, kept: int) -> None:
        from tqdm import tqdm

        if kept:
            verbs = "is there already and was" if kept == 1 else "are there already and were"
            print(f"{tell_mattes(kept)} {verbs} kept.", file=self._stream)
        self._bar = tqdm(total=mattes, unit="matte", file=self._stream, dynamic_ncols=True)

    def status(self, text: str) -> None:
        if self._bar is None:
            print(text, file=self._stream, flush=True)
        else:
            self._bar.write(text, file=self._stream)

    def advance(self, frame: int, view: str, mattes: int) -> None:
        self._bar.set_description(f"{view} {frame}".strip(), refresh=False)
        self._bar.update(mattes)

    def end(self, text: str) -> None:
        self._close()
        print(text, file=self._stream)

    def failed(self, error: EfficientTAMError) -> None:
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class PlainProgress(SilentProgress):
    """Lines for a log: at the start, every few seconds, and at the end."""

    def __init__(self, stream: TextIO, every_seconds: float = 5.0) -> None:
        self._stream = stream
        self._every = every_seconds
        self._clock = Clock(0)
        self._last = -math.inf

    def begin(self, mattes: int, kept: int) -> None:
        self._clock = Clock(mattes)
        self._say(f"{tell_mattes(mattes)} to make" + (f", {kept} kept." if kept else "."))
        self._last = time.monotonic()

    def status(self, text: str) -> None:
        self._say(text)

    def advance(self, frame: int, view: str, mattes: int) -> None:
        clock = self._clock
        clock.done += mattes
        now = time.monotonic()
        if now - self._last < self._every and clock.done < clock.mattes:
            return
        self._last = now
        left = _duration(clock.seconds_left or 0)
        where = f"frame {frame}" + (f" {view}" if view else "")
        self._say(
            f"{where}: {clock.done}/{clock.mattes} ({clock.fraction:.0%}), "
            f"{clock.per_second:.2f} mattes/s, {left} left"
        )

    def end(self, text: str) -> None:
        self._say(text)

    def _say(self, text: str) -> None:
        print(text, file=self._stream, flush=True)


class JsonProgress:
    """One JSON object per line; ``event`` tells which."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._clock = Clock(0)

    def begin(self, mattes: int, kept: int) -> None:
        self._clock = Clock(mattes)
        self._say("begin", mattes=mattes, kept=kept)

    def status(self, text: str) -> None:
        self._say("status", text=text)

    def advance(self, frame: int, view: str, mattes: int) -> None:
        clock = self._clock
        clock.done += mattes
        left = clock.seconds_left
        self._say(
            "progress",
            frame=frame,
            view=view,
            done=clock.done,
            mattes=clock.mattes,
            fraction=round(clock.fraction, 4),
            seconds_left=None if left is None else round(left, 1),
        )

    def wrote(self, frame: int, view: str, path: str) -> None:
        self._say("wrote", frame=frame, view=view, path=path)

    def end(self, text: str) -> None:
        self._say("end", text=text)

    def failed(self, error: EfficientTAMError) -> None:
        self._say("failed", message=error.message, remedy=error.remedy, exit_code=int(error.exit_code))

    def _say(self, event: str, **values: Any) -> None:
        print(json.dumps({"event": event, **values}), file=self._stream, flush=True)


class OpenJdProgress(SilentProgress):
    """Messages of Open Job Description: progress in per cent, status, failure."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._clock = Clock(0)

    def begin(self, mattes: int, kept: int) -> None:
        self._clock = Clock(mattes)
        self._say("progress", "0.0")

    def status(self, text: str) -> None:
        self._say("status", text)

    def advance(self, frame: int, view: str, mattes: int) -> None:
        self._clock.done += mattes
        self._say("progress", f"{100 * self._clock.fraction:.1f}")

    def end(self, text: str) -> None:
        self._say("progress", "100.0")
        self._say("status", text)

    def failed(self, error: EfficientTAMError) -> None:
        self._say("fail", str(error))

    def _say(self, kind: str, text: str) -> None:
        print(f"openjd_{kind}: {' '.join(text.split())}", file=self._stream, flush=True)


def tell_mattes(count: int) -> str:
    """``1 matte``, ``3 mattes``."""
    return "1 matte" if count == 1 else f"{count} mattes"


def _duration(seconds: float) -> str:
    whole = math.ceil(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"
