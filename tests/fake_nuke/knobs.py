"""Knobs: values, animation, expressions, links, and their text in a script.

Reading or writing one off the main thread raises. Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from . import script
from .expressions import Expression

if TYPE_CHECKING:
    from .nodes import Node

INVISIBLE, STARTLINE, DISABLED, NO_ANIMATION = 0x400, 0x1000, 0x80, 0x100
DO_NOT_WRITE, ALWAYS_SAVE, NO_UNDO, ENDLINE, READ_ONLY = 0x200, 0x20000, 0x80000, 0x2000, 0x10000000
KNOB_CHANGED_RECURSIVE = 0x8000000
FLAGS = {
    "INVISIBLE": INVISIBLE,
    "HIDDEN": INVISIBLE,
    "STARTLINE": STARTLINE,
    "DISABLED": DISABLED,
    "NO_ANIMATION": NO_ANIMATION,
    "DO_NOT_WRITE": DO_NOT_WRITE,
    "ALWAYS_SAVE": ALWAYS_SAVE,
    "NO_UNDO": NO_UNDO,
    "ENDLINE": ENDLINE,
    "READ_ONLY": READ_ONLY,
}
#: Python class -> type number in a script.
TYPE_IDS = {kind: number for number, kind in script.USER_KNOB_TYPES.items()}
TYPE_IDS["String_Knob"] = 1


class Knob:
    """What all knobs have. ``session`` is set by the node that takes the knob."""

    size = 1

    def __init__(self, name: str = "", label: str | None = None, *rest: Any) -> None:
        if not isinstance(name, str):
            raise TypeError(f"argument 1 must be str, not {type(name).__name__}")
        self._name, self._label, self._tooltip = name, label, ""
        self._node: Node | None = None
        self._flags = 0
        self._enabled = self._visible = True
        self.user = True
        self.default: Any = self._state()

    def Class(self) -> str:
        return type(self).__name__

    def name(self) -> str:
        return self._name

    def setName(self, name: str) -> None:
        self._name = name

    def label(self) -> str:
        return self._name if self._label is None else self._label

    def setLabel(self, label: str) -> None:
        self._label = label

    def tooltip(self) -> str:
        return self._tooltip

    def setTooltip(self, tooltip: str) -> None:
        self._tooltip = tooltip

    def node(self) -> Node | None:
        return self._node

    def fullyQualifiedName(self, channel: int = -1) -> str:
        assert self._node is not None
        return f"{self._node.fullName()}.{self._name}"

    def setFlag(self, flag: int) -> None:
        self._flags |= flag
        if flag == INVISIBLE:
            self._visible = False

    def clearFlag(self, flag: int) -> None:
        self._flags &= ~flag

    def getFlag(self, flag: int) -> bool:
        return bool(self._flags & flag)

    def enabled(self) -> bool:
        return self._enabled

    def setEnabled(self, enabled: bool) -> None:
        self._enabled = bool(enabled)

    def visible(self) -> bool:
        return self._visible

    def setVisible(self, visible: bool) -> None:
        self._visible = bool(visible)

    def isAnimated(self, channel: int = -1) -> bool:
        return False

    def hasExpression(self, index: int = -1) -> bool:
        return False

    def _differs(self) -> bool:
        return bool(self._state() != self.default)

    def value(self, index: int = 0) -> Any:
        self._touch()
        return None

    def getValue(self, channel: int = 0) -> Any:
        return self.value()

    def setValue(self, val: Any, chan: int = -1) -> bool:
        raise TypeError(f"{self.Class()} takes no value")

    def toScript(self, quote: bool = True, context: Any = None) -> str:
        self._touch()
        text = self._text()
        return script.quote(text) if quote else text

    def fromScript(self, script: str) -> None:
        self._change(lambda: self._read(script))

    def _state(self) -> Any:
        """What undo keeps."""
        return None

    def _set_state(self, state: Any) -> None:
        """Puts back what ``_state`` gave."""

    def _text(self) -> str:
        return ""

    def _read(self, text: str) -> None:
        raise RuntimeError(f"{self.Class()} {self._name} cannot be set from a script")

    def _touch(self) -> None:
        if self._node is not None:
            self._node._alive()
            self._node.session.on_main_thread("knob " + self._name)

    def _change(self, act: Any) -> None:
        """Runs ``act``, remembers what was before for undo, and tells the node."""
        self._touch()
        before = self._state()
        act()
        if self._node is not None:
            self._node.session.knob_was_set(self, before)


class String_Knob(Knob):
    def __init__(self, name: str = "", label: str | None = None, value: str = "") -> None:
        self._value = value
        Knob.__init__(self, name, label)
        self.default = ""

    def value(self, oc: Any = None) -> str:
        self._touch()
        return self._value

    def getText(self, oc: Any = None) -> str:
        return self.value()

    def getValue(self, channel: int = 0) -> str:
        self._touch()
        return self._value

    def setValue(self, val: str, view: Any = None) -> None:
        if not isinstance(val, str):
            raise TypeError(f"argument 1 must be str, not {type(val).__name__}")
        self._change(lambda: setattr(self, "_value", val))

    setText = setValue

    def _state(self) -> str:
        return self._value

    def _set_state(self, state: str) -> None:
        self._value = state

    def _text(self) -> str:
        return self._value

    def _read(self, text: str) -> None:
        self._value = text


class EvalString_Knob(String_Knob):
    """``value`` replaces what stands in brackets, ``getText`` does not: JSON is spoilt by the first."""

    def value(self, oc: Any = None) -> str:
        return self.evaluate()

    def getText(self, oc: Any = None) -> str:
        self._touch()
        return self._value

    def evaluate(self) -> str:
        """With every ``[...]`` of Tcl replaced."""
        self._touch()
        assert self._node is not None
        return self._node.session.tcl_in(self._value, self._node)


class Multiline_Eval_String_Knob(EvalString_Knob):
    pass


class File_Knob(EvalString_Knob):
    def value(self, oc: Any = None) -> str:
        return self.getText()

    def setValue(self, val: str, view: Any = None) -> None:
        if isinstance(val, str) and "\\" in val:
            raise ValueError(f"{self._name}: backslashes in a file name are eaten: {val!r}")
        String_Knob.setValue(self, val)

    def fromUserText(self, text: str) -> None:
        """As if typed: a frame range after the name sets the node's range."""
        match = re.match(r"(.*?)\s+(-?\d+)-(-?\d+)\s*\Z", text)
        self.setValue(match.group(1) if match else text)
        if match and self._node is not None:
            for name, value in zip(("first", "last", "origfirst", "origlast"), match.group(2, 3, 2, 3)):
                knob = self._node.knob(name)
                if knob is not None:
                    knob.setValue(int(value))

    def evaluate(self) -> str:
        text = EvalString_Knob.evaluate(self)
        assert self._node is not None
        return self._node.session.file_name(text)

    def getEvaluatedValue(self, oc: Any = None) -> str:
        return self.evaluate()


