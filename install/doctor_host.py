"""The doctor of an installation: what leads Nuke to it, whether it is whole, what its engine says of itself.

Tells what can be told even where nothing of the installation works any more.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Dict, Iterator, List

import host_startup
import installation
from command_line import installer_line, setting_line
from environment import clean_environment, python_of, runs
from journal import home_shortened, without_secrets
from outcome import FAULTS, OK, InstallError
from prefix import Prefix

#: The engine's own doctor gives up by itself before that.
PATIENCE = 600


#: What the engine's doctor tells of; without an engine that starts nothing of it can be known.
_OF_THE_ENGINE = "system, torch, memory, disk, settings, weights, cache, colour, movies, device and trial"


def doctor(prefix: Prefix, of_clone: bool, as_json: bool, with_engine: bool = True) -> int:
    """Prints a line a check, with its remedy; fails where one does.

    ``of_clone`` says that the folder is a clone with its plugin in it, and no installation. The engine asks
    this one too, so it is not asked in its turn unless ``with_engine``.
    """
    checks: List[Dict[str, str]] = []
    for check in _checks(prefix, of_clone, with_engine):
        check = {name: home_shortened(without_secrets(text)) for name, text in check.items()}
        checks.append(check)
        if not as_json:
            _print(check)
    failed = any(check["state"] == "fail" for check in checks)
    if as_json:
        print(json.dumps({"failed": failed, "checks": checks}, indent=2))
    return FAULTS if failed else OK


def _checks(prefix: Prefix, of_clone: bool, with_engine: bool) -> Iterator[Dict[str, str]]:
    if of_clone:
        yield _check("install", "pass", "a clone in {}, not installed anywhere".format(prefix.folder))
        yield from _nuke(prefix)
        if with_engine:
            python = python_of(os.path.join(prefix.folder, ".venv"))
            yield from _engine(python, installer_line("setup"))
        return
    again = installer_line("repair", "--prefix", prefix.folder)
    try:
        if not prefix.is_ours:
            raise InstallError(
                "nothing is installed in {}. {}".format(
                    prefix.folder, installer_line("--prefix", prefix.folder)
                )
            )
        version = prefix.require_current()
    except InstallError as error:
        told, _, remedy = str(error).partition(". ")
        yield _check("install", "fail", told, remedy)
        version = None
    if version is not None:
        told = "version {}, Python {}, torch {}, installed {}".format(
            version.name, *(version.stamp.get(name) or "?" for name in ("python", "torch", "installed"))
        )
        yield _check("install", "pass", told + " in " + prefix.folder)
        faults = installation.faults_of(version)
        for fault in faults[:5]:
            yield _check("install", "fail", fault, again)
        if not faults:
            yield _check("install", "pass", "every file is as it was installed")
    yield from _nuke(prefix)
    if with_engine and version is not None:
        yield from _engine(version.python, again)
    elif with_engine:
        yield _check(
            "engine",
            "fail",
            "{} cannot be checked without a version".format(_OF_THE_ENGINE),
            "See the line install.",
        )


def _nuke(prefix: Prefix) -> Iterator[Dict[str, str]]:
    nukes = host_startup.installed_nukes()
    if nukes:
        yield _check("nuke", "pass", "found {}".format(", ".join(nukes)))
    else:
        yield _check(
            "nuke",
            "warn",
            "none in the usual places of this system",
            "None is needed to track: efficienttam matte, or ui where it was installed --with-window.",
        )
    try:
        ways = host_startup.ways_to_the_plugin(prefix.plugin, os.environ, host_startup.user_folder())
    except InstallError as error:
        yield _check("plugin", "warn", str(error), "Mend that file.")
        return
    if ways:
        yield _check("plugin", "pass", "{} by {}".format(prefix.plugin, ", ".join(ways)))
    else:
        yield _check(
            "plugin",
            "warn",
            "neither NUKE_PATH of this shell nor ~/.nuke leads to {}".format(prefix.plugin),
            setting_line("NUKE_PATH", prefix.plugin),
        )


def _engine(python: str, again: str) -> Iterator[Dict[str, str]]:
    """What the engine says of itself, in its own environment; ``again`` makes that anew."""
    if not runs(python):
        told = "{} cannot be checked: its Python {} does not start".format(_OF_THE_ENGINE, python)
        yield _check("engine", "fail", told, again)
        return
    command = [python, "-I", "-m", "efficienttam", "doctor", "--json", "--engine-only"]
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=clean_environment(),
            timeout=PATIENCE,
        )
        report = json.loads(done.stdout.decode("utf-8", "replace"))
        yield from (_check(row["name"], row["state"], row["told"], row["remedy"]) for row in report["checks"])
    except (OSError, subprocess.SubprocessError) as error:
        yield _check("engine", "fail", "it does not answer: {}".format(error), again)
    except (ValueError, KeyError, TypeError):
        last = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["nothing"])[-1]
        yield _check("engine", "fail", "it cannot be asked, its last words: {}".format(last), again)


def _check(name: str, state: str, told: str, remedy: str = "") -> Dict[str, str]:
    return {"name": name, "state": state, "told": " ".join(told.split()), "remedy": remedy}


def _print(check: Dict[str, str]) -> None:
    lines = ["{}  {}  {}".format(check["state"], check["name"].ljust(8), check["told"])]
    if check["remedy"]:
        lines.append(" " * 16 + "-> " + check["remedy"])
    text = "\n".join(lines) + "\n"
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()
