"""``demo``: the whole way in one command."""

from __future__ import annotations

import argparse
import os

from ..batch.progress import ProgressStyle, make_progress
from ..contract.errors import ExitCode, JobError
from ..contract.job import Model
from .jobs import stopping


def demo(args: argparse.Namespace) -> int:
    """Makes the demo and prints where everything is and the score."""
    if args.count < 1:
        raise JobError(f"--count {args.count} makes no plate.", "Ask for one frame or more.")
    from ..demo import run_demo

    model = Model(
        name=args.model,
        weights=os.path.abspath(args.weights) if args.weights else "",
        device=args.device or "auto",
        threads=args.threads or 0,
    )
    progress = make_progress(ProgressStyle(args.progress))
    with stopping() as stop:
        outcome = run_demo(args.out, model, progress, count=args.count, resume=args.resume, stop=stop)
    print(f"job            {outcome.job}")
    print(f"mattes         {outcome.mattes}")
    print(f"contact sheet  {outcome.contact_sheet}")
    print(f"to look at     {outcome.animation}")
    worst = min(range(len(outcome.overlaps)), key=outcome.overlaps.__getitem__)
    print(
        f"score          J {outcome.mean_overlap:.3f} over {len(outcome.overlaps)} frames from one click; "
        f"lowest {outcome.overlaps[worst]:.3f} on frame {1001 + worst}"
    )
    return ExitCode.OK
