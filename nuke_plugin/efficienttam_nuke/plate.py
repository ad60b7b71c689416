"""How the plate gets to the engine: read where it is, or rendered through Nuke's graph.

Read directly only where nothing but Dots lies between the input and a Read, and that Read does nothing
that the engine would not do likewise. All else is rendered by a Write that is there only meanwhile, so that
grades, retimes, proxies and colour are Nuke's own. Never from a callback: Nuke may be rendering then.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from typing import Dict, Iterator, List, Optional, Sequence, Tuple, cast

import nuke

from efficienttam.contract.errors import Cancelled, JobError, PlateError
from efficienttam.contract.job import Plate
from efficienttam.contract.sequence import SequencePattern

from . import color_names, graph_key, host, job_document, jobs, knobs
from .coordinates import Placement
from .feed_store import FeedStore, frame_key
from .tracker_node import TrackerNode, text_in


class Feed:
    """The plate of one node, as the engine may read it after ``ensure``."""

    def __init__(self, plate: Plate, first: int, last: int) -> None:
        self.plate = plate
        self.first = first
        self.last = last

    def ensure(self, frames: Sequence[int]) -> int:
        """Makes these frames exist on disk; how many had to be rendered. Raises EfficientTAMError."""
        return 0

    def stale(self, frames: Sequence[int]) -> List[int]:
        """Those of the frames that ``ensure`` would render."""
        return []

    def frozen(self, frames: Sequence[int]) -> Plate:
        """The plate with these frames, which exist, as a submitted job may read it for long: nothing that
        is done to the node changes it. Raises OutputError, PlateError."""
        return self.plate


class RenderedFeed(Feed):
    """Frames that a Write makes, those of them that are not there yet as the graph is now."""

    def __init__(self, tracker: TrackerNode, store: FeedStore, first: int, last: int) -> None:
        # Converted by Nuke already. EXR, because it keeps the pixel aspect and the plate's metadata.
        super().__init__(Plate(path=store.pattern, color_space="raw"), first, last)
        self._tracker = tracker
        self._store = store

    def ensure(self, frames: Sequence[int]) -> int:
        """Raises JobError where frames of before would go while a job reads them."""
        keys = self._keys(frames)
        if self._store.stale(keys):
            jobs.session().check_free(self._tracker.uuid)
        return len(self._store.fill(keys, self._render))

    def stale(self, frames: Sequence[int]) -> List[int]:
        return self._store.stale(self._keys(frames))

    def frozen(self, frames: Sequence[int]) -> Plate:
        return dataclasses.replace(self.plate, path=self._store.freeze(frames))

    def _keys(self, frames: Sequence[int]) -> Dict[int, str]:
        source = connected(self._tracker)
        above = graph_key.of_graph(source, self._recipe())
        # In proxy mode Nuke tells the proxies' files, and full size is rendered.
        with host.full_size():
            return {frame: frame_key(above, graph_key.files_of(source, frame)) for frame in frames}

    def _recipe(self) -> str:
        """What of our own knobs decides how a frame looks."""
        names = ("feed_as", "feed_colorspace")
        return " ".join(str(self._tracker.node[name].value()) for name in names)

    def _render(self, pattern: str, first: int, last: int) -> None:
        tracker = self._tracker
        with temporary_write(tracker, knobs.PLATE_INPUT, pattern, "exr") as write:
            write["channels"].setValue("rgb")
            write["datatype"].setValue("16 bit half")
            if tracker.choice("feed_as") == "display-referred":
                write["raw"].setValue(True)
            else:
                space = cast(nuke.Enumeration_Knob, write["colorspace"])
                space.setValue(color_names.srgb_name(space.values(), tracker.text("feed_colorspace")))
            execute(write, first, last, views_of(tracker))


def connected(tracker: TrackerNode) -> nuke.Node:
    """What is above the input plate. Raises JobError where that is nothing."""
    source = tracker.node.input(0)
    if source is None:
        raise JobError("Nothing is connected to the input plate.", "Connect the footage.")
    return source


def placement(tracker: TrackerNode) -> Placement:
    """Where the plate lies in Nuke's pixels: the whole format, from its lower left corner.

    The format, not the bounding box: overscan beyond it is not tracked. A format's own x, y, r and t are
    the part of it that a projector shows; files hold all of it.
    """
    try:
        format = connected(tracker).format()
    except RuntimeError as error:
        raise PlateError(
            "Nuke cannot tell the plate's size: {}.".format(str(error).rstrip(".")),
            "Mend what is above the node.",
        ) from error
    across, up = _size_of_formats()
    return Placement(
        int(round(format.width() / across)), int(round(format.height() / up)), float(format.pixelAspect())
    )


def _size_of_formats() -> Tuple[float, float]:
    """What Nuke tells of a format's size by its full size: less than 1 where it tells proxy sizes.

    Found by the script's own format, whose knob is full size always, so that nobody has to switch proxy off
    to look; a callback must not.
    """
    root = nuke.root()
    if not bool(root["proxy"].value()):
        return 1.0, 1.0
    full, told = cast(nuke.Format, root["format"].value()), root.format()
    return told.width() / full.width(), told.height() / full.height()


def plate_range(tracker: TrackerNode) -> Tuple[int, int]:
    """First and last frame of the plate, as it comes in. Raises JobError, PlateError."""
    try:
        frames = connected(tracker).frameRange()
    except RuntimeError as error:
        raise PlateError(
            "Nuke cannot tell the plate's range: {}.".format(str(error).rstrip(".")),
            "Mend what is above the node.",
        ) from error
    return int(frames.first()), int(frames.last())


def views_of(tracker: TrackerNode) -> Tuple[str, ...]:
    """Views to track; empty for a script of one view. Raises JobError for a view that is not there."""
    there = host.views()
    wanted = tuple(view.strip() for view in tracker.text("views").split(",") if view.strip())
    unknown = [view for view in wanted if view not in there]
    if unknown:
        raise JobError(
            "There is no view {!r} in the script.".format(unknown[0]),
            "Views: {}.".format(", ".join(there)),
        )
    if len(there) < 2:
        return ()
    return wanted or there


def feed_of(tracker: TrackerNode, folder: str) -> Feed:
    """How the engine gets this node's plate; ``folder`` is for rendered frames unless the node names one."""
    first, last = plate_range(tracker)
    if tracker.choice("feed") == "automatic":
        direct = direct_plate(connected(tracker), views_of(tracker))
        if direct is not None:
            return Feed(direct, first, last)
    views = views_of(tracker)
    name = "plate.%V.%04d.exr" if views else "plate.%04d.exr"
    pattern = "{}/{}".format(feed_folder(tracker, folder), name)
    job_document.check_path(pattern, "temporary frames in")
    return RenderedFeed(tracker, FeedStore(pattern, views), first, last)


