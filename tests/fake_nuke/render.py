"""Pixels: float32, row 0 at the bottom, pixel (0, 0) at the bottom left of the display window.

Needs numpy, OpenCV and OpenImageIO. A picture has black outside of its bounding box.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import OpenImageIO as oiio

from . import outline as o
from .expressions import Expression
from .formats import Format
from .nodes import Group, Node

if TYPE_CHECKING:
    from .session import Session

#: Names of sRGB and of linear, as colour configurations have them.
_CURVED = ("srgb", "color_picking", "matte_paint", "texture_paint")


@dataclasses.dataclass
class Picture:
    """``channels``: name -> (height, width) of ``box``; what is not there is black."""

    format: Format
    box: o.Box
    channels: dict[str, np.ndarray]
    metadata: dict[str, Any] = dataclasses.field(default_factory=dict)

    def channel(self, name: str, box: o.Box) -> np.ndarray:
        """A copy of a channel over another box, black outside of its own."""
        x, y, r, t = box
        out = np.zeros((max(0, t - y), max(0, r - x)), np.float32)
        pixels = self.channels.get(name)
        left, bottom = max(x, self.box[0]), max(y, self.box[1])
        right, top = min(r, self.box[2]), min(t, self.box[3])
        if pixels is not None and right > left and top > bottom:
            own = pixels[bottom - self.box[1] : top - self.box[1], left - self.box[0] : right - self.box[0]]
            out[bottom - y : top - y, left - x : right - x] = own
        return out

    def whole(self, name: str) -> np.ndarray:
        """A channel over the display window."""
        return self.channel(name, o.box_of(self.format))

    def sample(self, name: str, x: float, y: float) -> float:
        """The pixel under a point, from the bottom left; ``red`` stands for ``rgba.red``."""
        name = o.long_name(name)
        return float(self.channel(name, (int(x), int(y), int(x) + 1, int(y) + 1))[0, 0])


def render(session: Session, node: Node | None, frame: float, view: str) -> Picture:
    """Raises RuntimeError as Nuke shows it on the node."""
    if node is None:
        return Picture(o.outline(session, None, frame, view).format, (0, 0, 1, 1), {})
    if isinstance(node, Group):
        return render(session, node.output(), frame, view)
    if node._cls == "Input":
        return render(session, o.behind(node), frame, view)
    if o.disabled(node):
        return render(session, node.input(0), frame, view)
    told = o.outline(session, node, frame, view)
    rule = _RULES.get(node._cls)
    if rule is None and node._cls not in _PASSING:
        raise RuntimeError(f"the fake cannot render a {node._cls}")
    if rule is None:
        asked, wanted_view = o.upstream_time(node, frame, view)
        with session.at(asked):
            return render(session, node.input(0), asked, wanted_view)
    return rule(session, node, told, frame, view)


#: Classes that hand on what is above, at another frame or view maybe.
_PASSING = {"Dot", "NoOp", "Output", "Write", "FrameRange", "TimeOffset", "FrameHold", "OneView", "Viewer"}


def _read(session: Session, node: Node, told: o.Outline, frame: float, view: str) -> Picture:
    """A file that was read once is not looked at again before ``reload`` or another ``file``."""
    path = o.read_path(session, node, frame, view)
    if path is None:
        return Picture(told.format, told.box, {})
    settings = [node[name].value() for name in ("raw", "colorspace", "auto_alpha")]
    key = (path, session.proxy_scale(), *settings)
    if key not in node.seen:
        node.seen[key] = _read_file(session, node, told, path)
    known = node.seen[key]
    return Picture(told.format, known.box, dict(known.channels), known.metadata)


def _read_file(session: Session, node: Node, told: o.Outline, path: str) -> Picture:
    opened = oiio.ImageInput.open(path)
    if opened is None:
        raise RuntimeError(f"{node.name()}: Read error: {oiio.geterror()}")
    spec = opened.spec()
    pixels = opened.read_image(0, 0, 0, spec.nchannels, oiio.FLOAT)
    opened.close()
    header = o.header_of(path)
    assert header is not None
    curve = node["raw"].value() is False and _is_curved(session, node, path)
    channels = {}
    for index, name in enumerate(spec.channelnames):
        plane = np.ascontiguousarray(pixels[::-1, :, index])
        full = o.long_name(name)
        channels[full] = _linear(plane) if curve and not full.endswith("alpha") else plane
    if node["auto_alpha"].value() and "rgba.red" in channels:
        channels.setdefault("rgba.alpha", np.ones_like(channels["rgba.red"]))
    picture = Picture(header.format, header.box, channels, dict(header.metadata))
    return _rescaled(picture, told) if session.proxy_scale() != 1 else picture


def _is_curved(session: Session, node: Node, path: str) -> bool:
    space = str(node["colorspace"].value())
    if space == "default":
        return session.spaces is None and not path.lower().endswith((".exr", ".hdr"))
    return space.lower().startswith(_CURVED) or "srgb" in space.lower()


def _rescaled(picture: Picture, told: o.Outline) -> Picture:
    width, height = told.box[2] - told.box[0], told.box[3] - told.box[1]
    channels = {
        name: cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
        for name, pixels in picture.channels.items()
    }
    return Picture(told.format, told.box, channels, picture.metadata)


def _linear(x: np.ndarray) -> np.ndarray:
    return np.where(x <= 0.04045, x / 12.92, ((np.maximum(x, 0) + 0.055) / 1.055) ** 2.4).astype(np.float32)


def _curved(x: np.ndarray) -> np.ndarray:
    high = 1.055 * np.maximum(x, 0) ** (1 / 2.4) - 0.055
    return np.where(x <= 0.0031308, x * 12.92, high).astype(np.float32)


def _base(session: Session, node: Node, frame: float, view: str, index: int = 0) -> Picture:
    above = render(session, node.input(index), frame, view)
    return Picture(above.format, above.box, dict(above.channels), above.metadata)


def _named(session: Session, node: Node, knob: str, present: set[str]) -> list[str]:
    return o.expand(session, str(node[knob].value()), present)


def _mask(session: Session, node: Node, base: Picture, frame: float, view: str, box: o.Box) -> Any:
    """How much of the effect is seen, 0 to 1: a number, or an array over ``box``."""
    mix = float(node["mix"].value())
    channel, mask = str(node["maskChannelInput"].value()), base
    if channel == "none" and node.input(node.minInputs()) is not None and node._cls != "Merge2":
        channel = str(node["maskChannelMask"].value())
        mask = render(session, node.input(node.minInputs()), frame, view)
    if channel == "none":
        return mix
    amount = mask.channel(channel, box)
    return mix * (1 - amount if node["invert_mask"].value() else amount)


def _filtered(change: Callable[[Session, Node, np.ndarray, int], np.ndarray]) -> Any:
    """A rule that changes the channels of the node's ``channels`` one by one, masked and mixed."""

    def rule(session: Session, node: Node, told: o.Outline, frame: float, view: str) -> Picture:
        base = _base(session, node, frame, view)
        amount = _mask(session, node, base, frame, view, base.box)
        wanted = _named(session, node, "channels", set(base.channels))
        order = ("red", "green", "blue", "alpha")
        for name in wanted:
            before = base.channel(name, base.box)
            last = name.rpartition(".")[2]
            after = change(session, node, before, order.index(last) if last in order else 0)
            base.channels[name] = (before + (after - before) * amount).astype(np.float32)
        return base

    return rule


