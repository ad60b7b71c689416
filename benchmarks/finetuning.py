"""What fine-tuning on a show brings, on pictures it never saw, and what it costs elsewhere.

    python benchmarks/finetuning.py --out results.jsonl look --seeds 1 2 3
    python benchmarks/finetuning.py --out results.jsonl half --folder open_twoballs

``look``: a show is five generated clips under a dark, blue, noisy look, with mattes on four frames of
each. Scored on later frames of these clips, on other clips of that look, and on clips without it. ``half``:
mattes of half a shot, scored on its other half. Every run adds a line of JSON to ``--out``.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from efficienttam.contract.passes import Direction
from efficienttam.contract.prompts import Prompt
from efficienttam.evaluation.footage import GeneratedFootage
from efficienttam.evaluation.metrics import region_similarity
from efficienttam.finetune.course import TuneRecipe, tune
from efficienttam.finetune.matted_shot import MattedShot, MatteFile, MatteWish, open_shots
from efficienttam.finetune.parts import parts_told
from efficienttam.finetune.takes import held_out, make_takes
from efficienttam.mattes.edges import thickest_place
from efficienttam.model.efficienttam import EfficientTAM
from efficienttam.tracking import EmbeddingCache, TrackerOptions, VideoTracker
from efficienttam.weights.load import load_model

SIZE = (320, 180)


class Looked:
    """A generated clip under a look: dark, blue, noisy; or plain."""

    def __init__(self, index: int, frames: int, look: bool) -> None:
        self._clip, self.look = GeneratedFootage(index, frames, SIZE), look
        self.name, self.size, self.frames = self._clip.name, SIZE, self._clip.frames
        self.share = self._clip.share

    def read(self, frame: int) -> np.ndarray:
        picture = self._clip.read(frame)
        if not self.look:
            return picture
        rng = np.random.default_rng((7, frame))
        dark = picture / 255 * 0.22 * np.array([0.6, 0.8, 1.1])
        return (np.clip(dark + rng.normal(0, 0.025, picture.shape), 0, 1) * 255 + 0.5).astype(np.uint8)

    def identity(self, frame: int) -> str:
        return f"{self._clip.identity(frame)} {self.look}"

    @property
    def every_view(self) -> str:
        return self.name

    def truth(self, frame: int) -> np.ndarray:
        return self._clip.truth(frame)[0]


class _Drawn(MatteFile):
    """A matte of a generated clip."""

    def read(self) -> np.ndarray:
        return CLIPS[self.path].truth(int(self.channel))


CLIPS: dict[str, Looked] = {}


def clips(first: int, count: int, frames: int, look: bool) -> list[Looked]:
    """So many clips from an index on whose object covers 2 to 30 % of the first frame."""
    found: list[Looked] = []
    while len(found) < count:
        clip = Looked(first, frames, look)
        if 0.02 <= clip.share <= 0.3:
            found.append(clip)
        first += 1
    return found


def show(seed: int) -> list[MattedShot]:
    """Five shots with mattes on four frames each."""
    shots = []
    for clip in clips(1000 * seed, 5, 10, look=True):
        CLIPS[clip.name] = clip
        files = {
            frame: _Drawn(clip.name, str(frame)) for frame in (1, 4, 7, 10) if clip.truth(frame).max() > 0.5
        }
        shots.append(MattedShot(clip.name, clip, {"hero": files}))  # type: ignore[arg-type]
    return shots


def tracked_j(
    model: EfficientTAM, cache: EmbeddingCache, plate: Any, truths: Sequence[Any], first: int
) -> float:
    """Mean J of all frames after ``first``, of a click and of a mask there, over all objects."""
    found = []
    for truth in truths:
        start = truth(first)
        if not (start > 0.5).any():
            continue
        for prompt in (Prompt(frame=first, mask=start), Prompt(frame=first, include=(thickest(start),))):
            tracker = VideoTracker(model, plate, TrackerOptions(), cache)
            id = tracker.add_object("hero")
            tracker.add_prompt(id, prompt)
            for result in tracker.propagate(start=first, direction=Direction.FORWARD):
                if result.frame != first:
                    found.append(region_similarity(result.mattes[id] >= 0.5, truth(result.frame) >= 0.5))
    return float(np.mean(found))


def thickest(matte: np.ndarray) -> tuple[float, float]:
    x, y = thickest_place(matte > 0.5)
    return x + 0.5, y + 0.5


def run(args: argparse.Namespace, name: str, shots: list[MattedShot], tests: dict[str, list[Any]]) -> None:
    """One tuning; ``tests`` are (plate, truths, first frame) by name. Embeddings are those of one encoder."""
    model = load_model(device="cpu", threads=args.threads)
    cache = EmbeddingCache()
    before = {kind: [tracked_j(model, cache, *test) for test in group] for kind, group in tests.items()}
    print(name, "before", {kind: round(float(np.mean(js)), 4) for kind, js in before.items()}, flush=True)
    takes = make_takes(model, shots, held_out(shots), lambda done, of: None)
    for parts in args.parts:
        tuned = copy.deepcopy(model)
        recipe = TuneRecipe(
            parts_told(parts), steps=args.steps, minutes=60, rate=args.rate, pull=args.pull, seed=args.seed
        )
        began, cpu = time.monotonic(), time.process_time()
        outcome = tune(tuned, takes, recipe, lambda report: say(report), lambda: False)
        seconds, cpu = time.monotonic() - began, time.process_time() - cpu
        after = {kind: [tracked_j(tuned, cache, *test) for test in group] for kind, group in tests.items()}
        line = {
            "experiment": name,
            "parts": parts,
            "rate": args.rate,
            "pull": args.pull,
            "seed": args.seed,
            "steps": outcome.steps,
            "best_step": outcome.best_step,
            "seconds": round(seconds),
            "cpu_seconds": round(cpu),
            "held_out": [round(outcome.before.mean, 4), round(outcome.best.mean, 4)],
            "before": {kind: [round(j, 4) for j in js] for kind, js in before.items()},
            "after": {kind: [round(j, 4) for j in js] for kind, js in after.items()},
        }
        with open(args.out, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        means = {kind: round(float(np.mean(js)), 4) for kind, js in after.items()}
        print(name, parts, "held out", line["held_out"], "after", means, f"{cpu:.0f} s of CPU", flush=True)


def say(report: Any) -> None:
    if report.score:
        print(
            "  step", report.step, f"loss {report.loss:.3f}", f"held-out {report.score.mean:.4f}", flush=True
        )


def look(args: argparse.Namespace) -> None:
    """Later frames of the show, other clips of the look, and clips without it; other ones per seed."""
    for seed in args.seeds:
        args.seed = seed
        tests = {
            "look": clips(1000 * seed + 500, args.clips, args.frames, look=True),
            "general": clips(1000 * seed + 700, args.clips, args.frames, look=False),
        }
        told = {kind: [(clip, [clip.truth], 1) for clip in group] for kind, group in tests.items()}
        later = clips(1000 * seed, 5, 10 + args.frames, look=True)
        told["later"] = [(clip, [clip.truth], 11) for clip in later if clip.truth(11).max() > 0.5]
        run(args, f"look {seed}", show(seed), told)


def half(args: argparse.Namespace) -> None:
    """The first half of the shot is learned from, the second one scored."""
    wish = MatteWish(
        "plate_exr/plate.%04d.exr", "matte_exr/matte.%04d.exr", ("ball1.A", "ball2.A"), frames="1001-1024"
    )
    (shot,) = open_shots(args.folder, wish)
    (whole,) = open_shots(args.folder, MatteWish(wish.plate, wish.mattes, wish.channels, frames="1001-1048"))
    truths = [
        lambda frame, thing=thing: whole.matte(thing, frame)  # type: ignore[misc]
        for thing in whole.mattes
    ]
    general = clips(700, args.clips, args.frames, look=False)
    for seed in args.seeds:
        args.seed = seed
        tests: dict[str, list[Any]] = {
            "second half": [(whole.plate, [truth], 1025) for truth in truths],
            "general": [(clip, [clip.truth], 1) for clip in general],
        }
        run(args, f"half {seed}", [shot], tests)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("kind", choices=["look", "half"])
    parser.add_argument("--out", type=Path, default=Path("finetuning.jsonl"))
    parser.add_argument("--folder", default="../shared/data/open_twoballs")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--parts", nargs="+", default=[",".join(TuneRecipe().parts)])
    parser.add_argument("--steps", type=int, default=TuneRecipe().steps)
    parser.add_argument("--rate", type=float, default=TuneRecipe().rate)
    parser.add_argument("--pull", type=float, default=TuneRecipe().pull)
    parser.add_argument("--clips", type=int, default=4, help="that are scored, of each kind")
    parser.add_argument("--frames", type=int, default=10, help="of a clip that is scored")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    {"look": look, "half": half}[args.kind](args)


if __name__ == "__main__":
    main()
