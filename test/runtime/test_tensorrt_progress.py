import pytest

from mdacl_ros.runtime import tensorrt_progress
from mdacl_ros.runtime.tensorrt_progress import PhaseProgress

PHASES = [
    ("start", "Building engine", None, 6),
    ("start", "Cloning network graph", "Building engine", 4),
    *[("step", "Cloning network graph")] * 4,
    ("finish", "Cloning network graph"),
    ("step", "Building engine"),
    ("start", "Something new in TensorRT 12", "Nowhere", 9),
    ("step", "Something new in TensorRT 12"),
    ("finish", "Something new in TensorRT 12"),
    ("start", "Computing profile costs", "Building engine", 2),
    ("start", "Timing tactics", "Computing profile costs", 2),
    ("step", "Timing tactics"),
    ("finish", "Timing tactics"),
    ("step", "Computing profile costs"),
    ("step", "Computing profile costs"),
    ("finish", "Computing profile costs"),
    ("finish", "Building engine"),
]


def test_nested_phases_become_a_fraction_that_never_falls(monkeypatch) -> None:
    """The order is that of a build by TensorRT-RTX 1.7.1, shortened."""
    monkeypatch.setattr(tensorrt_progress, "OFTEN", 0.0)
    reports: list[tuple[float, str]] = []
    phases = PhaseProgress(lambda fraction, what: reports.append((fraction, what)))
    for call, *arguments in PHASES:
        getattr(phases, call)(*arguments)
    fractions = [fraction for fraction, _ in reports]
    assert fractions == sorted(fractions)
    assert max(fractions) == 1.0
    at = {what: fraction for fraction, what in reports}
    assert at["Cloning network graph"] <= 0.02
    assert at["Timing tactics"] == pytest.approx(0.4)  # a half of the first half of 0.2 to 1
    assert at["Something new in TensorRT 12"] == pytest.approx(0.02)


def test_a_thousand_steps_at_once_are_few_reports() -> None:
    reports: list[str] = []
    phases = PhaseProgress(lambda _, what: reports.append(what))
    phases.start("Cloning network graph", None, 1000)
    for _ in range(1000):
        phases.step("Cloning network graph")
    assert len(reports) < 100
