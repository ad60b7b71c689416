import numpy as np

from efficienttam.mattes.overlay import TINTS, contact_sheet, overlay


def test_only_the_inside_is_tinted_and_its_edge_drawn():
    matte = np.zeros((40, 60), np.float32)
    matte[10:30, 20:40] = 1
    shown = overlay(np.full((40, 60, 3), 0.5, np.float32), [matte])
    assert shown.dtype == np.uint8
    assert (shown[2, 2] == 128).all()
    assert np.abs(shown[10, 20] - np.array(TINTS[0]) * 255).max() < 1
    assert np.abs(shown[20, 30] - (0.25 + np.array(TINTS[0]) / 2) * 255).max() < 1


def test_more_objects_than_tints():
    mattes = [np.ones((4, 4), np.float32)] * (len(TINTS) + 2)
    assert overlay(np.zeros((4, 4, 3), np.uint8), mattes).shape == (4, 4, 3)


def test_sheet_holds_every_picture_in_reading_order():
    pictures = [np.full((20, 40, 3), shade, np.uint8) for shade in (10, 60, 110, 160, 210)]
    sheet = contact_sheet(pictures, 40, columns=2, gap=2)
    assert sheet.shape == (3 * 22 + 2, 2 * 42 + 2, 3)
    assert [sheet[12 + 22 * (i // 2), 20 + 42 * (i % 2), 0] for i in range(5)] == [10, 60, 110, 160, 210]
