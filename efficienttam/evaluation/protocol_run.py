"""One run of evaluation protocols: which model, which footage, what is written."""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from efficienttam import __version__
from efficienttam.contract.errors import JobError, PlateError
from efficienttam.contract.whole_file import refuse_unwritable, write_whole
from efficienttam.evaluation.footage import Footage, RenderedFootage, generated_footage
from efficienttam.evaluation.marks import Marks, ScoredFrames
from efficienttam.evaluation.marks_report import Results, mean_and_error, to_csv, to_json, to_markdown
from efficienttam.evaluation.plots import draw_results
from efficienttam.evaluation.protocols import (
    Annotating,
    Trial,
    from_clicks,
    offline,
    online,
    semi_supervised,
)
from efficienttam.evaluation.still_clicks import STILL_CLICKS, StillMarks, on_stills
from efficienttam.evaluation.true_masks import TrueMasks
from efficienttam.evaluation.vos_clips import clips_in
from efficienttam.model.efficienttam import EfficientTAM
from efficienttam.tracking.embedding_cache import EmbeddingCache
from efficienttam.weights.load import load_model

#: Seconds between two lines of progress within a clip.
_SILENCE = 5.0


class EvaluationProtocol(enum.Enum):
    """What is evaluated; the word of the command line."""

    #: The true matte where an object first appears.
    SEMI = "semi"
    #: 1, 3, 5 clicks, a box, a mask on the first frame.
    CLICKS = "clicks"
    #: Clicks on the worst frame, pass after pass.
    OFFLINE = "offline"
    #: Clicks where a single pass goes wrong.
    ONLINE = "online"
    #: 1 to 5 clicks on stills.
    IMAGES = "images"

    @property
    def rule(self) -> ScoredFrames:
        """Which frames count unless told otherwise: as DAVIS where there is one prompt, else all of them."""
        one_prompt = self in (EvaluationProtocol.SEMI, EvaluationProtocol.CLICKS)
        return ScoredFrames.DAVIS if one_prompt else ScoredFrames.ALL


@dataclass(frozen=True)
class ProtocolOptions:
    """What to run on which footage. Without ``davis`` and ``plate`` it is ``clips`` generated ones.

    ``davis`` is a clip or a data set in the layout of DAVIS, YouTube-VOS or MOSE, ``names`` the clips of it
    to take; ``plate`` and ``truth`` are sequence patterns, ``channels`` the matte channels, one per object.
    ``clips`` is how many clips to take (None: all there are, or 20 generated ones); ``frames``, ``size``
    (width, height) and ``objects`` at most are those of generated ones; ``stills`` frames of each clip are
    looked at one by one. ``scored`` None is each protocol's own rule. ``out`` is a folder for tables and
    picture, or empty.
    """

    protocols: tuple[EvaluationProtocol, ...]
    model: str = "efficienttam_demo"
    weights: str = ""
    device: str = ""
    threads: int = 0
    davis: str = ""
    names: tuple[str, ...] = ()
    plate: str = ""
    truth: str = ""
    channels: tuple[str, ...] = ()
    color_space: str = ""
    clips: int | None = None
    frames: int = 24
    size: tuple[int, int] = (640, 360)
    objects: int = 1
    stills: int = 1
    scored: ScoredFrames | None = None
    annotating: Annotating = field(default_factory=Annotating)
    out: str = ""


def run_protocols(options: ProtocolOptions, tell: Callable[[str], None]) -> Results:
    """Runs every protocol on every clip; ``tell`` hears how far it is. Tables are written also where it is
    stopped.

    Raises PlateError, JobError or OutputError before a model is loaded where footage or folder do not serve,
    WeightsError where the weights are missing.
    """
    folder = writable_folder(options.out)
    footage = footage_for(options)
    sizes = sorted({"{}x{}".format(*one.plate.size) for one in footage})
    for one in footage:
        _check(one, options)
    model = load_model(
        options.model,
        device=options.device or None,
        weights=options.weights or None,
        threads=options.threads or None,
    )
    marks: list[Marks] = []
    stills: list[StillMarks] = []
    results = Results(_facts(options, model, footage, sizes), marks, stills)
    try:
        embeddings = EmbeddingCache()
        for number, one in enumerate(footage, start=1):
            voice = _Voice(tell, f"[{number}/{len(footage)}] {one.name}")
            _run_clip(model, one, options, embeddings, voice, marks, stills)
        if not results.counted and not stills:
            raise PlateError("Nothing of this footage can be scored.", "Give clips that show their objects.")
    finally:
        if folder is not None and (marks or stills):
            _write(results, folder, tell)
    return results


def footage_for(options: ProtocolOptions) -> Sequence[Footage]:
    """The footage that the options name. Raises PlateError where it is not there."""
    if options.davis:
        return clips_in(Path(options.davis), options.names)[: options.clips]
    if options.plate:
        return [RenderedFootage(options.plate, options.truth, options.channels, options.color_space)]
    return generated_footage(options.clips or 20, options.frames, options.size, options.objects)


