#!/usr/bin/env python3
"""Create or refresh this project's virtual environment; needs nothing but Python itself.

Called by ``make`` as ``python3 tools/set_up.py .venv --distro kilted``. The steps run in order,
each says what it does, and each is skipped while its inputs are unchanged, so a repeated call costs
next to nothing.
Nothing outside the environment is written, except pip's own cache.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from pip_runner import SetUpError, pip_install, torch_index_options
from requirement_files import DISTRIBUTIONS, PYTHONS, lock_file, requirement_files

ROOT = Path(__file__).resolve().parent.parent
RESOURCES = ("package.xml", "launch", "config", "rviz", "models", "calibration")
PACKAGE_INPUTS = ("setup.py", "setup.cfg", "package.xml", "tools/set_up.py")
PROGRAMS = (
    *("mdacl", "detector_node", "fault_injector_node", "player_node", "rigs"),
    "rviz_in_camera_frame",
)
NEEDED_GB = 4.0
PIP = "pip==26.3"
# Read by every Python that starts in the environment: where ROS finds packages, and that nothing
# is sent to other machines unless the caller says so.
ROS_DEFAULTS = """\
import os, sys; os.environ.setdefault("AMENT_PREFIX_PATH", sys.prefix)
import os; os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
"""


def check_python(distribution: str) -> None:
    """Raise where the distribution has no wheels for this Python.

    Raises:
        SetUpError: Python too old or too new.
    """
    oldest, newest = PYTHONS[distribution]
    if oldest <= sys.version_info[:2] <= newest:
        return
    version = ".".join(map(str, sys.version_info[:3]))
    first, last = ("{}.{}".format(*limit) for limit in (oldest, newest))
    span = first if first == last else f"{first} to {last}"
    raise SetUpError(
        f"Python {version} at {sys.executable}; ROS 2 {distribution.capitalize()}'s wheels are "
        f"used for Python {span}: make DISTRO={distribution} PYTHON=/path/to/python{first}"
    )


def check_machine(folder: Path) -> None:
    """Raise before anything is written where the set-up cannot succeed.

    Raises:
        SetUpError: The venv module, the compiler, the headers or disk space is missing.
    """
    version = ".".join(map(str, sys.version_info[:3]))
    if find_spec("ensurepip") is None or find_spec("venv") is None:
        raise SetUpError(f"Python {version} has no venv module; sudo apt install python3-venv")
    if not shutil.which(os.environ.get("CXX", "g++")):
        raise SetUpError("no C++ compiler (g++) on PATH; sudo apt install g++")
    include = Path(sysconfig.get_paths()["include"])
    if not (include / "Python.h").is_file():
        raise SetUpError(f"no Python.h under {include}; sudo apt install python3-dev")
    free = shutil.disk_usage(folder.parent).free / 1e9
    if free < NEEDED_GB and not (folder / "bin" / "pip").exists():
        raise SetUpError(f"{free:.1f} GB free under {folder.parent}, {NEEDED_GB:.0f} GB needed")


def create(folder: Path) -> None:
    """Make the empty environment with a recent pip.

    Raises:
        SetUpError: ``folder`` belongs to another Python, or venv failed.
    """
    python = folder / "bin" / "python"
    if python.exists():
        probe = "import sys; print('%d.%d' % sys.version_info[:2])"
        done = subprocess.run([python, "-c", probe], capture_output=True, text=True)
        wanted = "{}.{}".format(*sys.version_info[:2])
        if done.returncode == 0 and done.stdout.strip() != wanted:
            raise SetUpError(
                f"{folder} was made with Python {done.stdout.strip()}, not {wanted}: make distclean"
            )
    arguments = [sys.executable, "-m", "venv", *([] if python.exists() else ["--clear"])]
    if subprocess.run([*arguments, str(folder)]).returncode:
        raise SetUpError(f"python -m venv {folder} failed (see above)")
    pip_install(python, [PIP])


def install_packages(folder: Path, distribution: str) -> None:
    """Install torch from the index that has a CPU build, then everything else."""
    python = folder / "bin" / "python"
    wanted = requirement_files(distribution)
    locked = wanted == [lock_file(distribution)]
    if not locked:
        names = " and ".join(file.name for file in wanted)
        print(f"      no {lock_file(distribution).name}: resolving {names} instead")
    lines = [line for file in wanted for line in file.read_text(encoding="utf-8").splitlines()]
    torch = next(line.strip() for line in lines if line.startswith("torch=="))
    without_cuda = ["--no-deps"] if os.environ.get("TORCH_INDEX") != "default" else []
    pip_install(python, [*without_cuda, *torch_index_options(python, torch), torch])
    complete = ["--no-deps"] if locked else []
    pip_install(python, [*complete, *(part for file in wanted for part in ("-r", str(file)))])


def generate_messages(folder: Path) -> None:
    """Generate vision_msgs, which no wheel has."""
    script = ROOT / "tools" / "build_vision_msgs.py"
    if subprocess.run([folder / "bin" / "python", script]).returncode:
        raise SetUpError("vision_msgs was not generated (see above)")


def set_ros_defaults(folder: Path) -> None:
    """Write :data:`ROS_DEFAULTS` where the environment's interpreter reads it at every start."""
    version = "python{}.{}".format(*sys.version_info[:2])
    path = folder / "lib" / version / "site-packages" / "ros_defaults.pth"
    path.write_text(ROS_DEFAULTS, encoding="utf-8")


