"""What each step of shaping does to the errors of mattes, on generated plates with exact soft truth.

From ideal logits (the true matte reduced to the network's mask, as a perfect network would draw it) and from
logits that the demo weights tracked from a true mask on the first frame. Prints Markdown. Run from the root:

    python benchmarks/mattes.py [--size 4096x2160] [--seeds 2] [--cells 256]
    python benchmarks/mattes.py --flicker [--size 2048x1080]
    python benchmarks/mattes.py --plate P --truth T --channel red ...   (any EXR plate with rendered mattes)
"""

from __future__ import annotations

import argparse
import functools
import pathlib
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import cv2
import numpy as np

from efficienttam.contract.job import Mattes, Refine
from efficienttam.contract.prompts import Prompt
from efficienttam.evaluation.footage import Footage, RenderedFootage
from efficienttam.evaluation.matte_errors import MatteErrors, matte_errors
from efficienttam.evaluation.report import COLUMNS, mean_errors, told
from efficienttam.evaluation.soft_plates import EdgeCase, SoftPlate, SoftRecipe
from efficienttam.mattes.shaping import shaped_matte
from efficienttam.mattes.steadying import small_picture, steadied
from efficienttam.tracking import VideoTracker
from efficienttam.weights.load import load_model

#: Steps by name, each with the one before it.
STEPS = {
    "as drawn": Mattes(),
    "softness 2": Mattes(softness=2),
    "refine": Mattes(softness=2, refine=Refine.UNMIX),
    "refine, holes and specks": Mattes(softness=2, refine=Refine.UNMIX, fill_holes=60, remove_specks=200),
}
Logits = Callable[[int], np.ndarray]


def ideal(footage: Footage, index: int, cells: int) -> Logits:
    """Logits of a true matte reduced to cells, straight from -10 to 10."""

    def logits(frame: int) -> np.ndarray:
        reduced = cv2.resize(footage.truth(frame)[index], (cells, cells), interpolation=cv2.INTER_AREA)
        return 20 * reduced - 10

    return logits


def tracked(footage: Footage) -> list[Logits]:
    """Logits of the demo weights, prompted with the true mattes of the first frame."""
    tracker = VideoTracker(load_model("efficienttam_demo", device="cpu"), footage.plate)
    first = footage.plate.frames[0]
    ids = [tracker.add_object(name) for name in footage.objects]
    for id, truth in zip(ids, footage.truth(first), strict=True):
        if (truth >= 0.5).any():
            tracker.add_prompt(id, Prompt(frame=first, mask=truth))
    found = {result.frame: dict(result.logits) for result in tracker.track()}
    return [lambda frame, id=id: found[frame][id] for id in ids]


def measured(
    footage: Footage, index: int, logits: Logits, frames: Sequence[int]
) -> Iterator[tuple[str, MatteErrors, float]]:
    """Step, errors and seconds for some frames of an object."""
    for frame in frames:
        truth = footage.truth(frame)[index]
        picture = footage.plate.read(frame)
        low = logits(frame)
        for name, wish in STEPS.items():
            started = time.perf_counter()
            matte = shaped_matte(low, footage.plate.size, wish, lambda shown=picture: shown)
            took = time.perf_counter() - started
            yield name, matte_errors(matte, truth), took


def row(*cells: object) -> None:
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def heading(*cells: str) -> None:
    row(*cells)
    print("|" + "---|" * len(cells))


def numbers(errors: Sequence[MatteErrors], without: Sequence[str] = ("flicker",)) -> list[str]:
    means = mean_errors(errors)
    return [told(means[name], digits) for name, (_, digits) in COLUMNS.items() if name not in without]


