"""What docs/calibration_gate.md shows can be run, and its figures of cost are the code's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from mdacl_ros.network.calibration_gate import CalibrationGate

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "calibration_gate.md").read_text(encoding="utf-8")


def test_examples_run(capsys: pytest.CaptureFixture[str]) -> None:
    """One after the other, as a reader pastes them."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 3
    assert len(blocks[0].splitlines()) <= 15
    names: dict[str, object] = {"__name__": "docs"}
    for number, block in enumerate(blocks):
        exec(compile(block, f"calibration_gate.md block {number}", "exec"), names)
    assert "tensor" in capsys.readouterr().out


def test_pictures_and_links_exist() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert targets
    for target in targets:
        assert (DOCS / target).is_file(), target


@pytest.mark.parametrize(
    ("count", "shape", "layout"),
    [
        (2, (40, 60, 80), "conv"),
        (2, (112, 30, 40), "conv"),
        (2, (320, 15, 20), "conv"),
        (3, (196, 256), "sequence"),
    ],
)
def test_cost_is_as_documented(
    count: int, shape: tuple[int, ...], layout: Literal["conv", "sequence"]
) -> None:
    width, hidden = (shape[0] if layout == "conv" else shape[1]), 64
    gate = CalibrationGate([width] * count, layout, hidden)
    features = [torch.randn(1, *shape) for _ in range(count)]
    counter = FlopCounterMode(display=False)
    with torch.inference_mode(), counter:
        gate(features)
    parameters = sum(p.numel() for p in gate.parameters())
    products = counter.get_total_flops()
    assert parameters == count * (4 * hidden * width + 5 * hidden + width + 2)
    assert products == count * (8 * hidden * width + 4 * hidden + 2)
    values = sum(x.numel() for x in features)
    shown = re.search(rf"\| {count} x {re.escape(str(shape))}.*", PAGE)
    assert shown is not None
    assert shown.group().endswith(f"| {hidden} | {parameters} | {products} | {values} |")
