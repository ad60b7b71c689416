"""How an evaluation prompts, tracks and scores: semi-supervised, from clicks, offline, online.

The protocols are those of the papers of SAM 2 (Ravi et al. 2024, section 6 and appendix F) and EfficientTAM
(Xiong et al. 2024, section 4); what those leave open is told in docs/evaluation.md. All of them go forward,
recall every prompted frame, and prompt an object first on the first annotated frame that shows it.
"""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from efficienttam.contract.passes import Between, Direction, Recall
from efficienttam.contract.prompts import Prompt
from efficienttam.evaluation.footage import Footage
from efficienttam.evaluation.marks import Marks, ScoredFrames, rate, worst_frame
from efficienttam.evaluation.scoring import PromptKind, prompt_from_truth
from efficienttam.evaluation.simulated_artist import SimulatedArtist
from efficienttam.evaluation.true_masks import TrueMasks
from efficienttam.model.efficienttam import EfficientTAM
from efficienttam.tracking.embedding_cache import EmbeddingCache
from efficienttam.tracking.object_track import ObjectId
from efficienttam.tracking.options import TrackerOptions
from efficienttam.tracking.track_result import TrackResult
from efficienttam.tracking.video_tracker import VideoTracker

Array = np.ndarray
#: J and F by frame.
Scores = dict[int, tuple[float, float]]

#: Numbers of clicks on the first frame that ``from_clicks`` tries.
FIRST_CLICKS = (1, 3, 5)
#: As the tracker was published: one pass forward, which recalls every prompted frame, future ones too.
PUBLISHED = TrackerOptions(between=Between.FORWARD, recall=Recall.ALL)


class Filling(enum.Enum):
    """How the frames around prompted ones are filled in the offline protocol."""

    #: One pass forward that recalls every prompted frame, as published.
    FORWARD = "forward"
    #: As a job is heard and tracked here unless it says otherwise: from the nearer prompted frame, whichever
    #: way that lies.
    NEAREST = "nearest"


@dataclass(frozen=True)
class Annotating:
    """How much the simulated artist does: ``clicks`` on each of ``frames`` at most; online the pass stops
    where IoU falls below ``pause_below``."""

    frames: int = 8
    clicks: int = 3
    pause_below: float = 0.75
    filling: Filling = Filling.FORWARD


@dataclass
class Trial:
    """One piece of footage before a model. ``heard`` is called with a word when a pass begins."""

    model: EfficientTAM
    footage: Footage
    rule: ScoredFrames
    embeddings: EmbeddingCache = field(default_factory=EmbeddingCache)
    heard: Callable[[str], None] = lambda word: None

    def __post_init__(self) -> None:
        self.truth = TrueMasks(self.footage)

    @property
    def first(self) -> Mapping[int, int]:
        """The frame on which each object, by its number, is first prompted."""
        return self.truth.first

    def tracker(self, options: TrackerOptions) -> VideoTracker:
        """A tracker without objects; it finds the embeddings that others of this trial made."""
        return VideoTracker(self.model, self.footage.plate, options, self.embeddings)

    def add_objects(self, tracker: VideoTracker) -> dict[int, ObjectId]:
        """Every object that is ever shown, by its number."""
        return {index: tracker.add_object(self.footage.objects[index]) for index in self.first}

    def truth_of(self, index: int, frame: int) -> Array:
        """The true mask (height, width) bool of an object on an annotated frame."""
        return self.truth.masks(frame)[index]

    def rate(self, mask: Array, index: int, frame: int) -> tuple[float, float]:
        """J and F of an object's mask (height, width) bool on an annotated frame."""
        return rate(mask, self.truth_of(index, frame), self.truth.void(frame))

    def correct(
        self,
        artist: SimulatedArtist,
        id: ObjectId,
        index: int,
        frame: int,
        clicks: int,
        shown: Array | None = None,
    ) -> Array:
        """The artist's clicks on an object on an annotated frame; the mask after them."""
        return artist.correct(id, frame, self.truth_of(index, frame), clicks, shown, self.truth.void(frame))

    def scores(self, results: Iterable[TrackResult], ids: Mapping[int, ObjectId]) -> dict[int, Scores]:
        """J and F by object and annotated frame, from its first prompted frame on."""
        scores: dict[int, Scores] = {index: {} for index in ids}
        annotated = set(self.truth.frames)
        for result in results:
            for index, id in ids.items():
                if result.frame in annotated and result.frame >= self.first[index] and id in result.logits:
                    mask = result.mattes[id] >= 0.5
                    scores[index][result.frame] = self.rate(mask, index, result.frame)
        return scores

    def marks(
        self, index: int, scores: Scores, protocol: str, setting: str, prompted: Iterable[int], **more: int
    ) -> Marks:
        """Scores of an object as marks; ``more`` are ``clicks`` and ``budget``."""
        frames = tuple(sorted(scores))
        return Marks(
            self.footage.name,
            self.footage.objects[index],
            protocol,
            setting,
            frames,
            tuple(scores[frame][0] for frame in frames),
            tuple(scores[frame][1] for frame in frames),
            tuple(self.rule.choose(self.truth.frames, self.first[index])),
            tuple(prompted),
            **more,
        )


