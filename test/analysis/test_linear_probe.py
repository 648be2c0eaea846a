import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mdacl_ros.network.detector import Detector
from mdacl_tools.learning.samples import load_sample, read_pairs
from research.analysis.linear_probe import (
    background_boxes,
    fit_logistic,
    pool_boxes,
    probe_images,
    probe_score,
    stream_features,
)

from .runs import CONFIG, write_data_set


@given(st.floats(0, 9), st.floats(0, 7), st.floats(0.05, 9), st.floats(0.05, 7), st.floats(-3, 3))
def test_pooling_a_plane_gives_its_value_at_the_box_centre(x, y, w, h, slope) -> None:
    box = torch.tensor([[x, y, min(x + w, 10), min(y + h, 8)]], dtype=torch.float64)
    columns = torch.arange(10, dtype=torch.float64) + 0.5
    whole = torch.round(box)  # cells are constant inside, so only whole cells lie on the plane
    plane = (slope * columns).expand(1, 8, 10)
    pooled = pool_boxes(plane, box)
    assert pooled.shape == (1, 1)
    low, high = sorted((slope * float(box[0, 0] // 1), slope * float(box[0, 2] // 1 + 1)))
    assert low - 1e-6 <= float(pooled[0, 0]) <= high + 1e-6
    if (whole[:, 2:] > whole[:, :2]).all():
        centre = slope * float(whole[0, 0] + whole[0, 2]) / 2
        assert float(pool_boxes(plane, whole)[0, 0]) == pytest.approx(centre, abs=1e-6)


def test_pooling_weighs_cells_by_coverage() -> None:
    level = torch.tensor([[[1.0, 5.0], [1.0, 5.0]]])
    pooled = pool_boxes(level, torch.tensor([[0.5, 0.2, 2.0, 1.9]]))
    assert float(pooled) == pytest.approx((0.5 * 1 + 1.0 * 5) / 1.5)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(0, 6))
def test_background_keeps_clear_of_objects_and_inside(seed, objects) -> None:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 60, (objects, 2))
    taken = np.concatenate([corner, corner + rng.uniform(5, 40, (objects, 2))], 1).astype("f4")
    boxes = background_boxes(taken, np.array([[20, 30], [8, 8]], "f4"), (96, 128), 5, rng)
    assert len(boxes) <= 5
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2:] <= (128.01, 96.01)).all()
    for box in boxes:
        corner, end = np.maximum(box[:2], taken[:, :2]), np.minimum(box[2:], taken[:, 2:])
        inter = np.clip(end - corner, 0, None).prod(1)
        assert (inter < 0.11 * (box[2:] - box[:2]).prod() + 0.1 * 40 * 40).all()


def test_a_full_image_has_no_background() -> None:
    rng = np.random.default_rng(0)
    taken = np.array([[0, 0, 64, 64]], np.float32)
    assert background_boxes(taken, np.array([[60, 60]], "f4"), (64, 64), 3, rng).shape == (0, 4)


def test_logistic_regression_separates_what_can_be_and_guesses_else() -> None:
    torch.manual_seed(0)
    labels = torch.arange(90) % 3
    features = torch.randn(90, 5) * 0.1
    features[torch.arange(90), labels] += 3
    assert probe_score((features, labels), (features, labels), 3).balanced_accuracy == 1.0
    noise = probe_score((torch.randn(900, 5), torch.arange(900) % 3), (features * 0, labels), 3)
    assert noise.balanced_accuracy == pytest.approx(1 / 3)


def test_rare_classes_weigh_as_much_as_frequent_ones() -> None:
    torch.manual_seed(1)
    labels = torch.cat([torch.zeros(500), torch.ones(20)]).long()
    features = torch.randn(520, 1) + labels[:, None] * 1.5
    weight = fit_logistic(features, labels, 2)
    edge = -float((weight[1, 1] - weight[0, 1]) / (weight[1, 0] - weight[0, 0]))
    assert edge == pytest.approx(0.75, abs=0.3)  # half way, not pushed towards the rare class


def test_probe_of_a_stream_reads_bright_and_dark_apart(tmp_path) -> None:
    data = write_data_set(tmp_path)
    train, test = (
        probe_images([load_sample(r, 3) for r in read_pairs(data, split=split)], 3)
        for split in ("train", "test")
    )
    assert all((image.labels == 3).sum() <= 2 for image in train)
    torch.manual_seed(0)
    detector = Detector(CONFIG).eval()
    known, asked = (stream_features(detector, images, "thermal") for images in (train, test))
    assert known[0].shape == (len(known[1]), detector.streams[1].channels[1])
    score = probe_score(known, asked, 4)
    assert score.balanced_accuracy > 0.6  # chance is 1/3: an untrained stream already sees levels
    again = probe_score(known, asked, 4)
    assert again == score
