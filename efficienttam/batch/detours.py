"""What to say of frames that give nothing and are tracked to reach others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..contract.job import TrackJob
from ..contract.sequence import format_frames
from ..tracking.spans import runs_to
from .matte_files import frame_runs


def detours(job: TrackJob, frames: Mapping[str, Sequence[int]]) -> Iterator[str]:
    """Sentences about the way to ``frames``, those made of each object."""
    wish = job.tracking
    corrected: set[int] = set()
    up: set[int] = set()
    down: set[int] = set()
    for thing in job.objects:
        if thing.name not in frames:
            continue
        prompted = sorted(prompt.frame for prompt in thing.prompts)
        corrected.update(prompt.frame for prompt in thing.prompts[1:] if prompt.only_points)
        tops, lows = runs_to(frames[thing.name], prompted, wish.between, wish.direction)
        up.update(*(range(key + 1, top) for key, top in tops.items()))
        down.update(*(range(low + 1, key) for key, low in lows.items()))
    if corrected:
        yield f"Tracking first to the frames that later prompts correct: {format_frames(corrected)}."
    made: set[int] = set().union(*frames.values())
    ways = [(run.start - 1, run.stop) for run in frame_runs(up - made)]
    ways += [(run.stop, run.start - 1) for run in frame_runs(down - made)]
    for start, goal in ways:
        yield f"Tracking from frame {start} to reach frame {goal}; mattes in between stay as they are."
