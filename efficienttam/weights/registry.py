"""The weights we know: name -> file, source, licence and sha256 where it is known."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from ..contract.errors import WeightsError

PUBLISHED_SOURCE = "https://huggingface.co/yunyangx/efficient-track-anything/resolve/main/"
DEMO = "efficienttam_demo"


@dataclass(frozen=True)
class WeightsEntry:
    """One file of weights.

    ``source`` is the base URL (with a trailing slash) the file lies under; empty for weights that
    are embedded in the package. ``sha256`` is None while the true sum is unknown to us: the sum of
    the first download is then recorded beside the file and holds from there on.
    """

    name: str
    file: str
    source: str
    licence: str
    sha256: str | None = None

    @property
    def embedded(self) -> bool:
        """True when the file is part of the package."""
        return not self.source

    @property
    def embedded_path(self) -> Path:
        """Where the embedded file lies (meaningful for embedded weights only)."""
        return Path(__file__).with_name(self.file)


def _published(name: str) -> WeightsEntry:
    return WeightsEntry(name, f"{name}.pt", PUBLISHED_SOURCE, "Apache-2.0")


#: Every entry by the name of its variant, published ones first.
REGISTRY: dict[str, WeightsEntry] = {
    entry.name: entry
    for entry in (
        *(
            _published(f"efficienttam_{family}{suffix}")
            for family in ("s", "ti")
            for suffix in ("", "_1", "_2", "_512x512")
        ),
        WeightsEntry(
            DEMO,
            f"{DEMO}.safetensors",
            "",
            "Apache-2.0",
            sha256="00750d10665aef069dbeba9c7047134646b911b1f41df7f8e3ed494f2b607d9b",
        ),
    )
}


def find_entry(name: str) -> WeightsEntry:
    """The entry of a variant. Raises WeightsError with the nearest known names."""
    try:
        return REGISTRY[name]
    except KeyError:
        near = difflib.get_close_matches(name, REGISTRY, n=3, cutoff=0.4) or list(REGISTRY)
        raise WeightsError(
            f"There is no variant named {name!r}.", f"Use one of: {', '.join(near)}."
        ) from None
