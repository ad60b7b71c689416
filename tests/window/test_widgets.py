"""The widgets under real mouse and key events, each by itself. Runs on every Python and both Qt bindings.

Needs nothing but pytest and a Qt binding: ``test_bindings`` runs this file by other interpreters.
"""

import pytest
import qt_here
from qt_here import QtCore, QTest, QtGui, QtWidgets

from efficienttam.contract.messages import Progress
from efficienttam.contract.prompt_sheet import PromptSheet, in_signs
from efficienttam.contract.prompts import Prompt
from efficienttam.contract.region import Follow, Region
from efficienttam.window import theme
from efficienttam.window.canvas import Canvas, Overlay, Scene
from efficienttam.window.check_list import CheckList
from efficienttam.window.control_row import ControlRow, time_left
from efficienttam.window.frame_bar import FrameBar
from efficienttam.window.key_table import BY_KEY, COMMANDS
from efficienttam.window.matte_image import matte_from_png, outlined, tinted
from efficienttam.window.object_list import ObjectList
from efficienttam.window.prompt_table import PromptTable

application = qt_here.application

LEFT, RIGHT = QtCore.Qt.MouseButton.LeftButton, QtCore.Qt.MouseButton.RightButton
MIDDLE = QtCore.Qt.MouseButton.MiddleButton
NONE = QtCore.Qt.KeyboardModifier.NoModifier
SHIFT = QtCore.Qt.KeyboardModifier.ShiftModifier
CONTROL = QtCore.Qt.KeyboardModifier.ControlModifier
ALT = QtCore.Qt.KeyboardModifier.AltModifier


class Told:
    """Keeps what notices tell."""

    def __init__(self, **notices):
        self.said = []
        for name, notice in notices.items():
            notice.connect(lambda *what, name=name: self.said.append((name, *what)))


@pytest.fixture(params=[(96, 54, 1.0), (400, 300, 1.0), (200, 150, 2.0), (1828, 1556, 0.9)])
def canvas(application, request):
    canvas = Canvas()
    canvas.resize(640, 420)
    canvas.show()
    canvas.set_plate(*request.param)
    yield canvas
    canvas.close()


def at(canvas, x, y):
    return QtCore.QPoint(*[round(number) for number in canvas.view.to_widget(x, y)])


def close(told, expected, view):
    """Within one widget pixel of the place meant: what a hand can hit."""
    across, down = 1 / (view.scale * view.pixel_aspect), 1 / view.scale
    return abs(told[0] - expected[0]) <= across and abs(told[1] - expected[1]) <= down


def test_clicks_come_in_plate_pixels(canvas):
    told = Told(clicked=canvas.clicked)
    place = canvas.view.width * 0.3, canvas.view.height * 0.7
    for button, modifiers, include in (
        (LEFT, NONE, True),
        (LEFT, SHIFT, False),
        (RIGHT, NONE, False),
    ):
        QTest.mouseClick(canvas, button, modifiers, at(canvas, *place))
        name, x, y, included = told.said.pop()
        assert name == "clicked" and close((x, y), place, canvas.view) and included is include
    assert told.said == []


def test_clicks_come_in_plate_pixels_after_zoom_and_pan(canvas):
    told = Told(clicked=canvas.clicked, boxed=canvas.boxed)
    center = canvas.rect().center()
    wheel(canvas, center, 360)
    before = canvas.view
    drag(canvas, MIDDLE, NONE, center, center + QtCore.QPoint(60, -25))
    assert (canvas.view.left - before.left, canvas.view.top - before.top) == (60, -25)
    drag(canvas, LEFT, ALT, center, center + QtCore.QPoint(-60, 25))
    assert abs(canvas.view.left - before.left) < 1e-6 and told.said == []
    place = canvas.view.to_plate(center.x(), center.y())
    QTest.mouseClick(canvas, LEFT, NONE, center)
    assert close(told.said[0][1:3], place, canvas.view)
    canvas.fit()
    assert canvas.view == canvas.view.fitted(canvas.width(), canvas.height())


