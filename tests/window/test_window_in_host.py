"""The window inside a host, without an engine. Runs as ``test_widgets`` does."""

import os

import pytest
import qt_here
from qt_here import QtCore, QTest, QtGui, QtWidgets

from efficienttam.client import WorkerClient
from efficienttam.contract.errors import OutputError
from efficienttam.contract.job import Output, Plate, TrackJob
from efficienttam.contract.matte_score import MatteScore
from efficienttam.contract.messages import ObjectMatte, OpenPlate, PlateOpened
from efficienttam.contract.prompt_sheet import PromptSheet
from efficienttam.contract.prompts import Prompt
from efficienttam.window import prompt_window
from efficienttam.window.prompt_window import PromptWindow
from efficienttam.window.shot import Shot
from efficienttam.window.shot_edits import ready_objects

application = qt_here.application

NONE, CONTROL = QtCore.Qt.KeyboardModifier.NoModifier, QtCore.Qt.KeyboardModifier.ControlModifier


class KnobShot(Shot):
    """A shot as a host might keep it: in memory, with an undo list of its own."""

    def __init__(self):
        super().__init__()
        self.kept = PromptSheet().with_object("hero", "a").with_prompt("a", Prompt(1004, include=((9, 9),)))
        self.changes, self.frames, self.refuses = [], [], False
        self.at = 1004

    title = "EfficientTAM1"
    folder = "/shots"

    @property
    def sheet(self):
        return self.kept

    def set_sheet(self, sheet, what):
        if self.refuses:
            raise OutputError("The script is locked.", "Unlock it.")
        self.changes.append(what)
        self.kept = sheet

    @property
    def frame(self):
        return self.at

    def set_frame(self, frame):
        self.frames.append(frame)
        self.at = frame

    def open_plate(self):
        return OpenPlate(0, "a", Plate(path="p.%04d.exr"))

    def job(self, sheet):
        return TrackJob(Plate(path="p.%04d.exr"), ready_objects(sheet), Output(path="m/{object}.%04d.exr"))


@pytest.fixture
def host(application):
    """A main window with the prompt window docked in it, and a Ctrl+Z of its own."""
    main = QtWidgets.QMainWindow()
    main.setCentralWidget(QtWidgets.QTextEdit())
    dock = QtWidgets.QDockWidget("Prompts")
    window = PromptWindow(KnobShot(), WorkerClient([os.path.join("nowhere", "python")]))
    dock.setWidget(window)
    main.addDockWidget(QtCore.Qt.DockWidgetArea.RightDockWidgetArea, dock)
    action_class = getattr(QtGui, "QAction", None) or QtWidgets.QAction
    main.undo = action_class("Undo", main)
    main.undo.setShortcut(QtGui.QKeySequence("Ctrl+Z"))
    main.undone = []
    main.undo.triggered.connect(lambda *_: main.undone.append(1))
    main.addAction(main.undo)
    main.panel = window
    main.resize(1200, 700)
    main.show()
    main.activateWindow()
    application.processEvents()
    yield main
    window.shut()
    main.close()


def see_a_plate(window):
    """Pretends that frames of an open plate are seen: what the worker would bring."""
    window.session._timer.stop()
    window.session.plate = PlateOpened(1, 1001, 1010, 100, 60, 1.0, "cpu", "float32")
    window.canvas.set_plate(100, 60, 1.0)
    window.frame_bar.set_range(1001, 1010)
    window.seen_frame = window.edits.frame


def wait_for(true):
    for _ in range(500):
        if true():
            return True
        QtWidgets.QApplication.processEvents()
        QtCore.QThread.msleep(5)
    return False


def click(window, x, y):
    place = QtCore.QPoint(*[round(number) for number in window.canvas.view.to_widget(x, y)])
    QTest.mouseClick(window.canvas, QtCore.Qt.MouseButton.LeftButton, NONE, place)


def test_an_engine_that_cannot_start_is_told_in_one_line_and_tried_again(host):
    status = host.panel.status
    assert wait_for(lambda: "cannot be started" in status.text())
    assert "EFFICIENTTAM_PYTHON" in status.text() and "\n" not in status.text()
    host.panel.say("", False)
    QTest.mouseClick(host.panel.canvas, QtCore.Qt.MouseButton.LeftButton)
    assert wait_for(lambda: "cannot be started" in status.text())


