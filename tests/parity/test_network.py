"""Encoder, memory attention, memory encoder and image prompts against golden numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import synthetic_weights as synthetic
import torch

from efficienttam.contract.prompts import Prompt
from efficienttam.model.position_encoding import sine_position
from efficienttam.tracking import ImageSegmenter


def close(value: object, golden: np.ndarray, tolerance: float) -> None:
    array = np.asarray(value)
    assert array.shape == golden.shape
    assert float(np.abs(array - golden).max()) <= tolerance


def test_scene_is_the_golden_one() -> None:
    frames = np.load(Path(__file__).parent / "goldens" / "clip.npz")["frames"]
    assert np.array_equal(synthetic.clip(), frames)


@torch.inference_mode()
def test_image_encoder(golden) -> None:
    side = golden.model.config.input_size
    features = golden.model.encode_image(synthetic.encoder_image(side))[0].numpy()
    close(features[::4, ::4, ::4], golden["enc/feat"], 1e-5)
    close(features.mean((1, 2)), golden["enc/chan_mean"], 1e-5)
    close(features.std((1, 2), ddof=1), golden["enc/chan_std"], 1e-5)
    grid = golden.model.config.grid
    close(sine_position(grid, grid, 256)[::4, ::4, ::4], golden["enc/pos"], 1e-6)


@torch.inference_mode()
def test_image_encoder_inside(golden) -> None:
    trunk = golden.model.image_encoder.trunk
    x = trunk.patch_embed(synthetic.encoder_image(golden.model.config.input_size))
    x = x + trunk.position(*x.shape[1:3])
    close(x[0, ::8, ::8, ::4], golden["enc/patch_pos"], 1e-5)
    for index, block in enumerate(trunk.blocks):
        x = block(x)
        if index in (0, 2, 5, 11):
            close(x[0, ::8, ::8, ::4], golden[f"enc/block{index}"], 2e-5)


@pytest.mark.parametrize(("maps", "tokens"), [(1, 4), (2, 4), (7, 64), (7, 0)])
@torch.inference_mode()
def test_memory_attention(golden, maps: int, tokens: int) -> None:
    grid = golden.model.config.grid
    current, memory, pointers = synthetic.memory_inputs(grid, maps, tokens)
    assembled = golden.model.assemble_memory(memory, list(range(maps)), pointers)
    recalled = golden.model.recall(current, assembled)[0].flatten(1).T
    close(recalled[:: 2 * grid], golden[f"iso/memattn/m{maps}p{tokens}/out"], 2e-5)


@torch.inference_mode()
def test_memory_encoder(golden) -> None:
    pixels, mask = synthetic.memory_encoder_inputs(golden.model.config.input_size)
    close(golden.model.memory_encoder(pixels, mask)[0, ::4, ::4, ::4], golden["iso/memenc/out"], 2e-5)


def image_prompts(side: int) -> dict[str, tuple[list[Prompt], bool]]:
    previous = synthetic.Scene(3, side, side).disc * np.float32(20) - np.float32(10)
    point, away, box = synthetic.IMAGE_POINT, synthetic.IMAGE_EXCLUDE, synthetic.IMAGE_BOX
    return {
        "point_mm": ([Prompt(0, (point,))], True),
        "point": ([Prompt(0, (point,))], False),
        "points2": ([Prompt(0, (point,), (away,))], False),
        "points3": ([Prompt(0, (point,), (away, synthetic.IMAGE_EXCLUDE2))], False),
        "box": ([Prompt(0, box=box)], False),
        "box_mm": ([Prompt(0, box=box)], True),
        "boxpoint": ([Prompt(0, (point,), box=box)], False),
        "pointmask": ([Prompt(0, (point,), mask=previous)], False),
        "mask": ([Prompt(0, mask=previous)], False),
        "boxes2": ([Prompt(0, box=box), Prompt(0, box=synthetic.IMAGE_BOX2)], False),
    }


@pytest.fixture(scope="module")
def segmenter(golden) -> ImageSegmenter:
    golden["img/embed"]
    segmenter = ImageSegmenter(golden.model)
    segmenter.set_image(synthetic.scene(3, 600, 800))
    return segmenter


def test_image_embedding(golden, segmenter: ImageSegmenter) -> None:
    close(segmenter.embedding[0, ::4, ::4, ::4], golden["img/embed"], 2e-5)
    position = golden.model.sam_prompt_encoder.dense_position()[0].detach()
    close(position[::4, ::8, ::8], golden["img/dense_pe"], 1e-5)


@pytest.mark.parametrize(
    "name",
    ["point_mm", "point", "points2", "points3", "box", "box_mm", "boxpoint", "pointmask", "mask", "boxes2"],
)
def test_image_prompt(golden, segmenter: ImageSegmenter, name: str) -> None:
    prompts, multimask = image_prompts(golden.model.config.mask_side)[name]
    seen = segmenter.predict_many(prompts, multimask=multimask)
    several = len(prompts) > 1
    key = f"img/{name}/"
    close(seen.candidates.logits[..., ::8, ::8], golden[key + "raw_low"], 1e-4)
    close(seen.candidates.predicted_iou, golden[key + "raw_iou"], 1e-3)
    close(seen.candidates.object_score, golden[key + "obj"], 1e-3)
    close(seen.candidates.tokens, golden[key + "tokens"], 1e-4)
    low, full = (seen.logits, seen.mask_logits) if several else (seen.logits[0], seen.mask_logits[0])
    iou = seen.predicted_iou if several else seen.predicted_iou[0]
    close(low[..., ::4, ::4], golden[key + "low"], 1e-4)
    close(full[..., ::20, ::20], golden[key + "masks"], 1e-4)
    close(iou, golden[key + "iou"], 1e-3)
    assert synthetic.agreement(synthetic.mask_bits(low), golden[key + "bits"]) >= 0.9995
