from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mdacl_ros.errors import ParameterError
from mdacl_ros.network.model_yaml import WEIGHTS
from mdacl_ros.runtime.cache import file_digest
from mdacl_tools.cli.main import main
from research.ablation.scores import (
    card_block,
    overview_block,
    read_correlations,
    read_model_scores,
    read_scores,
)

MARKERS = "# Scores\n<!-- generated -->\nold\n<!-- /generated -->\nlimits\n"
CORRELATIONS = {
    "pairs": 122,
    "spearman": {"exact_loss": 0.988, "estimate_exact": 0.925, "estimate_loss": 0.924},
}


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
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values))
    return path


def rows(block: str) -> list[list[str]]:
    lines = [line for line in block.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Scores of a model: two data sets, one dedicated detector, an earlier stage."""
    folder = tmp_path / "docs" / "scores" / "small"
    night = {"night": mode(0.4)}
    shipped = {"fused": mode(0.6, parts=night), "rgb absent": mode(0.5)}
    write(folder / "shipped" / "msrs_test.json", shipped)
    write(folder / "shipped" / "m3svd_test.json", {"fused": mode(0.7, cars=4)})
    write(
        folder / "thermal_only" / "msrs_test.json", {"fused": mode(0.55), "rgb absent": mode(0.0)}
    )
    write(folder / "stage1" / "msrs_test.json", {"fused": mode(0.58), "rgb absent": mode(0.3)})
    return folder


def test_a_card_shows_parts_and_what_the_model_is_held_against(small: Path) -> None:
    block = card_block(read_model_scores(small))
    assert [row[:3] for row in rows(block)] == [
        ["msrs/test", "fused", "60.0"],
        ["", "fused, night", "40.0"],
        ["", "rgb absent", "50.0"],
        ["", "*a detector of thermal alone*", "55.0"],
        ["", "*before stage 2: fused*", "58.0"],
        ["", "*before stage 2: rgb absent*", "30.0"],
        ["m3svd/test", "fused", "70.0"],
    ]
    assert "Spearman" not in block


def test_the_overview_leaves_out_parts_and_earlier_stages(small: Path) -> None:
    block = overview_block([read_model_scores(small)])
    assert [row[:4] for row in rows(block)] == [
        ["**small**", "msrs/test", "fused", "60.0"],
        ["", "", "rgb absent", "50.0"],
        ["", "", "*a detector of thermal alone*", "55.0"],
        ["", "m3svd/test", "fused", "70.0"],
    ]


def test_a_class_with_few_objects_is_called_noise(small: Path) -> None:
    noise = "Noise, with fewer than 20 objects: car in m3svd/test"
    assert noise in card_block(read_model_scores(small))
    (small / "shipped" / "m3svd_test.json").unlink()
    assert "Noise" not in card_block(read_model_scores(small))


def test_the_command_writes_cards_and_front_page(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(small / "shipped" / "dominance.json", CORRELATIONS)
    card = tmp_path / "models" / "small" / "MODEL_CARD.md"
    card.parent.mkdir(parents=True)
    pages = [card, tmp_path / "README.md"]
    for page in pages:
        page.write_text(MARKERS)
    assert main(["ablation", "scores", "--root", str(tmp_path)]) == 0
    for page in pages:
        text = page.read_text()
        assert "fused | 60.0 |" in text
        assert text.endswith("<!-- /generated -->\nlimits\n")
        assert "old" not in text
    assert "over 122 labelled pairs: exact probe against loss-based index 0.988" in card.read_text()
    assert main(["ablation", "scores", "--root", str(tmp_path / "models")]) == 2
    assert "holds no model's scores" in capsys.readouterr().err


def test_the_pages_of_this_checkout_show_its_score_files() -> None:
    root = Path(__file__).parents[2]
    models = [read_model_scores(root / "docs" / "scores" / name) for name in ("small", "nano")]
    assert overview_block(models) in (root / "README.md").read_text()
    for model in models:
        card = root / "models" / model.name / "MODEL_CARD.md"
        assert card_block(model) in card.read_text()


@pytest.mark.parametrize("name", ["small", "nano"])
def test_the_shipped_scores_are_of_the_shipped_weights(name: str) -> None:
    root = Path(__file__).parents[2]
    files = sorted((root / "docs" / "scores" / name / "shipped").glob("*.json"))
    assert len(files) == 3
    for file in files:
        measured = json.loads(file.read_text())["measured"]
        assert measured["model"] == name
        assert measured["weights_sha256"] == file_digest(root / "models" / name / WEIGHTS)
        assert measured["input_size"] == [640, 480]


def test_files_of_another_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="wanted the modes of `mdacl evaluate"):
        read_scores(write(tmp_path / "a.json", {"rows": []}))
    with pytest.raises(ParameterError, match="wanted pairs and spearman"):
        read_correlations(write(tmp_path / "b.json", {"pairs": 1}))
    with pytest.raises(ParameterError, match="not readable as JSON"):
        read_scores(tmp_path / "missing.json")
    with pytest.raises(ParameterError, match="make them with mdacl evaluate"):
        read_model_scores(tmp_path)
