from __future__ import annotations

import pytest

from research.ablation.statistic import Statistic, mean_of, ratio


def test_mean_and_spread_leave_out_what_is_unknown() -> None:
    values = Statistic((1.0, None, 3.0))
    assert values.mean == 2.0
    assert values.spread == pytest.approx(2**0.5)  # n - 1
    assert Statistic((1.0, None)).spread is None
    assert Statistic(()).mean is None


def test_difference_is_paired_by_seed() -> None:
    difference = Statistic((3.0, None, 5.0)) - Statistic((1.0, 1.0, None))
    assert difference.values == (2.0, None, None)
    with pytest.raises(ValueError, match="argument 2 is longer"):
        Statistic((1.0,)) - Statistic((1.0, 2.0))


def test_json_is_rounded_and_keeps_the_gaps() -> None:
    assert Statistic((0.123456, None)).to_json() == {
        "mean": 0.1235,
        "spread": None,
        "values": [0.1235, None],
    }


def test_ratio_and_mean_of_unknown_are_unknown() -> None:
    assert ratio(1.0, 4.0) == 0.25
    assert ratio(1.0, 0.0) is None
    assert ratio(None, 1.0) is None
    assert mean_of([None, 2.0]) == 2.0
    assert mean_of([]) is None
