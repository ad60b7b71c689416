"""``demo``: the whole way in one command."""

from __future__ import annotations

import argparse
import os

from ..contract.errors import ExitCode, JobError
from ..contract.job import Model
from .cache import settings_from
from .jobs import stopping, telling


def demo(args: argparse.Namespace) -> int:
    """Makes the demo and prints where everything is and the score."""
    if args.count < 1:
        raise JobError(f"--count {args.count} makes no plate.", "Ask for one frame or more.")
    from ..demo import FIRST_FRAME, run_demo

    model = Model(
        name=args.model,
        weights=os.path.abspath(args.weights) if args.weights else "",
        device=args.device or "auto",
        threads=args.threads or 0,
    )
    cache = settings_from(args)
    with telling(args) as progress, stopping() as stop:
        outcome = run_demo(
            args.out, model, progress, count=args.count, resume=args.resume, stop=stop, cache=cache
        )
    print(f"job            {outcome.job}")
    print(f"mattes         {outcome.mattes}")
    print(f"contact sheet  {outcome.contact_sheet}")
    print(f"to look at     {outcome.animation}")
    worst = min(range(len(outcome.regions)), key=outcome.regions.__getitem__)
    print(
        f"score          J {outcome.j:.3f}  F {outcome.f:.3f}  J&F {(outcome.j + outcome.f) / 2:.3f} "
        f"over {len(outcome.regions)} frames from one click; lowest J {outcome.regions[worst]:.3f} "
        f"on frame {FIRST_FRAME + worst}"
    )
    return ExitCode.OK
