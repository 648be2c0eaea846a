from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdacl_ros.boxes import iou_matrix
from mdacl_tools.recordings.datasets.label_merge import MERGE_IOU, merge_label_sets
from mdacl_tools.recordings.datasets.record import LabelledBox

corner = st.integers(0, 40)
side = st.integers(1, 30)
boxes = st.builds(
    lambda x, y, w, h, name: LabelledBox(name, (x, y, x + w, y + h)),
    corner, corner, side, side, st.sampled_from(("person", "car")),
)  # fmt: skip
box_lists = st.lists(boxes, max_size=6)


@settings(max_examples=100, deadline=None)
@given(box_lists, box_lists)
def test_nothing_is_lost_and_nothing_counted_twice(first, second):
    merged = merge_label_sets({"fusion": first, "infrared": second})
    drawn = [name for item in merged for name in item.label_sets]
    assert drawn.count("fusion") == len(first)
    assert drawn.count("infrared") == len(second)
    assert max(len(first), len(second)) <= len(merged) <= len(first) + len(second)
    assert [item.box for item in merged[: len(first)]] == [item.box for item in first]


@settings(max_examples=50, deadline=None)
@given(st.lists(boxes, max_size=6, unique_by=lambda b: (b.name, b.box)))
def test_a_set_merged_with_itself_is_itself(items):
    merged = merge_label_sets({"visible": items, "infrared": items})
    assert len(merged) == len(items)
    assert all(item.label_sets == {"visible", "infrared"} for item in merged)


def test_classes_are_kept_apart_and_the_best_overlap_wins():
    near, nearer = LabelledBox("car", (0, 0, 10, 8)), LabelledBox("car", (0, 0, 10, 9))
    person = LabelledBox("person", (0, 0, 10, 10))
    merged = merge_label_sets({"fusion": [LabelledBox("car", (0, 0, 10, 10))], "visible":
                               [near, nearer, person]})  # fmt: skip
    assert [m.name for m in merged] == ["car", "car", "person"]
    assert merged[0].label_sets == {"fusion", "visible"}
    assert merged[1].box == near.box
    assert 0 < MERGE_IOU < 1


def test_iou_of_known_boxes():
    first = np.array([[0, 0, 10, 10], [5, 5, 5, 9]], np.float32)
    second = np.array([[5, 0, 15, 10], [20, 20, 30, 30]], np.float32)
    assert iou_matrix(first, second).tolist() == [[pytest.approx(1 / 3), 0], [0, 0]]
