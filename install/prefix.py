"""A folder that versions are installed into, side by side, and the pointer that says which one is used.

``PREFIX/versions/<name>`` holds a version with its environment; ``PREFIX/current`` is a text file whose first
line names the one in use, further lines those used before it. Changing that one small file is the whole
switch, the same on every platform, and a Nuke that is running stays with the version it started with.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from command_line import installer_line
from environment import MARK, STAMP, not_writable, put_mark, python_of, read_stamp, remove_marked, write_whole
from outcome import BUSY, REFUSED, USAGE, InstallError

PREFIX_MARK = "efficienttam-prefix"
VERSION_MARK = "efficienttam-version"
ENVIRONMENT = "environment"
#: What a site may have put there beforehand.
SETTINGS = "efficienttam_settings.json"
#: How many earlier versions the pointer remembers.
REMEMBERED = 10
_NAME = re.compile(r"[0-9]([.+-]?[A-Za-z0-9]){0,60}\Z")


@dataclasses.dataclass(frozen=True)
class Version:
    """One installed version; an unfinished one has an empty stamp."""

    name: str
    folder: str
    stamp: dict[str, Any]

    @property
    def complete(self) -> bool:
        return bool(self.stamp)

    @property
    def python(self) -> str:
        return python_of(os.path.join(self.folder, ENVIRONMENT))


class Prefix:
    """The folder, which need not exist yet."""

    def __init__(self, folder: str) -> None:
        self.folder = os.path.abspath(os.path.expanduser(folder))
        self.versions_folder = os.path.join(self.folder, "versions")
        self.pointer = os.path.join(self.folder, "current")
        self.log = os.path.join(self.folder, "install.log")
        self.weights = os.path.join(self.folder, "weights")
        self.plugin = os.path.join(self.folder, "nuke_plugin")
        self.programs = os.path.join(self.folder, "bin")

    @property
    def is_ours(self) -> bool:
        return os.path.isfile(os.path.join(self.folder, PREFIX_MARK))

    def check(self) -> None:
        """Raises InstallError for a folder that holds what is not ours."""
        if self.is_ours or not os.path.isdir(self.folder):
            return
        foreign = sorted(set(os.listdir(self.folder)) - {SETTINGS})
        if foreign:
            raise InstallError(
                f"{self.folder} exists, holds {foreign[0]} and was not made by this script. Give another "
                "folder with --prefix.",
                REFUSED,
            )

    def require(self) -> None:
        """Raises InstallError where nothing was installed."""
        if not self.is_ours:
            raise InstallError(
                f"nothing is installed in {self.folder}. Name the folder with --prefix.", REFUSED
            )

    def prepare(self) -> None:
        """Makes the folder ours. Raises InstallError where it may not be written to."""
        self.check()
        put_mark(self.folder, PREFIX_MARK)
        try:
            write_whole(os.path.join(self.folder, "efficienttam-writable"), "")
            os.remove(os.path.join(self.folder, "efficienttam-writable"))
            os.makedirs(self.versions_folder, exist_ok=True)
        except OSError as error:
            raise not_writable(self.folder, error)

    @contextmanager
    def alone(self, journal: Any = None) -> Iterator[None]:
        """Keeps other installers out while it lasts.

        The system lets go of it when this process dies, and with it all that the journal runs: on Windows a
        lock ends with its process, elsewhere those hold the locked file too.
        """
        path = os.path.join(self.folder, "efficienttam-lock")
        try:
            stream = open(path, "a")
        except OSError as error:
            raise not_writable(self.folder, error)
        with stream:
            try:
                _lock(stream)
            except OSError:
                raise InstallError(
                    f"another installer is at work in {self.folder}, or what an interrupted one had "
                    "started is still ending. Wait for it, then try again.",
                    BUSY,
                )
            if journal is not None:
                journal.lent = (stream.fileno(),) if os.name == "posix" else ()
            try:
                yield
            finally:
                if journal is not None:
                    journal.lent = ()

    def _pointed(self) -> list[str]:
        """The lines of the pointer, whatever they hold; none where it is not there. Raises OSError."""
        try:
            with open(self.pointer, encoding="utf-8", errors="replace") as stream:
                return [line.strip() for line in stream] or [""]
        except FileNotFoundError:
            return []

    def used(self) -> list[str]:
        """Names of versions that the pointer holds, the last used first."""
        try:
            return [line for line in self._pointed() if _NAME.match(line)]
        except OSError:
            return []

    def current(self) -> str:
        """The name of the version in use; empty for none and where another word stands there."""
        try:
            first = (self._pointed() or [""])[0]
        except OSError:
            return ""
        return first if _NAME.match(first) else ""

    def fault_of_pointer(self, ruin: bool = False) -> str:
        """What is wrong with the pointer, as a sentence; empty for a sound one, or none at all.

        With ``ruin`` it may name a version that is not whole any more.
        """
        try:
            lines = self._pointed()
        except OSError as error:
            return f"{self.pointer} cannot be read: {error.strerror or error}"
        if not lines:
            return ""
        if not _NAME.match(lines[0]):
            shown = ascii(lines[0][:40]) if lines[0] else "nothing"
            return f"{self.pointer} is damaged: it says {shown} in place of the version in use"
        version = self.version(lines[0])
        there = os.path.isdir(version.folder)
        if not version.complete and not (ruin and there):
            what = "not whole" if there else "not there"
            return f"{self.pointer} names version {lines[0]}, which is {what}"
        return ""

    def require_current(self, ruin: bool = False) -> Version:
        """The version in use. Raises InstallError where there is none, or not a whole one unless ``ruin``."""
        self.require()
        fault = self.fault_of_pointer(ruin) or (
            "" if self.current() else f"no version is in use in {self.folder}"
        )
        if fault:
            raise InstallError(f"{fault}. {self.way_out()}")
        return self.version(self.current())

    def require_whole(self, name: str) -> Version:
        """A version by its name. Raises InstallError where it is not whole."""
        version = self.version(name)
        if not version.complete:
            whole = ", ".join(other.name for other in self.versions() if other.complete)
            raise InstallError(
                f"there is no whole version {name} in {self.folder}; there is {whole or 'none'}.", USAGE
            )
        return version

    def way_out(self) -> str:
        """What to do where no version is in use, as a sentence with a line to paste."""
        whole = [version.name for version in self.versions() if version.complete]
        words = ["rollback", whole[-1]] if whole else []
        return "{}: {}".format(
            "Put one into use" if whole else "Install one", installer_line(*words, "--prefix", self.folder)
        )

    def version(self, name: str) -> Version:
        """A version by its name, there or not. Raises InstallError for what is no name of a version."""
        if not _NAME.match(name):
            raise InstallError(f"{name!r} is no name of a version. `list` tells them.", USAGE)
        folder = os.path.join(self.versions_folder, name)
        return Version(name, folder, read_stamp(folder))

    def versions(self) -> list[Version]:
        """All that are marked as ours, oldest name first, unfinished ones too."""
        if not os.path.isdir(self.versions_folder):
            return []
        return [
            self.version(name)
            for name in sorted(os.listdir(self.versions_folder), key=_natural)
            if _NAME.match(name) and os.path.isfile(os.path.join(self.versions_folder, name, VERSION_MARK))
        ]

    def place_for(self, release: str, wanted: dict[str, Any]) -> Version:
        """Where to install: a whole version that is the same already, else a free name for a new one.

        0.1.0 becomes 0.1.0-2 where another 0.1.0 is whole: nothing that works is built over.
        """
        for count in range(1, 1000):
            version = self.version(release if count == 1 else f"{release}-{count}")
            same = version.complete and all(version.stamp.get(key) == value for key, value in wanted.items())
            if same or (not version.complete and version.name != self.current()):
                return version
        raise InstallError(f"{self.versions_folder} holds too many versions {release}. Remove some.")

    def clear(self, version: Version) -> None:
        """Makes an empty folder of ours for a version. Raises InstallError for one that is not ours."""
        if os.path.lexists(version.folder) and (os.path.islink(version.folder) or os.listdir(version.folder)):
            remove_marked(version.folder, VERSION_MARK)
        put_mark(version.folder, VERSION_MARK)

    def switch(self, name: str) -> None:
        """Puts a version into use, in one step. Raises InstallError for one that is not whole."""
        self.require_whole(name)
        earlier = [other for other in self.used() if other != name]
        write_whole(self.pointer, "\n".join([name] + earlier[:REMEMBERED]) + "\n")

    def forget(self, name: str) -> None:
        """Takes a version that is not in use out of the pointer's memory."""
        left = [other for other in self.used() if other != name]
        if left != self.used():
            write_whole(self.pointer, "\n".join(left) + "\n")

    def remove(self, version: Version) -> None:
        """Removes a version's folder. Raises InstallError."""
        environment = os.path.join(version.folder, ENVIRONMENT)
        stamp = os.path.join(version.folder, STAMP)
        if os.path.isfile(stamp):
            os.remove(stamp)
        if os.path.isfile(os.path.join(environment, MARK)):
            remove_marked(environment, MARK)
        remove_marked(version.folder, VERSION_MARK)


def around(place: str) -> str:
    """The prefix that a file of an installed version belongs to; empty where it belongs to none."""
    folder = os.path.dirname(os.path.abspath(place))
    for _ in range(6):
        parent = os.path.dirname(folder)
        if os.path.basename(parent) == "versions":
            prefix = os.path.dirname(parent)
            return prefix if os.path.isfile(os.path.join(prefix, PREFIX_MARK)) else ""
        folder = parent
    return ""


def _natural(name: str) -> list[Any]:
    """A key by which 0.10.0 comes after 0.9.0."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _lock(stream: Any) -> None:
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
