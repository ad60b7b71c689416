"""What a region, its padding and a border around the plate do to mattes.

Generated plates with exact soft truth, `efficienttam_demo`. Per plate figures are means over its frames, the
tables show their medians: `boundary` is the mean distance of the 0.5 contours in plate pixels, `IoU` that of
the masks above 0.5, `width` how wide the edge is against the true one. Run from the root:

    python benchmarks/regions.py sharpness [--size 3840x2160] [--plates 6] [--picture regions.png]
    python benchmarks/regions.py border [--size 960x540] [--plates 6]
    python benchmarks/regions.py reading [--size 3840x2160]
"""

from __future__ import annotations

import argparse
import functools
import pathlib
import sys
import tempfile
import time
from collections.abc import Callable, Sequence

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import cv2
import numpy as np

from efficienttam.batch.first_look import FirstLook
from efficienttam.batch.object_groups import ObjectGroup, Regional, object_groups
from efficienttam.contract.job import Tracking
from efficienttam.contract.prompts import Prompt
from efficienttam.contract.region import Follow, Region
from efficienttam.evaluation.matte_errors import boundary_distance, edge_width
from efficienttam.evaluation.metrics import region_similarity
from efficienttam.evaluation.scoring import PromptKind, prompt_from_truth
from efficienttam.evaluation.soft_plates import EdgeCase, SoftPlate, SoftRecipe
from efficienttam.media import FrameSequence, write_mattes, write_png
from efficienttam.model.efficienttam import EfficientTAM
from efficienttam.tracking import ArrayFrames, EmbeddingCache, FrameSource, TrackerOptions, VideoTracker
from efficienttam.tracking.region_boxes import box_of_logits
from efficienttam.tracking.region_path import still_path
from efficienttam.tracking.region_plate import Fill, RegionPlate, into_region, onto_plate
from efficienttam.weights.load import load_model

Array = np.ndarray
Mattes = dict[int, Array]
FRAMES = 6


def drawn(recipe: SoftRecipe) -> tuple[FrameSource, Mattes]:
    """A plate in memory, and its truth, 0 to 1."""
    made = SoftPlate(recipe)
    pictures, truth = [], {}
    for frame in made.frames:
        pictures.append(made.read(frame))
        truth[frame] = made.truth(frame)[0].astype(np.float16)
    return ArrayFrames(np.stack(pictures), made.frames[0]), truth


def grouped(
    model: EfficientTAM, plate: FrameSource, prompt: Prompt, region: Region | None, embeddings: EmbeddingCache
) -> ObjectGroup:
    """The object in its region, as a job has it."""
    found = None
    if region is not None and region.follow is Follow.TRACK:
        tracker = VideoTracker(model, plate, TrackerOptions(), embeddings)
        id = tracker.add_object("hero")
        tracker.add_prompt(id, prompt)
        boxes = {result.frame: box_of_logits(result.logits[id], plate.size) for result in tracker.track()}
        found = {frame: box for frame, box in boxes.items() if box is not None}
    side = model.config.mask_side
    (group,) = object_groups(plate, [Regional("hero", region, [prompt], found)], Tracking(), side)
    return group


def tracked(model: EfficientTAM, plate: FrameSource, prompt: Prompt, embeddings: EmbeddingCache) -> Mattes:
    """Mattes of what the tracker sees, from one prompt."""
    tracker = VideoTracker(model, plate, None, embeddings)
    id = tracker.add_object("hero")
    tracker.add_prompt(id, prompt)
    return {result.frame: result.mattes[id] for result in tracker.track()}


