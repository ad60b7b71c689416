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
from environment import clean_environment, runs
from journal import home_shortened, without_secrets
from outcome import FAULTS, OK, InstallError
from prefix import Prefix, Version

#: The engine's own doctor gives up by itself before that.
PATIENCE = 600


def doctor(prefix: Prefix, as_json: bool) -> int:
    """Prints a line a check, with its remedy; fails where one does."""
    checks: List[Dict[str, str]] = []
    for check in _checks(prefix):
        check = {name: home_shortened(without_secrets(text)) for name, text in check.items()}
        checks.append(check)
        if not as_json:
            _print(check)
    failed = any(check["state"] == "fail" for check in checks)
    if as_json:
        print(json.dumps({"failed": failed, "checks": checks}, indent=2))
    return FAULTS if failed else OK


def _checks(prefix: Prefix) -> Iterator[Dict[str, str]]:
    try:
        version = _version_in_use(prefix)
    except InstallError as error:
        yield _check("install", "fail", str(error), _again(prefix))
        version = None
    if version is not None:
        told = "version {}, Python {}, torch {}, installed {}".format(
            version.name, *(version.stamp.get(name) or "?" for name in ("python", "torch", "installed"))
        )
        yield _check("install", "pass", told + " in " + prefix.folder)
        faults = installation.faults_of(version)
        for fault in faults[:5]:
            yield _check("install", "fail", fault, "install.py repair --prefix {}".format(prefix.folder))
        if not faults:
            yield _check("install", "pass", "every file is as it was installed")
    yield from _nuke(prefix)
    if version is not None and runs(version.python):
        yield from _engine(version)


def _version_in_use(prefix: Prefix) -> Version:
    prefix.require()
    name = prefix.current()
    if not name:
        raise InstallError("no version is in use in {}".format(prefix.folder))
    version = prefix.version(name)
    if not version.complete:
        raise InstallError("version {} in {} is in use and not whole".format(name, prefix.folder))
    return version


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
            "{}, or install again with --write-nuke-path.".format(host_startup.path_line(prefix)),
        )


def _engine(version: Version) -> Iterator[Dict[str, str]]:
    """What the engine says of itself, in its own environment."""
    command = [version.python, "-I", "-m", "efficienttam", "doctor", "--json"]
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
        yield _check("engine", "fail", "it does not answer: {}".format(error), "install.py repair")
    except (ValueError, KeyError, TypeError):
        last = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["nothing"])[-1]
        yield _check(
            "engine", "fail", "it cannot be asked, its last words: {}".format(last), "install.py repair"
        )


def _again(prefix: Prefix) -> str:
    return "python3 {} --prefix {}".format(os.path.join("install", "install.py"), prefix.folder)


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
