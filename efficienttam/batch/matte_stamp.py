"""What a matte's header tells of its making, and how much of it must agree on resuming."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from .. import __version__
from ..contract.cache_settings import Storage
from ..contract.document import job_hash
from ..contract.job import Precision, TrackJob
from ..model.efficienttam import EfficientTAM

_PRECISION = "efficienttam/precision"


@dataclass(frozen=True)
class MatteStamp:
    """``common`` stands in every header of a job; ``precision`` is what the network computed in.

    A job that leaves the precision to the machine (``any_precision``) keeps mattes made in another one.
    """

    common: dict[str, str]
    precision: str
    any_precision: bool

    def header(self, frame: int, thing: str, view: str) -> dict[str, str]:
        """The attributes of the matte of a frame of ``thing``: an object, or several with commas."""
        return {**self._fixed(frame, thing, view), _PRECISION: self.precision}

    def expected(self, frame: int, thing: str, view: str) -> dict[str, str]:
        """Those of them that a matte must have to be kept."""
        return self._fixed(frame, thing, view) if self.any_precision else self.header(frame, thing, view)

    def _fixed(self, frame: int, thing: str, view: str) -> dict[str, str]:
        place = {"efficienttam/object": thing, "efficienttam/frame": str(frame)}
        return {**self.common, **place, **({"efficienttam/view": view} if view else {})}


def matte_stamp(
    job: TrackJob, model: EfficientTAM, embeddings: Storage, roto_files: Sequence[str]
) -> MatteStamp:
    """The stamp of a job, its paths as they were given, on a model; the roto files are read."""
    common = {
        "efficienttam/version": __version__,
        "efficienttam/job": job_hash(job),
        "efficienttam/model": job.model.name,
        "efficienttam/weights": model.weights_hash,
        "efficienttam/embeddings": embeddings.value,
    }
    if roto_files:
        digest = hashlib.sha256()
        for path in roto_files:
            with open(path, "rb") as file:
                digest.update(hashlib.sha256(file.read()).digest())
        common["efficienttam/roto"] = digest.hexdigest()
    precision = str(model.precision).removeprefix("torch.")
    return MatteStamp(common, precision, job.model.precision is Precision.AUTO)
