"""The two parts of the network that are written, as modules of plain tensors and fixed sizes.

S side of the network's input, C channels, H = W = S / 16, L = 4 H, n points.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from efficienttam.model.efficienttam import EfficientTAM


class ImagePart(nn.Module):
    """The image encoder."""

    def __init__(self, model: EfficientTAM) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> Tensor:
        """Normalised RGB (1, 3, S, S) to an embedding (1, C, H, W)."""
        return self.model.encode_image(image)


class PromptPart(nn.Module):
    """The prompt encoder and the mask decoder, on a frame that recalls nothing."""

    def __init__(self, model: EfficientTAM) -> None:
        super().__init__()
        self.model = model

    def forward(self, embedding: Tensor, points: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``embedding`` (1, C, H, W), ``points`` (1, n, 2) in network pixels with ``labels`` (1, n): 1 on the
        object, 0 off it, 2 and 3 the top left and bottom right corner of a box.

        Returns mask logits (1, 4, L, L), predicted IoU (1, 4) and the object score (1, 1), a logit. Mask 0
        is for a box or several points; of masks 1 to 3 the one of the highest IoU is for a single point.
        """
        sparse = self.model.sam_prompt_encoder.points(points, labels)
        found = self.model.decode(self.model.without_memory(embedding), sparse)
        return found.logits, found.predicted_iou, found.object_score


@dataclass(frozen=True)
class NetworkPart:
    """A part with the names of what goes in and out, and examples of what goes in."""

    name: str
    module: nn.Module
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    examples: tuple[tuple[Tensor, ...], ...]

    def answer(self, example: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """What the network itself says."""
        with torch.no_grad():
            said = self.module(*example)
        return said if isinstance(said, tuple) else (said,)


def network_parts(model: EfficientTAM, points: int) -> tuple[NetworkPart, NetworkPart]:
    """Both parts of a float32 network on the CPU, for ``points`` points a prompt (a box is two).

    The first example of each is what the network is traced with, the others are for checking alone.
    """
    side = model.config.input_size
    noise = torch.Generator().manual_seed(1)
    pictures = [torch.randn(1, 3, side, side, generator=noise) for _ in range(2)]
    image = ImagePart(model).eval()
    with torch.no_grad():
        embeddings = [image(picture) for picture in pictures]
    prompts: list[tuple[Tensor, ...]] = []
    for embedding in embeddings:
        place = torch.rand(1, points, 2, generator=noise) * (side - 1)
        # Other labels than those of the tracing show whether they were frozen into the file.
        label = torch.tensor([[(index + len(prompts)) % 2 for index in range(points)]])
        prompts.append((embedding, place, label if points != 2 or prompts else torch.tensor([[2, 3]])))
    return (
        NetworkPart(
            "image_encoder", image, ("image",), ("embedding",), tuple((picture,) for picture in pictures)
        ),
        NetworkPart(
            "mask_decoder",
            PromptPart(model).eval(),
            ("embedding", "points", "labels"),
            ("mask_logits", "predicted_iou", "object_score"),
            tuple(prompts),
        ),
    )
