"""Text attributes of formats that have none of their own: a JSON object in the description."""

from __future__ import annotations

import json
from collections.abc import Mapping

#: PNG's ``Description`` and TIFF's ``ImageDescription`` as OpenImageIO calls both.
DESCRIPTION = "ImageDescription"


def described(text: str) -> Mapping[str, str]:
    """The text attributes in a description; none where it is no such object."""
    try:
        held = json.loads(text) if text.startswith("{") else {}
    except ValueError:
        return {}
    return {name: value for name, value in held.items() if isinstance(value, str)}


def is_description(text: str) -> bool:
    """True for a JSON object of texts alone, as ``description`` makes them."""
    try:
        held = json.loads(text) if text.startswith("{") else None
    except ValueError:
        return False
    return isinstance(held, dict) and all(isinstance(value, str) for value in held.values())


def description(texts: Mapping[str, str]) -> str:
    """A description that holds text attributes, in ASCII: the formats disagree about other letters."""
    return json.dumps(dict(sorted(texts.items())), separators=(",", ":"))
