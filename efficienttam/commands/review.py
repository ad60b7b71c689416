"""``review``: which mattes to check."""

from __future__ import annotations

import argparse
import json
import os
from typing import TYPE_CHECKING

from ..batch.progress import Progress
from ..contract.document import read_job
from ..contract.errors import Cancelled, ExitCode, JobError
from ..contract.sequence import SequencePattern
from .cache import settings_from
from .jobs import Stop, frame_pair, overrides, refuse_folder_of, stopping, telling, with_overrides
from .words import in_words

if TYPE_CHECKING:
    from ..review.shot import Shot
    from ..review.verdict import Verdict


def review(args: argparse.Namespace) -> int:
    """Judges the mattes of a job, or of files, and writes the page."""
    is_job = args.mattes.lower().endswith(".json")
    _refuse_what_does_not_fit(args, is_job)
    out = args.out or (_job_folder(args.mattes) if is_job else _sequence_folder(args.mattes, args.view))
    refuse_folder_of(out.rstrip("/\\") + ".part", "--out")
    with telling(args) as progress, stopping() as stop, in_words(overrides(args), {}):
        from ..review.report import check_folder, document, write_review

        check_folder(out)
        shot, verdicts = _judge(args, is_job, progress, stop)
        write_review(out, shot, verdicts, lambda frame, view: _end_if(stop))
        found = sum(len(verdict.checks) for verdict in verdicts)
        places = sum(len(verdict.places) for verdict in verdicts)
        progress.end(f"{found} mattes to check, in {places} places.")
    if args.json:
        print(json.dumps(document(shot, verdicts), indent=1))
    else:
        _tell(verdicts, os.path.join(out, "index.html"))
    return ExitCode.TO_CHECK if args.fail and found else ExitCode.OK


def _refuse_what_does_not_fit(args: argparse.Namespace, is_job: bool) -> None:
    """Raises JobError for options that say nothing about what is reviewed."""
    if is_job:
        given = {"--plate": args.plate, "--color-space": args.color_space, "--view": args.view}
        told = next((name for name, value in given.items() if value), "")
        if told:
            raise JobError(f"{told} is for mattes without a job; the job tells it.", f"Leave {told} out.")
    elif args.both_ways:
        raise JobError(
            "--both-ways tracks, and mattes alone do not tell with what.", "Give the job document instead."
        )
    if args.color_space and not args.plate:
        raise JobError("--color-space is that of --plate, and there is none.", "Give --plate too.")
    if args.json and args.progress in ("json", "openjd"):
        raise JobError(
            f"--json and --progress {args.progress} both write to stdout.",
            "Choose one of them; review.json is in the folder.",
        )


def _sequence_folder(path: str, view: str) -> str:
    """``one.review`` beside ``one.%04d.exr``; ``review`` where the name is nothing but tokens."""
    pattern = SequencePattern(SequencePattern(path).with_view(view) if view else path)
    return os.path.join(pattern.folder, f"{pattern.title}.review" if pattern.title else "review")


def _job_folder(path: str) -> str:
    folder, name = os.path.split(path)
    stem = name[: -len(".json")]
    stem = stem[: -len(".job")] if stem.lower().endswith(".job") else stem
    return os.path.join(folder, stem + ".review")


def _judge(
    args: argparse.Namespace, is_job: bool, progress: Progress, stop: Stop
) -> tuple[Shot, list[Verdict]]:
    from ..review.shot import shot_of_files, shot_of_job
    from ..review.verdict import read_verdict

    frames = frame_pair(args.frames) if args.frames else None
    if is_job:
        job, folder = with_overrides(read_job(args.mattes), args), os.path.dirname(args.mattes)
        shot = shot_of_job(job, folder, os.path.basename(args.mattes), frames)
    else:
        shot = shot_of_files(args.mattes, args.plate, args.color_space, args.view, frames)
    verdicts = [read_verdict(shot, one, lambda frame, view: _end_if(stop)) for one in shot.strands]
    return shot, _tracked_back(args, shot, verdicts, progress, stop) if args.both_ways else verdicts


def _tracked_back(
    args: argparse.Namespace, shot: Shot, verdicts: list[Verdict], progress: Progress, stop: Stop
) -> list[Verdict]:
    """The verdicts, knowing also whether forward and backward agree."""
    from ..batch.failures import plain_failures
    from ..batch.footage import Footage
    from ..batch.open_job import OpenJob
    from ..review.both_ways import both_ways, steps

    with plain_failures():
        job = with_overrides(read_job(args.mattes), args)
        opened = OpenJob(Footage(job, os.path.dirname(args.mattes), settings_from(args)), progress, stop)
        progress.begin(sum(steps(verdict.scores) for verdict in verdicts), 0)
        return [both_ways(opened, shot, verdict) for verdict in verdicts]


def _end_if(stop: Stop) -> None:
    if stop():
        raise Cancelled("Stopped before it was done.", "A review that was there is as it was.")


def _tell(verdicts: list[Verdict], page: str) -> None:
    for verdict in verdicts:
        name = verdict.name + (f" ({verdict.view})" if verdict.view else "")
        for place in verdict.places:
            run = str(place.first) if place.first == place.last else f"{place.first}-{place.last}"
            print(f"{run:12} {name}: {', '.join(place.reasons)}")
        if not verdict.places:
            print(f"{name}: nothing to check")
    print(page)
