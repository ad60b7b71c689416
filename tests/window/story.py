"""The window in the hands of an artist: real mouse and key events, the real worker, the demo weights.

    python tests/window/story.py ENGINE_PYTHON FOLDER

FOLDER holds what ``make_two_things`` makes. This Python needs a Qt binding only, ENGINE_PYTHON runs the
worker. Run from the root of the repository, with it on PYTHONPATH.
"""

import json
import os
import shutil
import signal
import sys
import time

from efficienttam.client import WorkerClient, engine_command
from efficienttam.contract.document import read_job
from efficienttam.contract.job import Output, Plate, TrackJob
from efficienttam.window.document_shot import DocumentShot
from efficienttam.window.prompt_window import PromptWindow
from efficienttam.window.qt import QtCore, QtGui, QtWidgets

try:
    from PySide6.QtTest import QTest
except ImportError:
    from PySide2.QtTest import QTest

BUTTONS, KEY = QtCore.Qt.MouseButton, QtCore.Qt.Key
NONE = QtCore.Qt.KeyboardModifier.NoModifier
SHIFT = QtCore.Qt.KeyboardModifier.ShiftModifier
CONTROL = QtCore.Qt.KeyboardModifier.ControlModifier


class Artist:
    """A window on the plate of a folder, and hands. ``longest`` is the longest the window was busy, s."""

    def __init__(self, python, folder, job="shot.job.json", suffix="png"):
        self.folder = folder
        self.path = os.path.join(folder, job)
        new = TrackJob(
            plate=Plate(path="plate.%04d." + suffix),
            objects=(),
            output=Output(path="mattes/{object}.%04d.exr"),
        )
        kept = read_job(self.path) if os.path.exists(self.path) else new
        self.client = WorkerClient(engine_command(python), dict(os.environ))
        self.window = PromptWindow(DocumentShot(self.path, kept), self.client)
        self.window.resize(900, 600)
        self.window.show()
        self.longest = 0.0
        self._beat = QtCore.QTimer()
        self._last = time.monotonic()
        self._beat.timeout.connect(self._feel)
        self._beat.start(5)
        self.until(lambda: self.window.session.plate is not None, "the plate to open", 180)
        self.at_rest()

    def _feel(self):
        now = time.monotonic()
        self.longest = max(self.longest, now - self._last)
        self._last = now

    def until(self, true, what, seconds=60):
        end = time.monotonic() + seconds
        while not true():
            QtWidgets.QApplication.processEvents()
            if time.monotonic() > end:
                raise AssertionError("waited in vain for {}; {}".format(what, self.status))
            time.sleep(0.002)

    def until_in_steps(self, true, what, seconds=60):
        """``until``, with the worker held while the window takes in what it was sent, and at the end.

        A busy machine may keep the window waiting while the worker gets through a whole short shot.
        """
        hold, go = (getattr(signal, name, 0) for name in ("SIGSTOP", "SIGCONT"))

        def stepped():
            os.kill(self.client.pid, hold)
            self.pause(0.02)
            if true():
                return True
            os.kill(self.client.pid, go)
            self.pause(0.02)
            return False

        self.until(stepped if hold else true, what, seconds)

    def let_go_on(self):
        """After ``until_in_steps``."""
        if hasattr(signal, "SIGCONT"):
            os.kill(self.client.pid, signal.SIGCONT)

    def at_rest(self):
        """Until the frame is seen and the worker has nothing to do."""
        window = self.window
        self.until(
            lambda: window.seen_frame == window.edits.frame and self.client.state.value == "ready",
            "the picture of frame {}".format(window.edits.frame),
        )
        self.pause(0.25)
        self.until(lambda: self.client.state.value == "ready", "the worker to rest")

    def pause(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QtWidgets.QApplication.processEvents()
            time.sleep(0.002)

    @property
    def status(self):
        return self.window.status.text()

    def place(self, point):
        x, y = self.window.canvas.view.to_widget(*point)
        return QtCore.QPoint(round(x), round(y))

    def click(self, point, modifiers=NONE, button=BUTTONS.LeftButton):
        """Clicks and waits for the overlay; how long that took, s."""
        started = time.monotonic()
        shelf, window = self.window.session.shelf, self.window
        name = window.edits._name_to_be()
        before = shelf.image(window.edits.frame, name)
        QTest.mouseClick(window.canvas, button, modifiers, self.place(point))

        def came():
            # By identity: PySide2 makes an image of None to compare one with it.
            image = shelf.image(window.edits.frame, name)
            return image is not None and image is not before

        self.until(came, "the preview of " + name)
        return time.monotonic() - started

    def box(self, one, other):
        canvas = self.window.canvas
        start, end = self.place(one), self.place(other)
        QTest.mousePress(canvas, BUTTONS.LeftButton, NONE, start)
        self._move(start + (end - start) * 0.5, BUTTONS.LeftButton)
        self._move(end, BUTTONS.LeftButton)
        QTest.mouseRelease(canvas, BUTTONS.LeftButton, NONE, end)
        self.at_rest()

    def hover(self, point):
        self._move(self.place(point), BUTTONS.NoButton)

    def _move(self, place, buttons):
        canvas = self.window.canvas
        move = QtGui.QMouseEvent(
            QtCore.QEvent.Type.MouseMove,
            QtCore.QPointF(place),
            QtCore.QPointF(canvas.mapToGlobal(place)),
            BUTTONS.NoButton,
            buttons,
            NONE,
        )
        QtWidgets.QApplication.sendEvent(canvas, move)

    def key(self, key, modifiers=NONE):
        QTest.keyClick(self.window.canvas, key, modifiers)

    def track(self):
        self.key(KEY.Key_T)
        assert self.window.session.tracking.running, self.status
        self.until(lambda: not self.window.session.tracking.running, "tracking to end", 300)
        self.at_rest()

    def covered(self, name, point):
        """Whether the matte of an object that is seen covers a point of the plate."""
        window = self.window
        image = window.session.shelf.image(window.edits.frame, name)
        plate = window.session.plate
        if image is None:
            return False
        x = int(point[0] / plate.width * image.width())
        y = int(point[1] / plate.height * image.height())
        return QtGui.QColor(image.pixel(x, y)).red() > 127

    def leave(self):
        self.window.close()
        self.window.shut()
        self.client.close(2.0)


def prompting(artist, truth):
    """Clicks, undo, a second object by a box, hovering."""
    window = artist.window
    left, right = truth["left"]["1001"], truth["right"]["1001"]
    assert window.edits.frame == 1001 and "Click on" in artist.status
    artist.click(left)
    assert artist.covered("object1", left) and not artist.covered("object1", right)
    artist.click((right[0], right[1]), SHIFT)
    assert window.edits.prompt.exclude and window.edits.prompt.include
    sheet = window.edits.sheet
    artist.key(KEY.Key_Z)
    assert window.edits.prompt.exclude == ()
    artist.key(KEY.Key_Z)
    assert window.edits.object is None and window.canvas.scene.overlays == ()
    artist.key(KEY.Key_X)
    artist.key(KEY.Key_Z, CONTROL | SHIFT)
    assert window.edits.sheet == sheet
    artist.at_rest()
    assert artist.covered("object1", left)
    artist.hover(right)
    artist.until(lambda: window.session.hover is not None, "a hover preview")
    assert window.edits.sheet == sheet
    artist.key(KEY.Key_N)
    assert window.edits.object.name == "object2"
    artist.box((right[0] - 40, right[1] - 45), (right[0] + 40, right[1] + 45))
    assert artist.covered("object2", right)
    objects = read_job(artist.path).objects
    assert [thing.name for thing in objects] == ["object1", "object2"] and objects[1].prompts[0].box


def fresh_overlay(window):
    """Whether a frame nobody has prompted is seen with the matte that tracking has just made of it."""
    frame, shelf = window.seen_frame, window.session.shelf
    if frame != window.edits.frame or frame in window.edits.sheet.prompted:
        return False
    seen = [overlay.matte for overlay in window.canvas.scene.overlays]
    held = [shelf._images.get((frame, name)) for name in shelf.on_disk(frame)]
    made = [one.image for one in held if one is not None and not one.preview]
    return any(image is one for image in seen for one in made)


def tracking(artist, truth):
    """Track, stop, track on; a correction; what is on disk and in the bar."""
    window = artist.window
    artist.key(KEY.Key_T)
    tracked = lambda: len(window.session.shelf.scores)  # noqa: E731
    run, grown = window.session.tracking, []

    def ended():
        grown.extend([window.seen_frame] if run.running and fresh_overlay(window) else [])
        return not run.running

    artist.until_in_steps(lambda: tracked() >= 2 or ended(), "two frames to be tracked", 120)
    artist.key(KEY.Key_Escape)
    artist.let_go_on()
    artist.until(ended, "tracking to stop")
    assert "Stopped" in artist.status, artist.status
    for attempt in range(6):
        artist.key(KEY.Key_T)
        if attempt % 2:
            artist.until_in_steps(lambda: ended() or grown, "an overlay while it tracks", 120)
            artist.let_go_on()
        artist.until(ended, "tracking to end", 300)
        if grown:
            break
        # Pictures of mattes come a few times a second: a fast machine may end so short a shot between two.
        for frame in range(1002, 1006):
            os.remove(os.path.join(artist.folder, "mattes", "object1.{}.exr".format(frame)))
            os.remove(os.path.join(artist.folder, "mattes", "object2.{}.exr".format(frame)))
    assert grown, "the overlays came only when it was over"
    artist.at_rest()
    last = max(int(frame) for frame in truth["left"])
    frames = range(1001, last + 1)
    for frame in frames:
        for name in ("object1", "object2"):
            path = os.path.join(artist.folder, "mattes", "{}.{}.exr".format(name, frame))
            assert os.path.getsize(path) > 0
    assert window.session.shelf.frames(["object1", "object2"]) == frozenset(frames)
    assert artist.status.startswith("Tracked: "), artist.status
    artist.key(KEY.Key_End)
    artist.at_rest()
    assert window.edits.frame == last and len(window.canvas.scene.overlays) == 2
    artist.key(KEY.Key_1)
    stem = os.path.join(artist.folder, "mattes", "object1.{}.exr".format(last))
    before = open(stem, "rb").read()
    point = truth["left"][str(last)] or [5, 5]
    artist.hover(point)
    artist.at_rest()
    artist.click((point[0] + 6, point[1]))
    assert window.edits.sheet.prompted == (1001, last) and window.edits.object.name == "object1"
    assert "T to track" in artist.status
    artist.track()
    assert open(stem, "rb").read() != before
    artist.key(KEY.Key_PageUp)
    assert window.edits.frame == 1001


def losing_the_worker(artist, truth):
    """The worker is killed: a sentence, and the next click starts another."""
    window = artist.window
    pid = artist.client.pid
    artist.key(KEY.Key_T)
    os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    artist.until(lambda: artist.client.pid is None, "the worker to be missed")
    artist.pause(0.1)
    assert "killed" in artist.status or "crashed" in artist.status, artist.status
    artist.key(KEY.Key_1)
    sheet = window.edits.sheet
    point = truth["left"]["1001"]
    artist.click((point[0] - 5, point[1] - 5))
    assert artist.client.pid not in (None, pid) and window.edits.sheet != sheet


def losing_an_idle_worker(artist, truth):
    """It is killed while nobody asks anything: the status line tells at once, and the next step mends it."""
    window = artist.window
    artist.at_rest()
    pid, sheet = artist.client.pid, window.edits.sheet
    os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    artist.until(lambda: "what you do next starts it again" in artist.status, "the end to be told", 5)
    assert artist.client.pid is None and not window.session.alive and window.edits.sheet == sheet
    artist.key(KEY.Key_Right)
    artist.until(lambda: window.session.alive, "the plate to be opened again", 180)
    artist.at_rest()
    assert "starts it again" not in artist.status and window.edits.frame == 1002


def replacing_a_frame(artist, truth):
    """Somebody renders frames of the plate anew: they are seen, and so is what a click selects there."""
    window = artist.window
    artist.key(KEY.Key_Home)
    artist.at_rest()
    before = window.session.picture(1001), window.session.shelf.image(1001, "object1")
    last = max(int(frame) for frame in truth["left"])
    first = os.path.join(artist.folder, "plate.1001.png")
    kept = first + ".kept"
    os.rename(first, kept)
    shutil.copyfile(os.path.join(artist.folder, "plate.{}.png".format(last)), first)
    artist.key(KEY.Key_Right)
    artist.at_rest()
    artist.key(KEY.Key_Left)
    artist.until(lambda: "Replaced on disk: frame 1001" in artist.status, "the new frame to be noticed")
    artist.at_rest()
    assert window.session.picture(1001) is not before[0] and window.canvas.scene.picture is not before[0]
    assert window.session.picture(1001) != before[0]
    artist.until(lambda: window.session.shelf.image(1001, "object1") != before[1], "the new preview")
    os.replace(kept, first)
    artist.key(KEY.Key_Right)
    artist.at_rest()
    artist.key(KEY.Key_Left)
    artist.until(lambda: window.session.picture(1001) == before[0], "the old frame to be back")
    artist.at_rest()


def changing_words_while_it_tracks(artist, truth):
    """A prompt goes, undo brings it back, an object gets another name: the job at hand ends well."""
    window = artist.window
    last = max(int(frame) for frame in truth["left"])
    artist.key(KEY.Key_1)
    artist.key(KEY.Key_W)
    artist.key(KEY.Key_T)
    artist.until(lambda: window.session.tracking.progress is not None, "tracking to begin", 120)
    artist.key(KEY.Key_End)
    sheet = window.edits.sheet
    artist.key(KEY.Key_Delete)
    assert window.edits.sheet.object(window.edits.current).prompt_on(last) is None
    artist.key(KEY.Key_2)
    artist.key(KEY.Key_Z)
    assert window.edits.sheet == sheet and window.edits.object.name == "object2"
    artist.key(KEY.Key_2)
    window.side.objects.rename(window.edits.current)
    field = window.side.objects.row(window.edits.current).field
    QTest.keyClicks(field, "thing")
    QTest.keyClick(field, KEY.Key_Return)
    assert window.edits.object.name == "thing"
    artist.until(lambda: not window.session.tracking.running, "tracking to end", 300)
    artist.at_rest()
    assert "thing" not in window.session.shelf.on_disk(1001)
    artist.key(KEY.Key_Z)
    artist.track()
    assert window.session.shelf.frames(["object1", "object2"]) == frozenset(range(1001, last + 1))


def main():
    application = QtWidgets.QApplication(sys.argv[:1])
    python, folder = sys.argv[1:]
    with open(os.path.join(folder, "truth.json")) as file:
        truth = json.load(file)
    artist = Artist(python, folder)
    try:
        for chapter in CHAPTERS:
            chapter(artist, truth)
            print(chapter.__name__, "done")
        sheet = artist.window.edits.sheet
    finally:
        artist.leave()
    again = Artist(python, folder)
    assert again.window.edits.sheet.tracked() == sheet.tracked()
    again.until(lambda: again.window.session.shelf.scores, "the mattes on disk to be found")
    again.at_rest()
    assert len(again.window.canvas.scene.overlays) == 2
    again.leave()
    # A window that waited for a worker to start or to track would stand still far longer; a busy machine may
    # keep any process waiting for a second.
    assert artist.longest < 2.5, "the window was blocked for {:.2f} s".format(artist.longest)
    del application
    print("The story ends well.")


CHAPTERS = (
    *(prompting, tracking, losing_the_worker, losing_an_idle_worker),
    *(replacing_a_frame, changing_words_while_it_tracks),
)

if __name__ == "__main__":
    main()
