"""The frame with mattes and prompts over it, and what the mouse does to it."""

from __future__ import annotations

import dataclasses
from typing import Any, Optional, Tuple

from ..contract.prompts import Prompt
from . import theme
from .matte_image import MatteLooks
from .notice import Notice
from .plate_view import PlateView
from .qt import QtCore, QtGui, QtWidgets, position

#: Widget pixels that a press may move and still be a click.
SLIP = 5.0
#: Widget pixels from a point within which Ctrl-click takes it away.
REACH = 12.0
_ZOOM_STEP = 1.25
_RADIUS = 5.0
_LEFT = QtCore.Qt.MouseButton.LeftButton
_RIGHT = QtCore.Qt.MouseButton.RightButton
_MIDDLE = QtCore.Qt.MouseButton.MiddleButton


@dataclasses.dataclass(frozen=True)
class Overlay:
    """A matte to be shown: a grey QImage of any size that covers the plate, and its colour."""

    matte: Any
    color: str
    current: bool = False


@dataclasses.dataclass
class Scene:
    """What the canvas shows: pictures cover the whole plate, prompts are in plate pixels."""

    picture: Any = None
    overlays: Tuple[Overlay, ...] = ()
    hover: Optional[Overlay] = None
    prompt: Optional[Prompt] = None
    color: str = "#ffffff"
    words: str = ""
    opacity: float = 0.45
    overlay: bool = True
    alpha: bool = False