def _at(node: Node, knob: str, index: int) -> float:
    return float(node[knob].getValue(index))


def _grade(session: Session, node: Node, x: np.ndarray, index: int) -> np.ndarray:
    black, white = _at(node, "blackpoint", index), _at(node, "whitepoint", index)
    lift, gain = _at(node, "black", index), _at(node, "white", index)
    multiply, add, gamma = (_at(node, name, index) for name in ("multiply", "add", "gamma"))
    scale = multiply * (gain - lift) / (white - black if white != black else 1e-6)
    x = x * scale + (add + lift - scale / (multiply or 1) * multiply * black)
    if node["black_clamp"].value():
        x = np.maximum(x, 0)
    if node["white_clamp"].value():
        x = np.minimum(x, 1)
    return x if gamma == 1 else np.where(x > 0, np.maximum(x, 0) ** (1 / gamma), x)


def _multiply(session: Session, node: Node, x: np.ndarray, index: int) -> np.ndarray:
    return x * _at(node, "value", index)


def _invert(session: Session, node: Node, x: np.ndarray, index: int) -> np.ndarray:
    return 1 - x


def _clamp(session: Session, node: Node, x: np.ndarray, index: int) -> np.ndarray:
    return np.clip(x, _at(node, "minimum", index), _at(node, "maximum", index))


