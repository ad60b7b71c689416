"""Weights from their source into a folder: resumed, checked against every sum we know, moved whole."""

from __future__ import annotations

import dataclasses
import enum
import os
import urllib.parse
import urllib.request
from pathlib import Path

from ..contract.errors import WeightsError
from ..contract.settings_in_force import setting
from . import transfer
from .content import refuse_other_content
from .file_lock import exclusive
from .location import cache_folder
from .record import read_record, record_path, sha256_of, write_record
from .registry import WeightsEntry, find_entry
from .transfer import Patience, Progress

#: Base URL of a mirror, ``file:`` URL or folder to fetch from instead of the registry's source.
SOURCE_VARIABLE = "EFFICIENTTAM_WEIGHTS_SOURCE"
#: Says yes: never open a connection.
OFFLINE_VARIABLE = "EFFICIENTTAM_OFFLINE"

#: How many seconds to wait for another process that fetches the same file.
LOCK_PATIENCE = 3600.0
#: A record of fewer bytes was made of a web page or the like: no variant is as small.
LEAST_BYTES = 1 << 20
AGENT = "efficienttam-weights (Python urllib)"


class Voucher(enum.Enum):
    """Who says that the sum of a file is the right one; the first of these that knows it."""

    REGISTRY = "the registry of this package"
    SOURCE = "the source it came from"
    RECORD = "the record of its first download"
    NOBODY = "nobody yet"


@dataclasses.dataclass(frozen=True)
class Fetched:
    """Weights that are in place, and who vouches for their sum: nobody where it was recorded only now."""

    path: Path
    sha256: str
    voucher: Voucher


def fetch_weights(
    name: str,
    folder: str | os.PathLike[str] | None = None,
    *,
    source: str | None = None,
    offline: bool | None = None,
    progress: Progress | None = None,
    patience: Patience | None = None,
    lock_patience: float = LOCK_PATIENCE,
) -> Fetched:
    """Bring the weights of a variant into ``folder`` (default: the user's cache).

    ``source`` (else ``$EFFICIENTTAM_WEIGHTS_SOURCE``, the site's, the registry's) is a base URL, a
    ``file:`` URL or a folder. ``offline`` (else ``$EFFICIENTTAM_OFFLINE``, the site's) allows the latter
    two only. ``progress(done, total)`` counts bytes; total is None where the server does not say. An
    interrupted download is continued by the next call, in this process or another; two at once wait
    for each other. A file that is there and sound is left alone; a damaged one is fetched again.

    Raises WeightsError when the source refuses or cannot be reached, when a sum is wrong or what came is not
    the weights of the variant (nothing of the wrong bytes is kept), or when the disk cannot take the file.
    """
    entry = find_entry(name)
    if entry.embedded:
        path = entry.embedded_path
        return Fetched(path, verify_weights(path, entry.sha256), Voucher.REGISTRY)
    base = str(setting("weights.source", source).value or entry.source)
    if offline is None:
        offline = bool(setting("weights.offline").value)
    target = _place(entry, folder)
    with exclusive(target.with_name(target.name + ".lock"), lock_patience):
        held = _sound(target, entry) if target.is_file() else None
        return held or _fetch(entry, base, target, offline, progress, patience or Patience())


def take_weights(
    file: Path, folder: str | os.PathLike[str] | None = None, *, lock_patience: float = LOCK_PATIENCE
) -> Fetched:
    """Take the weights file of a variant, named as in the registry, into ``folder`` (default: the user's
    cache). It is copied unless the very file is there.

    Raises WeightsError when it is no weights of the variant, when a sum is wrong, when sound weights with
    another sum are there, or when the disk cannot take the file.
    """
    entry = find_entry(file.stem)
    if entry.embedded:
        path = entry.embedded_path
        held = Fetched(path, verify_weights(path, entry.sha256), Voucher.REGISTRY)
        return _the_same(held, file, "These weights are part of the package: give other ones with --weights.")
    target = _place(entry, folder)
    with exclusive(target.with_name(target.name + ".lock"), lock_patience):
        known = _sound(target, entry) if target.is_file() else None
        if known is None:
            return _take(entry, file, target, None)
        remedy = f"To have the new one, delete {target.name} and {target.name}.json there, then import it."
        return _the_same(known, file, remedy)


def _the_same(held: Fetched, file: Path, remedy: str) -> Fetched:
    """What is held, where the file is the same. Raises WeightsError where it is another."""
    given = sha256_of(file)
    if given != held.sha256:
        raise WeightsError(
            f"{file} has sha256 {given}, but {held.path} is here with {held.sha256}; nothing was changed.",
            remedy,
        )
    return held


def verify_weights(path: Path, expected: str | None = None) -> str:
    """The sha256 of a weights file, checked against ``expected`` and the record beside it.

    Raises WeightsError when either says otherwise, when the file cannot be read or holds no weights.
    """
    actual = sha256_of(path)
    record = read_record(path)
    for sum_, who in ((expected, "the registry"), (record and record.sha256, "the record beside it")):
        if sum_ and sum_ != actual:
            raise WeightsError(
                f"{path} is damaged or was replaced: its sha256 is {actual}, {who} says {sum_}.",
                f"Run `efficienttam weights download {path.stem}` to fetch it again.",
            )
    refuse_other_content(path)
    return actual


