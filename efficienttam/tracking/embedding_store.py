"""Embeddings in a folder: one file each, bounded in bytes, the least recently used dropped first.

Any number of processes may read, write and evict in one folder at once, also over a network, and any
of them may be killed. No locks are needed: a file appears under its name by a rename and is never
changed after, its name says what it must hold, two processes that make the same embedding write the
same bytes, and whatever a reader finds is checked in full before it is used. A file that is gone,
cut short or foreign is a miss. Nothing is synced to the disk: what a power cut tears is found as torn.
"""

from __future__ import annotations

import functools
import logging
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from efficienttam.contract.cache_settings import Storage
from efficienttam.contract.sizes import format_size

from .embedding_file import LARGEST_FILE, DamagedEmbedding, Packed, from_bytes, to_bytes

_KEY = re.compile(r"[0-9a-f]{64}\Z")
_SUFFIX = ".safetensors"
_UNFINISHED = re.compile(r"\.[0-9a-f]{64}\.\d+\.[0-9a-f]+\.tmp\Z")
#: A file under a temporary name this old, in seconds, belongs to a process that died.
_STALE_AFTER = 3600
#: Eviction drops files until this share of the budget is left.
_KEPT_SHARE = 0.9
#: The folder is looked through again after writing this share of the budget, for others write too.
_UNSEEN_SHARE = 0.05

_FOLDER = "it is a folder"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoredFile:
    """One embedding in the folder; ``used`` is when it was last written or read (seconds)."""

    key: str
    path: str
    bytes: int
    used: float


@dataclass(frozen=True)
class Trouble:
    """Why embeddings are not kept, in one sentence, and what to do, in another."""

    message: str
    remedy: str


