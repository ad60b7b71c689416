"""Which channels of which part are the picture: layers, parts and views of one file.

A channel is called ``layer.R``, or ``layer.view.R`` in a single-part stereo file, or just ``R`` in a
part whose name is the layer. The names red, green, blue, alpha work like R, G, B, A.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from itertools import chain

from ..contract.errors import PlateError

_LETTERS = {"red": "r", "green": "g", "blue": "b", "alpha": "a", "luminance": "y"}
_MAIN_LAYERS = ("", "rgb", "rgba")


@dataclasses.dataclass(frozen=True)
class Part:
    """One part (subimage) of a file. ``views`` lists those of a single-part stereo file."""

    index: int
    name: str
    view: str
    views: tuple[str, ...]
    channels: tuple[str, ...]

    @property
    def layer(self) -> str:
        """The part's name without its view: ``diffuse`` for ``diffuse.left`` and ``diffuse_left``."""
        for separator in "._":
            if self.view and self.name.lower().endswith(separator + self.view.lower()):
                return self.name[: -len(self.view) - 1]
        return "" if self.view and self.name == self.view else self.name


@dataclasses.dataclass(frozen=True)
class Picture:
    """Channels to read: three numbers for red, green, blue (None: black), or one for a grey picture."""

    part: int
    channels: tuple[int | None, ...]


@dataclasses.dataclass(frozen=True)
class _Channel:
    part: Part
    index: int
    layer: str
    view: str
    letter: str


def views_of(parts: Sequence[Part]) -> tuple[str, ...]:
    """Views in the file, in the file's order; the first one is its default."""
    named = [view for part in parts for view in (part.views or (part.view,)) if view]
    return tuple(dict.fromkeys(named))


def find_picture(
    path: str,
    parts: Sequence[Part],
    layer: str = "",
    part: str | int | None = None,
    view: str = "",
    one_view: bool = False,
) -> Picture:
    """The colour channels of a layer (default: the main one) in a view (default: the file's first).

    A file that tells of no views has those that its layers are named after (``left.R``); with ``one_view``
    it is of the view that the name of the file tells. A layer with one colour channel, and a file with a
    single channel, give a grey picture; of two colour channels the third is black. ``layer`` may also name
    one channel (``depth.Z``).

    Raises PlateError when there is no such part, view or layer, or no colour to be found.
    """
    chosen = _choose_parts(path, parts, part)
    by_layers = bool(view) and not one_view and not views_of(chosen)
    if by_layers:
        chosen = _by_layers(path, chosen, view)
    view = _choose_view(path, views_of(chosen), view)
    channels = [c for c in _channels(chosen) if c.view == view or not (by_layers or (view and c.view))]
    for found in _groups(channels, layer):
        letters = {c.letter: c.index for c in reversed(found)}
        colors = [letters.get(letter) for letter in "rgb"]
        present = [index for index in colors if index is not None]
        if len(present) >= 2:
            return Picture(found[0].part.index, tuple(colors))
        # Beside X it is a direction, no luminance.
        grey = present or ([letters["y"]] if "y" in letters and "x" not in letters else [])
        if grey:
            return Picture(found[0].part.index, (grey[0],))
    single = channels
    if layer:
        single = [c for c in channels if _spelled(c) == _normal(layer)] or list(
            chain(*_groups(channels, layer))
        )
    if len(single) == 1:
        return Picture(single[0].part.index, (single[0].index,))
    raise PlateError(
        f"{path} has no colour channels in {f'layer {layer!r}' if layer else 'its main layer'}; "
        f"it has {_listing(channels)}.",
        "Name a layer or a channel that is there.",
    )


