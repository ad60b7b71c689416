"""What the installer says and what it keeps: one line a step on the terminal, all of it in a log file."""

from __future__ import annotations

import datetime
import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import IO

_SECRET = re.compile(r"(://)[^/\s]+@")
#: How lines of pip begin that say nothing to a user; the log has them.
_CHATTER = ("Requirement already", "Processing ", "Looking in", "Collecting ", "Using cached", "  ")
#: Seconds of silence after which a step says that it still works.
PATIENCE = 30


def without_secrets(text: str) -> str:
    """The text with user names and passwords taken out of its URLs."""
    return _SECRET.sub(r"\1***@", text)


class Journal:
    """Says steps and runs commands. ``quiet`` says errors alone; the log gets everything."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.path = ""
        #: Numbers of open files that what is run holds open too.
        self.lent: tuple[int, ...] = ()
        self._file: IO[str] | None = None

    def keep(self, path: str) -> None:
        """Appends to this log file from here on. Raises OSError."""
        self._file = open(path, "a", encoding="utf-8", errors="backslashreplace")
        self.path = path

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None

    def say(self, text: str) -> None:
        """One line for the user and the log."""
        self.note(text)
        if not self.quiet:
            _tell("install: " + without_secrets(text), sys.stdout)

    def fail(self, text: str) -> None:
        """What went wrong, also when quiet."""
        self.note("FAILED: " + text)
        _tell("install: " + without_secrets(text), sys.stderr)

    def note(self, text: str) -> None:
        """One line for the log alone."""
        if self._file is not None:
            now = datetime.datetime.now().strftime("%Y-%m-%d %H:%M:%S")
            self._file.write(f"{now}  {without_secrets(text)}\n")
            self._file.flush()

    def run(self, command: Sequence[str], environment: Mapping[str, str], hidden: bool = False) -> int:
        """Runs a command to its end and returns its status; its words go to the log, and on unless hidden.

        Without a log file it has the terminal to itself. A program that cannot be started is status 127.
        """
        self.note("runs " + " ".join(command))
        try:
            if self._file is None and not (hidden or self.quiet):
                sys.stdout.flush()
                return subprocess.call(list(command), env=dict(environment), pass_fds=self.lent)
            return self._follow(command, environment, hidden)
        except OSError as error:
            self.note(f"cannot be started: {error}")
            return 127

    def _follow(self, command: Sequence[str], environment: Mapping[str, str], hidden: bool) -> int:
        process = subprocess.Popen(
            list(command),
            env=dict(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=self.lent,
        )
        lines: queue.Queue[bytes | None] = queue.Queue()
        reader = threading.Thread(target=_pass_on, args=(process.stdout, lines), daemon=True)
        reader.start()
        silent = 0
        last: list[str] = []
        while True:
            try:
                raw = lines.get(timeout=PATIENCE)
            except queue.Empty:
                silent += PATIENCE
                if not self.quiet:
                    _tell(f"install: still at it, silent for {silent} s", sys.stdout)
                continue
            if raw is None:
                break
            silent = 0
            text = without_secrets(raw.decode("utf-8", "replace").rstrip("\r\n"))
            self.note("| " + text)
            last = last[-19:] + [text]
            if not (hidden or self.quiet or text.startswith(_CHATTER)):
                _tell(text, sys.stdout)
        status = process.wait()
        self.note(f"ended with status {status}")
        if status and self.quiet and not hidden:
            # Who asked for silence still wants to see why.
            _tell("\n".join(last), sys.stderr)
        return status


def _tell(text: str, stream: IO[str]) -> None:
    try:
        stream.write(text + "\n")
    except UnicodeEncodeError:
        encoding = getattr(stream, "encoding", "") or "ascii"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    stream.flush()


def _pass_on(stream: IO[bytes], lines: queue.Queue[bytes | None]) -> None:
    for raw in stream:
        lines.put(raw)
    lines.put(None)


def home_shortened(text: str) -> str:
    """The text with the user's home folder written as ``~``."""
    home = os.path.expanduser("~")
    if len(home) < 2:
        return text
    pattern = re.escape(home) + r"(?=[\\/\s'\",;:)]|$)"
    return re.sub(pattern, "~", text)
