"""What a node puts out before any pixel is made: format, bounding box, channels, frame range.

Standard library only, Python 3.7 or newer; the header of a file is read where OpenImageIO is at hand.
"""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Any, Callable, Iterator, Tuple

from .formats import Format
from .nodes import Group, Node

if TYPE_CHECKING:
    from .session import Session

#: Channel names as files have them -> as Nuke shows them.
_SHORT = {"R": "red", "G": "green", "B": "blue", "A": "alpha"}
RGB = ("rgba.red", "rgba.green", "rgba.blue")
RGBA = (*RGB, "rgba.alpha")
Box = Tuple[int, int, int, int]


@dataclasses.dataclass
class Outline:
    """``box`` is x, y, r, t from the bottom left; ``range`` first and last frame."""

    format: Format
    box: Box
    channels: set[str]
    range: tuple[int, int]
    metadata: dict[str, Any] = dataclasses.field(default_factory=dict)


def long_name(channel: str) -> str:
    """``R`` is rgba.red, ``hero.A`` is hero.alpha; what has no layer lands in ``other``."""
    layer, _, name = channel.rpartition(".")
    name = _SHORT.get(name, name) if len(name) == 1 else name
    if layer:
        return f"{layer}.{name}"
    return "rgba." + name if name in ("red", "green", "blue", "alpha") else "other." + name


def expand(session: Session, wanted: str, present: set[str]) -> list[str]:
    """The channels that a Channel knob names, of those that are there or could be."""
    found: list[str] = []
    for word in wanted.split():
        if word == "all":
            found += sorted(present)
        elif word == "rgb":
            found += RGB
        elif word == "alpha":
            found.append("rgba.alpha")
        elif word in session.layers:
            found += session.layers[word]
        elif word != "none":
            found.append(word)
    return found


def box_of(format: Format) -> Box:
    return (0, 0, format.width(), format.height())


def outline(session: Session, node: Node | None, frame: float, view: str) -> Outline:
    """Raises RuntimeError for a Read without a file."""
    if node is None:
        format = scaled(session, session.full_root_format())
        return Outline(format, (0, 0, 1, 1), set(), session.root_range())
    if isinstance(node, Group):
        return outline(session, node.output(), frame, view)
    if node._cls == "Input":
        return outline(session, behind(node), frame, view)
    before = outline(session, node.input(0), *upstream_time(node, frame, view))
    if disabled(node):
        return before
    rule = _RULES.get(node._cls)
    return before if rule is None else rule(session, node, before, frame, view)


def behind(node: Node) -> Node | None:
    """What is connected to the group's input that an Input node stands for."""
    group = node._parent
    assert group is not None
    return group.input(int(node["number"].value())) if group._parent is not None else None


def disabled(node: Node) -> bool:
    knob = node._knobs.get("disable")
    return knob is not None and bool(knob.value())


def upstream_time(node: Node, frame: float, view: str) -> tuple[float, str]:
    """Frame and view that a node asks of its inputs."""
    if disabled(node):
        return frame, view
    if node._cls == "TimeOffset":
        return frame - float(node["time_offset"].value()), view
    if node._cls == "FrameHold":
        return float(node["first_frame"].value()), view
    if node._cls == "OneView":
        return frame, str(node["view"].value())
    return frame, view


def scaled(session: Session, format: Format) -> Format:
    """The format as it is in proxy mode."""
    scale = session.proxy_scale()
    return format if scale == 1 else format.scaled(scale, scale)


def upstream(node: Node | None, seen: set[int] | None = None) -> Iterator[Node]:
    """The node and everything above it, through groups."""
    seen = set() if seen is None else seen
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    yield node
    if isinstance(node, Group):
        yield from upstream(node.output(), seen)
    elif node._cls == "Input":
        yield from upstream(behind(node), seen)
    else:
        for above in node._inputs:
            yield from upstream(above, seen)