def test_the_window_fits_a_small_place(host):
    assert host.panel.minimumSizeHint().width() <= 900 and host.panel.minimumSizeHint().height() <= 600
    assert host.panel.layout().minimumSize().width() <= 900


def test_prompts_go_to_the_host_and_its_undo_comes_back(host):
    window, shot = host.panel, host.panel.shot
    see_a_plate(window)
    click(window, 50, 30)
    assert shot.changes == ["Include a point of hero"]
    assert len(shot.kept.object("a").prompt_on(1004).include) == 2
    shot.kept = shot.kept.without_prompt("a", 1004)
    shot.sheet_changed()
    assert window.edits.prompt is None and window.edits.sheet == shot.kept
    assert shot.changes == ["Include a point of hero"]
    QTest.keyClick(window.canvas, QtCore.Qt.Key.Key_Z)
    assert len(shot.kept.object("a").prompt_on(1004).include) == 2 and shot.changes[-1] == "Undo"


def test_keys_are_the_windows_while_it_has_the_focus(host):
    window = host.panel
    see_a_plate(window)
    click(window, 50, 30)
    window.canvas.setFocus()
    QTest.keyClick(window.canvas, QtCore.Qt.Key.Key_Z, CONTROL)
    assert host.undone == [] and window.edits.next_change is not None
    QTest.keyClick(window.canvas, QtCore.Qt.Key.Key_N)
    assert window.edits.object.name == "object1"
    window.do("rename")
    QTest.keyClicks(window.side.objects.row(window.edits.current).field, "next_one")
    QTest.keyClick(window.side.objects.row(window.edits.current).field, QtCore.Qt.Key.Key_Return)
    assert window.edits.object.name == "next_one"
    assert window.canvas.hasFocus() or not window.isActiveWindow()


def test_frames_follow_each_other(host):
    window, shot = host.panel, host.panel.shot
    see_a_plate(window)
    window.do("on")
    assert shot.frames == [1005]
    shot.at = 1008
    shot.frame_changed()
    assert window.edits.frame == 1008
    shot.at = 900
    shot.frame_changed()
    assert window.edits.frame == 1001 and shot.frames == [1005]
    window.go_to(5000)
    assert window.edits.frame == 1010
    window.do("prompt_back")
    assert window.edits.frame == 1004


def test_a_shot_that_is_gone_is_told(host, monkeypatch):
    window = host.panel
    see_a_plate(window)

    def gone(*_):
        raise OutputError("The node is gone.", "Undo its deletion.")

    for name in ("set_frame", "set_sheet", "job", "open_plate", "feed"):
        monkeypatch.setattr(window.shot, name, gone, raising=False)
    monkeypatch.setattr(KnobShot, "frame", property(gone))
    monkeypatch.setattr(KnobShot, "sheet", property(gone))
    for happening in (
        window.shot.sheet_changed,
        window.shot.frame_changed,
        window.shot.plate_changed,
        lambda: window.do("on"),
        lambda: window.do("add"),
        lambda: window.do("track"),
    ):
        window.say("", False)
        happening()
        assert window.status.text() == "The node is gone. Undo its deletion."


def test_what_the_host_refuses_is_taken_back(host):
    window, shot = host.panel, host.panel.shot
    see_a_plate(window)
    window.do("add")
    window.do("on")
    see_a_plate(window)
    window.do("undo")
    assert window.edits.frame == 1004 and window.edits.next_change is not None
    see_a_plate(window)
    held, redo = window.edits.sheet, window.edits.next_change
    shot.refuses = True
    for deed in (lambda: click(window, 50, 30), lambda: window.do("add"), lambda: window.do("redo")):
        window.say("", False)
        deed()
        assert window.status.text() == "The script is locked. Unlock it."
        assert window.edits.sheet == shot.kept == held and window.edits.frame == 1004
        assert window.edits.last_change is None and window.edits.next_change == redo
    shot.refuses = False
    click(window, 60, 30)
    assert shot.kept == window.edits.sheet and len(shot.kept.object("a").prompt_on(1004).include) == 2


def test_a_refused_name_is_told_and_nothing_is_lost(host):
    window, shot = host.panel, host.panel.shot
    see_a_plate(window)
    shot.refuses = True
    window.do("rename")
    row = window.side.objects.row("a")
    QTest.keyClicks(row.field, "mask")
    QTest.keyClick(row.field, QtCore.Qt.Key.Key_Return)
    assert window.status.text() == "The script is locked. Unlock it."
    assert row.name.text() == "hero" and window.edits.object.name == "hero"


