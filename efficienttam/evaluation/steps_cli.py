"""Arguments of ``efficienttam eval steps``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from efficienttam.command_parser import Parser, whole
from efficienttam.evaluation.footage import RenderedFootage
from efficienttam.evaluation.protocol_cli import size
from efficienttam.evaluation.report_file import refuse_report, write_report
from efficienttam.evaluation.shaping_steps import CELLS, StepErrors, in_memory, step_errors
from efficienttam.evaluation.soft_plates import EdgeCase, SoftRecipe
from efficienttam.evaluation.steps_report import to_csv, to_json, to_markdown
from efficienttam.model.efficienttam import EfficientTAM
from efficienttam.weights.load import load_model

WORD = "steps"
#: 1K, 2K and 4K.
SIZES = ((1024, 540), (2048, 1080), (4096, 2160))
#: Frames of a generated plate: one to prompt, one to measure, one beside it.
FRAMES = 3
#: Of a rendered plate every so manyth frame is measured.
STRIDE = 6


@dataclass(frozen=True)
class StepOptions:
    """What to measure: generated plates of these sizes and cases, ``seeds`` of each; or where ``plate`` is a
    pattern that plate, with its true mattes in ``truth``, a channel for each object."""

    model: str = "efficienttam_demo"
    weights: str = ""
    device: str = ""
    sizes: Sequence[tuple[int, int]] = SIZES
    seeds: int = 1
    cells: int = CELLS
    edges: Sequence[EdgeCase] = tuple(EdgeCase)
    plate: str = ""
    truth: str = ""
    channels: Sequence[str] = ()
    color_space: str = ""


def build_parser() -> Parser:
    """The parser of ``efficienttam eval steps``."""
    parser = Parser(
        prog=f"efficienttam eval {WORD}",
        description="What each step of shaping does to the errors of mattes, from ideal and from tracked "
        "logits; see docs/mattes.md.",
    )
    parser.add_argument(WORD, choices=[WORD], help="this word")
    parser.add_argument("--model", default="efficienttam_demo")
    parser.add_argument("--weights", default="", help="a weights file or folder")
    parser.add_argument("--device", default="", help="cpu, cuda, mps (default: a GPU where there is one)")
    parser.add_argument(
        "--size",
        type=size,
        action="append",
        help="WIDTHxHEIGHT of generated plates; repeat for several (default: 1K, 2K and 4K)",
    )
    parser.add_argument("--seeds", type=whole(1), default=1, help="generated plates of each kind and size")
    parser.add_argument(
        "--edges",
        action="append",
        choices=[case.value for case in EdgeCase],
        help="kind of edge; repeat for several (default: all)",
    )
    parser.add_argument(
        "--cells", type=whole(8), default=CELLS, help="side of the masks that ideal logits are reduced to"
    )
    parser.add_argument("--plate", default="", help="a plate pattern, with --truth and --channel")
    parser.add_argument("--truth", default="", help="the pattern of the true mattes")
    parser.add_argument("--channel", action="append", default=[], help="a matte channel; repeat per object")
    parser.add_argument("--color-space", default="", help="colour space of --plate")
    parser.add_argument("--report", default="", help="a file to write: .json, .md or .csv")
    # Heeded by the command line, which passes all else on.
    parser.add_argument("--debug", action="store_true", help="show the traceback of a failure")
    return parser


def main(arguments: Sequence[str]) -> int:
    """Measure every step; 0 when it was done. The tables on stdout, progress on stderr."""
    parser = build_parser()
    args = parser.parse_args(arguments)
    if bool(args.plate) != bool(args.truth and args.channel) or (not args.plate and args.color_space):
        parser.error("--plate, --truth and at least one --channel belong together")
    if args.plate and (args.size or args.edges or args.seeds > 1):
        parser.error("--size, --edges and --seeds are for generated plates, --plate is one")
    options = StepOptions(
        model=args.model,
        weights=args.weights,
        device=args.device,
        sizes=args.size or SIZES,
        seeds=args.seeds,
        cells=args.cells,
        edges=tuple(EdgeCase(name) for name in args.edges) if args.edges else tuple(EdgeCase),
        plate=args.plate,
        truth=args.truth,
        channels=tuple(args.channel),
        color_space=args.color_space,
    )
    refuse_report(args.report)
    found = measure_steps(options, lambda line: print(line, file=sys.stderr, flush=True))
    print(to_markdown(found), end="")
    write_report(args.report, {".md": to_markdown, ".csv": to_csv, ".json": to_json}, found)
    return 0


def measure_steps(options: StepOptions, tell: Callable[[str], None]) -> list[StepErrors]:
    """Errors of every step on every plate; tells each plate that is begun.

    Raises WeightsError when the weights are missing, PlateError when the footage is.
    """
    model = load_model(options.model, device=options.device or None, weights=options.weights or None)
    if options.plate:
        footage = RenderedFootage(options.plate, options.truth, options.channels, options.color_space)
        tell(footage.name)
        return list(step_errors(model, footage, footage.annotated[1::STRIDE], options.cells))
    return [one for shape in options.sizes for one in _generated(model, options, shape, tell)]


def _generated(
    model: EfficientTAM, options: StepOptions, shape: tuple[int, int], tell: Callable[[str], None]
) -> Iterator[StepErrors]:
    for case in options.edges:
        for seed in range(options.seeds):
            tell(f"{case.value} {shape[0]}x{shape[1]}, seed {seed}")
            footage = in_memory(SoftRecipe(case, shape, FRAMES, seed))
            yield from step_errors(model, footage, footage.annotated[1:2], options.cells)
