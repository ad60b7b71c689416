"""Peak memory of tracking shots of 60, 240 and 960 frames: it must not grow with the shot.

Each length runs in a process of its own, on one generated clip that is drawn frame by frame, from one
click, forward through the whole shot; the process reports its peak resident set at the end and after
the first 60 frames. The embedding cache may hold 512 MB unless told otherwise, which a small model does
not fill in 960 frames; so that the rest can be seen it is held to 8 MB here. Run from the repository's root:

    python benchmarks/memory.py [--model efficienttam_demo] [--frames 60 240 960]
"""

from __future__ import annotations

import argparse
import json
import pathlib
import resource
import subprocess
import sys
import time

SIZE = (640, 360)


def measure(model_name: str, frames: int) -> dict[str, float]:
    """Tracks one shot in this process; peak memory in MB, seconds per frame."""
    import torch

    from efficienttam.contract.prompts import Prompt
    from efficienttam.model.build import build_model, find_config
    from efficienttam.tracking import EmbeddingCache, VideoTracker
    from efficienttam.training.clips import Clip, ClipRecipe, evaluation_seed
    from efficienttam.weights.load import load_model

    class Shot:
        """A generated clip as a plate; nothing but the recipe is held."""

        size = SIZE
        frames: range

        def __init__(self, count: int) -> None:
            self.frames = range(1001, 1001 + count)
            # The recipe says 60 frames whatever the length, so that all shots start alike.
            self.clip = Clip(ClipRecipe(evaluation_seed(0), 60, *SIZE))

        def read(self, frame: int):
            picture = self.clip.render((frame - 1001) % 60)[0]
            return (picture * 255 + 0.5).astype("uint8")

        def identity(self, frame: int) -> str:
            return str(frame)

    torch.manual_seed(0)
    small = model_name == "efficienttam_demo"
    model = load_model(model_name) if small else build_model(find_config(model_name))
    tracker = VideoTracker(model, Shot(frames), embeddings=EmbeddingCache(budget=8 * 2**20))
    hero = tracker.add_object("hero")
    tracker.add_prompt(hero, Prompt(1001, include=[(SIZE[0] / 2, SIZE[1] / 2)]))
    early = 0.0
    started = time.perf_counter()
    for count, _ in enumerate(tracker.track(), start=1):
        if count == 60:
            early = _peak()
    return {
        "frames": frames,
        "peak_mb_after_60": early,
        "peak_mb": _peak(),
        "seconds_per_frame": (time.perf_counter() - started) / frames,
    }


def _peak() -> float:
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="efficienttam_demo")
    parser.add_argument("--frames", type=int, nargs="+", default=[60, 240, 960])
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
    if arguments.one:
        print(json.dumps(measure(arguments.model, arguments.one)))
        return
    print("| frames | peak after 60 frames, MB | peak, MB | s per frame |\n|---|---|---|---|")
    for frames in arguments.frames:
        command = [sys.executable, __file__, "--model", arguments.model, "--one", str(frames)]
        result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print(
            f"| {frames} | {result['peak_mb_after_60']:.0f} | {result['peak_mb']:.0f} "
            f"| {result['seconds_per_frame']:.3f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