def errors(mattes: Mattes, truth: Mattes) -> tuple[float, float, float]:
    """Boundary distance, IoU and the share of the true edge's width, means over frames."""
    rows = []
    for frame, whole in mattes.items():
        seen = np.maximum(whole, truth[frame]) > 0
        rows_seen, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
        top, left = max(rows_seen[0] - 4, 0), max(columns[0] - 4, 0)
        window = np.s_[top : rows_seen[-1] + 5, left : columns[-1] + 5]
        matte, true = whole[window], truth[frame][window].astype(np.float32)
        same = region_similarity(matte >= 0.5, true >= 0.5)
        rows.append((boundary_distance(matte, true), same, edge_width(matte) / edge_width(true)))
    with np.errstate(all="ignore"):
        boundary, same, width = np.nanmean(np.array(rows), axis=0)
    return float(boundary), float(same), float(width)


def told(rows: dict[tuple[str, ...], list[tuple[float, ...]]], heads: Sequence[str]) -> None:
    """Prints a table: medians over plates, for one lost object must not hide the others."""
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for key, values in rows.items():
        cells = [f"{value:.2f}" for value in np.nanmedian(np.array(values), axis=0)]
        worst = np.nanmax(np.array(values)[:, 0])
        print("| " + " | ".join([*key, *cells, f"{worst:.1f}"]) + " |", flush=True)


def sharpness(model: EfficientTAM, size: tuple[int, int], plates: int, picture: str) -> None:
    """An object of 200 pixels on 4K, in the whole frame and in regions."""
    rows: dict[tuple[str, ...], list[tuple[float, ...]]] = {}
    for seed in range(plates):
        plate, truth = drawn(SoftRecipe(EdgeCase.SMALL, size, FRAMES, seed))
        whole = EmbeddingCache()
        shown = {}
        for kind in (PromptKind.CLICK, PromptKind.BOX, PromptKind.MASK):
            prompt = prompt_from_truth(kind, plate.frames[0], truth[plate.frames[0]])
            regions: list[tuple[str, Region | None]] = [("whole frame", None)]
            regions += [(f"track, {room:g}", Region(Follow.TRACK, room)) for room in (0.25, 0.5, 1.0)]
            if kind is not PromptKind.CLICK:
                regions += [("prompts, 0.5", Region(Follow.PROMPTS, 0.5))]
            for name, region in regions:
                group = grouped(model, plate, prompt, region, whole)
                look = FirstLook(model, plate, 0.0, TrackerOptions(), whole)
                (moved,) = look.prompts([prompt], group)
                found = tracked(model, group.plate, moved, whole)
                mattes = {frame: group.matte(matte, frame) for frame, matte in found.items()}
                rows.setdefault((kind.value, name), []).append(errors(mattes, truth))
                print(seed, kind.value, name, *(f"{x:.2f}" for x in rows[kind.value, name][-1]))
                if kind is PromptKind.BOX and name in ("whole frame", "track, 0.5"):
                    shown[name] = mattes
        if picture and seed == 0:
            write_png(picture, side_by_side(plate, truth, list(shown.values())))
    told(rows, ("prompt", "region, padding", "boundary, px", "IoU", "width", "worst boundary"))


