#!/usr/bin/env python3
"""Check every dependency in package.xml against rosdistro's public YAML files.

    git clone <rosdistro> /tmp/rosdistro
    .venv/bin/python tools/check_rosdep_keys.py /tmp/rosdistro

A key is known to a distribution if a package of that name is released into it, or if rosdep's rules
name a package for the Ubuntu it is for. The last result is in docs/install.md.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
UBUNTU = {"humble": "jammy", "jazzy": "noble", "kilted": "noble"}
RULES = ("rosdep/base.yaml", "rosdep/python.yaml")
TAGS = ("depend", "build_depend", "exec_depend", "test_depend", "buildtool_depend")


def keys() -> list[str]:
    """The dependencies that package.xml names."""
    manifest = ElementTree.parse(ROOT / "package.xml").getroot()
    return sorted({e.text or "" for tag in TAGS for e in manifest.findall(tag)})


def read(source: Path, name: str) -> Any:
    """One YAML file of a checkout, or of a repository without a work tree."""
    if (source / name).is_file():
        text = (source / name).read_text(encoding="utf-8")
    else:
        command = ["git", "-C", str(source), "show", f"HEAD:{name}"]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def released(distribution: dict[str, Any]) -> set[str]:
    """Packages that are released into a distribution."""
    found = set()
    for name, repository in distribution["repositories"].items():
        release = repository.get("release") or {}
        if release.get("version"):
            found |= set(release.get("packages") or [name])
    return found


def has_rule(rule: Any, ubuntu: str) -> bool:
    """Whether rosdep's rule names a package for that Ubuntu."""
    value = rule.get("ubuntu") if isinstance(rule, dict) else None
    if not isinstance(value, dict):
        return bool(value)
    if ubuntu in value:
        return value[ubuntu] is not None
    return bool(value.get("*")) or set(value) <= {"pip", "apt", "packages", "source"}


def main() -> int:
    """Print the keys that are not known; return 1 where there are any."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rosdistro", type=Path, help="checkout or bare clone of rosdistro")
    source = parser.parse_args().rosdistro
    rules = {key: rule for name in RULES for key, rule in read(source, name).items()}
    wanted, missing = keys(), 0
    for name, ubuntu in UBUNTU.items():
        packages = released(read(source, f"{name}/distribution.yaml"))
        unknown = [k for k in wanted if k not in packages and not has_rule(rules.get(k), ubuntu)]
        missing += len(unknown)
        print(
            f"{name} ({ubuntu}): {len(wanted) - len(unknown)} of {len(wanted)} keys known", end=""
        )
        print(f"; unknown: {', '.join(unknown)}" if unknown else "")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
