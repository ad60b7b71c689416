"""Writes rez packages, one per installed version, that lead to it and hold nothing."""

from __future__ import annotations

import os
from typing import Any

from environment import write_whole
from outcome import OK, InstallError
from prefix import Prefix

TEMPLATE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "rez", "package.py")
FAMILY = "efficienttam"


def write_packages(prefix: Prefix, repository: str, journal: Any) -> int:
    """Writes ``repository/efficienttam/<version>/package.py`` for whole versions. Raises InstallError."""
    prefix.require()
    with open(TEMPLATE, encoding="utf-8") as stream:
        template = stream.read()
    whole = [version for version in prefix.versions() if version.complete]
    if not whole:
        raise InstallError("no whole version is installed in {}.".format(prefix.folder))
    for version in whole:
        folder = os.path.join(os.path.abspath(repository), FAMILY, version.name)
        os.makedirs(folder, exist_ok=True)
        text = template.replace('"@VERSION@"', repr(version.name)).replace('"@FOLDER@"', repr(version.folder))
        write_whole(os.path.join(folder, "package.py"), text)
        journal.say("wrote {}".format(os.path.join(folder, "package.py")))
    return OK
