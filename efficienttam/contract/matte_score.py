"""How sure tracking was of a matte and where the matte lies, as its file's header tells.

Enough to judge a shot by its headers alone. Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Tuple

from .fields import Flag, Many, Maybe, Number, field

_NAME = "efficienttam/score/"
_SHARE = Number("a share")


@dataclasses.dataclass(frozen=True)
class MatteScore:
    """One object on one frame. What is not known is None; places are shares of the plate's width and
    height, 0 to 1, from the top left."""

    object_score: float | None = field(
        Maybe(Number()), "Object score, a logit: above 0 where the object is in the frame.", None
    )
    predicted_iou: float | None = field(
        Maybe(Number()), "The network's own guess of the mask's quality, 0 to 1.", None
    )
    area: float = field(Number(), "Share of the plate that the matte covers, 0 to 1.", 0.0)
    stability: float | None = field(
        Maybe(Number()), "Share of the mask that stays when the network is asked to be surer, 0 to 1.", None
    )
    center: Tuple[float, float] | None = field(
        Maybe(Many(_SHARE, "two shares", length=2)), "Centre of the matte's weight.", None
    )
    box: Tuple[float, float, float, float] | None = field(
        Maybe(Many(_SHARE, "four shares", length=4)),
        "Left, top, right, bottom of where it is 0.5 or more.",
        None,
    )
    agreement: float | None = field(
        Maybe(Number()), "IoU of the forward pass with the backward one, where both were made.", None
    )
    prompted: bool = field(Flag(), "True where the artist said something about the object.", False)

    def __str__(self) -> str:
        told = [
            ("object", _told(self.object_score, 4)),
            ("iou", _told(self.predicted_iou, 4)),
            ("area", _told(self.area, 6)),
            ("stability", _told(self.stability, 4)),
            ("center", _told(self.center, 5)),
            ("box", _told(self.box, 5)),
            ("agreement", _told(self.agreement, 4)),
            ("prompted", "1" if self.prompted else ""),
        ]
        return " ".join("{}={}".format(name, text) for name, text in told if text)


def score_attribute(name: str) -> str:
    """The header attribute that holds the score of an object."""
    return _NAME + name


def parse_score(text: str) -> MatteScore | None:
    """The score of an attribute's text; None where it holds none.

    Words of a later version are passed over. Three bare numbers, as the first mattes have them, are
    object score, predicted IoU and area.
    """
    words = text.split()
    try:
        if len(words) == 3 and not any("=" in word for word in words):
            return MatteScore(float(words[0]), float(words[1]), float(words[2]))
        told = dict(word.split("=", 1) for word in words)
        numbers = {
            name: tuple(map(float, value.split(","))) for name, value in told.items() if name in _COUNTS
        }
    except ValueError:
        return None
    if "area" not in numbers or any(len(numbers[name]) != _COUNTS[name] for name in numbers):
        return None
    return MatteScore(
        object_score=_single(numbers.get("object")),
        predicted_iou=_single(numbers.get("iou")),
        area=numbers["area"][0],
        stability=_single(numbers.get("stability")),
        center=_tuple(numbers.get("center")),
        box=_tuple(numbers.get("box")),
        agreement=_single(numbers.get("agreement")),
        prompted=bool(_single(numbers.get("prompted"))),
    )


_COUNTS = {
    "object": 1,
    "iou": 1,
    "area": 1,
    "stability": 1,
    "center": 2,
    "box": 4,
    "agreement": 1,
    "prompted": 1,
}


def _told(value: Any, digits: int) -> str:
    if value is None:
        return ""
    numbers = value if isinstance(value, tuple) else (value,)
    return ",".join("{:.{}f}".format(number, digits) for number in numbers)


def _single(numbers: Tuple[float, ...] | None) -> float | None:
    return None if numbers is None else numbers[0]


def _tuple(numbers: Tuple[float, ...] | None) -> Any:
    return numbers
