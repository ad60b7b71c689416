"""The first line of a log: which machine does the work, with what, and for which job."""

from __future__ import annotations

import os
import platform
import socket

import torch

from .. import __version__
from ..contract.document import job_hash
from ..contract.errors import DeviceError, WeightsError
from ..contract.job import Model, TrackJob
from ..weights.device import choose_device
from ..weights.load import weights_file


def introduction(job: TrackJob, runs_network: bool) -> dict[str, str]:
    """What the first line says, by name; ``job`` has its paths resolved.

    What cannot be found out is told as such: the line is there to explain failures too.
    """
    return {
        "host": socket.gethostname(),
        "pid": str(os.getpid()),
        "device": _device(job.model, runs_network),
        "efficienttam": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "job": job_hash(job),
        "weights": _weights(job.model),
    }


def _device(wish: Model, runs_network: bool) -> str:
    threads = wish.threads or torch.get_num_threads()
    on_cpu = "CPU, 1 thread" if threads == 1 else f"CPU, {threads} threads"
    if not runs_network:
        return f"{on_cpu}, no network"
    try:
        device = choose_device(wish.device)
    except DeviceError as error:
        return f"none: {error.message}"
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)} ({device})"
    return on_cpu if device.type == "cpu" else device.type


def _weights(wish: Model) -> str:
    try:
        return weights_file(wish.name, wish.weights or None)[1]
    except WeightsError as error:
        return f"none: {error.message}"
