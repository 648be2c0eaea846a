"""The command line: quick help, one-line errors, lazy imports."""

from __future__ import annotations

import subprocess
import sys
import types
from pathlib import Path

import pytest

from mdacl_ros import __version__
from mdacl_ros.errors import ModelError
from mdacl_tools.cli import main as cli

ROOT = Path(__file__).resolve().parents[2]


def add_command(monkeypatch, run) -> None:
    module = types.ModuleType("fake_command")
    module.add_arguments = lambda parser: parser.add_argument("--threshold", type=float)
    module.run = run
    monkeypatch.setitem(sys.modules, "fake_command", module)
    monkeypatch.setitem(cli.COMMANDS, "fake", cli.Command("fake_command", "do nothing"))


def test_version_and_help(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"mdacl {__version__}\n"
    assert cli.main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in cli.COMMANDS)


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_help(name, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main([name, "--help"])
    assert stop.value.code == 0
    assert f"usage: mdacl {name}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dmeo"], "unknown command 'dmeo', did you mean demo?"),
        (["demo", "--ratee", "2"], "unknown argument '--ratee', did you mean --rate?"),
        (["demo", "--rate", "fast"], "argument --rate: "),
        (["convert", "videos", "a.mp4"], "the following arguments are required: THERMAL.mp4, OUT"),
        (["convert", "recording", "/nowhere", "/nowhere/out"], "/nowhere: no such file or folder"),
    ],
)
def test_mistakes_are_one_line(arguments, message, capsys):
    assert cli.main(arguments) == cli.EXIT_USAGE
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_package_errors_are_one_line_and_exit_2(monkeypatch, capsys):
    def fail(args):
        raise ModelError("weights /x: no such file; run make train")

    add_command(monkeypatch, fail)
    assert cli.main(["fake"]) == 2
    assert capsys.readouterr().err == "mdacl: weights /x: no such file; run make train\n"


def test_ctrl_c_is_130_and_arguments_arrive(monkeypatch):
    def interrupt(args):
        assert args.threshold == 0.5
        raise KeyboardInterrupt

    add_command(monkeypatch, interrupt)
    assert cli.main(["fake", "--threshold", "0.5"]) == cli.EXIT_INTERRUPTED


def test_help_loads_no_heavy_library():
    code = (
        "import sys; from mdacl_tools.cli.main import main; main(['--help']); "
        "heavy = {'torch', 'cv2', 'rclpy', 'openvino', 'numpy'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True)


def test_convert_writes_a_bag(tmp_path, capsys, monkeypatch):
    from mdacl_tools.recordings.bag_writer import write_bag
    from mdacl_tools.recordings.open_recording import open_recording
    from mdacl_tools.recordings.synthetic import RigFaults, SyntheticRecording

    source = SyntheticRecording(RigFaults(duration_s=1.0))
    write_bag(source, tmp_path / "one")
    arguments = ["convert", "recording", str(tmp_path / "one"), str(tmp_path / "two")]
    assert cli.main([*arguments, "--storage", "sqlite3", "--compress", "png"]) == 0
    assert "30 rgb, 9 thermal frames" in capsys.readouterr().out
    assert open_recording(tmp_path / "two").frames == source.frames
    assert cli.main(arguments) == cli.EXIT_USAGE
    assert "exists already" in capsys.readouterr().err
