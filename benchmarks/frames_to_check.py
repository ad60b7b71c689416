"""Are the mattes that ``efficienttam review`` flags the wrong ones? Precision and recall against truth.

    python benchmarks/frames_to_check.py [--clips 30] [--crossing 14] [--twoballs FOLDER] [--tuning]

A matte is wrong where its IoU with the truth is below 0.7. Every clip is written to disk, tracked as a job
from one click or one box on its first frame, and reviewed from its files, with and without --both-ways.
Clips of the first kind are as training draws them, with other seeds; in those of the second two things that
may look alike cross. ``--tuning`` takes the seeds that the thresholds were chosen on; never report those.
FOLDER is a folder with plate_exr and matte_exr.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from efficienttam.cli import main as efficienttam
from efficienttam.contract.document import write_job
from efficienttam.contract.job import Output, Plate, TrackedObject, TrackJob
from efficienttam.evaluation.metrics import region_similarity
from efficienttam.evaluation.scoring import PromptKind, prompt_from_truth
from efficienttam.media import read_roto, write_png
from efficienttam.training.clips import Clip, ClipRecipe, evaluation_seed

WRONG = 0.7
FRAMES, SIZE = 24, (320, 180)
FIRST = {("plain", False): 2000, ("crossing", False): 4000, ("plain", True): 1000, ("crossing", True): 3000}

Truth = Mapping[tuple[str, int], np.ndarray]


def generated(kind: str, tuning: bool, count: int, folder: Path) -> Iterator[tuple[Path, Truth]]:
    """Job documents of generated clips, and the truth of object and frame as (height, width) bool."""
    index, made = FIRST[kind, tuning] - 1, 0
    while made < count:
        index += 1
        crossing = FRAMES / 2 if kind == "crossing" else 0.0
        clip = Clip(ClipRecipe(evaluation_seed(index), FRAMES, *SIZE, crossing=crossing))
        areas = clip.render(0)[1].mean((1, 2))
        hero = int(areas.argmax())
        if areas[hero] < 0.01:
            continue
        made += 1
        home = folder / f"{kind}{index}"
        home.mkdir()
        truth = {}
        for time in range(FRAMES):
            picture, mattes = clip.render(time)
            write_png(home / f"plate.{1 + time:04d}.png", np.rint(picture * 255).astype(np.uint8))
            truth["hero", 1 + time] = mattes[hero] >= 0.5
        word = PromptKind.CLICK if made % 2 else PromptKind.BOX
        prompt = prompt_from_truth(word, 1, truth["hero", 1].astype(np.float32))
        job = TrackJob(
            plate=Plate("plate.%04d.png"),
            objects=(TrackedObject("hero", (prompt,)),),
            output=Output("mattes/{object}.%04d.exr"),
        )
        write_job(job, str(home / "shot.job.json"))
        yield home / "shot.job.json", truth


def two_balls(source: Path, folder: Path) -> Iterator[tuple[Path, Truth]]:
    """A plate with rendered soft mattes, a channel per object; one click each on the first frame."""
    plates, rendered = (sorted((source / name).glob("*.exr")) for name in ("plate_exr", "matte_exr"))
    first = int(plates[0].name.split(".")[-2])
    truth, objects = {}, []
    for name, channel in (("one", "ball1.A"), ("two", "ball2.A")):
        for offset, path in enumerate(rendered):
            truth[name, first + offset] = read_roto(str(path), channel) >= 0.5
        click = prompt_from_truth(PromptKind.CLICK, first, truth[name, first].astype(np.float32))
        objects.append(TrackedObject(name, (click,)))
    pattern = str(plates[0]).replace(f".{plates[0].name.split('.')[-2]}.", ".%04d.")
    job = TrackJob(Plate(pattern), tuple(objects), Output("mattes/{object}.%04d.exr"))
    home = folder / "two_balls"
    home.mkdir()
    write_job(job, str(home / "shot.job.json"))
    yield home / "shot.job.json", truth


def reviewed(job: Path, *more: str) -> dict[str, Any]:
    """review.json of a job."""
    with contextlib.redirect_stdout(io.StringIO()) as told:
        assert efficienttam(["review", str(job), "--json", "--progress", "none", *more]) == 0
    return dict(json.loads(told.getvalue()))


def count(job: Path, truth: Truth, review: dict[str, Any], into: Counter[str]) -> None:
    """Counts right and wrong mattes, flagged and not; prompted frames are the artist's and do not count."""
    for thing in review["objects"]:
        flagged = {check["frame"]: check["reasons"] for check in thing["checks"]}
        for score in thing["scores"]:
            frame = score["frame"]
            if score["prompted"]:
                continue
            matte = read_roto(str(job.parent / "mattes" / f"{thing['name']}.{frame:04d}.exr")) >= 0.5
            wrong = region_similarity(matte, truth[thing["name"], frame]) < WRONG
            into["wrong" if wrong else "right"] += 1
            into["hit" if wrong else "false"] += frame in flagged
            for reason in flagged.get(frame, ()):
                into[
                    f"{'hit' if wrong else 'false'} by {reason.split(' (')[0].split(' +')[0].split(' -')[0]}"
                ] += 1


def row(name: str, found: Counter[str]) -> str:
    hit, false = found["hit"], found["false"]
    precision = hit / (hit + false) if hit + false else float("nan")
    recall = hit / found["wrong"] if found["wrong"] else float("nan")
    whole = found["wrong"] + found["right"]
    return f"| {name} | {whole} | {found['wrong']} | {hit + false} | {precision:.2f} | {recall:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--clips", type=int, default=30)
    parser.add_argument("--crossing", type=int, default=14)
    parser.add_argument("--twoballs", type=Path)
    parser.add_argument("--tuning", action="store_true")
    args = parser.parse_args()
    os.environ.setdefault("EFFICIENTTAM_CACHE_SIZE", "2G")
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["EFFICIENTTAM_CACHE"] = str(folder / "cache")
        sources = {
            "plain": generated("plain", args.tuning, args.clips, folder),
            "crossing": generated("crossing", args.tuning, args.crossing, folder),
        }
        if args.twoballs:
            sources["two balls"] = two_balls(args.twoballs, folder)
        for kind, clips in sources.items():
            plain: Counter[str] = Counter()
            both: Counter[str] = Counter()
            for job, truth in clips:
                assert efficienttam(["track", str(job), "--progress", "none"]) == 0
                count(job, truth, reviewed(job), plain)
                count(job, truth, reviewed(job, "--both-ways"), both)
                print(job.parent.name, dict(both), flush=True)
            rows += [row(kind, plain), row(f"{kind}, `--both-ways`", both)]
            print({key: value for key, value in sorted(both.items()) if " by " in key})
            print("\n".join(rows), flush=True)
    print("| clips | mattes | wrong | flagged | precision | recall |\n|---|---|---|---|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
