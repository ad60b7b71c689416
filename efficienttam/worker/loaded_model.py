"""The network that stays loaded between requests."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable

import torch

from ..batch.open_job import load_wanted
from ..contract.job import Model
from ..model.efficienttam import EfficientTAM
from ..weights.location import find_weights


class LoadedModel:
    """At most one network; another is loaded when another is asked for or its file was replaced."""

    def __init__(self) -> None:
        self._model: EfficientTAM | None = None
        self._made_of: tuple[Model, str, int, int] | None = None

    def load(self, wish: Model, tell: Callable[[str], None]) -> EfficientTAM:
        """The network of a job; ``tell`` hears a sentence where it has to be loaded.

        Raises WeightsError, DeviceError.
        """
        path = str(find_weights(wish.name, wish.weights or None))
        status = os.stat(path)
        wanted = (wish, path, status.st_size, status.st_mtime_ns)
        if self._model is None or self._made_of != wanted:
            self.release()
            self._model = load_wanted(wish, tell)
            self._made_of = wanted
        return self._model

    def release(self) -> None:
        """Drops the network and gives the device's memory back."""
        self._model = self._made_of = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