def steps(size: tuple[int, int], seeds: int, cells: int) -> None:
    """Every case, the second frame of three (the first is prompted); means over seeds."""
    titles = [title for name, (title, _) in COLUMNS.items() if name != "flicker"]
    heading("plate", "logits", "step", *titles)
    seconds: dict[str, list[float]] = defaultdict(list)
    for case in EdgeCase:
        rows: dict[tuple[str, str], list[MatteErrors]] = defaultdict(list)
        for seed in range(seeds):
            footage = SoftPlate(SoftRecipe(case, size, 3, seed))
            sources = {"ideal": ideal(footage, 0, cells), "tracked": tracked(footage)[0]}
            for source, logits in sources.items():
                for step, errors, took in measured(footage, 0, logits, [1002]):
                    rows[source, step].append(errors)
                    seconds[step].append(took)
        for (source, step), found in rows.items():
            row(case.value, source, step, *numbers(found))
    print()
    for step, times in seconds.items():
        print(f"{step}: {np.median(times):.2f} s (errors not counted) per frame of {size[0]}x{size[1]}")


def flicker(size: tuple[int, int]) -> None:
    """A scene where nothing moves but the grain, and moving ones: before and after steadying."""
    heading("plate", "step", "edge px", "width", "flicker")
    for case in (EdgeCase.STILL, EdgeCase.HARD, EdgeCase.MOTION):
        footage = SoftPlate(SoftRecipe(case, size, 6))
        for step in ("softness 2", "refine"):
            for reach, errors in steadied_errors(footage, STEPS[step]):
                means = mean_errors(errors)
                shown = (told(means[one], 3) for one in ("boundary", "width_ratio", "flicker"))
                row(case.value, f"{step}, steady {reach}" if reach else step, *shown)


def steadied_errors(footage: SoftPlate, wish: Mattes) -> Iterator[tuple[int, list[MatteErrors]]]:
    """Errors of tracked mattes steadied by 0, 1 and 2 frames on each side, from the third frame on."""
    logits = tracked(footage)[0]
    frames = list(footage.frames)[1:]
    shown = {frame: small_picture(footage.read(frame)) for frame in frames}
    mattes = {
        frame: shaped_matte(logits(frame), footage.size, wish, functools.partial(footage.read, frame))
        for frame in frames
    }
    truth = {frame: footage.truth(frame)[0] for frame in frames}
    for reach in (0, 1, 2):
        steady = {}
        for frame in frames:
            beside = [one for one in frames if one != frame and abs(one - frame) <= reach]
            steady[frame] = steadied(
                mattes[frame], shown[frame], [(mattes[one], shown[one]) for one in beside]
            )
        yield (
            reach,
            [
                matte_errors(steady[frame], truth[frame], (steady[frame - 1], truth[frame - 1]))
                for frame in frames[1:]
            ],
        )


def rendered(footage: RenderedFootage, cells: int) -> None:
    """A plate with rendered mattes: every sixth frame."""
    titles = [title for name, (title, _) in COLUMNS.items() if name != "flicker"]
    heading("logits", "step", *titles)
    frames = list(footage.plate.frames)[1::6]
    found: dict[tuple[str, str], list[MatteErrors]] = defaultdict(list)
    for index, logits in enumerate(tracked(footage)):
        for source, given in (("ideal", ideal(footage, index, cells)), ("tracked", logits)):
            for step, errors, _ in measured(footage, index, given, frames):
                found[source, step].append(errors)
    for (source, step), errors in found.items():
        row(source, step, *numbers(errors))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", default="4096x2160")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--cells", type=int, default=256)
    parser.add_argument("--flicker", action="store_true")
    parser.add_argument("--plate", default="")
    parser.add_argument("--truth", default="")
    parser.add_argument("--channel", action="append", default=[])
    arguments = parser.parse_args()
    width, height = map(int, arguments.size.split("x"))
    if arguments.plate:
        rendered(RenderedFootage(arguments.plate, arguments.truth, arguments.channel), arguments.cells)
    elif arguments.flicker:
        flicker((width, height))
    else:
        steps((width, height), arguments.seeds, arguments.cells)


if __name__ == "__main__":
    main()
