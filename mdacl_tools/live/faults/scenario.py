"""Scenarios: which fault when on which camera, read from YAML, every entry checked."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Protocol

import yaml

from mdacl_ros.errors import ScenarioError
from mdacl_ros.small_file import read_small_text, user_path
from mdacl_ros.types import MODALITIES, Modality
from mdacl_ros.unique_yaml import load_unique_yaml
from mdacl_tools.live.faults import content, timing
from mdacl_tools.live.faults.message import Delivery, ImageData, Past


class Fault(Protocol):
    """What befalls the messages of one camera."""

    def apply(self, message: ImageData, past: Past) -> list[Delivery]:
        """Return what goes out in place of one message."""
        ...


FAULTS: dict[str, type[Any]] = {
    "drop": timing.Drop,
    "freeze": timing.Freeze,
    "delay": timing.Delay,
    "jitter": timing.Jitter,
    "reorder": timing.Reorder,
    "duplicate_stamp": timing.DuplicateStamp,
    "clock_jump": timing.ClockJump,
    "restart": timing.Restart,
    "encoding": content.WrongEncoding,
    "step": content.WrongStep,
    "size": content.WrongSize,
    "nan": content.NotANumber,
    "truncate": content.Truncate,
    "resolution": content.Resolution,
}
"""Every fault by its name in a scenario."""

RAW_ONLY = ("encoding", "step", "size", "nan", "resolution")
"""Faults of fields that compressed images do not have."""

_ENTRY = ("at", "for", "camera", "fault")


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """One entry of a scenario.

    Attributes:
        name: Name of the fault.
        fault: What happens.
        cameras: To whom.
        start_s: When it begins, in seconds after the first image.
        end_s: When it is over.
    """

    name: str
    fault: Fault
    cameras: tuple[Modality, ...]
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class FaultScenario:
    """What happens to both cameras.

    Attributes:
        faults: In the order of the file; those that are active together apply one after the other.
        repeat_s: Period after which everything begins anew; ``inf``: never.
        seed: Of all that is random.
    """

    faults: tuple[PlannedFault, ...]
    repeat_s: float = math.inf
    seed: int = 0


def load_scenario(path: Path | str) -> FaultScenario:
    """Read a scenario.

    Raises:
        ScenarioError: The file is missing or unreadable, or an entry is impossible; one line.
    """
    file = user_path(path)
    try:
        values = load_unique_yaml(read_small_text(file))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ScenarioError(
            f"fault scenario {file}: cannot be read ({reason}); see config/faults_example.yaml"
        ) from error
    try:
        return parse_scenario(values)
    except ScenarioError as error:
        raise ScenarioError(f"fault scenario {file}: {error}; see docs/faults.md") from error


def parse_scenario(values: Any) -> FaultScenario:
    """Check the values of a YAML file.

    Raises:
        ScenarioError: Names the entry, what it got and what it wants.
    """
    _check_keys(values, ("faults", "repeat", "seed"))
    entries = values.get("faults")
    if not isinstance(entries, list) or not entries:
        raise ScenarioError(f"faults: got {_short(entries)}, wanted a list of one fault or more")
    faults = []
    for number, entry in enumerate(entries, start=1):
        try:
            faults.append(_planned(entry))
        except ScenarioError as error:
            raise ScenarioError(f"entry {number}: {error}") from error
    repeat, last = _number(values, "repeat", math.inf), max(fault.end_s for fault in faults)
    if repeat < last:
        raise ScenarioError(
            f"repeat: got {repeat:g}, wanted {last:g} or more: the last fault ends then"
        )
    seed = values.get("seed", 0)
    if type(seed) is not int or seed < 0:
        raise ScenarioError(f"seed: got {_short(seed)}, wanted a whole number, 0 or more")
    return FaultScenario(tuple(faults), repeat, seed)


def _planned(entry: Any) -> PlannedFault:
    """Check one entry."""
    name = entry.get("fault") if isinstance(entry, dict) else None
    kind = FAULTS.get(name) if isinstance(name, str) else None
    if kind is None:
        _check_keys(entry, None)
        raise ScenarioError(f"fault: got {_short(name)}, wanted one of {', '.join(FAULTS)}")
    _check_keys(entry, (*_ENTRY, *(f.name for f in fields(kind))))
    camera = entry.get("camera")
    if camera not in (*MODALITIES, "both"):
        raise ScenarioError(f"camera: got {_short(camera)}, wanted rgb, thermal or both")
    if name == "nan" and camera != "thermal":
        raise ScenarioError(f"camera: got {camera!r}, wanted thermal: only it can send floats")
    start, duration = _number(entry, "at"), _number(entry, "for")
    if duration == 0:
        raise ScenarioError("for: got 0, wanted seconds, more than 0")
    given = {f.name: _typed(entry, f.name, f.default) for f in fields(kind) if f.name in entry}
    cameras = MODALITIES if camera == "both" else (camera,)
    fault = kind(**given)
    if isinstance(fault, timing.Restart) and fault.silence > duration:
        raise ScenarioError(f"silence: got {fault.silence:g}, wanted `for` ({duration:g}) at most")
    return PlannedFault(str(name), fault, cameras, start, start + duration)


def _check_keys(values: Any, known: tuple[str, ...] | None) -> None:
    """Refuse what is no mapping, and keys that would be overlooked."""
    if not isinstance(values, dict):
        raise ScenarioError(f"got {_short(values)}, wanted a mapping of keys")
    unknown = [key for key in values if known is not None and key not in known]
    if unknown and known is not None:
        raise ScenarioError(f"unknown key {_short(unknown[0])}, wanted some of {', '.join(known)}")


def _number(values: Mapping[str, Any], key: str, default: float | None = None) -> float:
    """Seconds, 0 or more."""
    value = values.get(key, default)
    right = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    if not right:
        # YAML 1.1 reads 1e3 as text; it wants a point and a sign, 1.0e+3.
        exponent = isinstance(value, str) and re.fullmatch(r"[-+]?[\d.]+e[-+]?\d+", value, re.I)
        hint = "; write 1000.0, not 1e3" if exponent else ""
        raise ScenarioError(f"{key}: got {_short(value)}, wanted seconds, 0 or more{hint}")
    return float(value)


def _typed(values: Mapping[str, Any], key: str, default: Any) -> Any:
    """A value of its default's type; a whole number serves as a float."""
    value, wanted = values[key], type(default)
    if wanted is float and type(value) is int:
        value = float(value)
    if type(value) is not wanted:
        raise ScenarioError(f"{key}: got {_short(value)}, wanted {wanted.__name__}")
    return value


def _short(value: object) -> str:
    """A value in an error line."""
    return " ".join(repr(value).split())[:80]
