from __future__ import annotations

from research.ablation.goals import Goal, _mdi, _share, better_of, judge_goals
from research.ablation.results import Results
from research.ablation.rows import table_rows
from research.ablation.statistic import Statistic

from .recorded import MAP50, result, results


def goals(found: Results) -> list[Goal]:
    return judge_goals(table_rows(found, list(MAP50)), (0, 1))


def test_goals_are_judged_on_what_was_measured() -> None:
    found = goals(results())
    over_single, over_plain, mdi, rgb, thermal, corrupted, over_joint, joint_mdi = (
        found[:6] + found[-2:]
    )
    assert over_single.verdict == "met"
    assert over_single.measured == "+10.0 ± 0.0"
    assert over_plain.verdict == "met"
    assert over_joint.measured == "+8.0 ± 0.0"
    assert rgb.verdict == "missed"  # 0.95 and 0.927
    assert thermal.verdict == "met"
    assert corrupted.verdict == "met"
    assert mdi.measured == "0.25 (0.050 ± 0.000 / 0.200 ± 0.000), reached by 2 of 2 seeds"
    assert mdi.verdict == "met"
    assert joint_mdi.measured.startswith("0.12 (0.050 ± 0.000 / 0.400")


def test_variants_from_imagenet_are_judged_among_each_other() -> None:
    found = results()
    joint = {"mdacl_joint": 0.44, "rgb_only_joint": 0.36, "thermal_only_joint": 0.37}
    for name, map50 in joint.items():
        for seed in (0, 1):
            found.units[name, seed] = result(name.removesuffix("_joint"), seed, map50)
    rows = table_rows(found, [*MAP50, *joint])
    told = {goal.name: goal.measured for goal in judge_goals(rows, (0, 1))}
    best = "the better of rgb_only_joint and thermal_only_joint"
    assert told[f"mAP50 of mdacl_joint over {best}"] == "+7.0 ± 0.0"
    assert told["mAP50 of mdacl_joint over concat_joint"] == "+2.0 ± 0.0"
    kept = told["RGB absent: share of thermal_only_joint that mdacl_joint keeps"]
    assert kept.startswith("101.4 ")  # of 0.38 against 0.37, and against 0.38
    assert told["mAP50 of mdacl over concat"] == "+5.0 ± 0.0"


def test_a_gain_within_the_spread_is_missed() -> None:
    found = results()
    found.units["mdacl", 0] = result("mdacl", 0, 0.60)
    found.units["mdacl", 1] = result("mdacl", 1, 0.45)
    goal = goals(found)[1]
    assert goal.verdict == "missed"
    assert goal.measured.endswith("within the spread")


def test_a_loss_is_missed() -> None:
    found = results()
    for seed in (0, 1):
        found.units["mdacl", seed] = result("mdacl", seed, 0.44)
    goal = goals(found)[1]
    assert goal.verdict == "missed"
    assert goal.measured == "-1.0 ± 0.0"


def test_one_seed_or_none_leaves_every_goal_open() -> None:
    assert {goal.verdict for goal in goals(results(seeds=(0,)))} == {"open"}
    assert {goal.verdict for goal in goals(results(("concat",)))} == {"open"}


def test_the_better_camera_is_chosen_seed_by_seed() -> None:
    assert better_of(Statistic((1.0, 5.0, None)), Statistic((2.0, 3.0, 1.0))).values == (
        2.0,
        5.0,
        None,
    )


def test_a_share_that_only_the_mean_reaches_is_not_simply_met() -> None:
    one = Statistic((0.936, 1.031, 0.927))
    goal = _share("thermal absent", one, 0.95)
    assert goal.verdict == "met in the mean"
    assert goal.measured == "96.5 ± 5.8 %, reached by 1 of 3 seeds"
    assert _share("thermal absent", Statistic((0.93, 0.94, 0.96)), 0.95).verdict == "missed"


def test_the_index_is_halved_by_every_seed_or_it_is_not_met() -> None:
    goal = _mdi("|mean MDI|", Statistic((0.01, -0.09)), Statistic((-0.1, 0.15)))
    assert goal.verdict == "met in the mean"  # 0.05 / 0.125, but the second seed keeps 0.6
    assert goal.measured.endswith("reached by 1 of 2 seeds")
