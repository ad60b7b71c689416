"""Lines for people to paste into a shell of this system, whatever their paths hold."""

from __future__ import annotations

import os
import re
import shlex

_HERE = os.path.dirname(os.path.abspath(__file__))


def word(text: str) -> str:
    """One word of such a line; the home folder is shortened as the shell understands it."""
    inside = _in_home(text)
    if os.name == "nt":
        return _quoted("%USERPROFILE%" + text[len(_home()) :] if inside else text)
    # A shell knows ~ where it stands outside of quotes alone.
    return "~/" + _quoted(text[len(_home()) + 1 :]) if inside else _quoted(text)


def installer_line(*words: str) -> str:
    """The line that starts this installer with these words, from any folder."""
    python = "py" if os.name == "nt" else "python3"
    return " ".join(map(word, (python, os.path.join(_HERE, "install.py"), *words)))


def setting_line(variable: str, path: str) -> str:
    """The line that sets a variable to a path in this platform's shell."""
    if os.name == "nt":
        return f"setx {variable} {word(path)}"
    # Not every shell knows ~ after an equals sign.
    value = '"$HOME"/' + _quoted(path[len(_home()) + 1 :]) if _in_home(path) else _quoted(path)
    return f"export {variable}={value}"


def _home() -> str:
    return os.path.expanduser("~").rstrip("/\\")


def _in_home(path: str) -> bool:
    return bool(_home()) and path.startswith(os.path.join(_home(), ""))


def _quoted(text: str) -> str:
    if os.name != "nt":
        return shlex.quote(text)
    return text if re.match(r"[A-Za-z0-9_.:\\/-]+\Z", text) else f'"{text}"'