def wheel(widget, place, delta):
    where = QtCore.QPointF(place)
    event = QtGui.QWheelEvent(
        where,
        QtCore.QPointF(widget.mapToGlobal(place)),
        QtCore.QPoint(0, 0),
        QtCore.QPoint(0, delta),
        QtCore.Qt.MouseButton.NoButton,
        NONE,
        QtCore.Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QtWidgets.QApplication.sendEvent(widget, event)


def drag(widget, button, modifiers, start, end):
    QTest.mousePress(widget, button, modifiers, start)
    for share in (0.3, 0.7, 1.0):
        QTest.mouseMove(widget, start + (end - start) * share)
        move = QtGui.QMouseEvent(
            QtCore.QEvent.Type.MouseMove,
            QtCore.QPointF(start + (end - start) * share),
            QtCore.QPointF(widget.mapToGlobal(start + (end - start) * share)),
            QtCore.Qt.MouseButton.NoButton,
            button,
            modifiers,
        )
        QtWidgets.QApplication.sendEvent(widget, move)
    QTest.mouseRelease(widget, button, modifiers, end)


def test_a_drag_is_a_box_inside_the_plate(canvas):
    told = Told(clicked=canvas.clicked, boxed=canvas.boxed)
    width, height = canvas.view.width, canvas.view.height
    drag(canvas, LEFT, NONE, at(canvas, width * 0.5, height * 0.5), QtCore.QPoint(1, 1))
    ((name, *corners),) = told.said
    assert name == "boxed" and close(corners[:2], (width * 0.5, height * 0.5), canvas.view)
    assert corners[2:] == [0, 0]


def test_a_hand_that_slips_a_little_still_clicks_where_it_pressed(canvas):
    told = Told(clicked=canvas.clicked, boxed=canvas.boxed)
    place = at(canvas, canvas.view.width * 0.5, canvas.view.height * 0.5)
    drag(canvas, LEFT, NONE, place, place + QtCore.QPoint(3, -4))
    ((name, x, y, include),) = told.said
    assert name == "clicked" and include
    assert close((x, y), (canvas.view.width * 0.5, canvas.view.height * 0.5), canvas.view)


def test_control_takes_a_point_away_and_hovering_is_told(canvas):
    told = Told(erased=canvas.erased, hovered=canvas.hovered, left=canvas.left)
    QTest.mouseClick(canvas, LEFT, CONTROL, at(canvas, 10, 10))
    assert told.said[-1][0] == "erased" and told.said[-1][3] == pytest.approx(12 / canvas.view.scale)
    del told.said[:]
    place = QtCore.QPointF(at(canvas, 20, 20))
    move = QtGui.QMouseEvent(
        QtCore.QEvent.Type.MouseMove,
        place,
        QtCore.QPointF(canvas.mapToGlobal(place.toPoint())),
        QtCore.Qt.MouseButton.NoButton,
        QtCore.Qt.MouseButton.NoButton,
        NONE,
    )
    QtWidgets.QApplication.sendEvent(canvas, move)
    QtWidgets.QApplication.sendEvent(canvas, QtCore.QEvent(QtCore.QEvent.Type.Leave))
    assert [said[0] for said in told.said] == ["hovered", "left"]


def test_mattes_are_painted_where_they_are(application):
    canvas = Canvas()
    canvas.resize(416, 316)
    canvas.set_plate(100, 75, 1.0)
    picture = QtGui.QImage(100, 75, QtGui.QImage.Format.Format_RGB32)
    picture.fill(QtGui.QColor("#404040"))
    matte = QtGui.QImage(50, 37, QtGui.QImage.Format.Format_Grayscale8)
    matte.fill(0)
    for y in range(18):
        for x in range(25):
            matte.setPixelColor(x, y, QtGui.QColor("#ffffff"))
    prompt = Prompt(1, include=((80, 60),))
    canvas.show_scene(Scene(picture, (Overlay(matte, "#ff0000", True),), None, prompt, "#00ff00"))
    shown = canvas.grab().toImage()
    ratio = shown.width() / canvas.width()

    def color(x, y):
        place = canvas.view.to_widget(x, y)
        return QtGui.QColor(shown.pixel(int(place[0] * ratio), int(place[1] * ratio)))

    assert color(20, 15).red() > color(20, 15).blue() + 50
    assert color(90, 20).getRgb()[:3] == (0x40, 0x40, 0x40)
    assert color(80.5, 58.5).green() > 150
    canvas.scene.alpha = True
    shown = canvas.grab().toImage()
    assert color(20, 15).getRgb()[:3] == (255, 255, 255) and color(90, 20).getRgb()[:3] == (0, 0, 0)


def test_what_is_no_png_is_no_matte(application):
    assert matte_from_png("") is None and matte_from_png("AAAA") is None


def test_a_tint_is_as_opaque_as_the_matte(application):
    matte = QtGui.QImage(9, 9, QtGui.QImage.Format.Format_Grayscale8)
    matte.fill(0)
    matte.setPixelColor(4, 4, QtGui.QColor(128, 128, 128))
    tint = tinted(matte, "#e69f00")
    assert tint.pixelColor(4, 4).alpha() == 128 and tint.pixelColor(0, 0).alpha() == 0
    line = outlined(matte, "#e69f00")
    assert line.pixelColor(6, 4).getRgb() == (0xE6, 0x9F, 0, 255)
    assert line.pixelColor(4, 4).alpha() == line.pixelColor(0, 0).alpha() == 0
    matte.setPixelColor(4, 4, QtGui.QColor(127, 127, 127))
    assert outlined(matte, "#e69f00").pixelColor(6, 4).alpha() == 0


@pytest.mark.parametrize("first, last", [(1001, 1048), (-5, 5), (1, 1), (1001, 3000)])
def test_the_frame_bar_scrubs_to_the_frame_under_the_mouse(application, first, last):
    bar = FrameBar()
    bar.resize(700, bar.height())
    bar.set_range(first, last)
    told = Told(scrubbed=bar.scrubbed)
    for frame in {first, (first + last) // 2, last}:
        assert bar.frame_at(bar.place_of(frame)) == frame
        QTest.mouseClick(bar, LEFT, NONE, QtCore.QPoint(int(bar.place_of(frame)), 20))
        assert abs(told.said[-1][1] - frame) <= (last - first) / 600
    assert bar.frame_at(-50) == first and bar.frame_at(5000) == last


@pytest.mark.parametrize("stale, band", [(False, theme.TRACKED), (True, theme.STALE)])
def test_the_frame_bar_shows_what_is_prompted_tracked_and_to_check(application, stale, band):
    bar = FrameBar()
    bar.resize(700, bar.height())
    bar.set_range(1001, 1010)
    bar.set_frame(1006)
    bar.set_marks({1002: "#e69f00", 1009: "#56b4e9"}, range(1003, 1009), {1004: ("lost",)}, stale)
    shown = bar.grab().toImage()
    ratio = shown.width() / bar.width()

    def color(frame, y):
        return QtGui.QColor(shown.pixel(int(bar.place_of(frame) * ratio), int(y * ratio))).name()

    diamonds, triangles, tracked = 15 + 5, 10.5, 22
    seen = {frame: (color(frame, diamonds), color(frame, triangles)) for frame in range(1001, 1011)}
    assert [frame for frame in seen if seen[frame][0] == "#e69f00"] == [1002]
    assert [frame for frame in seen if seen[frame][0] == "#56b4e9"] == [1009]
    assert [frame for frame in seen if seen[frame][1] == theme.CHECK] == [1004]
    # The playhead is painted over the band.
    assert [frame for frame in seen if color(frame, tracked) == band] == [1003, 1004, 1005, 1007, 1008]
    bar.set_marks({}, (), {}, stale)
    shown = bar.grab().toImage()
    assert all(color(frame, y) not in (band, theme.CHECK) for frame in seen for y in (10.5, 20, 22))


def test_the_object_list_tells_wishes(application):
    sheet = PromptSheet().with_object("hero", "a").with_object("car", "b")
    objects = ObjectList()
    objects.show_sheet(sheet, "a")
    objects.show()
    names = ("chosen", "renamed", "soloed", "muted", "removed")
    told = Told(**{name: getattr(objects, name) for name in names})
    row = objects.row("b")
    for button in (row.solo, row.mute, row.remove):
        QTest.mouseClick(button, LEFT)
    QTest.mouseClick(row, LEFT, NONE, row.name.geometry().center())
    assert told.said == [("soloed", "b"), ("muted", "b"), ("removed", "b"), ("chosen", "b")]
    del told.said[:]
    QTest.mouseDClick(row, LEFT, NONE, row.name.geometry().center())
    QTest.keyClicks(row.field, "truck")
    QTest.keyClick(row.field, QtCore.Qt.Key.Key_Return)
    assert ("renamed", "b", "truck") in told.said
    assert [said for said in told.said if said[0] == "renamed"] == [("renamed", "b", "truck")]


def test_an_object_with_a_region_is_marked(application):
    sheet = PromptSheet().with_object("hero", "a").with_object("car", "b").in_region("b", Region())
    objects = ObjectList()
    objects.show_sheet(sheet, "a")
    objects.show()
    assert not objects.row("a").region.isVisible() and objects.row("b").region.isVisible()
    assert "follows the object" in objects.row("b").region.toolTip()
    objects.show_sheet(sheet.in_region("b", None).in_region("a", Region(Follow.DRAWN)), "a")
    assert objects.row("a").region.isVisible() and not objects.row("b").region.isVisible()
    assert "drawn" in objects.row("a").region.toolTip()


def test_rows_stay_while_their_objects_do(application):
    """Else the second press of a double click finds another row, on a busy machine without a place yet."""
    sheet = PromptSheet().with_object("hero", "a").with_object("car", "b")
    objects = ObjectList()
    objects.show_sheet(sheet, "a")
    objects.show()
    row = objects.row("b")
    objects.chosen.connect(lambda id: objects.show_sheet(sheet, id))
    place = row.name.geometry().center()
    QTest.mouseClick(row, LEFT, NONE, place)
    assert objects.row("b") is row and row.name.font().bold()
    QTest.mouseDClick(row, LEFT, NONE, place)
    QTest.keyClicks(row.field, "tru")
    changed = sheet.shown("a", solo=True)
    objects.show_sheet(changed, "b")
    QTest.keyClicks(row.field, "ck")
    assert row.field.text() == "truck" and objects.row("a").solo.isChecked()
    objects.show_sheet(changed.with_object("tree", "c"), "c")
    assert list(objects._rows) == ["a", "b", "c"] and not objects.row("b").field.isVisible()


def test_the_prompt_table_goes_to_what_is_clicked(application):
    sheet = PromptSheet().with_object("hero", "a").with_object("car", "b")
    sheet = sheet.with_prompt("a", Prompt(1001, include=((1, 1), (2, 2)), exclude=((3, 3),)))
    sheet = sheet.with_prompt("b", Prompt(1010, box=(0, 0, 5, 5)))
    table = PromptTable()
    table.resize(300, 150)
    table.show()
    table.show_sheet(sheet, "a", 1001)
    told = Told(chosen=table.chosen)
    assert [table.item(0, 0).text(), table.item(1, 1).text()] == ["+2 -1", "box"]
    assert table.item(0, 1) is None and table.currentItem() is table.item(0, 0)
    QTest.mouseClick(table.viewport(), LEFT, NONE, table.visualItemRect(table.item(1, 1)).center())
    assert told.said == [("chosen", "b", 1010)]


def test_signs_of_prompts():
    assert in_signs(Prompt(1, exclude=((1, 1),), box=(0, 0, 1, 1))) == "-1 box"


def test_the_control_row_shows_how_far_it_is(application):
    row = ControlRow()
    told = Told(wished=row.wished, typed=row.typed)
    row.show_tracking(False, False, None)
    assert not row.buttons["track"].isEnabled() and not row.buttons["stop"].isEnabled()
    row.show_tracking(True, True, Progress(1, 12, 96, 0, 20.0))
    assert row.progress.text() == "12 of 96, about 20 s left"
    QTest.mouseClick(row.buttons["stop"], LEFT)
    row.frame.setText("1010")
    QTest.keyClick(row.frame, QtCore.Qt.Key.Key_Return)
    assert told.said == [("wished", "stop"), ("typed", 1010)]
    assert [time_left(seconds) for seconds in (0.2, 40, 200, 7200)] == [
        "about 1 s left",
        "about 40 s left",
        "about 3 min left",
        "about 2.0 h left",
    ]


def test_every_key_does_one_thing():
    keys = [key for command in COMMANDS for key in command.keys]
    assert len(keys) == len(set(keys)) == len(BY_KEY)


def test_keys_are_written_as_qt_writes_them(application):
    portable = QtGui.QKeySequence.SequenceFormat.PortableText
    assert [QtGui.QKeySequence(key).toString(portable) for key in BY_KEY] == list(BY_KEY)


def test_the_list_of_what_to_check_leads_there(application):
    checks = CheckList()
    told = Told(chosen=checks.chosen)
    marks = {1003: ("hero: lost",), 1004: ("hero: lost",), 1010: ("hero: area jumps +62 %", "car: lost")}
    checks.show_marks(marks, 1004)
    assert [checks.item(row).text() for row in range(checks.count())] == [
        "1003-1004  hero: lost",
        "1010  hero: area jumps +62 %",
    ]
    assert checks.currentRow() == 0 and "car: lost" in checks.item(1).toolTip()
    checks.itemClicked.emit(checks.item(1))
    assert told.said == [("chosen", 1010)]
    checks.show_marks({}, 1004)
    assert checks.count() == 0
    checks.show_marks({frame: ("hero: lost",) for frame in range(0, 4000, 2)}, 3998)
    assert 0 < checks.count() < 1000
