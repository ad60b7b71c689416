"""Arguments of ``efficienttam export``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from efficienttam.command_parser import Parser, whole, zero_or_more
from efficienttam.export.exporting import TOLERANCE, ExportOptions, export
from efficienttam.export.formats import Format


def build_parser() -> Parser:
    """The parser of ``efficienttam export``."""
    parser = Parser(
        prog="efficienttam export",
        description="Write image encoder and mask decoder for other runtimes, held against the network.",
    )
    parser.add_argument("model", metavar="MODEL", help="variant; efficienttam models lists them")
    parser.add_argument("--format", choices=[each.value for each in Format], required=True)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write into")
    parser.add_argument("--weights", default="", help="weights file or folder of the model")
    parser.add_argument(
        "--points",
        type=whole(1),
        default=1,
        metavar="N",
        help="of a prompt; a box is 2; %(default)s unless told",
    )
    parser.add_argument(
        "--tolerance",
        type=zero_or_more,
        default=TOLERANCE,
        metavar="SHARE",
        help="largest difference, as a share of an output's largest value; %(default)s unless told",
    )
    parser.add_argument("--threads", type=whole(0), default=0, help="CPU threads; 0 lets torch choose")
    # Heeded by the command line, which passes all else on.
    parser.add_argument("--debug", action="store_true", help="show the traceback of a failure")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs an export; 0 when every file is there and answers as the network does."""
    args = build_parser().parse_args(arguments)
    options = ExportOptions(
        out=args.out,
        format=Format(args.format),
        model=args.model,
        weights=args.weights,
        points=args.points,
        tolerance=args.tolerance,
        threads=args.threads,
    )
    for path in export(options, _say):
        print(path)
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
