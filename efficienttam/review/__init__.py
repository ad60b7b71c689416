"""Frames to check: what is on disk is judged, shown on a page and told to machines."""
