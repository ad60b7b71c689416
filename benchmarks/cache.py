"""What each storage of the embedding cache costs and changes.

Bytes, write and read time are those of embeddings as large as a 1024-pixel variant's (256 x 64 x 64
random numbers), one after the other in a fresh folder, the system's page cache warm. How far mattes
move is measured on the generated demo clip: one click, `track` over all frames with float32 and with
the storage in question; IoU of the masks at plate size, largest difference of a matte. Run from the root:

    python benchmarks/cache.py [--frames 24] [--embeddings 60] [--clips 4] [--folder DIR]
"""

from __future__ import annotations

import argparse
import hashlib
import pathlib
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import numpy as np
import torch

from efficienttam.contract.cache_settings import Storage
from efficienttam.evaluation.footage import GeneratedFootage, generated_footage
from efficienttam.evaluation.scoring import PromptKind, prompt_from_truth
from efficienttam.model.efficienttam import EfficientTAM
from efficienttam.tracking import EmbeddingCache, EmbeddingStore, VideoTracker
from efficienttam.tracking.embedding_file import pack
from efficienttam.weights.load import load_model

SHAPE = (1, 256, 64, 64)


def costs(storage: Storage, count: int, folder: str | None) -> tuple[int, float, float]:
    """Bytes of one file, median seconds to pack and write it, and to read and check it."""
    embeddings = [torch.randn(SHAPE, generator=torch.Generator().manual_seed(n)) for n in range(8)]
    keys = [hashlib.sha256(f"{n}".encode()).hexdigest() for n in range(count)]
    with tempfile.TemporaryDirectory(dir=folder) as place:
        store = EmbeddingStore(place, 2**40, storage)
        writing, reading = [], []
        for number, key in enumerate(keys):
            started = time.perf_counter()
            store.write(key, pack(embeddings[number % 8], storage), torch.float32)
            writing.append(time.perf_counter() - started)
        for key in keys:
            started = time.perf_counter()
            store.read(key)
            reading.append(time.perf_counter() - started)
        size = next(store.files()).bytes
    return size, statistics.median(writing), statistics.median(reading)


def mattes(model: EfficientTAM, footage: GeneratedFootage, storage: Storage) -> dict[int, np.ndarray]:
    """The hero's mattes of a clip from one click on its first frame."""
    cache = EmbeddingCache(store=EmbeddingStore("", 0, storage))
    tracker = VideoTracker(model, footage.plate, embeddings=cache)
    hero = tracker.add_object("hero")
    first = footage.frames[0]
    tracker.add_prompt(hero, prompt_from_truth(PromptKind.CLICK, first, footage.truth(first)[0]))
    return {result.frame: result.mattes[hero] for result in tracker.track()}


def iou(one: np.ndarray, other: np.ndarray) -> float:
    a, b = one >= 0.5, other >= 0.5
    return float((a & b).sum() / (a | b).sum()) if (a | b).any() else 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--embeddings", type=int, default=60)
    parser.add_argument("--clips", type=int, default=4)
    parser.add_argument("--folder", default=None)
    arguments = parser.parse_args()
    model = load_model("efficienttam_demo", device="cpu")
    clips = generated_footage(arguments.clips, arguments.frames, (480, 270))
    exact = [mattes(model, clip, Storage.FLOAT32) for clip in clips]
    head = "storage | MB per frame | write, ms | read, ms | IoU mean | IoU worst | matte differs by at most"
    print(f"| {head} |\n|{'---|' * 7}")
    for storage in (Storage.FLOAT32, Storage.FLOAT16, Storage.BFLOAT16, Storage.INT8):
        size, write, read = costs(storage, arguments.embeddings, arguments.folder)
        scores, most = [], 0.0
        for clip, truth in zip(clips, exact, strict=True):
            for frame, matte in mattes(model, clip, storage).items():
                scores.append(iou(matte, truth[frame]))
                most = max(most, float(np.abs(matte - truth[frame]).max()))
        print(
            f"| {storage.value} | {size / 2**20:.2f} | {write * 1000:.1f} | {read * 1000:.1f} "
            f"| {np.mean(scores):.4f} | {min(scores):.4f} | {most:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
