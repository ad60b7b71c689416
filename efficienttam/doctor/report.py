"""What the doctor says: checks with a state, as text for people to paste or as JSON."""

from __future__ import annotations

import dataclasses
import enum
import json
import os
import re
import shlex
from collections.abc import Sequence

#: Of the column of names, so that lines printed one by one stand in columns too.
_WIDTH = 8


class State(enum.Enum):
    """How a check came out."""

    PASS = "pass"
    #: Work can be done, and something about it is not as it could be.
    WARN = "warn"
    #: Work cannot be done, or not all of it.
    FAIL = "fail"


@dataclasses.dataclass(frozen=True)
class Check:
    """One line: what was looked at, what was found, and what to do where it is not well."""

    name: str
    state: State
    told: str
    remedy: str = ""


def passed(name: str, told: str) -> Check:
    return Check(name, State.PASS, told)


def warned(name: str, told: str, remedy: str) -> Check:
    return Check(name, State.WARN, told, remedy)


def failed(name: str, told: str, remedy: str) -> Check:
    return Check(name, State.FAIL, told, remedy)


def has_failed(checks: Sequence[Check]) -> bool:
    """True when any check says that work cannot be done."""
    return any(check.state is State.FAIL for check in checks)


def as_text(checks: Sequence[Check]) -> str:
    """A line a check, the remedy of one that is not well below it."""
    width = max([len(check.name) for check in checks] + [_WIDTH])
    lines = []
    for check in checks:
        lines.append(f"{check.state.value}  {check.name.ljust(width)}  {shareable(check.told)}")
        if check.remedy:
            lines.append(f"{' ' * (width + 8)}-> {shareable(check.remedy)}")
    return "\n".join(lines)


def as_json(checks: Sequence[Check]) -> str:
    """The same as one JSON object."""
    rows = [
        {
            "name": check.name,
            "state": check.state.value,
            "told": shareable(check.told),
            "remedy": shareable(check.remedy),
        }
        for check in checks
    ]
    return json.dumps({"failed": has_failed(checks), "checks": rows}, indent=2)


def without_secrets(text: str) -> str:
    """The text without user names, passwords and queries, which hold keys too, of its URLs."""
    return re.sub(r"(://[^\s?'\"]+\?)[^\s'\"]+", r"\1***", re.sub(r"(://)[^/\s]+@", r"\1***@", text))


def typed_path(path: str) -> str:
    """A path as one word of a line to be pasted into a shell of this system, the home folder shortened."""
    home = os.path.expanduser("~")
    inside = len(home) > 1 and path.startswith(os.path.join(home, ""))
    if os.name == "nt":
        return f'"{"%USERPROFILE%" + path[len(home) :] if inside else path}"'
    # A shell knows ~ where it stands outside of quotes alone.
    return "~/" + shlex.quote(path[len(os.path.join(home, "")) :]) if inside else shlex.quote(path)


def shareable(text: str) -> str:
    """One line of the text as it may go into a support ticket: no password of a URL, home as ``~``."""
    text = without_secrets(" ".join(text.split()))
    home = os.path.expanduser("~")
    for spelling in {home, home.replace("\\", "/"), os.path.realpath(home)}:
        if len(spelling) > 1:
            text = re.sub(re.escape(spelling) + r"(?=[\\/\s'\",;:)]|\.?$)", "~", text)
    return text
