"""``train``, ``eval`` and ``ablate``: their arguments are read by the packages that do the work."""

from __future__ import annotations

import argparse


def train(args: argparse.Namespace) -> int:
    """Trains the demo weights."""
    from ..training.cli import main

    return main(args.rest)


def eval(args: argparse.Namespace) -> int:
    """Scores weights or mattes."""
    from ..evaluation.cli import main

    return main(args.rest)


def ablate(args: argparse.Namespace) -> int:
    """Trains and scores what the paper compares."""
    from ..experiments.cli import main

    return main(args.rest)
