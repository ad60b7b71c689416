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
        # Without sums, as from an index that no list knows, what it needs is not known either.
        _fetch(torch, place, python, folder, choice.index or choice.fallback(place), journal)
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
    """One pip for a list: markers are resolved already, so nothing is asked of this machine's Python."""
    file = os.path.join(folder, "efficienttam-list.tmp")
    write_whole(file, "".join(pin.line for pin in pins))
    hashed = all(pin.hashes for pin in pins)
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input"]
    command += ["--only-binary", ":all:", "--dest", folder, "--implementation", "cp"]
    command += ["--python-version", "{}.{}".format(*python)]
    command += ["--abi", "cp{}{}".format(*python), "--abi", "abi3", "--abi", "none"]
    for tag in place.tags:
        command += ["--platform", tag]
    command += ["--require-hashes", "--no-deps"] if hashed else []
    command += ["--index-url", index] if index else []
    try:
        if journal.run(command + ["-r", file], clean_environment()):
            raise InstallError(
                "pip could not fetch all of it; its own words stand above. What was fetched stays, and the "
                "same command goes on."
            )
    finally:
        os.remove(file)


def _check(pins: Sequence[Pin], place: Platform, python: tuple[int, int], folder: str) -> None:
    """Raises InstallError unless the folder has a wheel that fits for each pin, with a sum of the list."""
    there = {}
    for name in os.listdir(folder):
        wheel = read_wheel(name)
        if wheel is not None and wheel_fits(wheel, place, python):
            there[wheel.name, wheel.version] = name
    for pin in pins:
        name = there.get((pin.key, pin.version), "")
        if not name:
            raise InstallError(f"no wheel of {pin.name} {pin.version} for {place.name} came.")
        if pin.hashes and sum_of(os.path.join(folder, name)) not in pin.hashes:
            raise InstallError(f"{name} has another sum than the list says.", WRONG_SUM)


def has_pip() -> bool:
    """True when this Python can run pip, which ``download`` needs."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return done.returncode == 0
