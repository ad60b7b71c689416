"""EXR files that show the same under other headers."""

import os
import struct
import tempfile
import unittest

import host_paths  # noqa: F401

from efficienttam_nuke.exr_pixels import same_pixels


def exr(pixels=b"pixels", date=b"", compression=3, window=(0, 0, 9, 19), flags=2):
    """As much of an EXR as tells: its header, a table of places and its blocks."""

    def attribute(name, kind, value):
        return name + b"\0" + kind + b"\0" + struct.pack("<I", len(value)) + value

    header = b"\x76\x2f\x31\x01" + struct.pack("<I", flags)
    if date:
        header += attribute(b"capDate", b"string", date)
    header += attribute(b"channels", b"chlist", b"R\0" + bytes(16) + b"\0")
    header += attribute(b"compression", b"compression", bytes([compression]))
    header += attribute(b"dataWindow", b"box2i", struct.pack("<4i", *window)) + b"\0"
    places = struct.pack("<2Q", len(header) + 16, len(header) + 20)
    return header + places + pixels


class Pixels(unittest.TestCase):
    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()

    def tearDown(self):
        self._folder.cleanup()

    def same(self, *files):
        paths = []
        for number, data in enumerate(files):
            paths.append(os.path.join(self._folder.name, str(number)))
            with open(paths[-1], "wb") as stream:
                stream.write(data)
        return same_pixels(*paths)

    def test_a_date_is_no_pixel(self):
        self.assertTrue(self.same(exr(), exr()))
        self.assertTrue(self.same(exr(date=b"today"), exr(date=b"tomorrow, later")))
        self.assertFalse(self.same(exr(date=b"today"), exr(b"others", date=b"tomorrow")))

    def test_where_the_pixels_lie(self):
        self.assertFalse(self.same(exr(), exr(window=(0, 1, 9, 20))))
        self.assertFalse(self.same(exr(), exr(compression=5)))

    def test_what_cannot_be_told_is_another(self):
        for one in (exr(flags=0x202, date=b"a"), b"text", exr(date=b"a")[:60], b"", exr(compression=77)):
            self.assertFalse(self.same(one, exr(flags=0x202)), one)
            self.assertTrue(self.same(one, one))


if __name__ == "__main__":
    unittest.main()
