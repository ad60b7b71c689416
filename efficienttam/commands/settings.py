"""``settings``: what the site and the environment set, and which of them said it."""

from __future__ import annotations

import argparse
import json

from ..contract.errors import ExitCode
from ..contract.settings_in_force import all_settings
from ..doctor.report import without_secrets


def settings(args: argparse.Namespace) -> int:
    """Prints every setting, its value and where that came from."""
    rows = list(all_settings())
    if args.json:
        told = {row.name: {"value": _told(row.value), "from": row.origin} for row in rows}
        print(json.dumps(told, indent=2))
        return ExitCode.OK
    table = [(row.name, _text(_told(row.value)), row.origin) for row in rows]
    widths = [max(len(line[column]) for line in table) for column in (0, 1)]
    for name, value, origin in table:
        print(f"{name.ljust(widths[0])}  {value.ljust(widths[1])}  {origin}")
    return ExitCode.OK


def _told(value: object) -> object:
    """The value without the passwords of its URLs: what is printed here is pasted elsewhere."""
    if isinstance(value, (list, tuple)):
        return [_told(item) for item in value]
    return without_secrets(value) if isinstance(value, str) else value


def _text(value: object) -> str:
    if value in ("", None) or value == [] or value == ():
        return "-"
    return json.dumps(value) if isinstance(value, (list, tuple, bool, dict)) else str(value)
