"""What a file is by its content: weights, or something else under their name. No torch, no pickle is run."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

from ..contract.errors import WeightsError

_LARGEST_HEADER = 100 << 20
_PICKLE = "data.pkl"


def refuse_other_content(path: Path) -> None:
    """Raises WeightsError for a file that cannot hold weights: a web page, a git-lfs pointer, half a file.

    Keys and numbers are not looked at: ``checkpoint`` does that.
    """
    try:
        with open(path, "rb") as stream:
            head = stream.read(64)
    except OSError as error:
        raise WeightsError(
            f"The weights {path} cannot be read: {error.strerror or error}.",
            "Check the path and its permissions.",
        ) from error
    if is_zip(head):
        damage = _damage_of_zip(path)
    elif is_pickle(head):
        damage = ""
    elif is_safetensors(head):
        damage = _damage_of_safetensors(path, int.from_bytes(head[:8], "little"))
    else:
        raise WeightsError(
            f"{path} holds no weights: {_what_is(head)}.",
            "Name a .pt or .safetensors file; if this should be one, download it again.",
        )
    if damage:
        raise WeightsError(f"{path} is cut short or damaged: {damage}.", "Download the file again.")


def is_zip(head: bytes) -> bool:
    """True for a PyTorch file of today, from its first bytes."""
    return head[:2] == b"PK"


def is_pickle(head: bytes) -> bool:
    """True for a PyTorch file of long ago, from its first bytes."""
    return head[:1] == b"\x80"


def is_safetensors(head: bytes) -> bool:
    """True for a safetensors file, from its first bytes."""
    return head[8:9] == b"{"


def _damage_of_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError) as error:
        return str(error) or type(error).__name__
    inside = any(name.rpartition("/")[2] == _PICKLE for name in names)
    return "" if inside else f"it is a zip file without {_PICKLE}"


def _damage_of_safetensors(path: Path, length: int) -> str:
    size = os.path.getsize(path)
    if length > min(size - 8, _LARGEST_HEADER):
        return "its header is longer than the file"
    with open(path, "rb") as stream:
        stream.seek(8)
        text = stream.read(length)
    try:
        rows = {name: row for name, row in json.loads(text).items() if name != "__metadata__"}
        end = max((int(row["data_offsets"][1]) for row in rows.values()), default=0)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        return "its header is not one of tensors"
    whole = 8 + length + end
    return "" if size == whole else f"it has {size} bytes, its header tells {whole}"


def _what_is(head: bytes) -> str:
    if not head:
        return "it is empty"
    if head.startswith(b"version https://git-lfs"):
        return "it is a git-lfs pointer, not the file it points to"
    if head.lstrip()[:1] == b"<":
        return "it is a web page, an error or login page most likely"
    return "it is neither a PyTorch nor a safetensors file"