def _read(session: Session, node: Node, before: Outline, frame: float, view: str) -> Outline:
    first, last = int(node["first"].value()), int(node["last"].value())
    path = read_path(session, node, frame, view)
    header = None if path is None else header_of(path)
    chosen = node["format"]._state()
    if header is None:
        format = scaled(session, chosen or session.full_root_format())
        return Outline(format, box_of(format), set(RGBA), (first, last))
    told = header.format if session.reads_formats else session.full_root_format()
    format = scaled(session, chosen or told)
    scale = session.proxy_scale()
    box = tuple(round(side * scale) for side in header.box)
    channels = set(header.channels)
    if channels & set(RGB) and node["auto_alpha"].value():
        channels.add("rgba.alpha")
    return Outline(format, box, channels, (first, last), dict(header.metadata))  # type: ignore[arg-type]


def read_path(session: Session, node: Node, frame: float, view: str) -> str | None:
    """The file of a frame; None for black. Raises RuntimeError for one that is missing."""
    first, last = int(node["first"].value()), int(node["last"].value())
    number = round(frame)
    if number < first or number > last:
        rule = str(node["before" if number < first else "after"].value())
        if rule == "black":
            return None
        number = _around(number, first, last, rule)
    text = node["file"].getText()  # type: ignore[attr-defined]
    if not text:
        raise RuntimeError(f"{node.name()}: no file")
    path = session.file_name(session.tcl_in(text, node), number, view)
    known = node.seen.get((number, view))
    if known is None:
        known = node.seen[number, view] = os.path.isfile(path)
    if not known or not os.path.isfile(path):
        if node["on_error"].value() == "error":
            raise RuntimeError(f"{node.name()}: Read error: No such file or directory: {path}")
        return None
    return path


def _around(frame: int, first: int, last: int, rule: str) -> int:
    length = last - first + 1
    if rule == "loop":
        return first + (frame - first) % length
    return first if frame < first else last


_HEADERS: dict[tuple[str, float], Outline] = {}


def header_of(path: str) -> Outline | None:
    """Of a file on disk, y turned up; None where OpenImageIO is not at hand."""
    try:
        import OpenImageIO as oiio
    except ImportError:
        return None
    key = (path, os.stat(path).st_mtime)
    if key not in _HEADERS:
        opened = oiio.ImageInput.open(path)
        if opened is None:
            raise RuntimeError(f"Read error: {oiio.geterror()}")
        _HEADERS[key] = _from_spec(opened.spec())
        opened.close()
    return _HEADERS[key]


def _from_spec(spec: Any) -> Outline:
    aspect = spec.getattribute("PixelAspectRatio") or 1.0
    # A display window that does not begin at 0, 0 is moved there.
    left, top = spec.x - spec.full_x, spec.y - spec.full_y
    format = Format(spec.full_width, spec.full_height, pixelAspect=aspect)
    bottom = spec.full_height - (top + spec.height)
    box = (left, bottom, left + spec.width, bottom + spec.height)
    metadata = {attribute.name: attribute.value for attribute in spec.extra_attribs}
    metadata.update({"input/width": spec.full_width, "input/height": spec.full_height})
    return Outline(format, box, {long_name(name) for name in spec.channelnames}, (1, 1), metadata)


def _filled(session: Session, node: Node, before: Outline, frame: float, view: str) -> Outline:
    chosen = node["format"]._state() if "format" in node._knobs else None
    format = before.format
    if chosen is not None or node.input(0) is None:
        format = scaled(session, chosen or session.full_root_format())
    extra = expand(session, str(node["channels"].value()), set()) if "channels" in node._knobs else list(RGBA)
    if "output" in node._knobs:
        extra = expand(session, str(node["output"].value()), set())
    span = before.range if node.input(0) is not None else session.root_range()
    return Outline(format, box_of(format), before.channels | set(extra), span)


def _reformat(session: Session, node: Node, before: Outline, frame: float, view: str) -> Outline:
    kind, old = node["type"].value(), before.format
    if kind == "to format":
        format = scaled(session, node["format"].value())
    elif kind == "scale":
        x, y = node["scale"].array()
        format = Format(max(1, round(old.width() * x)), max(1, round(old.height() * y)))
        format = Format(format.width(), format.height(), pixelAspect=old.pixelAspect())
    else:
        scale = session.proxy_scale()
        width, height = (round(float(node[n].value()) * scale) for n in ("box_width", "box_height"))
        if not node["box_fixed"].value():
            height = max(1, round(old.height() * width / old.width()))
        format = Format(width, height, pixelAspect=float(node["box_pixel_aspect"].value()))
    return dataclasses.replace(before, format=format, box=box_of(format))


