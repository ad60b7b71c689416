"""The proof: a worker starts and makes the matte of a frame that is generated here."""

from __future__ import annotations

import os
import sys
import tempfile
import time

import numpy as np

from ..client.engine_process import clean_environment, engine_command
from ..client.worker_client import WorkerClient
from ..contract.errors import EfficientTAMError
from ..contract.job import FrameRange, Model, Output, Plate, TrackedObject, TrackJob
from ..contract.messages import Done, Failed, Message, TrackRequest
from ..contract.prompts import Prompt
from .report import Check, failed, passed

#: A worker that has not answered by then will not.
PATIENCE = 300.0
_SIZE = (192, 256)
_CENTRE = (104.0, 88.0)
_RADIUS = 40.0
_REMEDY = "Send this report with the engine's last words: run `efficienttam demo --debug` for more."


def check_trial(device: str = "") -> Check:
    """Tracks one frame of a disc from one point, in a process of its own, and looks at the matte."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="efficienttam_doctor") as folder:
        environment = clean_environment()
        environment["EFFICIENTTAM_CACHE"] = "off"
        client = WorkerClient(engine_command(sys.executable), environment)
        replies: list[Message] = []
        try:
            _write_plate(os.path.join(folder, "plate.1001.png"))
            number = client.send(TrackRequest(0, _job(device), folder), replies.append)
            if not client.wait(number, PATIENCE):
                return failed("trial", f"the worker did not answer within {PATIENCE:.0f} s", _REMEDY)
            said = client.log
        finally:
            client.close(seconds=5.0)
        reply = replies[-1]
        if isinstance(reply, Failed):
            words = f" Last words: {said[-1]}" if said else ""
            return failed("trial", reply.message + words, reply.remedy or _REMEDY)
        if not isinstance(reply, Done):
            return failed("trial", f"the worker answered {type(reply).__name__}", _REMEDY)
        try:
            agreement = _agreement(os.path.join(folder, "disc.1001.exr"))
        except EfficientTAMError as error:
            return failed("trial", error.message, error.remedy)
    seconds = time.monotonic() - started
    told = f"a worker started and made a matte in {seconds:.1f} s, {agreement:.0%} as it should be"
    if agreement < 0.8:
        return failed("trial", told, "The numbers are wrong on this device: try --device cpu, and report it.")
    return passed("trial", told)


def _job(device: str) -> TrackJob:
    point = Prompt(frame=1001, include=((_CENTRE[0] + 0.5, _CENTRE[1] + 0.5),))
    return TrackJob(
        plate=Plate(path="plate.%04d.png"),
        range=FrameRange(1001, 1001),
        objects=(TrackedObject("disc", (point,)),),
        model=Model(device=device or "auto"),
        output=Output(path="{object}.%04d.exr"),
    )


def _write_plate(path: str) -> None:
    from ..media.writer import write_png

    height, width = _SIZE
    rows = np.linspace(0.15, 0.3, height, dtype=np.float32)[:, None, None]
    picture = np.broadcast_to(rows, (height, width, 3)).copy()
    picture[_disc()] = (0.9, 0.65, 0.1)
    write_png(path, picture)


def _disc() -> np.ndarray:
    rows, columns = np.mgrid[: _SIZE[0], : _SIZE[1]]
    return np.hypot(columns - _CENTRE[0], rows - _CENTRE[1]) < _RADIUS


def _agreement(path: str) -> float:
    """Overlap of the matte with the disc, 0..1."""
    from ..media.reader import read_roto

    matte, truth = read_roto(path) > 0.5, _disc()
    return float((matte & truth).sum() / max((matte | truth).sum(), 1))
