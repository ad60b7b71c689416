"""``ui``: the prompt window on a plate, kept in a job document."""

from __future__ import annotations

import argparse
import dataclasses
import os
import re
import signal
import sys
from typing import Any

from ..client import WorkerClient, engine_command
from ..contract.disk import place_at, way_here_from
from ..contract.document import JobFaults, read_job
from ..contract.errors import ExitCode, JobError
from ..contract.job import FrameRange, Output, Plate, TrackJob
from ..contract.job_files import claimed
from ..contract.rules import broken_rules
from ..contract.sequence import MissingFrames
from .jobs import frame_pair, make_folder_of, refuse_folder_of
from .words import in_words

_OPTIONS = {
    "plate": "PLATE",
    "plate.color_space": "--color-space",
    "plate.ocio_config": "--ocio",
    "output": "--out",
    "range": "--frames",
    "model": "--model",
    "model.device": "--device",
    "model.weights": "--weights",
}
#: Frame and view tokens, with what sets them off in a file name.
_TOKENS = re.compile(r"[._-]?(%0?\d*d|#+|\$F\d*|%[Vv])")


def ui(args: argparse.Namespace) -> int:
    """Opens the window; returns when it is closed."""
    path = _document(args)
    with in_words(_OPTIONS, {}):
        job = _told(_known(path, args), path, args)
    refuse_folder_of(path, "--job")
    what = claimed(job, os.path.dirname(path), path)
    if what:
        raise JobError(f"--job {path!r} would overwrite {what}.", "Choose another name for the job.")
    make_folder_of(path, "--job")
    return _show(path, job)


def _document(args: argparse.Namespace) -> str:
    """The path of the job document: told, given in place of the plate, or named after the plate."""
    if args.job:
        return str(args.job)
    if args.plate.lower().endswith(".json"):
        return str(args.plate)
    stem = os.path.splitext(os.path.basename(args.plate))[0]
    return (_TOKENS.sub("", stem) or "shot") + ".job.json"


def _known(path: str, args: argparse.Namespace) -> TrackJob:
    """The job in the document; a new one without objects where there is no file yet."""
    if os.path.exists(path):
        job = read_job(path)
        there = place_at(job.plate.path, os.path.dirname(path))
        same = os.path.realpath(os.path.expanduser(args.plate)) == os.path.realpath(there)
        if not args.plate.lower().endswith(".json") and not same:
            raise JobError(
                f"The job {path!r} is about another plate, {there}.",
                "Name another job with --job, or open that plate.",
            )
        return job
    if args.plate.lower().endswith(".json"):
        raise JobError(f"There is no job {args.plate!r}.", "Name a plate, or a job that is there.")
    name = "{object}.%V.%04d.exr" if "," in args.views else "{object}.%04d.exr"
    return TrackJob(
        plate=Plate(path=_seen_from(path, args.plate)),
        objects=(),
        output=Output(path=os.path.join("mattes", name)),
    )


def _seen_from(document: str, path: str) -> str:
    """A path of the working folder as the document tells it."""
    here = way_here_from(os.path.dirname(document))
    return path if here == os.curdir else place_at(path, here)


def _told(job: TrackJob, path: str, args: argparse.Namespace) -> TrackJob:
    """The job with what the command line says instead of it. Raises JobFaults where that cannot be."""
    config = args.ocio if args.ocio.startswith("ocio://") else args.ocio and _seen_from(path, args.ocio)
    plate = {"color_space": args.color_space, "ocio_config": config, "layer": args.plate_layer}
    if args.missing:
        plate["missing"] = MissingFrames(args.missing)
    model: dict[str, Any] = {"name": args.model, "device": args.device, "threads": args.threads}
    model["weights"] = os.path.join(os.getcwd(), args.weights) if args.weights else ""
    frames = FrameRange(*frame_pair(args.frames)) if args.frames else job.range
    out = _seen_from(path, args.out) if args.out else job.output.path
    told = dataclasses.replace(
        job,
        plate=dataclasses.replace(job.plate, **{name: value for name, value in plate.items() if value}),
        model=dataclasses.replace(
            job.model, **{name: value for name, value in model.items() if value not in ("", None)}
        ),
        range=frames,
        views=tuple(args.views.split(",")) if args.views else job.views,
        output=dataclasses.replace(job.output, path=out),
    )
    faults = broken_rules(told)
    if faults:
        raise JobFaults(faults)
    return told


def _show(path: str, job: TrackJob) -> int:
    application = _application()
    from ..window.document_shot import DocumentShot
    from ..window.prompt_window import PromptWindow
    from ..window.qt import run

    # The engine's own Python runs this: its environment is right as it is.
    client = WorkerClient(engine_command(sys.executable), dict(os.environ, PYTHONUTF8="1"))
    window = PromptWindow(DocumentShot(path, job), client)
    window.show()
    # As if it was closed by hand: the worker is told, and waited for.
    stops = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: application.quit()) for number in stops}
    try:
        run(application)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        window.shut()
        client.close(seconds=2.0)
    return ExitCode.OK


def _application() -> Any:
    """The Qt application. Raises JobError where there is no Qt or no display: Qt itself would abort."""
    try:
        from ..window.qt import QtCore, QtWidgets, sound
    except ImportError as error:
        raise JobError(
            "The prompt window needs Qt for Python, and it is not installed.",
            "Install it with: python -m pip install PySide6-Essentials",
        ) from error
    if not sound():
        raise JobError(
            f"Qt for Python {QtCore.qVersion()} ends a Python before 3.12 after a while.",
            'Install one that does not: python -m pip install "PySide6-Essentials<6.12"',
        )
    display = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))
    if sys.platform.startswith("linux") and not display:
        raise JobError("There is no display to open a window on.", "Run it in a desktop session.")
    return QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