def _crop(session: Session, node: Node, before: Outline, frame: float, view: str) -> Outline:
    x, y, r, t = (round(side * session.proxy_scale()) for side in node["box"].array())
    if node["reformat"].value():
        format = Format(r - x, t - y, pixelAspect=before.format.pixelAspect())
        return dataclasses.replace(before, format=format, box=box_of(format))
    return dataclasses.replace(before, box=(x, y, r, t))


def _frame_range(session: Session, node: Node, before: Outline, frame: float, view: str) -> Outline:
    return dataclasses.replace(
        before, range=(int(node["first_frame"].value()), int(node["last_frame"].value()))
    )


def _time_offset(session: Session, node: Node, before: Outline, frame: float, view: str) -> Outline:
    offset = int(node["time_offset"].value())
    return dataclasses.replace(before, range=(before.range[0] + offset, before.range[1] + offset))


def _frame_hold(session: Session, node: Node, before: Outline, frame: float, view: str) -> Outline:
    return dataclasses.replace(before, range=session.root_range())


def _copy(session: Session, node: Node, before: Outline, frame: float, view: str) -> Outline:
    a = outline(session, node.input(1), frame, view)
    added = {str(node[f"to{index}"].value()) for index in range(4) if node[f"from{index}"].value() != "none"}
    added |= set(expand(session, str(node["channels"].value()), a.channels)) & a.channels
    added.discard("none")
    names = {full for name in added for full in expand(session, name, set())}
    return dataclasses.replace(before, channels=before.channels | names, box=_around_both(before.box, a.box))


def _merge(session: Session, node: Node, before: Outline, frame: float, view: str) -> Outline:
    a = outline(session, node.input(1), frame, view) if node.input(1) is not None else before
    output = set(expand(session, str(node["output"].value()), set()))
    return dataclasses.replace(before, channels=before.channels | output, box=_around_both(before.box, a.box))


def _expression(session: Session, node: Node, before: Outline, frame: float, view: str) -> Outline:
    return dataclasses.replace(before, channels=before.channels | set(RGBA))


def _switch(session: Session, node: Node, before: Outline, frame: float, view: str) -> Outline:
    return outline(session, node.input(which_input(node)), frame, view)


def which_input(node: Node) -> int:
    return max(0, min(int(node["which"].value()), node.inputs() - 1))


def _remove(session: Session, node: Node, before: Outline, frame: float, view: str) -> Outline:
    named = set(expand(session, str(node["channels"].value()), before.channels))
    keep = node["operation"].value() == "keep"
    return dataclasses.replace(before, channels=before.channels & named if keep else before.channels - named)


def _shuffle(session: Session, node: Node, before: Outline, frame: float, view: str) -> Outline:
    outs = set(expand(session, str(node["out1"].value()), set()))
    return dataclasses.replace(before, channels=before.channels | outs)


def _one_view(session: Session, node: Node, before: Outline, frame: float, view: str) -> Outline:
    return before


def _join_views(session: Session, node: Node, before: Outline, frame: float, view: str) -> Outline:
    return outline(session, node.input(view_input(session, node, view)), frame, view)


def view_input(session: Session, node: Node, view: str) -> int:
    return min(session.views.index(view) if view in session.views else 0, max(0, node.inputs() - 1))


def _around_both(one: Box, other: Box) -> Box:
    return (min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3]))


_Rule = Callable[..., Outline]
_RULES: dict[str, _Rule] = {
    "Read": _read,
    "Constant": _filled,
    "CheckerBoard2": _filled,
    "Rectangle": _filled,
    "Radial": _filled,
    "Roto": _filled,
    "Reformat": _reformat,
    "Crop": _crop,
    "FrameRange": _frame_range,
    "TimeOffset": _time_offset,
    "FrameHold": _frame_hold,
    "Copy": _copy,
    "ChannelMerge": _merge,
    "Merge2": _merge,
    "Expression": _expression,
    "Switch": _switch,
    "Remove": _remove,
    "Shuffle2": _shuffle,
    "OneView": _one_view,
    "JoinViews": _join_views,
}
