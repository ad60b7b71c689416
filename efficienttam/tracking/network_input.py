"""From a frame to the network's input, with the two resampling filters of the published training.

Frames of a plate are reduced by an antialiased bicubic filter, single images by an antialiased
bilinear one; the plate's aspect ratio is not kept. Eight-bit frames are reduced by Pillow, as in the
published pipeline, and stay eight-bit: no other filter rounds exactly so.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)

#: From here on a pixel of the user's mask is inside.
MASK_THRESHOLD = 0.5


def frame_input(frame: np.ndarray, side: int) -> Tensor:
    """A plate's frame (height, width, 3), uint8 or float 0 to 1, as (1, 3, side, side) normalised.

    On the CPU, which has time for it while the network works, and so the same for every device.
    """
    device = torch.device("cpu")
    if frame.dtype == np.uint8:
        picture = Image.fromarray(np.ascontiguousarray(frame)).resize((side, side), Image.Resampling.BICUBIC)
        return _normalise(_planes(np.asarray(picture), device))
    pixels = _planes(frame, device)
    resized = functional.interpolate(
        pixels, (side, side), mode="bicubic", align_corners=False, antialias=True
    )
    return _normalise(resized.clamp(0, 1))


def image_input(image: np.ndarray, side: int, device: torch.device) -> Tensor:
    """A single image (height, width, 3), uint8 or float 0 to 1, as (1, 3, side, side) normalised."""
    pixels = _planes(image, device)
    resized = functional.interpolate(
        pixels, (side, side), mode="bilinear", align_corners=False, antialias=True
    )
    return _normalise(resized)


def mask_input(mask: np.ndarray, side: int, device: torch.device) -> Tensor:
    """The user's mask (height, width), 0 to 1, as a binary (1, 1, side, side)."""
    pixels = torch.from_numpy(np.ascontiguousarray(mask, dtype=np.float32)).to(device)[None, None]
    resized = functional.interpolate(
        pixels, (side, side), mode="bilinear", align_corners=False, antialias=True
    )
    return (resized >= MASK_THRESHOLD).float()


def _planes(image: np.ndarray, device: torch.device) -> Tensor:
    """Pixels (height, width, 3) as float32 (1, 3, height, width) 0 to 1."""
    pixels = torch.from_numpy(np.array(image)).to(device).permute(2, 0, 1)[None]
    return pixels.float() / 255 if pixels.dtype == torch.uint8 else pixels.float()


def _normalise(image: Tensor) -> Tensor:
    mean = torch.tensor(MEAN, device=image.device)[:, None, None]
    std = torch.tensor(STD, device=image.device)[:, None, None]
    return (image - mean) / std
