import pytest

from mdacl_ros.errors import EngineError
from mdacl_tools.cli.main import main
from mdacl_tools.util.pipeline_options import parse_size, progress_printer


def test_parse_size() -> None:
    assert [parse_size(text) for text in ("640x480", "64X32")] == [(640, 480), (64, 32)]


@pytest.mark.parametrize("text", ["640", "", "x", "640x", "-64x32", "axb"])
def test_a_size_that_is_none_is_told(text: str) -> None:
    with pytest.raises(EngineError, match="wanted WIDTHxHEIGHT"):
        parse_size(text)


def test_build_tells_what_it_built(model, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("MDACL_CACHE", str(tmp_path))
    arguments = ["build", "--model", str(model), "--engine", "torch", "--size", "160x128"]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert "torch float32 on CPU: ready after" in printed
    assert str(tmp_path) in printed


def test_progress_is_shown_once_a_change(capsys) -> None:
    """A build repeats its progress twice a second as a sign of life."""
    progress = progress_printer()
    for fraction, what in [(0.1, "a"), (0.1, "a"), (0.1, "b"), (0.2, "b"), (0.2, "b")]:
        progress(fraction, what)
    assert [line.split("engine:")[1].split() for line in capsys.readouterr().err.splitlines()] == [
        ["10", "%", "a"],
        ["10", "%", "b"],
        ["20", "%", "b"],
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--size", "wide"], "wanted WIDTHxHEIGHT"),
        (["--size", "33x64"], "input_width: got 33, wanted 64 to 4096 in steps of 32"),
        (["--precision", "bf16", "--engine", "torch"], "it has no bf16; set precision"),
        (["--engine", "openvino", "--device", "cuda"], "does not run on cuda; set device"),
    ],
)
def test_a_wrong_build_gets_one_line(model, arguments, says, capsys) -> None:
    assert main(["build", "--model", str(model), *arguments]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
