"""Does it look worse when only the neighbouring prompted frames speak to a frame?

Generated clips with three masks given (first, middle and last frame). Mean J over all other frames,
for every way to treat the frames between prompts and both ways to recall. Run from the root:

    python benchmarks/recall.py [--clips 12] [--frames 24]
"""

from __future__ import annotations

import argparse
import itertools
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import numpy as np

from efficienttam.contract.passes import Between, Recall
from efficienttam.evaluation.footage import GeneratedFootage, generated_footage
from efficienttam.evaluation.metrics import region_similarity
from efficienttam.evaluation.scoring import PromptKind, prompt_from_truth
from efficienttam.model.efficienttam import EfficientTAM
from efficienttam.tracking import EmbeddingCache, TrackerOptions, VideoTracker
from efficienttam.weights.load import load_model


def mean_j(
    model: EfficientTAM, footage: GeneratedFootage, options: TrackerOptions, embeddings: EmbeddingCache
) -> float:
    """Mean J of the hero over the frames that no prompt is on."""
    frames = footage.frames
    keys = [frames[0], frames[len(frames) // 2], frames[-1]]
    tracker = VideoTracker(model, footage.plate, options, embeddings)
    hero = tracker.add_object("hero")
    for key in keys:
        if (footage.truth(key)[0] >= 0.5).any():
            tracker.add_prompt(hero, prompt_from_truth(PromptKind.MASK, key, footage.truth(key)[0]))
    scores = [
        region_similarity(result.mattes[hero] >= 0.5, footage.truth(result.frame)[0] >= 0.5)
        for result in tracker.track()
        if result.frame not in keys
    ]
    return float(np.mean(scores))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--frames", type=int, default=24)
    arguments = parser.parse_args()
    model = load_model("efficienttam_demo")
    choices = list(itertools.product(Between, Recall))
    scores: dict[tuple[Between, Recall], list[float]] = {choice: [] for choice in choices}
    for footage in generated_footage(arguments.clips, arguments.frames, (480, 270)):
        embeddings = EmbeddingCache()
        for between, recall in choices:
            options = TrackerOptions(between=between, recall=recall)
            scores[between, recall].append(mean_j(model, footage, options, embeddings))
    print("| between | recall | mean J | median difference from forward, all |\n|---|---|---|---|")
    reference = np.array(scores[Between.FORWARD, Recall.ALL])
    for (between, recall), values in scores.items():
        difference = float(np.median(np.array(values) - reference))
        print(f"| {between.value} | {recall.value} | {np.mean(values):.3f} | {difference:+.3f} |")


if __name__ == "__main__":
    main()
