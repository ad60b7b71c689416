"""Nuke's pixels and the plate's."""

import random
import unittest

import host_paths  # noqa: F401

from efficienttam.contract.errors import PromptError
from efficienttam_nuke.coordinates import Placement

try:
    from hypothesis import given, settings
    from hypothesis import strategies as some
except ImportError:
    given = None


class Corners(unittest.TestCase):
    def test_the_top_left_pixel(self):
        plate = Placement(1920, 1080)
        self.assertEqual(plate.from_nuke((0.5, 1079.5)), (0.5, 0.5))
        self.assertEqual(plate.from_nuke((1919.5, 0.5)), (1919.5, 1079.5))

    def test_pixel_aspect_moves_nothing(self):
        self.assertEqual(Placement(1828, 1556, 2.0).from_nuke((914, 778)), (914, 778))

    def test_a_picture_that_is_a_part_of_the_format(self):
        part = Placement(1000, 500, x=100, y=50)
        self.assertEqual(part.from_nuke((100, 550)), (0, 0))
        self.assertEqual(part.to_nuke((0, 0)), (100, 550))

    def test_proxy_pixels(self):
        half = Placement(1920, 1080, proxy_scale=(0.5, 0.5))
        self.assertEqual(half.from_nuke((100, 500)), (200, 80))

    def test_a_box_is_sorted_and_cut(self):
        plate = Placement(100, 50)
        self.assertEqual(plate.box_from_nuke((10, 5, 30, 45)), (10, 5, 30, 45))
        self.assertEqual(plate.box_from_nuke((-10, -10, 30, 20)), (0, 30, 30, 50))
        with self.assertRaises(PromptError):
            plate.box_from_nuke((200, 10, 300, 40))

    def test_a_point_off_the_plate_is_refused(self):
        plate = Placement(100, 50)
        self.assertEqual(plate.on_plate((0, 0)), (0, 0))
        for point in ((-0.1, 3), (100, 3), (3, 50)):
            with self.assertRaises(PromptError):
                plate.on_plate(point)


def _there_and_back(plate, point):
    x, y = plate.to_nuke(plate.from_nuke(point))
    assert abs(x - point[0]) < 1e-6 * max(1, abs(point[0]))
    assert abs(y - point[1]) < 1e-6 * max(1, abs(point[1]))


class ThereAndBack(unittest.TestCase):
    """By chance without hypothesis, which the oldest Pythons may lack."""

    def test_points(self):
        chance = random.Random(7)
        for _ in range(500):
            scale = chance.choice((0.25, 0.5, 1.0))
            plate = Placement(
                chance.randrange(1, 9000),
                chance.randrange(1, 9000),
                chance.choice((1.0, 2.0, 0.9)),
                chance.uniform(-500, 500),
                chance.uniform(-500, 500),
                (scale, scale),
            )
            _there_and_back(plate, (chance.uniform(-1e4, 1e4), chance.uniform(-1e4, 1e4)))

    def test_boxes(self):
        chance = random.Random(8)
        for _ in range(500):
            plate = Placement(4096, 2160, x=chance.uniform(-9, 9), y=chance.uniform(-9, 9))
            left, top = chance.uniform(0, 4000), chance.uniform(0, 2000)
            box = (left, top, left + chance.uniform(1, 90), top + chance.uniform(1, 90))
            back = plate.box_from_nuke(plate.box_to_nuke(box))
            assert all(abs(one - other) < 1e-6 for one, other in zip(box, back))


if given is not None:
    number = some.floats(-1e5, 1e5, allow_nan=False)

    class Properties(unittest.TestCase):
        # A busy machine is no defect.
        @settings(deadline=None)
        @given(
            some.integers(1, 20000),
            some.integers(1, 20000),
            number,
            number,
            some.sampled_from((0.1, 0.25, 0.5, 1.0)),
            number,
            number,
        )
        def test_there_and_back(self, width, height, x, y, scale, across, up):
            _there_and_back(Placement(width, height, 1.0, x, y, (scale, scale)), (across, up))

        @settings(deadline=None)
        @given(some.integers(1, 20000), number, number)
        def test_up_in_one_is_down_in_the_other(self, height, one, other):
            plate = Placement(10, height)
            above, below = plate.from_nuke((0, max(one, other))), plate.from_nuke((0, min(one, other)))
            assert above[1] <= below[1]


if __name__ == "__main__":
    unittest.main()
