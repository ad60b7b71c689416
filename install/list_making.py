"""Makes the lists with sums anew: uv resolves for all platforms at once, each gets the wheels that fit it.

For the developers of this project; needs uv and Python 3.11 or newer.
"""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from typing import Any

from environment import clean_environment
from hashed_list import Pin, read_list, sum_of, write_list
from outcome import OK, InstallError
from packages import LOCKS, PLAIN_LISTS, list_path, torch_version
from platform_tags import PLATFORMS, PYTHONS, Platform, normal_name, read_wheel, wheel_fits
from torch_choice import FLAVOURS, TorchChoice, plain_flavour

#: What only builds of torch bring along, by the beginnings of names.
_OF_TORCH = ("torch", "triton", "nvidia-", "cuda-")
#: What our own package is built with.
_BUILD = "setuptools"
#: Parts of setup.cfg that an environment of a kind has beside the requirements.
_EXTRAS = {"run": ("movie",), "dev": ("dev",)}
_COMMENT = """{what} on {platform}, with the sums of the wheels that Python 3.10 to 3.13 take there.
Made by `python3 install/install.py lock` from install/requirements*.lock; do not edit."""


def make_lists(project: str, upgrade: bool, torch_wheels: Sequence[str], journal: Any) -> int:
    """Writes every list. ``torch_wheels`` are folders with builds of PyTorch that no index here has.

    ``upgrade`` takes the newest versions, and writes them into the plain lists first. Raises InstallError.
    """
    if sys.version_info < (3, 11):
        raise InstallError("`lock` needs Python 3.11 or newer; start it with one.")
    uv = shutil.which("uv")
    if uv is None:
        raise InstallError("`lock` needs uv on PATH: python3 -m pip install uv.")
    install = os.path.join(project, "install")
    os.makedirs(os.path.join(install, LOCKS), exist_ok=True)
    resolved: dict[str, list[dict[str, Any]]] = {}
    for kind in ("run", "dev"):
        journal.say(f"resolving {kind}")
        resolved[kind] = _resolve(uv, project, kind, upgrade)
    run_names = {normal_name(package["name"]) for package in resolved["run"]}
    resolved["dev"] = [one for one in resolved["dev"] if normal_name(one["name"]) not in run_names]
    if upgrade:
        for kind, packages in resolved.items():
            _write_plain(os.path.join(install, PLAIN_LISTS[kind]), packages)
    for place in PLATFORMS.values():
        for kind, packages in resolved.items():
            pins = _pins(packages, place, lambda name: not name.startswith(_OF_TORCH))
            _write(list_path(install, kind, place), kind, pins, place, journal)
        pins = _pins(resolved["run"], place, lambda name: name.startswith(_OF_TORCH))
        flavour = plain_flavour(place)
        _write(list_path(install, "torch", place, flavour), f"torch ({flavour})", pins, place, journal)
        for flavour in FLAVOURS:
            _list_local_torch(install, place, flavour, torch_wheels, journal)
    return OK


def _resolve(uv: str, project: str, kind: str, upgrade: bool) -> list[dict[str, Any]]:
    import tomllib

    setup = configparser.ConfigParser()
    setup.read(os.path.join(project, "setup.cfg"), encoding="utf-8")
    wanted = setup["options"]["install_requires"].split("\n") + [_BUILD]
    for extra in _EXTRAS["run"] + (_EXTRAS["dev"] if kind == "dev" else ()):
        wanted += setup["options.extras_require"][extra].split("\n")
    with tempfile.TemporaryDirectory() as folder:
        asked, told = os.path.join(folder, "asked.in"), os.path.join(folder, "pylock.toml")
        with open(asked, "w", encoding="utf-8") as stream:
            stream.write("\n".join(line for line in wanted if not line.startswith("#")))
        command = [
            uv,
            "pip",
            "compile",
            asked,
            "--universal",
            "--python-version",
            "3.10",
            "--no-header",
            "--quiet",
        ]
        command += ["--only-binary", ":all:", "--format", "pylock.toml", "--output-file", told]
        for name in () if upgrade else PLAIN_LISTS.values():
            command += ["--constraints", os.path.join(project, "install", name)]
        if subprocess.call(command, env=clean_environment(), cwd=folder):
            raise InstallError(f"uv could not resolve {kind}; its own words stand above.")
        with open(told, "rb") as stream:
            return list(tomllib.load(stream)["packages"])


