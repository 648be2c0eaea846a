from __future__ import annotations

import pytest

from research.ablation.rows import paired_differences, table_rows

from .recorded import MAP50, results


def test_a_fused_row_is_compared_with_the_camera_that_stays() -> None:
    rows = {row.variant: row for row in table_rows(results(), list(MAP50))}
    kept = rows["mdacl"].statistics
    assert kept["retention_rgb_absent"].values == pytest.approx((0.38 / 0.40, 0.38 / 0.41))
    assert kept["retention_thermal_absent"].values == pytest.approx((0.33 / 0.30, 0.33 / 0.31))
    assert kept["corruption_retention"].mean == pytest.approx(0.92)
    lone = rows["thermal_only"].statistics
    assert lone["retention_rgb_absent"].known == []
    assert set(lone) == set(kept) - {"corruption.rgb_noise"}


def test_retention_needs_the_same_seed_of_the_dedicated_detector() -> None:
    found = results()
    del found.units["thermal_only", 1]
    row = table_rows(found, ["mdacl"])[0]
    assert row.statistics["retention_rgb_absent"].values == pytest.approx((0.95, None))


def test_rows_come_in_the_plans_order_and_only_where_a_seed_is_done() -> None:
    rows = table_rows(results(("concat", "rgb_only")), list(MAP50))
    assert [row.variant for row in rows] == ["rgb_only", "concat"]
    assert rows[0].cameras == ("rgb",)
    assert rows[1].to_json()["ap50"]["person"]["mean"] == pytest.approx(0.555)


def test_differences_are_paired_at_common_seeds() -> None:
    found = results()
    del found.units["concat", 1]
    rows = table_rows(found, ["concat", "mdacl"])
    (difference,) = paired_differences(rows)
    assert (difference.variant, difference.against) == ("mdacl", "concat")
    assert difference.seeds == (0,)
    assert difference.map50.values == pytest.approx((0.05,))
