"""``movie``: a finished job as a movie for review."""

from __future__ import annotations

import argparse
import os
from fractions import Fraction

from ..contract.document import read_job
from ..contract.errors import ExitCode, JobError
from ..contract.job_files import claimed
from .jobs import frame_pair, make_folder_of, refuse_folder_of, stopping, telling


def movie(args: argparse.Namespace) -> int:
    """Writes the movie and prints its path."""
    with telling(args) as progress:
        job, folder = read_job(args.job), os.path.dirname(args.job)
        frames = frame_pair(args.frames) if args.frames else None
        rate = _rate(args.rate) if args.rate else None
        what = claimed(job, folder, args.out)
        if what:
            raise JobError(f"--out {args.out!r} would overwrite {what}.", "Choose another name.")
        refuse_folder_of(args.out, "--out")
        make_folder_of(args.out, "--out")
        from ..movie import Look, make_movie

        look = Look.OVERLAY if args.overlay else None
        with stopping() as stop:
            made = make_movie(
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
    print(made.path)
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