def semi_supervised(trial: Trial) -> list[Marks]:
    """The true matte of each object where it first appears, all objects in one pass, each pixel to one of
    them (DAVIS 2017, Pont-Tuset et al. 2017, section 3; objects that come later as in YouTube-VOS)."""
    tracker = trial.tracker(TrackerOptions(non_overlapping=True))
    ids = trial.add_objects(tracker)
    for index, id in ids.items():
        frame = trial.first[index]
        tracker.add_prompt(id, Prompt(frame, mask=trial.footage.truth(frame)[index]))
    trial.heard("mask")
    scores = trial.scores(tracker.track(direction=Direction.FORWARD), ids)
    return [trial.marks(i, scores[i], "semi", "mask", [trial.first[i]]) for i in ids]


def from_clicks(trial: Trial) -> list[Marks]:
    """1, 3 and 5 clicks, a box and the true matte on the first frame that shows the object; no word after it
    (SAM 2, section 6.2 and appendix F: semi-supervised evaluation with different prompts)."""
    found = []
    for count in FIRST_CLICKS:
        word = f"{count} click{'s' if count > 1 else ''}"
        trial.heard(word)
        tracker = trial.tracker(PUBLISHED)
        ids, artist = trial.add_objects(tracker), SimulatedArtist(tracker)
        for index, id in ids.items():
            frame = trial.first[index]
            trial.correct(artist, id, index, frame, count)
        scores = trial.scores(tracker.track(direction=Direction.FORWARD), ids)
        found += [
            trial.marks(i, scores[i], "clicks", word, [trial.first[i]], clicks=artist.clicks[id])
            for i, id in ids.items()
        ]
    for kind in (PromptKind.BOX, PromptKind.MASK):
        trial.heard(kind.value)
        tracker = trial.tracker(PUBLISHED)
        ids = trial.add_objects(tracker)
        for index, id in ids.items():
            frame = trial.first[index]
            tracker.add_prompt(id, prompt_from_truth(kind, frame, trial.footage.truth(frame)[index]))
        scores = trial.scores(tracker.track(direction=Direction.FORWARD), ids)
        found += [trial.marks(i, scores[i], "clicks", kind.value, [trial.first[i]]) for i in ids]
    return found


def offline(trial: Trial, annotating: Annotating) -> list[Marks]:
    """Several passes: the frame with the lowest IoU that is not prompted yet is annotated next, and the whole
    plate tracked again, for each object by itself (SAM 2, appendix F.1.2)."""
    forward = annotating.filling is Filling.FORWARD
    tracker = trial.tracker(PUBLISHED if forward else TrackerOptions())
    ids, artist = trial.add_objects(tracker), SimulatedArtist(tracker, as_job=not forward)
    prompted: dict[int, list[int]] = {index: [] for index in ids}
    plan: dict[int, int] = dict(trial.first)
    found: list[Marks] = []
    scores: dict[int, Scores] = {}
    for count in range(1, annotating.frames + 1):
        trial.heard(f"offline {count}")
        if plan:
            _annotate(trial, artist, ids, plan, annotating.clicks, forward)
            for index, frame in plan.items():
                prompted[index].append(frame)
            direction = Direction.FORWARD if forward else Direction.BOTH
            scores = trial.scores(tracker.track(direction=direction), ids)
        found += [
            trial.marks(
                index,
                scores[index],
                "offline",
                _frames(count),
                prompted[index],
                clicks=artist.clicks.get(id, 0),
                budget=count,
            )
            for index, id in ids.items()
        ]
        worst = {index: worst_frame(scores[index], prompted[index]) for index in ids}
        plan = {index: frame for index, frame in worst.items() if frame is not None}
    return found


