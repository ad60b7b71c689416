"""What objects look like on one frame while their prompts change, without doing again what did not change.

An artist adds a point and wants to see it at once. The answer is that of ``VideoTracker.preview``, the one
that ``track`` will give; but states between prompts are kept, so that another word on the last prompted frame
costs the prompt encoder and the mask decoder alone.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from efficienttam.contract.errors import PromptError
from efficienttam.contract.prompts import Prompt

from .memory_bank import FrameMemory
from .object_track import ObjectId, ObjectTrack
from .track_result import TrackResult
from .video_tracker import VideoTracker, check_first

#: Objects whose states are kept; the least recently shown one goes first.
OBJECTS = 32


@dataclass(frozen=True)
class Word:
    """A prompt, its mask an array, and what tells it from any other: equal marks mean equal prompts."""

    prompt: Prompt
    mark: Hashable


@dataclass(frozen=True)
class _State:
    """An object after some words were heard and remembered, perhaps after walking to a frame."""

    prompted: Mapping[int, FrameMemory]
    tracked: Mapping[int, FrameMemory]
    covered: tuple[tuple[int, int], ...]
    walked: int | None

    @classmethod
    def of(cls, track: ObjectTrack) -> _State:
        memory = track.memory
        return cls(dict(memory.prompted), dict(memory.tracked), tuple(track.covered), track.walked)

    def put_back(self, track: ObjectTrack) -> None:
        track.memory.prompted.clear()
        track.memory.prompted.update(self.prompted)
        track.memory.tracked.clear()
        track.memory.tracked.update(self.tracked)
        track.covered = list(self.covered)
        track.walked = self.walked
        track.pending.clear()


@dataclass
class _Line:
    """One object's words as last heard. ``states[n]`` is the state after the first n words; there may be
    one state less than words, for the last may not have been remembered yet."""

    id: ObjectId
    words: tuple[Word, ...] = ()
    states: list[_State] = field(default_factory=list)


class Rehearsal:
    """Previews of one plate. ``tracker`` is to be used by nobody else."""

    def __init__(self, tracker: VideoTracker) -> None:
        self._tracker = tracker
        self._lines: dict[str, _Line] = {}

    def show(
        self, frame: int, objects: Mapping[str, Sequence[Word]]
    ) -> tuple[TrackResult, dict[str, ObjectId]]:
        """Objects with all their words, in the order given, on a frame; and the result's ids by name.

        Raises PromptError for a frame outside the plate, and for an object without words or whose first
        word does not tell what it is.
        """
        lines = {name: self._heard(name, frame, words) for name, words in objects.items()}
        tracks = [self._tracker.track_of(line.id) for line in lines.values()]
        with self._tracker.model.inference():
            for line, track in zip(lines.values(), tracks, strict=True):
                if track.output(frame) is None or frame not in track.prompts:
                    self._reach(line, track, frame)
        result = self._tracker.result(frame, tracks)
        return result, {name: line.id for name, line in lines.items()}

    def ready(self, frame: int, objects: Mapping[str, Sequence[Word]]) -> None:
        """Does all that a word more on this frame would have to wait for. Raises as ``show`` does."""
        with self._tracker.model.inference():
            self._tracker.embedding(frame)
        for name, words in objects.items():
            earlier = [word for word in words if word.prompt.frame != frame]
            if len(earlier) == len(words):
                line = self._heard(name, frame, words)
                with self._tracker.model.inference():
                    self._reach(line, self._tracker.track_of(line.id), frame)

    def _heard(self, name: str, frame: int, words: Sequence[Word]) -> _Line:
        """The object's line with these words heard; of the last one the memory may be missing."""
        tracker = self._tracker
        self._check(name, frame, words)
        line = self._lines.pop(name, None) or _Line(tracker.add_object(name))
        self._lines[name] = line
        while len(self._lines) > OBJECTS:
            tracker.remove_object(self._lines.pop(next(iter(self._lines))).id)
        track = tracker.track_of(line.id)
        common = _common(line.words, words)
        if common == len(words) == len(line.words):
            return line
        known = min(common, len(line.states) - 1) if line.states else 0
        line.words, line.states = line.words[:known], line.states[: known + 1]
        with tracker.model.inference():
            if line.states:
                line.states[-1].put_back(track)
            else:
                track.forget_outputs()
                line.states.append(_State.of(track))
            track.prompts = {word.prompt.frame: word.prompt for word in words[:known]}
            try:
                for word in words[known:]:
                    self._hear(line, track, word)
            except BaseException:
                # Half a word was heard: nothing of it may stay.
                tracker.remove_object(self._lines.pop(name).id)
                raise
        track.resolved = True
        return line

    def _hear(self, line: _Line, track: ObjectTrack, word: Word) -> None:
        self._remember(line, track)
        first = not line.words
        if not first and word.prompt.only_points:
            self._reach(line, track, word.prompt.frame)
        track.prompts[word.prompt.frame] = word.prompt
        self._tracker.hear(track, word.prompt, first)
        line.words = (*line.words, word)

    def _remember(self, line: _Line, track: ObjectTrack) -> None:
        """Makes the state after all words heard so far."""
        if len(line.states) <= len(line.words):
            self._tracker.remember_pending(track)
            line.states.append(_State.of(track))

    def _reach(self, line: _Line, track: ObjectTrack, frame: int) -> None:
        """Walks to a frame that is not prompted, and keeps that."""
        self._remember(line, track)
        if frame in track.memory.prompted or track.walked == frame:
            return
        track.forget_tracked()
        self._tracker.walk(track, frame)
        track.walked = frame
        line.states[-1] = _State.of(track)

    def _check(self, name: str, frame: int, words: Sequence[Word]) -> None:
        frames = self._tracker.plate.frames
        if not frames[0] <= frame <= frames[-1]:
            raise PromptError(
                f"Frame {frame} is not in the plate, which has {frames[0]} to {frames[-1]}.",
                "Choose a frame of the plate.",
            )
        if not words:
            raise PromptError(f"{name} has no prompt.", "Prompt it on a frame.")
        check_first(name, [word.prompt for word in words])
        for word in words:
            self._tracker.check(word.prompt)


def _common(before: Sequence[Word], now: Sequence[Word]) -> int:
    """How many words at the beginning are the same."""
    count = 0
    for old, new in zip(before, now):
        if old.mark != new.mark:
            break
        count += 1
    return count