def _erode(session: Session, node: Node, x: np.ndarray, index: int) -> np.ndarray:
    """Positive sizes take off, negative ones add."""
    size = _at(node, "size", 0) * session.proxy_scale()
    if node._cls == "Dilate":
        size = -size
    side = 2 * round(abs(size)) + 1
    if side == 1:
        return x
    return (cv2.erode if size > 0 else cv2.dilate)(x, np.ones((side, side), np.uint8))


def _blur(session: Session, node: Node, x: np.ndarray, index: int) -> np.ndarray:
    size = _at(node, "size", 0) * session.proxy_scale()
    return cv2.GaussianBlur(x, (0, 0), size / 3) if size > 0 else x


def _ocio(session: Session, node: Node, x: np.ndarray, index: int) -> np.ndarray:
    one, other = (str(node[name].value()).lower() for name in ("in_colorspace", "out_colorspace"))
    x = _linear(x) if one.startswith(_CURVED) else x
    return _curved(x) if other.startswith(_CURVED) else x


def _colorspace(session: Session, node: Node, x: np.ndarray, index: int) -> np.ndarray:
    x = _linear(x) if node["colorspace_in"].value() == "sRGB" else x
    return _curved(x) if node["colorspace_out"].value() == "sRGB" else x


def _premult(session: Session, node: Node, told: o.Outline, frame: float, view: str) -> Picture:
    base = _base(session, node, frame, view)
    alpha = base.channel(str(node["alpha"].value()), base.box)
    for name in _named(session, node, "channels", set(base.channels)):
        x = base.channel(name, base.box)
        base.channels[name] = (
            x * alpha if node._cls == "Premult" else x / np.where(alpha == 0, 1, alpha).astype(np.float32)
        )
    return base


def _copy(session: Session, node: Node, told: o.Outline, frame: float, view: str) -> Picture:
    base = _base(session, node, frame, view)
    a = render(session, node.input(1), frame, view) if node.input(1) is not None else base
    amount = _mask(session, node, base, frame, view, told.box)
    pairs = [(str(node[f"from{i}"].value()), str(node[f"to{i}"].value())) for i in range(4)]
    pairs += [
        (name, name) for name in _named(session, node, "channels", set(a.channels)) if name in a.channels
    ]
    channels = {name: base.channel(name, told.box) for name in base.channels}
    for source, target in pairs:
        if source == "none" or target == "none":
            continue
        (target,) = o.expand(session, target, set())
        (source,) = o.expand(session, source, set())
        before = base.channel(target, told.box)
        channels[target] = before + (a.channel(source, told.box) - before) * amount
    return Picture(base.format, told.box, channels, base.metadata)


