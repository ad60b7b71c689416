"""What must be known of a network without running it."""

from __future__ import annotations

from dataclasses import dataclass

from ..contract.job import Model, Precision
from ..model.config import MODELS
from ..model.efficienttam import EfficientTAM
from ..weights.load import weights_file


@dataclass(frozen=True)
class NetworkFacts:
    """``weights_hash`` is the sha256 of the weights' file; ``precision`` what the network computes in,
    empty where that is known of each of its results; ``mask_side`` the side of its mask, in cells."""

    weights_hash: str
    precision: str
    mask_side: int


def facts_of(model: EfficientTAM) -> NetworkFacts:
    """The facts of a network that is loaded."""
    precision = str(model.precision).removeprefix("torch.")
    return NetworkFacts(model.weights_hash, precision, model.config.mask_side)


def facts_of_wish(wish: Model) -> NetworkFacts:
    """The facts of the network that a job asks for, which is not loaded. Raises WeightsError."""
    precision = "" if wish.precision is Precision.AUTO else wish.precision.value
    digest = weights_file(wish.name, wish.weights or None)[1]
    return NetworkFacts(digest, precision, MODELS[wish.name].mask_side)
