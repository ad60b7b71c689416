"""The expressions of knobs: ``parent.softness * 2``, ``a > 0 ? b : c``, ``input.width``, ``[value view]``.

Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+)|(?P<name>[A-Za-z_][\w.]*)"
    r"|(?P<tcl>\[[^\]]*\])|(?P<mark>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:(),]))"
)
_FUNCTIONS: dict[str, Callable[..., float]] = {
    "abs": abs,
    "ceil": math.ceil,
    "clamp": lambda x, low=0.0, high=1.0: max(low, min(high, x)),
    "exp": math.exp,
    "floor": math.floor,
    "int": lambda x: float(int(x)),
    "log": math.log,
    "max": max,
    "min": min,
    "pow": math.pow,
    "rint": lambda x: math.floor(x + 0.5),
    "sqrt": math.sqrt,
}
_LEVELS = (("||",), ("&&",), ("==", "!="), ("<", ">", "<=", ">="), ("+", "-"), ("*", "/", "%"))


class ExpressionError(RuntimeError):
    """An expression that cannot be read, or names what is not there."""


class Expression:
    """One parsed expression. ``look_up`` gives the number behind a dotted name, ``tcl`` of a bracket."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = self._split(text)
        self._place = 0

    def evaluate(self, look_up: Callable[[str], float], tcl: Callable[[str], str] | None = None) -> float:
        """Raises ExpressionError."""
        self._look_up, self._tcl, self._place = look_up, tcl, 0
        try:
            value = self._choice()
        except ZeroDivisionError:
            value = 0.0
        if self._place != len(self._tokens):
            raise ExpressionError(f"{self.text!r}: {self._peek()!r} was not expected.")
        return float(value)

    @property
    def names(self) -> list[str]:
        """Every dotted name in it that is no function."""
        named = [token for token in self._tokens if re.match(r"[A-Za-z_]", token)]
        return [name for name in named if name not in _FUNCTIONS]

    @staticmethod
    def _split(text: str) -> list[str]:
        tokens, place, text = [], 0, text.strip()
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None:
                raise ExpressionError(f"{text!r} is no expression at {text[place:]!r}.")
            tokens.append(match.group().strip())
            place = match.end()
        return tokens

    def _peek(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._place += 1
        return token

    def _expect(self, token: str) -> None:
        if self._next() != token:
            raise ExpressionError(f"{self.text!r}: {token!r} wanted.")

    def _choice(self) -> Any:
        condition = self._binary(0)
        if self._peek() != "?":
            return condition
        self._next()
        yes = self._choice()
        self._expect(":")
        no = self._choice()
        return yes if condition else no

    def _binary(self, level: int) -> Any:
        if level == len(_LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while self._peek() in _LEVELS[level]:
            mark = self._next()
            left = _apply(mark, left, self._binary(level + 1))
        return left

    def _unary(self) -> Any:
        if self._peek() == "-":
            self._next()
            return -self._unary()
        if self._peek() == "!":
            self._next()
            return float(not self._unary())
        return self._atom()

    def _atom(self) -> Any:
        token = self._next()
        if token == "(":
            value = self._choice()
            self._expect(")")
            return value
        if token[:1] == "[":
            return self._bracket(token)
        if token[:1].isdigit() or token[:1] == ".":
            return float(token)
        if token in _FUNCTIONS and self._peek() == "(":
            return _FUNCTIONS[token](*self._arguments())
        if not token or not (token[0].isalpha() or token[0] == "_"):
            raise ExpressionError(f"{self.text!r}: a value is wanted, not {token!r}.")
        return self._look_up(token)

    def _bracket(self, token: str) -> float:
        if self._tcl is None:
            raise ExpressionError(f"{self.text!r}: no Tcl here.")
        said = self._tcl(token[1:-1])
        try:
            return float(said)
        except ValueError:
            raise ExpressionError(f"{self.text!r}: {said!r} is no number.") from None

    def _arguments(self) -> list[float]:
        self._expect("(")
        arguments = [self._choice()]
        while self._peek() == ",":
            self._next()
            arguments.append(self._choice())
        self._expect(")")
        return arguments


def _apply(mark: str, left: float, right: float) -> float:
    if mark == "+":
        return left + right
    if mark == "-":
        return left - right
    if mark == "*":
        return left * right
    if mark == "/":
        return left / right
    if mark == "%":
        return math.fmod(left, right)
    return float(
        {
            "||": lambda: bool(left) or bool(right),
            "&&": lambda: bool(left) and bool(right),
            "==": lambda: left == right,
            "!=": lambda: left != right,
            "<": lambda: left < right,
            ">": lambda: left > right,
            "<=": lambda: left <= right,
            ">=": lambda: left >= right,
        }[mark]()
    )