def replace_by_link(link: Path, target: Path) -> None:
    """Make ``link`` a relative symbolic link to ``target``, whatever was there."""
    link.parent.mkdir(parents=True, exist_ok=True)
    if link.is_dir() and not link.is_symlink():
        shutil.rmtree(link)
    link.unlink(missing_ok=True)
    link.symlink_to(os.path.relpath(target, link.parent))


def install_package(folder: Path) -> None:
    """Install this package in place: edits show at once, and ROS finds it as after colcon."""
    pip_install(
        folder / "bin" / "python", ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
    )
    for name in RESOURCES:
        replace_by_link(folder / "share" / "mdacl_ros" / name, ROOT / name)
    for name in PROGRAMS:
        replace_by_link(folder / "lib" / "mdacl_ros" / name, folder / "bin" / name)
    marker = Path("share", "ament_index", "resource_index", "packages", "mdacl_ros")
    replace_by_link(folder / marker, ROOT / "resource" / "mdacl_ros")


def fingerprint(*paths: Path) -> str:
    """Return one hash over the given files and every file under the given folders."""
    digest = hashlib.sha256(f"{ROOT}\n{sys.version}".encode())
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(file.relative_to(ROOT).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()


def run_step(
    folder: Path, text: str, inputs: str, step: Callable[..., None], *arguments: object
) -> None:
    """Run one step unless the environment's note says it ran with these inputs."""
    note = folder / ".set_up" / step.__name__
    if note.is_file() and note.read_text() == inputs:
        return
    print(f"make: {text}", flush=True)
    note.unlink(missing_ok=True)
    step(folder, *arguments)
    note.parent.mkdir(exist_ok=True)
    note.write_text(inputs)


def main() -> int:
    """Run every step; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, add_help=True)
    parser.add_argument("folder", type=Path, help="where the environment lives, e.g. .venv")
    parser.add_argument("--distro", choices=DISTRIBUTIONS, default=DISTRIBUTIONS[0])
    given = parser.parse_args()
    folder = given.folder.absolute()
    packages = fingerprint(*requirement_files(given.distro), ROOT / "tools" / "pip_runner.py")
    messages = fingerprint(ROOT / "tools" / "vision_msgs", ROOT / "tools" / "build_vision_msgs.py")
    package = fingerprint(*(ROOT / name for name in PACKAGE_INPUTS))
    fetched = "2 of 5: packages (470 MB to fetch)"
    try:
        check_python(given.distro)
        check_machine(folder)
        run_step(folder, "1 of 5: virtual environment", fingerprint() + PIP, create)
        run_step(folder, fetched, packages, install_packages, given.distro)
        run_step(folder, "3 of 5: vision_msgs", packages + messages, generate_messages)
        run_step(folder, "4 of 5: ROS defaults (this machine only)", ROS_DEFAULTS, set_ros_defaults)
        run_step(folder, "5 of 5: mdacl_ros, in place", package, install_package)
    except SetUpError as error:
        print(f"make: set-up stopped: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
