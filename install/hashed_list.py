"""Lists of what is installed: exact versions, with the sums of the files that may be taken.

A list without sums is a plain pip requirements file for this machine; one with sums is what ``pip install
--require-hashes`` reads. Markers in ours compare ``python_version``, in lists without sums also
``platform_system``.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import platform
import re
from collections.abc import Iterable, Sequence

from outcome import InstallError
from platform_tags import normal_name

_PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[A-Za-z0-9._+!]+)\s*(;\s*(?P<marker>.+))?\Z")
_SYSTEM = re.compile(r"""platform_system\s*==\s*["'](\w+)["']\Z""")
_COMPARISON = re.compile(r"""python_version\s*(<|>=)\s*["'](\d+)\.(\d+)["']\Z""")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})\Z")


@dataclasses.dataclass(frozen=True)
class Pin:
    """One package at one version; ``hashes`` are sha256 sums of its files, none in a list without sums."""

    name: str
    version: str
    marker: str = ""
    hashes: tuple[str, ...] = ()

    def applies(self, python: tuple[int, int]) -> bool:
        """True when the marker holds for this Python."""
        return all(_holds(part.strip(), python) for part in self.marker.split(" and ") if part.strip())

    @property
    def key(self) -> str:
        """The name as indexes compare it."""
        return normal_name(self.name)

    @property
    def line(self) -> str:
        """The pin as a line of a requirements file, without its marker."""
        words = [f"{self.name}=={self.version}"] + ["--hash=sha256:" + one for one in self.hashes]
        return " ".join(words) + "\n"


def _holds(comparison: str, python: tuple[int, int]) -> bool:
    system = _SYSTEM.match(comparison)
    if system is not None:
        return platform.system() == system.group(1)
    match = _COMPARISON.match(comparison)
    if match is None:
        raise InstallError(f"a list has the marker {comparison!r}, which this installer cannot read.")
    there = (int(match.group(2)), int(match.group(3)))
    return python < there if match.group(1) == "<" else python >= there


def read_list(path: str) -> list[Pin]:
    """The pins of a list; an empty one where there is no such file. Raises InstallError."""
    if not os.path.isfile(path):
        return []
    with open(path, encoding="utf-8") as stream:
        text = stream.read().replace("\\\n", " ")
    pins = []
    for line in text.splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        words = re.split(r"\s+(?=--hash=)", line)
        match = _PIN.match(words[0].strip())
        sums = [_HASH.match(word.strip()) for word in words[1:]]
        if match is None or not all(sums):
            raise InstallError(f"the list {path} has a line that is no exact version: {line[:200]}")
        hashes = tuple(found.group(1) for found in sums if found)
        pins.append(Pin(match.group("name"), match.group("version"), match.group("marker") or "", hashes))
    return pins


def pins_for(pins: Iterable[Pin], python: tuple[int, int]) -> list[Pin]:
    """Those that this Python takes, without their markers."""
    return [dataclasses.replace(pin, marker="") for pin in pins if pin.applies(python)]


def write_list(path: str, pins: Sequence[Pin], comment: str = "") -> None:
    """Writes a list whole or not at all."""
    fresh = path + ".tmp"
    with open(fresh, "w", encoding="utf-8", newline="\n") as stream:
        stream.write("".join(f"# {line}\n" for line in comment.splitlines()))
        for pin in sorted(pins, key=lambda pin: (pin.key, pin.marker)):
            stream.write(_as_text(pin))
    os.replace(fresh, path)


def _as_text(pin: Pin) -> str:
    head = "{}=={}{}".format(pin.name, pin.version, " ; " + pin.marker if pin.marker else "")
    return " \\\n    ".join([head] + ["--hash=sha256:" + digest for digest in sorted(pin.hashes)]) + "\n"


def sum_of(path: str) -> str:
    """Hex sha256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()
