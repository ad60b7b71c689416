"""What is learned from: objects on frames with mattes, as the network sees them, encoded once.

Shapes: T frames, S side of the network's input, C channels, H = W = S / 16, L = 4 H.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from efficienttam.contract.errors import PlateError
from efficienttam.finetune.matted_shot import MattedShot
from efficienttam.model.efficienttam import EfficientTAM
from efficienttam.tracking.network_input import frame_input, mask_input

#: Every so many frames with mattes one is held out.
HELD_EVERY = 4
#: Fewer frames with mattes than this teach nothing that could be checked.
FEWEST = 6


@dataclass(frozen=True)
class Take:
    """One object of one shot on T frames.

    ``embeddings`` (T, C, H, W), ``masks`` (T, S, S) bool, ``targets`` (T, L, L) 0 to 1; ``held`` (T,) bool
    tells the frames that are not learned from. ``mirrored`` takes are the same, left for right.
    """

    shot: str
    object: str
    frames: tuple[int, ...]
    held: np.ndarray
    embeddings: Tensor
    masks: Tensor
    targets: Tensor
    mirrored: bool = False

    @property
    def learned(self) -> np.ndarray:
        """Places of the frames that are learned from."""
        return np.flatnonzero(~self.held)

    @property
    def seen(self) -> np.ndarray:
        """(T,) bool: is the object there?"""
        return self.masks.flatten(1).any(1).numpy()


def held_out(shots: Sequence[MattedShot], every: int = HELD_EVERY) -> dict[str, tuple[int, ...]]:
    """Frames held out by shot: of all frames of plates with mattes, plate after plate, every ``every``-th,
    beginning with the middle one of the first so many. The same for the same mattes.

    A frame of a plate is held out of every shot of it: the other eye of a stereo plate looks almost like it,
    and another job on the plate has the very picture.

    Raises PlateError where there are too few, or ``every`` holds out none.
    """
    plate_of = {shot.name: shot.plate.every_view for shot in shots}
    plates: dict[str, set[int]] = {}
    for shot in shots:
        plates.setdefault(plate_of[shot.name], set()).update(shot.frames)
    places = [(plate, frame) for plate, frames in plates.items() for frame in sorted(frames)]
    if len(places) < FEWEST:
        raise PlateError(
            f"Frames with mattes: {len(places)}; at least {FEWEST} are needed, of which some are held out to "
            "see whether it helps.",
            "Make more mattes (twenty do well), on frames that differ; --frames all takes all there are.",
        )
    apart = set(places[every // 2 :: every])
    if not apart:
        raise PlateError(
            f"Of {len(places)} frames every {every}th is none: nothing would be held out.",
            f"Give --hold-out {HELD_EVERY}, or at most {2 * len(places) - 1}.",
        )
    return {
        shot.name: tuple(frame for frame in shot.frames if (plate_of[shot.name], frame) in apart)
        for shot in shots
    }


def make_takes(
    model: EfficientTAM,
    shots: Sequence[MattedShot],
    held: dict[str, tuple[int, ...]],
    tell: Callable[[int, int], None],
) -> list[Take]:
    """Encodes every frame with mattes, as it is and mirrored. ``tell(done, of)`` counts frames.

    Raises PlateError for a frame that cannot be read.
    """
    takes = []
    total, done = sum(len(shot.frames) for shot in shots), 0
    for shot in shots:
        encoded: list[dict[int, Tensor]] = [{}, {}]
        for frame in shot.frames:
            pixels = frame_input(shot.plate.read(frame), model.config.input_size)
            for mirrored in (0, 1):
                with torch.no_grad():
                    picture = pixels.flip(3) if mirrored else pixels
                    encoded[mirrored][frame] = model.encode_image(picture.to(model.device))[0].cpu()
            done += 1
            tell(done, total)
        for thing in shot.mattes:
            if shot.mattes[thing]:
                takes += _takes_of(model, shot, thing, held[shot.name], encoded)
    return takes


def _takes_of(
    model: EfficientTAM,
    shot: MattedShot,
    thing: str,
    held: tuple[int, ...],
    encoded: list[dict[int, Tensor]],
) -> list[Take]:
    """The take of an object, and the mirrored one."""
    frames = tuple(sorted(shot.mattes[thing]))
    side, low = model.config.input_size, model.config.mask_side
    masks, targets = [], []
    for frame in frames:
        matte = shot.matte(thing, frame)
        masks.append(mask_input(matte, side, torch.device("cpu"))[0, 0] > 0.5)
        pixels = torch.from_numpy(np.ascontiguousarray(matte, np.float32))[None, None]
        small = functional.interpolate(pixels, (low, low), mode="bilinear", antialias=True)
        targets.append(small[0, 0].clamp(0, 1))
    apart = np.array([frame in held for frame in frames])
    plain = Take(
        shot.name,
        thing,
        frames,
        apart,
        torch.stack([encoded[0][frame] for frame in frames]),
        torch.stack(masks),
        torch.stack(targets),
    )
    turned = torch.stack([encoded[1][frame] for frame in frames])
    mirror = Take(
        shot.name, thing, frames, apart, turned, plain.masks.flip(2), plain.targets.flip(2), mirrored=True
    )
    return [plain, mirror]
