"""Engine, precision and device of the node: refused at once, explained while they run."""

from __future__ import annotations

from pathlib import Path

import pytest
from lifecycle_msgs.msg import Transition

from mdacl_ros.runtime import openvino_kind

from .bench import Bench
from .test_exchange import set_together

CONFIGURE = Transition.TRANSITION_CONFIGURE


@pytest.fixture
def bf16_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any machine becomes one whose CPU has bf16; no engine is loaded in these tests."""
    monkeypatch.setattr(openvino_kind, "cpu_flags", lambda: frozenset({"avx512_bf16"}))


def test_an_impossible_pair_is_refused_and_names_both(idle_bench: Bench) -> None:
    assert idle_bench.set_parameter("engine", "torch")[0]
    accepted, reason = idle_bench.set_parameter("precision", "bf16")
    assert not accepted
    assert "engine torch with precision bf16: it has no bf16; set precision to auto" in reason
    assert idle_bench.node.parameters.precision == "auto"
    accepted, reason = set_together(idle_bench, engine="openvino", device="cuda")
    assert not accepted
    assert "engine openvino with precision auto on device cuda" in reason
    assert idle_bench.node.parameters.engine == "torch"


@pytest.mark.parametrize("absent", ["/nowhere/model", "unheard-of"])
def test_a_model_that_is_not_there_is_refused(idle_bench: Bench, absent: str) -> None:
    before = idle_bench.node.parameters.model
    accepted, reason = idle_bench.set_parameter("model", absent)
    assert not accepted
    assert absent in reason
    assert idle_bench.node.parameters.model == before


def test_what_is_changed_together_is_judged_together(idle_bench: Bench, bf16_here: None) -> None:
    assert set_together(idle_bench, engine="openvino", precision="bf16")[0]
    accepted, reason = idle_bench.set_parameter("engine", "torch")  # alone
    assert not accepted
    assert "engine torch with precision bf16" in reason
    assert set_together(idle_bench, engine="torch", precision="float32")[0]


def test_auto_says_what_it_became(idle_bench: Bench, bf16_here: None) -> None:
    assert idle_bench.change_state(CONFIGURE)
    reason = idle_bench.node.engine_reason
    assert "no bf16: the model folder does not vouch for it" in reason
    _, _, values = idle_bench.wait_for_health(
        "engine", lambda _l, _m, v: v["engine_state"] == "ready", "the engine is ready"
    )
    assert values["engine_reason"] == reason


def test_an_impossible_pair_at_start_fails_configure_until_corrected(model_folder: Path) -> None:
    wrong = {"model": str(model_folder), "engine": "torch", "precision": "bf16"}
    with Bench(wrong) as bench:
        assert "engine torch with precision bf16" in bench.node.start_errors
        assert bench.set_parameter("score_threshold", 0.5)[0]  # it has nothing to do with it
        assert not bench.change_state(CONFIGURE)
        assert "engine torch with precision bf16: it has no bf16" in bench.node.configure_error
        assert bench.set_parameter("precision", "float32")[0]
        assert bench.node.start_errors == ""
        bench.activate()
        assert bench.node.engine_reason == "" or "cuda" in bench.node.engine_reason
