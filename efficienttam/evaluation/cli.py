"""Arguments of ``efficienttam eval``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from efficienttam.command_parser import Parser, whole
from efficienttam.evaluation import protocol_cli, steps_cli
from efficienttam.evaluation.assessment import EvaluateOptions, evaluate
from efficienttam.evaluation.protocol_cli import PROTOCOLS
from efficienttam.evaluation.scoring import PromptKind
from efficienttam.evaluation.soft_plates import EdgeCase


def build_parser() -> Parser:
    """The parser of ``efficienttam eval``."""
    parser = Parser(
        prog="efficienttam eval",
        description="Score weights against known truth, beside a mask carried along by optical flow.",
        epilog=f"With a protocol as its first word ({', '.join(PROTOCOLS)}) it takes other arguments: "
        f"efficienttam eval semi --help. So it does with {steps_cli.WORD}: what each step of shaping gains.",
    )
    parser.add_argument("--model", default="efficienttam_demo")
    parser.add_argument("--weights", default="", help="a weights file or folder")
    parser.add_argument("--device", default="", help="cpu, cuda, mps (default: a GPU where there is one)")
    parser.add_argument("--clips", type=whole(1), default=20, help="number of generated clips")
    parser.add_argument("--frames", type=whole(2), default=24, help="frames of a generated clip or plate")
    parser.add_argument(
        "--size", type=protocol_cli.size, default=(640, 360), help="WIDTHxHEIGHT of what is generated"
    )
    parser.add_argument("--davis", default="", help="a folder with JPEGImages and Annotations")
    parser.add_argument("--plate", default="", help="a plate pattern, with --truth and --channel")
    parser.add_argument("--truth", default="", help="the pattern of the true mattes")
    parser.add_argument("--channel", action="append", default=[], help="a matte channel; repeat per object")
    parser.add_argument("--color-space", default="", help="colour space of --plate")
    parser.add_argument(
        "--edges",
        action="append",
        choices=[case.value for case in EdgeCase],
        help="a generated plate with exact soft truth and this kind of edge; repeat for several",
    )
    parser.add_argument(
        "--prompt",
        action="append",
        choices=[kind.value for kind in PromptKind],
        help="repeat for several (default: all)",
    )
    parser.add_argument("--report", default="", help="a file to write: .json, .md or .csv")
    # Heeded by the command line, which passes all else on.
    parser.add_argument("--debug", action="store_true", help="show the traceback of a failure")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run an evaluation; 0 when it was scored. A protocol, or ``steps``, as the first word runs that."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and arguments[0] in PROTOCOLS:
        return protocol_cli.main(arguments)
    if arguments and arguments[0] == steps_cli.WORD:
        return steps_cli.main(arguments)
    parser = build_parser()
    args = parser.parse_args(arguments)
    if args.plate and not (args.truth and args.channel):
        parser.error("--plate needs --truth and at least one --channel")
    kinds = tuple(PromptKind(name) for name in args.prompt) if args.prompt else tuple(PromptKind)
    evaluate(
        EvaluateOptions(
            model=args.model,
            weights=args.weights,
            device=args.device,
            clips=args.clips,
            frames=args.frames,
            size=args.size,
            davis=args.davis,
            plate=args.plate,
            truth=args.truth,
            channels=tuple(args.channel),
            color_space=args.color_space,
            edges=tuple(EdgeCase(name) for name in args.edges or ()),
            prompts=kinds,
            report=args.report,
        )
    )
    return 0
