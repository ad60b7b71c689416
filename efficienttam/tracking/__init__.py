"""Tracking: the only stateful part of the engine. Knows no files and no jobs.

Names are fetched when first used: arithmetic on frame numbers (``spans``) is wanted without torch, too.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .automatic_segmenter import AutomaticOptions, AutomaticSegmenter, Segment
    from .embedding_cache import EmbeddingCache
    from .embedding_store import EmbeddingStore
    from .frame_source import ArrayFrames, FrameSource
    from .image_segmenter import ImageSegmenter, Segmentation
    from .object_track import ObjectId
    from .options import TrackerOptions
    from .track_result import TrackResult
    from .video_tracker import VideoTracker

_HOMES = {
    "ArrayFrames": "frame_source",
    "AutomaticOptions": "automatic_segmenter",
    "AutomaticSegmenter": "automatic_segmenter",
    "EmbeddingCache": "embedding_cache",
    "EmbeddingStore": "embedding_store",
    "FrameSource": "frame_source",
    "ImageSegmenter": "image_segmenter",
    "ObjectId": "object_track",
    "Segment": "automatic_segmenter",
    "Segmentation": "image_segmenter",
    "TrackResult": "track_result",
    "TrackerOptions": "options",
    "VideoTracker": "video_tracker",
}

__all__ = [
    "ArrayFrames",
    "AutomaticOptions",
    "AutomaticSegmenter",
    "EmbeddingCache",
    "EmbeddingStore",
    "FrameSource",
    "ImageSegmenter",
    "ObjectId",
    "Segment",
    "Segmentation",
    "TrackResult",
    "TrackerOptions",
    "VideoTracker",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
