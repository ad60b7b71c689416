"""Takes an installation away: what the installer made and nothing else."""

from __future__ import annotations

import json
import os
import shutil
from typing import Any

import host_startup
from environment import remove_marked
from outcome import OK, USAGE, InstallError
from prefix import PREFIX_MARK, Prefix, Version


def uninstall(prefix: Prefix, only: str, keep_weights: bool, dry_run: bool, journal: Any) -> int:
    """Removes all of a prefix, or one version that is not in use. Raises InstallError."""
    prefix.require()
    if dry_run:
        _tell(prefix, only, keep_weights, journal)
        return OK
    with prefix.alone():
        if only:
            _remove_one(prefix, only, journal)
            return OK
        versions = prefix.versions()
        # Who starts a Nuke from here on finds nothing instead of half of something.
        if os.path.isfile(prefix.pointer):
            os.remove(prefix.pointer)
        lines = host_startup.remove_lines(prefix, host_startup.user_folder())
        if lines:
            journal.say(f"our lines were taken out of {lines}")
        _remove_entrances(prefix)
        for version in versions:
            journal.say(f"removing {version.folder}")
            prefix.remove(version)
        if not keep_weights:
            _remove_weights(prefix)
        journal.close()
        for name in ("install.log", "efficienttam-lock.tmp"):
            _remove_file(os.path.join(prefix.folder, name))
    return _finish(prefix, journal)


def _tell(prefix: Prefix, only: str, keep_weights: bool, journal: Any) -> None:
    """What would be removed; nothing is locked or written, so whoever may read the prefix may ask."""
    for version in [_removable(prefix, only)] if only else prefix.versions():
        journal.say(f"would remove {version.folder}")
    if not only:
        brought = "" if keep_weights else ", and the weights that were brought here"
        journal.say(f"would remove what leads to them{brought}.")


def _removable(prefix: Prefix, name: str) -> Version:
    version = prefix.version(name)
    if name == prefix.current():
        raise InstallError(
            f"{name} is in use. Put another version into use with `rollback` first, or uninstall all.", USAGE
        )
    if not os.path.isdir(version.folder):
        raise InstallError(f"there is no version {name} in {prefix.folder}.", USAGE)
    return version


def _remove_one(prefix: Prefix, name: str, journal: Any) -> None:
    version = _removable(prefix, name)
    journal.say(f"removing {version.folder}")
    prefix.forget(name)
    prefix.remove(version)


def _remove_entrances(prefix: Prefix) -> None:
    for path, _ in host_startup.entrances(prefix):
        _remove_file(path)
    for folder in (prefix.plugin, prefix.programs):
        compiled = os.path.join(folder, "__pycache__")
        if os.path.isdir(compiled) and not os.path.islink(compiled):
            shutil.rmtree(compiled, ignore_errors=True)
        _remove_empty(folder)


def _remove_weights(prefix: Prefix) -> None:
    """Weights with the record that our download leaves beside them; others are somebody else's."""
    if not os.path.isdir(prefix.weights) or os.path.islink(prefix.weights):
        return
    for name in os.listdir(prefix.weights):
        path = os.path.join(prefix.weights, name)
        if name.endswith((".lock", ".part", ".part.json")):
            _remove_file(path)
        elif name.endswith(".json") and _is_record(path):
            _remove_file(path[: -len(".json")])
            _remove_file(path)
    _remove_empty(prefix.weights)


def _is_record(path: str) -> bool:
    try:
        with open(path, encoding="utf-8") as stream:
            record = json.load(stream)
    except (OSError, ValueError):
        return False
    return isinstance(record, dict) and record.get("file") == os.path.basename(path)[: -len(".json")]


def _finish(prefix: Prefix, journal: Any) -> int:
    _remove_file(os.path.join(prefix.folder, "efficienttam-lock"))
    _remove_empty(prefix.versions_folder)
    left: list[str] = sorted(set(os.listdir(prefix.folder)) - {PREFIX_MARK})
    if left:
        journal.say("left in {}, as it is not ours: {}".format(prefix.folder, ", ".join(left)))
        _remove_file(os.path.join(prefix.folder, PREFIX_MARK))
    else:
        remove_marked(prefix.folder, PREFIX_MARK)
    journal.say("uninstalled.")
    return OK


def _remove_file(path: str) -> None:
    try:
        os.remove(path)
    except FileNotFoundError:
        return


def _remove_empty(folder: str) -> None:
    try:
        os.rmdir(folder)
    except OSError:
        return
