"""Fills a wheelhouse for any platform from any machine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from environment import clean_environment, write_whole
from hashed_list import Pin, pins_for, read_list, sum_of
from outcome import OK, WRONG_SUM, InstallError
from packages import WINDOW, list_path, torch_pins, torch_version
from platform_tags import Platform, read_wheel, wheel_fits
from torch_choice import TorchChoice
from wheelhouse import write_record


def download(
    install: str,
    place: Platform,
    python: tuple[int, int],
    choice: TorchChoice,
    folder: str,
    kinds: Sequence[str],
    journal: Any,
) -> int:
    """Fetches every wheel of the lists into a folder and records their sums.

    ``choice`` has no flavour to leave PyTorch out. Raises InstallError.
    """
    _require_pip()
    os.makedirs(folder, exist_ok=True)
    pins: list[Pin] = []
    for kind in kinds:
        listed = pins_for(read_list(list_path(install, "dev" if kind == "window" else kind, place)), python)
        if not listed:
            raise InstallError(f"there is no list of sums {kind} for {place.name}.")
        pins += [pin for pin in listed if kind != "window" or pin.key in WINDOW]
    told = "{} for Python {}.{}".format(place.name, *python)
    journal.say(f"fetching {len(pins)} packages for {told}")
    _fetch(pins, place, python, folder, "", journal)
    if choice.flavour:
        version = torch_version(install)
        torch = torch_pins(install, choice, place, python)
        journal.say(f"fetching torch {choice.version(version, place)}")
        fallback = choice.fallback(place)
        if not fallback or _run(torch, place, python, folder, "", journal, hidden=True):
            _fetch(torch, place, python, folder, choice.index or fallback, journal)
        pins += torch
    _check(pins, place, python, folder)
    about = {"platform": place.name, "python": "{}.{}".format(*python), "torch": choice.flavour or "left out"}
    write_record(folder, about)
    size = sum(os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder))
    journal.say(f"{folder} holds {len(pins)} packages, {size / 2**20:.0f} MB")
    return OK


def _fetch(
    pins: Sequence[Pin], place: Platform, python: tuple[int, int], folder: str, index: str, journal: Any
) -> None:
    if _run(pins, place, python, folder, index, journal, hidden=False):
        raise InstallError(
            "pip could not fetch all of it; its own words stand above. What was fetched stays, and the same "
            "command goes on."
        )


def _run(
    pins: Sequence[Pin],
    place: Platform,
    python: tuple[int, int],
    folder: str,
    index: str,
    journal: Any,
    hidden: bool,
) -> int:
    """One pip for a list: markers are resolved already, so nothing is asked of this machine's Python."""
    file = os.path.join(folder, "efficienttam-list.tmp")
    write_whole(file, "".join(pin.line for pin in pins))
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input"]
    command += ["--only-binary", ":all:", "--dest", folder, "--implementation", "cp"]
    command += ["--python-version", "{}.{}".format(*python)]
    command += ["--abi", "cp{}{}".format(*python), "--abi", "abi3", "--abi", "none"]
    for tag in place.tags:
        command += ["--platform", tag]
    if all(pin.hashes for pin in pins):
        command += ["--require-hashes", "--no-deps"]
    command += ["--index-url", index] if index else []
    try:
        return journal.run(command + ["-r", file], clean_environment(), hidden)
    finally:
        os.remove(file)


def _check(pins: Sequence[Pin], place: Platform, python: tuple[int, int], folder: str) -> None:
    """Raises InstallError unless the folder has a wheel that fits for each pin, with a sum of the list."""
    there: dict[tuple[str, str], list[str]] = {}
    for name in sorted(os.listdir(folder)):
        wheel = read_wheel(name)
        if wheel is not None and wheel_fits(wheel, place, python):
            # An index of one's own may have the same version with a local name, which counts as it for pip.
            for version in {wheel.version, wheel.version.partition("+")[0]}:
                there.setdefault((wheel.name, version), []).append(name)
    for pin in pins:
        names = there.get((pin.key, pin.version), [])
        if not names:
            raise InstallError(f"no wheel of {pin.name} {pin.version} for {place.name} came.")
        if pin.hashes and not any(sum_of(os.path.join(folder, name)) in pin.hashes for name in names):
            raise InstallError(f"{names[0]} has another sum than the list says.", WRONG_SUM)


def _require_pip() -> None:
    """Raises InstallError unless this Python can run pip."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    if done.returncode:
        raise InstallError(
            "`download` needs pip, which this Python does not have. Start it with one that has."
        )
