"""Installs lists of packages into an environment with pip, or with uv where it is there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from typing import Any

from environment import clean_environment, write_whole
from hashed_list import Pin, pins_for, read_list
from outcome import InstallError
from platform_tags import PYTHONS, Platform
from torch_choice import TorchChoice, plain_flavour
from wheelhouse import sums_of

HERE = os.path.dirname(os.path.abspath(__file__))
#: Lists with sums, one per platform; those of torch one per platform and build.
LOCKS = "locks"
#: The same versions without sums: what a platform without a list gets, and what new lists are made from.
PLAIN_LISTS = {"run": "requirements.lock", "dev": "requirements-dev.lock"}
#: Of the developers' lists: what the prompt window needs where no host brings a Qt.
WINDOW = ("pyside6-essentials", "shiboken6")
LISTS_FOLDER = "efficienttam-lists"
#: Settings of pip that name where packages come from; uv would not follow them.
_PIP_SOURCES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_CONFIG_FILE")


def list_path(install: str, kind: str, place: Platform, flavour: str = "") -> str:
    """The list with sums of a kind (run, dev, torch) for a platform."""
    return os.path.join(
        install, LOCKS, "-".join([kind, place.name] + ([flavour] if flavour else [])) + ".txt"
    )


def torch_version(install: str) -> str:
    """The version of PyTorch that the lists have; empty where they have none."""
    for pin in read_list(os.path.join(install, PLAIN_LISTS["run"])):
        if pin.key == "torch":
            return pin.version
    return ""


class Packages:
    """Puts packages into the environment in ``folder``."""

    def __init__(
        self, folder: str, python: str, version: tuple[int, int], journal: Any, wheelhouse: str, tool: str
    ) -> None:
        self._folder = folder
        self._python = python
        self._version = version
        self._journal = journal
        self._wheelhouse = os.path.abspath(wheelhouse) if wheelhouse else ""
        self._uv = _find_uv(tool, bool(wheelhouse))

    @property
    def tool(self) -> str:
        return "uv" if self._uv else "pip"

    def install_lists(self, install: str, kinds: Sequence[str], place: Any) -> None:
        """The lists of these kinds but for torch: with sums where this platform has them."""
        for kind in kinds:
            pins = _listed(install, kind, place, self._version)
            if not pins:
                pins = read_list(os.path.join(install, PLAIN_LISTS[kind]))
                if pins:
                    self._journal.say(
                        f"there are no sums for this platform and Python: {kind} by version alone."
                    )
            # Torch is in the plain lists too, and chosen by the machine.
            self.install([pin for pin in pins_for(pins, self._version) if pin.key != "torch"], kind)

    def install_window(self, install: str, place: Any) -> None:
        """What the prompt window needs. Raises InstallError."""
        self.install(window_pins(install, place, self._version), "window")

    def install_torch(self, install: str, choice: TorchChoice, place: Any) -> None:
        """The build of PyTorch that was chosen. Raises InstallError."""
        version = torch_version(install)
        if not version:
            return
        pins = torch_pins(install, choice, place, self._version, self._wheelhouse)
        if not all(pin.hashes for pin in pins):
            self._journal.say(f"torch {pins[0].version} comes without a sum to check it by.")
        fallback = "" if self._wheelhouse else choice.fallback(place)
        if choice.index and not self._wheelhouse:
            self.install(pins, "torch", choice.index)
        elif fallback and not self._install(pins, "torch", "", hidden=True):
            return
        elif fallback:
            self._journal.say(f"the usual index does not have torch {pins[0].version}; asking {fallback}.")
            if self._install(pins, "torch", fallback, hidden=False):
                flavour = plain_flavour(place) if place else ""
                raise self._failure(
                    "torch",
                    f" The usual index has another build, which runs on a processor too and may take "
                    f"several GB: --torch {flavour}.",
                )
        else:
            self.install(pins, "torch")

    def install(self, pins: Sequence[Pin], kind: str, index: str = "") -> None:
        """Exact versions; with ``index`` from there alone. Raises InstallError."""
        status = self._install(pins, kind, index, hidden=False)
        if status:
            raise self._failure(kind)

    def install_program(self, folder: str) -> None:
        """Our own package where it lies, built with the setuptools of the list and nothing else."""
        command = self._command() + ["--no-index", "--no-deps", "--no-build-isolation", "--quiet"]
        # A path entry and not a finder: with a finder any folder of our name in the folder at hand, or on
        # the path, would stand before the package.
        command += ["--config-settings", "editable_mode=compat"]
        if self._journal.run(command + ["--editable", folder], self._environment()):
            raise self._failure("efficienttam")

    def _install(self, pins: Sequence[Pin], kind: str, index: str, hidden: bool) -> int:
        if not pins:
            return 0
        folder = os.path.join(self._folder, LISTS_FOLDER)
        os.makedirs(folder, exist_ok=True)
        file = os.path.join(folder, kind + ".txt")
        write_whole(file, "".join(pin.line for pin in pins))
        command = self._command()
        if self._wheelhouse:
            command += ["--no-index", "--find-links", self._wheelhouse]
        elif index:
            command += ["--index-url", index]
        if all(pin.hashes for pin in pins):
            command += ["--require-hashes", "--only-binary", ":all:"]
            if kind == "torch":
                # What it needs beside its own libraries is there already; uv would want sums of that again.
                command.append("--no-deps")
        return self._journal.run(command + ["-r", file], self._environment(), hidden)

    def _command(self) -> list[str]:
        if self._uv:
            offline = ["--offline"] if self._wheelhouse else []
            # Copies: a link into this user's cache is nothing for a shared folder.
            return [self._uv, "pip", "install", "--python", self._python, "--link-mode", "copy"] + offline
        return [self._python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]

    def _environment(self) -> dict[str, str]:
        environment = clean_environment()
        if self._wheelhouse:
            # Settings of this machine that name other sources.
            environment = {key: value for key, value in environment.items() if key not in _PIP_SOURCES}
            environment["PIP_CONFIG_FILE"] = os.devnull
        return environment

    def _failure(self, what: str, more: str = "") -> InstallError:
        return InstallError(
            "installing {} with {} failed; its own words stand above{}. Run the same command again to go on; "
            "without a network, give a folder of wheels with --wheelhouse.{}".format(
                what, self.tool, " and in " + self._journal.path if self._journal.path else "", more
            )
        )


def _listed(
    install: str, kind: str, place: Platform | None, python: tuple[int, int], flavour: str = ""
) -> list[Pin]:
    """A list with sums; empty where there is none for this platform, or this Python."""
    if place is None or python not in PYTHONS:
        return []
    return read_list(list_path(install, kind, place, flavour))


def window_pins(install: str, place: Any, python: tuple[int, int]) -> list[Pin]:
    """Qt for the prompt window, for this Python."""
    pins = _listed(install, "dev", place, python) or read_list(os.path.join(install, PLAIN_LISTS["dev"]))
    return [pin for pin in pins_for(pins, python) if pin.key in WINDOW]


def torch_pins(
    install: str, choice: TorchChoice, place: Any, python: tuple[int, int], wheelhouse: str = ""
) -> list[Pin]:
    """PyTorch, with what its build brings along where a list has that, for this Python."""
    wanted = choice.version(torch_version(install), place)
    pins = pins_for(_listed(install, "torch", place, python, choice.flavour), python)
    if any(pin.key == "torch" and pin.version == wanted for pin in pins):
        return pins
    sums = sums_of(wheelhouse, "torch", wanted) if wheelhouse else ()
    return [Pin("torch", wanted, "", sums)]


def _find_uv(tool: str, offline: bool) -> str:
    """Path of uv when it is to be used; empty for pip. Raises InstallError where it was asked for in vain.

    By itself it is taken where nothing says to pip where packages come from, which uv would not follow.
    """
    found = shutil.which("uv") or ""
    if tool == "uv" and not found:
        raise InstallError("--tool uv: there is no uv on PATH. Install it, or leave --tool out.")
    if tool == "pip" or (tool == "auto" and not offline and _pip_is_set_up()):
        return ""
    return found


def _pip_is_set_up() -> bool:
    if any(os.environ.get(name) for name in _PIP_SOURCES):
        return True
    home = os.path.expanduser("~")
    files = [
        "/etc/pip.conf",
        os.path.join(home, ".pip", "pip.conf"),
        os.path.join(os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config"), "pip", "pip.conf"),
        os.path.join(home, "Library", "Application Support", "pip", "pip.conf"),
        os.path.join(os.environ.get("APPDATA") or home, "pip", "pip.ini"),
        os.path.join(os.environ.get("PROGRAMDATA") or home, "pip", "pip.ini"),
    ]
    return any(os.path.isfile(file) for file in files)
