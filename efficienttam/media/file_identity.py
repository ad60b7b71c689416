"""What tells one file, or one colour configuration, from another."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
from collections.abc import Iterator

import OpenImageIO as oiio

from ..contract.cache_settings import FileIdentity
from ..contract.errors import PlateError

_TABLES = re.compile(r"\bsrc:\s*([^,}\n]+)")
_SEARCH_PATH = re.compile(r"^search_path:(.*(?:\n\s+-.*)*)", re.MULTILINE)


def file_identity(path: str, by: FileIdentity) -> str:
    """By STAT the real path, size and modification time, by CONTENT a sha256 of the bytes (read again
    only when those three change). Raises PlateError when the file cannot be found or read."""
    try:
        place = os.path.realpath(path)
        state = os.stat(place)
        facts = (place, state.st_size, state.st_mtime_ns)
        return json.dumps(facts) if by is FileIdentity.STAT else _content_hash(*facts)
    except OSError as error:
        raise PlateError(
            f"{path} cannot be read: {error.strerror or error}.", "Check that it is still there."
        ) from error


@functools.lru_cache(maxsize=64)
def config_identity(config: str, by: FileIdentity) -> str:
    """The same of a colour configuration with the tables it names; a process reads each only once.

    One that comes with the software is told by the software's version.
    """
    if not config:
        return ""
    if config.startswith("ocio://") or not os.path.isfile(config):
        return f"{config} {oiio.VERSION_STRING}"
    files = [config, *_tables_of(config)]
    identities = [file_identity(file, by) for file in files if os.path.isfile(file)]
    return hashlib.sha256(json.dumps(identities).encode()).hexdigest()


@functools.lru_cache(maxsize=4096)
def _content_hash(path: str, size: int, changed: int) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _tables_of(config: str) -> Iterator[str]:
    """Files of look-up tables that a configuration may read, where they would be; sorted."""
    with open(config, encoding="utf-8", errors="replace") as file:
        text = file.read()
    said = _SEARCH_PATH.search(text)
    entries = re.split(r"[:\n]", said.group(1)) if said else []
    folders = ["", *(entry.strip(" -\t\r\"'") for entry in entries)]
    for name in sorted({found.strip(" \t\r\"'") for found in _TABLES.findall(text)}):
        for folder in dict.fromkeys(folders):
            yield os.path.join(os.path.dirname(config), os.path.expandvars(folder), os.path.expandvars(name))
