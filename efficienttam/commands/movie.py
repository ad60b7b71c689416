"""``movie``: a finished job as movies for review."""

from __future__ import annotations

import argparse
import os
from fractions import Fraction

from ..contract.document import read_job
from ..contract.errors import ExitCode, JobError
from ..contract.job_files import claimed
from .jobs import frame_pair, make_folder_of, refuse_folder_of, stopping, telling


def movie(args: argparse.Namespace) -> int:
    """Writes a movie for each view and prints their paths."""
    with telling(args) as progress:
        job, folder = read_job(args.job), os.path.dirname(args.job)
        frames = frame_pair(args.frames) if args.frames else None
        rate = _rate(args.rate) if args.rate else None
        from ..movie import Look, make_movies, movie_files

        files = list(movie_files(job, args.out, args.view).values())
        for file in files:
            what = claimed(job, folder, file)
            if what:
                raise JobError(f"--out {file!r} would overwrite {what}.", "Choose another name.")
            refuse_folder_of(file, "--out")
        for file in files:
            make_folder_of(file, "--out")
        look = Look.OVERLAY if args.overlay else None
        with stopping() as stop:
            made = make_movies(
                job,
                args.out,
                folder=folder,
                look=look,
                objects=args.objects,
                frames=frames,
                view=args.view,
                rate=rate,
                progress=progress,
                stop=stop,
            )
    print(*(one.path for one in made), sep="\n")
    return ExitCode.OK


def _rate(text: str) -> Fraction:
    """``24``, ``23.976``, ``24000/1001``. Raises JobError."""
    usual = {"23.976": Fraction(24000, 1001), "23.98": Fraction(24000, 1001), "29.97": Fraction(30000, 1001)}
    usual["59.94"] = Fraction(60000, 1001)
    try:
        rate = usual.get(text) or Fraction(text)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not 1 <= rate <= 1000:
        raise JobError(f"--rate {text!r} is no frame rate.", "Write 24, 23.976 or 24000/1001.")
    return rate
