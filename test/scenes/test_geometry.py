"""The pinhole: projection, rays and the near cut."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mdacl_tools.scenes.geometry import NEAR, Camera, heading_axes

cameras = st.builds(
    Camera,
    width=st.just(640),
    height=st.just(480),
    focal=st.floats(300, 900),
    mount=st.floats(0.5, 3),
    pitch=st.floats(-0.2, 0.3),
    yaw=st.floats(-0.6, 0.6),
)


@given(cameras, st.integers(0, 639), st.integers(0, 479), st.floats(1, 80))
def test_a_ray_leads_back_to_its_pixel(camera, column, row, depth):
    point = camera.rays()[row, column] * depth + (0, camera.mount, 0)
    pixel, found = camera.project(point)
    np.testing.assert_allclose(pixel, (column + 0.5, row + 0.5), atol=0.01)
    np.testing.assert_allclose(found, depth, rtol=1e-4)


@given(cameras)
def test_scaling_scales_pixels(camera):
    point = (1.0, 0.4, 9.0)
    np.testing.assert_allclose(
        camera.scaled(2).project(point)[0], 2 * camera.project(point)[0], atol=1e-6
    )


def test_polygons_are_cut_at_the_near_plane():
    camera = Camera(640, 480, 500, 1.0, 0.0, 0.0)
    assert camera.project_polygon([(0, 0, -1), (1, 0, -2), (1, 1, -1)]) is None
    cut = camera.project_polygon([(-1, 1, -5), (1, 1, -5), (1, 1, 5), (-1, 1, 5)])
    assert len(cut) == 4
    np.testing.assert_allclose(np.abs(cut[:, 0] - 320).max(), 500 / NEAR)


def test_heading_axes_are_orthonormal_and_start_forward():
    forward, right = heading_axes(0.0)
    np.testing.assert_allclose([forward, right], [(0, 0, 1), (1, 0, 0)])
    a, b = heading_axes(1.1)
    assert abs(a @ b) < 1e-12