def _pins(packages: Iterable[dict[str, Any]], place: Platform, wanted: Any) -> list[Pin]:
    pins = []
    for package in packages:
        if not wanted(normal_name(package["name"])):
            continue
        pythons = [python for python in PYTHONS if _holds(package.get("marker", ""), place, python)]
        if not pythons:
            continue
        sums: set[str] = set()
        for file in package["wheels"]:
            wheel = read_wheel(file.get("name") or file["url"].rpartition("/")[2].replace("%2B", "+"))
            if wheel is not None and any(wheel_fits(wheel, place, python) for python in pythons):
                sums.add(file["hashes"]["sha256"])
        if not sums:
            raise InstallError(
                "{} {} has no wheel for {}.".format(package["name"], package["version"], place.name)
            )
        pins.append(Pin(package["name"], package["version"], marker_of(pythons), tuple(sorted(sums))))
    return pins


def _holds(marker: str, place: Platform, python: tuple[int, int]) -> bool:
    """True when uv's marker holds on that platform; read by the library that pip itself uses."""
    if not marker:
        return True
    from pip._vendor.packaging.markers import Marker

    version = "{}.{}".format(*python)
    system = {"linux": "Linux", "win32": "Windows", "darwin": "Darwin"}[place.sys_platform]
    return Marker(marker).evaluate(
        {
            "python_version": version,
            "python_full_version": version + ".9",
            "sys_platform": place.sys_platform,
            "platform_machine": place.machine,
            "platform_system": system,
            "os_name": "nt" if place.sys_platform == "win32" else "posix",
            "platform_python_implementation": "CPython",
            "implementation_name": "cpython",
        }
    )


def marker_of(pythons: Sequence[tuple[int, int]]) -> str:
    """The marker that holds for these of the listed Pythons alone. They follow on each other."""
    words = []
    if pythons[0] != PYTHONS[0]:
        words.append('python_version >= "{}.{}"'.format(*pythons[0]))
    if pythons[-1] != PYTHONS[-1]:
        words.append('python_version < "{}.{}"'.format(*PYTHONS[PYTHONS.index(pythons[-1]) + 1]))
    return " and ".join(words)


def _list_local_torch(
    install: str, place: Platform, flavour: str, folders: Sequence[str], journal: Any
) -> None:
    """Lists a build by the sums of wheels that lie here; what was listed before of other wheels stays."""
    if flavour == plain_flavour(place):
        return
    version = TorchChoice(flavour, "").version(torch_version(install), place)
    path = list_path(install, "torch", place, flavour)
    pins = {pin.marker: pin for pin in read_list(path) if pin.version == version}
    for folder in folders:
        for name in sorted(os.listdir(folder)):
            wheel = read_wheel(name)
            if wheel is None or (wheel.name, wheel.version) != ("torch", version):
                continue
            for python in PYTHONS:
                if wheel_fits(wheel, place, python):
                    marker = marker_of([python])
                    pins[marker] = Pin("torch", version, marker, (sum_of(os.path.join(folder, name)),))
    if pins:
        _write(path, f"torch ({flavour})", list(pins.values()), place, journal)


def _write(path: str, what: str, pins: list[Pin], place: Platform, journal: Any) -> None:
    write_list(path, pins, _COMMENT.format(what=what, platform=place.name))
    journal.say(f"{os.path.basename(path)}: {len(pins)} packages, {sum(len(p.hashes) for p in pins)} sums")


def _write_plain(path: str, packages: Sequence[dict[str, Any]]) -> None:
    """The same versions without sums; the comment at the head of the list stays."""
    with open(path, encoding="utf-8") as stream:
        head = [line[2:].rstrip("\n") for line in stream if line.startswith("# ")]
    place = PLATFORMS["linux-x86_64"]
    pins = []
    for package in packages:
        pythons = [python for python in PYTHONS if _holds(package.get("marker", ""), place, python)]
        if pythons and not normal_name(package["name"]).startswith(_OF_TORCH[1:]):
            pins.append(Pin(package["name"], package["version"], marker_of(pythons)))
    write_list(path, pins, "\n".join(head))
