"""Scenarios are read as a whole or refused with one line that names the entry."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import yaml

from mdacl_ros.errors import ScenarioError
from mdacl_ros.resources import find_resource
from mdacl_tools.live.faults.scenario import FAULTS, load_scenario, parse_scenario
from mdacl_tools.live.faults.timing import Delay, Drop

ENTRY = {"at": 1, "for": 2.5, "camera": "both", "fault": "delay", "seconds": 1}


def test_an_entry_becomes_a_typed_fault() -> None:
    scenario = parse_scenario({"faults": [ENTRY], "repeat": 10})
    (planned,) = scenario.faults
    assert planned.fault == Delay(seconds=1.0)
    assert planned.cameras == ("rgb", "thermal")
    assert (planned.start_s, planned.end_s) == (1.0, 3.5)
    assert scenario.repeat_s == 10
    assert parse_scenario({"faults": [ENTRY]}).repeat_s == math.inf


def test_every_fault_has_defaults() -> None:
    for name in FAULTS:
        entry = {"at": 0, "for": 1, "camera": "thermal", "fault": name}
        assert isinstance(parse_scenario({"faults": [entry]}).faults[0].fault, FAULTS[name])


def test_the_example_is_a_scenario_and_names_faults_that_exist() -> None:
    scenario = load_scenario(find_resource("config/faults_example.yaml"))
    assert len(scenario.faults) == 8
    assert scenario.faults[0].fault == Drop()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"fault": "explode"}, "entry 1: fault: got 'explode', wanted one of drop, freeze"),
        ({"camera": "left"}, "entry 1: camera: got 'left', wanted rgb, thermal or both"),
        ({"at": -1}, "entry 1: at: got -1, wanted seconds, 0 or more"),
        ({"for": True}, "entry 1: for: got True, wanted seconds"),
        ({"at": math.nan}, "entry 1: at: got nan, wanted seconds"),
        ({"for": 0}, "entry 1: for: got 0, wanted seconds, more than 0"),
        ({"at": "1e9"}, "wanted seconds, 0 or more; write 1000.0, not 1e3"),
        ({"seconds": "long"}, "entry 1: seconds: got 'long', wanted float"),
        ({"seconds": 1e9}, "entry 1: seconds: got 1000000000.0, wanted 0 to 60"),
        ({"share": 0.5}, "entry 1: unknown key 'share', wanted some of at, for, camera, fault"),
        ({"fault": "nan", "seconds": None}, "unknown key 'seconds'"),
    ],
)
def test_a_wrong_entry_is_named(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario({"faults": [ENTRY | change]})
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


RESTART = {"at": 1, "for": 2, "camera": "rgb", "fault": "restart", "silence": 5}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (None, "wanted a mapping"),
        ({}, "faults: got None, wanted a list"),
        ({"faults": [ENTRY], "repeat": 0.5}, "repeat: got 0.5, wanted .* the last fault ends then"),
        ({"faults": [RESTART]}, r"silence: got 5, wanted `for` \(2\) at most"),
        ({"faults": [ENTRY], "seed": -1}, "seed: got -1"),
        ({"faults": ["drop"]}, "entry 1: got 'drop', wanted a mapping"),
        ({"faults": [ENTRY], "loops": 3}, "unknown key 'loops'"),
    ],
)
def test_a_wrong_file_is_named(values: Any, said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        parse_scenario(values)


@pytest.mark.parametrize(
    "text", ["faults: [", "\x00", "- 1\n", "faults: [{at: 1}]", "faults: [{at: 1, at: 2}]"]
)
def test_a_file_that_is_no_scenario_gives_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text(text)
    with pytest.raises(ScenarioError) as caught:
        load_scenario(file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_gives_one_line(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"absent\.yaml: cannot be read"):
        load_scenario(tmp_path / "absent.yaml")


def test_scenarios_survive_yaml(tmp_path: Path) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text(yaml.safe_dump({"faults": [ENTRY]}))
    assert load_scenario(file).faults == parse_scenario({"faults": [ENTRY]}).faults
