"""The Nuke side of EfficientTAM: standard library, Qt and nuke only, Python 3.7 or newer.

Only startup, tracker_node, inner_graph, plate, native_nodes and host import nuke.
"""
