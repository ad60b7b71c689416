"""Plate pixels and widget pixels are the same place, whatever the zoom, the pan and the pixel aspect."""

import math

from hypothesis import given
from hypothesis import strategies as st

from efficienttam.window.plate_view import LEAST_SCALE, MARGIN, MOST_SCALE, PlateView

sizes = st.integers(1, 8192)
aspects = st.sampled_from([1.0, 2.0, 0.5, 1.0940, 0.9091, 1.333])
scales = st.floats(LEAST_SCALE, MOST_SCALE)
places = st.floats(-4000, 12000)
views = st.builds(PlateView, sizes, sizes, aspects, scales, places, places)


def near(one, other, within=1e-6):
    return all(math.isclose(a, b, rel_tol=1e-9, abs_tol=within) for a, b in zip(one, other))


@given(views, places, places)
def test_there_and_back(view, x, y):
    assert near(view.to_plate(*view.to_widget(x, y)), (x, y))


@given(views, st.floats(0.01, 100), places, places)
def test_zoom_keeps_what_is_under_the_mouse(view, factor, x, y):
    zoomed = view.zoomed(factor, x, y)
    assert near(zoomed.to_plate(x, y), view.to_plate(x, y), 1e-4)
    assert LEAST_SCALE <= zoomed.scale <= MOST_SCALE


@given(views, places, places, places, places)
def test_pan_moves_every_place_alike(view, right, down, x, y):
    there = view.to_widget(x, y)
    assert near(view.panned(right, down).to_widget(x, y), (there[0] + right, there[1] + down))


@given(views)
def test_a_pixel_is_as_wide_as_its_aspect_says(view):
    left, top = view.to_widget(10, 10)
    right, bottom = view.to_widget(11, 11)
    assert math.isclose((right - left) / (bottom - top), view.pixel_aspect, rel_tol=1e-5)


@given(sizes, sizes, aspects, st.integers(300, 4000), st.integers(300, 4000))
def test_a_fitted_plate_is_whole_and_in_the_middle(width, height, aspect, across, down):
    view = PlateView(width, height, aspect).fitted(across, down)
    left, top = view.to_widget(0, 0)
    right, bottom = view.to_widget(width, height)
    if view.scale > LEAST_SCALE:
        assert left >= MARGIN - 1e-6 and right <= across - MARGIN + 1e-6
        assert top >= MARGIN - 1e-6 and bottom <= down - MARGIN + 1e-6
    assert near((left, top), (across - right, down - bottom), 1e-6)


@given(views, places, places)
def test_clamped_places_are_on_the_plate_or_its_border(view, x, y):
    near_x, near_y = view.clamped(x, y)
    assert 0 <= near_x <= view.width and 0 <= near_y <= view.height
    if view.holds(x, y):
        assert (near_x, near_y) == (x, y)


def test_pictures_are_as_large_as_the_view_needs():
    view = PlateView(4096, 2160)
    assert view.fitted(820, 600).side(1.0) == 1024
    assert view.fitted(820, 600).side(2.0) == 1792
    assert PlateView(480, 270).fitted(820, 600).side(1.0) == 0
    assert view.zoomed(2.0, 0, 0).side(1.0) == 0
    # An anamorphic plate is shown wide: its lines set how sharp it has to be.
    assert PlateView(2048, 1716, 2.0).fitted(820, 600).side(1.0) == 1024
