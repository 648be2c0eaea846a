import pytest
from network.random_models import NANO, save_random_model

from mdacl_ros.network.config import SIZES
from mdacl_ros.network.detector import Detector
from mdacl_tools.cli.info import count_operations
from mdacl_tools.cli.main import main


def test_parts_add_up_to_the_total() -> None:
    detector = Detector(NANO).eval()
    detector.auxiliary_head = None
    counts = count_operations(detector, (160, 128))
    total = counts.pop("total")
    assert sum(counts.values()) == pytest.approx(total, rel=1e-3)
    assert counts["streams"] > 0.5 * total


def test_operations_grow_with_the_input() -> None:
    detector = Detector(NANO).eval()
    small, large = (count_operations(detector, s)["total"] for s in ((160, 128), (320, 256)))
    assert large == pytest.approx(4 * small, rel=0.02)


def test_info_prints_every_size(capsys) -> None:
    assert main(["info", "--size", "64x64"]) == 0
    printed = capsys.readouterr().out
    assert all(f"{name}: input 64x64" in printed for name in SIZES)


def test_info_of_a_model_folder(tmp_path, capsys) -> None:
    assert main(["info", "--model", str(save_random_model(tmp_path)), "--size", "64x64"]) == 0
    assert capsys.readouterr().out.startswith("nano: input 64x64")
    assert main(["info", "--model", str(tmp_path / "absent")]) == 2
    assert "argument --model: no folder" in capsys.readouterr().err