class Canvas(QtWidgets.QWidget):
    """Paints a ``Scene``; tells clicks, boxes and hovering in plate pixels, which may lie off the plate.

    Left click includes; with Shift, or right, excludes; with Ctrl takes a point away (``erased``, with
    the reach in plate pixels). A left drag is a box. Middle drag or Alt and left drag pans, the wheel
    zooms. ``woken`` is a press while there is no plate.
    """

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.clicked = Notice()
        self.boxed = Notice()
        self.erased = Notice()
        self.hovered = Notice()
        self.left = Notice()
        self.view_changed = Notice()
        self.woken = Notice()
        self.scene = Scene()
        self.view: Optional[PlateView] = None
        self._fit = True
        self._looks = MatteLooks()
        self._pressed: Optional[Tuple[float, float]] = None
        self._button: Any = None
        self._panning = False
        self._at: Tuple[float, float] = (0.0, 0.0)
        self.setMouseTracking(True)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(240, 160)
        self.setCursor(QtCore.Qt.CursorShape.CrossCursor)
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def set_plate(self, width: int, height: int, pixel_aspect: float) -> None:
        """Shows a plate of that size, fitted."""
        self.view = PlateView(width, height, pixel_aspect)
        self.fit()

    def fit(self) -> None:
        """The whole plate, in the middle."""
        self._fit = True
        if self.view is not None:
            self._look(self.view.fitted(self.width(), self.height()))

    def show_scene(self, scene: Scene) -> None:
        """Shows another scene in the same view."""
        self.scene = scene
        self.update()

    @property
    def side(self) -> int:
        """Longest side that a picture or a matte needs to look sharp here; 0 for the plate's size."""
        return 0 if self.view is None else self.view.side(self.devicePixelRatioF())

    def resizeEvent(self, event: Any) -> None:
        if self._fit:
            self.fit()

    def wheelEvent(self, event: Any) -> None:
        steps = event.angleDelta().y() / 120
        if self.view is not None and steps:
            self._fit = False
            self._look(self.view.zoomed(_ZOOM_STEP**steps, *position(event)))
        event.accept()

    def mousePressEvent(self, event: Any) -> None:
        if self.view is None:
            self.woken.emit()
        if self._pressed is not None or self.view is None:
            return
        alt = event.modifiers() & QtCore.Qt.KeyboardModifier.AltModifier
        self._pressed = self._at = position(event)
        self._button = event.button()
        self._panning = self._button == _MIDDLE or (self._button == _LEFT and bool(alt))

    def mouseMoveEvent(self, event: Any) -> None:
        before, self._at = self._at, position(event)
        if self.view is None:
            return
        if self._panning:
            self._fit = False
            self._look(self.view.panned(self._at[0] - before[0], self._at[1] - before[1]))
        elif self._pressed is None:
            self.hovered.emit(*self.view.to_plate(*self._at))
        else:
            self.update()

    def mouseReleaseEvent(self, event: Any) -> None:
        if self._pressed is None or self.view is None or event.button() != self._button:
            return
        start, self._pressed = self._pressed, None
        end = position(event)
        panning, self._panning = self._panning, False
        slipped = max(abs(end[0] - start[0]), abs(end[1] - start[1])) > SLIP
        modifiers = event.modifiers()
        if not panning and slipped and self._button == _LEFT:
            one, other = self.view.to_plate(*start), self.view.to_plate(*end)
            self.boxed.emit(*self.view.clamped(*one), *self.view.clamped(*other))
        elif not panning and not slipped:
            x, y = self.view.to_plate(*start)
            if modifiers & QtCore.Qt.KeyboardModifier.ControlModifier:
                self.erased.emit(x, y, REACH / self.view.scale)
            else:
                shift = bool(modifiers & QtCore.Qt.KeyboardModifier.ShiftModifier)
                self.clicked.emit(x, y, self._button == _LEFT and not shift)
        self.update()

    def leaveEvent(self, event: Any) -> None:
        self.left.emit()

    def paintEvent(self, event: Any) -> None:
        painter = QtGui.QPainter(self)
        painter.fillRect(self.rect(), QtGui.QColor(theme.SURROUND))
        if self.view is not None:
            painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
            painter.setRenderHint(
                QtGui.QPainter.RenderHint.SmoothPixmapTransform, self.view.scale < 4 or self.scene.alpha
            )
            self._paint_pictures(painter, self._target())
            self._paint_prompt(painter)
            self._paint_drag(painter)
        if self.scene.words:
            painter.setPen(QtGui.QColor(theme.DIM))
            painter.drawText(self.rect(), QtCore.Qt.AlignmentFlag.AlignCenter, self.scene.words)
        painter.end()

    def _target(self) -> Any:
        assert self.view is not None
        width, height = self.view.shown
        return QtCore.QRectF(self.view.left, self.view.top, width, height)

    def _paint_pictures(self, painter: Any, target: Any) -> None:
        scene = self.scene
        if scene.alpha:
            painter.fillRect(target, QtGui.QColor("#000000"))
            for overlay in scene.overlays:
                if overlay.current:
                    painter.drawImage(target, overlay.matte)
            return
        if scene.picture is None:
            painter.fillRect(target, QtGui.QColor("#1e1e1e"))
        else:
            painter.drawImage(target, scene.picture)
        for overlay in scene.overlays if scene.overlay else ():
            look = self._looks.of(overlay.matte, overlay.color)
            painter.setOpacity(scene.opacity)
            painter.drawImage(target, look.tint)
            painter.setOpacity(1.0 if overlay.current else 0.6)
            painter.drawImage(target, look.line)
        if scene.hover is not None:
            look = self._looks.of(scene.hover.matte, scene.hover.color)
            painter.setOpacity(0.18)
            painter.drawImage(target, look.tint)
            painter.setOpacity(0.9)
            painter.drawImage(target, look.line)
        painter.setOpacity(1.0)

    def _paint_prompt(self, painter: Any) -> None:
        prompt, view = self.scene.prompt, self.view
        if prompt is None or view is None:
            return
        color = QtGui.QColor(self.scene.color)
        if prompt.box is not None:
            one, other = view.to_widget(*prompt.box[:2]), view.to_widget(*prompt.box[2:])
            self._paint_box(painter, one, other, color)
        for points, include in ((prompt.include, True), (prompt.exclude, False)):
            for x, y in points:
                _paint_point(painter, QtCore.QPointF(*view.to_widget(x, y)), include, color)

    def _paint_drag(self, painter: Any) -> None:
        if self._pressed is None or self._panning or self._button != _LEFT:
            return
        if max(abs(self._at[0] - self._pressed[0]), abs(self._at[1] - self._pressed[1])) > SLIP:
            self._paint_box(painter, self._pressed, self._at, QtGui.QColor(self.scene.color))

    def _paint_box(
        self, painter: Any, one: Tuple[float, float], other: Tuple[float, float], color: Any
    ) -> None:
        box = QtCore.QRectF(QtCore.QPointF(*one), QtCore.QPointF(*other)).normalized()
        painter.setBrush(QtCore.Qt.BrushStyle.NoBrush)
        for shade, width in ((QtGui.QColor(0, 0, 0, 160), 3.0), (color, 1.5)):
            painter.setPen(QtGui.QPen(shade, width))
            painter.drawRect(box)

    def _look(self, view: PlateView) -> None:
        self.view = view
        self.update()
        self.view_changed.emit()


def _paint_point(painter: Any, place: Any, include: bool, color: Any) -> None:
    """A disc with a plus where it includes, a ring with a minus where it excludes: told apart without hue."""
    dark, light = QtGui.QColor(0, 0, 0, 200), QtGui.QColor("#ffffff")
    painter.setPen(QtGui.QPen(dark, 4.0))
    painter.setBrush(color if include else dark)
    painter.drawEllipse(place, _RADIUS + 1, _RADIUS + 1)
    painter.setPen(QtGui.QPen(light if include else color, 1.6))
    painter.drawEllipse(place, _RADIUS + 1, _RADIUS + 1)
    painter.setPen(QtGui.QPen(dark if include else light, 1.8))
    reach = _RADIUS - 1.5
    painter.drawLine(place - QtCore.QPointF(reach, 0), place + QtCore.QPointF(reach, 0))
    if include:
        painter.drawLine(place - QtCore.QPointF(0, reach), place + QtCore.QPointF(0, reach))
