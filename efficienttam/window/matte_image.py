"""Mattes as Qt paints them: decoded, tinted and outlined."""

from __future__ import annotations

import base64
from typing import Any, Dict, Optional

from .qt import QtCore, QtGui

_AROUND = ((-1, -1), (0, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (0, 1), (1, 1))
_FEW = 64


def matte_from_png(text: str) -> Optional[Any]:
    """The 8-bit grey QImage of a PNG in base64; None for an empty text or what is no PNG."""
    if not text:
        return None
    image = QtGui.QImage.fromData(QtCore.QByteArray(base64.b64decode(text)))
    if image.isNull():
        return None
    return image.convertToFormat(QtGui.QImage.Format.Format_Grayscale8)


def tinted(matte: Any, color: str) -> Any:
    """A picture of one colour, as opaque as the matte is white."""
    image = QtGui.QImage(matte.size(), QtGui.QImage.Format.Format_ARGB32)
    image.fill(QtGui.QColor(color))
    image.setAlphaChannel(matte)
    return image.convertToFormat(QtGui.QImage.Format.Format_ARGB32_Premultiplied)


def outlined(matte: Any, color: str, width: int = 2) -> Any:
    """A line of that many pixels around where the matte is above a half, clear elsewhere."""
    hard = QtCore.Qt.ImageConversionFlag.ThresholdDither | QtCore.Qt.ImageConversionFlag.MonoOnly
    mono = matte.convertToFormat(QtGui.QImage.Format.Format_Mono, hard)
    tint = tinted(mono.convertToFormat(QtGui.QImage.Format.Format_Grayscale8), color)
    image = QtGui.QImage(matte.size(), QtGui.QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(QtCore.Qt.GlobalColor.transparent)
    painter = QtGui.QPainter(image)
    for right, down in _AROUND:
        painter.drawImage(right * width, down * width, tint)
    painter.setCompositionMode(QtGui.QPainter.CompositionMode.CompositionMode_DestinationOut)
    painter.drawImage(0, 0, tint)
    painter.end()
    return image


class MatteLook:
    """A matte with its tint and outline in one colour, made once."""

    def __init__(self, matte: Any, color: str) -> None:
        self.matte = matte
        self.tint = tinted(matte, color)
        self.line = outlined(matte, color)


class MatteLooks:
    """The looks of mattes shown lately, so that a repaint makes nothing anew."""

    def __init__(self) -> None:
        self._looks: Dict[Any, MatteLook] = {}

    def of(self, matte: Any, color: str) -> MatteLook:
        """The look of a matte in a colour."""
        key = (matte.cacheKey(), color)
        if key not in self._looks:
            while len(self._looks) >= _FEW:
                del self._looks[next(iter(self._looks))]
            self._looks[key] = MatteLook(matte, color)
        return self._looks[key]
