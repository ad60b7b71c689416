"""How a tracker tracks."""

from __future__ import annotations

from dataclasses import dataclass

from efficienttam.contract.fields import member
from efficienttam.contract.passes import Between, Recall


@dataclass(frozen=True)
class TrackerOptions:
    """Frozen choices of one tracker. The defaults are what the published weights were run with, but
    for ``between`` and ``recall``, which are ours (see ``docs/architecture.md``).

    ``fill_hole_area``: holes of at most this many low-res cells are filled, 0 for none.
    ``non_overlapping``: where objects overlap the likeliest keeps the pixel.
    ``max_prompted_frames``: recall only the nearest ones, None for no limit.
    ``memory_stride``: step between recalled tracked frames.
    ``dynamic_multimask``: an unstable single mask gives way to the best of three.
    ``binarize_prompted``: masks of prompted frames are thresholded before they are remembered.
    ``corrections_are_prompted``: a prompt on a tracked frame is remembered like any prompt; off, it is
    remembered as if tracked and lost when its frame is tracked again, as upstream does by default.
    """

    between: Between = Between.NEAREST
    recall: Recall = Recall.NEIGHBOURS
    fill_hole_area: int = 8
    non_overlapping: bool = False
    max_prompted_frames: int | None = None
    memory_stride: int = 1
    dynamic_multimask: bool = True
    binarize_prompted: bool = True
    corrections_are_prompted: bool = True

    def __post_init__(self) -> None:
        """Takes words for choices. Raises JobError for one that is none."""
        object.__setattr__(self, "between", member(Between, self.between, "word for between"))
        object.__setattr__(self, "recall", member(Recall, self.recall, "word for recall"))
