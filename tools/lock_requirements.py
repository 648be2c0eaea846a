#!/usr/bin/env python3
"""Resolve requirements/direct.txt into the lock file of the running Python (``make lock``)."""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from pip_runner import SetUpError, resolve

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements"
LEFT_OUT = {
    "openvino-telemetry": "reports usage to a server unless told not to; openvino runs without it"
}
# What torch asks for in its CUDA build: `make TORCH_INDEX=default` lets pip add these.
CUDA_ONLY = re.compile(r"(nvidia|cuda)-|triton$")
HEADER = """\
# Written by `make lock` from direct.txt: every package with its version, nothing else is installed.
"""


def main() -> int:
    """Write the lock file; return the exit status."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    try:
        found = resolve(Path(sys.executable), ["-r", str(REQUIREMENTS / "direct.txt")])
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
    path = REQUIREMENTS / f"lock-py{version}.txt"
    path.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"{path}: {len(pins)} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
