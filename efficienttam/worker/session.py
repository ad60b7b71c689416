"""One open plate: frames to look at, previews, mattes on disk."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Hashable, Iterator, Sequence

import numpy as np

from ..batch.first_look import FirstLook
from ..batch.footage import open_plate
from ..batch.matte_score import placed, score_of
from ..batch.matte_shaping import MatteShaping
from ..batch.object_groups import ObjectGroup, Regional, border_path, object_groups
from ..batch.open_job import LoadModel, tracker_options, with_mask
from ..contract.cache_settings import cache_settings
from ..contract.document import resolve_model, resolve_output, resolve_plate, resolve_prompt
from ..contract.errors import PlateError
from ..contract.job import Output, Refine, TrackedObject
from ..contract.matte_score import MatteScore
from ..contract.messages import FrameReview, ObjectMatte, OpenPlate, PlateOpened
from ..contract.prompts import Prompt, RotoFile
from ..contract.sequence import SequencePattern
from ..mattes.sharing import settled
from ..tracking import EmbeddingCache, EmbeddingStore, VideoTracker
from ..tracking.region_path import RegionPath
from ..tracking.rehearsal import Rehearsal, Word
from ..tracking.video_tracker import check_prompt
from .disk_mattes import disk_mattes, reviewed
from .pictures import matte_png, write_ppm

#: Roto masks kept in memory, each as large as a plate.
ROTOS = 8
#: Regions whose previews' states are kept.
REGIONS = 4


class Session:
    """An open plate with its network; ``tell`` hears a sentence where that is loaded for it.

    Raises PlateError, ColorError, WeightsError, DeviceError.
    """

    def __init__(self, wish: OpenPlate, load: LoadModel, tell: Callable[[str], None]) -> None:
        self.folder, self.view = wish.folder, wish.view
        cache = cache_settings()
        self.plate = open_plate(resolve_plate(wish.plate, wish.folder), wish.range, wish.view, cache)
        self.model = load(resolve_model(wish.model, wish.folder), tell)
        store = EmbeddingStore(cache.folder, cache.budget, cache.storage)
        self.embeddings = EmbeddingCache(store=store, device=self.model.device)
        self._told: list[str] = []
        self._rotos: dict[Hashable, Word] = {}
        self._tracking = wish.tracking
        # What takes seconds or other frames is left to the batch: an answer to a click cannot wait.
        self._wish = dataclasses.replace(
            wish.mattes, refine=Refine.NONE, refine_band=None, steady_frames=0, roto_blend=0
        )
        self._identities: dict[int, str] = {}
        self._replaced: set[int] = set()
        self._rehearsals: dict[RegionPath | None, Rehearsal] = {}
        self._in_region: dict[Hashable, list[Word]] = {}
        options = tracker_options(wish.tracking)
        self._look = FirstLook(self.model, self.plate, wish.tracking.border, options, self.embeddings)

    def opened(self, number: int) -> PlateOpened:
        """The reply to the request that opened it."""
        info = self.plate.info(self.plate.frames[0])
        width, height = self.plate.size
        return PlateOpened(
            number,
            self.plate.frames[0],
            self.plate.frames[-1],
            width,
            height,
            float(info.pixel_aspect),
            str(self.model.device),
            str(self.model.precision).removeprefix("torch."),
        )

    def take_replaced(self) -> tuple[int, ...]:
        """Frames, ascending, found replaced on disk since this was asked last."""
        replaced, self._replaced = tuple(sorted(self._replaced)), set()
        return replaced

    def write_picture(self, frame: int, side: int, path: str) -> None:
        """Writes a frame as the network sees it. Raises PlateError."""
        self._forget_what_changed(frame, ())
        write_ppm(path, self.plate.read(frame), side)

    def preview(
        self, frame: int, objects: Sequence[TrackedObject], side: int
    ) -> tuple[tuple[ObjectMatte, ...], tuple[str, ...]]:
        """Objects with all their prompts on a frame, and what the artist should know of them.

        An object is shown as its region gives it, but for one that is to be found by tracking first: that
        one as the whole frame gives it. Raises PromptError, PlateError.
        """
        self._told.clear()
        self._forget_what_changed(frame, objects)
        mattes: dict[str, np.ndarray] = {}
        drawn: set[str] = set()
        sure: dict[str, MatteScore] = {}
        prompted = {thing.name: {prompt.frame for prompt in thing.prompts} for thing in objects}
        groups = list(self._grouped(objects))
        for group, rehearsal, words in groups:
            result, ids = rehearsal.show(frame, words)
            shaped = MatteShaping(self._wish, group, {}, len(groups) > 1).mattes(result)
            for name, id in ids.items():
                mattes[name] = group.matte(shaped[id], frame)
                if id in result.drawn:
                    drawn.add(name)
                sure[name] = score_of(result, id, frame in prompted[name])
        if self._tracking.non_overlapping and len(groups) > 1:
            mattes = settled(mattes, self._wish, drawn)
        shown = tuple(
            ObjectMatte(
                thing.name,
                matte_png(mattes[thing.name], side),
                placed(sure[thing.name], mattes[thing.name]),
            )
            for thing in objects
        )
        return shown, tuple(self._told)

    def ready(self, frame: int, objects: Sequence[TrackedObject]) -> None:
        """Does ahead what a prompt on this frame would wait for. Raises as ``preview`` does."""
        self._forget_what_changed(frame, objects)
        if not objects:
            self._rehearsal(border_path(self.plate, self._tracking.border)).ready(frame, {})
        for _, rehearsal, words in self._grouped(objects):
            rehearsal.ready(frame, words)

    def mattes(self, output: Output, names: Sequence[str], frame: int, side: int) -> tuple[ObjectMatte, ...]:
        """Mattes of a frame that are on disk and whole; others are left out."""
        return disk_mattes(resolve_output(output, self.folder), names, frame, self.view, side)

    def review(self, output: Output, names: Sequence[str]) -> Iterator[FrameReview]:
        """Which mattes are on disk, and how sure tracking was of them."""
        return reviewed(resolve_output(output, self.folder), names, self.plate.frames, self.view)

    def _grouped(
        self, objects: Sequence[TrackedObject]
    ) -> Iterator[tuple[ObjectGroup, Rehearsal, dict[str, list[Word]]]]:
        """Objects by region, with the rehearsal of that region and their words as it takes them."""
        words = {thing.name: [self._word(prompt) for prompt in thing.prompts] for thing in objects}
        for said in words.values():
            for word in said:
                check_prompt(word.prompt, self.plate)
        things = [
            Regional(thing.name, thing.region, [word.prompt for word in words[thing.name]])
            for thing in objects
        ]
        for group in object_groups(self.plate, things, self._tracking, self.model.config.mask_side):
            moved = {name: self._moved(words[name], group) for name in group.names}
            yield group, self._rehearsal(group.path), moved

    def _moved(self, words: Sequence[Word], group: ObjectGroup) -> list[Word]:
        """An object's words as the tracker of its region takes them; the last few are remembered."""
        key = tuple(word.mark for word in words), group.path
        moved = self._in_region.pop(key, None)
        if moved is None:
            told = self._look.prompts([word.prompt for word in words], group) if words else []
            moved = [Word(prompt, word.mark) for prompt, word in zip(told, words, strict=True)]
        self._in_region[key] = moved
        while len(self._in_region) > ROTOS:
            del self._in_region[next(iter(self._in_region))]
        return moved

    def _rehearsal(self, path: RegionPath | None) -> Rehearsal:
        """The rehearsal of a region, None for the whole plate; those used longest ago are dropped."""
        rehearsal = self._rehearsals.pop(path, None)
        if rehearsal is None:
            group = ObjectGroup((), self.plate, path)
            tracker = VideoTracker(
                self.model,
                group.plate,
                tracker_options(self._tracking),
                self.embeddings,
                tell=self._told.append,
                corner=group.corner,
            )
            rehearsal = Rehearsal(tracker)
        self._rehearsals[path] = rehearsal
        while len(self._rehearsals) > REGIONS:
            del self._rehearsals[next(iter(self._rehearsals))]
        return rehearsal

    def _forget_what_changed(self, frame: int, objects: Sequence[TrackedObject]) -> None:
        """Starts over where a frame that is shown or prompted was replaced on disk since it was seen."""
        frames = {frame, *(prompt.frame for thing in objects for prompt in thing.prompts)}
        first, last = self.plate.frames[0], self.plate.frames[-1]
        now = {one: self.plate.identity(one) for one in frames if first <= one <= last}
        replaced = [one for one, identity in now.items() if self._identities.get(one, identity) != identity]
        if replaced:
            self._replaced |= {*replaced}
            self._rehearsals.clear()
            self._in_region.clear()
            self._identities.clear()
        self._identities.update(now)

    def _word(self, prompt: Prompt) -> Word:
        placed = resolve_prompt(prompt, self.folder)
        if not isinstance(placed.mask, RotoFile):
            return Word(prompt, prompt)
        path = SequencePattern(placed.mask.path).path(prompt.frame, self.view)
        try:
            status = os.stat(path)
        except OSError as error:
            raise PlateError(
                f"The roto {path} cannot be read: {error.strerror}.", "Sample it again."
            ) from error
        mark = (prompt, status.st_size, status.st_mtime_ns)
        word = self._rotos.pop(mark, None) or Word(with_mask(placed, self.view), mark)
        self._rotos[mark] = word
        while len(self._rotos) > ROTOS:
            del self._rotos[next(iter(self._rotos))]
        return word
