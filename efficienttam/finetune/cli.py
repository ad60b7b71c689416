"""Arguments of ``efficienttam finetune``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from efficienttam.batch.interruption import Interruption
from efficienttam.command_parser import Parser, above_zero, whole
from efficienttam.contract.errors import Cancelled
from efficienttam.finetune.course import TuneRecipe
from efficienttam.finetune.matted_shot import MatteWish
from efficienttam.finetune.parts import DEFAULT_PARTS, PARTS, parts_told
from efficienttam.finetune.takes import HELD_EVERY
from efficienttam.finetune.tuning import TuneOptions, finetune, tell_stderr

_RECIPE = TuneRecipe()


def build_parser() -> Parser:
    """The parser of ``efficienttam finetune``."""
    parser = Parser(
        prog="efficienttam finetune",
        description="Adapt a model to a show from some good mattes; the original is never written to.",
    )
    parser.add_argument(
        "sources", nargs="+", metavar="JOB|FOLDER", help="track jobs, or folders of frames and mattes"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE.safetensors", help="weights to write"
    )
    truth = parser.add_argument_group(
        "mattes", "Patterns are relative to the folder, or to the job's folder."
    )
    truth.add_argument("--plate", default="", help="of a folder: plate.%%04d.exr, .png, ... unless told")
    truth.add_argument("--mattes", default="", help="mattes/{object}.%%04d.exr or .png, or a job's own")
    truth.add_argument("--channel", action="append", default=[], help="of a shared file; repeat per object")
    truth.add_argument(
        "--frames", default="", help="key (a job's prompted frames), all, or like 1001,1010-1020"
    )
    truth.add_argument(
        "--color-space", default="", help="of the plate; by file type, or the job's, unless told"
    )
    truth.add_argument("--absent", action="store_true", help="an empty matte says the object is not there")
    truth.add_argument(
        "--hold-out",
        type=whole(2),
        default=HELD_EVERY,
        metavar="N",
        help="every Nth frame; %(default)s unless told",
    )
    tuned = parser.add_argument_group("tuning")
    tuned.add_argument("--model", default="", help="variant; the job's unless told")
    tuned.add_argument("--weights", default="", help="weights to begin with, a file or folder")
    tuned.add_argument("--parts", default=",".join(DEFAULT_PARTS), help=f"some of {', '.join(PARTS)}")
    tuned.add_argument(
        "--steps", type=whole(1), default=_RECIPE.steps, help="at most; %(default)s unless told"
    )
    tuned.add_argument(
        "--minutes", type=above_zero, default=_RECIPE.minutes, help="at most; %(default)s unless told"
    )
    tuned.add_argument(
        "--patience", type=whole(1), default=_RECIPE.patience, help="scores without gain before it ends"
    )
    tuned.add_argument("--rate", type=above_zero, default=_RECIPE.rate, help="peak learning rate")
    tuned.add_argument("--seed", type=whole(0), default=_RECIPE.seed, help="order of things")
    tuned.add_argument("--keep-anyway", action="store_true", help="write weights that did not help, too")
    tuned.add_argument("--device", default="cpu", help="%(default)s unless told")
    tuned.add_argument("--threads", type=whole(0), default=0, help="CPU threads; 0 lets torch choose")
    # Heeded by the command line, which passes all else on.
    parser.add_argument("--debug", action="store_true", help="show the traceback of a failure")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a fine-tuning; 0 when weights were written."""
    args = build_parser().parse_args(arguments)
    recipe = TuneRecipe(
        parts=parts_told(args.parts),
        steps=args.steps,
        minutes=args.minutes,
        patience=args.patience,
        rate=args.rate,
        seed=args.seed,
    )
    wish = MatteWish(
        args.plate, args.mattes, tuple(args.channel), args.color_space, args.frames, absent=args.absent
    )
    options = TuneOptions(
        sources=tuple(args.sources),
        out=args.out,
        wish=wish,
        recipe=recipe,
        model=args.model,
        weights=args.weights,
        device=args.device,
        threads=args.threads,
        held_every=args.hold_out,
        keep_anyway=args.keep_anyway,
    )
    with Interruption() as interruption:
        try:
            outcome = finetune(options, interruption.requested, tell_stderr)
        except Cancelled as stopped:
            stopped.exit_code = interruption.exit_code
            raise
        print(f"Wrote {args.out}. Track with it: --weights {args.out}")
        return int(interruption.exit_code) if outcome.stopped else 0
