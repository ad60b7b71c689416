"""Files that are there whole or not at all.

A file is written under a hidden temporary name beside its place and renamed; when anything fails the
temporary file is removed and an older file is untouched.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import OpenImageIO as oiio

from ..contract.errors import OutputError
from .image_file import last_error

_UNFINISHED = re.compile(r"\.(.+)\.\d+\.[0-9a-f]{12}\.tmp\Z")


@contextmanager
def replacing(path: str) -> Iterator[str]:
    """A temporary name beside ``path`` that becomes ``path`` at the end, or vanishes on any exception.

    Raises OutputError where there is no such folder, ``path`` is one, or the system refuses.
    """
    folder, name = os.path.split(path)
    if not os.path.isdir(folder or "."):
        raise OutputError(
            f"The folder {folder} does not exist, so {name} cannot be written.", "Create it first."
        )
    if os.path.isdir(path):
        raise OutputError(f"{path} is a folder; a file name was expected.", "Choose another name.")
    # Machines that share the folder have the same process numbers.
    temporary = os.path.join(folder, f".{name}.{os.getpid()}.{secrets.token_hex(6)}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as failure:
        raise OutputError(
            f"{path} cannot be written: {failure.strerror or failure}.", remedy_at(path)
        ) from failure
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


def unfinished(name: str) -> str:
    """The file that a temporary one was to become; empty for a name that is no temporary one's."""
    match = _UNFINISHED.match(name)
    return match.group(1) if match else ""


def write_image(temporary: str, path: str, file_format: str, spec: Any, pixels: np.ndarray) -> None:
    """Pixels (height, width, channels) as the one part of a file. Raises OutputError about ``path``."""
    write_bands(temporary, path, file_format, spec, [pixels])


def write_bands(temporary: str, path: str, file_format: str, spec: Any, bands: Iterable[np.ndarray]) -> None:
    """The same, row after row: each band is (rows, width, channels), all together they are the picture.

    Raises OutputError about ``path``.
    """
    last_error()
    target = oiio.ImageOutput.create(file_format)
    if target is None:
        raise OutputError(
            f"{path}: this OpenImageIO writes no {file_format}.", "Install it from the lock file."
        )
    done, row = target.open(temporary, spec), spec.y
    for band in bands if done else ():
        end = row + band.shape[0]
        if band.shape[0] == spec.height:
            done = target.write_image(np.ascontiguousarray(band))
        else:
            done = target.write_scanlines(row, end, 0, np.ascontiguousarray(band))
        row = end
        if not done:
            break
    closed = target.close()
    if not (done and closed):
        raise OutputError(f"{path} cannot be written: {_reason(target)}.", remedy_at(path))


def remedy_at(path: str) -> str:
    """What to do where a file cannot be written."""
    folder = os.path.dirname(path) or "."
    return f"Check the free space and the permissions of {folder}."


def _reason(target: Any) -> str:
    """What a failed writer says, where it says what the system said."""
    told = target.geterror()
    known = (os.strerror(number) for number in errno.errorcode)
    return next((reason for reason in known if reason in told), "the file was not taken whole")
