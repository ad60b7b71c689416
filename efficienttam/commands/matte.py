"""``matte``: a job from the command line alone, with objects and prompts in the order they are given."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from ..contract.disk import way_here_from
from ..contract.document import from_json, is_document, read_text, resolve, to_json, write_job
from ..contract.errors import ExitCode, JobError
from ..contract.job import (
    Compression,
    DataWindow,
    Depth,
    FrameRange,
    Layout,
    Mattes,
    Model,
    Output,
    Plate,
    PlateMetadata,
    Precision,
    Refine,
    TrackedObject,
    Tracking,
    TrackJob,
)
from ..contract.job_files import claimed
from ..contract.passes import Between, Direction, Recall
from ..contract.sequence import MissingFrames, format_frames
from .jobs import frame_pair, make_folder_of, refuse_folder_of, run, telling
from .words import OPTIONS, REMEDIES, in_words, objects_from

if TYPE_CHECKING:
    from ..batch.footage import Footage
    from ..batch.progress import Progress


def matte(args: argparse.Namespace) -> int:
    """Builds a job, writes it where asked to, and runs it."""
    with telling(args) as progress:
        if args.region_padding is not None and not any(kind == "region" for kind, _ in args.words or []):
            raise JobError("--region-padding is room in a region, and there is none.", "Give --region too.")
        spoken = objects_from(args.words or [], args.region_padding)
        with in_words({**OPTIONS, **spoken.places}, REMEDIES):
            job = _job(args, spoken.objects)
            if args.save_job:
                _refuse_save_job(job, args.save_job)
            elif args.no_track:
                raise JobError("--no-track leaves nothing to do.", "Give --save-job FILE too.")
            if args.save_job or args.dry_run:
                footage = open_footage(job, "")
            if args.save_job:
                _save(job, args.save_job, progress, args.dry_run)
            return show(footage) if args.dry_run or args.no_track else run(job, "", args, progress)


def open_footage(job: TrackJob, folder: str) -> Footage:
    """The job's footage. Raises JobFaults, PlateError or ColorError when the job cannot work."""
    from ..batch.footage import Footage

    return Footage(job, folder)


def show(footage: Footage) -> int:
    """Prints what the job of that footage would write."""
    from ..batch.outline import outline

    job, made = footage.job, outline(footage)
    first, last = made.frames
    print(f"frames   {format_frames(range(first, last + 1))}")
    print(f"objects  {', '.join(thing.name for thing in job.objects)}")
    print(f"mattes   {made.mattes} in {len(made.files)} {'file' if len(made.files) == 1 else 'files'}")
    if made.files:
        print(f"first    {made.files[0]}")
        print(f"last     {made.files[-1]}")
    return ExitCode.OK


def seen_from(folder: str, job: TrackJob) -> TrackJob:
    """The job of the working folder as a document in ``folder`` tells it."""
    here = way_here_from(folder)
    return job if here == os.curdir else resolve(job, here)


def _refuse_save_job(job: TrackJob, path: str) -> None:
    """Raises JobError when the document would land on a file of the job or on what is no job, OutputError for
    its folder."""
    what = claimed(job, "", path)
    if what:
        raise JobError(f"--save-job {path!r} would overwrite {what}.", "Choose another name for the job.")
    refuse_folder_of(path, "--save-job")

    if os.path.exists(path) and not is_document(read_text(path)):
        raise JobError(
            f"--save-job {path!r} is there and is no job document; it was left alone.",
            "Choose another name for the job.",
        )


def _save(job: TrackJob, path: str, progress: Progress, dry_run: bool) -> None:
    """Writes the document; tells where another job was there. Raises OutputError."""
    job = seen_from(os.path.dirname(path), job)
    if os.path.exists(path) and read_text(path) != to_json(job):
        progress.status(f"The job {path} is there and {'would be' if dry_run else 'is'} replaced.")
    if not dry_run:
        make_folder_of(path, "--save-job")
        write_job(job, path)


def _layout(args: argparse.Namespace) -> Layout:
    if args.cryptomatte:
        return Layout.CRYPTOMATTE
    return Layout.LAYER_PER_OBJECT if args.layers else Layout.FILE_PER_OBJECT


def _job(args: argparse.Namespace, objects: tuple[TrackedObject, ...]) -> TrackJob:
    """The job, its paths as they were typed. Raises JobFaults or JobError."""
    first, last = frame_pair(args.range) if args.range else (None, None)
    job = TrackJob(
        plate=Plate(
            path=args.plate,
            color_space=args.color_space,
            ocio_config=args.ocio,
            missing=MissingFrames(args.missing),
            layer=args.plate_layer,
        ),
        objects=objects,
        output=Output(
            path=args.out,
            layout=_layout(args),
            layer=args.layer,
            compression=Compression(args.compression),
            depth=Depth(args.depth),
            data_window=DataWindow(args.data_window),
            plate_metadata=PlateMetadata(args.plate_metadata),
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
            border=args.border,
        ),
        mattes=Mattes(
            softness=args.softness,
            refine=Refine(args.refine),
            refine_band=args.refine_band,
            fill_holes=args.fill_holes,
            remove_specks=args.remove_specks,
            keep_largest=args.keep_largest,
            steady_frames=args.steady,
            roto_blend=args.roto_blend,
        ),
    )
    return from_json(to_json(job))