class PythonKnob(String_Knob):
    pass


class Script_Knob(String_Knob):
    def command(self) -> str:
        return self.value()

    def setCommand(self, cmd: str) -> None:
        self.setValue(cmd)

    def execute(self) -> None:
        self._touch()
        assert self._node is not None
        self._node.session.press(self)


class PyScript_Knob(Script_Knob):
    pass


class PyCustom_Knob(Script_Knob):
    pass


class Text_Knob(Knob):
    def __init__(self, name: str = "", label: str | None = None, value: str = "") -> None:
        self._value = value
        Knob.__init__(self, name, label)

    def value(self, *rest: Any) -> str:
        self._touch()
        return self._value

    def setValue(self, val: str, *rest: Any) -> bool:
        self._change(lambda: setattr(self, "_value", str(val)))
        return True

    def _state(self) -> str:
        return self._value

    def _set_state(self, state: str) -> None:
        self._value = state

    def _text(self) -> str:
        return self._value

    def _read(self, text: str) -> None:
        self._value = text


class Tab_Knob(Knob):
    pass


class Array_Knob(Knob):
    """Numbers: each channel is a number, a curve by frame, or an expression."""

    size = 1
    #: Whether the value is one number while all channels are equal.
    single = False

    def __init__(self, name: str = "", label: str | None = None, value: Any = 0.0) -> None:
        self._channels: list[Any] = [0.0] * self.size
        Knob.__init__(self, name, label)
        self._fill(value)
        self.default = self._state()

    def _fill(self, value: Any) -> None:
        many = list(value) if isinstance(value, (tuple, list)) else [value] * self.size
        self._channels = [self._number(one) for one in many]

    def _number(self, value: Any) -> float:
        if isinstance(value, str):
            raise TypeError(f"a {self.Class()} takes numbers, not {value!r}")
        return float(value)

    def arraySize(self) -> int:
        return len(self._channels)

    def value(self, index: int | None = None, *rest: Any) -> Any:
        return self.getValueAt(self._now(), -1 if index is None else index)

    def getValue(self, channel: int = -1, *rest: Any) -> Any:
        return self.getValueAt(self._now(), channel)

    def singleValue(self) -> float:
        return float(self.valueAt(self._now(), 0))

    def array(self) -> list[float]:
        self._touch()
        return [self._at(index, self._now()) for index in range(len(self._channels))]

    def valueAt(self, frame: float, index: int = -1, view: Any = None) -> Any:
        return self.getValueAt(frame, index)

    def getValueAt(self, frame: float, index: int = -1, view: Any = None) -> Any:
        self._touch()
        if index >= 0:
            return self._at(index, frame)
        every = [self._at(place, frame) for place in range(len(self._channels))]
        return every[0] if len(every) == 1 or (self.single and len(set(every)) == 1) else every

    def setValue(self, val: Any, chan: int = -1, *rest: Any) -> bool:
        many = isinstance(val, (tuple, list))
        if many and len(val) != len(self._channels):
            raise TypeError(f"{self._name} takes {len(self._channels)} numbers")

        def act() -> None:
            for index in range(len(self._channels)):
                if chan in (-1, index):
                    self._put(index, self._number(val[index] if many else val))

        self._change(act)
        return True

    def setValueAt(self, val: Any, time: float, index: int = 0, view: Any = None) -> bool:
        self.setAnimated(index)

        def act() -> None:
            self._channels[index][time] = self._number(val)

        self._change(act)
        return True

    def setKeyAt(self, time: float, index: int = 0) -> bool:
        return self.setValueAt(self.getValueAt(time, index), time, index)

    def setAnimated(self, channel: int = 0, *rest: Any) -> bool:
        def act() -> None:
            for index in range(len(self._channels)):
                if channel in (-1, index) and not isinstance(self._channels[index], dict):
                    self._channels[index] = {}

        self._change(act)
        return True

    def clearAnimated(self, channel: int = -1, *rest: Any) -> bool:
        values = self.array()

        def act() -> None:
            for index in range(len(self._channels)):
                if channel in (-1, index):
                    self._channels[index] = values[index]

        self._change(act)
        return True

    def isAnimated(self, channel: int = -1, *rest: Any) -> bool:
        return any(isinstance(one, dict) for one in self._some(channel))

    def isKey(self, channel: int = -1, *rest: Any) -> bool:
        return self.isKeyAt(self._now(), channel)

    def isKeyAt(self, frame: float, index: int = -1, view: Any = None) -> bool:
        return any(isinstance(one, dict) and frame in one for one in self._some(index))

    def getKeyList(self) -> list[float]:
        return sorted({key for one in self._channels if isinstance(one, dict) for key in one})

    def setExpression(self, expression: str, channel: int = -1, view: Any = None) -> bool:
        Expression(expression)

        def act() -> None:
            for index in range(len(self._channels)):
                if channel in (-1, index):
                    self._channels[index] = expression

        self._change(act)
        return True

    def hasExpression(self, index: int = -1, *rest: Any) -> bool:
        return any(isinstance(one, str) for one in self._some(index))

    def toScript(self, quote: bool = True, context: Any = None) -> str:
        self._touch()
        return self._text()

    def notDefault(self) -> bool:
        return self._differs()

    def defaultValue(self, *rest: Any) -> float:
        return float(self.default[0])

    def setDefaultValue(self, values: Sequence[float], *rest: Any) -> None:
        self.default = [float(value) for value in values]

    def min(self) -> float:
        return float(getattr(self, "_range", (0, 1))[0])

    def max(self) -> float:
        return float(getattr(self, "_range", (0, 1))[1])

    def setRange(self, low: float, high: float) -> None:
        self._range = (low, high)

    def _some(self, index: int) -> list[Any]:
        return self._channels if index < 0 else [self._channels[index]]

    def _now(self) -> float:
        return 1.0 if self._node is None else self._node.session.evaluated_frame()

    def _put(self, index: int, value: float) -> None:
        if isinstance(self._channels[index], dict):
            self._channels[index][self._now()] = value
        else:
            self._channels[index] = value

    def _at(self, index: int, frame: float) -> Any:
        one = self._channels[index]
        if isinstance(one, str):
            assert self._node is not None
            return self._node.session.evaluate(one, self._node, frame)
        if isinstance(one, dict):
            return _along(one, frame)
        return one

    def _state(self) -> list[Any]:
        return [dict(one) if isinstance(one, dict) else one for one in self._channels]

    def _set_state(self, state: list[Any]) -> None:
        self._channels = [dict(one) if isinstance(one, dict) else one for one in state]

    def _text(self) -> str:
        words = [self._word(one) for one in self._channels]
        if len(words) > 1 and len(set(words)) == 1:
            words = words[:1]
        plain = len(words) == 1 and words[0][:1] != "{"
        return words[0] if plain else "{{{}}}".format(" ".join(words))

    def _word(self, one: Any) -> str:
        if isinstance(one, str):
            return f"{{{one}}}"
        if isinstance(one, dict):
            keys = " ".join(f"x{_short(x)} {_short(y)}" for x, y in sorted(one.items()))
            return f"{{curve {keys}}}"
        return self._write_number(one)

    def _write_number(self, value: float) -> str:
        return _short(value)

    def _read(self, text: str) -> None:
        words = script.split_list(text)
        if len(words) == 1 and self.size == 1 and words[0][:1] == "{":
            words = script.split_list(words[0])
        if len(words) == 1 and "{" in words[0]:
            # What toScript gave, quoted.
            inner = script.split_list(words[0])
            words = inner if len(inner) == len(self._channels) else words
        if len(words) == 1:
            words = words * len(self._channels)
        if len(words) != len(self._channels):
            raise RuntimeError(f"{self._name}: {text!r} is not {len(self._channels)} numbers")
        self._channels = [self._from_word(word) for word in words]

    def _from_word(self, word: str) -> Any:
        try:
            return self._number(float(word))
        except ValueError:
            pass
        if word.startswith("curve"):
            return _curve(word)
        Expression(word)
        return word


