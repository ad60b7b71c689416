"""The tracker: prompts on any frame of any object, mattes on every frame.

Two levels. ``prompt`` and ``propagate`` behave as the published predictor does with
``add_all_frames_to_correct_as_cond``: a word on an untracked frame is taken afresh, a word on a
tracked frame corrects what is there and stays. ``track`` fills a range from the prompts alone, so
that the same prompts always give the same mattes; see ``range_tracker``.

Memory is bounded by the model, the number of objects and prompted frames, never by the shot.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from torch import Tensor

from efficienttam.contract.errors import PromptError
from efficienttam.contract.fields import member
from efficienttam.contract.passes import Direction, Recall
from efficienttam.contract.prompts import Prompt, is_outside
from efficienttam.model.efficienttam import EfficientTAM

from . import network_pass
from .embedding_cache import EmbeddingCache
from .frame_encoder import FrameEncoder
from .frame_source import FrameSource
from .memory_bank import FrameMemory, MemoryBank, Reach
from .object_pass import ObjectPass
from .object_track import ObjectId, ObjectTrack
from .options import TrackerOptions
from .range_tracker import RangeTracker
from .track_result import TrackResult, compose


class VideoTracker:
    """Tracks objects through one plate with one model.

    ``visit`` is called with a frame before the network works on it, and may raise to end the work;
    ``tell`` with a sentence when the tracker has to go on with less, and when a mask goes against the
    points of its prompt; ``corner`` says where a frame's top-left pixel lies in what the user calls the
    plate, for such sentences.
    """

    def __init__(
        self,
        model: EfficientTAM,
        plate: FrameSource,
        options: TrackerOptions | None = None,
        embeddings: EmbeddingCache | None = None,
        visit: Callable[[int], None] | None = None,
        tell: Callable[[str], None] | None = None,
        corner: Callable[[int], tuple[int, int]] | None = None,
    ) -> None:
        self.model = model
        self.plate = plate
        self.options = options or TrackerOptions()
        self.frame_encoder = FrameEncoder(
            model, plate, EmbeddingCache() if embeddings is None else embeddings
        )
        self._visit, self._tell = visit or _nothing, tell or _nothing
        self._corner = corner or _at_origin
        self.object_pass = ObjectPass(model, self.frame_encoder, self.options, self._visit, self._tell)
        self._tracks: dict[ObjectId, ObjectTrack] = {}
        self._next_id = 1

    @property
    def objects(self) -> Mapping[ObjectId, str]:
        """Names by object, in the order they were added."""
        return {id: track.name for id, track in self._tracks.items()}

    def add_object(self, name: str = "") -> ObjectId:
        """A new object; at any time, also after tracking."""
        id = ObjectId(self._next_id)
        self._next_id += 1
        config = self.model.config
        reach = Reach(
            memory_maps=config.memory_maps,
            max_pointers=config.max_pointers,
            stride=self.options.memory_stride,
            max_prompted=self.options.max_prompted_frames,
        )
        self._tracks[id] = ObjectTrack(id, name or f"object{id}", MemoryBank(reach))
        return id

    def rename_object(self, id: ObjectId, name: str) -> None:
        """Gives an object another name; its id stays."""
        self.track_of(id).name = name

    def remove_object(self, id: ObjectId) -> None:
        """Forgets an object and all that was said about it."""
        self.track_of(id)
        del self._tracks[id]

    def prompts(self, id: ObjectId) -> Mapping[int, Prompt]:
        """What was said about an object, by frame, in the order it was said."""
        return dict(self.track_of(id).prompts)

    def add_prompt(self, id: ObjectId, prompt: Prompt) -> None:
        """Records a prompt without running anything; it replaces the one on its frame.

        Raises PromptError for a frame or a point outside the plate, or a mask of another size.
        """
        track = self.track_of(id)
        self.check(prompt)
        track.prompts[prompt.frame] = prompt
        track.forget_outputs()

    def remove_prompt(self, id: ObjectId, frame: int) -> None:
        """Takes the prompt on a frame back. Raises PromptError where there is none."""
        track = self.track_of(id)
        if frame not in track.prompts:
            raise PromptError(
                f"{track.name} has no prompt on frame {frame}.",
                f"Prompted frames: {', '.join(map(str, sorted(track.prompts))) or 'none'}.",
            )
        del track.prompts[frame]
        track.forget_outputs()

    def prompt(self, id: ObjectId, prompt: Prompt) -> TrackResult:
        """Says something about an object on a frame and shows what comes of it at once.

        The prompt is the whole word on its frame: points given before are repeated. On a tracked or
        already prompted frame points correct the output that is there.
        """
        track = self.track_of(id)
        self.check(prompt)
        with self.model.inference():
            self.resolve(track)
            track.prompts[prompt.frame] = prompt
            self._take_prompt(track, prompt, Recall.ALL)
        return self.result(prompt.frame, list(self._tracks.values()))

    def propagate(
        self,
        start: int | None = None,
        end: int | None = None,
        direction: Direction | str = Direction.FORWARD,
    ) -> Iterator[TrackResult]:
        """One pass over all objects from ``start`` to ``end``, both included.

        Forward starts at the earliest prompted frame and backward at the latest unless told. A
        prompted frame gives its own output, any other is tracked (again). Breaking out cancels and
        keeps what is done. Raises PromptError where an object has no prompt, and for frames outside the
        plate; JobError for a word that is no direction.
        """
        direction = member(Direction, direction, "direction")
        tracks = list(self._tracks.values())
        self.check_prompted(tracks)
        with self.model.inference():
            for track in tracks:
                self.settle(track)
        frames = self.pass_frames(start, end, direction)
        self.frame_encoder.expect(frames)
        try:
            for frame in frames:
                with self.model.inference():
                    afresh = [track for track in tracks if frame not in track.memory.prompted]
                    self.object_pass.track(afresh, frame, direction is Direction.BACKWARD, Recall.ALL)
                    for track in tracks:
                        track.memory.prune(frame)
                    result = self.result(frame, tracks)
                yield result
        finally:
            self.frame_encoder.rest()

    def track(
        self,
        first: int | None = None,
        last: int | None = None,
        direction: Direction | str = Direction.BOTH,
        only: Mapping[ObjectId, Sequence[range]] | None = None,
        exact: bool = False,
    ) -> Generator[TrackResult, None, None]:
        """Fills the range ``first`` to ``last`` from the prompts; each frame of each object once.

        A result may hold only some of the objects: those whose pass is at that frame. ``only`` limits
        the work to some frames of some objects (see ``spans.spans_touched``). The same prompts in the
        same order always give the same mattes; with ``exact`` to the last bit, whatever ``only`` is: then
        objects go along wherever a run over the whole plate would have taken them through the network with
        those that are tracked.
        """
        which = member(Direction, direction, "direction")
        return RangeTracker(self, first, last, which, only, exact).run()

    def preview(self, frame: int) -> TrackResult:
        """What ``track`` gives on one frame, with as little work as that takes: from each object's
        nearest prompted frame straight to this one."""
        tracks = list(self._tracks.values())
        self.check_prompted(tracks)
        with self.model.inference():
            for track in tracks:
                self.settle(track)
                if frame not in track.memory.prompted:
                    self.walk(track, frame)
        return self.result(frame, tracks)

    def embedding(self, frame: int) -> Tensor:
        """Embedding (1, C, H, W) of a frame, from the cache where it is there."""
        return self.frame_encoder.embedding(frame)

    def track_of(self, id: ObjectId) -> ObjectTrack:
        """The state of an object. Raises PromptError for an unknown id."""
        if id not in self._tracks:
            known = ", ".join(f"{key} ({track.name})" for key, track in self._tracks.items())
            raise PromptError(f"There is no object {id!r}.", f"Objects: {known or 'none, add one first'}.")
        return self._tracks[id]

    def check_prompted(self, tracks: Sequence[ObjectTrack]) -> None:
        """Raises PromptError where there is nothing to track."""
        if not tracks:
            raise PromptError("There is no object to track.", "Add one and prompt it on a frame.")
        for track in tracks:
            if not track.prompts:
                raise PromptError(f"{track.name} has no prompt.", "Prompt it on a frame or remove it.")

    def pass_frames(self, start: int | None, end: int | None, direction: Direction) -> range:
        """Frames of one pass in the order they are visited. Raises PromptError for one outside the plate."""
        frames = self.plate.frames
        for told in (start, end):
            if told is not None and not frames[0] <= told <= frames[-1]:
                raise PromptError(
                    f"Frame {told} is not in the plate, which has {frames[0]} to {frames[-1]}.",
                    "Begin and end a pass on frames of the plate.",
                )
        prompted = [frame for track in self._tracks.values() for frame in track.prompts]
        if direction is Direction.BACKWARD:
            start = max(prompted) if start is None else start
            return range(start, (frames[0] if end is None else end) - 1, -1)
        if direction is Direction.BOTH:
            raise PromptError("A pass runs forward or backward, not both.", "Use track() for both.")
        start = min(prompted) if start is None else start
        return range(start, (frames[-1] if end is None else end) + 1)

    def settle(self, track: ObjectTrack) -> None:
        """Gives every recorded prompt its output and remembers it, as a pass needs it."""
        self.resolve(track)
        self.remember_pending(track)

    def resolve(self, track: ObjectTrack) -> None:
        """Gives every recorded prompt its output, in the order they were given.

        The first prompt, a box and a mask are taken afresh. Points that come later correct what
        tracking from the nearest prompted frame shows on their frame.
        """
        if track.resolved:
            return
        words = list(track.prompts.values())
        check_first(track.name, words)
        for index, prompt in enumerate(words):
            self.hear(track, prompt, first=index == 0)
        self.remember_pending(track)
        track.memory.tracked.clear()
        track.resolved = True

    def hear(self, track: ObjectTrack, prompt: Prompt, first: bool) -> None:
        """Gives one prompt its output, pending, after those given before it were heard."""
        self.remember_pending(track)
        if not first and prompt.only_points:
            self._correct(track, prompt)
        else:
            # What an earlier correction was tracked through says nothing about a box or a mask.
            track.forget_tracked()
            self._take_prompt(track, prompt, self.options.recall)
        self._tell_unheeded(track, prompt)

    def _tell_unheeded(self, track: ObjectTrack, prompt: Prompt) -> None:
        """Says where the mask of a prompted frame goes against the prompt's points, or lost its mask; and
        where that holds no shape: of a region it may well fill all."""
        logits, corner = track.pending[prompt.frame].logits, self._corner(prompt.frame)
        faults = network_pass.unheeded(logits, prompt, self.plate.size, corner)
        if faults:
            self._tell(
                f"{track.name} on frame {prompt.frame}: {', '.join(faults)}, against its prompt. "
                "Add points, a box or a mask on that frame."
            )
        whole = network_pass.whole_mask(prompt) if self._corner is _at_origin else ""
        for fault in filter(None, (network_pass.lost_mask(logits, prompt), whole)):
            self._tell(f"{track.name} on frame {prompt.frame}: {fault}")

    def _correct(self, track: ObjectTrack, prompt: Prompt) -> None:
        """Points on a frame that tracking reaches from an earlier prompt.

        They correct the tracked mask. Where they contradict it altogether, or the corrected mask does
        not hold what they include, tracking had lost the object: they are taken afresh.
        """
        frame, size = prompt.frame, self.plate.size
        if track.walked != frame:
            track.forget_tracked()
            self.walk(track, frame)
        tracked = track.output(frame)
        if tracked is None or not network_pass.contradicted(tracked.logits, prompt, size):
            self._take_prompt(track, prompt, self.options.recall)
            if network_pass.heeds(track.pending[frame].logits, prompt, size):
                return
        if prompt.stands_alone:
            track.pending[frame] = self._afresh(prompt)

    def _afresh(self, prompt: Prompt) -> FrameMemory:
        """The output of a prompt that nothing but its frame is asked about."""
        embedding = self.embedding(prompt.frame)
        features = self.model.without_memory(embedding)
        head = network_pass.respond(
            self.model, embedding, features, prompt, self.plate.size, None, self.options
        )
        return network_pass.frame_memory(head, self.options, recalled=False, reverse=False)

    def _take_prompt(self, track: ObjectTrack, prompt: Prompt, recall: Recall) -> None:
        """Runs the heads on a prompt and holds the output as pending."""
        frame = prompt.frame
        self._visit(frame)
        previous = track.output(frame)
        if previous is None and track.is_covered(frame):
            self.remember_pending(track)
            self.walk(track, frame)
            previous = track.output(frame)
        if previous is None and not prompt.stands_alone:
            raise PromptError(
                f"The prompt of {track.name} on frame {frame} only excludes, and nothing was tracked there.",
                "Include a point, draw a box or give a mask, or track to this frame first.",
            )
        embedding = self.embedding(frame)
        corrects = previous is not None and previous.recalled
        reverse = previous is not None and previous.reverse
        if corrects:
            recollection = self.object_pass.recollection(track, frame, reverse, recall)
            (features,) = self.object_pass.conditioned([track], [recollection], frame)
        else:
            features = self.model.without_memory(embedding)
        head = network_pass.respond(
            self.model, embedding, features, prompt, self.plate.size, previous, self.options
        )
        track.pending[frame] = network_pass.frame_memory(
            head, self.options, recalled=corrects, reverse=reverse
        )

    def remember_pending(self, track: ObjectTrack) -> None:
        """Encodes the memory of prompted frames that are pending and moves them to the bank."""
        if track.pending:
            track.walked = None
        for frame, output in track.pending.items():
            binarize = self.options.binarize_prompted
            (encoded,) = network_pass.memory_maps(
                self.model, self.embedding(frame), output.logits[None], binarize=binarize
            )
            remembered = replace(output, memory_map=encoded)
            if output.recalled and not self.options.corrections_are_prompted:
                track.memory.tracked[frame] = remembered
            else:
                track.memory.tracked.pop(frame, None)
                track.memory.prompted[frame] = remembered
        track.pending.clear()

    def walk(self, track: ObjectTrack, frame: int) -> None:
        """Tracks an object from its nearest prompted frame to ``frame``; nothing is yielded."""
        prompted = sorted(track.memory.prompted)
        key = min(prompted, key=lambda other: abs(other - frame))
        if self.options.recall is Recall.NEIGHBOURS:
            track.memory.tracked.clear()
        step = 1 if frame > key else -1
        for visited in range(key + step, frame + step, step):
            if visited not in track.memory.prompted:
                self.object_pass.track([track], visited, step < 0, self.options.recall)
            track.memory.prune(visited)

    def result(self, frame: int, tracks: Sequence[ObjectTrack]) -> TrackResult:
        """Outputs of objects on a frame, those that have one."""
        outputs = {track.id: track.output(frame) for track in tracks}
        return self.composed(frame, {id: output for id, output in outputs.items() if output is not None})

    def composed(self, frame: int, outputs: Mapping[ObjectId, FrameMemory]) -> TrackResult:
        """Outputs of some objects on a frame as a result at plate size."""
        return compose(frame, outputs, self._tracks, self.plate.size, self.options.non_overlapping)

    def check(self, prompt: Prompt) -> None:
        """Raises PromptError for a frame or a point outside the plate, or a mask of another size."""
        check_prompt(prompt, self.plate)


def check_prompt(prompt: Prompt, plate: FrameSource) -> None:
    """Raises PromptError for a frame, a point or a box outside the plate, a mask of another size or one that
    is not 0 to 1."""
    frames, (width, height) = plate.frames, plate.size
    if not frames[0] <= prompt.frame <= frames[-1]:
        raise PromptError(
            f"Frame {prompt.frame} is not in the plate, which has {frames[0]} to {frames[-1]}.",
            "Prompt a frame of the plate.",
        )
    for x, y in (*prompt.include, *prompt.exclude):
        if not (0 <= x < width and 0 <= y < height):
            raise PromptError(
                f"Frame {prompt.frame}: the point {x:g},{y:g} is outside the plate of {width}x{height}.",
                f"From the top left x is 0 to less than {width}, y 0 to less than {height}.",
            )
    if prompt.mask is not None and np.shape(prompt.mask) != (height, width):
        raise PromptError(
            f"Frame {prompt.frame}: the mask is {np.shape(prompt.mask)}, expected {(height, width)}.",
            "Give the mask at the plate's size, rows first.",
        )
    if prompt.box is not None and is_outside(prompt.box, plate.size):
        told = ",".join(f"{number:g}" for number in prompt.box)
        raise PromptError(
            f"Frame {prompt.frame}: the box {told} is outside the plate of {width}x{height}.",
            "Draw it on the plate, in pixels from the top-left corner.",
        )
    if prompt.mask is not None:
        low, high = float(np.min(prompt.mask)), float(np.max(prompt.mask))
        # NaN is in neither.
        if not (low >= 0 and high <= 1):
            raise PromptError(
                f"Frame {prompt.frame}: the mask holds {low:g} to {high:g}, expected 0 outside to 1 inside.",
                "Divide integers by their largest value, 255 for 8 bit; leave no NaN.",
            )


def check_first(name: str, words: Sequence[Prompt]) -> None:
    """Raises PromptError when the first prompt of an object does not tell what it is."""
    if words and not words[0].stands_alone:
        raise PromptError(
            f"The first prompt of {name}, on frame {words[0].frame}, only excludes.",
            "Include a point, draw a box or give a mask first.",
        )


def _at_origin(frame: int) -> tuple[int, int]:
    """The corner where the tracker sees the very plate."""
    return 0, 0


def _nothing(told: object) -> None:
    """What is done where nobody listens."""