def side_by_side(plate: FrameSource, truth: Mattes, columns: Sequence[Mattes]) -> Array:
    """The last frame at 100 % around the object, for each way: the plate under the matte's contour above,
    the matte below; the truth comes last."""
    frame = plate.frames[-1]
    known = truth[frame].astype(np.float32)
    rows, places = np.flatnonzero(known.any(1)), np.flatnonzero(known.any(0))
    top, left = int(rows.mean()) - 150, int(places.mean()) - 150
    window = np.s_[top : top + 300, left : left + 300]
    tiles = []
    for matte in [*(mattes[frame] for mattes in columns), known]:
        image = plate.read(frame)[window].copy()
        inside = (matte[window] >= 0.5).astype(np.uint8)
        contours, _ = cv2.findContours(inside, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(image, contours, -1, (255, 230, 0), 1)
        grey = np.rint(matte[window] * 255).astype(np.uint8)
        tiles.append(np.vstack([image, np.repeat(grey[..., None], 3, 2)]))
    return np.hstack(tiles)


def border(model: EfficientTAM, size: tuple[int, int], plates: int) -> None:
    """Objects cut by the frame's edge, with and without a margin around the plate."""
    width, height = size
    rows: dict[tuple[str, ...], list[tuple[float, ...]]] = {}
    for seed in range(plates):
        plate, truth = drawn(SoftRecipe(EdgeCase.BORDER, size, FRAMES, seed))
        for kind in (PromptKind.CLICK, PromptKind.BOX):
            prompt = prompt_from_truth(kind, plate.frames[0], truth[plate.frames[0]])
            for share, fill in ((0.0, Fill.HOLD), *((s, f) for s in (0.06, 0.125) for f in Fill)):
                x, y = round(share * width), round(share * height)
                path = still_path(plate.frames, (width + 2 * x, height + 2 * y), (-x, -y))
                moved = into_region(prompt, path, size, fill)
                found = tracked(model, RegionPlate(plate, path, fill), moved, EmbeddingCache())
                mattes = {frame: onto_plate(matte, path, frame, size) for frame, matte in found.items()}
                key = (kind.value, f"{share:g}", fill.name.lower() if share else "")
                strip = near_edge(mattes, truth)
                rows.setdefault(key, []).append((strip, errors(mattes, truth)[0]))
                print(seed, *key, *(f"{x:.2f}" for x in rows[key][-1]))
    told(rows, ("prompt", "border", "fill", "wrong near the edge, px", "boundary, px", "worst near the edge"))


def near_edge(mattes: Mattes, truth: Mattes) -> float:
    """Wrong pixels within 6 % of the height from the frame's edge, per pixel of edge that the object
    touches."""
    wrong, touched = 0, 0
    for frame, matte in mattes.items():
        known = truth[frame] >= 0.5
        reach = round(0.06 * len(known))
        strip = np.ones_like(known)
        strip[reach:-reach, reach:-reach] = False
        wrong += np.count_nonzero(((matte >= 0.5) ^ known) & strip)
        touched += sum(map(np.count_nonzero, (known[0], known[-1], known[:, 0], known[:, -1])))
    return wrong / max(touched, 1)


def reading(size: tuple[int, int]) -> None:
    """A frame read whole and as a region of 400 x 400 pixels; the fastest of several."""
    width, height = size
    image = np.random.default_rng(0).random((height, width, 3), np.float32)
    print("| file, colour | whole, ms | region, ms |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        channels = {name: image[..., i] for i, name in enumerate(("red", "green", "blue"))}
        write_mattes(f"{folder}/plate.0001.exr", channels)
        for space in ("", "ACEScg"):
            plate = FrameSequence(f"{folder}/plate.%04d.exr", color_space=space)
            whole = fastest(functools.partial(plate.read, 1))
            part = fastest(functools.partial(plate.read_window, 1, width // 2, height // 2, 400, 400))
            print(f"| half EXR, {space or 'linear'} | {1000 * whole:.0f} | {1000 * part:.0f} |")


def fastest(work: Callable[[], object]) -> float:
    """Seconds of the fastest of seven runs after a first."""
    work()
    times = []
    for _ in range(7):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description="What regions and borders do to mattes.")
    parser.add_argument("what", choices=["sharpness", "border", "reading"])
    parser.add_argument("--size", default="")
    parser.add_argument("--plates", type=int, default=6)
    parser.add_argument("--picture", default="")
    arguments = parser.parse_args()
    size = arguments.size or ("960x540" if arguments.what == "border" else "3840x2160")
    width, _, height = size.partition("x")
    if arguments.what == "reading":
        reading((int(width), int(height)))
        return
    model = load_model("efficienttam_demo")
    if arguments.what == "border":
        border(model, (int(width), int(height)), arguments.plates)
    else:
        sharpness(model, (int(width), int(height)), arguments.plates, arguments.picture)


if __name__ == "__main__":
    main()
