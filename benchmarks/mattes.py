"""What each step of shaping does to mattes (``efficienttam eval steps``), with seconds; flicker; the rate.

Run from the root:

    python benchmarks/mattes.py [--size 4096x2160] [--seeds 2] [--cells 256]
    python benchmarks/mattes.py --flicker [--size 2048x1080]
    python benchmarks/mattes.py --plate P --truth T --channel red ...   (any EXR plate with rendered mattes)
    python benchmarks/mattes.py --rate [--size 4096x2160] [--model efficienttam_s]
"""

from __future__ import annotations

import argparse
import pathlib
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import numpy as np

from efficienttam.contract.job import Mattes
from efficienttam.evaluation.matte_errors import MatteErrors, matte_errors
from efficienttam.evaluation.report import mean_errors, told
from efficienttam.evaluation.scoring import PromptKind, prompt_from_truth
from efficienttam.evaluation.shaping_steps import STEPS, tracked
from efficienttam.evaluation.soft_plates import EdgeCase, SoftPlate, SoftRecipe
from efficienttam.evaluation.steps_cli import StepOptions, measure_steps
from efficienttam.evaluation.steps_report import to_markdown
from efficienttam.mattes.steadying import small_picture, steadied
from efficienttam.media import write_mattes
from efficienttam.model.efficienttam import EfficientTAM
from efficienttam.weights.load import load_model


def steps(options: StepOptions) -> None:
    """The tables of the steps, and the median seconds of each, errors not counted."""
    found = measure_steps(options, lambda line: print(line, file=sys.stderr, flush=True))
    print(to_markdown(found))
    seconds: dict[str, list[float]] = defaultdict(list)
    for one in found:
        seconds[f"{one.step}, {one.size[0]}x{one.size[1]}"].append(one.seconds)
    for step, times in seconds.items():
        print(f"{step}: {np.median(times):.2f} s per frame")


def flicker(size: tuple[int, int]) -> None:
    """A scene where nothing moves but the grain, and moving ones: before and after steadying."""
    model = load_model("efficienttam_demo", device="cpu")
    print("| plate | step | edge px | width | flicker |\n|---|---|---|---|---|")
    for case in (EdgeCase.STILL, EdgeCase.HARD, EdgeCase.MOTION):
        footage = SoftPlate(SoftRecipe(case, size, 6))
        for step in ("softness 2", "refine"):
            for reach, errors in steadied_errors(model, footage, STEPS[step]):
                means = mean_errors(errors)
                shown = (told(means[one], 3) for one in ("boundary", "width_ratio", "flicker"))
                cells = [case.value, f"{step}, steady {reach}" if reach else step, *shown]
                print(f"| {' | '.join(cells)} |", flush=True)


def steadied_errors(
    model: EfficientTAM, footage: SoftPlate, wish: Mattes
) -> Iterator[tuple[int, list[MatteErrors]]]:
    """Errors of tracked mattes steadied by 0, 1 and 2 frames on each side, from the third frame on."""
    drawn = tracked(model, footage, 0)
    frames = list(footage.frames)[1:]
    shown = {frame: small_picture(footage.read(frame)) for frame in frames}
    mattes = {frame: drawn.matte(frame, wish) for frame in frames}
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


RATES = {
    "defaults": "",
    "softness 2": "--softness 2",
    "softness 2, refine": "--softness 2 --refine unmix",
    "softness 2, refine, steady 1": "--softness 2 --refine unmix --steady 1",
}


def rate(size: tuple[int, int], model: str) -> None:
    """Frames a second of whole commands, from the first matte on disk to the last; medians of three commands
    that take turns. Nothing comes from the cache of embeddings."""
    found: dict[str, list[float]] = defaultdict(list)
    footage = SoftPlate(SoftRecipe(EdgeCase.HARD, size, 12))
    prompt = prompt_from_truth(PromptKind.BOX, footage.frames[0], footage.truth(footage.frames[0])[0])
    with tempfile.TemporaryDirectory() as folder:
        for frame in footage.frames:
            linear = (footage.read(frame) / 255) ** 2.4
            planes = np.moveaxis(linear.astype(np.float32), 2, 0)
            plate = f"{folder}/plate.{frame}.exr"
            write_mattes(plate, dict(zip(("red", "green", "blue"), planes, strict=True)))
        box = ",".join(f"{one:g}" for one in prompt.box or ())
        said = f"--box {prompt.frame}:{box} --model {model} --device cpu --cache off --progress none"
        for turn in range(3):
            for number, (name, wish) in enumerate(RATES.items()):
                out = f"{folder}/{turn}-{number}"
                command = ["matte", f"{folder}/plate.%04d.exr", "--out", f"{out}/m.%04d.exr"]
                subprocess.run(
                    [sys.executable, "-m", "efficienttam", *command, *said.split(), *wish.split()], check=True
                )
                written = sorted(one.stat().st_mtime for one in pathlib.Path(out).glob("*.exr"))
                found[name].append((len(written) - 1) / (written[-1] - written[0]))
    plain = np.median(found["defaults"])
    print("| `mattes` | frames/s | of the defaults |\n|---|---|---|")
    for name, every in found.items():
        print(f"| {name} | {np.median(every):.2f} | {np.median(every) / plain:.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", default="4096x2160")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--cells", type=int, default=256)
    parser.add_argument("--flicker", action="store_true")
    parser.add_argument("--rate", action="store_true")
    parser.add_argument("--model", default="efficienttam_demo")
    parser.add_argument("--plate", default="")
    parser.add_argument("--truth", default="")
    parser.add_argument("--channel", action="append", default=[])
    arguments = parser.parse_args()
    width, height = map(int, arguments.size.split("x"))
    if arguments.flicker:
        flicker((width, height))
        return
    if arguments.rate:
        rate((width, height), arguments.model)
        return
    steps(
        StepOptions(
            device="cpu",
            sizes=[(width, height)],
            seeds=arguments.seeds,
            cells=arguments.cells,
            plate=arguments.plate,
            truth=arguments.truth,
            channels=arguments.channel,
        )
    )


if __name__ == "__main__":
    main()