def _sound(target: Path, entry: WeightsEntry) -> Fetched | None:
    """The file that is there; None where a sum says that it is another, or where it is no such weights."""
    record = read_record(target)
    actual = sha256_of(target)
    if any(known not in (None, actual) for known in (entry.sha256, record and record.sha256)):
        return None
    try:
        _check(entry, target)
    except WeightsError:
        # It vouches for what is no weights.
        record_path(target).unlink(missing_ok=True)
        return None
    if record is None:
        write_record(target, actual, target.stat().st_size, "found in place")
    return Fetched(target, actual, _voucher(entry, None, record.sha256 if record else None))


def _check(entry: WeightsEntry, path: Path) -> None:
    """Raises WeightsError for a file that is not the weights of a variant, as far as can be told here."""
    refuse_other_content(path)
    try:
        from .checkpoint import check_checkpoint
    except ImportError:
        # Weights may be fetched where torch cannot be imported (yet).
        return
    check_checkpoint(entry.name, path)


def _voucher(entry: WeightsEntry, stated: str | None, recorded: str | None) -> Voucher:
    """Who vouches for a sum that nobody contradicts."""
    known = ((entry.sha256, Voucher.REGISTRY), (stated, Voucher.SOURCE), (recorded, Voucher.RECORD))
    return next((who for sum_, who in known if sum_), Voucher.NOBODY)


def _fetch(
    entry: WeightsEntry,
    base: str,
    target: Path,
    offline: bool,
    progress: Progress | None,
    patience: Patience,
) -> Fetched:
    local = _local_folder(base)
    if local is not None:
        return _take(entry, local / entry.file, target, progress)
    if offline:
        raise WeightsError(
            f"{entry.file} is not in {target.parent} and connections are not allowed (offline).",
            f"Copy the file there by hand, or name a folder that has it in {SOURCE_VARIABLE}.",
        )
    origin = base.rstrip("/") + "/" + entry.file
    part = _part_of(target)
    stated = transfer.fetch(origin, part, agent=AGENT, patience=patience, progress=progress)
    return _accept(entry, origin, stated, part, target)


def _take(entry: WeightsEntry, origin: Path, target: Path, progress: Progress | None) -> Fetched:
    record = read_record(origin)
    _copy(origin, _part_of(target), progress)
    return _accept(entry, str(origin), record.sha256 if record else None, _part_of(target), target)


def _part_of(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def _place(entry: WeightsEntry, folder: str | os.PathLike[str] | None) -> Path:
    place = Path(folder).expanduser() if folder is not None else cache_folder()
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WeightsError(
            f"The folder {place} cannot be made: {error.strerror or error}.",
            "Choose another folder for the weights.",
        ) from error
    return place / entry.file


def _accept(entry: WeightsEntry, origin: str, stated: str | None, part: Path, target: Path) -> Fetched:
    actual = sha256_of(part)
    record = read_record(target)
    earlier = record.sha256 if record and record.size >= LEAST_BYTES else None
    for known, who in ((entry.sha256, "the registry"), (stated, "the source"), (earlier, "the record")):
        if known and known != actual:
            transfer.discard(part)
            raise WeightsError(
                f"{origin} arrived with sha256 {actual}, but {who} says {known}; it was thrown away.",
                "Try again; if it happens again the source is damaged or has been replaced."
                + (f" Delete {target.name}.json only if you trust the new file." if known == earlier else ""),
            )
    try:
        _check(entry, part)
    except WeightsError as error:
        transfer.discard(part)
        raise WeightsError(
            f"{origin} is not the weights of {entry.name}, and was thrown away: {error.message}",
            "Open that address in a browser to see what it sends; or name another source, or take in a file "
            "that you have with `efficienttam weights import`."
            if "://" in origin
            else error.remedy,
        ) from error
    if not earlier:
        write_record(target, actual, part.stat().st_size, origin)
    os.replace(part, target)
    transfer.discard(part)
    return Fetched(target, actual, _voucher(entry, stated, earlier))


def _local_folder(base: str) -> Path | None:
    parsed = urllib.parse.urlsplit(base)
    if parsed.scheme in ("http", "https"):
        return None
    if parsed.scheme == "file":
        host = "" if parsed.netloc in ("", "localhost") else f"//{parsed.netloc}"
        return Path(urllib.request.url2pathname(host + parsed.path))
    if len(parsed.scheme) > 1:
        raise WeightsError(
            f"{base!r} is no source of weights.", "Name an http, https or file URL, or a folder."
        )
    return Path(base).expanduser()


def _copy(origin: Path, part: Path, progress: Progress | None) -> None:
    transfer.discard(part)
    try:
        with open(origin, "rb") as source, open(part, "wb") as stream:
            total = os.fstat(source.fileno()).st_size
            done = 0
            while block := source.read(1 << 20):
                stream.write(block)
                done += len(block)
                if progress:
                    progress(done, total)
    except OSError as error:
        raise WeightsError(
            f"{origin} cannot be copied to {part}: {error.strerror or error}.",
            "Check that the source folder has the file and that the disk has room.",
        ) from error