def test_what_a_host_keeps_in_spite_of_trouble_stays(host, monkeypatch):
    """As where a job document cannot be written: what was drawn goes into the next one."""
    window, shot = host.panel, host.panel.shot
    see_a_plate(window)

    def keep(sheet, what):
        shot.kept = sheet
        raise OutputError("The disk is full.", "Make room.")

    monkeypatch.setattr(shot, "set_sheet", keep)
    click(window, 50, 30)
    assert window.status.text() == "The disk is full. Make room."
    assert len(window.edits.prompt.include) == 2 and window.edits.last_change is not None


def test_only_what_the_host_holds_is_tracked(host, monkeypatch):
    window, shot = host.panel, host.panel.shot
    see_a_plate(window)
    started = []
    monkeypatch.setattr(window.session.tracking, "start", lambda sheet, first: started.append(sheet))
    shot.kept = shot.kept.with_object("car", "b")
    window.do("track")
    assert started == [shot.kept] and window.edits.sheet == shot.kept


def test_what_is_off_the_plate_or_not_seen_yet_is_no_prompt(host):
    window = host.panel
    see_a_plate(window)
    click(window, -2, 30)
    assert window.status.text() == "That is off the plate."
    window.go_to(1005)
    click(window, 50, 30)
    assert window.status.text() == "Frame 1005 is on its way."
    assert window.shot.changes == []


def test_only_removing_words_asks_back(host, monkeypatch):
    window = host.panel
    see_a_plate(window)
    asked, answer = [], [False]
    monkeypatch.setattr(prompt_window, "ask_removal", lambda _, words: asked.append(words) or answer[0])
    window.do("remove")
    assert asked == ["Remove hero with its prompts on 1 frame?"] and window.edits.object.name == "hero"
    answer[0] = True
    window.do("remove")
    assert window.edits.sheet.objects == ()
    window.do("add")
    window.do("remove")
    assert len(asked) == 2 and window.edits.sheet.objects == ()


def test_another_plate_takes_no_click_until_it_is_seen(host):
    window = host.panel
    see_a_plate(window)
    window.shot.plate_changed()
    assert window.canvas.view is None and window.session.plate is None
    QTest.mouseClick(window.canvas, QtCore.Qt.MouseButton.LeftButton)
    assert window.shot.changes == []


def test_every_command_of_the_key_table_can_be_done(host):
    window = host.panel
    see_a_plate(window)
    for command in prompt_window.BY_KEY.values():
        if command not in ("remove",):
            window.do(command)


def test_the_frame_bar_is_told_what_is_prompted_tracked_and_to_check(host, monkeypatch):
    window, told = host.panel, []
    see_a_plate(window)
    monkeypatch.setattr(window.frame_bar, "set_marks", lambda *marks: told.append(marks))
    hero = window.edits.sheet
    both = hero.with_object("car", "b").with_prompt("b", Prompt(1009, include=((5, 5),)))
    window.shot.kept = both
    window.shot.sheet_changed()
    for frame in range(1003, 1009):
        guess = 0.1 if frame == 1007 else 0.9
        score = MatteScore(1.0, guess, 0.1, 0.9, (0.5, 0.5), (0.4, 0.4, 0.6, 0.6), prompted=frame == 1004)
        names = ("hero", "car", "gone") if frame != 1003 else ("hero",)
        window.session.shelf.tracked(frame, [ObjectMatte(name, score=score) for name in names])
    window.session.tracking.sent = ready_objects(both)
    window.show_state()
    prompted, tracked, to_check, stale = told[-1]
    colors = {thing.name: thing.color for thing in both.objects}
    assert dict(prompted) == {1004: colors["hero"], 1009: colors["car"]}
    # On 1003 one of the two is missing: that is no tracked frame.
    assert sorted(tracked) == [1004, 1005, 1006, 1007, 1008]
    assert list(to_check) == [1007] and sorted(text.split(":")[0] for text in to_check[1007]) == [
        "car",
        "hero",
    ]
    assert stale is False
    click(window, 50, 30)
    assert told[-1][3] is True, "something was said since"


def test_a_window_that_was_shut_is_told_nothing(host):
    window, shot = host.panel, host.panel.shot
    window.shut()
    before = window.edits.sheet
    shot.kept = PromptSheet()
    shot.sheet_changed()
    assert window.edits.sheet == before
