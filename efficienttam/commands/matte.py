"""``matte``: a job from the command line alone, with objects and prompts in the order they are given."""

from __future__ import annotations

import argparse
import os

from ..contract.document import from_json, resolve, to_json, write_job
from ..contract.errors import ExitCode
from ..contract.job import (
    FrameRange,
    Layout,
    Model,
    Output,
    Plate,
    Precision,
    Tracking,
    TrackJob,
)
from ..contract.passes import Between, Direction, Recall
from ..contract.sequence import MissingFrames
from .jobs import frame_pair, make_folder_of, run, telling
from .words import objects_from


def matte(args: argparse.Namespace) -> int:
    """Builds a job, writes it where asked to, and runs it."""
    with telling(args) as progress:
        job, folder = _job(args)
        if args.save_job:
            make_folder_of(args.save_job, "--save-job")
            write_job(job, args.save_job)
        return ExitCode.OK if args.dry_run else run(job, folder, args, progress)


def _job(args: argparse.Namespace) -> tuple[TrackJob, str]:
    """The job and the folder its paths are relative to. Raises JobFaults or JobError."""
    first, last = frame_pair(args.range) if args.range else (None, None)
    job = TrackJob(
        plate=Plate(
            path=args.plate,
            color_space=args.color_space,
            ocio_config=args.ocio,
            missing=MissingFrames(args.missing),
            layer=args.plate_layer,
        ),
        objects=objects_from(args.words or []),
        output=Output(
            path=args.out,
            layout=Layout.LAYER_PER_OBJECT if args.layers else Layout.FILE_PER_OBJECT,
        ),
        range=FrameRange(first, last),
        views=tuple(args.views.split(",")) if args.views else (),
        model=Model(
            name=args.model,
            weights=args.weights or "",
            device=args.device or "auto",
            precision=Precision(args.precision),
            threads=args.threads or 0,
        ),
        tracking=Tracking(
            direction=Direction(args.direction),
            between=Between(args.between),
            recall=Recall(args.recall),
            non_overlapping=args.non_overlapping,
        ),
    )
    folder = os.path.dirname(args.save_job)
    here = os.path.relpath(os.curdir, folder or os.curdir)
    if here != os.curdir:
        job = resolve(job, here)
    return from_json(to_json(job)), folder
