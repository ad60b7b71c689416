"""Arguments of ``efficienttam ablate``."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from efficienttam.command_parser import Parser, whole
from efficienttam.contract.errors import JobError, OutputError
from efficienttam.contract.whole_file import write_whole
from efficienttam.experiments.ablation_table import all_kept, keep, kept, table_rows, to_csv, to_markdown
from efficienttam.experiments.ablations import ABLATIONS, find_ablations
from efficienttam.experiments.trial import TrialRecipe, run_trial
from efficienttam.model.build import find_config
from efficienttam.training.pool import Pool, start_filling
from efficienttam.weights.load import load_model

_RECIPE = TrialRecipe()
_MODEL = "efficienttam_demo"


def build_parser() -> Parser:
    """The parser of ``efficienttam ablate``."""
    names = ", ".join(ablation.name for ablation in ABLATIONS)
    parser = Parser(
        prog="efficienttam ablate",
        description="Train memory attention in the forms the paper compares, and score them. "
        f"The forms: {names}.",
    )
    parser.add_argument(
        "--only", default="", metavar="NAMES", help="some of them, with commas; all unless told"
    )
    parser.add_argument("--seeds", type=whole(1), default=3, help="trials of each; %(default)s unless told")
    parser.add_argument(
        "--steps", type=whole(1), default=_RECIPE.steps, help="of a trial; %(default)s unless told"
    )
    parser.add_argument("--clips", type=whole(1), default=_RECIPE.pool.clips, help="drawn to learn from")
    parser.add_argument(
        "--test-clips", type=whole(1), default=_RECIPE.test_clips, help="unseen ones to score on"
    )
    parser.add_argument("--test-frames", type=whole(2), default=_RECIPE.test_frames, help="frames of each")
    parser.add_argument("--weights", default="", help="the network that each trial begins with; the demo's")
    parser.add_argument("--threads", type=whole(0), default=0, help="CPU threads; 0 lets torch choose")
    parser.add_argument(
        "--work",
        type=Path,
        default=Path("out/ablations"),
        help="clips, checkpoints and results; the same folder goes on with what is missing",
    )
    # Heeded by the command line, which passes all else on.
    parser.add_argument("--debug", action="store_true", help="show the traceback of a failure")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the trials that are missing, and prints the table of all; 0 when it is whole."""
    args = build_parser().parse_args(arguments)
    chosen = find_ablations(args.only)
    if args.threads:
        torch.set_num_threads(args.threads)
    recipe = dataclasses.replace(
        _RECIPE,
        steps=args.steps,
        pool=dataclasses.replace(_RECIPE.pool, clips=args.clips),
        test_clips=args.test_clips,
        test_frames=args.test_frames,
    )
    model = load_model(_MODEL, device="cpu", weights=args.weights or None)
    weights = {name: value.detach().float() for name, value in model.state_dict().items()}
    _prepare(args.work, recipe, model.weights_hash)
    for seed in range(1, args.seeds + 1):
        for ablation in chosen:
            result = kept(args.work, ablation.name, seed)
            if result is None:
                config = ablation.changed(find_config(_MODEL))
                result = run_trial(ablation.name, config, seed, recipe, weights, args.work)
                keep(result, args.work)
            told = f"{ablation.name}, seed {seed}: J {result.j:.3f}, F {result.f:.3f}, {result.seconds:.0f} s"
            print(told, file=sys.stderr, flush=True)
            _write_tables(args.work)
    print(to_markdown(table_rows(all_kept(args.work))), end="")
    return 0


def _write_tables(work: Path) -> None:
    """The tables of all that the folder holds, so that a run of some ablations loses no row."""
    results = all_kept(work)
    write_whole(str(work / "ablations.md"), to_markdown(table_rows(results)).encode("utf-8"), "table")
    write_whole(str(work / "ablations.csv"), to_csv(results).encode("utf-8"), "table")


def _prepare(work: Path, recipe: TrialRecipe, weights_hash: str) -> None:
    """The folder, for this recipe alone, with all clips drawn. Raises JobError for one of another recipe,
    OutputError for what cannot be a folder."""
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{work} cannot be a folder: {error.strerror}.", "Name another with --work."
        ) from error
    told = f"{recipe!r} {weights_hash}\n"
    stamp = work / "recipe.txt"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") != told:
        raise JobError(
            f"{work} holds trials of another recipe or other weights.", "Give another --work, or its options."
        )
    stamp.write_text(told, encoding="utf-8")
    drawing = start_filling(work / "clips", recipe.pool, 2)
    try:
        for process in drawing:
            process.join()
    finally:
        for process in drawing:
            process.terminate()
    drawn = len(Pool(work / "clips", recipe.pool).available())
    if drawn < recipe.pool.clips:
        raise JobError(
            f"Only {drawn} of {recipe.pool.clips} clips could be drawn into {work}.",
            "Look at the messages above; make room on the disk, and run it again.",
        )
