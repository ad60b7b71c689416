"""The parts of the network that may be tuned, by name. The image encoder is none of them."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from efficienttam.contract.errors import JobError
from efficienttam.model.efficienttam import EfficientTAM
from efficienttam.model.layers import LayerNorm2d

_DECODER = "sam_mask_decoder."
#: Part -> the beginnings of its parameters' names.
PARTS: dict[str, tuple[str, ...]] = {
    "decoder": (_DECODER,),
    "heads": tuple(
        _DECODER + name
        for name in (
            "output_upscaling.",
            "output_hypernetworks_mlps.",
            "iou_prediction_head.",
            "pred_obj_score_head.",
            "iou_token.",
            "mask_tokens.",
            "obj_score_token.",
        )
    ),
    "prompts": ("sam_prompt_encoder.",),
    "memory": ("memory_attention.", "memory_encoder.", "maskmem_tpos_enc", "no_mem_embed"),
    "memory-encoder": ("memory_encoder.", "maskmem_tpos_enc", "no_mem_embed"),
    "pointers": ("obj_ptr_proj.", "no_obj_ptr", "mask_downsample."),
    "norms": (),
}
#: What is tuned unless told; see docs/finetuning.md for how it was chosen.
DEFAULT_PARTS = ("decoder", "memory-encoder")


def parts_told(text: str) -> tuple[str, ...]:
    """The parts of ``decoder,memory``, in the order of ``PARTS``. Raises JobError for an unknown one."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in PARTS]
    if unknown or not names:
        raise JobError(
            f"{unknown[0] if unknown else text!r} is no part of the network that can be tuned.",
            f"Name some of: {', '.join(PARTS)}.",
        )
    return tuple(name for name in PARTS if name in names)


def live_parameters(model: EfficientTAM, parts: Sequence[str]) -> dict[str, nn.Parameter]:
    """Makes the parts' parameters learn and all others not; the former by name."""
    model.requires_grad_(False)
    begins = tuple(begin for part in parts for begin in PARTS[part])
    norms = _norms(model) if "norms" in parts else set()
    live = {
        name: parameter
        for name, parameter in model.named_parameters()
        if (begins and name.startswith(begins)) or name in norms
    }
    for parameter in live.values():
        parameter.requires_grad_(True)
    return live


def _norms(model: EfficientTAM) -> set[str]:
    """Names of the scales and offsets of every norm outside of the image encoder."""
    return {
        f"{place}.{name}"
        for place, module in model.named_modules()
        if isinstance(module, (nn.LayerNorm, LayerNorm2d)) and not place.startswith("image_encoder.")
        for name, _ in module.named_parameters(recurse=False)
    }
