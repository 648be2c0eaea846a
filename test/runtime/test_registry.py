"""The registry is the one list of engines, and all an engine needs to be one."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mdacl_ros.resources import find_resource
from mdacl_ros.runtime.engine_kind import AUTO, DEVICES, FLOAT32
from mdacl_ros.runtime.registry import ENGINES, engine_names, precision_names

ROOT = Path(__file__).resolve().parents[2]
OWN_FILES = re.compile(rf"runtime/(\w+_)?({'|'.join((*ENGINES, 'tensorrt'))})(_\w+)?\.py")
"""Files of an engine may name it."""

ELSEWHERE = (
    # autocast while training: has nothing to do with engines
    "mdacl_tools/learning/train_config.py",
    "mdacl_ros/network/precision.py",  # how a precision is made, not which there are
    "mdacl_ros/runtime/quantisation.py",
)

TOY = '''
"""An engine in one file: PyTorch, with a file that is built before it is loaded."""

from pathlib import Path

from mdacl_ros.runtime.engine_kind import CPU, FLOAT32, EngineKind


class ToyKind(EngineKind):
    name = "toy"
    description = "a toy"
    precisions = ("fp4", FLOAT32)
    devices = (CPU,)
    modules = ("torch",)
    libraries = ("torch",)
    builds = True

    def obstacle(self, precision, device, facts):
        return "toys have no fp4 today; set precision to float32" if precision == "fp4" else ""

    def build(self, model, input_size, precision, folder, progress):
        progress(0.5, f"making a toy of {model.name}")
        (folder / "toy.txt").write_text(f"{model} {precision}")

    def load(self, folder, facts, input_size, precision, device):
        from mdacl_ros.runtime.torch_engine import TorchEngine

        model, built_as = (folder / "toy.txt").read_text().split()
        assert (built_as, device) == ("float32", "cpu")
        engine = TorchEngine(Path(model), facts, input_size)
        engine.name = self.name
        return engine
'''

MAIN = """
import sys
from mdacl_ros.runtime.registry import ENGINES
from toy_kind import ToyKind

toy = ToyKind()
others = dict(ENGINES)
ENGINES.clear()
ENGINES.update({toy.name: toy} | others)  # the one line

from mdacl_tools.cli.main import main
from mdacl_ros.config.parameters import SPECS

assert "toy" in SPECS["engine"].choices and "fp4" in SPECS["precision"].choices
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def with_toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run a command in a process whose registry has one engine more."""
    (tmp_path / "toy_kind.py").write_text(TOY)
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{tmp_path}")
    monkeypatch.setenv("MDACL_CACHE", str(tmp_path / "cache"))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", MAIN, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run


def test_an_engine_is_one_file_and_one_line(with_toy, model: Path) -> None:
    given = ("--model", str(model), "--size", "160x128")
    built = with_toy("build", *given)
    assert built.returncode == 0, built.stderr
    assert "engine: toy float32 on cpu (no fp4: toys have no fp4 today)" in built.stdout
    assert "making a toy of" in built.stderr
    again = with_toy("build", *given, "--engine", "toy")
    assert "making a toy of" not in again.stderr  # cached
    refused = with_toy("build", *given, "--engine", "toy", "--precision", "fp4")
    assert refused.returncode == 2
    assert "engine toy with precision fp4: toys have no fp4 today; set" in refused.stderr
    listed = with_toy("info", "--model", str(model), "--size", "64x64")
    assert re.search(r"toy float32 cpu +can run here", listed.stdout)
    assert "toy fp4 cpu" in listed.stdout
    helped = with_toy("evaluate", "--help")
    assert "{auto,toy," in helped.stdout


@pytest.mark.parametrize("kind", ENGINES.values(), ids=list(ENGINES))
def test_every_kind_keeps_the_contract(kind) -> None:
    assert kind.precisions[-1] == FLOAT32
    assert set(kind.devices) <= set(DEVICES)
    assert AUTO not in (kind.name, *kind.precisions)
    for source in kind.sources:
        assert (ROOT / "mdacl_ros" / source).is_file()
    for precision in kind.precisions:
        assert kind.built_as(precision) in kind.precisions
        for device in kind.devices:
            refusal = kind.refusal(precision, device, None)
            assert "\n" not in refusal
            assert refusal == "" or "; " in refusal  # the reason; the remedy


def test_kinds_are_known_without_their_libraries() -> None:
    libraries = {module for kind in ENGINES.values() for module in kind.modules}
    code = (
        "import sys; from mdacl_ros.runtime.choice import choose\n"
        "choose('auto', 'auto', 'auto', None)\n"
        f"assert not {libraries!r} & set(sys.modules), sys.modules.keys()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_no_other_place_lists_engines_or_precisions() -> None:
    names = {*engine_names(), *precision_names(), "tensorrt", "fp16", "int8"} - {AUTO, FLOAT32}
    word = re.compile(rf"\b({'|'.join(sorted(names - {'torch'}))})\b")
    found = []
    for top in ("mdacl_ros", "launch"):
        for path in sorted((ROOT / top).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            if OWN_FILES.search(name) or name in ELSEWHERE:
                continue
            for node in _strings(ast.parse(path.read_text())):
                if node.value == "torch" or word.search(node.value):
                    found.append(f"{name}:{node.lineno}: {node.value[:60]!r}")
    assert found == []


def _strings(tree: ast.Module) -> list[ast.Constant]:
    """String constants that are no docstrings."""
    documented = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)
    }  # a string alone is a docstring, of whatever
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in documented
    ]


def test_the_parameter_file_leaves_the_choice_to_the_machine() -> None:
    text = find_resource("config/detector.yaml").read_text()
    for name in ("engine", "precision", "device"):
        assert re.search(rf"^    {name}: auto ", text, re.MULTILINE)
