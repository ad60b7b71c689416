"""Platforms that lists and wheelhouses are made for, and which wheels fit them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from outcome import USAGE, InstallError

#: Pythons the engine is listed for.
PYTHONS = ((3, 10), (3, 11), (3, 12), (3, 13))
_WHEEL = re.compile(
    r"(?P<name>[A-Za-z0-9._]+)-(?P<version>[A-Za-z0-9._+!]+)(-\d[^-]*)?"
    r"-(?P<python>[A-Za-z0-9._]+)-(?P<abi>[A-Za-z0-9._]+)-(?P<platform>[A-Za-z0-9._]+)\.whl\Z"
)


@dataclasses.dataclass(frozen=True)
class Platform:
    """One kind of machine. ``tags`` is what pip is asked for, best first; ``pattern`` what wheels say."""

    name: str
    sys_platform: str
    machine: str
    tags: tuple[str, ...]
    pattern: str


def _manylinux(machine: str) -> tuple[str, ...]:
    """Every tag from glibc 2.28 (the VFX platform's years 2024 to 2026) down; then newer ones, taken last."""
    named = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
    tags = []
    for minor in [*range(28, 4, -1), *range(29, 36)]:
        tags.append(f"manylinux_2_{minor}_{machine}")
        if minor in named and (machine == "x86_64" or minor == 17):
            tags.append(f"{named[minor]}_{machine}")
    return tuple(tags)


PLATFORMS: dict[str, Platform] = {
    place.name: place
    for place in (
        Platform(
            "linux-x86_64",
            "linux",
            "x86_64",
            _manylinux("x86_64"),
            r"manylinux(1|2010|2014|_2_\d+)_x86_64|linux_x86_64",
        ),
        Platform("windows-amd64", "win32", "AMD64", ("win_amd64",), r"win_amd64"),
        Platform(
            "macos-arm64",
            "darwin",
            "arm64",
            ("macosx_14_0_arm64", "macosx_14_0_universal2"),
            r"macosx_1[0-4]_\d+_(arm64|universal2)",
        ),
    )
}
_SHORT = {"linux": "linux-x86_64", "windows": "windows-amd64", "macos": "macos-arm64"}
NO_INTEL_MAC = (
    "PyTorch is not made for Macs with Intel processors any more (2.2 was the last), so the engine cannot "
    "run there. Use a Mac with Apple silicon, Linux or Windows."
)


def platform_named(name: str) -> Platform:
    """The platform of a name on the command line. Raises InstallError."""
    if name == "macos-x86_64":
        raise InstallError(NO_INTEL_MAC, USAGE)
    place = PLATFORMS.get(_SHORT.get(name, name))
    if place is None:
        known = ", ".join([*_SHORT, *PLATFORMS])
        raise InstallError(f"there is no platform {name!r}. Known are {known}.", USAGE)
    return place


def platform_of(sys_platform: str, machine: str) -> Platform | None:
    """The platform of a Python that says so of itself; None for one that has no list.

    Raises InstallError where the engine cannot run at all.
    """
    if sys_platform == "darwin" and machine == "x86_64":
        raise InstallError(
            NO_INTEL_MAC + " On Apple silicon this Python is one for Intel: name another with --python."
        )
    for place in PLATFORMS.values():
        if place.sys_platform == sys_platform and place.machine.lower() == machine.lower():
            return place
    return None


@dataclasses.dataclass(frozen=True)
class Wheel:
    """What a wheel's file name says."""

    name: str
    version: str
    pythons: frozenset[str]
    abis: frozenset[str]
    platforms: frozenset[str]


def read_wheel(file: str) -> Wheel | None:
    """The parts of a wheel's file name; None for what is no wheel, or names a folder."""
    match = _WHEEL.match(file)
    if match is None:
        return None
    return Wheel(
        normal_name(match.group("name")),
        match.group("version"),
        frozenset(match.group("python").split(".")),
        frozenset(match.group("abi").split(".")),
        frozenset(match.group("platform").split(".")),
    )


def wheel_fits(wheel: Wheel, place: Platform, python: tuple[int, int]) -> bool:
    """True when this Python on this platform can use the wheel."""
    if wheel.platforms != {"any"}:
        if not any(re.match(f"(?:{place.pattern})\\Z", tag) for tag in wheel.platforms):
            return False
    return any(_python_fits(tag, abi, python) for tag in wheel.pythons for abi in wheel.abis)


def _python_fits(tag: str, abi: str, python: tuple[int, int]) -> bool:
    match = re.match(r"(py|cp)(\d)(\d*)\Z", tag)
    if match is None or int(match.group(2)) != python[0]:
        return False
    minor = int(match.group(3)) if match.group(3) else 0
    if abi in ("none", "abi3"):
        return minor <= python[1]
    return minor == python[1] and abi == tag


def normal_name(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def parse_python(text: str) -> tuple[int, int]:
    """(3, 11) of ``3.11``. Raises InstallError for what the engine is not listed for."""
    match = re.match(r"(\d+)\.(\d+)(?:\.\d+)?\Z", text)
    python = (int(match.group(1)), int(match.group(2))) if match else (0, 0)
    if python not in PYTHONS:
        raise InstallError(
            f"--python {text!r} is none that the engine is listed for: {tell_pythons(PYTHONS)}.", USAGE
        )
    return python


def tell_pythons(pythons: Sequence[tuple[int, int]]) -> str:
    return ", ".join("{}.{}".format(*python) for python in pythons)
