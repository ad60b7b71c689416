"""The two stages of the paper as numbers.

Paper: Efficient Track Anything (Xiong et al., 2024), appendix on training; clicks, corrected frames and the
bound of the gradient are those of SAM 2, whose training the paper takes over.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from efficienttam.training.augmentation import Augmentation
from efficienttam.training.layered_adamw import CosineSchedule, Rates, RootSchedule
from efficienttam.training.loop import Schedule
from efficienttam.training.samples import SampleRecipe

BATCH = 256
#: Loss weights focal:dice:IoU:object are those of ``losses``: 20, 1, 1, 1.
DECAY, LAYER_DECAY, CLIP = 0.1, 0.8, 0.1


@dataclass(frozen=True)
class PaperStage:
    """One stage: ``steps`` of a whole run, peak ``rates``, ``samples``; parameters whose names begin with
    one of ``unused`` are left as they are. ``number`` tells the stages' random numbers apart."""

    name: str
    number: int
    steps: int
    rates: Rates
    schedule: Schedule
    samples: SampleRecipe
    unused: tuple[str, ...]

    def scaled(self, rate: float) -> PaperStage:
        """The same at ``rate`` times the peak rates."""
        rates = replace(self.rates, encoder=rate * self.rates.encoder, rest=rate * self.rates.rest)
        return replace(self, rates=rates)


STILLS = PaperStage(
    name="stills",
    number=1,
    steps=90_000,
    rates=Rates(encoder=4e-4, rest=4e-4, layer_decay=LAYER_DECAY),
    schedule=RootSchedule(steps=90_000, warm_up=1_000, cool_down=5_000),
    samples=SampleRecipe(
        frames=1,
        most_objects=64,
        most_in_image=64,
        kinds=(0.5, 0.5, 0.0),
        corrected_frames=1,
        clicks=7,
        augmentation=Augmentation(flip=0.5),
    ),
    # What only memory uses has no gradient here.
    unused=("memory_", "maskmem", "no_mem_pos", "no_obj_ptr", "obj_ptr_proj", "mask_downsample"),
)

SEQUENCES = PaperStage(
    name="sequences",
    number=2,
    steps=300_000,
    rates=Rates(encoder=6e-5, rest=3e-4, layer_decay=LAYER_DECAY),
    schedule=CosineSchedule(steps=300_000, warm_up=15_000),
    samples=SampleRecipe(
        frames=8,
        most_objects=3,
        most_in_image=64,
        kinds=(0.25, 0.25, 0.5),
        corrected_frames=2,
        clicks=7,
        augmentation=Augmentation(
            flip=0.5, turn=25.0, shear=20.0, brightness=0.1, contrast=0.03, saturation=0.03, grey=0.05
        ),
    ),
    unused=("no_mem_pos",),
)
