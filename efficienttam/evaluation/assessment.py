"""One evaluation: which weights, which footage, which prompts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from efficienttam.contract.errors import PlateError
from efficienttam.contract.sequence import tell_frames
from efficienttam.evaluation.footage import DavisFootage, Footage, RenderedFootage, generated_footage
from efficienttam.evaluation.report import table, to_csv, to_json, to_markdown
from efficienttam.evaluation.report_file import refuse_report, write_report
from efficienttam.evaluation.scoring import ObjectScore, PromptKind, score
from efficienttam.evaluation.soft_plates import EdgeCase, SoftPlate, SoftRecipe
from efficienttam.evaluation.true_masks import true_mattes
from efficienttam.weights.load import load_model

#: The commands that take objects which come later, and frames without truth.
PROTOCOLS = "eval semi, clicks, offline, online"


@dataclass(frozen=True)
class EvaluateOptions:
    """What to score. Without ``davis``, ``plate`` and ``edges`` it is ``clips`` generated ones.

    ``davis`` is the folder of one DAVIS-style clip. ``plate`` and ``truth`` are sequence patterns and
    ``channels`` the matte channels in ``truth``, one per object. ``edges`` are cases of plates with exact
    soft truth, one plate each. ``size`` (width, height) and ``frames`` are those of generated clips and
    plates. ``report`` is a file to write, or empty: JSON, Markdown or CSV by its name.
    """

    model: str = "efficienttam_demo"
    weights: str = ""
    device: str = ""
    clips: int = 20
    frames: int = 24
    size: tuple[int, int] = (640, 360)
    davis: str = ""
    plate: str = ""
    truth: str = ""
    channels: tuple[str, ...] = ()
    color_space: str = ""
    edges: tuple[EdgeCase, ...] = ()
    prompts: tuple[PromptKind, ...] = tuple(PromptKind)
    report: str = ""


def footage_of(options: EvaluateOptions) -> Sequence[Footage]:
    """The footage the options name. Raises PlateError where it is not there."""
    if options.davis:
        return [DavisFootage(Path(options.davis))]
    if options.plate:
        return [RenderedFootage(options.plate, options.truth, options.channels, options.color_space)]
    if options.edges:
        return [SoftPlate(SoftRecipe(case, options.size, options.frames)) for case in options.edges]
    return generated_footage(options.clips, options.frames, options.size)


def evaluate(options: EvaluateOptions, tell: Callable[[str], None] = print) -> list[ObjectScore]:
    """Track and score; prints one line per clip and prompt, then the table; writes the report.

    Raises before any work PlateError where the footage is missing or cannot be scored, JobError or
    OutputError where no such report can be written, WeightsError when the weights are missing.
    """
    refuse_report(options.report)
    chosen = footage_of(options)
    for footage in chosen:
        _refuse_unfit(footage)
    model = None
    if any(kind is not PromptKind.FLOW for kind in options.prompts):
        model = load_model(options.model, device=options.device or None, weights=options.weights or None)
    scores: list[ObjectScore] = []
    for footage in chosen:
        for kind in options.prompts:
            fresh = score(model, footage, kind)
            scores += fresh
            for one in fresh:
                tell(f"{one.footage} {one.object}, {kind.value}: J {one.j:.3f}, F {one.f:.3f}")
    tell("")
    tell(table(scores))
    write_report(options.report, {".md": to_markdown, ".csv": to_csv, ".json": to_json}, scores)
    return scores


def _refuse_unfit(footage: Footage) -> None:
    """Raises PlateError where there is no frame to score, a frame without truth, or an object that the first
    frame does not show."""
    frames = list(footage.plate.frames)
    if len(frames) < 2:
        raise PlateError(
            f"{footage.name} has {len(frames)} frame; the first is prompted, and those after it are scored.",
            "Give two frames or more.",
        )
    annotated = set(footage.annotated)
    without = [frame for frame in frames if frame not in annotated]
    if without:
        raise PlateError(
            f"{footage.name}: {tell_frames(without, 'has no true matte', 'have no true mattes')}.",
            f"Give truth for every frame; with a protocol ({PROTOCOLS}) some will do.",
        )
    mattes = true_mattes(footage, frames[0])
    absent = [name for name, matte in zip(footage.objects, mattes, strict=True) if not (matte >= 0.5).any()]
    if absent or not len(mattes):
        raise PlateError(
            f"{footage.name}: frame {frames[0]}, the first one, does not show "
            f"{', '.join(absent) or 'any object'}.",
            f"Begin where all objects are there, or use a protocol ({PROTOCOLS}): it prompts each where it "
            "appears.",
        )
