"""The pages of this checkout are made of its result files, by the code of this checkout."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from research.ablation.layout import generated_part
from research.ablation.plan import load_plan
from research.ablation.report import AblationReport, make_report
from research.ablation.results import read_results

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> AblationReport:
    plan = load_plan(ROOT / "config" / "ablation.yaml")
    no_runs = tmp_path_factory.mktemp("runs")
    return make_report(plan, read_results(plan, ROOT / "docs" / "ablation", no_runs))


def test_the_tables_are_those_of_the_result_files(report: AblationReport) -> None:
    assert generated_part(report) in (ROOT / "docs" / "ablation.md").read_text()


def test_so_is_the_json(report: AblationReport) -> None:
    written = json.loads((ROOT / "docs" / "ablation.json").read_text())
    assert written == json.loads(json.dumps(report.to_json()))
