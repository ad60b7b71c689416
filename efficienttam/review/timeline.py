"""How sure tracking was, over time, as an SVG."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence

from ..contract.matte_score import MatteScore
from .verdict import Verdict

WIDTH, HEIGHT = 960, 150
_LEFT, _TOP, _BOTTOM = 34, 8, 22
#: Points of a line at most: of longer shots the lowest of several frames is drawn.
_POINTS = 1200
#: Name, class in the page's style, and what is drawn.
LINES: Sequence[tuple[str, str, Callable[[MatteScore], float | None]]] = (
    ("area (of its largest)", "area", lambda score: score.area),
    ("edge", "edge", lambda score: score.stability),
    ("both ways", "ways", lambda score: score.agreement),
    ("network", "network", lambda score: score.predicted_iou),
)


def timeline(verdict: Verdict, link: Callable[[int], str]) -> str:
    """Lines from 0 to 1 over the frames; runs to check are red and link to ``link(first frame)``."""
    first, last = verdict.frames[0], verdict.frames[-1]
    step = (WIDTH - _LEFT - 6) / (last - first + 1)

    def x(frame: float) -> float:
        return _LEFT + (frame - first + 0.5) * step

    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="scores by frame">',
        f'<rect class="field" x="{_LEFT}" y="{_TOP}" width="{WIDTH - _LEFT - 6}" '
        f'height="{HEIGHT - _TOP - _BOTTOM}"/>',
    ]
    for place in verdict.places:
        words = html.escape(f"{_run(place.first, place.last)}: {', '.join(place.reasons)}")
        left = x(place.first) - step / 2
        wide = max((place.last - place.first + 1) * step, 1.5)
        band = (
            f'<rect class="check" x="{left:.1f}" y="{_TOP}" width="{wide:.1f}" '
            f'height="{HEIGHT - _TOP - _BOTTOM}"><title>{words}</title></rect>'
        )
        parts.append(f'<a href="{html.escape(link(place.first))}">{band}</a>')
    largest = max((score.area for score in verdict.scores.values()), default=0.0) or 1.0
    for _, kind, value in LINES:
        scale = largest if kind == "area" else 1.0
        parts += [
            f'<polyline class="{kind}" points="{points}"/>'
            for points in _lines(verdict.scores, value, scale, x)
        ]
    for frame, score in verdict.scores.items():
        if score.prompted:
            parts.append(f'<circle class="prompt" cx="{x(frame):.1f}" cy="{HEIGHT - _BOTTOM}" r="4"/>')
    for share in (0, 0.5, 1):
        parts.append(f'<text x="{_LEFT - 4}" y="{_height(share) + 3:.1f}" class="share">{share:g}</text>')
    for frame in sorted({first, (first + last) // 2, last}):
        parts.append(f'<text x="{x(frame):.1f}" y="{HEIGHT - 6}" class="frame">{frame}</text>')
    return "\n".join([*parts, "</svg>"])


def _lines(
    scores: dict[int, MatteScore],
    value: Callable[[MatteScore], float | None],
    scale: float,
    x: Callable[[float], float],
) -> list[str]:
    """Points of every unbroken piece of a line."""
    frames = sorted(scores)
    together = max(1, len(frames) // _POINTS)
    lines: list[list[str]] = []
    before: int | None = None
    for index in range(0, len(frames), together):
        group = frames[index : index + together]
        known = [one for one in (value(scores[frame]) for frame in group) if one is not None]
        if not known:
            before = None
            continue
        if before is None or group[0] - before > 1:
            lines.append([])
        lines[-1].append(f"{x(group[0]):.1f},{_height(min(known) / scale):.1f}")
        before = group[-1]
    # A line of one point would not be seen.
    return [" ".join(line if len(line) > 1 else [line[0], line[0]]) for line in lines]


def _height(share: float) -> float:
    return _TOP + (1 - min(max(share, 0.0), 1.0)) * (HEIGHT - _TOP - _BOTTOM)


def _run(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"