def feed_folder(tracker: TrackerNode, folder: str) -> str:
    """Where this node's rendered frames lie; ``folder`` is for those of all nodes unless it names one."""
    home = os.path.expanduser(tracker.path(knobs.FEED_FOLDER)) or folder
    return os.path.join(home, tracker.uuid).replace("\\", "/")


def direct_plate(source: nuke.Node, views: Sequence[str]) -> Optional[Plate]:
    """The plate where the engine may read the file itself; None where anything speaks against it."""
    while source.Class() == "Dot" and source.input(0) is not None:
        source = cast(nuke.Node, source.input(0))
    if source.Class() != "Read" or bool(source["disable"].value()):
        return None
    if str(nuke.root()["colorManagement"].value()) != "Nuke":
        return None
    path = text_in(source["file"])
    if "[" in path:
        # Tcl, which speaks of the Read: Nuke works it out, frame by frame.
        return None
    pattern = SequencePattern(path)
    plain = (
        path.lower().endswith(".exr")
        # Nuke takes other paths from the project's folder, or from where it was started.
        and os.path.isabs(path)
        and pattern.is_sequence
        and pattern.has_view == bool(views)
        and not str(source["frame"].value() or "").strip()
        and str(source["on_error"].value()) == "error"
        and not bool(source["premultiplied"].value())
    )
    if not plain or not _whole(source, pattern, views) or not _of_the_files_size(source):
        return None
    space = color_names.engine_name(_color_space(source))
    return None if space is None else Plate(path=path, color_space=space)


