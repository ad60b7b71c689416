"""Pictures with truth to train on, whatever layout they lie in on disk."""

from __future__ import annotations

from .mixture import Mixture as Mixture
from .mixture import open_data as open_data
from .training_plate import TrainingPlate as TrainingPlate

__all__ = ["Mixture", "TrainingPlate", "open_data"]
