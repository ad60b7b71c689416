"""Prompts on the command line: ``--object``, ``--point``, ``--exclude``, ``--box`` and ``--mask``."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import Any

from ..contract.errors import JobError
from ..contract.job import TrackedObject
from ..contract.prompts import Prompt, RotoFile


class Word(argparse.Action):
    """Keeps ``--object``, ``--point``, ``--exclude``, ``--box`` and ``--mask`` in their order."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        words = list(getattr(namespace, self.dest) or [])
        words.append(((option_string or "").lstrip("-"), values))
        setattr(namespace, self.dest, words)


def objects_from(words: Sequence[tuple[str, str]]) -> tuple[TrackedObject, ...]:
    """Objects with their prompts from (``point``, ``1001:812,430``) and the like, in order.

    What is said about one frame of one object becomes one prompt, placed where the frame was first
    named. Without ``object`` in front there is one object, ``object1``. Raises JobError.
    """
    objects: dict[str, dict[int, dict[str, Any]]] = {}
    name = ""
    for kind, text in words:
        if kind == "object":
            name = text
            objects.setdefault(name, {})
            continue
        if not name:
            name = "object1"
        frame, rest = _frame_and_rest(kind, text)
        said = objects.setdefault(name, {}).setdefault(frame, {"include": [], "exclude": []})
        _say(said, kind, text, rest)
    if not objects:
        raise JobError("Nothing says what to track.", "Give --point FRAME:X,Y, --box or --mask.")
    return tuple(
        TrackedObject(key, tuple(Prompt(frame, **said) for frame, said in prompts.items()))
        for key, prompts in objects.items()
    )


def _say(said: dict[str, Any], kind: str, text: str, rest: str) -> None:
    if kind in ("box", "mask") and said.get(kind) is not None:
        raise JobError(f"--{kind} {text} is the second one on that frame.", "Give one per object and frame.")
    if kind == "mask":
        said["mask"] = RotoFile(rest)
    elif kind == "box":
        said["box"] = _numbers(kind, text, rest, 4)
    else:
        said["include" if kind == "point" else "exclude"].append(_numbers(kind, text, rest, 2))


def _frame_and_rest(kind: str, text: str) -> tuple[int, str]:
    match = re.match(r"\s*(-?\d{1,9})\s*:(.+)\Z", text)
    if match is None:
        example = {"box": "1001:600,300,900,700", "mask": "1001:roto.exr"}.get(kind, "1001:812,430")
        raise JobError(f"--{kind} {text!r} is not a frame, a colon and more.", f"Write it like {example}.")
    return int(match.group(1)), match.group(2)


def _numbers(kind: str, text: str, rest: str, count: int) -> tuple[float, ...]:
    try:
        numbers = tuple(float(part) for part in rest.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != count:
        shape = "FRAME:LEFT,TOP,RIGHT,BOTTOM" if count == 4 else "FRAME:X,Y"
        raise JobError(f"--{kind} {text!r} has not {count} numbers after the frame.", f"Write {shape}.")
    return numbers
