from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from mdacl_tools.cli.main import main
from research.ablation.chart import draw_ablation
from research.ablation.layout import generated_part
from research.ablation.report import make_report
from research.ablation.results import Results, read_results, write_json

from .recorded import MAP50, PLAN, result, results, scores, write_results


def cells(text: str, first: str) -> list[list[str]]:
    """Rows of a Markdown table that begin with a word."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith(f"| {first} |")
    ]


def test_tables_hold_mean_and_spread() -> None:
    text = generated_part(make_report(PLAN, results()))
    detection, robustness = cells(text, "mdacl")[:2]
    assert detection[1:4] == ["2", "50.5 ± 0.7", "25.2 ± 0.4"]
    assert detection[-2:] == ["2.50", "2.69"]
    assert robustness[1:4] == ["2", "38.0 ± 0.0", "93.8 ± 1.6"]
    assert robustness[-2:] == ["+0.050 ± 0.000", "0.050 ± 0.000"]
    assert "10 of 10 runs are done." in text
    assert "Incomplete" not in text


def test_what_is_missing_is_named() -> None:
    found = replace(results(seeds=(0,)), outdated=("concat_1",))
    text = generated_part(make_report(PLAN, found))
    assert "**Incomplete: 5 of 10 runs are done.**" in text
    assert "Missing, and left out: all of seed 1." in text
    assert "another configuration, and left out: concat_1." in text
    assert cells(text, "mdacl")[0][1] == "1 of 2"


def test_nothing_measured_is_said_instead_of_drawn() -> None:
    text = generated_part(make_report(PLAN, Results(missing=("concat_0",))))
    assert "0 of 10" in text
    assert "|" not in text


def test_first_stage_and_its_several_trainings_are_told() -> None:
    start = result("concat", 0) | {"variant": "start", "steps": 9, "scores": scores(0.2)}
    found = replace(results(), start=start)
    assert "(9 steps): mAP50 20.0, 38.0 with RGB absent" in generated_part(make_report(PLAN, found))
    del found.units["concat", 0]["start_weights"]
    text = generated_part(make_report(PLAN, found))
    assert "It was trained 2 times" in text
    assert "runs began 1 from weights not recorded, 9 from abababababab." in text
    found.units["concat", 0]["config"] = {"start": ""}
    assert "trained 2 times" not in generated_part(make_report(PLAN, found))


def test_results_of_another_configuration_are_left_out(tmp_path: Path) -> None:
    write_results(tmp_path, results())
    write_json(tmp_path / "mdacl_1.json", result("mdacl", 1) | {"config_hash": "old"})
    found = read_results(PLAN, tmp_path, tmp_path / "run")
    assert found.outdated == ("mdacl_1",)
    assert len(found.units) == 9


def test_picture_shows_every_variant(tmp_path: Path) -> None:
    path = tmp_path / "images" / "ablation.png"
    draw_ablation(make_report(PLAN, results()).rows, path)
    few = cv2.imread(str(path))
    draw_ablation(make_report(PLAN, results(("concat",))).rows, path)
    fewer = cv2.imread(str(path))
    assert few is not None
    assert fewer is not None
    assert few.shape[0] > fewer.shape[0]
    assert np.ptp(few) == 255


def test_command_writes_table_json_and_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = {
        "seeds": list(PLAN.seeds),
        "base": PLAN.base,
        "variants": PLAN.variants,
        "start": PLAN.start,
        "evaluation": {"size": [64, 64]},
    }
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(plan, sort_keys=False))
    write_results(tmp_path / "results", results())
    page = tmp_path / "ablation.md"
    page.write_text("# Ablation\n\n<!-- generated -->\nold\n<!-- /generated -->\n\nprose\n")
    options = {"config": "plan.yaml", "results": "results", "run": "run", "docs": ""}
    arguments = [x for k, v in options.items() for x in (f"--{k}", str(tmp_path / v))]
    assert main(["ablation", "table", *arguments]) == 0
    text = page.read_text()
    assert text.startswith("# Ablation\n\n<!-- generated -->\n")
    assert text.endswith("<!-- /generated -->\n\nprose\n")
    assert "old" not in text
    assert cells(text, "mdacl")[0][2] in capsys.readouterr().out
    values = json.loads((tmp_path / "ablation.json").read_text())
    assert values["complete"]
    assert [row["variant"] for row in values["rows"]] == list(MAP50)
    row = values["rows"][-1]
    wanted = {"map50", "map", "ap50", "mdi", "corruption_retention", "seeds", "params", "gflops"}
    assert wanted | {"retention_rgb_absent", "retention_thermal_absent"} <= set(row)
    assert (tmp_path / "images" / "ablation.png").is_file()


def test_page_without_markers_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "ablation.md"
    page.write_text("# Ablation\n")
    assert main(["ablation", "table", "--docs", str(tmp_path)]) == 2
    assert "<!-- generated -->" in capsys.readouterr().err
    assert page.read_text() == "# Ablation\n"
