"""``doctor``: one line a check, whatever is broken."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator

from ..contract.errors import ExitCode, SettingsError
from ..contract.settings_in_force import all_settings
from ..doctor import installation, machine, places
from ..doctor.report import Check, State, as_json, as_text, failed, has_failed

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
    if not args.engine_only:
        yield from _done("install", installation.check_installation, args.debug)
    loads = False
    for name, check in _KINDS:
        for found in _done(name, check, args.debug):
            loads = loads or (found.name == "torch" and found.state is not State.FAIL)
            yield found
    with_torch = [("device", lambda: machine.check_device(args.device))]
    if not args.no_trial:
        with_torch.append(("trial", lambda: _trial(args.device)))
    for name, check in with_torch:
        if loads:
            yield from _done(name, check, args.debug)
        else:
            yield failed(name, "cannot be checked because torch does not load", "See the line torch.")


def _trial(device: str) -> Check:
    from ..doctor.trial import check_trial

    # The worker would tell the same fault of the settings in its own words.
    list(all_settings())
    return check_trial(device)


def _done(name: str, check: Callable[[], Check | Iterable[Check]], debug: bool) -> Iterator[Check]:
    """What a check found; a check that breaks is a finding too."""
    try:
        found = check()
        yield from [found] if isinstance(found, Check) else found
    except SettingsError:
        yield failed(name, "cannot be checked because the settings are wrong", "See the line settings.")
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
