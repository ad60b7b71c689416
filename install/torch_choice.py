"""Which build of PyTorch a machine gets: by its NVIDIA driver and card, Metal on a Mac, else processor."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence

from outcome import USAGE, InstallError
from platform_tags import Platform, read_wheel, wheel_fits

INDEX = "https://download.pytorch.org/whl/"
#: CUDA builds of PyTorch 2.13 with the least driver (of Linux, of Windows) that runs them and the cards they
#: hold code for, by compute capability; best first. NVIDIA's minor version compatibility covers drivers from
#: 525 (528) for all of CUDA 12. CUDA 12.8 went with 2.12; a build for CUDA 13.2 is there for those who ask.
_BUILDS = (
    ("cu130", (580, 580), ((7, 5), (99, 0))),
    ("cu126", (525, 528), ((5, 0), (9, 99))),
)
FLAVOURS = ("cpu", "mps", "cu126", "cu130", "cu132")
#: Builds that the common package index has under the plain version, by platform.
_PLAIN = {"linux-x86_64": "cu130", "windows-amd64": "cpu", "macos-arm64": "mps"}


def plain_flavour(place: Platform) -> str:
    """The build that a platform gets from the common package index."""
    return _PLAIN[place.name]


@dataclasses.dataclass(frozen=True)
class Gpu:
    """An NVIDIA card as ``nvidia-smi`` tells it; ``capability`` is (0, 0) where the driver does not say."""

    name: str
    driver: tuple[int, ...]
    capability: tuple[int, int] = (0, 0)


@dataclasses.dataclass(frozen=True)
class TorchChoice:
    """A build: its flavour, why it was chosen, and the index that has it (empty: the usual one)."""

    flavour: str
    why: str
    index: str = ""

    def version(self, version: str, place: Platform | None) -> str:
        """The exact version to ask for, ``2.13.0+cpu`` say."""
        if not self.flavour or (
            place is not None and _PLAIN.get(place.name) == self.flavour and not self.index
        ):
            return version
        return version if self.flavour == "mps" else f"{version}+{self.flavour}"

    def fallback(self, place: Platform | None) -> str:
        """The index to ask where the usual ones do not have it; empty for none."""
        if self.index or not self.flavour or place is None or _PLAIN.get(place.name) == self.flavour:
            return ""
        return INDEX + self.flavour


def find_gpus(run: Callable[[Sequence[str]], str | None] | None = None) -> list[Gpu]:
    """The NVIDIA cards of this machine; none where there is no driver or it does not answer."""
    run = run or _run
    for fields in ("name,driver_version,compute_cap", "name,driver_version"):
        told = run(["nvidia-smi", "--query-gpu=" + fields, "--format=csv,noheader"])
        gpus = [_read_gpu(line) for line in (told or "").splitlines()]
        found = [gpu for gpu in gpus if gpu is not None]
        if found:
            return found
    return []


def _run(command: Sequence[str]) -> str | None:
    program = shutil.which(command[0])
    if program is None and os.name == "nt":
        program = os.path.join(
            os.environ.get("ProgramFiles", r"C:\Program Files"),
            "NVIDIA Corporation",
            "NVSMI",
            "nvidia-smi.exe",
        )
    try:
        done = subprocess.run(
            [program or command[0]] + list(command[1:]),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=30,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def _read_gpu(line: str) -> Gpu | None:
    parts = [part.strip() for part in line.split(",")]
    if len(parts) < 2 or not re.match(r"\d+(\.\d+)+\Z", parts[1]):
        return None
    capability = re.match(r"(\d+)\.(\d+)\Z", parts[2]) if len(parts) > 2 else None
    return Gpu(
        parts[0],
        tuple(int(part) for part in parts[1].split(".")),
        (int(capability.group(1)), int(capability.group(2))) if capability else (0, 0),
    )


def choose(asked: str, index: str, place: Platform | None, gpus: Sequence[Gpu]) -> TorchChoice:
    """The build for ``--torch`` (auto, cpu, cuda or a flavour) and ``--torch-index``. Raises InstallError."""
    named = re.search(r"/(cpu|cu\d+)/?\Z", index)
    if index and asked == "auto":
        if named is None:
            raise InstallError(
                f"--torch-index {index} does not end with the build it has. Say which with --torch cpu or "
                "--torch cu126, say.",
                USAGE,
            )
        return TorchChoice(named.group(1), "the index has it", index)
    if place is None:
        return TorchChoice("", "there is no list for this platform", index)
    if place.sys_platform == "darwin":
        if asked not in ("auto", "cpu", "mps"):
            raise InstallError(f"--torch {asked}: there is no CUDA on a Mac. Leave it out.", USAGE)
        return TorchChoice("mps", "macOS: one build has Metal and the processor", index)
    if asked not in ("auto", "cuda"):
        return TorchChoice(asked, "asked for with --torch", index)
    return dataclasses.replace(_by_driver(asked, place, gpus), index=index)


def _by_driver(asked: str, place: Platform, gpus: Sequence[Gpu]) -> TorchChoice:
    if not gpus:
        if asked == "cuda":
            raise InstallError(
                "--torch cuda: nvidia-smi finds no card on this machine. For other machines name the build, "
                "like --torch cu126, or install NVIDIA's driver."
            )
        return TorchChoice("cpu", "nvidia-smi finds no card")
    gpu = min(gpus, key=lambda gpu: gpu.capability)
    column = 0 if place.sys_platform == "linux" else 1
    told = "{}, driver {}".format(gpu.name, ".".join(map(str, gpu.driver)))
    for flavour, drivers, (least, most) in _BUILDS:
        known = gpu.capability != (0, 0)
        if gpu.driver[0] >= drivers[column] and (not known or least <= gpu.capability <= most):
            return TorchChoice(flavour, told)
    why = f"no CUDA build of PyTorch runs with {told}; a newer driver may help"
    if asked == "cuda":
        raise InstallError(f"--torch cuda: {why}.")
    return TorchChoice("cpu", why)


def in_wheelhouse(
    choice: TorchChoice,
    asked: str,
    files: Sequence[str],
    version: str,
    place: Platform,
    python: tuple[int, int],
) -> TorchChoice:
    """The choice, or the build that the wheelhouse has instead where nothing was asked for by name.

    Raises InstallError where it has none that fits.
    """
    there = {}
    for file in files:
        wheel = read_wheel(file)
        if wheel is None or wheel.name != "torch" or not wheel_fits(wheel, place, python):
            continue
        plain, _, flavour = wheel.version.partition("+")
        if plain == version:
            there[flavour or _PLAIN[place.name]] = file
    if choice.flavour in there:
        return choice
    if asked != "auto" or not there:
        raise InstallError(
            "the wheelhouse has no torch {} ({}) for Python {}.{} on {}; it has {}. Fill it with `install.py "
            "download`.".format(
                version,
                choice.flavour,
                *python,
                place.name,
                ", ".join(sorted(there.values())) or "no torch that fits",
            )
        )
    flavour = "cpu" if "cpu" in there else sorted(there)[-1]
    return TorchChoice(flavour, f"what the wheelhouse has; this machine would get {choice.flavour}")
