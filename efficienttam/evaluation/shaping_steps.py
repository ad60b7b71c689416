"""What each step of shaping does to the errors of mattes, from ideal logits and from tracked ones.

Ideal logits are the true matte reduced to the network's mask, as a perfect network would draw it: they show a
step apart from tracking. Tracked ones come from a true mask on the first frame.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from efficienttam.batch.object_groups import ObjectGroup, Regional, object_groups
from efficienttam.contract.errors import PlateError
from efficienttam.contract.job import Mattes, Refine, Tracking
from efficienttam.contract.prompts import Prompt
from efficienttam.contract.region import Follow, Region
from efficienttam.evaluation.footage import Footage
from efficienttam.evaluation.matte_errors import MatteErrors, matte_errors
from efficienttam.evaluation.soft_plates import SoftPlate, SoftRecipe
from efficienttam.mattes.shaping import shaped_matte
from efficienttam.mattes.steadying import small_picture, steadied
from efficienttam.model.efficienttam import EfficientTAM
from efficienttam.tracking import ArrayFrames, FrameSource, VideoTracker
from efficienttam.tracking.region_boxes import box_of_logits

Array = np.ndarray
Logits = Callable[[int], Array]

#: Shaping by name, each with the one before it but for the last, which is ``refine`` steadied.
STEPS = {
    "as drawn": Mattes(),
    "softness 2": Mattes(softness=2),
    "refine": Mattes(softness=2, refine=Refine.UNMIX),
    "refine, holes and specks": Mattes(softness=2, refine=Refine.UNMIX, fill_holes=60, remove_specks=200),
    "refine, steady 1": Mattes(softness=2, refine=Refine.UNMIX, steady_frames=1),
}
#: Ways to track, by the name of the step: all of them refined. Only for tracked logits.
WAYS: dict[str, tuple[Region | None, Tracking]] = {
    "refine, region": (Region(Follow.TRACK), Tracking()),
    "refine, border 0.06": (None, Tracking(border=0.06)),
}
#: Cells along a side of the masks that ideal logits are reduced to, unless told.
CELLS = 256
IDEAL, TRACKED = "ideal", "tracked"


@dataclass(frozen=True)
class StepErrors:
    """Errors of one matte; ``plate`` is the footage's name less its size, ``seconds`` what shaping took."""

    plate: str
    size: tuple[int, int]
    logits: str
    step: str
    errors: MatteErrors
    seconds: float


@dataclass(frozen=True)
class Tracked:
    """An object as a tracker drew it: logits (L, L) by frame of what its group sees of the plate."""

    group: ObjectGroup
    logits: Logits

    def matte(self, frame: int, wish: Mattes) -> Array:
        """Shaped (height, width), at plate size, not steadied."""
        seen = self.group.plate
        matte = shaped_matte(self.logits(frame), seen.size, wish, lambda: seen.read(frame))
        return self.group.matte(matte, frame)

    def steady(self, frame: int, wish: Mattes, beside: Sequence[int]) -> Array:
        """Shaped, and steadied with the mattes of other frames."""
        others = [(self.matte(one, wish), small_picture(self.group.whole.read(one))) for one in beside]
        matte = self.matte(frame, wish)
        return steadied(matte, small_picture(self.group.whole.read(frame)), others) if others else matte


def ideal(footage: Footage, index: int, cells: int = CELLS) -> Tracked:
    """The true matte of an object reduced to cells, straight from -10 to 10."""

    def logits(frame: int) -> Array:
        reduced = cv2.resize(footage.truth(frame)[index], (cells, cells), interpolation=cv2.INTER_AREA)
        return 20 * reduced - 10

    return Tracked(ObjectGroup((footage.objects[index],), footage.plate, None), logits)


def tracked(
    model: EfficientTAM,
    footage: Footage,
    index: int,
    region: Region | None = None,
    wish: Tracking | None = None,
    whole: Tracked | None = None,
) -> Tracked:
    """An object tracked from its true mask on the first annotated frame. A region follows ``whole``, what
    tracking the whole frame found. Raises PlateError where the first frame does not show the object."""
    first, name = footage.annotated[0], footage.objects[index]
    truth = footage.truth(first)[index]
    if not (truth >= 0.5).any():
        raise PlateError(f"Frame {first} of {footage.name} does not show {name}.", "Leave its channel out.")
    prompt = Prompt(frame=first, mask=truth)
    found = None
    if region is not None and whole is not None:
        plate = footage.plate
        boxes = {frame: box_of_logits(whole.logits(frame), plate.size) for frame in plate.frames}
        found = {frame: box for frame, box in boxes.items() if box is not None}
    thing = Regional(name, region, [prompt], found)
    (group,) = object_groups(footage.plate, [thing], wish or Tracking(), model.config.mask_side)
    tracker = VideoTracker(model, group.plate)
    id = tracker.add_object(name)
    tracker.add_prompt(id, group.prompt(prompt))
    drawn = {result.frame: result.logits[id] for result in tracker.track()}
    return Tracked(group, drawn.__getitem__)


def in_memory(recipe: SoftRecipe) -> Footage:
    """A generated plate drawn once."""
    return _Drawn(SoftPlate(recipe))


def step_errors(
    model: EfficientTAM, footage: Footage, frames: Sequence[int], cells: int = CELLS
) -> Iterator[StepErrors]:
    """Every step, for every object on some frames of footage.

    A frame is steadied by those beside it but for the prompted one, whose matte is the truth.
    """
    first, known = footage.annotated[0], set(footage.annotated)
    name = footage.name.rsplit(" ", 1)[0] if isinstance(footage, _Drawn) else footage.name
    for index in range(len(footage.objects)):
        whole = tracked(model, footage, index)
        sources = [(IDEAL, step, wish, ideal(footage, index, cells)) for step, wish in STEPS.items()]
        sources += [(TRACKED, step, wish, whole) for step, wish in STEPS.items()]
        for step, (region, tracking) in WAYS.items():
            other = tracked(model, footage, index, region, tracking, whole)
            sources.append((TRACKED, step, STEPS["refine"], other))
        for frame in frames:
            truth = footage.truth(frame)[index]
            for logits, step, wish, source in sources:
                reach = range(frame - wish.steady_frames, frame + wish.steady_frames + 1)
                beside = [one for one in reach if one in known and one not in (frame, first)]
                started = time.perf_counter()
                matte = source.steady(frame, wish, beside) if beside else source.matte(frame, wish)
                took = time.perf_counter() - started
                size = (footage.plate.size[0], footage.plate.size[1])
                yield StepErrors(name, size, logits, step, matte_errors(matte, truth), took)


class _Drawn:
    """A generated plate whose few frames are held: each is read for every way to track."""

    def __init__(self, made: SoftPlate) -> None:
        self.name, self.objects, self.annotated = made.name, made.objects, made.annotated
        pictures, self._truth = [], {}
        for frame in made.frames:
            pictures.append(made.read(frame))
            self._truth[frame] = made.truth(frame)
        self.plate: FrameSource = ArrayFrames(np.stack(pictures), made.frames[0])

    def truth(self, frame: int) -> Array:
        """The true matte, (1, height, width) float32."""
        return self._truth[frame]