def _along(keys: dict[float, float], frame: float) -> float:
    """Linear between keys, constant outside."""
    if not keys:
        return 0.0
    if frame in keys:
        return keys[frame]
    before = [key for key in keys if key < frame]
    after = [key for key in keys if key > frame]
    if not before or not after:
        return keys[min(after)] if after else keys[max(before)]
    left, right = max(before), min(after)
    share = (frame - left) / (right - left)
    return keys[left] * (1 - share) + keys[right] * share


def _curve(word: str) -> dict[float, float]:
    keys: dict[float, float] = {}
    frame: float | None = None
    for part in word.split()[1:]:
        if part[0] == "x":
            frame = float(part[1:])
        elif part[0].isalpha():
            continue
        else:
            frame = 1.0 if frame is None else frame
            keys[frame] = float(part)
            frame += 1
    return keys


def _short(value: float) -> str:
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


class Double_Knob(Array_Knob):
    pass


class Int_Knob(Array_Knob):
    def value(self, index: int | None = None, *rest: Any) -> int:
        return int(Array_Knob.value(self, index))

    def _number(self, value: Any) -> float:
        return float(int(Array_Knob._number(self, value)))


class Unsigned_Knob(Int_Knob):
    pass


class ColorChip_Knob(Unsigned_Knob):
    def _read(self, text: str) -> None:
        self._channels = [float(int(text, 0))]