def writable_folder(out: str) -> Path | None:
    """The folder for tables, made. Raises OutputError where nothing can be written there."""
    if not out:
        return None
    refuse_unwritable(out)
    return Path(out)


def _check(footage: Footage, options: ProtocolOptions) -> None:
    """Raises PlateError where footage has no truth that can be read, JobError where no frame of it counts."""
    frames = list(footage.annotated)
    if not frames:
        raise PlateError(
            f"No frame of {footage.name} has a true matte.", "See that frame numbers are the same."
        )
    if options.plate:  # Of a data set the first truth would cost a look at every label image.
        TrueMasks(footage).masks(frames[0])
    for protocol in options.protocols:
        rule = options.scored or protocol.rule
        if protocol is not EvaluationProtocol.IMAGES and not rule.choose(frames, frames[0]):
            raise JobError(
                f"{footage.name} has {len(frames)} annotated frames; by the rule {rule.value} none counts.",
                "Give more frames, or another --score-frames.",
            )


def _run_clip(
    model: EfficientTAM,
    footage: Footage,
    options: ProtocolOptions,
    embeddings: EmbeddingCache,
    voice: _Voice,
    marks: list[Marks],
    stills: list[StillMarks],
) -> None:
    """Every protocol on one clip, added to the lists."""
    for protocol in options.protocols:
        if protocol is EvaluationProtocol.IMAGES:
            seen = on_stills(model, footage, options.stills)
            stills += seen
            first, last = (mean_and_error(one.iou[at] for one in seen)[0] for at in (0, -1))
            voice.say(f"images: IoU {first:.3f} after one click, {last:.3f} after {STILL_CLICKS}")
            continue
        rule = options.scored or protocol.rule
        trial = Trial(model, footage, rule, embeddings, voice.murmur)
        for index in sorted(set(range(len(footage.objects))) - set(trial.first)):
            voice.say(f"{footage.objects[index]} is never shown and left out")
        if not trial.first:
            continue
        fresh = {
            EvaluationProtocol.SEMI: semi_supervised,
            EvaluationProtocol.CLICKS: from_clicks,
            EvaluationProtocol.OFFLINE: lambda trial: offline(trial, options.annotating),
            EvaluationProtocol.ONLINE: lambda trial: online(trial, options.annotating),
        }[protocol](trial)
        marks += fresh
        reached = [one.j_and_f for one in fresh if one.setting == fresh[-1].setting and one.counted]
        told = f"J&F {mean_and_error(reached)[0]:.3f}" if reached else "no frame counts"
        voice.say(f"{protocol.value}, {fresh[-1].setting}: {told}")


def _facts(
    options: ProtocolOptions, model: EfficientTAM, footage: Sequence[Footage], sizes: Sequence[str]
) -> dict[str, str]:
    """What the tables are about."""
    lengths = sorted(len(one.plate.frames) for one in footage)
    rules = {
        protocol.value: (options.scored or protocol.rule).value
        for protocol in options.protocols
        if protocol is not EvaluationProtocol.IMAGES
    }
    facts = {
        "model": f"{options.model}, weights {str(model.weights_hash)[:12]}, efficienttam {__version__}",
        "device": f"{model.device}, {torch.get_num_threads()} threads, torch {torch.__version__}",
        "footage": f"{options.davis or options.plate or 'generated'}: {len(footage)} clips of "
        f"{' to '.join(map(str, dict.fromkeys((lengths[0], lengths[-1]))))} frames, {', '.join(sizes[:3])}",
    }
    if rules:
        facts["frames that count"] = ", ".join(f"{name} {rule}" for name, rule in rules.items())
    if {EvaluationProtocol.OFFLINE, EvaluationProtocol.ONLINE} & set(options.protocols):
        said = options.annotating
        facts["artist"] = (
            f"{said.clicks} clicks a frame, up to {said.frames} frames; online stops below IoU "
            f"{said.pause_below:g}, offline fills {said.filling.value}"
        )
    return facts


def _write(results: Results, folder: Path, tell: Callable[[str], None]) -> None:
    """The tables and the picture. Raises OutputError."""
    for name, form in (("scores.md", to_markdown), ("scores.csv", to_csv), ("scores.json", to_json)):
        write_whole(str(folder / name), form(results).encode(), "table")
    drawn = draw_results(results, folder / "scores.png")
    tell(f"wrote {folder}/scores.md, .csv, .json{' and .png' if drawn else ''}")
    if not drawn:
        tell("no picture: matplotlib is not installed (pip install matplotlib)")


class _Voice:
    """Tells how far a clip is."""

    def __init__(self, tell: Callable[[str], None], name: str) -> None:
        self._tell, self._name = tell, name
        self._last = time.monotonic()

    def say(self, words: str) -> None:
        """A line, at once."""
        self._tell(f"{self._name}: {words}")
        self._last = time.monotonic()

    def murmur(self, words: str) -> None:
        """A line where nothing was told for a while."""
        if time.monotonic() - self._last > _SILENCE:
            self.say(f"{words} ...")
