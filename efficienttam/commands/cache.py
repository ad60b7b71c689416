"""``cache``: what the embedding cache holds, whether it is sound, and emptying it."""

from __future__ import annotations

import argparse
import json
import re
import time
from typing import TYPE_CHECKING

from ..contract.cache_settings import CacheSettings, cache_settings, format_size
from ..contract.errors import ExitCode, JobError, OutputError

if TYPE_CHECKING:
    from ..tracking import EmbeddingStore

_AGE = re.compile(r"(\d+(?:\.\d+)?)([mhd])\Z")
_SECONDS = {"m": 60, "h": 3600, "d": 86400}


def info(args: argparse.Namespace) -> int:
    """Tells where the cache is and what it holds."""
    store = _store(args)
    files = list(store.files())
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
    elif not store.folder:
        print("The embedding cache is off.")
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
    for file in store.files():
        count += 1
        reason = store.damage(file)
        if reason:
            bad += 1
            removed = args.remove and store.remove(file)
            left += not removed
            print(f"{file.path}: {reason}{', removed' if removed else ''}")
    print(f"{_count(count)}, {bad or 'none'} bad")
    return ExitCode.INCOMPLETE if left else ExitCode.OK


def clear(args: argparse.Namespace) -> int:
    """Removes embeddings, and nothing else that may lie in the folder."""
    store = _store(args)
    before = time.time() - _seconds(args.older_than) if args.older_than else None
    removed = freed = 0
    for file in store.files():
        if before is not None and file.used >= before:
            continue
        if not store.remove(file):
            raise OutputError(f"{file.path} cannot be removed.", "Ask whoever owns the folder.")
        removed += 1
        freed += file.bytes
    print(f"removed {_count(removed)}, {format_size(freed)}")
    return ExitCode.OK


def settings_from(args: argparse.Namespace) -> CacheSettings:
    """The cache that the command line asks for. Raises JobError."""
    return cache_settings(args.cache, args.cache_size, args.embeddings, args.cache_identity)


def _store(args: argparse.Namespace) -> EmbeddingStore:
    from ..tracking import EmbeddingStore

    settings = cache_settings(args.cache, args.cache_size)
    return EmbeddingStore(settings.folder, settings.budget, settings.storage)


def _count(files: int) -> str:
    return "1 embedding" if files == 1 else f"{files} embeddings"


def _seconds(text: str) -> float:
    match = _AGE.match(text)
    if match is None:
        raise JobError(f"--older-than {text!r} is no age.", "Write a number and m, h or d, like 30d.")
    return float(match.group(1)) * _SECONDS[match.group(2)]
