"""``train``, ``eval``, ``ablate``, ``finetune``, ``export``: the packages that do it read their arguments."""

from __future__ import annotations

import argparse

#: Command -> what it does.
PASSED_ON = {
    "train": "train the demo weights from generated clips",
    "eval": "score weights or mattes against known truth",
    "ablate": "compare the forms of memory attention by training each",
    "finetune": "adapt a model to a show from some good mattes",
    "export": "write the network for other runtimes, checked",
}


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


def finetune(args: argparse.Namespace) -> int:
    """Adapts weights to a show."""
    from ..finetune.cli import main

    return main(args.rest)


def export(args: argparse.Namespace) -> int:
    """Writes the network for other runtimes."""
    from ..export.cli import main

    return main(args.rest)
