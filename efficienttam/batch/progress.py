"""How far a job is, told to people on stderr or to machines on stdout."""

from __future__ import annotations

import enum
import json
import math
import sys
import time
from collections.abc import Mapping
from typing import Any, Protocol, TextIO

from ..contract.errors import EfficientTAMError


class Progress(Protocol):
    """What ``run_job`` tells while it works. The unit is one matte: one object on one frame; for
    ``embed_job`` one embedding."""

    def introduce(self, facts: Mapping[str, str]) -> None:
        """Who does the work, with what and for which job: the first line of a log."""

    def begin(self, mattes: int, kept: int, unit: str = "matte") -> None:
        """So many mattes are to be made; ``kept`` others are there already."""

    def status(self, text: str) -> None:
        """What is being done, in a few words."""

    def visit(self, frame: int, view: str, passed: bool) -> None:
        """A frame is at hand; ``passed`` when it gives no matte and is tracked to reach others, or, before
        ``begin``, to find where objects are."""

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
    #: Lines that Deadline's command line plug-in reads, on stdout.
    DEADLINE = "deadline"
    #: Lines that Tractor's blades read, on stdout.
    TRACTOR = "tractor"
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
    if style is ProgressStyle.DEADLINE:
        return PercentProgress(sys.stdout, "Progress: {}%")
    if style is ProgressStyle.TRACTOR:
        return PercentProgress(sys.stdout, "TR_PROGRESS {:03d}%")
    return SilentProgress()


class Clock:
    """Mattes done of those to make, and the time that the rest will take.

    Time on frames that gave no matte does not count: it says nothing about the pace of the others.
    """

    def __init__(self, mattes: int) -> None:
        self.mattes = mattes
        self.done = 0
        self._seconds = 0.0
        self._since = time.monotonic()
        self._passing = False

    def visit(self, passed: bool) -> None:
        """Another frame is at hand; ``passed`` when it gives no matte."""
        if self._passing:
            self._since = time.monotonic()
        self._passing = passed

    def advance(self, mattes: int) -> None:
        """So many more are done, on the frame at hand."""
        now = time.monotonic()
        self.done += mattes
        self._seconds += now - self._since
        self._since = now

    @property
    def fraction(self) -> float:
        """0 to 1."""
        return min(1.0, self.done / self.mattes) if self.mattes else 1.0

    @property
    def per_second(self) -> float:
        """Mattes per second on the frames that gave some."""
        return self.done / max(self._seconds, 1e-6)

    @property
    def seconds_left(self) -> float | None:
        """None before the first matte."""
        return max(0, self.mattes - self.done) / self.per_second if self.done else None


class SilentProgress:
    """Says nothing."""

    def introduce(self, facts: Mapping[str, str]) -> None: ...

    def begin(self, mattes: int, kept: int, unit: str = "matte") -> None: ...

    def status(self, text: str) -> None: ...

    def visit(self, frame: int, view: str, passed: bool) -> None: ...

    def advance(self, frame: int, view: str, mattes: int) -> None: ...

    def wrote(self, frame: int, view: str, path: str) -> None: ...

    def end(self, text: str) -> None: ...

    def failed(self, error: EfficientTAMError) -> None: ...


