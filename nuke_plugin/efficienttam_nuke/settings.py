"""What a site sets: where the engine's Python is, and where temporary frames go.

For each value the first that says something counts:

1. the environment: EFFICIENTTAM_PYTHON, EFFICIENTTAM_ENGINE, EFFICIENTTAM_FEED;
2. the site's file: the one that EFFICIENTTAM_SETTINGS names, else ``efficienttam_settings.json`` beside
   ``nuke_plugin``, else in the folder that the installer keeps its versions in; a JSON object with any of
   "python", "engine" and "feed", beside what the engine reads of it. Relative paths are taken from the
   file's folder, ``~`` is the home folder;
3. what the installer makes: ``environment``, in a clone ``.venv``, and ``efficienttam`` beside
   ``nuke_plugin``, and a folder of this user in the system's temporary folder.

Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import dataclasses
import getpass
import json
import os
import sys
import tempfile
from typing import Dict, Mapping

FILE = "efficienttam_settings.json"
#: Of the same file, read by the engine (``efficienttam.contract.site_settings``).
ENGINE_NAMES = ("device", "threads", "cache", "weights", "path_map", "farm")
_VARIABLES = {"python": "EFFICIENTTAM_PYTHON", "engine": "EFFICIENTTAM_ENGINE", "feed": "EFFICIENTTAM_FEED"}


class SettingsError(Exception):
    """A settings file that cannot be understood."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """Absolute paths; that something is there is for the one to check who needs it."""

    #: The engine's Python: the program a worker is started with.
    python: str
    #: Folder that holds the package ``efficienttam``.
    engine: str
    #: Folder for frames rendered for the engine.
    feed: str


def read_settings(environment: Mapping[str, str], root: str) -> Settings:
    """The settings; ``root`` is the folder that holds ``nuke_plugin``. Raises SettingsError."""
    values = _defaults(root)
    file = settings_file(environment, root)
    if file:
        values.update(_from_file(file))
    for name, variable in _VARIABLES.items():
        if environment.get(variable):
            values[name] = os.path.abspath(os.path.expanduser(environment[variable]))
    return Settings(**values)


def settings_file(environment: Mapping[str, str], root: str) -> str:
    """The site's file; empty where there is none. Raises SettingsError for a named one not there."""
    file = environment.get("EFFICIENTTAM_SETTINGS", "")
    if file and not os.path.isfile(file):
        raise SettingsError(
            "EFFICIENTTAM_SETTINGS names {}, and there is no such file. Correct it or unset it.".format(file)
        )
    if file:
        return file
    places = [root]
    if os.path.basename(os.path.dirname(root)) == "versions":
        places.append(os.path.dirname(os.path.dirname(root)))
    files = [os.path.join(place, FILE) for place in places]
    return next((found for found in files if os.path.isfile(found)), "")


def root_of_plugin() -> str:
    """The folder that holds ``nuke_plugin``."""
    here = os.path.dirname(os.path.abspath(__file__))
    return os.path.dirname(os.path.dirname(here))


def how_to_install(root: str) -> str:
    """The command that makes the engine of this plugin, as a sentence; ``root`` holds ``nuke_plugin``."""
    script = os.path.join(root, "install", "install.py")
    if not os.path.isfile(script):
        return "Get the whole release of this plugin and run its install/install.py"
    python = "py" if sys.platform == "win32" else "python3"
    action = "setup"
    if os.path.isdir(os.path.join(root, "environment")):
        # One of several versions that the installer keeps; this one lost its environment's Python.
        action = "repair"
    return 'Run {} "{}" {}'.format(python, script, action)


def _defaults(root: str) -> Dict[str, str]:
    inside = ("Scripts", "python.exe") if sys.platform == "win32" else ("bin", "python")
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):
        # A user without a name, as in some containers.
        user = "user"
    installed = os.path.isdir(os.path.join(root, "environment"))
    return {
        "python": os.path.join(root, "environment" if installed else ".venv", *inside),
        "engine": root,
        "feed": os.path.join(tempfile.gettempdir(), "efficienttam_" + user),
    }


def _from_file(file: str) -> Dict[str, str]:
    try:
        with open(file, encoding="utf-8-sig") as stream:
            document = json.load(stream)
    except (OSError, ValueError) as error:
        raise SettingsError("The settings {} cannot be read: {}.".format(file, error)) from error
    if not isinstance(document, dict):
        raise SettingsError("The settings {} are no JSON object.".format(file))
    document = {name: value for name, value in document.items() if name not in ENGINE_NAMES}
    if not all(isinstance(value, str) for value in document.values()):
        raise SettingsError("The paths in the settings {} are no texts.".format(file))
    unknown = sorted(set(document) - set(_VARIABLES))
    if unknown:
        known = ", ".join(sorted({*_VARIABLES, *ENGINE_NAMES}))
        raise SettingsError("The settings {} name {}; known are {}.".format(file, unknown[0], known))
    folder = os.path.dirname(os.path.abspath(file))
    return {
        name: os.path.normpath(os.path.join(folder, os.path.expanduser(value)))
        for name, value in document.items()
        if value
    }
