"""One open plate: frames to look at, previews, mattes on disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterator, Sequence

from ..batch.footage import open_plate
from ..batch.matte_score import placed, score_of
from ..batch.open_job import LoadModel, tracker_options, with_mask
from ..contract.cache_settings import cache_settings
from ..contract.document import resolve_model, resolve_output, resolve_plate, resolve_prompt
from ..contract.errors import PlateError
from ..contract.job import Output
from ..contract.messages import FrameReview, ObjectMatte, OpenPlate, PlateOpened
from ..contract.prompts import Prompt, RotoFile
from ..contract.sequence import SequencePattern
from ..tracking import EmbeddingCache, EmbeddingStore, VideoTracker
from ..tracking.rehearsal import Rehearsal, Word
from .disk_mattes import disk_mattes, reviewed
from .pictures import matte_png, write_ppm

#: Roto masks kept in memory, each as large as a plate.
ROTOS = 8


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
        self._options = tracker_options(wish.tracking)
        self._identities: dict[int, str] = {}
        self._replaced: set[int] = set()
        self._rehearsal = self._new_rehearsal()

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
        self, frame: int, objects: Sequence[tuple[str, Sequence[Prompt]]], side: int
    ) -> tuple[tuple[ObjectMatte, ...], tuple[str, ...]]:
        """Objects with all their prompts on a frame, and what the artist should know of them.

        Raises PromptError, PlateError.
        """
        self._told.clear()
        self._forget_what_changed(frame, objects)
        result, ids = self._rehearsal.show(frame, self._words(objects))
        prompted = {name: {prompt.frame for prompt in prompts} for name, prompts in objects}
        mattes = tuple(
            ObjectMatte(
                name,
                matte_png(result.mattes[id], side),
                placed(score_of(result, id, frame in prompted[name]), result.mattes[id]),
            )
            for name, id in ids.items()
        )
        return mattes, tuple(self._told)

    def ready(self, frame: int, objects: Sequence[tuple[str, Sequence[Prompt]]]) -> None:
        """Does ahead what a prompt on this frame would wait for. Raises as ``preview`` does."""
        self._forget_what_changed(frame, objects)
        self._rehearsal.ready(frame, self._words(objects))

    def mattes(self, output: Output, names: Sequence[str], frame: int, side: int) -> tuple[ObjectMatte, ...]:
        """Mattes of a frame that are on disk and whole; others are left out."""
        return disk_mattes(resolve_output(output, self.folder), names, frame, self.view, side)

    def review(self, output: Output, names: Sequence[str]) -> Iterator[FrameReview]:
        """Which mattes are on disk, and how sure tracking was of them."""
        return reviewed(resolve_output(output, self.folder), names, self.plate.frames, self.view)

    def _new_rehearsal(self) -> Rehearsal:
        tell = self._told.append
        return Rehearsal(VideoTracker(self.model, self.plate, self._options, self.embeddings, tell=tell))

    def _forget_what_changed(self, frame: int, objects: Sequence[tuple[str, Sequence[Prompt]]]) -> None:
        """Starts over where a frame that is shown or prompted was replaced on disk since it was seen."""
        frames = {frame, *(prompt.frame for _, prompts in objects for prompt in prompts)}
        first, last = self.plate.frames[0], self.plate.frames[-1]
        now = {one: self.plate.identity(one) for one in frames if first <= one <= last}
        replaced = [one for one, identity in now.items() if self._identities.get(one, identity) != identity]
        if replaced:
            self._replaced |= {*replaced}
            self._rehearsal = self._new_rehearsal()
            self._identities.clear()
        self._identities.update(now)

    def _words(self, objects: Sequence[tuple[str, Sequence[Prompt]]]) -> dict[str, list[Word]]:
        return {name: [self._word(prompt) for prompt in prompts] for name, prompts in objects}

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
