"""The command line: what may be written, and which command does it. Commands are in ``commands``."""

from __future__ import annotations

import argparse
import functools
import importlib
import os
import sys
import traceback
from collections.abc import Callable, Sequence

from . import __version__
from .batch.interruption import handle_as_before, leave_at_once
from .command_parser import Parser
from .commands.farm_arguments import add_farm
from .commands.going_on import say_how, tell_stopped
from .commands.learning import PASSED_ON
from .commands.site_arguments import add_site
from .commands.words import Word
from .contract.cache_settings import FileIdentity, Storage
from .contract.errors import EfficientTAMError, ExitCode
from .contract.job import (
    Compression,
    DataWindow,
    Depth,
    Mattes,
    Model,
    Output,
    PlateMetadata,
    Precision,
    Refine,
)
from .contract.passes import Between, Direction, Recall
from .contract.sequence import MissingFrames

_PROGRESS = ("auto", "bar", "plain", "json", "openjd", "deadline", "tractor", "none")
_TASK_STEPS = ("regions", "embed", "track", "mattes", "verify")
_CODES = ", ".join(f"{int(code)} {code.name.lower()}" for code in ExitCode)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns what the process exits with."""
    # Threads that wait for each other in a loop starve when another program wants the same cores:
    # on a busy machine a job then takes five times as long. Read when torch is first imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    before = leave_at_once(tell_stopped) if arguments is None else {}
    args, rest = build_parser().parse_known_args(arguments)
    if rest and not args.passes_on:
        args.parser.error(f"unrecognized arguments: {' '.join(rest)}")
    args.rest = rest
    if arguments is None:
        if hasattr(args, "threads"):
            leave_at_once(functools.partial(tell_stopped, args=args))
        else:
            handle_as_before(before)
    try:
        return int(args.command(args))
    except EfficientTAMError as error:
        if args.debug:
            traceback.print_exc()
        say_how(error, args)
        print(f"efficienttam: {error}", file=sys.stderr)
        return int(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.FAILED)
    except KeyboardInterrupt:
        print("efficienttam: Interrupted.", file=sys.stderr)
        return int(ExitCode.CANCELLED)
    except Exception as error:
        if args.debug:
            traceback.print_exc()
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        remedy = "Run it with --debug and report what it says."
        print(f"efficienttam: An unexpected failure: {reason[:300]}. {remedy}", file=sys.stderr)
        return int(ExitCode.FAILED)


def build_parser() -> Parser:
    """Every command with its arguments."""
    parser = Parser(
        prog="efficienttam",
        description="A plate and a prompt in, EXR mattes out.",
        epilog=f"Exit codes: {_CODES}.",
    )
    parser.add_argument("--version", action="version", version=f"efficienttam {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_job_commands(commands)
    _add_matte(commands)
    _add_segment(commands)
    _add_ui(commands)
    _add_farm(commands)
    _add_weights_commands(commands)
    _add_cache_commands(commands)
    _add_demo(commands)
    add_site(commands, _add)
    for name, does in PASSED_ON.items():
        _add_passed_on(commands, name, does)
    return parser


def _add(
    commands: argparse._SubParsersAction[Parser],
    name: str,
    does: str,
    module: str,
    function: str,
) -> Parser:
    """A command that calls ``function`` of ``efficienttam.commands.<module>``, imported when it runs."""
    parser = commands.add_parser(name, help=does, description=does[0].upper() + does[1:] + ".")
    parser.set_defaults(
        command=_later(f"efficienttam.commands.{module}", function), parser=parser, passes_on=False
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of a failure")
    return parser


def _later(module: str, function: str) -> Callable[[argparse.Namespace], int]:
    def command(args: argparse.Namespace) -> int:
        return int(getattr(importlib.import_module(module), function)(args))

    return command


def _add_job_commands(commands: argparse._SubParsersAction[Parser]) -> None:
    track = _add(commands, "track", "run a job document: its mattes are written", "jobs", "track")
    track.add_argument("job", metavar="JOB.json")
    track.add_argument("--frames", metavar="A-B", help="make this part of the job's range only")
    _add_running(track)
    _add_machine(track)

    embed = _add(commands, "embed", "fill the embedding cache for a job document", "jobs", "embed")
    embed.add_argument("job", metavar="JOB.json")
    embed.add_argument("--frames", metavar="A-B", help="do this part of the job's range only")
    embed.set_defaults(keeps=True)
    _add_progress(embed)
    _add_machine(embed)

    check = _add(commands, "check", "print every fault of a job document", "jobs", "check")
    check.add_argument("job", metavar="JOB.json")
    check.add_argument("--json", action="store_true", help="print them as JSON")

    preview = _add(commands, "preview", "write one frame of a job with its mattes tinted", "jobs", "preview")
    preview.add_argument("job", metavar="JOB.json")
    preview.add_argument("--frame", type=int, required=True, metavar="N")
    preview.add_argument("--out", required=True, metavar="FILE.png")
    preview.add_argument("--view", default="", metavar="NAME", help="the job's first view unless told")
    _add_machine(preview)
    _add_review(commands)


def _add_review(commands: argparse._SubParsersAction[Parser]) -> None:
    review = _add(commands, "review", "tell which mattes to check, on a page and as JSON", "review", "review")
    review.add_argument("mattes", metavar="JOB.json|MATTES", help="a job, or mattes/{object}.%%04d.exr")
    review.add_argument(
        "--out", default="", metavar="FOLDER", help="hero.review beside hero.job.json or hero.%%04d.exr"
    )
    review.add_argument("--frames", metavar="A-B", help="look at this part only")
    review.add_argument("--plate", default="", metavar="PLATE", help="what to show under MATTES")
    review.add_argument("--color-space", default="", metavar="NAME", help="of --plate")
    review.add_argument("--view", default="", metavar="NAME", help="view of MATTES named with %%V")
    review.add_argument(
        "--both-ways", action="store_true", help="track back to the prompts and compare; takes a job"
    )
    review.add_argument("--json", action="store_true", help="print review.json too")
    review.add_argument("--fail", action="store_true", help="exit with 8 where a matte is to be checked")
    _add_progress(review)
    _add_machine(review)

    movie = _add(commands, "movie", "write the mattes of a job over its plate as a movie", "movie", "movie")
    movie.add_argument("job", metavar="JOB.json")
    movie.add_argument(
        "--out", required=True, metavar="FILE", help=".mov: ProRes with alpha; .mp4: H.264, tinted; fills %%V"
    )
    movie.add_argument("--overlay", action="store_true", help="tint the plate in a .mov too")
    movie.add_argument(
        "--object",
        action="append",
        dest="objects",
        default=[],
        metavar="NAME",
        help="this one, not all",
    )
    movie.add_argument("--frames", metavar="A-B", help="the job's range unless told")
    movie.add_argument("--view", default="", metavar="NAME", help="this one, not one movie per view")
    movie.add_argument("--rate", default="", metavar="N", help="pictures a second; the plate's own, else 24")
    _add_progress(movie)


def _add_matte(commands: argparse._SubParsersAction[Parser]) -> None:
    matte = _add(commands, "matte", "track without a job document", "matte", "matte")
    matte.add_argument("plate", metavar="PLATE", help="plate.%%04d.exr, plate.####.exr, a still or a movie")
    matte.add_argument(
        "--out", required=True, metavar="MATTE", help="hero.%%04d.exr; {object} and %%V are filled"
    )
    matte.add_argument(
        "--frames", dest="range", metavar="A-B", help="frames to make mattes for; all unless told"
    )
    words = matte.add_argument_group(
        "prompts",
        "In plate pixels from the top left. Repeat them; the order they are given in means something.",
    )
    words.add_argument("--object", action=Word, dest="words", metavar="NAME", help="begin another object")
    words.add_argument(
        "--point", action=Word, dest="words", metavar="FRAME:X,Y", help="a point on the object"
    )
    words.add_argument("--exclude", action=Word, dest="words", metavar="FRAME:X,Y", help="a point off it")
    words.add_argument("--box", action=Word, dest="words", metavar="FRAME:L,T,R,B", help="a box around it")
    words.add_argument("--mask", action=Word, dest="words", metavar="FRAME:FILE[:CHANNEL]", help="its roto")
    words.add_argument(
        "--region",
        action=Word,
        dest="words",
        metavar="track|prompts|[FRAME:]L,T,R,B",
        help="track it inside a crop that follows it: sharper where it is small",
    )
    plate = matte.add_argument_group("plate")
    plate.add_argument("--color-space", default="", metavar="NAME", help="picked by file type unless told")
    plate.add_argument("--ocio", default="", metavar="CONFIG", help="$OCIO or the built-in one unless told")
    plate.add_argument(
        "--missing", choices=[m.value for m in MissingFrames], default=MissingFrames.ERROR.value
    )
    plate.add_argument("--plate-layer", default="", metavar="NAME", help="layer that holds the picture")
    plate.add_argument("--views", default="", metavar="A,B", help="views to run, each with its own %%V")
    tracking = matte.add_argument_group("tracking")
    tracking.add_argument("--model", default=Model().name, metavar="NAME", help="%(default)s unless told")
    tracking.add_argument("--direction", choices=[d.value for d in Direction], default=Direction.BOTH.value)
    tracking.add_argument("--between", choices=[b.value for b in Between], default=Between.NEAREST.value)
    tracking.add_argument("--recall", choices=[r.value for r in Recall], default=Recall.NEIGHBOURS.value)
    tracking.add_argument(
        "--region-padding", type=float, metavar="SHARE", help="room around it in --region, by its size"
    )
    tracking.add_argument(
        "--border", type=float, default=0.0, metavar="SHARE", help="margin around the plate while tracking"
    )
    tracking.add_argument("--non-overlapping", action="store_true", help="mattes of objects sum to 1 at most")
    tracking.add_argument("--precision", choices=[p.value for p in Precision], default=Precision.AUTO.value)
    _add_shape(matte.add_argument_group("form of the mattes", "Lengths and areas in pixels of the plate."))
    output = matte.add_argument_group("output")
    _add_form(output)
    output.add_argument("--save-job", default="", metavar="FILE", help="write the job document too")
    output.add_argument("--no-track", action="store_true", help="write the job document only")
    output.add_argument("--dry-run", action="store_true", help="print what would be written; write nothing")
    matte.set_defaults(frames=None)
    _add_running(matte)
    _add_machine(matte)


def _add_segment(commands: argparse._SubParsersAction[Parser]) -> None:
    segment = _add(commands, "segment", "find everything on one frame, to pick from", "segment", "segment")
    segment.add_argument("plate", metavar="PLATE", help="plate.%%04d.exr, plate.####.exr, a still or a movie")
    segment.add_argument("--out", required=True, metavar="FILE.exr", help="a Cryptomatte of what is found")
    segment.add_argument("--picture", default="", metavar="FILE.png", help="the frame, tinted and numbered")
    segment.add_argument("--frame", type=int, metavar="N", help="the plate's first unless told")
    segment.add_argument("--view", default="", metavar="NAME", help="of a plate with views")
    segment.add_argument(
        "--points", type=int, default=32, metavar="N", help="clicks a side, %(default)s unless told"
    )
    segment.add_argument(
        "--crops", type=int, default=0, metavar="N", help="look closer: 4 crops with 1, 4 and 16 with 2"
    )
    segment.add_argument("--redraw", action="store_true", help="let the network see every mask once more")
    segment.add_argument("--least-iou", type=float, metavar="N", help="how sure the network is of a mask")
    segment.add_argument("--least-stability", type=float, metavar="N", help="how clear its edge is")
    segment.add_argument("--least-area", type=int, default=0, metavar="PIXELS", help="drop smaller things")
    segment.add_argument("--color-space", default="", metavar="NAME", help="picked by file type unless told")
    segment.add_argument("--ocio", default="", metavar="CONFIG", help="$OCIO or the built-in one unless told")
    segment.add_argument("--plate-layer", default="", metavar="NAME", help="layer that holds the picture")
    segment.add_argument("--model", default=Model().name, metavar="NAME", help="%(default)s unless told")
    segment.add_argument("--device", default="", metavar="NAME", help="auto, cpu, mps, cuda or cuda:N")
    segment.add_argument("--threads", type=int, metavar="N", help="CPU threads; 0 lets torch choose")
    segment.add_argument("--weights", default="", metavar="FILE", help="weights file or folder of the model")
    segment.add_argument("--json", action="store_true", help="list what is there on stdout")
    _add_progress(segment)


def _add_shape(shape: argparse._ArgumentGroup) -> None:
    """How mattes come from what the network draws."""
    shape.add_argument(
        "--softness", type=float, metavar="WIDTH", help="of the edge, 0 is hard; as drawn unless told"
    )
    shape.add_argument("--refine", choices=[r.value for r in Refine], default=Mattes.refine.value)
    shape.add_argument(
        "--refine-band", type=float, metavar="WIDTH", help="how far from the edge it is refined"
    )
    shape.add_argument("--fill-holes", type=int, default=0, metavar="AREA", help="fill holes up to this area")
    shape.add_argument(
        "--remove-specks", type=int, default=0, metavar="AREA", help="take specks up to this area away"
    )
    shape.add_argument("--keep-largest", action="store_true", help="only the largest part of each object")
    shape.add_argument(
        "--steady", type=int, default=0, metavar="N", help="steady edges over N frames before and after"
    )
    shape.add_argument(
        "--roto-blend", type=int, default=Mattes.roto_blend, metavar="N", help="fade a roto's edge out over N"
    )


def _add_form(output: argparse._ArgumentGroup) -> None:
    """How mattes lie in files."""
    layout = output.add_mutually_exclusive_group()
    layout.add_argument("--layers", action="store_true", help="one EXR per frame with a layer per object")
    layout.add_argument("--cryptomatte", action="store_true", help="one EXR per frame, objects as ids in it")
    output.add_argument(
        "--layer", default=Output.layer, metavar="NAME", help="where a matte goes; %(default)s unless told"
    )
    for option, choices, told in (
        ("--compression", Compression, "how files are packed; by format unless told"),
        ("--depth", Depth, "number format of mattes; by format unless told"),
        ("--data-window", DataWindow, "store the whole display window, or the box of what is not black"),
        ("--plate-metadata", PlateMetadata, "what of the plate's header goes on into a matte's"),
    ):
        field = option.lstrip("-").replace("-", "_")
        values = [member.value for member in choices]
        output.add_argument(option, choices=values, default=getattr(Output, field).value, help=told)


def _add_ui(commands: argparse._SubParsersAction[Parser]) -> None:
    ui = _add(commands, "ui", "click on a plate in a window, and track it", "ui", "ui")
    ui.add_argument("plate", metavar="PLATE", help="plate.%%04d.exr, a still, a movie or a job document")
    ui.add_argument(
        "--job",
        default="",
        metavar="FILE",
        help="job document to go on with or to make; named after the plate",
    )
    ui.add_argument(
        "--out", default="", metavar="MATTE", help="mattes/{object}.%%04d.exr by the job unless told"
    )
    ui.add_argument("--frames", default="", metavar="A-B", help="all frames of the plate unless told")
    ui.add_argument("--color-space", default="", metavar="NAME", help="picked by file type unless told")
    ui.add_argument("--ocio", default="", metavar="CONFIG", help="$OCIO or the built-in one unless told")
    ui.add_argument("--missing", choices=[m.value for m in MissingFrames], default="")
    ui.add_argument("--plate-layer", default="", metavar="NAME", help="layer that holds the picture")
    ui.add_argument("--views", default="", metavar="A,B", help="views to run; the first is shown")
    ui.add_argument("--model", default="", metavar="NAME", help=f"{Model().name} unless told")
    ui.add_argument("--device", default="", metavar="NAME", help="auto, cpu, mps, cuda or cuda:N")
    ui.add_argument("--threads", type=int, metavar="N", help="CPU threads; 0 lets torch choose")
    ui.add_argument("--weights", default="", metavar="FILE", help="weights file or folder of the model")


def _add_running(parser: Parser) -> None:
    parser.add_argument("--resume", action="store_true", help="keep what is there and good, make the rest")
    _add_progress(parser)


def _add_progress(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--progress", choices=_PROGRESS, default="auto", help="a bar, lines, or messages on stdout"
    )


def _add_machine(parser: Parser) -> None:
    parser.add_argument("--device", default="", metavar="NAME", help="auto, cpu, mps, cuda or cuda:N")
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads; 0 lets torch choose")
    parser.add_argument("--weights", default="", metavar="FILE", help="weights file or folder of the model")
    _add_cache_place(parser)
    parser.add_argument(
        "--embeddings",
        choices=[s.value for s in Storage],
        default=Storage.FLOAT16.value,
        help="number format of embeddings; %(default)s unless told",
    )
    parser.add_argument(
        "--cache-identity",
        choices=[i.value for i in FileIdentity],
        default="",
        help="tell plate files apart by path, size and time, or by content",
    )


def _add_cache_place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cache", default="", metavar="DIR", help="folder of the embedding cache, or off")
    parser.add_argument("--cache-size", default="", metavar="SIZE", help="what it may hold, like 20G")


def _add_cache_commands(commands: argparse._SubParsersAction[Parser]) -> None:
    cache = commands.add_parser("cache", help="look at, check and empty the embedding cache")
    kinds = cache.add_subparsers(metavar="WHAT", required=True)
    info = _add(kinds, "info", "tell where the cache is and what it holds", "cache", "info")
    info.add_argument("--json", action="store_true", help="print it as JSON")
    verify = _add(kinds, "verify", "read every embedding and print the bad ones", "cache", "verify")
    verify.add_argument("--remove", action="store_true", help="remove those that are bad")
    clear = _add(kinds, "clear", "remove embeddings", "cache", "clear")
    clear.add_argument("--older-than", default="", metavar="AGE", help="not used for so long, like 30d")
    for parser in (info, verify, clear):
        _add_cache_place(parser)


def _add_farm(commands: argparse._SubParsersAction[Parser]) -> None:
    farm = commands.add_parser("farm", help="job documents as work of a studio's scheduler")
    kinds = farm.add_subparsers(metavar="WHAT", required=True)
    add_farm(kinds, _add)
    _add_farm_task(kinds)


def _add_farm_task(kinds: argparse._SubParsersAction[Parser]) -> None:
    task = _add(kinds, "task", "do one task of a job document, as a scheduler calls it", "farm_task", "task")
    task.add_argument("job", metavar="JOB.json")
    task.add_argument("--step", choices=_TASK_STEPS, required=True)
    task.add_argument("--frames", required=True, metavar="A-B")
    task.add_argument("--view", default="", metavar="NAME", help="all views unless told")
    task.add_argument("--objects", default="", metavar="A,B", help="all objects unless told")
    task.add_argument("--records", action="store_true", help="of track: leave the mattes to other tasks")
    task.add_argument(
        "--path-map", default="", metavar="FILE", help="path mapping rules of an Open Job Description session"
    )
    task.set_defaults(keeps=True)
    _add_progress(task)
    _add_machine(task)


def _add_weights_commands(commands: argparse._SubParsersAction[Parser]) -> None:
    models = _add(commands, "models", "list the variants", "weights", "models")
    models.add_argument("--json", action="store_true", help="print them as JSON")

    weights = commands.add_parser("weights", help="list, fetch, check and take in weights files")
    kinds = weights.add_subparsers(metavar="WHAT", required=True)
    listing = _add(kinds, "list", "list weights files and where they are", "weights", "list_files")
    listing.add_argument("--json", action="store_true", help="print them as JSON")
    download = _add(
        kinds, "download", "fetch weights; goes on where it was interrupted", "weights", "download"
    )
    download.add_argument("names", nargs="+", metavar="NAME")
    download.add_argument("--source", metavar="URL", help="base URL of a mirror, a file: URL or a folder")
    download.add_argument("--offline", action="store_true", help="open no connection")
    verify = _add(kinds, "verify", "check the sums of weights files", "weights", "verify")
    verify.add_argument("names", nargs="*", metavar="NAME", help="all that are here unless told")
    take_in = _add(kinds, "import", "take in weights files that lie elsewhere", "weights", "import_file")
    take_in.add_argument("files", nargs="+", metavar="FILE")
    for parser in (download, verify, take_in):
        parser.add_argument("--folder", metavar="FOLDER", help="another folder than the user's cache")


def _add_demo(commands: argparse._SubParsersAction[Parser]) -> None:
    demo = _add(
        commands, "demo", "make a plate, click on it once, track it and show the result", "demo", "demo"
    )
    demo.add_argument("--out", default="efficienttam_demo", metavar="FOLDER", help="%(default)s unless told")
    demo.add_argument(
        "--count", type=int, default=48, metavar="N", help="frames to make, %(default)s unless told"
    )
    demo.add_argument("--model", default=Model().name, metavar="NAME", help="%(default)s unless told")
    _add_running(demo)
    _add_machine(demo)


def _add_passed_on(commands: argparse._SubParsersAction[Parser], name: str, does: str) -> None:
    """A command whose further arguments are read by the package that does it."""
    parser = commands.add_parser(name, help=does, add_help=False, allow_abbrev=False)
    parser.add_argument("--debug", action="store_true")
    parser.set_defaults(command=_later("efficienttam.commands.learning", name), parser=parser, passes_on=True)
