"""What the paper takes away from its memory attention, or puts in its place, as changes of a variant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from efficienttam.contract.errors import JobError
from efficienttam.model.config import CrossAttention, ModelConfig


@dataclass(frozen=True)
class Ablation:
    """One row of the table. ``of_paper`` is its J&F on the SA-V test set as the paper has it, with what it
    is compared to there; empty where the paper tells none."""

    name: str
    told: str
    changed: Callable[[ModelConfig], ModelConfig]
    of_paper: str = ""


def _form(form: CrossAttention, window: int = 2) -> Callable[[ModelConfig], ModelConfig]:
    def changed(config: ModelConfig) -> ModelConfig:
        attention = replace(config.memory_attention, cross_attention=form, pool_window=window)
        return replace(config, memory_attention=attention)

    return changed


def _no_pointers(config: ModelConfig) -> ModelConfig:
    return replace(config, max_pointers=0)


def _half_input(config: ModelConfig) -> ModelConfig:
    return replace(config, input_size=config.input_size // 2)


#: What all others are compared with: the form that the demo weights have (paper Eq. 5).
BASE = "logit-bias"
ABLATIONS: tuple[Ablation, ...] = (
    Ablation(BASE, "2 x 2 averages, ln 4 on their logits (Eq. 5)", _form(CrossAttention.POOLED_LOGIT_BIAS)),
    Ablation(
        "key-bias",
        "2 x 2 averages, ln 4 on their keys (Eq. 6)",
        _form(CrossAttention.POOLED_KEY_BIAS),
        "74.0",
    ),
    Ablation("full", "every token of every map is a key", _form(CrossAttention.FULL), "74.5"),
    Ablation(
        "no-constant",
        "an average counts as one token, like Linformer",
        _form(CrossAttention.POOLED_PLAIN),
        "73.4 (74.0 with)",
    ),
    Ablation(
        "window-4",
        "4 x 4 averages, ln 16 on their logits",
        _form(CrossAttention.POOLED_LOGIT_BIAS, 4),
        "about -1",
    ),
    Ablation(
        "pooled-pointers",
        "all memory tokens are averaged, pointers with them",
        _form(CrossAttention.POOLED_WITH_POINTERS),
        "-2.3",
    ),
    Ablation("no-pointers", "maps alone are recalled", _no_pointers, "72.1 (74.5 with)"),
    Ablation(
        "windowed",
        "cross-attention in four windows",
        _form(CrossAttention.WINDOWED),
        "72.4 (74.0 pooled)",
    ),
    Ablation("linear", "linear attention, elu + 1", _form(CrossAttention.LINEAR), "more than -10"),
    Ablation("half-input", "half the input's side; the encoder was trained at the whole", _half_input),
)


def find_ablations(names: str) -> tuple[Ablation, ...]:
    """Those of a list of names with commas, in the table's order and the base with them; all for no names.

    Raises JobError for a name that is none.
    """
    wanted = {name.strip() for name in names.split(",") if name.strip()}
    known = {ablation.name for ablation in ABLATIONS}
    if wanted - known:
        raise JobError(
            f"There is no ablation {', '.join(sorted(wanted - known))}.",
            f"They are: {', '.join(one.name for one in ABLATIONS)}.",
        )
    return tuple(one for one in ABLATIONS if not wanted or one.name in wanted or one.name == BASE)