def _annotate(
    trial: Trial,
    artist: SimulatedArtist,
    ids: Mapping[int, ObjectId],
    plan: Mapping[int, int],
    clicks: int,
    forward: bool,
) -> None:
    """Clicks on each object on its planned frame, on the very mask that was scored there.

    The masks of a pass are dropped as it goes on, so the pass that gave them is run again as far as needed.
    """
    tracker = artist.tracker
    waiting = dict(plan)
    for index, frame in plan.items():
        if not tracker.prompts(ids[index]):
            trial.correct(artist, ids[index], index, frame, clicks)
            del waiting[index]
        elif not forward:
            shown = tracker.preview(frame).mattes[ids[index]] >= 0.5
            trial.correct(artist, ids[index], index, frame, clicks, shown)
            del waiting[index]
    if not waiting:
        return
    with contextlib.closing(tracker.track(direction=Direction.FORWARD)) as results:
        for result in results:
            for index in [index for index, frame in waiting.items() if frame == result.frame]:
                shown = result.mattes[ids[index]] >= 0.5
                trial.correct(artist, ids[index], index, result.frame, clicks, shown)
                del waiting[index]
            if not waiting:
                return


def online(trial: Trial, annotating: Annotating) -> list[Marks]:
    """One pass forward that stops on a frame of low IoU, where the object is corrected, and goes on; what was
    seen before is not changed (SAM 2, appendix F.1.2). A pass for each number of frames."""
    found: list[Marks] = []
    last: list[Marks] = []
    for count in range(1, annotating.frames + 1):
        trial.heard(f"online {count}")
        # Where no object was stopped at as often as allowed, allowing more changes nothing.
        if not last or any(len(marks.prompted) >= count - 1 for marks in last):
            last = _online_pass(trial, annotating, count)
        else:
            last = [replace(marks, setting=_frames(count), budget=count) for marks in last]
        found += last
    return found


def _online_pass(trial: Trial, annotating: Annotating, budget: int) -> list[Marks]:
    """The pass with corrections on ``budget`` frames of each object at most, its first one included."""
    tracker = trial.tracker(PUBLISHED)
    artist = SimulatedArtist(tracker)
    ids: dict[int, ObjectId] = {}
    prompted: dict[int, list[int]] = {index: [] for index in trial.first}
    scores: dict[int, Scores] = {index: {} for index in trial.first}
    annotated = set(trial.truth.frames)
    start, end = min(trial.first.values()), trial.footage.plate.frames[-1]
    for frame in range(start, end + 1):
        mattes: Mapping[ObjectId, Array] = {}
        if ids:
            (result,) = tracker.propagate(start=frame, end=frame)
            mattes = result.mattes if frame in annotated else {}
        if frame not in annotated:
            continue
        for index, first in trial.first.items():
            if first == frame:
                ids[index] = tracker.add_object(trial.footage.objects[index])
            elif first > frame:
                continue
            shown = mattes[ids[index]] >= 0.5 if first < frame else None
            marked = (0.0, 0.0) if shown is None else trial.rate(shown, index, frame)
            if shown is None or (marked[0] < annotating.pause_below and len(prompted[index]) < budget):
                mask = trial.correct(artist, ids[index], index, frame, annotating.clicks, shown)
                prompted[index].append(frame)
                marked = trial.rate(mask, index, frame)
            scores[index][frame] = marked
    return [
        trial.marks(
            index,
            scores[index],
            "online",
            _frames(budget),
            prompted[index],
            clicks=artist.clicks.get(id, 0),
            budget=budget,
        )
        for index, id in sorted(ids.items())
    ]


def _frames(count: int) -> str:
    return f"{count} frame{'s' if count > 1 else ''}"
