from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mdacl_ros.errors import ParameterError
from mdacl_ros.resources import find_resource
from mdacl_ros.types import MODALITIES
from mdacl_tools.learning.misleading import MISLEADING
from mdacl_tools.learning.train_config import train_config_from
from research.ablation.command import chosen_units, parse_worker
from research.ablation.plan import AblationPlan, AblationScoring, digest, load_plan, merged
from research.ablation.runner import work_order

PLAN = {
    "seeds": [0, 1],
    "base": {"steps": 4, "threads": 1, "detector": {"use_gate": False, "neck_channels": 16}},
    "start": {"steps": 9},
    "variants": {"concat": {}, "gate": {"detector": {"use_gate": True}}},
    "evaluation": {"size": [64, 64]},
}


def plan(tmp_path: Path, **changes: object) -> AblationPlan:
    path = tmp_path / "ablation.yaml"
    path.write_text(yaml.safe_dump(PLAN | changes))
    return load_plan(path)


def test_units_come_seed_by_seed_with_merged_configs(tmp_path: Path) -> None:
    units = plan(tmp_path).units()
    assert [u.name for u in units] == ["concat_0", "gate_0", "concat_1", "gate_1"]
    assert units[1].config["detector"] == {"use_gate": True, "neck_channels": 16}
    assert [u.config["seed"] for u in units] == [0, 0, 1, 1]


def test_shipped_plan_differs_from_variant_to_variant_in_what_it_studies_only() -> None:
    shipped = load_plan(find_resource("config/ablation.yaml"))
    assert len(shipped.seeds) >= 3
    assert {"rgb_only", "thermal_only", "concat", "gate", "mdacl"} < set(shipped.variants)
    extra = {f"{camera}_{part}" for camera in MODALITIES for part in ("annotations", "share")}
    studied = extra | {"detector", "guidance", "equilibrium", "augmentation", "seed"}
    kept = set()
    for unit in (unit for unit in shipped.units() if not unit.own_start):
        config = train_config_from(unit.config, unit.name)  # accepted by the trainer
        assert config.detector_config().modalities
        rest = {k: v for k, v in unit.config.items() if k not in studied}
        rest |= {k: v for k, v in unit.config["augmentation"].items() if k != "drop_modality"}
        kept.add(digest(rest))
    assert len(kept) == 1
    assert shipped.start_config is not None
    joint = shipped.variants["concat_joint"]
    assert joint["steps"] == shipped.base["steps"] + shipped.start_config["steps"]
    assert train_config_from(shipped.start_config, "start").augmentation.drop_modality == 1.0


def test_plan_of_v2_is_accepted_and_holds_out_kinds_by_name() -> None:
    shipped = load_plan(find_resource("config/ablation_v2.yaml"))
    assert len(shipped.seeds) >= 3
    scored = set(shipped.evaluation.misleading)
    assert scored < set(MISLEADING)  # thermal_inverted is trained as another augmentation
    for unit in shipped.units():
        config = train_config_from(unit.config, unit.name)
        trained = set(config.augmentation.mislead_kinds)
        assert config.detector_config().architecture == "one_trunk"
        assert trained < scored
        assert len(scored - trained) >= 10
    misled = {
        name for name, v in shipped.variants.items() if v.get("augmentation", {}).get("mislead")
    }
    assert {"mdacl", "concat_drop_mislead"} <= misled


def test_digest_without_misleading_cameras_is_what_it_was(tmp_path: Path) -> None:
    """Results of the plans before them stay valid."""
    assert AblationScoring().deciding() == {
        "data": "msrs/test.json",
        "size": (512, 384),
        "corruption_stride": 2,
    }
    assert "misleading" in AblationScoring(misleading=("rgb_blank",)).deciding()


def test_digest_follows_what_decides_the_weights(tmp_path: Path) -> None:
    first = plan(tmp_path).units()[0]
    same = plan(tmp_path, base=PLAN["base"] | {"threads": 2}).units()[0]
    assert (same.digest, same.result_digest) == (first.digest, first.result_digest)
    longer = plan(tmp_path, base=PLAN["base"] | {"steps": 5}).units()[0]
    other_start = plan(tmp_path, start={"steps": 10}).units()[0]
    assert len({first.digest, longer.digest, other_start.digest}) == 3
    scored_otherwise = plan(tmp_path, evaluation={"size": [96, 64]}).units()[0]
    assert scored_otherwise.digest == first.digest
    assert scored_otherwise.result_digest != first.result_digest


