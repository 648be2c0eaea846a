from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mdacl_ros.ablation.card import read_correlations, read_scores, scores_block
from mdacl_ros.cli import main
from mdacl_ros.errors import ParameterError


def mode(map50: float, cars: int = 40, **more: Any) -> dict[str, Any]:
    return {
        "map50": map50,
        "map": map50 / 2,
        "ap50_by_class": {"person": map50, "car": map50},
        "truth_images": 122,
        "truth_objects": {"person": 474, "car": cars},
        "mdi": -0.05,
        **more,
    }


def write(path: Path, values: object) -> Path:
    path.write_text(json.dumps(values))
    return path


CORRELATIONS = {
    "pairs": 122,
    "spearman": {"exact_loss": 0.988, "estimate_exact": 0.925, "estimate_loss": 0.924},
}


def test_rows_come_by_data_set_with_parts_after_the_fused_one() -> None:
    parts = {"night": mode(0.4)}
    block = scores_block({"msrs/test": {"fused": mode(0.6, parts=parts), "rgb absent": mode(0.5)}})
    rows = [line for line in block.splitlines() if line.startswith("|")][2:]
    assert [row.split("|")[2].strip() for row in rows] == ["fused", "fused, night", "rgb absent"]
    assert "| msrs/test | fused | 60.0 | 30.0 | 60.0 | 60.0 | -0.05 |" in rows


def test_a_class_with_few_objects_is_called_noise() -> None:
    block = scores_block({"m3svd": {"fused": mode(0.6, cars=4)}})
    assert "Noise, with fewer than 20 objects: car in m3svd." in block
    assert "Noise" not in scores_block({"msrs": {"fused": mode(0.6)}})


def test_card_command_replaces_what_stands_between_the_markers(tmp_path: Path) -> None:
    card = tmp_path / "MODEL_CARD.md"
    card.write_text("# small\n<!-- generated -->\nold\n<!-- /generated -->\nlimits\n")
    scores = write(tmp_path / "msrs.json", {"fused": mode(0.6)})
    found = write(tmp_path / "dominance.json", CORRELATIONS)
    arguments = ["--scores", f"msrs/test={scores}", "--dominance", str(found)]
    assert main(["ablation", "card", str(tmp_path), *arguments]) == 0
    text = card.read_text()
    assert "| msrs/test | fused | 60.0 |" in text
    assert "over 122 labelled pairs: exact probe against loss-based index 0.988" in text
    assert text.endswith("<!-- /generated -->\nlimits\n")
    assert "old" not in text


def test_files_of_another_kind_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ParameterError, match="wanted the modes of `mdacl evaluate"):
        read_scores(write(tmp_path / "a.json", {"rows": []}))
    with pytest.raises(ParameterError, match="wanted pairs and spearman"):
        read_correlations(write(tmp_path / "b.json", {"pairs": 1}))
    with pytest.raises(ParameterError, match="not readable as JSON"):
        read_scores(tmp_path / "missing.json")
    assert main(["ablation", "card", str(tmp_path), "--scores", "x.json"]) == 2
    assert "wanted NAME=FILE" in capsys.readouterr().err
