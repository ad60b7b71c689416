"""How Nuke learns of an installation: the folder in ``NUKE_PATH``, or lines in the user's ``init.py``."""

from __future__ import annotations

import glob
import os
import re
import string
import sys
from collections.abc import Mapping

from command_line import setting_line
from environment import write_whole
from outcome import InstallError
from prefix import Prefix

_BEGIN = "# EfficientTAM: written by its installer, which takes it out again."
_END = "# EfficientTAM: end."
_BLOCK = re.compile(rf"(?ms)^{re.escape(_BEGIN)}$.*?^{re.escape(_END)}$\n?")

#: What stands in PREFIX/nuke_plugin: two statements, and a module that looks where the pointer points.
_INIT = """import efficienttam_current

efficienttam_current.add()
"""
_CURRENT = '''"""Leads Nuke to the version of EfficientTAM that is in use; written by its installer."""

import os
import re

import nuke


def add():
    """Adds the plugin of the version in use to Nuke's path. Never raises: Nuke starts without it."""
    prefix = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    try:
        with open(os.path.join(prefix, "current"), "rb") as stream:
            name = stream.readline().decode("ascii", "replace").strip()
    except (IOError, OSError):
        name = ""
    plugin = os.path.join(prefix, "versions", name, "nuke_plugin")
    if not re.match(r"[0-9][0-9A-Za-z.+-]*$", name) or not os.path.isdir(plugin):
        nuke.tprint(
            "EfficientTAM: no version is in use in {}: the file current there names none that is installed. "
            "Run its installer again, or put a version into use with install.py rollback.".format(prefix)
        )
        return
    nuke.pluginAddPath(plugin.replace("\\\\", "/"))
'''
_SH = """#!/bin/sh
# Starts the version of EfficientTAM that is in use; written by its installer.
here=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd) || exit 1
version=
[ ! -f "$here/current" ] || read -r version < "$here/current"
case $version in
    [!0-9]* | *[!0-9A-Za-z.+-]*) version= ;;
esac
program=$here/versions/$version/bin/efficienttam
if [ -z "$version" ] || [ ! -x "$program" ]; then
    installer=install.py
    for found in "$here"/versions/*/install/install.py; do
        [ ! -f "$found" ] || installer=$found
    done
    quoted=$(printf %s "$installer" | sed "s/'/'\\\\\\\\''/g")
    printf "efficienttam: no version is in use in %s: the file current there names none that is installed. \\
What is there, and how to use it, tells: python3 '%s' list\\n" "$here" "$quoted" >&2
    exit 127
fi
exec "$program" "$@"
"""
_SH_OF_VERSION = """#!/bin/sh
# Starts this version of EfficientTAM; written by its installer.
here=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd) || exit 1
if [ ! -x "$here/environment/bin/efficienttam" ] || [ ! -x "$here/environment/bin/python" ]; then
    quoted=$(printf %s "$here/install/install.py" | sed "s/'/'\\\\\\\\''/g")
    printf "efficienttam: the environment of this version is missing or its Python is gone. \\
Make it anew: python3 '%s' repair\\n" "$quoted" >&2
    exit 127
fi
unset PYTHONHOME PYTHONPATH
PYTHONNOUSERSITE=1
export PYTHONNOUSERSITE
exec "$here/environment/bin/efficienttam" "$@"
"""
_CMD = """@echo off\r
rem Starts the version of EfficientTAM that is in use; written by its installer.\r
setlocal\r
set "VERSION="\r
if not exist "%~dp0..\\current" goto damaged\r
set /p VERSION=<"%~dp0..\\current"\r
if not defined VERSION goto damaged\r
rem A name of a version: a digit, then letters, digits and . + - alone.\r
setlocal EnableDelayedExpansion\r
for /f "eol=0 delims=@ALLOWED@" %%c in ("!VERSION!") do goto damaged\r
for /f "eol=0 delims=0123456789" %%c in ("!VERSION:~0,1!") do goto damaged\r
endlocal\r
if not exist "%~dp0..\\versions\\%VERSION%\\bin\\efficienttam.cmd" goto damaged\r
"%~dp0..\\versions\\%VERSION%\\bin\\efficienttam.cmd" %*\r
:damaged\r
setlocal DisableDelayedExpansion\r
set "INSTALLER=install.py"\r
for /d %%v in ("%~dp0..\\versions\\*") do set "INSTALLER=%%~fv\\install\\install.py"\r
echo efficienttam: no version is in use in "%~dp0..": the file current there names none that is installed. ^\r
What is there, and how to use it, tells: py "%INSTALLER%" list 1>&2\r
exit /b 127\r
""".replace("@ALLOWED@", string.digits + string.ascii_letters + ".+-")
_CMD_OF_VERSION = """@echo off\r
rem Starts this version of EfficientTAM; written by its installer.\r
setlocal\r
if not exist "%~dp0..\\environment\\Scripts\\python.exe" goto missing\r
if not exist "%~dp0..\\environment\\Scripts\\efficienttam.exe" goto missing\r
set PYTHONHOME=\r
set PYTHONPATH=\r
set PYTHONNOUSERSITE=1\r
"%~dp0..\\environment\\Scripts\\efficienttam.exe" %*\r
exit /b %ERRORLEVEL%\r
:missing\r
echo efficienttam: the environment of this version is missing. ^\r
Make it anew: py "%~dp0..\\install\\install.py" repair 1>&2\r
exit /b 127\r
"""


