"""``doctor``: one line a check, whatever is broken."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator

from ..contract.errors import ExitCode
from ..doctor import machine, places
from ..doctor.report import Check, as_json, as_text, failed, has_failed

_REPORT = "Run it with --debug and report what it says."


def doctor(args: argparse.Namespace) -> int:
    """Runs every check and prints them as they come; fails where one does."""
    checks = []
    for check in _checks(args):
        checks.append(check)
        if not args.json:
            print(as_text([check]), flush=True)
    if args.json:
        print(as_json(checks))
    return ExitCode.INCOMPLETE if has_failed(checks) else ExitCode.OK


def _checks(args: argparse.Namespace) -> Iterator[Check]:
    torch = None
    for name, check in _KINDS:
        for found in _done(name, check, args.debug):
            torch = found if found.name == "torch" else torch
            yield found
    if torch is None or torch.state.value == "fail":
        return
    yield from _done("device", lambda: machine.check_device(args.device), args.debug)
    if not args.no_trial:
        yield from _done("trial", lambda: _trial(args.device), args.debug)


def _trial(device: str) -> Check:
    from ..doctor.trial import check_trial

    return check_trial(device)


def _done(name: str, check: Callable[[], Check | Iterable[Check]], debug: bool) -> Iterator[Check]:
    """What a check found; a check that breaks is a finding too."""
    try:
        found = check()
        yield from [found] if isinstance(found, Check) else found
    except Exception as error:
        if debug:
            traceback.print_exc(file=sys.stderr)
        yield failed(name, f"cannot be checked: {type(error).__name__}: {error}", _REPORT)


_KINDS: tuple[tuple[str, Callable[[], Check | Iterable[Check]]], ...] = (
    ("engine", machine.check_engine),
    ("system", machine.check_system),
    ("torch", machine.check_torch),
    ("memory", machine.check_memory),
    ("disk", machine.check_disks),
    ("settings", places.check_settings),
    ("weights", places.check_weights),
    ("cache", places.check_cache),
    ("colour", places.check_color),
    ("movies", places.check_movies),
)
