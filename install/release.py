"""The program that this installer belongs to: its version, its files, and copies of them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator

from environment import write_whole
from hashed_list import sum_of
from outcome import InstallError

#: What of a clone or an unpacked release is installed.
PARTS = (
    "efficienttam",
    "nuke_plugin",
    "gizmos",
    "install",
    "setup.cfg",
    "pyproject.toml",
    "README.md",
    "CHANGELOG.md",
    "LICENSE",
    "NOTICE",
)
#: Sums of all files of a copy, in it.
MANIFEST = "efficienttam-files.json"
_LEFT_OUT = {"__pycache__", ".mypy_cache", ".ruff_cache"}
_VERSION = re.compile(r"""^__version__\s*=\s*["']([0-9][A-Za-z0-9.+]*)["']""", re.MULTILINE)


def version_of(root: str) -> str:
    """The version of the program in a folder. Raises InstallError where there is none."""
    path = os.path.join(root, "efficienttam", "__init__.py")
    try:
        with open(path, encoding="utf-8") as stream:
            match = _VERSION.search(stream.read())
    except OSError as error:
        raise InstallError(f"{root} is no EfficientTAM: {error}.")
    if match is None:
        raise InstallError(f"{path} does not say its version.")
    return match.group(1)


def files_of(root: str) -> list[str]:
    """Every file that is installed, relative to the root with forward slashes, sorted."""
    return sorted(name for part in PARTS for name in _walk(root, part))


def _walk(root: str, part: str) -> Iterator[str]:
    path = os.path.join(root, *part.split("/"))
    # A link could lead anywhere; a release has none.
    if os.path.islink(path):
        return
    if os.path.isfile(path):
        if not part.endswith((".pyc", ".tmp", ".part")):
            yield part
    elif os.path.isdir(path):
        for name in os.listdir(path):
            if name not in _LEFT_OUT and not name.endswith(".egg-info"):
                yield from _walk(root, part + "/" + name)


def sums_of_files(root: str) -> dict[str, str]:
    """sha256 of every file that is installed."""
    return {name: sum_of(os.path.join(root, *name.split("/"))) for name in files_of(root)}


def sum_of_all(sums: dict[str, str]) -> str:
    """One sum for a whole program."""
    text = "".join(f"{digest} {name}\n" for name, digest in sorted(sums.items()))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def copy_to(root: str, target: str, sums: dict[str, str]) -> None:
    """Copies the files, checks each copy against its sum, and leaves the sums beside them."""
    for name, expected in sums.items():
        place = os.path.join(target, *name.split("/"))
        os.makedirs(os.path.dirname(place), exist_ok=True)
        shutil.copyfile(os.path.join(root, *name.split("/")), place)
        if sum_of(place) != expected:
            raise InstallError(f"{place} did not arrive as it is in {root}. Is the disk sound?")
    write_whole(os.path.join(target, MANIFEST), json.dumps(sums, indent=1, sort_keys=True) + "\n")


def faults_of(target: str) -> list[str]:
    """What differs in a copy from what was installed; empty for a sound one."""
    try:
        with open(os.path.join(target, MANIFEST), encoding="utf-8") as stream:
            sums = json.load(stream)
    except (OSError, ValueError) as error:
        return [f"the list of its files cannot be read: {error}"]
    faults = []
    for name, expected in sorted(sums.items()):
        path = os.path.join(target, *name.split("/"))
        if not os.path.isfile(path):
            faults.append(f"{name} is missing")
        elif sum_of(path) != expected:
            faults.append(f"{name} was changed")
    return faults
