#!/usr/bin/env python3
"""Create the environment of ``make test-tensorrt``: .venv, plus torch-tensorrt and TensorRT-RTX.

Called as ``.venv/bin/python tools/set_up_tensorrt.py FOLDER``. The new environment sees the
packages of the one that runs this script. The shared libraries of torch-tensorrt need CUDA and are
removed: its converters are Python.
"""

from __future__ import annotations

import argparse
import platform
import shutil
import sys
import sysconfig
import venv
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from pip_runner import SetUpError, pip_install

REQUIREMENTS = Path(__file__).resolve().parent / "tensorrt-py3.11.txt"


def set_up(folder: Path) -> None:
    """Make the environment, from nothing.

    Raises:
        SetUpError: Not x86_64, or pip failed.
    """
    if platform.machine() != "x86_64":
        raise SetUpError(f"TensorRT-RTX has no wheels for {platform.machine()}, only for x86_64")
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    packages = folder / Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)
    base = sysconfig.get_path("purelib")  # its own .pth files count as well: mdacl_ros in place
    line = f"import site; site.addsitedir({base!r})\n"
    (packages / "base.pth").write_text(line, encoding="utf-8")
    pip_install(folder / "bin" / "python", ["--no-deps", "-r", str(REQUIREMENTS)])
    library = packages / "torch_tensorrt"
    for binary in (*library.glob("_C*.so"), *library.glob("lib/*.so")):
        binary.unlink()


def main() -> int:
    """Set up; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the environment is made")
    try:
        set_up(parser.parse_args().folder.absolute())
    except SetUpError as error:
        print(f"make: set-up stopped: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
