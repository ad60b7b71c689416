"""Paths of a document as the machine at hand has them.

A site says the roots of its storages by platform (``contract.site_settings``); an Open Job Description
session says rules of its own, in a file. A path that begins with another platform's root gets the root of
this one.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import re
import sys
from collections.abc import Iterable, Sequence

from ..contract.document import with_paths
from ..contract.errors import JobError
from ..contract.job import TrackJob
from ..contract.site_settings import PathRule

_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")


class Platform(enum.Enum):
    """What paths look like and which roots storages have."""

    LINUX = "linux"
    MACOS = "macos"
    WINDOWS = "windows"


def this_platform() -> Platform:
    """The platform of this process."""
    return {"win32": Platform.WINDOWS, "darwin": Platform.MACOS}.get(sys.platform, Platform.LINUX)


@dataclasses.dataclass(frozen=True)
class Mapping:
    """A folder ``source`` elsewhere is the folder ``target`` here. Of a ``windows`` source case does not
    count, and both separators do."""

    source: str
    target: str
    windows: bool

    def applied(self, path: str) -> str | None:
        """The path here; None for one that is not in the folder."""
        begin, text = self._plain(self.source).rstrip("/"), self._plain(path)
        if not begin or not (text == begin or text.startswith(f"{begin}/")):
            return None
        rest = path[len(begin) :]
        rest = rest.replace("\\", "/") if self.windows else rest
        rest = rest.replace("/", "\\") if "\\" in self.target else rest
        return self.target.rstrip("/\\") + rest

    def _plain(self, path: str) -> str:
        return path.replace("\\", "/").lower() if self.windows else path


def site_mappings(rules: Iterable[PathRule], here: Platform) -> list[Mapping]:
    """The mappings from the roots of other platforms to those of this one."""
    found = []
    for rule in rules:
        target = getattr(rule, here.value)
        for platform in Platform:
            source = getattr(rule, platform.value)
            if source and target and platform is not here:
                found.append(Mapping(source, target, platform is Platform.WINDOWS))
    return found


def read_mappings(path: str) -> list[Mapping]:
    """The mappings of an Open Job Description rules file (``pathmapping-1.0``). Raises JobError."""
    remedy = "Name a rules file of an Open Job Description session."
    try:
        with open(path, encoding="utf-8-sig") as file:
            document = json.load(file)
        if not document:
            return []  # A session without rules writes an empty object.
        if document["version"] != "pathmapping-1.0":
            raise JobError(f"The path map {path!r} is of version {document['version']!r}.", remedy)
        return [
            Mapping(rule["source_path"], rule["destination_path"], _is_windows(rule["source_path_format"]))
            for rule in document["path_mapping_rules"]
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
        raise JobError(f"The path map {path!r} cannot be read: {reason}.", remedy) from error


def mapped(job: TrackJob, rules: Sequence[PathRule], session: Sequence[Mapping], here: Platform) -> TrackJob:
    """The job with its paths as they are here: by the session's mappings, else by the site's rules.

    The longest root that fits counts. A path under a root of this platform stays. Raises JobError for a path
    of another platform that nothing maps.
    """
    own = [rule for rule in (getattr(one, here.value) for one in rules) if rule]
    site = site_mappings(rules, here)

    def at(path: str) -> str:
        there = _longest(path, session)
        if there is None and not _longest_own(path, own, here):
            there = _longest(path, site)
        there = path if there is None else there
        if _is_foreign(there, here):
            raise JobError(
                f"The path {there!r} is one of another platform, and nothing says where that is on this one.",
                "Name its storage in path_map of the site's settings.",
            )
        return there

    return with_paths(job, at)


def _longest(path: str, mappings: Sequence[Mapping]) -> str | None:
    for mapping in sorted(mappings, key=lambda one: len(one.source), reverse=True):
        there = mapping.applied(path)
        if there is not None:
            return there
    return None


def _longest_own(path: str, roots: Sequence[str], here: Platform) -> bool:
    return _longest(path, [Mapping(root, root, here is Platform.WINDOWS) for root in roots]) is not None


def _is_foreign(path: str, here: Platform) -> bool:
    if here is Platform.WINDOWS:
        return path.startswith("/") and not path.startswith("//")
    return _WINDOWS.match(path) is not None


def _is_windows(told: str) -> bool:
    return told.upper() == "WINDOWS"
