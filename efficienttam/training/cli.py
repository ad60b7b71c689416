"""Arguments of ``efficienttam train``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from efficienttam.command_parser import Parser, above_zero, whole, zero_or_more
from efficienttam.contract.errors import JobError
from efficienttam.contract.job import Precision
from efficienttam.training.course import TrainOptions, train
from efficienttam.training.paper_course import PaperOptions, train_as_paper
from efficienttam.training.paper_recipe import BATCH, SEQUENCES, STILLS

_STAGES = {"both": (STILLS, SEQUENCES), "stills": (STILLS,), "sequences": (SEQUENCES,)}
#: What one recipe alone heeds, by the name in the namespace, with the value when nothing is said.
_DEMO_ONLY = {"pools": 1.0}
_PAPER_ONLY = {
    "model": "efficienttam_demo",
    "data": None,
    "batch": BATCH,
    "stage": "both",
    "device": None,
    "precision": "auto",
    "checkpointing": False,
    "picture_minutes": 10.0,
    "save_every": 100,
    "log_every": 10,
}


def build_parser() -> Parser:
    """The parser of ``efficienttam train``."""
    parser = Parser(
        prog="efficienttam train",
        description="Train efficienttam_demo on clips drawn on the spot (the demo recipe), or any variant on "
        "any data as the paper does (--recipe paper). Under torchrun, several machines train together.",
    )
    parser.add_argument("--recipe", choices=("demo", "paper"), default="demo")
    parser.add_argument("--out", type=Path, help="the weights file, out/<model>.safetensors unless given")
    parser.add_argument(
        "--work",
        type=Path,
        default=Path("out/training"),
        help="pools (15 GB, demo) and checkpoints; the same folder continues a stopped run",
    )
    parser.add_argument("--hours", type=above_zero, help="for all stages together; demo 1.75, paper no limit")
    parser.add_argument("--processes", type=whole(1), help="processes on this CPU: demo 2, paper 1")
    parser.add_argument("--drawers", type=whole(1), default=2, help="processes that draw clips or samples")
    parser.add_argument("--weights", type=Path, help="train these on instead of starting from nothing")
    parser.add_argument("--rate", type=above_zero, default=1.0, help="times the recipe's learning rates")
    parser.add_argument("--seed", type=int, default=1, help="order of things, and which clips are drawn")
    parser.add_argument("--still-steps", type=whole(0), default=0, help="end stage one after so many steps")
    parser.add_argument(
        "--sequence-steps", type=whole(0), default=0, help="end stage two after so many steps"
    )
    # Heeded by the command line, which passes all else on.
    parser.add_argument("--debug", action="store_true", help="show the traceback of a failure")
    demo = parser.add_argument_group("the demo recipe")
    demo.add_argument("--pools", type=above_zero, help="times the recipe's clips to draw")
    _add_paper(parser.add_argument_group("the paper's recipe"))
    parser.set_defaults(**_DEMO_ONLY, **_PAPER_ONLY)
    return parser


def _add_paper(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--model", help="the variant, efficienttam_demo unless given")
    group.add_argument(
        "--data",
        action="append",
        metavar="KIND:PATH[@WEIGHT]",
        help="generated[:CLIPS], davis, youtube-vos, mose, sav, sa1b or studio; may be given again",
    )
    group.add_argument("--stage", choices=tuple(_STAGES), help="one of the stages alone")
    group.add_argument(
        "--batch", type=whole(1), help=f"samples of a step, of all processes together ({BATCH})"
    )
    group.add_argument("--device", help="auto, cpu, cuda or cuda:N")
    group.add_argument("--precision", choices=("auto", "float32", "bfloat16"), help="bfloat16 is autocast")
    group.add_argument("--checkpointing", action="store_true", help="save memory, take a third more time")
    group.add_argument(
        "--picture-minutes", type=zero_or_more, help="between sheets of samples; 0: at ends only"
    )
    group.add_argument("--save-every", type=whole(1), help="steps from one checkpoint to the next")
    group.add_argument("--log-every", type=whole(1), help="steps from one line of the log to the next")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the training; 0 when the weights were written."""
    args = build_parser().parse_args(arguments)
    other = "paper" if args.recipe == "demo" else "demo"
    for name, value in (_PAPER_ONLY if args.recipe == "demo" else _DEMO_ONLY).items():
        if getattr(args, name) != value:
            word = "--" + name.replace("_", "-")
            remedy = f"Leave it out, or say --recipe {other}."
            raise JobError(f"{word} is not of the {args.recipe} recipe.", remedy)
    written = train(_demo_options(args)) if args.recipe == "demo" else train_as_paper(_paper_options(args))
    named = "" if args.model == _PAPER_ONLY["model"] else f" --model {args.model}"
    print(f"Wrote {written}. Score it with: efficienttam eval{named} --weights {written}")
    return 0


def _demo_options(args: argparse.Namespace) -> TrainOptions:
    return TrainOptions(
        out=args.out or Path("out/efficienttam_demo.safetensors"),
        work=args.work,
        weights=args.weights,
        rate=args.rate,
        hours=1.75 if args.hours is None else args.hours,
        processes=2 if args.processes is None else args.processes,
        drawers=args.drawers,
        pools=args.pools,
        seed=args.seed,
        still_steps=args.still_steps,
        sequence_steps=args.sequence_steps,
    )


def _paper_options(args: argparse.Namespace) -> PaperOptions:
    return PaperOptions(
        out=args.out or Path(f"out/{args.model}.safetensors"),
        work=args.work,
        model=args.model,
        data=tuple(args.data or ("generated",)),
        stages=_STAGES[args.stage],
        weights=args.weights,
        rate=args.rate,
        hours=args.hours or 0.0,
        still_steps=args.still_steps,
        sequence_steps=args.sequence_steps,
        batch=args.batch,
        processes=args.processes or 1,
        drawers=args.drawers,
        seed=args.seed,
        device=args.device,
        precision=Precision(args.precision),
        checkpointing=args.checkpointing,
        picture_minutes=args.picture_minutes,
        save_every=args.save_every,
        log_every=args.log_every,
    )
