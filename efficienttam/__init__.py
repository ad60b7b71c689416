"""EfficientTAM: a plate and a prompt in, EXR mattes out.

Importing this package imports nothing heavy; the names below are fetched when first used.
Standard library only here, Python 3.7 or newer.

    model = load_model("efficienttam_s", device="cuda")
    plate = FrameSequence("ab010_plate.%04d.exr", first=1001, last=1096)
    tracker = VideoTracker(model, plate)
    hero = tracker.add_object("hero")
    preview = tracker.prompt(hero, Prompt(frame=1001, include=[(812, 430)], exclude=[(640, 700)]))
    for result in tracker.propagate(start=1001):
        write_matte(f"hero.{result.frame:04d}.exr", result.mattes[hero])
"""

import importlib
from typing import Any, List

__version__ = "0.1.0"

_HOMES = {
    "load_model": "weights.load",
    "FrameSequence": "media",
    "write_matte": "media",
    "write_mattes": "media",
    "VideoTracker": "tracking",
    "TrackerOptions": "tracking",
    "ImageSegmenter": "tracking",
    "Prompt": "contract.prompts",
    "RotoFile": "contract.prompts",
    "Direction": "contract.passes",
    "TrackJob": "contract.job",
    "read_job": "contract.document",
    "write_job": "contract.document",
    "run_job": "run",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> List[str]:
    return sorted(set(globals()) | set(__all__))
