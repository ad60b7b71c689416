"""Kinds of values that stand in a site's settings alone, in its file or in the environment.

All of them are texts that may be empty.

Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import re
from typing import Any

from .errors import JobError
from .fields import REFUSED, Fault, Text
from .rules import DEVICE, DEVICE_REMEDY
from .sizes import parse_size

_OFF = "off"
SAYS_YES = ("1", "true", "yes", "on")
SAYS_NO = ("0", "false", "no", "off")
_WINDOWS_ROOT = re.compile(r"[A-Za-z]:(?:[\\/]|\Z)|\\\\|//")


class DeviceName(Text):
    """A device as a job names it."""

    def read(self, value: Any, place: str, faults: list[Fault]) -> Any:
        text = super().read(value, place, faults)
        fits = text is REFUSED or not text or DEVICE.match(text)
        return text if fits else self.refuse(text, place, faults, DEVICE_REMEDY)


class Word(Text):
    """One of a few words, in capitals or not."""

    def __init__(self, *words: str) -> None:
        super().__init__(" or ".join(words))
        self.words = words

    def read(self, value: Any, place: str, faults: list[Fault]) -> Any:
        text = super().read(value, place, faults)
        fits = text is REFUSED or not text or text.lower() in self.words
        return text if fits else self.refuse(text, place, faults)


class Switch(Text):
    """Yes or no as people write it into an environment, read as a bool."""

    def read(self, value: Any, place: str, faults: list[Fault]) -> Any:
        word = str(value).strip().lower()
        if word in SAYS_YES or word in SAYS_NO:
            return word in SAYS_YES
        return self.refuse(value, place, faults)


class Size(Text):
    """A number of bytes, like ``2T``."""

    def read(self, value: Any, place: str, faults: list[Fault]) -> Any:
        text = super().read(value, place, faults)
        try:
            if text is not REFUSED and text:
                parse_size(text)
        except JobError as error:
            return self.refuse(text, place, faults, error.remedy)
        return text


class Root(Text):
    """A folder by its whole path, as Windows writes it or as other platforms do, or as either.

    ``off`` may stand for none where ``may_be_off``.
    """

    def __init__(
        self, title: str, windows: bool = True, posix: bool = True, may_be_off: bool = False
    ) -> None:
        super().__init__(title)
        self.windows = windows
        self.posix = posix
        self.may_be_off = may_be_off

    def read(self, value: Any, place: str, faults: list[Fault]) -> Any:
        text = super().read(value, place, faults)
        if text is REFUSED or not text or (self.may_be_off and text.lower() == _OFF):
            return text
        whole = (self.posix and text.startswith("/")) or (self.windows and _WINDOWS_ROOT.match(text))
        return text if whole else self.refuse(text, place, faults)