class Boolean_Knob(Array_Knob):
    def value(self, *rest: Any) -> bool:
        return bool(Array_Knob.value(self))

    def setValue(self, b: Any, *rest: Any) -> bool:
        return Array_Knob.setValue(self, 1.0 if b else 0.0)

    def _write_number(self, value: float) -> str:
        return "true" if value else "false"

    def _from_word(self, word: str) -> Any:
        return (
            {"true": 1.0, "false": 0.0}[word]
            if word in ("true", "false")
            else Array_Knob._from_word(self, word)
        )


class Disable_Knob(Boolean_Knob):
    pass


class XY_Knob(Array_Knob):
    size = 2

    def x(self, oc: Any = None) -> float:
        return float(self.getValue(0))

    def y(self, oc: Any = None) -> float:
        return float(self.getValue(1))


class WH_Knob(Array_Knob):
    size = 2
    single = True


class UV_Knob(Array_Knob):
    size = 2


class XYZ_Knob(Array_Knob):
    size = 3


class Color_Knob(Array_Knob):
    size = 3
    single = True


class AColor_Knob(Color_Knob):
    size = 4


class BBox_Knob(Array_Knob):
    size = 4

    def x(self) -> float:
        return float(self.getValue(0))

    def y(self) -> float:
        return float(self.getValue(1))

    def r(self) -> float:
        return float(self.getValue(2))

    def t(self) -> float:
        return float(self.getValue(3))

    def setX(self, value: float) -> None:
        self.setValue(value, 0)

    def setY(self, value: float) -> None:
        self.setValue(value, 1)

    def setR(self, value: float) -> None:
        self.setValue(value, 2)

    def setT(self, value: float) -> None:
        self.setValue(value, 3)

    def toDict(self) -> dict[str, float]:
        return dict(zip("xyrt", self.array()))


