"""The bar of frames: what is prompted, what is tracked, what to check, and where we are."""

from __future__ import annotations

from typing import Any, Collection, List, Mapping, Sequence

from . import theme
from .notice import Notice
from .qt import QtCore, QtGui, QtWidgets, position

_MARGIN = 14
_LANES = 46


class FrameBar(QtWidgets.QWidget):
    """Frames from left to right; a press or a drag tells ``scrubbed`` with the frame under the mouse.

    Prompted frames are diamonds in the colour of an object that is prompted there, tracked ones a grey band
    (dark where prompts changed since), frames to check red triangles.
    """

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.scrubbed = Notice()
        self.first, self.last, self.frame = 1, 1, 1
        self._prompted: Mapping[int, str] = {}
        self._tracked: Collection[int] = ()
        self._stale = False
        self._to_check: Mapping[int, Sequence[str]] = {}
        self.setFixedHeight(_LANES)
        self.setMouseTracking(True)
        self.setToolTip("Drag to another frame. Diamonds are prompted, the band is tracked, red: check.")

    def set_range(self, first: int, last: int) -> None:
        """The frames of the plate, both ends included."""
        self.first, self.last = first, max(first, last)
        self.update()

    def set_frame(self, frame: int) -> None:
        """The current frame."""
        self.frame = frame
        self.update()

    def set_marks(
        self,
        prompted: Mapping[int, str],
        tracked: Collection[int],
        to_check: Mapping[int, Sequence[str]],
        stale: bool,
    ) -> None:
        """Colours of prompted frames, tracked frames, reasons to check a frame; ``stale``: track again."""
        self._prompted, self._tracked, self._to_check = prompted, tracked, to_check
        self._stale = stale
        self.update()

    def place_of(self, frame: float) -> float:
        """Where a frame is, in widget pixels from the left: the middle of its cell."""
        cell = (self.width() - 2 * _MARGIN) / (self.last - self.first + 1)
        return _MARGIN + (frame - self.first + 0.5) * cell

    def frame_at(self, x: float) -> int:
        """The frame whose cell holds a place; the nearest end outside."""
        cell = (self.width() - 2 * _MARGIN) / (self.last - self.first + 1)
        return min(max(self.first + int((x - _MARGIN) // cell), self.first), self.last)

    def mousePressEvent(self, event: Any) -> None:
        if event.button() == QtCore.Qt.MouseButton.LeftButton:
            self.scrubbed.emit(self.frame_at(position(event)[0]))

    def mouseMoveEvent(self, event: Any) -> None:
        frame = self.frame_at(position(event)[0])
        if event.buttons() & QtCore.Qt.MouseButton.LeftButton:
            if frame != self.frame:
                self.scrubbed.emit(frame)
            return
        reasons = self._to_check.get(frame, ())
        said = ["Frame {}".format(frame)]
        said += ["prompted"] if frame in self._prompted else []
        said += ["tracked"] if frame in self._tracked else []
        self.setToolTip(", ".join(said) + "." + "".join("\nCheck " + reason for reason in reasons))

    def paintEvent(self, event: Any) -> None:
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        lane = QtCore.QRectF(_MARGIN, 14, self.width() - 2 * _MARGIN, 16)
        painter.fillRect(lane, QtGui.QColor(theme.FIELD))
        half = lane.width() / (self.last - self.first + 1) / 2
        painter.setPen(QtCore.Qt.PenStyle.NoPen)
        for frame in self._tracked:
            if self.first <= frame <= self.last:
                x = self.place_of(frame)
                shade = theme.STALE if self._stale else theme.TRACKED
                painter.fillRect(QtCore.QRectF(x - half, 19, 2 * half + 0.5, 6), QtGui.QColor(shade))
        self._paint_numbers(painter)
        for frame in self._to_check:
            self._paint_shape(painter, frame, theme.CHECK, ((0, 17), (-5, 8), (5, 8)))
        for frame, color in self._prompted.items():
            self._paint_shape(painter, frame, color, ((0, 14.5), (6, 22), (0, 29.5), (-6, 22)))
        self._paint_playhead(painter, lane)
        painter.end()

    def _paint_numbers(self, painter: Any) -> None:
        font = painter.font()
        font.setPixelSize(10)
        painter.setFont(font)
        painter.setPen(QtGui.QColor(theme.DIM))
        numbers = {self.first, self.last}
        room = max(1, int(painter.fontMetrics().horizontalAdvance("00000") * 1.6))
        count = max(1, (self.width() - 2 * _MARGIN) // room)
        step = _round_step((self.last - self.first + 1) / count)
        numbers.update(range(-(-self.first // step) * step, self.last + 1, step))
        taken = [self.frame, *sorted(numbers, key=lambda n: (n not in (self.first, self.last), n))]
        shown: List[float] = []
        for number in taken:
            x = self.place_of(number)
            if all(abs(x - other) >= room * 0.75 for other in shown):
                shown.append(x)
                if number != self.frame:
                    painter.drawText(QtCore.QRectF(x - 40, 31, 80, 14), _CENTER, str(number))

    def _paint_shape(self, painter: Any, frame: int, color: str, corners: Sequence[Any]) -> None:
        if not self.first <= frame <= self.last:
            return
        x = self.place_of(frame)
        painter.setPen(QtGui.QPen(QtGui.QColor("#1c1c1c"), 1))
        painter.setBrush(QtGui.QColor(color))
        painter.drawPolygon(QtGui.QPolygonF([QtCore.QPointF(x + right, down) for right, down in corners]))

    def _paint_playhead(self, painter: Any, lane: Any) -> None:
        x = self.place_of(self.frame)
        painter.setPen(QtGui.QPen(QtGui.QColor(theme.PLAYHEAD), 1.5))
        painter.drawLine(QtCore.QPointF(x, 4), QtCore.QPointF(x, lane.bottom() + 2))
        painter.drawText(QtCore.QRectF(x - 40, 31, 80, 14), _CENTER, str(self.frame))


_CENTER = QtCore.Qt.AlignmentFlag.AlignCenter


def _round_step(least: float) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50 ... that is not below ``least``."""
    power = 1
    while True:
        for factor in (1, 2, 5):
            if factor * power >= least:
                return factor * power
        power *= 10
