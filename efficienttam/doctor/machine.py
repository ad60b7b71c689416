"""The machine: system, Python, PyTorch, the device that will do the work, memory and disk."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from .. import __version__
from ..contract.cache_settings import cache_settings
from ..contract.errors import EfficientTAMError, SettingsError
from ..contract.installed import installed_prefix, package_root
from ..contract.settings_in_force import setting
from ..contract.sizes import format_size
from .installation import how_to_install_again
from .report import Check, failed, passed, warned

#: Below this much free memory a 2K plate with one object may not fit beside the network.
LITTLE_MEMORY = 4 * 2**30
#: Of the GPU: the network and the frames it remembers.
LITTLE_GPU_MEMORY = 3 * 2**30
LITTLE_DISK = 2 * 2**30


def check_engine() -> Check:
    """Which engine this is, and where."""
    prefix = installed_prefix()
    where = f"installed in {prefix}" if prefix else f"in {package_root()}"
    return passed("engine", f"EfficientTAM {__version__}, {where}")


def check_system() -> Check:
    """The operating system and the Python."""
    told = (
        f"{platform.system()} {platform.release()} {platform.machine()}, Python {platform.python_version()}"
    )
    if sys.maxsize < 2**32:
        return failed("system", f"{told}, 32 bits", "Install with a Python of 64 bits.")
    return passed("system", f"{told} at {sys.executable}")


def check_torch() -> Check:
    """Whether PyTorch loads, and what it was built for."""
    try:
        import torch
    except (ImportError, OSError) as error:
        return failed("torch", f"PyTorch cannot be loaded: {error}", how_to_install_again())
    built = f"CUDA {torch.version.cuda}" if torch.version.cuda else "no CUDA"
    told = f"{torch.__version__}, {built}, {torch.get_num_threads()} threads"
    driver = nvidia_driver()
    if driver and not torch.version.cuda:
        return warned(
            "torch",
            f"{told}; this machine has an NVIDIA card ({driver})",
            f"Where the card is to do the work: {how_to_install_again('--torch', 'cuda')}",
        )
    return passed("torch", told)


def check_device(asked: str = "") -> Check:
    """The device that work would be done on."""
    import torch

    from ..contract.job import Precision
    from ..weights.device import choose_device, choose_precision

    try:
        device = choose_device(asked or "auto")
        precision = str(choose_precision(device, Precision.AUTO)).removeprefix("torch.")
    except SettingsError:
        raise
    except EfficientTAMError as error:
        return failed("device", error.message, error.remedy)
    said = setting("device", asked)
    who = f", by {said.origin}" if said.said else ""
    if device.type != "cuda":
        driver = nvidia_driver()
        if driver and torch.version.cuda and not said.said:
            return warned(
                "device",
                f"{device} although there is a card ({driver}): PyTorch cannot use it",
                f"PyTorch was built for CUDA {torch.version.cuda}: update the driver, or install again.",
            )
        return passed("device", f"{device} in {precision}{who}")
    free, total = torch.cuda.mem_get_info(device)
    major, minor = torch.cuda.get_device_capability(device)
    told = (
        f"{device} in {precision}{who}: {torch.cuda.get_device_name(device)}, compute {major}.{minor}, "
        f"driver {nvidia_driver() or 'unknown'}, {format_size(free)} of {format_size(total)} free"
    )
    if free < LITTLE_GPU_MEMORY:
        return warned("device", told, "Close what else uses the card, or take a smaller variant.")
    return passed("device", told)


def nvidia_driver() -> str:
    """Name and driver of the first NVIDIA card as ``nvidia-smi`` tells them; empty for none."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return ""
    try:
        done = subprocess.run(
            [program, "--query-gpu=name,driver_version", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=30,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip().splitlines()[0] if done.returncode == 0 and done.stdout.strip() else ""


def check_memory() -> Check:
    """Free memory of the machine."""
    free = free_memory()
    if free is None:
        return warned("memory", "this system does not tell how much is free", "Look at it yourself.")
    told = f"{format_size(free)} free"
    if free < LITTLE_MEMORY:
        return warned("memory", told, f"Close other programs: {format_size(LITTLE_MEMORY)} is good to have.")
    return passed("memory", told)


def free_memory() -> int | None:
    """Bytes that programs can still have; None where the system does not say."""
    if sys.platform == "win32":
        return _free_memory_of_windows()
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        return _free_memory_of_macos()
    return None


def _free_memory_of_macos() -> int | None:
    try:
        told = subprocess.run(["vm_stat"], capture_output=True, text=True, timeout=10).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    pages = [
        int(line.split()[-1].rstrip("."))
        for line in told.splitlines()
        if line.startswith(("Pages free:", "Pages inactive:", "Pages speculative:"))
    ]
    return sum(pages) * os.sysconf("SC_PAGE_SIZE") if pages else None


def _free_memory_of_windows() -> int | None:
    # The layout of MEMORYSTATUSEX: two 32-bit words, then seven of 64 bits.
    words = (ctypes.c_uint64 * 8)()
    words[0] = ctypes.sizeof(words)
    kernel: object = getattr(ctypes, "windll", None)
    told = getattr(getattr(kernel, "kernel32", None), "GlobalMemoryStatusEx", None)
    return int(words[2]) if told is not None and told(ctypes.byref(words)) else None


def check_disks() -> Iterator[Check]:
    """Room for temporary frames and for the embedding cache."""
    yield _disk("temporary files", tempfile.gettempdir())
    feed = setting("feed")
    if feed.said:
        yield _disk("rendered frames", str(feed.value))
    cache = cache_settings().folder
    if cache:
        yield _disk("embedding cache", cache)


def _disk(what: str, folder: str) -> Check:
    place = folder
    while not os.path.isdir(place) and os.path.dirname(place) != place:
        place = os.path.dirname(place)
    free = shutil.disk_usage(place).free
    told = f"{format_size(free)} free for {what} in {folder}"
    if free < LITTLE_DISK:
        return warned("disk", told, "Free some space, or name another folder in the site's settings.")
    return passed("disk", told)
