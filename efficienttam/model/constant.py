"""Values that follow from weights alone, computed once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import torch
from torch import Tensor


class Constant:
    """The last value asked for; computed again when its weights or sizes changed.

    Gradients must flow through a value in training: there nothing is kept. Nor is it for weights that
    are inference tensors, which do not tell that they changed.
    """

    def __init__(self) -> None:
        self._key: Hashable = None
        self._value: Tensor | None = None

    def get(
        self, weights: Sequence[Tensor], sizes: tuple[Hashable, ...], compute: Callable[[], Tensor]
    ) -> Tensor:
        """``compute()``, or what it gave for the same ``weights`` and ``sizes``."""
        if torch.is_grad_enabled() or any(weight.is_inference() for weight in weights):
            return compute()
        key = (sizes, *((weight.data_ptr(), weight._version, weight.dtype) for weight in weights))
        if self._value is None or key != self._key:
            self._key, self._value = key, compute()
        return self._value