class BarProgress(SilentProgress):
    """A bar with time left."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._bar: Any = None
        self._clock = Clock(0)

    def introduce(self, facts: Mapping[str, str]) -> None:
        print(_line(facts), file=self._stream, flush=True)

    def begin(self, mattes: int, kept: int, unit: str = "matte") -> None:
        from tqdm import tqdm

        if kept:
            verbs = "is there already and was" if kept == 1 else "are there already and were"
            print(f"{tell_count(kept, unit)} {verbs} kept.", file=self._stream)
        self._bar = tqdm(total=mattes, unit=unit, file=self._stream, dynamic_ncols=True)

    def status(self, text: str) -> None:
        if self._bar is None:
            print(text, file=self._stream, flush=True)
        else:
            self._bar.write(text, file=self._stream)

    def visit(self, frame: int, view: str, passed: bool) -> None:
        self._clock.visit(passed)
        if passed and self._bar is not None:
            self._bar.last_print_t = time.time()
            self._bar.set_description(f"passing {view} {frame}".replace("  ", " "))

    def advance(self, frame: int, view: str, mattes: int) -> None:
        self._clock.advance(mattes)
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
        self._unit = "matte"
        self._last = -math.inf

    def introduce(self, facts: Mapping[str, str]) -> None:
        self._say(_line(facts))

    def begin(self, mattes: int, kept: int, unit: str = "matte") -> None:
        self._clock = Clock(mattes)
        self._unit = unit
        self._say(f"{tell_count(mattes, unit)} to make" + (f", {kept} kept." if kept else "."))
        self._last = time.monotonic()

    def status(self, text: str) -> None:
        self._say(text)

    def visit(self, frame: int, view: str, passed: bool) -> None:
        self._clock.visit(passed)
        clock = self._clock
        if passed and clock.mattes and self._is_due():
            self._say(f"{_place(frame, view)}: passed to reach others, {clock.done}/{clock.mattes}")

    def advance(self, frame: int, view: str, mattes: int) -> None:
        clock = self._clock
        clock.advance(mattes)
        if clock.done < clock.mattes and not self._is_due():
            return
        self._say(
            f"{_place(frame, view)}: {clock.done}/{clock.mattes} ({clock.fraction:.0%}), "
            f"{clock.per_second:.2f} {self._unit}s/s, {duration(clock.seconds_left or 0)} left"
        )

    def end(self, text: str) -> None:
        self._say(text)

    def _is_due(self) -> bool:
        now = time.monotonic()
        due = now - self._last >= self._every
        if due:
            self._last = now
        return due

    def _say(self, text: str) -> None:
        print(text, file=self._stream, flush=True)


class JsonProgress:
    """One JSON object per line; ``event`` tells which."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._clock = Clock(0)
        self._units = "mattes"

    def introduce(self, facts: Mapping[str, str]) -> None:
        self._say("task", **facts)

    def begin(self, mattes: int, kept: int, unit: str = "matte") -> None:
        self._clock = Clock(mattes)
        self._units = f"{unit}s"
        self._say("begin", **{self._units: mattes}, kept=kept)

    def status(self, text: str) -> None:
        self._say("status", text=text)

    def visit(self, frame: int, view: str, passed: bool) -> None:
        self._clock.visit(passed)
        if passed:
            self._say("passing", frame=frame, view=view)

    def advance(self, frame: int, view: str, mattes: int) -> None:
        clock = self._clock
        clock.advance(mattes)
        left = clock.seconds_left
        self._say(
            "progress",
            frame=frame,
            view=view,
            done=clock.done,
            **{self._units: clock.mattes},
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

    def introduce(self, facts: Mapping[str, str]) -> None:
        print(_line(facts), file=self._stream, flush=True)

    def begin(self, mattes: int, kept: int, unit: str = "matte") -> None:
        self._clock = Clock(mattes)
        self._say("progress", "0.0")

    def status(self, text: str) -> None:
        self._say("status", text)

    def visit(self, frame: int, view: str, passed: bool) -> None:
        self._clock.visit(passed)
        if passed:
            why = " to reach others" if self._clock.mattes else ""
            self._say("status", f"Passing {_place(frame, view)}{why}.")

    def advance(self, frame: int, view: str, mattes: int) -> None:
        self._clock.advance(mattes)
        self._say("progress", f"{100 * self._clock.fraction:.1f}")

    def end(self, text: str) -> None:
        self._say("progress", "100.0")
        self._say("status", text)

    def failed(self, error: EfficientTAMError) -> None:
        self._say("fail", str(error))

    def _say(self, kind: str, text: str) -> None:
        print(f"openjd_{kind}: {' '.join(text.split())}", file=self._stream, flush=True)


class PercentProgress(SilentProgress):
    """Lines of a log, and one in a scheduler's words whenever another per cent is done.

    ``words`` is a format of one whole number, 0 to 100.
    """

    def __init__(self, stream: TextIO, words: str) -> None:
        self._stream = stream
        self._words = words
        self._clock = Clock(0)
        self._told = -1

    def introduce(self, facts: Mapping[str, str]) -> None:
        self._say(_line(facts))

    def begin(self, mattes: int, kept: int, unit: str = "matte") -> None:
        self._clock = Clock(mattes)
        self._say(f"{tell_count(mattes, unit)} to make, {kept} kept.")
        self._tell(0)

    def status(self, text: str) -> None:
        self._say(text)

    def visit(self, frame: int, view: str, passed: bool) -> None:
        self._clock.visit(passed)

    def advance(self, frame: int, view: str, mattes: int) -> None:
        self._clock.advance(mattes)
        self._tell(int(100 * self._clock.fraction))

    def end(self, text: str) -> None:
        self._tell(100)
        self._say(text)

    def _tell(self, percent: int) -> None:
        if percent != self._told:
            self._told = percent
            self._say(self._words.format(percent))

    def _say(self, text: str) -> None:
        print(" ".join(text.split()), file=self._stream, flush=True)


def _line(facts: Mapping[str, str]) -> str:
    """``host=node07 pid=4711 device="CPU, 4 threads" ...``"""
    return " ".join(f"{name}={json.dumps(told) if ' ' in told else told}" for name, told in facts.items())


def tell_count(count: int, unit: str = "matte") -> str:
    """``1 matte``, ``3 mattes``."""
    return f"1 {unit}" if count == 1 else f"{count} {unit}s"


def _place(frame: int, view: str) -> str:
    return f"frame {frame}" + (f" {view}" if view else "")


def duration(seconds: float) -> str:
    """``1:02:03`` or ``2:03``, rounded up."""
    whole = math.ceil(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"
