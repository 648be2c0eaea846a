#!/usr/bin/env python3
"""Generate vision_msgs into a virtual environment that has the ROS 2 wheels.

PyPI has no vision_msgs, so the definitions in ``tools/vision_msgs`` go through rosidl, CMake and
the C++ compiler once (about half a minute). Nothing happens while what went in is unchanged: the
definitions, the ROS and numpy wheels, and the interpreter.

Run with the environment's own interpreter: ``.venv/bin/python tools/build_vision_msgs.py``.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from importlib import metadata
from pathlib import Path

SOURCE = Path(__file__).resolve().parent / "vision_msgs"
PREFIX = Path(sys.prefix)
STAMP = PREFIX / "share" / "vision_msgs" / "inputs.sha256"
LOG = PREFIX / "vision_msgs-build.log"


class BuildError(Exception):
    """The messages cannot be generated here; the text is one line for the user."""


def input_hash() -> str:
    """Return one hash over everything the generated code depends on."""
    digest = hashlib.sha256(f"{sys.version}\n{sys.prefix}\n".encode())
    for path in sorted(p for p in SOURCE.rglob("*") if p.is_file()):
        digest.update(path.relative_to(SOURCE).as_posix().encode() + b"\n" + path.read_bytes())
    wheels = {
        f"{d.metadata['Name']}=={d.version}"
        for d in metadata.distributions()
        if d.metadata["Name"].startswith("ros-") or d.metadata["Name"] == "numpy"
    }
    digest.update("\n".join(sorted(wheels)).encode())
    return digest.hexdigest()


def up_to_date(wanted: str) -> bool:
    """Tell whether the environment already holds messages made from these inputs."""
    return STAMP.is_file() and STAMP.read_text().strip() == wanted


def check_tools() -> None:
    """Raise where something that only the system can provide is missing.

    Raises:
        BuildError: Names the missing part and the package that brings it.
    """
    if not shutil.which(os.environ.get("CXX", "g++")):
        raise BuildError("no C++ compiler (g++) on PATH; sudo apt install g++")
    if not Path(sysconfig.get_paths()["include"], "Python.h").is_file():
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise BuildError(
            f"no Python.h under {sysconfig.get_paths()['include']}; "
            f"sudo apt install python{version}-dev"
        )


def build(folder: Path) -> None:
    """Configure, compile and install from ``folder``, output to :data:`LOG`.

    Raises:
        BuildError: A step failed; names the log file.
    """
    scripts = Path(sysconfig.get_paths()["scripts"])
    environment = dict(
        os.environ,
        PATH=f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}",
        AMENT_PREFIX_PATH=str(PREFIX),
        CMAKE_PREFIX_PATH=str(PREFIX),
    )
    environment.pop("PYTHONPATH", None)  # a sourced ROS distribution would shadow the wheels
    cmake = str(scripts / "cmake")
    configure = [
        *(cmake, "-G", "Ninja", "-S", str(SOURCE), "-B", str(folder)),
        "-DCMAKE_BUILD_TYPE=MinSizeRel",
        f"-DCMAKE_INSTALL_PREFIX={PREFIX}",
        f"-DPython3_ROOT_DIR={PREFIX}",
        f"-DPython3_EXECUTABLE={sys.executable}",
        "-DPython3_FIND_VIRTUALENV=ONLY",
    ]
    with LOG.open("w", encoding="utf-8") as log:
        for command in (configure, [cmake, "--build", str(folder), "--target", "install"]):
            done = subprocess.run(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
            if done.returncode:
                raise BuildError(f"{Path(command[0]).name} ended with {done.returncode}; see {LOG}")


def main() -> int:
    """Build where needed; return the exit status."""
    wanted = input_hash()
    if up_to_date(wanted):
        print("vision_msgs: up to date")
        return 0
    try:
        check_tools()
        print("vision_msgs: generating 16 messages with rosidl (about half a minute)", flush=True)
        STAMP.unlink(missing_ok=True)
        with tempfile.TemporaryDirectory(prefix="vision_msgs-") as folder:
            build(Path(folder))
    except BuildError as error:
        print(f"vision_msgs: {error}", file=sys.stderr)
        return 1
    STAMP.write_text(wanted + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
