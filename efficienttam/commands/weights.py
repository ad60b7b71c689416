"""``models`` and ``weights``: which variants there are, and their files."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..contract.errors import ExitCode, JobError, WeightsError
from ..contract.fields import nearest
from ..model.config import MODELS
from ..weights.download import Fetched, Voucher, fetch_weights, take_weights, verify_weights
from ..weights.location import find_weights
from ..weights.record import read_record, record_path
from ..weights.registry import REGISTRY, find_entry


def models(args: argparse.Namespace) -> int:
    """Lists the variants."""
    rows = []
    for name, config in MODELS.items():
        attention = config.memory_attention
        rows.append(
            {
                "name": name,
                "input_size": config.input_size,
                "cross_attention": attention.cross_attention.value,
                "licence": REGISTRY[name].licence,
                "weights": _place(name),
            }
        )
    _show(rows, args.json)
    return ExitCode.OK


def list_files(args: argparse.Namespace) -> int:
    """Lists weights files: where each is, where it comes from, what is known of its sum."""
    rows = []
    for entry in REGISTRY.values():
        place = _place(entry.name)
        record = read_record(Path(place)) if place else None
        rows.append(
            {
                "name": entry.name,
                "sha256": entry.sha256 or (record.sha256 if record else "not known yet"),
                "source": entry.source + entry.file if entry.source else "part of the package",
                "place": place or "not here",
            }
        )
    _show(rows, args.json)
    return ExitCode.OK


def download(args: argparse.Namespace) -> int:
    """Fetches weights; prints the path of each, and tells its sum and who vouches for it."""
    _refuse_unknown(args.names)
    for name in args.names:
        bar = _ByteBar(name)
        try:
            fetched = fetch_weights(
                name,
                args.folder,
                source=args.source,
                offline=True if args.offline else None,
                progress=bar,
            )
        finally:
            bar.close()
        _tell(name, fetched)
    return ExitCode.OK


def verify(args: argparse.Namespace) -> int:
    """Checks the sums of weights files; of all that are here when none is named."""
    _refuse_unknown(args.names)
    names = args.names or [name for name in REGISTRY if _place(name)]
    worst: int = ExitCode.OK
    for name in names:
        try:
            path = find_weights(name, args.folder)
            digest = verify_weights(path, find_entry(name).sha256 if args.folder is None else None)
            print(f"{name}  {digest}  {path}")
        except WeightsError as error:
            print(f"{name}  {error}")
            worst = error.exit_code
    return worst


def import_file(args: argparse.Namespace) -> int:
    """Takes weights files that lie elsewhere into the cache, checked; tells of each as ``download`` does."""
    for given in args.files:
        file = Path(given).expanduser()
        if not file.is_file():
            raise WeightsError(f"There is no file {given!r}.", "Check the path.")
        entry = find_entry(file.stem)
        if file.name != entry.file:
            raise WeightsError(f"{file} is not named {entry.file}.", f"Rename it to {entry.file}.")
        _tell(entry.name, take_weights(file.absolute(), args.folder))
    return ExitCode.OK


def _tell(name: str, fetched: Fetched) -> None:
    """The path for programs, on stdout; the sum and what it is worth for people, on stderr."""
    record = record_path(fetched.path)
    remark = f"vouched for by {fetched.voucher.value}"
    if fetched.voucher is Voucher.NOBODY:
        remark = (
            f"nobody vouches for it yet; it is recorded now in {record.name} beside the file and holds from "
            "here on. Compare it with a sum you trust, if you know one"
        )
    elif record.is_file():
        remark += f", and recorded in {record.name} beside the file"
    print(f"{name}  sha256 {fetched.sha256}: {remark}.", file=sys.stderr)
    print(fetched.path)


def _refuse_unknown(names: Sequence[str]) -> None:
    """Raises JobError for the first name that is no variant's, before any work."""
    for name in names:
        if name not in REGISTRY:
            raise JobError(f"There is no model {name!r}.", nearest(name, REGISTRY))


def _place(name: str) -> str:
    try:
        return str(find_weights(name))
    except WeightsError:
        return ""


def _show(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    heads = list(rows[0])
    table = [
        [head.replace("_", " ") for head in heads],
        *([str(row[head]) for head in heads] for row in rows),
    ]
    widths = [max(len(line[column]) for line in table) for column in range(len(heads))]
    for line in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


class _ByteBar:
    """Bytes fetched, on stderr."""

    def __init__(self, name: str) -> None:
        from tqdm import tqdm

        self._bar = tqdm(desc=name, unit="B", unit_scale=True, disable=None, leave=False)

    def __call__(self, done: int, total: int | None) -> None:
        self._bar.total = total
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        self._bar.close()
