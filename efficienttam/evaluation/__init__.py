"""How good mattes are: region J, boundary F, and what a tracker without learning would reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .assessment import EvaluateOptions as EvaluateOptions
    from .assessment import evaluate as evaluate

__all__ = ["EvaluateOptions", "evaluate"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.assessment"), name)