def find_channel(path: str, parts: Sequence[Part], name: str = "", view: str = "") -> Picture:
    """One channel by its name (``A``, ``hero.alpha``, or ``hero`` for the alpha of that layer).

    Without a name: the alpha of the main layer, else the file's first alpha, else its first channel.

    Raises PlateError when there is no such channel or view.
    """
    view = _choose_view(path, views_of(parts), view)
    channels = [c for c in _channels(parts) if not (view and c.view and c.view != view)]
    if name:
        wanted = _normal(name)
        candidates = [c for c in channels if _spelled(c) == wanted]
        candidates += [c for c in channels if c.letter == "a" and c.layer.lower() == name.lower()]
    else:
        candidates = [c for c in channels if c.letter == "a" and c.layer.lower() in _MAIN_LAYERS]
        candidates += [c for c in channels if c.letter == "a"] + channels[:1]
    if not candidates:
        raise PlateError(
            f"{path} has no channel {name!r}; it has {_listing(channels)}.", "Name one that is there."
        )
    return Picture(candidates[0].part.index, (candidates[0].index,))


def _choose_parts(path: str, parts: Sequence[Part], wanted: str | int | None) -> Sequence[Part]:
    if wanted is None:
        return parts
    chosen = [p for p in parts if wanted in (p.index, p.name, str(p.index))]
    if not chosen:
        names = ", ".join(p.name or str(p.index) for p in parts)
        raise PlateError(f"{path} has no part {wanted!r}; it has {names}.", "Name a part that is there.")
    return chosen


def _by_layers(path: str, parts: Sequence[Part], wanted: str) -> Sequence[Part]:
    """The parts with the view that layers are named after. Raises PlateError where none is."""
    ends = {c.layer.rpartition(".")[2] for c in _channels(parts) if c.letter in "rgby"} - {""}
    named = tuple(view for view in sorted(ends) if view.lower() == wanted.lower())
    if not named:
        layers = f", and layers named {', '.join(sorted(ends))}" if ends else ""
        raise PlateError(
            f"{path} has no views{layers}; view {wanted!r} was asked for.",
            "Leave the view out; or put %V into the path, where each view has files of its own.",
        )
    # What stands in no layer is of none of its views.
    return [dataclasses.replace(part, views=("", *named)) for part in parts]


def _choose_view(path: str, views: tuple[str, ...], wanted: str) -> str:
    if not views:
        return ""
    for view in views:
        if not wanted or view.lower() == wanted.lower():
            return view
    raise PlateError(
        f"{path} has no view {wanted!r}; it has {', '.join(views)}.", "Name a view that is there."
    )


def _channels(parts: Sequence[Part]) -> list[_Channel]:
    return [channel for part in parts for channel in _channels_of(part)]


def _channels_of(part: Part) -> Iterator[_Channel]:
    for index, name in enumerate(part.channels):
        *layers, base = name.split(".")
        view = part.view
        if part.views:
            view = layers.pop() if layers and layers[-1] in part.views else "" if layers else part.views[0]
        yield _Channel(part, index, ".".join(layers), view, _LETTERS.get(base.lower(), base.lower()))


def _groups(channels: Sequence[_Channel], layer: str) -> Iterator[list[_Channel]]:
    """Channels that may be the layer, one group per part, best first."""
    if layer.lower() in _MAIN_LAYERS:
        layers = {c.layer for c in channels if c.letter in "rgby"}
        groups = [
            [c for c in channels if c.layer.lower() in _MAIN_LAYERS and (c.layer or _is_main(c.part))],
            [c for c in channels if not c.layer],
            list(channels) if len(layers) == 1 else [],
        ]
    else:
        groups = [
            [c for c in channels if c.layer.lower() == layer.lower()],
            [c for c in channels if not c.layer and c.part.layer.lower() == layer.lower()],
        ]
    for group in groups:
        for part in dict.fromkeys(c.part for c in group):
            yield [c for c in group if c.part == part]


def _is_main(part: Part) -> bool:
    return part.layer.lower() in _MAIN_LAYERS


def _normal(name: str) -> str:
    layer, _, base = name.lower().rpartition(".")
    letter = _LETTERS.get(base, base)
    return letter if layer in _MAIN_LAYERS else f"{layer}.{letter}"


def _spelled(channel: _Channel) -> str:
    layer = channel.layer.lower()
    return channel.letter if layer in _MAIN_LAYERS else f"{layer}.{channel.letter}"


def _listing(channels: Sequence[_Channel]) -> str:
    names = list(dict.fromkeys(c.part.channels[c.index] for c in channels))
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
