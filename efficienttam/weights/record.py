"""The sum of a weights file, kept as a small JSON document beside it."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import os
from pathlib import Path

from ..contract.errors import WeightsError


@dataclasses.dataclass(frozen=True)
class WeightsRecord:
    """What was seen when a file was first fetched. ``recorded`` is a UTC date, ISO 8601."""

    file: str
    sha256: str
    size: int
    source: str
    recorded: str


def sha256_of(path: Path) -> str:
    """Hex sha256 of a file's bytes. Raises WeightsError when it cannot be read."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise WeightsError(
            f"The weights {path} cannot be read: {error.strerror or error}.",
            "Check the path and its permissions.",
        ) from error
    return digest.hexdigest()


def record_path(path: Path) -> Path:
    """The record of ``name.pt`` is ``name.pt.json``."""
    return path.with_name(path.name + ".json")


def read_record(path: Path) -> WeightsRecord | None:
    """The record beside the weights file ``path``; None where there is none.

    Raises WeightsError for a record that cannot be understood: a sum that is silently dropped
    protects nobody.
    """
    place = record_path(path)
    try:
        fields = json.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _unreadable(place, str(error)) from error
    names = {field.name for field in dataclasses.fields(WeightsRecord)}
    if not isinstance(fields, dict) or set(fields) != names:
        raise _unreadable(place, f"expected the fields {', '.join(sorted(names))}")
    return WeightsRecord(**fields)


def write_record(path: Path, sha256: str, size: int, source: str) -> WeightsRecord:
    """Record the sum of the weights that are, or are about to be, at ``path``."""
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    record = WeightsRecord(path.name, sha256, size, source, today)
    place = record_path(path)
    fresh = place.with_name(f"{place.name}.{os.getpid()}.tmp")
    try:
        fresh.write_text(json.dumps(dataclasses.asdict(record), indent=2) + "\n", encoding="utf-8")
        os.replace(fresh, place)
    except OSError as error:
        raise WeightsError(
            f"The sum of {path} cannot be recorded in {place}: {error.strerror or error}.",
            "Free some disk space or choose another folder for the weights.",
        ) from error
    return record


def _unreadable(place: Path, why: str) -> WeightsError:
    return WeightsError(
        f"The recorded sum {place} cannot be understood: {why}.",
        "Delete this small file if you trust the weights beside it, then try again.",
    )
