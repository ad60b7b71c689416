"""Arguments of ``efficienttam eval semi|clicks|offline|online|images``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from efficienttam.command_parser import Parser, whole
from efficienttam.contract.errors import PlateError
from efficienttam.evaluation.marks import ScoredFrames
from efficienttam.evaluation.marks_report import to_markdown
from efficienttam.evaluation.protocol_run import EvaluationProtocol, ProtocolOptions, run_protocols
from efficienttam.evaluation.protocols import Annotating, Filling
from efficienttam.training.datasets.folder_clips import listed_clips

PROTOCOLS = tuple(protocol.value for protocol in EvaluationProtocol)
#: The smallest side of a generated clip, in pixels.
SMALLEST_SIDE = 32


def size(text: str) -> tuple[int, int]:
    """``WIDTHxHEIGHT``. Raises argparse.ArgumentTypeError."""
    parts = text.split("x")
    if len(parts) != 2 or not all(part.isdecimal() and int(part) >= SMALLEST_SIDE for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is not WIDTHxHEIGHT, {SMALLEST_SIDE} pixels or more each")
    return int(parts[0]), int(parts[1])


def share(text: str) -> float:
    """A number from 0 to 1. Raises argparse.ArgumentTypeError."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1")
    return value


def build_parser() -> Parser:
    """The parser of ``efficienttam eval`` with a protocol."""
    parser = Parser(
        prog="efficienttam eval",
        description="Score weights by the protocols of the papers; see docs/evaluation.md.",
    )
    parser.add_argument(
        "protocol", nargs="+", choices=PROTOCOLS, help="one or several, on the same footage; each once"
    )
    parser.add_argument("--out", default="", help="a folder for scores.md, .csv, .json and .png")
    parser.add_argument("--model", default="efficienttam_demo")
    parser.add_argument("--weights", default="", help="a weights file or folder")
    parser.add_argument("--device", default="", help="cpu, cuda, mps (default: a GPU where there is one)")
    parser.add_argument("--threads", type=whole(0), default=0, help="CPU threads; 0 lets torch choose")
    _add_footage(parser)
    _add_rules(parser)
    # Heeded by the command line, which passes all else on.
    parser.add_argument("--debug", action="store_true", help="show the traceback of a failure")
    return parser


def _add_footage(parser: Parser) -> None:
    footage = parser.add_argument_group(
        "footage", "generated clips of seeds that no training sees, unless told"
    )
    footage.add_argument(
        "--davis", metavar="FOLDER", default="", help="a clip or a data set: DAVIS, YouTube-VOS, MOSE layout"
    )
    footage.add_argument(
        "--list", metavar="FILE", default="", help="names of clips of --davis to take, a line each"
    )
    footage.add_argument("--plate", default="", help="a plate pattern, with --truth and --channel")
    footage.add_argument("--truth", default="", help="the pattern of the true mattes")
    footage.add_argument("--channel", action="append", default=[], help="a matte channel; repeat per object")
    footage.add_argument("--color-space", default="", help="colour space of --plate")
    footage.add_argument(
        "--clips", type=whole(1), help="number of clips (default: 20 generated ones, all others)"
    )
    footage.add_argument("--frames", type=whole(1), default=24, help="frames of a generated clip")
    footage.add_argument("--size", type=size, default=(640, 360), help="WIDTHxHEIGHT of generated clips")
    footage.add_argument("--objects", type=whole(1), default=1, help="objects of a generated clip at most")
    footage.add_argument("--stills", type=whole(1), default=1, help="images: frames of each clip")


def _add_rules(parser: Parser) -> None:
    usual = Annotating()
    rules = parser.add_argument_group("rules")
    rules.add_argument(
        "--score-frames",
        choices=[rule.value for rule in ScoredFrames],
        help="frames that count: davis leaves the prompted and the last one out, after the prompted one, all "
        "none (default: davis for semi and clicks, all for offline and online)",
    )
    rules.add_argument(
        "--annotated-frames", type=whole(1), default=usual.frames, help="offline, online: frames at most"
    )
    rules.add_argument(
        "--clicks-per-frame", type=whole(1), default=usual.clicks, help="offline, online: clicks on each"
    )
    rules.add_argument(
        "--pause-below", type=share, default=usual.pause_below, help="online: stop where IoU falls below this"
    )
    rules.add_argument(
        "--filling",
        choices=[filling.value for filling in Filling],
        default=usual.filling.value,
        help="offline: one pass forward as published, or as a job is tracked here",
    )


def main(arguments: Sequence[str]) -> int:
    """Run protocols; 0 when they were scored. Tables on stdout, progress on stderr."""
    parser = build_parser()
    args = parser.parse_args(arguments)
    _refuse(parser, args)
    options = ProtocolOptions(
        protocols=tuple(EvaluationProtocol(name) for name in args.protocol),
        model=args.model,
        weights=args.weights,
        device=args.device,
        threads=args.threads,
        davis=args.davis,
        names=_names(args.list),
        plate=args.plate,
        truth=args.truth,
        channels=tuple(args.channel),
        color_space=args.color_space,
        clips=args.clips,
        frames=args.frames,
        size=args.size,
        objects=args.objects,
        stills=args.stills,
        scored=ScoredFrames(args.score_frames) if args.score_frames else None,
        annotating=Annotating(
            args.annotated_frames, args.clicks_per_frame, args.pause_below, Filling(args.filling)
        ),
        out=args.out,
    )
    results = run_protocols(options, lambda line: print(line, file=sys.stderr, flush=True))
    print(to_markdown(results), end="")
    return 0


def _refuse(parser: Parser, args: argparse.Namespace) -> None:
    """Ends with a sentence where arguments do not fit each other."""
    if len(set(args.protocol)) < len(args.protocol):
        parser.error(f"the protocol {args.protocol[0]} is given twice")
    if args.davis and args.plate:
        parser.error("--davis and --plate are both footage: give one of them")
    if args.plate and not (args.truth and args.channel):
        parser.error("--plate needs --truth and at least one --channel")
    if (args.truth or args.channel) and not args.plate:
        parser.error("--truth and --channel need --plate")
    if args.list and not args.davis:
        parser.error("--list names clips of --davis")


def _names(path: str) -> tuple[str, ...]:
    """The names in a file, a line each, or as DAVIS 2016 lists them. Raises PlateError."""
    if not path:
        return ()
    try:
        names = listed_clips(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PlateError(
            f"The list {path} cannot be read.", "Give a text file with a name on each line."
        ) from error
    if not names:
        raise PlateError(f"The list {path} is empty.", "Name a clip on each line.")
    return tuple(names)
