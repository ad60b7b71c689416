"""Deterministic weights and pictures the golden numbers were made with.

Every tensor seeds its own generator with the CRC-32 of its key, so order does not matter; all
arithmetic is float32. The scene is drawn with integers only and is the same on every machine.
"""

from __future__ import annotations

import math
import re
import zlib

import numpy as np
import torch

_LEARNED_CODE = re.compile(r"(embed(dings\.\d+)?(\.weight)?|tokens?\.weight|_enc|no_obj_ptr)$")

#: Prompts of the video cases, in pixels of the 320x240 clip.
POINT0, BOX0 = (50.0, 60.0), (16.0, 26.0, 84.0, 94.0)
CLICK6, CLICK6_EXCLUDE, POINT8 = (134.0, 90.0), (230.0, 40.0), (161.0, 101.0)
SECOND_BOX0, SECOND_BOX4 = (204.0, 117.0, 276.0, 163.0), (168.0, 103.0, 240.0, 149.0)
POINT5, POINT4 = (120.0, 85.0), (106.0, 80.0)
#: Prompts of the image cases, in pixels of the 800x600 image.
IMAGE_POINT, IMAGE_EXCLUDE, IMAGE_EXCLUDE2 = (230.0, 190.0), (500.0, 300.0), (100.0, 500.0)
IMAGE_BOX, IMAGE_BOX2 = (145.0, 100.0, 315.0, 275.0), (450.0, 320.0, 560.0, 430.0)


def normal(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Standard normal float32 numbers that depend on the name alone."""
    generator = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))
    return generator.standard_normal(shape, dtype=np.float32)


def synthetic_tensor(key: str, shape: tuple[int, ...]) -> np.ndarray:
    """The synthetic value of one entry of a state dict."""
    noise = normal(key, shape)
    if key.endswith("gaussian_matrix"):
        return noise
    if key.endswith(".bias"):
        shift = 1.5 if key.endswith("pred_obj_score_head.layers.2.bias") else 0.0
        return noise * np.float32(0.05) + np.float32(shift)
    if _LEARNED_CODE.search(key):
        return noise * np.float32(0.5)
    if len(shape) == 1:
        return np.float32(1) + np.float32(0.1) * noise
    gain = 4.0 if "output_hypernetworks_mlps" in key and key.endswith("layers.2.weight") else 1.0
    return noise * np.float32(gain / np.sqrt(np.prod(shape[1:])))


def load_synthetic(model: torch.nn.Module) -> None:
    """Replaces all weights of a model by synthetic ones, strictly."""
    shapes = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    state = {key: torch.from_numpy(synthetic_tensor(key, shape)) for key, shape in shapes.items()}
    model.load_state_dict(state, strict=True)


def _triangle(value: int, half: int) -> int:
    return abs((value % (2 * half)) - half)


class Scene:
    """Frame ``time`` of the golden clip: a disc A, a box B and a diamond C over a pattern.

    ``image`` uint8 (height, width, 3); ``disc``, ``box``, ``diamond`` boolean masks of what is visible.
    """

    def __init__(self, time: int, height: int, width: int) -> None:
        rows = np.arange(height, dtype=np.int64) * 240 // height
        columns = np.arange(width, dtype=np.int64) * 320 // width
        y, x = np.meshgrid(rows, columns, indexing="ij")
        disc_x, disc_y = 50 + _triangle(14 * time + 220, 220), 60 + _triangle(5 * time + 120, 120)
        box_x, box_y = 60 + _triangle(9 * time + 20, 200), 70 + _triangle(4 * time + 30, 100)
        diamond_x, diamond_y = 150 + _triangle(3 * time, 60), 40 + _triangle(17 * time, 160)
        disc = (x - disc_x) ** 2 + (y - disc_y) ** 2 < 34 * 34
        box = (np.abs(x - box_x) < 36) & (np.abs(y - box_y) < 23)
        diamond = np.abs(x - diamond_x) + np.abs(y - diamond_y) < 22
        pattern = (
            40 + (x * 3 + y) // 8 % 64,
            50 + ((x // 20 + y // 24) % 2) * 40,
            60 + (y * 2 + time * 3) // 4 % 96,
        )
        flat = 0 * x
        image = np.stack(pattern, axis=-1)
        layers = (
            (box, (40 + flat, 90 + (y % 16) * 4, 220 - (x % 8) * 6)),
            (disc, (220 - ((x - disc_x) % 12) * 5, 60 + flat, 40 + ((y - disc_y) % 10) * 8)),
            (diamond, (230 + flat, 220 - ((x + y) % 6) * 10, 60 + flat)),
        )
        for mask, colour in layers:
            image[mask] = np.stack(colour, axis=-1)[mask]
        self.image = image.astype(np.uint8)
        self.disc = disc & ~diamond
        self.box = box & ~disc & ~diamond
        self.diamond = diamond


def scene(time: int, height: int, width: int) -> np.ndarray:
    """The picture of a scene: uint8 (height, width, 3)."""
    return Scene(time, height, width).image


def clip() -> np.ndarray:
    """The twelve frames of the video cases: uint8 (12, 240, 320, 3)."""
    return np.stack([scene(time, 240, 320) for time in range(12)])


def encoder_image(side: int) -> torch.Tensor:
    """Normalised input (1, 3, side, side) of the encoder alone: scene 3 drawn at network size."""
    mean = np.array([0.485, 0.456, 0.406], np.float32)[:, None, None]
    std = np.array([0.229, 0.224, 0.225], np.float32)[:, None, None]
    planes = scene(3, side, side).transpose(2, 0, 1).astype(np.float32) / np.float32(255)
    return torch.from_numpy(((planes - mean) / std)[None])


def memory_inputs(grid: int, maps: int, pointer_tokens: int) -> tuple[torch.Tensor, ...]:
    """Embedding (1, 256, H, W), memory maps (1, n, 64, H, W) and pointers (1, p, 256) for attention alone."""
    tokens = grid * grid
    current = normal("iso.curr", (tokens, 1, 256))[:, 0].T.reshape(1, 256, grid, grid)
    memory = normal("iso.mem", (7 * tokens, 1, 64))[: maps * tokens, 0]
    memory = memory.reshape(maps, grid, grid, 64).transpose(0, 3, 1, 2)[None]
    pointers = normal("iso.ptr", (64, 1, 64))[:pointer_tokens, 0].reshape(1, pointer_tokens // 4, 256)
    return tuple(torch.from_numpy(np.ascontiguousarray(part)) for part in (current, memory, pointers))


def memory_encoder_inputs(side: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Embedding (1, 256, H, W) and scaled mask (1, 1, S, S) for the memory encoder alone."""
    grid = side // 16
    pixels = torch.from_numpy(normal("iso.pix", (1, 256, grid, grid)))
    mask = torch.from_numpy(normal("iso.mask", (1, 1, side, side)))
    return pixels, torch.sigmoid(3 * mask) * 20 - 10


def mask_bits(logits: np.ndarray) -> np.ndarray:
    """Signs of logits packed along the last axis, as the golden files hold them."""
    return np.packbits(logits > 0, axis=-1)


def agreement(bits: np.ndarray, golden: np.ndarray) -> float:
    """Share of equal bits in two packed masks."""
    differing = np.unpackbits(bits ^ golden).sum()
    return 1 - float(differing) / max(1, math.prod(bits.shape) * 8)
