#!/usr/bin/env python3
"""Resolve the requirements into this Python's lock file for a ROS distribution (``make lock``)."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from pip_runner import SetUpError, resolve
from requirement_files import DISTRIBUTIONS, direct_files, lock_file

LEFT_OUT = {
    "openvino-telemetry": "reports usage to a server unless told not to; openvino runs without it"
}
# What torch asks for in its CUDA build: `make TORCH_INDEX=default` lets pip add these.
CUDA_ONLY = re.compile(r"(nvidia|cuda)-|triton$")
HEADER = """\
# Written by `make lock` from direct.txt and {distribution}.txt: every package with its version,
# nothing else is installed.
"""


def main() -> int:
    """Write the lock file; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--distro", choices=DISTRIBUTIONS, default=DISTRIBUTIONS[0])
    distribution = parser.parse_args().distro
    wanted = [part for file in direct_files(distribution) for part in ("-r", str(file))]
    try:
        found = resolve(Path(sys.executable), wanted)
    except SetUpError as error:
        print(f"make lock: {error}", file=sys.stderr)
        return 1
    pins = {}
    for item in found:
        name = re.sub(r"[-_.]+", "-", str(item["metadata"]["name"])).lower()
        if CUDA_ONLY.match(name):
            continue
        pins[name] = str(item["metadata"]["version"]).split("+")[0]
    lines = [f"# without {name}: {why}" for name, why in LEFT_OUT.items() if pins.pop(name, None)]
    lines += [f"{name}=={pin}" for name, pin in sorted(pins.items())]
    path = lock_file(distribution)
    header = HEADER.format(distribution=distribution)
    path.write_text(header + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"{path}: {len(pins)} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
