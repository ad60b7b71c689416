"""Tracking: the only stateful part of the engine. Knows no files and no jobs."""

from .automatic_segmenter import AutomaticOptions, AutomaticSegmenter, Segment
from .embedding_cache import EmbeddingCache
from .embedding_store import EmbeddingStore
from .frame_source import ArrayFrames, FrameSource
from .image_segmenter import ImageSegmenter, Segmentation
from .object_track import ObjectId
from .options import TrackerOptions
from .track_result import TrackResult
from .video_tracker import VideoTracker

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