def _color_space(read: nuke.Node) -> str:
    """Nuke's name for what is in the file of an EXR Read, under Nuke's own colour management."""
    if bool(read["raw"].value()):
        # Not converted: the working space, which is linear.
        return "linear"
    space = str(read["colorspace"].value())
    if space.lower().startswith("default"):
        floats = nuke.root().knob("floatLut")
        return "linear" if floats is None else str(floats.value())
    return space


def _whole(read: nuke.Node, pattern: SequencePattern, views: Sequence[str]) -> bool:
    """True when the Read shows exactly the frames on disk under their own numbers."""
    first, last = int(read["first"].value()), int(read["last"].value())
    if (first, last) != (int(read["origfirst"].value()), int(read["origlast"].value())):
        return False
    return all(set(range(first, last + 1)) <= set(pattern.frames_on_disk(view)) for view in (views or ("",)))


def _of_the_files_size(read: nuke.Node) -> bool:
    """True when the Read's Format is as large as its file. One made by Python may have another.

    Prompts lie in the Format, and the engine would read the file.
    """
    # Of the first frame: around the Read's own range there may be no file to tell of.
    first = float(read["first"].value())
    told = tuple(read.metadata(key, first) for key in ("input/width", "input/height"))
    format = read.format()
    across, up = _size_of_formats()
    return told == (int(round(format.width() / across)), int(round(format.height() / up)))


def render_roto(tracker: TrackerNode, frame: int, path: str) -> None:
    """Writes the alpha of the input roto on a frame as a half-float EXR of the plate's format, softness kept.

    Raises JobError where nothing is connected, PlateError or Cancelled as ``execute``, OutputError.
    """
    if tracker.node.input(1) is None:
        raise JobError("Nothing is connected to the input roto.", "Connect a Roto node, or any matte.")
    connected(tracker)
    with temporary_write(tracker, knobs.ROTO_INPUT, path, "exr") as write, _over_the_plate(tracker, write):
        write["channels"].setValue("alpha")
        write["raw"].setValue(True)
        execute(write, frame, frame, views_of(tracker))


@contextlib.contextmanager
def _over_the_plate(tracker: TrackerNode, write: nuke.Node) -> Iterator[None]:
    """The roto as Nuke lays it over the plate: in its format, lower left corners together.

    A Roto without input has the format of the script.
    """
    with tracker.node:
        copy = nuke.nodes.Copy(inputs=[tracker.inner(knobs.PLATE_INPUT), tracker.inner(knobs.ROTO_INPUT)])
    try:
        copy["from0"].setValue("rgba.alpha")
        copy["to0"].setValue("rgba.alpha")
        write.setInput(0, copy)
        yield
    finally:
        nuke.delete(copy)


@contextlib.contextmanager
def temporary_write(tracker: TrackerNode, source: str, path: str, file_type: str) -> Iterator[nuke.Node]:
    """A Write inside the node, fed by one of its Inputs, gone again at the end; proxy is off meanwhile.

    Not a part of the node: a farm that looks for Writes to render must not find it.
    """
    with host.undisturbed(), host.without_undo():
        with tracker.node:
            write = nuke.nodes.Write(inputs=[tracker.inner(source)])
        try:
            write["file"].setValue(path.replace("\\", "/"))
            write["file_type"].setValue(file_type)
            yield write
        finally:
            nuke.delete(write)


def execute(write: nuke.Node, first: int, last: int, views: Sequence[str]) -> None:
    """Renders; raises Cancelled where the artist stopped it, PlateError where the graph has an error."""
    try:
        nuke.execute(write, first, last, 1, list(views) or [host.views()[0]])
    except RuntimeError as error:
        told = str(error).strip() or "no reason was given"
        if "cancel" in told.lower() or "abort" in told.lower():
            raise Cancelled(
                "Rendering the plate was stopped.", "Press the button again: finished frames are kept."
            ) from error
        raise PlateError(
            "Nuke could not render the plate: {}.".format(told.rstrip(".")),
            "Mend what is above the node on frames {}-{}.".format(first, last),
        ) from error