class EmbeddingStore:
    """A folder of embeddings; without a folder or a budget it holds nothing and only says the storage.

    ``budget`` bounds the bytes of all files. Several processes that write at once may pass it for a
    moment by a twentieth each. Only keys of 64 hex digits are taken.
    """

    def __init__(self, folder: str, budget: int, storage: Storage = Storage.FLOAT16) -> None:
        self.folder = folder if budget > 0 else ""
        self.budget = budget
        self.storage = storage
        self._lock = threading.Lock()
        self._total: int | None = None
        self._unseen = 0
        self._said: set[str] = set()
        #: Why the last embedding that could not be written was not.
        self.trouble: Trouble | None = None

    def path(self, key: str) -> str:
        """The file of a key."""
        return os.path.join(self.folder, key[:2], key + _SUFFIX)

    def holds(self, key: str) -> bool:
        """True when there is a file for the key; it is not read."""
        return self._takes(key) and os.path.isfile(self.path(key))

    def read(self, key: str, device: torch.device | None = None) -> Tensor | None:
        """The embedding of a key; None when there is none. A bad file is removed with a warning."""
        if not self._takes(key):
            return None
        path = self.path(key)
        try:
            embedding = from_bytes(key, _content(path), device)
        except FileNotFoundError:
            return None
        except DamagedEmbedding as damage:
            _log.warning("Dropped %s from the embedding cache: %s.", path, damage)
            _remove(path)
            return None
        except OSError as error:
            if os.path.isdir(path) and _removed(path):
                _log.warning("Dropped %s from the embedding cache: %s.", path, _FOLDER)
            else:
                self._warn_once("read", error, path)
            return None
        try:
            os.utime(path)
        except OSError:
            pass  # Someone else's file, or gone: then it only looks less recently used.
        return embedding

    def write(self, key: str, packed: Packed, kind: torch.dtype) -> bool:
        """Keeps what ``embedding_file.pack`` made; False, with a warning once, when that cannot be."""
        self.trouble = None
        if not self._takes(key):
            return False
        content = to_bytes(key, packed, self.storage, kind)
        if len(content) > self.budget:
            limit = f"it may hold {format_size(self.budget)}, one embedding takes {format_size(len(content))}"
            self._warn_once("filled", OSError(limit), "", "Give it a larger size (--cache-size).")
            return False
        try:
            try:
                self._put(self.path(key), content)
            except FileNotFoundError:
                # Somebody removed the folder, or the hidden file, which looks old by a clock that is ahead.
                self._put(self.path(key), content)
        except OSError as error:
            self._warn_once("written", error, self.path(key))
            return False
        self._account(len(content))
        return True

    def files(self) -> Iterator[StoredFile]:
        """Every embedding in the folder, in no order. Other files are passed over.

        What stands under an embedding's name is one, also a folder. Raises OSError when the folder, or
        one in it, cannot be looked through.
        """
        return self._files(_raise)

    def damage(self, file: StoredFile) -> str:
        """What is wrong with a file, in a few words; empty when it is good, or gone by now."""
        try:
            from_bytes(file.key, _content(file.path))
        except FileNotFoundError:
            return ""
        except DamagedEmbedding as damage:
            return str(damage)
        except OSError as error:
            return _FOLDER if os.path.isdir(file.path) else f"it cannot be read: {error.strerror or error}"
        return ""

    def remove(self, file: StoredFile) -> bool:
        """Removes a file, or an empty folder under its name; False when it is still there."""
        return _removed(file.path)

    def evict(self) -> int:
        """Looks through the folder and drops the least recently used files where it holds more than
        the budget, and what killed processes left; returns the bytes it holds now."""
        self._sweep()
        files = list(self._files(functools.partial(self._warn_once, "looked through")))
        total = sum(file.bytes for file in files)
        if total > self.budget:
            for file in sorted(files, key=lambda file: (file.used, file.key)):
                if total <= self.budget * _KEPT_SHARE:
                    break
                if self.remove(file):
                    total -= file.bytes
        with self._lock:
            self._total, self._unseen = total, 0
        return total

    def _takes(self, key: str) -> bool:
        return bool(self.folder) and _KEY.match(key) is not None

    def _put(self, path: str, content: bytes) -> None:
        folder, name = os.path.split(path)
        os.makedirs(folder, exist_ok=True)
        key = name[: -len(_SUFFIX)]
        hidden = os.path.join(folder, f".{key}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
        try:
            # Not tempfile: its files are the user's alone, and a studio shares the folder.
            with open(hidden, "xb") as file:
                file.write(content)
            os.replace(hidden, path)
        except PermissionError:
            _remove(hidden)
            if not os.path.isfile(path):  # Elsewhere than on POSIX a file that is being read stays.
                raise
        except BaseException:
            _remove(hidden)
            raise

    def _account(self, written: int) -> None:
        with self._lock:
            self._unseen += written
            if self._total is not None:
                self._total += written
            look = (
                self._total is None or self._total > self.budget or self._unseen > self.budget * _UNSEEN_SHARE
            )
        if look:
            self.evict()

    def _sweep(self) -> None:
        before = time.time() - _STALE_AFTER
        for name, entry in self._entries(lambda error: None):
            try:
                if _UNFINISHED.match(name) and entry.stat().st_mtime < before:
                    _remove(entry.path)
            except OSError:
                continue

    def _files(self, failed: Callable[[OSError], None]) -> Iterator[StoredFile]:
        for name, entry in self._entries(failed):
            if name.endswith(_SUFFIX) and _KEY.match(name[: -len(_SUFFIX)]):
                try:
                    state = entry.stat()
                    size = 0 if entry.is_dir() else state.st_size
                except FileNotFoundError:
                    continue
                except OSError as error:
                    failed(error)
                    continue
                yield StoredFile(name[: -len(_SUFFIX)], entry.path, size, state.st_mtime)

    def _entries(self, failed: Callable[[OSError], None]) -> Iterator[tuple[str, os.DirEntry[str]]]:
        """Names and entries in the folders of the cache; ``failed`` is told of those that stay closed."""
        if not self.folder:
            return
        try:
            folders = _listed(self.folder)
        except OSError as error:
            failed(error)
            return
        for folder in folders:
            if re.fullmatch("[0-9a-f]{2}", folder.name):
                try:
                    entries = _listed(folder.path)
                except (FileNotFoundError, NotADirectoryError):
                    continue  # Gone since, or no folder of ours.
                except OSError as error:
                    failed(error)
                    continue
                for entry in entries:
                    yield entry.name, entry

    def _warn_once(self, what: str, error: OSError, path: str = "", remedy: str = "") -> None:
        """Says once that the cache cannot be read, written, ...; what is in the way of ``path`` by name."""
        reason = error.strerror or str(error)
        about = f"The embedding cache {self.folder} cannot be {what}: {reason}."
        remedy = remedy or "See to that, or name another folder (--cache)."
        blocking = obstacle(os.path.dirname(path)) if path else ""
        if blocking:
            what = blocking
            about = f"The embedding cache {self.folder} cannot be used: {blocking} is a file."
            remedy = "Remove that file, or name another folder (--cache)."
        elif path and os.path.isdir(path):
            what, about = path, f"{path} in the embedding cache is no embedding: {_FOLDER}."
            remedy = "Remove it by hand."
        self.trouble = Trouble(about, remedy)
        if what not in self._said:
            self._said.add(what)
            _log.warning("%s %s", about, remedy)


def obstacle(folder: str) -> str:
    """The file that stands where a folder, or one above it, is or would be made; empty for none."""
    place = os.path.abspath(folder)
    while not os.path.exists(place) and os.path.dirname(place) != place:
        place = os.path.dirname(place)
    return place if os.path.isfile(place) else ""


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise DamagedEmbedding("it is too large")
    return content


def _listed(folder: str) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return list(entries)


def _raise(error: OSError) -> None:
    raise error


def _removed(path: str) -> bool:
    """Removes a file or an empty folder; False when there still is something."""
    _remove(path)
    if os.path.isdir(path):
        try:
            os.rmdir(path)
        except OSError:
            pass
    return not os.path.lexists(path)


def _remove(path: str) -> None:
    try:
        os.remove(path)
    except OSError:
        pass
