"""Which Python the engine is installed for: the one asked for, this one, or one found on this machine."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

from environment import clean_environment
from outcome import InstallError
from platform_tags import PYTHONS

OLDEST = (3, 10)
_TELL = (
    "import json, platform, sys; import venv, ensurepip; "
    "print(json.dumps([sys.executable, sys.version_info[:2], sys.platform, platform.machine(), "
    "sys.maxsize > 2**32, getattr(sys, 'base_prefix', sys.prefix)]))"
)
#: What a new machine is best given: most packages are made for these, newest first.
_BEST = ("3.11", "3.12", "3.13", "3.10")


@dataclasses.dataclass(frozen=True)
class Interpreter:
    """A Python that starts and can make virtual environments; ``home`` is where it is installed."""

    program: str
    version: tuple[int, int]
    sys_platform: str
    machine: str
    home: str


def find_interpreter(asked: str = "") -> Interpreter:
    """The Python to install for; ``asked`` is a program, or a version like 3.11. Raises InstallError."""
    if asked:
        return _asked_for(asked)
    found = look_at(sys.executable) if PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[-1] else None
    for command in () if found else _candidates(_BEST):
        found = look_at(*command)
        if found is not None and found.version >= OLDEST:
            break
        found = None
    if found is None and sys.version_info[:2] >= OLDEST:
        # Newer than the lists: what was chosen by starting this script with it.
        found = look_at(sys.executable)
    if found is None:
        raise InstallError(
            "this is Python {}; the engine needs {}.{} or newer, with the modules venv and ensurepip, and "
            "there is none on this machine's PATH. Install Python 3.11 (from python.org, or python3.11 and "
            "python3.11-venv of the system), or name one with --python.".format(
                sys.version.split()[0], *OLDEST
            )
        )
    return found


def look_at(*command: str) -> Interpreter | None:
    """What a Python says of itself; None for one that does not start, or cannot make environments."""
    try:
        done = subprocess.run(
            list(command) + ["-I", "-c", _TELL],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=clean_environment(),
            timeout=60,
        )
        told = json.loads(done.stdout.decode("utf-8", "replace"))
        program, version, sys_platform, machine, wide, home = told
    except (OSError, ValueError, TypeError, subprocess.SubprocessError):
        return None
    if not wide:
        return None
    return Interpreter(program, (version[0], version[1]), sys_platform, machine, home)


def home_around(path: str) -> str:
    """The home folder that a path lies in; empty where it lies in none.

    Whose home it is does not matter: under sudo, or where HOME was set, it is another than this user's.
    """
    path = os.path.realpath(path)
    homes = [os.path.realpath(os.path.expanduser("~"))]
    if os.name == "posix":
        import pwd

        try:
            homes.append(os.path.realpath(pwd.getpwuid(os.getuid()).pw_dir))
        except KeyError:
            # A user without an entry, as in some containers.
            homes.append("/root")
        homes.append("/root")
        named = re.match(r"/(?:home|Users)/[^/]+", path)
        homes += [named.group(0)] if named and not path.startswith("/Users/Shared/") else []
    for home in homes:
        if len(home) > 1 and os.path.join(path, "").startswith(os.path.join(home, "")):
            return home
    return ""


def _asked_for(asked: str) -> Interpreter:
    if re.match(r"\d+\.\d+\Z", asked):
        commands = list(_candidates((asked,)))
    else:
        commands = [[os.path.expanduser(asked) if os.sep in asked or "~" in asked else asked]]
    for command in commands:
        found = look_at(*command)
        if found is None:
            continue
        if found.version < OLDEST:
            raise InstallError(
                "{} is Python {}.{}; the engine needs {}.{} or newer.".format(asked, *found.version, *OLDEST)
            )
        return found
    raise InstallError(
        f"--python {asked!r} is no Python of 64 bits that starts here with the modules venv and ensurepip. "
        "Give its path, or a version that is on PATH, like 3.11."
    )


def _candidates(versions: tuple[str, ...]) -> Iterator[list[str]]:
    """Commands that may start these versions, on every platform."""
    for version in versions:
        if sys.version_info[:2] == tuple(int(part) for part in version.split(".")):
            yield [sys.executable]
        program = shutil.which("python" + version)
        if program:
            yield [program]
        # Windows: the launcher knows every Python that was installed.
        launcher = shutil.which("py") if os.name == "nt" else None
        if launcher:
            yield [launcher, "-" + version]
