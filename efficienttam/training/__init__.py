"""How our own weights are made: generated clips, losses, two stages of training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .course import TrainOptions as TrainOptions
    from .course import train as train

__all__ = ["TrainOptions", "train"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import course

    return getattr(course, name)
