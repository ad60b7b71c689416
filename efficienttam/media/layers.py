"""Names of layers in an EXR: how an object's name becomes a channel name."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..contract.errors import OutputError

_SUFFIXES = {"alpha": "A", "red": "R", "green": "G", "blue": "B", "a": "A", "r": "R", "g": "G", "b": "B"}
_MAIN_LAYERS = frozenset({"", "rgba", "rgb"})
_NOT_ALLOWED = re.compile(r"\W")


def channel_name(layer: str) -> str:
    """``rgba.alpha``, ``alpha`` and ``A`` give ``A``; ``hero`` and ``hero.alpha`` give ``hero.A``.

    Other last parts are kept: ``hero.core`` stays. Signs that layer names may not hold become ``_``,
    a digit in front gets one.
    """
    name, _, last = layer.rpartition(".")
    if not name and last.lower() not in _SUFFIXES:
        name, last = last, "alpha"
    last = _SUFFIXES.get(last.lower(), _NOT_ALLOWED.sub("_", last))
    if name.lower() in _MAIN_LAYERS:
        return last
    name = _NOT_ALLOWED.sub("_", name)
    return f"{'_' if name[0].isdigit() else ''}{name}.{last}"


def channel_names(layers: Iterable[str]) -> dict[str, str]:
    """Layer -> channel name, one each.

    Raises OutputError when there is no layer or two would get the same channel.
    """
    names: dict[str, str] = {}
    for layer in layers:
        channel = channel_name(layer)
        twin = next((other for other, taken in names.items() if taken.lower() == channel.lower()), None)
        if twin is not None:
            raise OutputError(
                f"The layers {twin!r} and {layer!r} would both be the channel {channel}.",
                "Rename one of the objects.",
            )
        names[layer] = channel
    if not names:
        raise OutputError("There is no matte to write.", "Give at least one layer.")
    return names
