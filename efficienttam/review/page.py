"""The page of a review: one HTML file that holds all of it, without a script, and opens from a disk."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence

from .thumbnails import Thumbnail, Wanted
from .timeline import LINES, timeline
from .verdict import Verdict, kinds

_STYLE = """
body { background: #262626; color: #d8d8d8; font: 14px/1.45 sans-serif; margin: 24px auto; max-width: 1000px;
  padding: 0 16px; }
h1 { font-size: 20px; } h2 { font-size: 16px; margin: 28px 0 6px; }
a { color: #8fc3ff; } table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: 3px 10px 3px 0; border-bottom: 1px solid #3a3a3a; vertical-align: top; }
td:first-child { white-space: nowrap; font-variant-numeric: tabular-nums; }
svg { width: 100%; height: auto; display: block; } .field { fill: #1c1c1c; }
.check { fill: #e0604f; fill-opacity: .55; } .check:hover { fill-opacity: .9; }
polyline { fill: none; stroke-width: 1.4; } .network { stroke: #f0f0f0; } .edge { stroke: #56b4e9; }
.area { stroke: #8a8a8a; } .ways { stroke: #009e73; } .prompt { fill: #e69f00; }
text { fill: #9a9a9a; font-size: 10px; } .share { text-anchor: end; } .frame { text-anchor: middle; }
.key span { display: inline-block; margin-right: 16px; } .key i { display: inline-block; width: 18px;
  height: 3px; vertical-align: middle; margin-right: 5px; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 12px; }
figure { margin: 0; } figure:target { outline: 2px solid #e69f00; outline-offset: 3px; }
tr:has(:target) { background: #4a3a1a; }
figure img { width: 100%; display: block; background: #000; }
figcaption { font-size: 12px; padding-top: 3px; }
"""
_KEY = {"network": "#f0f0f0", "edge": "#56b4e9", "area": "#8a8a8a", "ways": "#009e73"}


def page(
    title: str, verdicts: Sequence[Verdict], chosen: Sequence[Wanted], pictures: Iterable[Thumbnail]
) -> Iterator[str]:
    """The page, piece by piece. ``chosen`` tells which pictures will come. ``index.html#f1014`` leads to
    the picture of frame 1014, of one that has none to its row in a table; so for every frame to check."""
    yield '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
    yield '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
    yield "style-src 'unsafe-inline'\">\n"
    yield f"<title>{html.escape(title)}: frames to check</title>\n<style>{_STYLE}</style></head><body>\n"
    yield f"<h1>{html.escape(title)}: frames to check</h1>\n{_summary(verdicts)}\n"
    yield '<p class="key">' + "".join(
        f'<span><i style="background:{_KEY[kind]}"></i>{html.escape(name)}</span>' for name, kind, _ in LINES
    )
    yield '<span><i style="background:#e0604f;height:9px"></i>to check</span>'
    yield '<span><i style="background:#e69f00;width:9px;height:9px"></i>prompted</span></p>\n'
    marked = {one.frame for one in chosen}
    for index, verdict in enumerate(verdicts):
        shown = frozenset(one.frame for one in chosen if one.verdict is verdict)
        yield from _section(index, verdict, shown, marked)
    yield from _figures(verdicts, pictures)
    yield "</body></html>\n"


def anchor(index: int, frame: int) -> str:
    """What leads to a frame to check of the verdict of that number."""
    return f"m{index}f{frame}"


def _summary(verdicts: Sequence[Verdict]) -> str:
    flagged = sum(len(verdict.checks) for verdict in verdicts)
    whole = sum(len(verdict.frames) for verdict in verdicts)
    stops = sum(len(verdict.places) for verdict in verdicts)
    told = ", ".join(f"{html.escape(kind)} {count}" for kind, count in kinds(verdicts).items())
    where = "place" if stops == 1 else "places"
    return f"<p>{flagged} of {whole} mattes to check, in {stops} {where}{': ' + told if told else ''}.</p>"


def _section(index: int, verdict: Verdict, shown: frozenset[int], marked: set[int]) -> Iterator[str]:
    """``shown`` are the frames with a picture, ``marked`` those that ``#f...`` leads to elsewhere; grows."""
    name = verdict.name + (f" ({verdict.view})" if verdict.view else "")
    drawn = timeline(verdict, lambda frame: f"#{anchor(index, frame)}")
    yield f"<h2>{html.escape(name)}</h2>\n{drawn}\n"
    if not verdict.places:
        yield "<p>Nothing to check.</p>\n"
        return
    yield "<table><tr><th>frames</th><th>worst</th><th>why</th></tr>\n"
    for place in verdict.places:
        frames, worst = (_link(index, frame, shown) for frame in (place.first, place.worst))
        if place.last > place.first:
            frames += f"-{place.last}"
        here = "".join(
            f'<a id="{anchor(index, frame)}"></a>{_plain(frame, marked)}'
            for frame in range(place.first, place.last + 1)
            if frame not in shown
        )
        why = html.escape(", ".join(place.reasons))
        yield f"<tr><td>{here}{frames}</td><td>{worst}</td><td>{why}</td></tr>\n"
    yield "</table>\n"


def _figures(verdicts: Sequence[Verdict], pictures: Iterable[Thumbnail]) -> Iterator[str]:
    yield '<h2>Pictures</h2>\n<div class="pictures">\n'
    marked: set[int] = set()
    for thumbnail in pictures:
        index = next(i for i, verdict in enumerate(verdicts) if verdict is thumbnail.verdict)
        frame, verdict = thumbnail.frame, thumbnail.verdict
        why = html.escape(verdict.checks[frame].words)
        name = html.escape(f"{verdict.name} {verdict.view}".strip())
        yield f'<figure id="{anchor(index, frame)}">{_plain(frame, marked)}'
        yield f'<img alt="{name} on frame {frame}" src="{thumbnail.jpeg}">'
        yield f"<figcaption><b>{frame}</b> {name}: {why}</figcaption></figure>\n"
    yield "</div>\n" if marked else "</div>\n<p>None.</p>\n"


def _plain(frame: int, marked: set[int]) -> str:
    """The anchor of a frame whatever the object, once on a page."""
    if frame in marked:
        return ""
    marked.add(frame)
    return f'<a id="f{frame}"></a>'


def _link(index: int, frame: int, shown: frozenset[int]) -> str:
    return f'<a href="#{anchor(index, frame)}">{frame}</a>' if frame in shown else str(frame)
