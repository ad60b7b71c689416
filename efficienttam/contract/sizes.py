"""Numbers of bytes as people write them, in powers of 1024.

Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import re

from .errors import JobError

_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?\s*\Z", re.IGNORECASE)
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def parse_size(text: str) -> int:
    """Bytes of ``20G``, ``1.5 GB``, ``500M`` or ``1048576``. Raises JobError."""
    match = _SIZE.match(text)
    if match is None:
        raise JobError("{!r} is not a size.".format(text), "Write a number and K, M, G or T, like 20G.")
    return int(float(match.group(1)) * _UNITS[match.group(2).upper()])


def format_size(count: int) -> str:
    """``1.5 GB``, ``37.0 MB``, ``512 bytes``; powers of 1024."""
    for unit in "TGMK":
        if count >= _UNITS[unit]:
            return "{:.1f} {}B".format(count / _UNITS[unit], unit)
    return "{} bytes".format(count)
