"""Formats: the display window of a picture, from the bottom left.

Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

from typing import Any


class Format:
    """``x``, ``y``, ``r``, ``t`` bound the part that is looked at; width and height are of the whole file."""

    def __init__(
        self,
        width: int,
        height: int,
        x: int = 0,
        y: int = 0,
        r: int | None = None,
        t: int | None = None,
        pixelAspect: float = 1.0,
        name: str = "",
    ) -> None:
        self._size = [int(width), int(height)]
        self._box = [int(x), int(y), int(width if r is None else r), int(height if t is None else t)]
        self._aspect, self._name = float(pixelAspect), name

    def width(self) -> int:
        return self._size[0]

    def height(self) -> int:
        return self._size[1]

    def x(self) -> int:
        return self._box[0]

    def y(self) -> int:
        return self._box[1]

    def r(self) -> int:
        return self._box[2]

    def t(self) -> int:
        return self._box[3]

    def pixelAspect(self) -> float:
        return self._aspect

    def name(self) -> str:
        return self._name

    def setName(self, name: str) -> None:
        self._name = name

    def scaled(self, sx: float, sy: float, tx: float = 0, ty: float = 0) -> Format:
        box = [round(side * scale) for side, scale in zip(self._box, (sx, sy, sx, sy))]
        return Format(
            max(1, round(self._size[0] * sx)), max(1, round(self._size[1] * sy)), *box, self._aspect
        )

    def text(self) -> str:
        """As a script writes it."""
        numbers = [*self._size, *self._box]
        return " ".join([*(str(number) for number in numbers), f"{self._aspect:g}", self._name]).strip()

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Format) and self.text() == other.text()

    def __hash__(self) -> int:
        return hash(self.text())


def read_format(text: str) -> Format:
    """Of ``width height [x y r t] aspect [name]``. Raises RuntimeError."""
    numbers: list[float] = []
    words = text.split()
    while words and len(numbers) < 7:
        try:
            numbers.append(float(words[0]))
        except ValueError:
            break
        words.pop(0)
    if len(numbers) in (2, 3):
        aspect = numbers[2] if len(numbers) == 3 else 1.0
        return Format(int(numbers[0]), int(numbers[1]), pixelAspect=aspect, name=" ".join(words))
    if len(numbers) in (6, 7):
        whole = [int(number) for number in numbers[:6]]
        return Format(*whole, numbers[6] if len(numbers) == 7 else 1.0, " ".join(words))
    raise RuntimeError(f"{text!r} is no format")
