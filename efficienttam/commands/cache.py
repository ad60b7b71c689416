"""``cache``: what the embedding cache holds, whether it is sound, and emptying it."""

from __future__ import annotations

import argparse
import json
import re
import time
from typing import TYPE_CHECKING

from ..contract.cache_settings import CacheSettings, cache_settings
from ..contract.errors import ExitCode, JobError, OutputError
from ..contract.settings_in_force import setting
from ..contract.sizes import format_size

if TYPE_CHECKING:
    from ..tracking import EmbeddingStore
    from ..tracking.embedding_store import StoredFile

_AGE = re.compile(r"(\d+(?:\.\d+)?)([mhd])\Z")
_SECONDS = {"m": 60, "h": 3600, "d": 86400}


def info(args: argparse.Namespace) -> int:
    """Tells where the cache is and what it holds."""
    store = _store(args)
    files = _files(store, args)
    held = sum(file.bytes for file in files)
    oldest = min((file.used for file in files), default=None)
    if args.json:
        rows = {
            "folder": store.folder,
            "embeddings": len(files),
            "bytes": held,
            "budget": store.budget,
            "oldest_use": None if oldest is None else round(oldest),
        }
        print(json.dumps(rows, indent=2))
    else:
        print(f"folder  {store.folder}")
        print(f"holds   {_count(len(files))}, {format_size(held)} of {format_size(store.budget)}")
        if oldest is not None:
            print(f"oldest  last used {time.strftime('%Y-%m-%d %H:%M', time.localtime(oldest))}")
    return ExitCode.OK


def verify(args: argparse.Namespace) -> int:
    """Reads every embedding in full; prints those that are bad."""
    store = _store(args)
    count = bad = left = 0
    for file in _files(store, args):
        count += 1
        reason = store.damage(file)
        if reason:
            bad += 1
            removed = args.remove and store.remove(file)
            left += not removed
            print(f"{file.path}: {reason}{_end_of(removed) if args.remove else ''}")
    print(f"{_count(count)}, {bad or 'none'} bad")
    return ExitCode.INCOMPLETE if left else ExitCode.OK


def clear(args: argparse.Namespace) -> int:
    """Removes embeddings, and nothing else that may lie in the folder."""
    store = _store(args)
    before = time.time() - _seconds(args.older_than) if args.older_than else None
    removed = freed = 0
    left = []
    for file in _files(store, args):
        if before is not None and file.used >= before:
            continue
        if not store.remove(file):
            left.append(file.path)
            continue
        removed += 1
        freed += file.bytes
    print(f"removed {_count(removed)}, {format_size(freed)}")
    if left:
        raise OutputError(
            f"{_count(len(left))} cannot be removed, {left[0]} first.",
            "Remove a folder that stands there by hand; else ask whoever owns the cache.",
        )
    return ExitCode.OK


def settings_from(args: argparse.Namespace) -> CacheSettings:
    """The cache that the command line asks for. Raises JobError."""
    return cache_settings(args.cache, args.cache_size, args.embeddings, args.cache_identity)


def _store(args: argparse.Namespace) -> EmbeddingStore:
    from ..tracking import EmbeddingStore

    settings = cache_settings(args.cache, args.cache_size)
    if not settings.folder:
        raise JobError("The embedding cache is off.", "Name its folder with --cache, and a size above 0.")
    return EmbeddingStore(settings.folder, settings.budget, settings.storage)


def _files(store: EmbeddingStore, args: argparse.Namespace) -> list[StoredFile]:
    """The embeddings of a cache. Raises JobError when its folder cannot be looked through."""
    try:
        return list(store.files())
    except OSError as error:
        if not isinstance(error, FileNotFoundError):
            place = error.filename or store.folder
            reason = error.strerror or str(error)
            message = f"The embedding cache {store.folder} cannot be looked through: {place}: {reason}."
            remedy = "Get permission to list it, or name another folder with --cache."
            if isinstance(error, NotADirectoryError):
                message = f"The embedding cache {store.folder} is no folder: a file is in its place."
                remedy = "Name its folder with --cache."
            raise JobError(message, remedy) from error
        if setting("cache.folder", args.cache).said:
            message = f"There is no embedding cache {store.folder}."
            raise JobError(message, "Name its folder with --cache; it is made when first filled.") from error
        return []  # The user's own, which nothing has filled yet.


def _end_of(removed: bool) -> str:
    return ", removed" if removed else ", cannot be removed: remove it by hand"


def _count(files: int) -> str:
    return "1 embedding" if files == 1 else f"{files} embeddings"


def _seconds(text: str) -> float:
    match = _AGE.match(text)
    if match is None:
        raise JobError(f"--older-than {text!r} is no age.", "Write a number and m, h or d, like 30d.")
    return float(match.group(1)) * _SECONDS[match.group(2)]
