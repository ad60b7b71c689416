"""The installer that lies beside this engine: what it tells of the host, and lines that start it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

from ..contract.installed import installed_prefix, package_root
from .report import Check, State, failed, passed, typed_path

#: The installer loads the engine to look whether it is whole, which is slow from a cold disk.
PATIENCE = 300.0


def installer(root: str = "") -> str:
    """Path of the program in a clone or an installed version; empty for a package by itself."""
    folder = os.path.join(root or package_root(), "install")
    # Any package may bring a folder `install` along; this file is ours.
    there = os.path.isfile(os.path.join(folder, "doctor_host.py"))
    return os.path.join(folder, "install.py") if there else ""


def how_to_install_again(*words: str) -> str:
    """The line that makes this engine anew, to be pasted; ``words`` are more options."""
    program = installer()
    if not program:
        return "pip install --force-reinstall efficienttam"
    action = "repair" if installed_prefix() else "setup"
    python = "py" if os.name == "nt" else "python3"
    return " ".join([python, typed_path(program), action, *words])


def check_installation() -> Iterator[Check]:
    """What the installer tells: the installation, the host, and the host's way to it."""
    program = installer()
    if not program:
        yield passed("install", "a package by itself: no installer lies beside it, so no host is looked for")
        return
    # It would ask this engine in its turn: it is told not to.
    command = [sys.executable, "-I", "-B", program, "doctor", "--json", "--without-engine"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)
        rows = json.loads(done.stdout.decode("utf-8", "replace"))["checks"]
        found = [Check(row["name"], State(row["state"]), row["told"], row["remedy"]) for row in rows]
    except (OSError, subprocess.SubprocessError) as error:
        found = [failed("install", f"the installer does not answer: {error}", how_to_install_again())]
    except (ValueError, KeyError, TypeError):
        last = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["nothing"])[-1]
        told = f"the installer cannot be asked, its last words: {last}"
        found = [failed("install", told, how_to_install_again())]
    yield from found
