import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from network.random_models import ONE_TRUNK, save_random_model

from mdacl_ros.errors import ModelError, RecordingError
from mdacl_ros.network.detector import Detector
from mdacl_ros.network.weights import load_detector, save_detector
from mdacl_tools.cli.main import main
from research.analysis.features import FeatureViewer, TracingEngine, channel_energy, traced
from research.analysis.scenes import choose_pairs, recorded_pairs, simulated_pairs

from .runs import CONFIG, SIZE, write_data_set


def save_model(folder, config=CONFIG):
    """A random detector whose gates are not the identity."""
    torch.manual_seed(0)
    detector = Detector(config)
    for gate in detector.gates:
        for last in (*gate.instance, *gate.dimension):
            torch.nn.init.normal_(last.bias, std=0.7)
    save_detector(detector.eval(), folder, {})
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_model(tmp_path_factory.mktemp("model"))


def inputs():
    generator = torch.Generator().manual_seed(1)
    width, height = SIZE
    return (
        torch.rand(1, 3, height, width, generator=generator),
        torch.rand(1, 1, height, width, generator=generator),
        torch.ones(1, 2, height // 32, width // 32),
    )


def test_tracing_changes_no_answer_and_leaves_no_hook(model) -> None:
    detector = load_detector(model)
    with torch.inference_mode():
        plain = detector(*inputs())
        with traced(detector) as trace:
            watched = detector(*inputs())
        detector(*inputs())
    for a, b in zip(plain, watched, strict=True):
        torch.testing.assert_close(a, b)
    assert len(trace.instance) == len(trace.fused) == 3
    assert not any(m._forward_hooks for m in detector.modules())


def test_maps_after_are_the_maps_before_times_the_gates(model) -> None:
    detector = load_detector(model)
    with torch.inference_mode(), traced(detector) as trace:
        detector(*inputs())
        pyramids = detector.extract(*inputs())
    for level in range(3):
        for m in range(2):
            x = pyramids[m][level]
            gate = torch.from_numpy(trace.dimension[level][m]) * float(trace.instance[level][m])
            np.testing.assert_allclose(trace.before[level][m], channel_energy(x), rtol=1e-5)
            expected = channel_energy(x * gate[None, :, None, None])
            np.testing.assert_allclose(trace.after[level][m], expected, rtol=1e-4)
            assert trace.before[level][m].shape == (SIZE[1] >> (3 + level), SIZE[0] >> (3 + level))


def test_energies_and_gates_are_in_their_ranges(model) -> None:
    viewer = FeatureViewer(model, SIZE)
    pair = next(simulated_pairs(1)).open()
    view = viewer.view(pair)
    assert view.result.present == (True, True)
    for level in range(3):
        assert ((view.trace.instance[level] > 0) & (view.trace.instance[level] < 2)).all()
        assert all((energy >= 0).all() for energy in view.trace.before[level])


def test_a_model_without_gates_is_refused(tmp_path) -> None:
    for changes in ({"use_gate": False}, {"modalities": ("thermal",)}):
        folder = save_model(tmp_path / next(iter(changes)), replace(CONFIG, **changes))
        with pytest.raises(ModelError, match="has no calibration gate"):
            TracingEngine(folder, SIZE)


def test_pairs_are_chosen_by_condition_or_by_name(tmp_path) -> None:
    data = write_data_set(tmp_path, conditions=("night", "smoke", "day"))
    pairs = recorded_pairs(data, "test")
    chosen = choose_pairs(pairs, None)
    assert [p.condition for p in chosen] == ["day", "night", "smoke"]
    assert [p.name for p in choose_pairs(pairs, ["test2", "test0"])] == ["test2", "test0"]
    assert chosen[0].open().thermal.encoding == "mono8"
    with pytest.raises(
        RecordingError, match=r"pair 'test9' is in none .* wanted a name like test0"
    ):
        choose_pairs(pairs, ["test9"])


def test_simulated_conditions_share_their_places() -> None:
    pairs = list(simulated_pairs(2, seed=5))
    assert [p.condition for p in pairs] == ["day"] * 2 + ["night"] * 2 + ["smoke"] * 2
    assert [p.config.seed for p in pairs] == [5, 6] * 3


def test_command_writes_table_and_pictures(tmp_path, model, capsys) -> None:
    data = write_data_set(tmp_path / "data")
    out = tmp_path / "out"
    command = ["analyse", "features", "--model", str(model), "--data", str(data)]
    assert main([*command, "--size", "160x128", "--level", "4", "--out", str(out)]) == 0
    values = json.loads((out / "features.json").read_text())
    assert values["pairs"] == {"day (data)": 2, "night (data)": 2}
    assert len(values["instance"]["day (data)"]["thermal"]) == 3
    assert (out / "features.png").stat().st_size > 10_000
    assert (out / "gates.png").stat().st_size > 10_000
    assert "mean instance gate" in capsys.readouterr().out
    assert main([*command, "--level", "2"]) == 2
    assert "--level: got 2, wanted 3, 4 or 5" in capsys.readouterr().err
    assert main([*command, "--size", "100x100"]) == 2
    assert "got 100, wanted 64 to 4096 in steps of 32" in capsys.readouterr().err


def test_one_trunk_has_one_level_of_gates(tmp_path, capsys) -> None:
    data = write_data_set(tmp_path / "data")
    model = save_random_model(tmp_path / "model", ONE_TRUNK)
    out = tmp_path / "out"
    command = ["analyse", "features", "--model", str(model), "--data", str(data)]
    command += ["--size", "160x128", "--out", str(out)]
    assert main(command) == 0
    values = json.loads((out / "features.json").read_text())
    assert len(values["instance"]["day (data)"]["thermal"]) == 1
    assert main([*command, "--level", "4"]) == 2
    assert "--level: got 4, wanted 3: it fuses at stride 8" in capsys.readouterr().err