class Enumeration_Knob(Array_Knob):
    """A choice; entries may be ``value<tab>what the menu shows``."""

    def __init__(self, name: str = "", label: str | None = None, values: Sequence[str] = ()) -> None:
        self._values = list(values)
        Array_Knob.__init__(self, name, label)

    def values(self) -> list[str]:
        self._touch()
        return list(self._values)

    def setValues(self, values: Sequence[str]) -> None:
        chosen = self._choice(self._channels[0]) if self._values else ""

        def act() -> None:
            self._values = [str(value) for value in values]
            words = [value.split("\t")[0] for value in self._values]
            self._channels = [float(words.index(chosen)) if chosen in words else 0.0]

        self._change(act)

    def numValues(self) -> int:
        return len(self._values)

    def enumName(self, n: int) -> str:
        return self._values[n]

    def value(self, *rest: Any) -> str:
        self._touch()
        return self._choice(self._at(0, self._now()))

    def getValue(self, *rest: Any) -> float:
        return float(Array_Knob.getValue(self, 0))

    def setValue(self, val: Any, *rest: Any) -> bool:
        return Array_Knob.setValue(self, self._index(val) if isinstance(val, str) else val)

    def _choice(self, index: Any) -> str:
        place = int(index)
        return self._values[place].split("\t")[0] if 0 <= place < len(self._values) else ""

    def _index(self, word: str) -> float:
        words = [value.split("\t")[0] for value in self._values]
        if word in words:
            return float(words.index(word))
        if word in self._values:
            return float(self._values.index(word))
        raise TypeError(f"{self._name}: {word!r} is none of {words}")

    def _state(self) -> Any:
        return (list(self._values), Array_Knob._state(self))

    def _set_state(self, state: Any) -> None:
        self._values = list(state[0])
        Array_Knob._set_state(self, state[1])

    def _differs(self) -> bool:
        return bool(self._channels != self.default[1])

    def _text(self) -> str:
        return (
            script.quote(self._choice(self._channels[0]))
            if not self.hasExpression()
            else Array_Knob._text(self)
        )

    def _read(self, text: str) -> None:
        try:
            self._channels = [self._index(text)]
        except TypeError:
            words = script.split_list(text)
            if len(words) == 1 and words[0] != text:
                self._channels = [self._from_choice(words[0])]
            else:
                raise RuntimeError(f"{self._name}: {text!r} is none of {self._values}") from None

    def _from_choice(self, word: str) -> Any:
        try:
            return self._index(word)
        except TypeError:
            Expression(word)
            return word


class Pulldown_Knob(Enumeration_Knob):
    pass


class CascadingEnumeration_Knob(Enumeration_Knob):
    pass


class Channel_Knob(Knob):
    """The name of a layer or of channels, like ``rgb`` or ``rgba.alpha``."""

    def __init__(self, name: str = "", label: str | None = None, value: str = "none") -> None:
        self._value = value
        Knob.__init__(self, name, label)

    def value(self, *rest: Any) -> str:
        self._touch()
        return self._value

    def setValue(self, name: str, *rest: Any) -> bool:
        if not isinstance(name, str):
            raise TypeError("a Channel_Knob takes a name")
        self._check(name)
        self._change(lambda: setattr(self, "_value", name))
        return True

    def _check(self, name: str) -> None:
        if self._node is not None and not self._node.session.is_channels(name):
            raise ValueError(f"{self._name}: there are no channels {name!r}")

    def _state(self) -> str:
        return self._value

    def _set_state(self, state: str) -> None:
        self._value = state

    def _text(self) -> str:
        return self._value

    def _read(self, text: str) -> None:
        words = script.split_list(text)
        # As written by a script: {rgba.red rgba.green -rgba.blue} lists those that are on.
        self._value = text if len(words) < 2 else " ".join(word for word in words if word[:1] != "-")
        self._check(self._value)


class ChannelMask_Knob(Channel_Knob):
    pass


