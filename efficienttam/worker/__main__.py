"""Starts a worker on this process's stdin and stdout."""

from __future__ import annotations

import argparse
import os
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Runs until the host says so, hangs up or dies, or nothing was asked for a while."""
    parser = argparse.ArgumentParser(prog="python -m efficienttam.worker", description=__doc__)
    parser.add_argument(
        "--idle-minutes",
        type=float,
        default=30.0,
        help="end after so long without a request (default: 30; 0 for never)",
    )
    given = parser.parse_args()
    # Whatever prints from here on, child processes too, reaches the log and not the host.
    sys.stdout.flush()
    spoken = os.dup(1)
    os.dup2(2, 1)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

    from .channel import Channel
    from .server import Server

    status = Server(Channel(spoken), 60 * given.idle_minutes).run(sys.stdin.buffer)
    # Not by returning: the thread that waits for requests holds stdin, and Python would abort over it.
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
