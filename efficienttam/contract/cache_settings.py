"""The embedding cache as a site sets it up: where, how large, in which number format.

What is not said is taken from environment variables, the site's file, then the platform's convention. None of
it is part of a job: with any place and any size the same job gives the same mattes.
Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import dataclasses
import enum
import os
import shutil

from .errors import JobError
from .settings_in_force import setting
from .sizes import parse_size
from .user_cache import user_cache

FOLDER_VARIABLE = "EFFICIENTTAM_CACHE"
SIZE_VARIABLE = "EFFICIENTTAM_CACHE_SIZE"
#: Said instead of a folder.
OFF = "off"
#: Unless told: this many bytes, or a tenth of what is free on the disk when that is less, but so many.
DEFAULT_SIZE = 20 * 2**30
LEAST_DEFAULT_SIZE = 256 * 2**20


class Storage(enum.Enum):
    """Number format of embeddings on disk; results are rounded to it whether a disk is used or not."""

    FLOAT16 = "float16"
    BFLOAT16 = "bfloat16"
    FLOAT32 = "float32"
    #: Eight bits with a scale per channel.
    INT8 = "int8"


class FileIdentity(enum.Enum):
    """What tells one file of a plate from another."""

    #: Real path, size and modification time: costs nothing.
    STAT = "stat"
    #: sha256 of the content: the same for every path and copy, but the whole file is read.
    CONTENT = "content"


@dataclasses.dataclass(frozen=True)
class CacheSettings:
    """``folder`` is empty when nothing is kept on disk; ``budget`` is in bytes."""

    folder: str = ""
    budget: int = 0
    storage: Storage = Storage.FLOAT16
    identity: FileIdentity = FileIdentity.STAT


def cache_settings(folder: str = "", size: str = "", storage: str = "", identity: str = "") -> CacheSettings:
    """The settings that are in force, with what is given here before what environment and site say.

    ``folder`` may be ``off``; ``size`` is like ``20G`` or ``500M``, in powers of 1024, and 0 is off.
    Raises JobError for values that mean nothing.
    """
    place = setting("cache.folder", folder).value or ""
    place = "" if place.lower() == OFF else os.path.expanduser(place or str(user_cache() / "embeddings"))
    said = setting("cache.size", size).value or ""
    budget = parse_size(said) if said else 0
    if place and not said:
        budget = max(LEAST_DEFAULT_SIZE, min(DEFAULT_SIZE, _free(place) // 10))
    return CacheSettings(
        folder=os.path.abspath(place) if place and budget else "",
        budget=budget if place else 0,
        storage=Storage(storage) if storage else Storage.FLOAT16,
        identity=_identity(setting("cache.identity", identity).value or ""),
    )


def _identity(text: str) -> FileIdentity:
    try:
        return FileIdentity(text.lower()) if text else FileIdentity.STAT
    except ValueError:
        choices = " or ".join(choice.value for choice in FileIdentity)
        raise JobError("{!r} does not identify files.".format(text), "Write {}.".format(choices)) from None


def _free(folder: str) -> int:
    """Bytes free on the disk that the folder is on, or would be made on."""
    place = os.path.abspath(folder)
    while not os.path.isdir(place) and os.path.dirname(place) != place:
        place = os.path.dirname(place)
    try:
        return shutil.disk_usage(place).free
    except OSError:
        return 0