class Format_Knob(Knob):
    def __init__(self, name: str = "", label: str | None = None) -> None:
        self._format: Any = None
        Knob.__init__(self, name, label)

    def value(self, *rest: Any) -> Any:
        self._touch()
        assert self._node is not None
        return self._format or self._node.session.root_format()

    actualValue = value

    def setValue(self, val: Any, *rest: Any) -> bool:
        self._change(lambda: self._read(val) if isinstance(val, str) else setattr(self, "_format", val))
        return True

    def _state(self) -> Any:
        return self._format

    def _set_state(self, state: Any) -> None:
        self._format = state

    def _text(self) -> str:
        return "" if self._format is None else self._format.text()

    def _read(self, text: str) -> None:
        assert self._node is not None
        self._format = self._node.session.format_of(text)


class Link_Knob(Knob):
    """A window on another knob, given as ``Node.knob`` seen from the inside of the group."""

    def __init__(self, name: str = "", label: str | None = None) -> None:
        self._link = ""
        Knob.__init__(self, name, label)

    def setLink(self, s: str) -> None:
        self._link = s

    def makeLink(self, s: str, t: str) -> None:
        self._link = f"{s}.{t}"

    def getLink(self) -> str:
        return self._link

    def getLinkedKnob(self) -> Knob | None:
        if self._node is None or "." not in self._link:
            return None
        place, _, knob = self._link.rpartition(".")
        node = self._node.session.find(place, self._node)
        return None if node is None else node.knob(knob)

    def value(self, *rest: Any) -> Any:
        return self._linked().value(*rest)

    def getValue(self, *rest: Any) -> Any:
        return self._linked().getValue(*rest)

    def setValue(self, val: Any, *rest: Any) -> Any:
        return self._linked().setValue(val, *rest)

    def _linked(self) -> Knob:
        self._touch()
        knob = self.getLinkedKnob()
        if knob is None:
            raise RuntimeError(f"link {self._link!r} of {self._name} leads nowhere")
        return knob

    def _read(self, text: str) -> None:
        self._linked()._read(text)


def resolve_link(knob: Knob) -> Knob:
    """The knob itself, or the one a link shows."""
    return knob._linked() if isinstance(knob, Link_Knob) else knob


KINDS: dict[str, type[Knob]] = {
    name: kind for name, kind in list(globals().items()) if isinstance(kind, type) and issubclass(kind, Knob)
}


def make_user_knob(told: script.UserKnob) -> Knob:
    """The knob of an ``addUserKnob``."""
    kind = KINDS[told.kind]
    knob = kind(told.name, told.label)
    if isinstance(knob, Enumeration_Knob):
        knob._values = list(told.values)
        knob.default = knob._state()
    elif isinstance(knob, Link_Knob):
        knob.setLink(told.target)
    elif isinstance(knob, (String_Knob, Text_Knob)):
        knob._value = told.target
        knob.default = "" if not isinstance(knob, (Script_Knob, Text_Knob)) else told.target
    if isinstance(knob, Array_Knob) and told.range:
        knob.setRange(float(told.range[0]), float(told.range[1]))
    knob.setTooltip(told.tooltip)
    for flag in told.flags:
        if flag[0] == "+":
            knob.setFlag(FLAGS[flag[1:]])
    knob.setEnabled("+DISABLED" not in told.flags)
    knob.told = told  # type: ignore[attr-defined]
    return knob


def definition(knob: Knob) -> str:
    """The ``addUserKnob`` of a knob."""
    told = getattr(knob, "told", None)
    words = [str(TYPE_IDS[knob.Class()]), knob.name()]
    if knob._label is not None:
        words += ["l", knob._label]
    if knob.tooltip():
        words += ["t", knob.tooltip()]
    for name in ("INVISIBLE", "DISABLED", "NO_ANIMATION", "DO_NOT_WRITE"):
        if knob.getFlag(FLAGS[name]):
            words.append("+" + name)
    words += [flag for flag in (told.flags if told else ()) if flag.endswith("STARTLINE")]
    if isinstance(knob, Enumeration_Knob):
        words += ["M", " ".join(script.quote(value) for value in knob._values)]
    if isinstance(knob, Array_Knob) and getattr(knob, "_range", None):
        words += ["R", _short(knob._range[0]), _short(knob._range[1])]
    if isinstance(knob, Link_Knob):
        words += ["T", knob.getLink()]
    elif isinstance(knob, (Script_Knob, Text_Knob)) and knob._value:
        words += ["T", knob._value]
    if told is not None and told.group:
        words += ["n", str(told.group)]
    return " ".join(script.quote(word) for word in words)