def _combine(operation: str, a: np.ndarray, b: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    rules: dict[str, Callable[[], np.ndarray]] = {
        "max": lambda: np.maximum(a, b),
        "min": lambda: np.minimum(a, b),
        "plus": lambda: a + b,
        "minus": lambda: a - b,
        "from": lambda: b - a,
        "multiply": lambda: a * b,
        "copy": lambda: a,
        "union": lambda: a + b - a * b,
        "screen": lambda: a + b - a * b,
        "over": lambda: a + b * (1 - alpha),
        "in": lambda: a * b,
        "out": lambda: a * (1 - b),
        "stencil": lambda: b * (1 - (a if alpha is a else alpha)),
        "mask": lambda: b * alpha,
    }
    if operation not in rules:
        raise RuntimeError(f"the fake cannot merge by {operation}")
    return rules[operation]()


def _channel_merge(session: Session, node: Node, told: o.Outline, frame: float, view: str) -> Picture:
    base = _base(session, node, frame, view)
    other = render(session, node.input(1), frame, view) if node.input(1) is not None else base
    a = other.channel(str(node["A"].value()), told.box)
    b = base.channel(str(node["B"].value()), told.box)
    amount = _mask(session, node, base, frame, view, told.box)
    channels = {name: base.channel(name, told.box) for name in base.channels}
    output = str(node["output"].value())
    before = base.channel(output, told.box)
    channels[output] = before + (_combine(str(node["operation"].value()), a, b, a) - before) * amount
    return Picture(base.format, told.box, channels, base.metadata)


def _merge(session: Session, node: Node, told: o.Outline, frame: float, view: str) -> Picture:
    base = _base(session, node, frame, view)
    a = render(session, node.input(1), frame, view)
    alpha = a.channel("rgba.alpha", told.box)
    amount = _mask(session, node, base, frame, view, told.box)
    channels = {name: base.channel(name, told.box) for name in base.channels}
    for name in _named(session, node, "output", set()):
        b = base.channel(name, told.box)
        merged = _combine(str(node["operation"].value()), a.channel(name, told.box), b, alpha)
        channels[name] = b + (merged - b) * amount
    return Picture(base.format, told.box, channels, base.metadata)


def _expression(session: Session, node: Node, told: o.Outline, frame: float, view: str) -> Picture:
    """Constants, channels and the places x and y; row by row would be Nuke's way."""
    base = _base(session, node, frame, view)
    for index, name in enumerate(o.RGBA):
        text = node[f"expr{index}"].getText()  # type: ignore[attr-defined]
        if not text:
            continue
        expression = Expression(text)
        if not expression.names:
            value = expression.evaluate(lambda _: 0.0)
            base.channels[name] = np.full(_shape(base.box), value, np.float32)
            continue
        source = {"r": "rgba.red", "g": "rgba.green", "b": "rgba.blue", "a": "rgba.alpha"}
        planes = {
            n: base.channel(source.get(n, n), base.box)
            for n in expression.names
            if n not in ("x", "y", "frame")
        }
        out = np.empty(_shape(base.box), np.float32)
        for place in np.ndindex(*out.shape):
            here = {n: float(plane[place]) for n, plane in planes.items()}
            here.update(x=place[1] + base.box[0], y=place[0] + base.box[1], frame=frame)
            out[place] = expression.evaluate(here.__getitem__)
        base.channels[name] = out
    return base


def _shape(box: o.Box) -> tuple[int, int]:
    return box[3] - box[1], box[2] - box[0]


def _switch(session: Session, node: Node, told: o.Outline, frame: float, view: str) -> Picture:
    return render(session, node.input(o.which_input(node)), frame, view)


def _join(session: Session, node: Node, told: o.Outline, frame: float, view: str) -> Picture:
    return render(session, node.input(o.view_input(session, node, view)), frame, view)


def _constant(session: Session, node: Node, told: o.Outline, frame: float, view: str) -> Picture:
    channels = {}
    for index, name in enumerate((*o.RGB, "rgba.alpha")):
        if name in told.channels:
            channels[name] = np.full(_shape(told.box), _at(node, "color", index), np.float32)
    return Picture(told.format, told.box, channels)


def _checker(session: Session, node: Node, told: o.Outline, frame: float, view: str) -> Picture:
    height, width = _shape(told.box)
    size = max(1.0, _at(node, "boxsize", 0) * session.proxy_scale())
    rows, columns = np.mgrid[0:height, 0:width]
    odd = (np.floor((columns - width / 2) / size) + np.floor((rows - height / 2) / size)) % 2 == 1
    channels = {
        name: np.where(odd, _at(node, "color1", index), _at(node, "color0", index)).astype(np.float32)
        for index, name in enumerate(o.RGBA)
    }
    return Picture(told.format, told.box, channels)


def _shape_over(session: Session, node: Node, told: o.Outline, frame: float, view: str) -> Picture:
    """Rectangle, Radial and Roto: a shape of a colour over the input, in the ``output`` channels."""
    base = _base(session, node, frame, view)
    box = told.box
    coverage = _coverage(session, node, told, frame)
    channels = {name: base.channel(name, box) for name in base.channels}
    opacity = float(node["opacity"].value()) if "opacity" in node._knobs else 1.0
    for name in _named(session, node, "output", set()):
        color = _at(node, "color", o.RGBA.index(name)) if "color" in node._knobs and name in o.RGBA else 1.0
        under = base.channel(name, box)
        if node["replace"].value():
            under = np.zeros_like(under)
        channels[name] = (under * (1 - coverage * opacity) + color * coverage * opacity).astype(np.float32)
    return Picture(told.format, box, channels, base.metadata)


def _coverage(session: Session, node: Node, told: o.Outline, frame: float) -> np.ndarray:
    height, width = _shape(told.box)
    scale = session.proxy_scale()
    if node._cls == "Roto":
        shape = session.shapes.get(node.name())
        coverage = np.zeros((height, width), np.float32)
        if shape is not None:
            rows, columns = np.mgrid[0:height, 0:width]
            coverage = np.asarray(shape((columns + 0.5) / scale, (rows + 0.5) / scale, frame), np.float32)
        return coverage
    x, y, r, t = (side * scale for side in node["area"].array())
    rows, columns = np.mgrid[0:height, 0:width] + 0.5
    if node._cls == "Rectangle":
        inside = (columns >= x) & (columns < r) & (rows >= y) & (rows < t)
        return inside.astype(np.float32)
    if r <= x or t <= y:
        return np.zeros((height, width), np.float32)
    away = np.hypot((columns - (x + r) / 2) / ((r - x) / 2), (rows - (y + t) / 2) / ((t - y) / 2))
    softness = max(float(node["softness"].value()), 1e-3)
    return np.clip((1 - away) / softness, 0, 1).astype(np.float32)


def _reformat(session: Session, node: Node, told: o.Outline, frame: float, view: str) -> Picture:
    base = _base(session, node, frame, view)
    old, new, kind = base.format, told.format, str(node["resize"].value())
    wide, high = new.width() / old.width(), new.height() / old.height()
    stretch = old.pixelAspect() / new.pixelAspect() if kind not in ("none", "distort") else 1.0
    scales = {
        "none": (1.0, 1.0),
        "width": (wide, wide / stretch),
        "height": (high * stretch, high),
        "distort": (wide, high),
        "fit": min((wide, wide / stretch), (high * stretch, high)),
        "fill": max((wide, wide / stretch), (high * stretch, high)),
    }
    sx, sy = scales[kind]
    center = bool(node["center"].value())
    dx = (new.width() - old.width() * sx) / 2 if center else 0.0
    dy = (new.height() - old.height() * sy) / 2 if center else 0.0
    width, height = new.width(), new.height()
    matrix = np.float32([[sx, 0, dx + sx * 0.5 - 0.5], [0, sy, dy + sy * 0.5 - 0.5]])
    channels = {}
    for name in base.channels:
        plane = base.whole(name)
        if sx < 1 or sy < 1:
            small = (max(1, round(old.width() * sx)), max(1, round(old.height() * sy)))
            plane = cv2.resize(plane, small, interpolation=cv2.INTER_AREA)
            shift = np.float32([[1, 0, dx], [0, 1, dy]])
            plane = cv2.warpAffine(plane, shift, (width, height), flags=cv2.INTER_LINEAR)
        else:
            plane = cv2.warpAffine(plane, matrix, (width, height), flags=cv2.INTER_LINEAR)
        plane = plane[::-1] if node["flip"].value() else plane
        channels[name] = np.ascontiguousarray(plane[:, ::-1] if node["flop"].value() else plane)
    return Picture(new, told.box, channels, base.metadata)


def _crop(session: Session, node: Node, told: o.Outline, frame: float, view: str) -> Picture:
    base = _base(session, node, frame, view)
    box = tuple(round(side * session.proxy_scale()) for side in node["box"].array())
    channels = {name: base.channel(name, box) for name in base.channels}  # type: ignore[arg-type]
    return Picture(told.format, told.box, channels, base.metadata)


def _remove(session: Session, node: Node, told: o.Outline, frame: float, view: str) -> Picture:
    base = _base(session, node, frame, view)
    base.channels = {name: plane for name, plane in base.channels.items() if name in told.channels}
    return base


def _shuffle(session: Session, node: Node, told: o.Outline, frame: float, view: str) -> Picture:
    """Layer in1 to layer out1, channel by channel; mappings are not followed."""
    base = _base(session, node, frame, view)
    source = o.expand(session, str(node["in1"].value()), set())
    target = o.expand(session, str(node["out1"].value()), set())
    for one, other in zip(source, target):
        base.channels[other] = base.channel(one, base.box)
    return base


def write(session: Session, node: Node, frame: int, view: str) -> None:
    """One frame to disk. Raises RuntimeError as ``nuke.execute`` does."""
    if session.proxy_is_on() and not node["proxy"].getText():  # type: ignore[attr-defined]
        raise RuntimeError(f"{node.name()}: proxy mode is on and there is no proxy file name")
    knob = "proxy" if session.proxy_is_on() else "file"
    path = session.file_name(session.tcl_in(node[knob].getText(), node), frame, view)  # type: ignore[attr-defined]
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        if not node["create_directories"].value():
            raise RuntimeError(f"{node.name()}: Write failed [{path}]: No such directory")
        os.makedirs(folder)
    if session.fail_writes:
        raise RuntimeError(f"{node.name()}: Write failed [{path}]: No space left on device")
    picture = render(session, node, frame, view)
    wanted = _named(session, node, "channels", set(picture.channels))
    exr = path.lower().endswith(".exr")
    box = picture.box if exr else o.box_of(picture.format)
    curve = not node["raw"].value() and _is_curved(session, node, path)
    planes = []
    for name in wanted:
        plane = picture.channel(name, box)[::-1]
        planes.append(_curved(plane) if curve and not name.endswith("alpha") else plane)
    spec = oiio.ImageSpec(box[2] - box[0], box[3] - box[1], len(wanted), _depth(node, exr))
    spec.channelnames = tuple(_file_name_of(name) for name in wanted)
    spec.x, spec.y = box[0], picture.format.height() - box[3]
    spec.full_x = spec.full_y = 0
    spec.full_width, spec.full_height = picture.format.width(), picture.format.height()
    spec.attribute("PixelAspectRatio", picture.format.pixelAspect())
    output = oiio.ImageOutput.create(path)
    pixels = np.ascontiguousarray(np.stack(planes, axis=2), np.float32)
    if output is None or not output.open(path, spec) or not output.write_image(pixels) or not output.close():
        raise RuntimeError(f"{node.name()}: Write failed: {oiio.geterror()}")


def _depth(node: Node, exr: bool) -> str:
    knob = node.knob("datatype")
    said = "8 bit" if knob is None else str(knob.value())
    if exr:
        return "float" if said == "32 bit float" else "half"
    return "uint16" if said.startswith("16") else "uint8"


def _file_name_of(name: str) -> str:
    short = {"rgba.red": "R", "rgba.green": "G", "rgba.blue": "B", "rgba.alpha": "A"}
    return short.get(name, name)


_RULES: dict[str, Callable[[Session, Node, o.Outline, float, str], Picture]] = {
    "Read": _read,
    "Grade": _filtered(_grade),
    "Multiply": _filtered(_multiply),
    "Invert": _filtered(_invert),
    "Clamp": _filtered(_clamp),
    "FilterErode": _filtered(_erode),
    "Dilate": _filtered(_erode),
    "Blur": _filtered(_blur),
    "OCIOColorSpace": _filtered(_ocio),
    "Colorspace": _filtered(_colorspace),
    "Premult": _premult,
    "Unpremult": _premult,
    "Copy": _copy,
    "ChannelMerge": _channel_merge,
    "Merge2": _merge,
    "Expression": _expression,
    "Switch": _switch,
    "JoinViews": _join,
    "Constant": _constant,
    "CheckerBoard2": _checker,
    "Rectangle": _shape_over,
    "Radial": _shape_over,
    "Roto": _shape_over,
    "Reformat": _reformat,
    "Crop": _crop,
    "Remove": _remove,
    "Shuffle2": _shuffle,
}
