"""``train``, ``eval``, ``finetune``, ``export``: their arguments are read by the packages that do it."""

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


def finetune(args: argparse.Namespace) -> int:
    """Adapts weights to a show."""
    from ..finetune.cli import main

    return main(args.rest)


def export(args: argparse.Namespace) -> int:
    """Writes the network for other runtimes."""
    from ..export.cli import main

    return main(args.rest)
