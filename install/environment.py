"""A virtual environment of ours: its marks, its Python, and how it is made."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import time
from typing import Any

from outcome import REFUSED, InstallError

#: Says that a folder is an environment of ours, finished or not.
MARK = "efficienttam-environment"
#: Says that everything in it was installed to the end, and from which lists.
STAMP = "efficienttam-installed.json"


def clean_environment() -> dict[str, str]:
    """This process's variables without those that lend a foreign Python's packages."""
    foreign = ("PYTHONHOME", "PYTHONPATH", "__PYVENV_LAUNCHER__")
    environment = {key: value for key, value in os.environ.items() if key not in foreign}
    environment["PYTHONNOUSERSITE"] = "1"
    return environment


def python_of(folder: str) -> str:
    """The Python inside an environment."""
    if os.name == "nt":
        return os.path.join(folder, "Scripts", "python.exe")
    return os.path.join(folder, "bin", "python")


def runs(python: str) -> bool:
    """True when the environment's Python starts at all."""
    try:
        return subprocess.call([python, "-c", ""], env=clean_environment()) == 0
    except OSError:
        return False


def make_environment(folder: str, base: str, journal: Any) -> None:
    """A fresh virtual environment; only a folder that is ours, or empty, is ever cleared.

    ``base`` is the Python to make it with. Raises InstallError.
    """
    if os.path.isdir(folder) and os.listdir(folder):
        if not os.path.exists(os.path.join(folder, MARK)):
            raise InstallError(
                f"{folder} exists and was not made by this script. Move it away, or give another "
                "folder with --prefix.",
                REFUSED,
            )
        journal.say("an unfinished or outdated environment is made again.")
        remove_marked(folder, MARK)
    put_mark(folder, MARK)
    if journal.run([base, "-m", "venv", folder], clean_environment()):
        raise InstallError(
            f"{base} cannot make virtual environments. On Debian and Ubuntu install python3-venv."
        )


def put_mark(folder: str, mark: str) -> None:
    """Makes a folder, the ones above it too, and marks it as ours. Raises InstallError."""
    try:
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, mark), "a"):
            pass
    except OSError as error:
        raise not_writable(folder, error)


def not_writable(folder: str, error: OSError) -> InstallError:
    """The refusal for a folder that the system keeps from us."""
    return InstallError(
        f"{folder} cannot be written to: {error.strerror or error}. Install as the user it belongs to, or "
        "give another folder with --prefix; who only uses what is installed there needs to read it, no more.",
        REFUSED,
    )


def remove_marked(folder: str, mark: str) -> None:
    """Removes a folder of ours; the mark goes last, so that what is left after an interruption is still ours.

    Links in it are removed and never followed. Raises InstallError for a folder without the mark.
    """
    if os.path.islink(folder) or not os.path.isfile(os.path.join(folder, mark)):
        raise InstallError(f"{folder} is not marked as ours and is left alone.", REFUSED)
    try:
        # First what says that it is whole.
        for name in sorted(os.listdir(folder), key=lambda name: (name != STAMP, name)):
            if name != mark:
                _remove(os.path.join(folder, name))
        os.remove(os.path.join(folder, mark))
        os.rmdir(folder)
    except OSError as error:
        raise InstallError(
            f"{error.filename or folder} cannot be removed: {error.strerror or error}. Close what runs from "
            "it (a Nuke with the engine, a prompt window), then try again.",
            REFUSED,
        )


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        # The same thing under a newer name; its third argument, which differs, is not looked at.
        named = "onexc" if sys.version_info >= (3, 12) else "onerror"
        shutil.rmtree(path, **{named: _make_writable_and_retry})
    else:
        os.remove(path)


def _make_writable_and_retry(remove: Any, path: str, _: Any) -> None:
    """Windows refuses to remove read-only files, others to empty read-only folders."""
    for place in (os.path.dirname(path), path):
        if not os.path.islink(place):
            os.chmod(place, os.stat(place).st_mode | stat.S_IWUSR)
    remove(path)


def read_stamp(folder: str) -> dict[str, Any]:
    """What was installed into a folder of ours; empty while it is not whole."""
    try:
        with open(os.path.join(folder, STAMP), encoding="utf-8") as stream:
            stamp = json.load(stream)
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def write_stamp(folder: str, stamp: dict[str, Any]) -> None:
    write_whole(os.path.join(folder, STAMP), json.dumps(stamp, indent=2, sort_keys=True) + "\n")


def write_whole(path: str, text: str) -> None:
    """Writes a text file whole or not at all, on the disk before it takes the place of the old one."""
    fresh = path + ".tmp"
    with open(fresh, "w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    for patience in (0.1, 0.2, 0.4, 0.8, 0.0):
        try:
            os.replace(fresh, path)
        except PermissionError:
            # Windows, while somebody reads the old one.
            if not patience or os.name != "nt":
                raise
            time.sleep(patience)
        else:
            return
