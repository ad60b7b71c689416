"""A worker process and the threads that read what it says."""

from __future__ import annotations

import collections
import os
import queue
import subprocess
import sys
import threading
from typing import IO, Deque, Mapping, Optional, Sequence

#: What a host sets for its own Python, Qt and libraries, and what would break another Python.
_FOREIGN = (
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "PYTHONEXECUTABLE",
    "PYTHONOPTIMIZE",
    "PYTHONINSPECT",
    "VIRTUAL_ENV",
    "__PYVENV_LAUNCHER__",
    "QT_PLUGIN_PATH",
    "QT_QPA_PLATFORM_PLUGIN_PATH",
    "QT_QPA_PLATFORM",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "DYLD_LIBRARY_PATH",
    "DYLD_FALLBACK_LIBRARY_PATH",
    "DYLD_FRAMEWORK_PATH",
    "DYLD_INSERT_LIBRARIES",
)
#: Lines of the worker's log that are kept to be shown.
LOG_LINES = 200
#: How long the log of a process that has ended is waited for.
LAST_WORDS_SECONDS = 1.0


def clean_environment(
    environment: Optional[Mapping[str, str]] = None,
    host_folder: Optional[str] = None,
    host_names: Sequence[str] = (),
) -> dict[str, str]:
    """The environment (this process's own unless given) without what a host put into it for itself.

    Folders of ``PATH`` inside ``host_folder``, where the host is installed, are left out too, and the
    variables ``host_names``.
    """
    given = os.environ if environment is None else environment
    foreign = {*_FOREIGN, *host_names}
    clean = {name: value for name, value in given.items() if name.upper() not in foreign}
    if host_folder:
        inside = os.path.normcase(os.path.join(os.path.abspath(host_folder), ""))
        folders = [
            folder
            for folder in clean.get("PATH", "").split(os.pathsep)
            if folder and not os.path.normcase(os.path.join(os.path.abspath(folder), "")).startswith(inside)
        ]
        clean["PATH"] = os.pathsep.join(folders)
    clean.update(PYTHONUTF8="1", PYTHONNOUSERSITE="1", PYTHONUNBUFFERED="1")
    return clean


def engine_command(python: str) -> list[str]:
    """The command that starts a worker with the engine's own Python."""
    return [python, "-m", "efficienttam.worker"]


class EngineProcess:
    """One started worker. ``lines`` receives every line it says, and None when it has ended.

    Raises OSError when it cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Optional[Mapping[str, str]] = None,
        log: Optional[IO[str]] = None,
    ) -> None:
        # Without a console window of its own on Windows; the name exists only there.
        quiet = getattr(subprocess, "CREATE_NO_WINDOW", 0)
        self._process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(clean_environment() if environment is None else environment),
            # A Ctrl-C in the host's terminal is the host's: it says what is to happen.
            start_new_session=sys.platform != "win32",
            close_fds=True,
            creationflags=quiet,
        )
        self.lines: queue.Queue[Optional[str]] = queue.Queue()
        self.pid = self._process.pid
        self._log = log
        self._said: Deque[str] = collections.deque(maxlen=LOG_LINES)
        self._outgoing: queue.Queue[Optional[bytes]] = queue.Queue()
        works = (("log", self._keep_log), ("writes", self._write), ("reads", self._read))
        self._threads = [
            threading.Thread(target=work, name="efficienttam " + name, daemon=True) for name, work in works
        ]
        # The log first: one that ends at once is read to its end before the others have begun, and the
        # reader waits for the log's last words.
        for thread in self._threads:
            thread.start()

    @property
    def running(self) -> bool:
        """True until the process has ended."""
        return self._process.poll() is None

    @property
    def exit_status(self) -> Optional[int]:
        """What it ended with, negative for a signal; None while it runs."""
        return self._process.poll()

    @property
    def log(self) -> list[str]:
        """The last lines it wrote to stderr."""
        return list(self._said)

    def say(self, line: str) -> None:
        """Sends a line; never waits, however long the worker takes to read it."""
        self._outgoing.put(line.encode("ascii"))

    def hang_up(self) -> None:
        """Closes its stdin, which ends it."""
        self._outgoing.put(None)

    def kill(self) -> None:
        """Ends it at once."""
        try:
            self._process.kill()
        except OSError:
            return

    def wait(self, seconds: float) -> bool:
        """True when it ended in that time. Not for the main thread of a program with a window."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        for raw in stream:
            self.lines.put(raw.decode("utf-8", "replace"))
        self._process.wait()
        self._outgoing.put(None)
        # Its last words tell why it ended; one whose own children still hold its stderr is not waited for.
        self._threads[0].join(LAST_WORDS_SECONDS)
        self.lines.put(None)

    def _write(self) -> None:
        stream = self._process.stdin
        assert stream is not None
        try:
            for raw in iter(self._outgoing.get, None):
                stream.write(raw)
                stream.flush()
            stream.close()
        except OSError:
            return

    def _keep_log(self) -> None:
        stream = self._process.stderr
        assert stream is not None
        for raw in stream:
            text = raw.decode("utf-8", "replace").rstrip("\r\n")
            self._said.append(text)
            if self._log is not None:
                self._log.write(text + "\n")
                self._log.flush()