def write_entrances(prefix: Prefix) -> None:
    """Makes what leads to the version in use: the plugin folder for Nuke and the program for shells."""
    os.makedirs(prefix.plugin, exist_ok=True)
    os.makedirs(prefix.programs, exist_ok=True)
    for path, text in entrances(prefix):
        if _read(path) != text:
            write_whole(path, text)
    if os.name != "nt":
        os.chmod(os.path.join(prefix.programs, "efficienttam"), 0o755)


def write_program(folder: str) -> None:
    """Makes ``bin/efficienttam`` of a version, which keeps a foreign Python's settings out."""
    programs = os.path.join(folder, "bin")
    os.makedirs(programs, exist_ok=True)
    windows = os.name == "nt"
    path = os.path.join(programs, "efficienttam" + (".cmd" if windows else ""))
    write_whole(path, _CMD_OF_VERSION if windows else _SH_OF_VERSION)
    if not windows:
        os.chmod(path, 0o755)


def entrances(prefix: Prefix) -> list[list[str]]:
    """Path and text of each."""
    windows = os.name == "nt"
    return [
        [os.path.join(prefix.plugin, "init.py"), _INIT],
        [os.path.join(prefix.plugin, "efficienttam_current.py"), _CURRENT],
        [
            os.path.join(prefix.programs, "efficienttam" + (".cmd" if windows else "")),
            _CMD if windows else _SH,
        ],
    ]


def path_line(prefix: Prefix) -> str:
    """The one line that makes a Nuke find the plugin, for this platform's shell."""
    if os.name == "nt":
        return f'setx NUKE_PATH "{prefix.plugin}"'
    return "export NUKE_PATH='{}'".format(prefix.plugin.replace("'", "'\\''"))


def user_folder(environment: Mapping[str, str] = os.environ) -> str:
    """The user's ``.nuke``, where Nuke looks for it: on Windows HOME counts before the profile."""
    home = environment.get("HOME") if sys.platform == "win32" else ""
    return os.path.join(home or os.path.expanduser("~"), ".nuke")


def write_lines(prefix: Prefix, folder: str) -> str:
    """Puts our lines into ``init.py`` of the user's folder in place of earlier ones; returns its path."""
    path = os.path.join(folder, "init.py")
    text = _BLOCK.sub("", _read(path))
    if text and not text.endswith("\n"):
        text += "\n"
    plugin = prefix.plugin.replace("\\", "/")
    # Nuke 13's Python reads it as UTF-8 too; letters beyond ASCII are written as escapes all the same.
    block = f"{_BEGIN}\nimport nuke\n\nnuke.pluginAddPath({plugin!a})\n{_END}\n"
    try:
        os.makedirs(folder, exist_ok=True)
        write_whole(os.path.realpath(path), text + block)
    except OSError as error:
        raise InstallError(
            f"{path} cannot be written: {error.strerror or error}. Put this line into your environment "
            f"instead: {setting_line('NUKE_PATH', prefix.plugin)}"
        )
    return path


def remove_lines(prefix: Prefix, folder: str) -> str:
    """Takes our lines for this prefix out of the user's ``init.py``; returns its path, empty for none."""
    path = os.path.join(folder, "init.py")
    text = _read(path)
    plugin = ascii(prefix.plugin.replace("\\", "/"))
    left = _BLOCK.sub(lambda match: "" if plugin in match.group(0) else match.group(0), text)
    if left == text:
        return ""
    if left.strip():
        write_whole(os.path.realpath(path), left)
    else:
        os.remove(path)
        if not os.listdir(folder):
            os.rmdir(folder)
    return path


def _read(path: str) -> str:
    """A text file as it is; empty where there is none. Raises InstallError for what is no text."""
    try:
        with open(path, encoding="utf-8", newline="") as stream:
            return stream.read()
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise InstallError(f"{path} cannot be read: {error}.")


def installed_nukes(sys_platform: str = sys.platform, root: str = "") -> list[str]:
    """Folders of Nukes in the usual places of a platform; ``root`` stands before all of them."""
    if sys_platform == "win32":
        files = os.environ.get("ProgramFiles", r"C:\Program Files")
        patterns = [os.path.join(files, "Nuke[0-9]*")]
    elif sys_platform == "darwin":
        patterns = ["/Applications/Nuke[0-9]*"]
    else:
        patterns = ["/usr/local/Nuke[0-9]*", "/opt/Nuke[0-9]*", "/opt/foundry/Nuke[0-9]*"]
        patterns.append(os.path.join(os.path.expanduser("~"), "Nuke[0-9]*"))
    found = [path for pattern in patterns for path in glob.glob(root + pattern) if os.path.isdir(path)]
    return sorted(set(found))


def ways_to_the_plugin(plugin: str, environment: Mapping[str, str], folder: str) -> list[str]:
    """What makes a Nuke of this user find a plugin folder: ``NUKE_PATH`` or a file of ``.nuke``."""
    ways = []
    wanted = os.path.normcase(os.path.realpath(plugin))
    for part in environment.get("NUKE_PATH", "").split(os.pathsep):
        if part and os.path.normcase(os.path.realpath(part)) == wanted:
            ways.append("NUKE_PATH")
    for name in ("init.py", "menu.py"):
        path = os.path.join(folder, name)
        text = _read(path)
        if plugin.replace("\\", "/") in text or ascii(plugin.replace("\\", "/"))[1:-1] in text:
            ways.append(path)
    return ways
