"""A folder of wheels with a record of their sums, for machines without a network."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

from environment import write_whole
from hashed_list import sum_of
from outcome import REFUSED, WRONG_SUM, InstallError
from platform_tags import read_wheel

#: Written by ``install.py download`` into the folder it filled.
RECORD = "efficienttam-wheelhouse.json"


def wheels_in(folder: str) -> list[str]:
    """Names of the wheels in a wheelhouse. Raises InstallError where there is no such folder."""
    if not os.path.isdir(folder):
        raise InstallError(f"there is no wheelhouse folder {folder}.")
    return sorted(name for name in os.listdir(folder) if read_wheel(name) is not None)


def read_record(folder: str) -> dict[str, Any]:
    """What ``install.py download`` wrote of the folder; empty for one filled by other means."""
    try:
        with open(os.path.join(folder, RECORD), encoding="utf-8") as stream:
            record = json.load(stream)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise InstallError(f"the record {os.path.join(folder, RECORD)} cannot be read: {error}.")
    if not isinstance(record, dict) or not isinstance(record.get("files"), dict):
        raise InstallError(f"{os.path.join(folder, RECORD)} is no record of a wheelhouse.")
    return record


def write_record(folder: str, about: dict[str, Any]) -> None:
    """Writes down the sums of all wheels there; ``about`` says for which machines they are."""
    files = {name: sum_of(os.path.join(folder, name)) for name in wheels_in(folder)}
    record = dict(about, files=files)
    write_whole(os.path.join(folder, RECORD), json.dumps(record, indent=2, sort_keys=True) + "\n")


def check_sums(folder: str) -> int:
    """How many files were checked against the record. Raises InstallError for the first that differs."""
    files = read_record(folder).get("files", {})
    for name, told in _differing(folder, files):
        raise InstallError(
            f"{name} in the wheelhouse {folder} {told}. Copy it again, or fetch it with install.py download.",
            WRONG_SUM,
        )
    return len(files)


def _differing(folder: str, files: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name, expected in sorted(files.items()):
        if read_wheel(name) is None:
            raise InstallError(f"the record of {folder} names {name!r}, which is no wheel.", REFUSED)
        path = os.path.join(folder, name)
        if not os.path.isfile(path):
            yield name, "is missing"
        elif sum_of(path) != expected:
            yield name, f"is damaged or was replaced: its sha256 is not the recorded {expected[:12]}..."


def sums_of(folder: str, name: str, version: str) -> tuple[str, ...]:
    """Recorded sums of a package's wheels at a version."""
    found = []
    for file, digest in read_record(folder).get("files", {}).items():
        wheel = read_wheel(file)
        if wheel is not None and (wheel.name, wheel.version) == (name, version):
            found.append(digest)
    return tuple(found)
