"""The names that sRGB and Nuke's linear go by. Pure; standard library only, Python 3.7 or newer."""

from __future__ import annotations

import re
from typing import Optional, Sequence

from efficienttam.contract.errors import ColorError

#: sRGB-encoded Rec.709 as configurations call it, the likeliest first, in small letters.
_SRGB = (
    "srgb",
    "output - srgb",
    "srgb - texture",
    "utility - srgb - texture",
    "srgb encoded rec.709 (srgb)",
    "srgb_tx",
    "srgb texture",
    "srgb_texture",
    "utility - curve - srgb",
    "color_picking",
    "srgb - display",
    "srgb display",
)
#: Nuke's own names for what the engine calls otherwise.
_ENGINE = {"linear": "linear", "srgb": "raw", "raw": "raw", "cineon": "Cineon"}
_FAMILY = re.compile(r"^.*/")


def srgb_name(values: Sequence[str], wanted: str = "") -> str:
    """The entry of a colour-space knob that stands for sRGB; ``wanted`` is the artist's word for it.

    Raises ColorError with the entries where none is it.
    """
    # "name\tfamily/name": what is before the tab is set, what is after it is shown.
    names = [value.partition("\t")[0].strip() for value in values]
    exact = {name.lower(): name for name in reversed(names)}
    plain = {_FAMILY.sub("", name).lower(): name for name in reversed(names)}
    for name in (wanted.strip().lower(),) if wanted.strip() else _SRGB:
        found = exact.get(name) or plain.get(name)
        if found is not None:
            return found
    asked = "{!r} is not".format(wanted) if wanted.strip() else "None of the usual names of sRGB is"
    listed = ", ".join(name for name in names if name)
    raise ColorError(
        "{} in this colour configuration.".format(asked),
        'Write one of these into "sRGB is called" on the tab Advanced: {}.'.format(listed),
    )


def engine_name(nuke_name: str) -> Optional[str]:
    """What the engine calls a colour space of Nuke's own configuration; None where it has none."""
    return _ENGINE.get(nuke_name.strip().lower())
