"""Arguments of ``efficienttam train``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from efficienttam.command_parser import Parser
from efficienttam.training.course import TrainOptions, train


def build_parser() -> Parser:
    """The parser of ``efficienttam train``."""
    parser = Parser(
        prog="efficienttam train",
        description="Train efficienttam_demo on clips drawn on the spot, from nothing or further.",
    )
    parser.add_argument("--out", type=Path, default=Path("out/efficienttam_demo.safetensors"))
    parser.add_argument(
        "--work",
        type=Path,
        default=Path("out/training"),
        help="pools (15 GB) and checkpoints; the same folder continues a stopped run",
    )
    parser.add_argument("--hours", type=float, default=1.75, help="for both stages together")
    parser.add_argument("--processes", type=int, default=2, help="training processes, one thread each")
    parser.add_argument("--drawers", type=int, default=2, help="processes that draw clips")
    parser.add_argument("--pools", type=float, default=1.0, help="times the recipe's clips to draw")
    parser.add_argument("--weights", type=Path, help="train these on instead of starting from nothing")
    parser.add_argument("--rate", type=float, default=1.0, help="times the recipe's learning rates")
    parser.add_argument("--seed", type=int, default=1, help="order of things, and which clips are drawn")
    parser.add_argument("--still-steps", type=int, default=0, help="end stage one after so many steps")
    parser.add_argument("--sequence-steps", type=int, default=0, help="end stage two after so many steps")
    # Heeded by the command line, which passes all else on.
    parser.add_argument("--debug", action="store_true", help="show the traceback of a failure")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the training; 0 when the weights were written."""
    args = build_parser().parse_args(arguments)
    options = TrainOptions(
        out=args.out,
        work=args.work,
        weights=args.weights,
        rate=args.rate,
        hours=args.hours,
        processes=args.processes,
        drawers=args.drawers,
        pools=args.pools,
        seed=args.seed,
        still_steps=args.still_steps,
        sequence_steps=args.sequence_steps,
    )
    print(f"Wrote {train(options)}. Score it with: efficienttam eval --weights {args.out}")
    return 0