def test_a_variant_may_begin_elsewhere(tmp_path: Path) -> None:
    variants = {"concat": {}, "concat_joint": {"start": ""}}
    plain, joint = plan(tmp_path, variants=variants, seeds=[0]).units()
    assert (plain.own_start, joint.own_start) == (False, True)
    _, same = plan(tmp_path, variants=variants, seeds=[0], start={"steps": 10}).units()
    assert same.digest == joint.digest


def test_a_variant_may_have_fewer_seeds(tmp_path: Path) -> None:
    variants = {"concat": {}, "joint": {"seeds": [1], "start": ""}}
    units = plan(tmp_path, variants=variants).units()
    assert [u.name for u in units] == ["concat_0", "concat_1", "joint_1"]
    assert "seeds" not in units[-1].config


def test_plan_without_a_first_stage(tmp_path: Path) -> None:
    assert plan(tmp_path, start=None).start_config is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sedes": [1]}, r"unknown keys \['sedes'\]"),
        ({"seeds": []}, r"seeds is \[\]"),
        ({"seeds": [0.5]}, "list of integers"),
        ({"variants": {"gate": None}}, "mapping of names to overrides"),
        ({"evaluation": {"width": 3}}, r"unknown keys \['evaluation.width'\]"),
    ],
)
def test_wrong_plans_are_one_line(tmp_path: Path, changes: dict, message: str) -> None:
    with pytest.raises(ParameterError, match=message) as caught:
        plan(tmp_path, **changes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "- 1\n", "a: [", "seeds: [0]"])
def test_files_that_are_no_plan(tmp_path: Path, text: str) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(text)
    with pytest.raises(ParameterError, match=r"plan\.yaml: "):
        load_plan(path)
    with pytest.raises(ParameterError, match="cannot read"):
        load_plan(tmp_path / "absent.yaml")


def test_merging_leaves_its_inputs_alone() -> None:
    base = {"a": {"b": 1, "c": 2}, "d": [1]}
    assert merged(base, {"a": {"c": 3}, "d": [2], "e": 4}) == {
        "a": {"b": 1, "c": 3},
        "d": [2],
        "e": 4,
    }
    assert base == {"a": {"b": 1, "c": 2}, "d": [1]}


@given(st.dictionaries(st.text(max_size=3), st.integers() | st.lists(st.integers()), max_size=6))
def test_digest_is_blind_to_the_order_of_keys(values: dict) -> None:
    assert digest(values) == digest(dict(reversed(list(values.items()))))


@given(st.integers(1, 4))
def test_workers_share_all_units_seed_by_seed(count: int) -> None:
    variants = {name: {} for name in "abcde"}
    units = AblationPlan((3, 1), {}, variants, None, AblationScoring()).units()
    orders = [work_order(units, (i, count)) for i in range(count)]
    assert all(sorted(u.name for u in o) == sorted(u.name for u in units) for o in orders)
    assert all([u.seed for u in o] == [3] * 5 + [1] * 5 for o in orders)
    assert len({o[0].name for o in orders}) == count  # they begin with different ones


def test_choice_of_units(tmp_path: Path) -> None:
    chosen = chosen_units(plan(tmp_path), "gate", "1")
    assert [u.name for u in chosen] == ["gate_1"]
    with pytest.raises(ParameterError, match="--only: got 'gat'"):
        chosen_units(plan(tmp_path), "gat", None)
    with pytest.raises(ParameterError, match="--seeds: got '7'"):
        chosen_units(plan(tmp_path), None, "7")


def test_worker_option() -> None:
    assert parse_worker("1/2") == (1, 2)
    for text in ("2/2", "1", "a/b", "-1/2", ""):
        with pytest.raises(ParameterError, match="--worker"):
            parse_worker(text)
