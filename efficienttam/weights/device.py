"""Which device does the work."""

from __future__ import annotations

import re

import torch

from ..contract.errors import DeviceError
from ..contract.job import Precision
from ..contract.settings_in_force import setting


def choose_device(name: str | None = None) -> torch.device:
    """The device of that name: ``cpu``, ``mps``, ``cuda`` or ``cuda:N``.

    None or ``auto`` is what the site says, else CUDA where there is one, else MPS, else the CPU. Raises
    DeviceError for a device this machine does not have: work asked of a GPU is never done on the CPU instead.
    """
    if name in (None, "", "auto"):
        name = setting("device").value
    if name in (None, "", "auto"):
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    kind, index = _parse(str(name))
    if kind == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if count <= index:
            built = "" if torch.version.cuda else " (this PyTorch was built without CUDA)"
            raise DeviceError(
                f"Device {name} was asked for, but {count} CUDA devices can be used{built}.",
                "Choose another device, or let auto choose one.",
            )
    elif kind == "mps" and not torch.backends.mps.is_available():
        raise DeviceError(
            "Device mps was asked for, but this machine has no Metal device PyTorch can use.",
            "Choose another device, or let auto choose one.",
        )
    return torch.device(str(name))


def choose_precision(device: torch.device, precision: Precision) -> torch.dtype:
    """The type to compute in.

    AUTO is bfloat16 on CPUs with AMX or AVX-512 BF16 and on CUDA from compute capability 8, float16 on
    CUDA from 7 and on MPS, else float32. Raises DeviceError for a type the device has no arithmetic for.
    """
    if precision is Precision.AUTO:
        return _fastest(device)
    if precision is Precision.BFLOAT16 and device.type == "cuda":
        with torch.cuda.device(device):
            if not torch.cuda.is_bf16_supported(including_emulation=False):
                raise DeviceError(
                    f"{torch.cuda.get_device_name(device)} does not compute in bfloat16.",
                    "Choose float16 or float32.",
                )
    return {
        Precision.FLOAT32: torch.float32,
        Precision.BFLOAT16: torch.bfloat16,
        Precision.FLOAT16: torch.float16,
    }[precision]


def _fastest(device: torch.device) -> torch.dtype:
    if device.type == "cuda":
        major, _ = torch.cuda.get_device_capability(device)
        return torch.bfloat16 if major >= 8 else torch.float16 if major == 7 else torch.float32
    if device.type == "mps":
        return torch.float16
    # Older PyTorch cannot tell what a CPU has.
    told: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return torch.bfloat16 if told.get("amx_bf16") or told.get("avx512_bf16") else torch.float32


def _parse(name: str) -> tuple[str, int]:
    match = re.fullmatch(r"(cpu|mps|cuda)(?::(\d+))?", name)
    if not match or (match.group(2) and match.group(1) != "cuda"):
        raise DeviceError(f"{name!r} is no device.", "Choose auto, cpu, mps, cuda or cuda:N.")
    return match.group(1), int(match.group(2) or 0)
