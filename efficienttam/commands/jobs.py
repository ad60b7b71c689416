"""``track``, ``embed``, ``check`` and ``preview``: what is done with a job document."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..batch.interruption import Interruption
from ..batch.preflight import document_faults
from ..batch.progress import Progress, ProgressStyle, make_progress
from ..contract.disk import folder_refusal
from ..contract.document import JobFaults, exit_code_of, from_json, read_job, to_json
from ..contract.errors import Cancelled, EfficientTAMError, ExitCode, JobError, OutputError
from ..contract.fields import Fault
from ..contract.job import TrackJob
from ..contract.job_files import claimed
from ..contract.sequence import parse_frames
from .cache import settings_from
from .going_on import say_how
from .words import in_words

Stop = Callable[[], bool]


def track(args: argparse.Namespace) -> int:
    """Runs a job document."""
    with telling(args) as progress, in_words(overrides(args), {}):
        job = with_overrides(document(args.job), args)
        return run(job, os.path.dirname(args.job), args, progress)


def embed(args: argparse.Namespace) -> int:
    """Fills the embedding cache for a job document."""
    with telling(args) as progress, in_words(overrides(args), {}):
        job = with_overrides(document(args.job), args)
        frames = frame_pair(args.frames) if args.frames else None
        cache = settings_from(args)
        from ..embed import embed_job

        folder = os.path.dirname(args.job)
        with stopping() as stop:
            embed_job(job, progress, folder=folder, frames=frames, stop=stop, cache=cache)
        return ExitCode.OK


def check(args: argparse.Namespace) -> int:
    """Prints every fault of a job document on stdout."""
    try:
        faults = document_faults(args.job)
        if not faults:
            from ..batch.footage import header_faults

            faults = header_faults(read_job(args.job), os.path.dirname(args.job))
    except JobError as error:
        if not args.json:
            raise
        faults = [Fault("", error.message, error.remedy, error.exit_code)]
    if args.json:
        listed = [{**fault._asdict(), "exit_code": int(fault.exit_code)} for fault in faults]
        print(json.dumps({"job": args.job, "faults": listed}, indent=2))
    elif faults:
        print(JobFaults(faults, args.job))
    else:
        print(f"{args.job}: no faults")
    return exit_code_of(faults)


def preview(args: argparse.Namespace) -> int:
    """Writes one frame with its mattes tinted."""
    if not args.out.lower().endswith(".png"):
        raise JobError(f"A preview is a PNG, and --out {args.out!r} is not.", "Let the name end with .png.")
    refuse_folder_of(args.out, "--out")
    from ..mattes.overlay import overlay
    from ..media import write_png
    from ..run import preview_job

    cache = settings_from(args)
    with in_words(overrides(args), {}):
        job = with_overrides(document(args.job), args)
        folder = os.path.dirname(args.job)
        what = claimed(job, folder, args.out)
        if what:
            raise JobError(
                f"--out {args.out!r} would overwrite {what}.", "Choose another name for the picture."
            )
        picture, mattes = preview_job(job, args.frame, folder=folder, view=args.view, cache=cache)
    missing = [thing.name for thing in job.objects if thing.name not in mattes]
    for name in missing:
        print(f"{name} has no matte on frame {args.frame}.")
    make_folder_of(args.out, "--out")
    write_png(args.out, overlay(picture, list(mattes.values())))
    print(args.out)
    return ExitCode.OK


def document(path: str) -> TrackJob:
    """The job in a file, as written. Raises JobFaults with all that ``check`` tells."""
    try:
        return read_job(path)
    except JobFaults:
        raise JobFaults(document_faults(path), path) from None


def run(job: TrackJob, folder: str, args: argparse.Namespace, progress: Progress) -> int:
    """Runs a job over the frames the command line asks for."""
    frames = frame_pair(args.frames) if args.frames else None
    cache = settings_from(args)
    from ..run import run_job

    with stopping() as stop:
        run_job(job, progress, folder=folder, frames=frames, resume=args.resume, stop=stop, cache=cache)
    return ExitCode.OK


@contextmanager
def telling(args: argparse.Namespace) -> Iterator[Progress]:
    """The progress the command line asks for; an error that passes through is told to it."""
    progress = make_progress(ProgressStyle(args.progress))
    try:
        yield progress
    except EfficientTAMError as error:
        say_how(error, args)
        progress.failed(error)
        raise


@contextmanager
def stopping() -> Iterator[Stop]:
    """What to ask whether Ctrl-C or SIGTERM came; Cancelled leaves with that signal's exit code."""
    with Interruption() as interruption:
        try:
            yield interruption.requested
        except Cancelled as cancelled:
            cancelled.exit_code = interruption.exit_code
            raise


def refuse_folder_of(path: str, option: str) -> None:
    """Raises OutputError when the file that an option names cannot be put into its folder."""
    folder = os.path.dirname(path) or os.curdir
    refused = folder_refusal(folder)
    if refused:
        message = f"The folder {folder!r} of {option} cannot be made or written to: {refused}."
        raise OutputError(message, "Name a file in another folder.")
    if os.path.isdir(path):
        raise OutputError(f"{option} {path!r} is a folder; a file name was expected.", "Name a file.")


def make_folder_of(path: str, option: str) -> None:
    """Makes the folder of a file that an option names. Raises OutputError."""
    folder = os.path.dirname(path) or os.curdir
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        message = f"The folder {folder!r} of {option} cannot be made: {error.strerror}."
        raise OutputError(message, "Name a file in another folder.") from error


def overrides(args: argparse.Namespace) -> dict[str, str]:
    """Places of the job that the command line fills instead, by the option."""
    given = {"device": args.device, "threads": args.threads is not None, "weights": args.weights}
    return {f"model.{name}": f"--{name}" for name, value in given.items() if value}


def with_overrides(job: TrackJob, args: argparse.Namespace) -> TrackJob:
    """The job on the device, with the threads and the weights that the command line names.

    Raises JobFaults for a device or a number of threads that no job may have.
    """
    model = job.model
    if args.device:
        model = dataclasses.replace(model, device=args.device)
    if args.threads is not None:
        model = dataclasses.replace(model, threads=args.threads)
    if args.weights:
        model = dataclasses.replace(model, weights=os.path.join(os.getcwd(), args.weights))
    return from_json(to_json(dataclasses.replace(job, model=model)))


def frame_pair(text: str) -> tuple[int, int]:
    """First and last of ``1001-1048``. Raises JobError for anything but one run of frames."""
    frames = parse_frames(text)
    if len(frames) != frames[-1] - frames[0] + 1:
        raise JobError(f"{text!r} is not one run of frames.", "Write FIRST-LAST, for example 1001-1048.")
    return frames[0], frames[-1]
