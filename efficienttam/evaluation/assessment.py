"""One evaluation: which weights, which footage, which prompts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from efficienttam.evaluation.footage import DavisFootage, Footage, RenderedFootage, generated_footage
from efficienttam.evaluation.report import table, to_csv, to_json, to_markdown
from efficienttam.evaluation.scoring import ObjectScore, PromptKind, score
from efficienttam.evaluation.soft_plates import EdgeCase, SoftPlate, SoftRecipe
from efficienttam.weights.load import load_model


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

    Raises WeightsError when the weights are missing, PlateError when the footage is.
    """
    model = None
    if any(kind is not PromptKind.FLOW for kind in options.prompts):
        model = load_model(options.model, device=options.device or None, weights=options.weights or None)
    scores: list[ObjectScore] = []
    for footage in footage_of(options):
        for kind in options.prompts:
            fresh = score(model, footage, kind)
            scores += fresh
            for one in fresh:
                tell(f"{one.footage} {one.object}, {kind.value}: J {one.j:.3f}, F {one.f:.3f}")
    tell("")
    tell(table(scores))
    if options.report:
        Path(options.report).parent.mkdir(parents=True, exist_ok=True)
        form = {".md": to_markdown, ".csv": to_csv}.get(Path(options.report).suffix.lower(), to_json)
        Path(options.report).write_text(form(scores).rstrip("\n") + "\n", encoding="utf-8")
    return scores
