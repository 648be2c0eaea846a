"""Which engine, precision and device a machine and a model folder get, and why."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mdacl_ros.errors import EngineError, MdaclError
from mdacl_ros.runtime.engine_kind import AUTO, FLOAT32, EngineKind
from mdacl_ros.runtime.model_facts import ModelFacts, read_model_facts
from mdacl_ros.runtime.registry import ENGINES, device_names, engine_kind, precision_names


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """What ``auto`` became.

    Attributes:
        engine: Name of a kind in :data:`.registry.ENGINES`.
        precision: One of its precisions.
        device: One of its devices.
        reason: Why, in one line; empty where nothing was left to ``auto``.
    """

    engine: str
    precision: str
    device: str
    reason: str

    def __str__(self) -> str:
        name = f"{self.engine} {self.precision} on {self.device}"
        return f"{name} ({self.reason})" if self.reason else name


def choose_for(model: Path, engine: str, precision: str, device: str) -> EngineChoice:
    """As :func:`choose`; a model folder that cannot be read is left to loading to report.

    Raises:
        EngineError: They cannot run here together.
    """
    facts = None
    with contextlib.suppress(MdaclError):
        facts = read_model_facts(model)
    return choose(engine, precision, device, facts)


def choose(engine: str, precision: str, device: str, facts: ModelFacts | None) -> EngineChoice:
    """Resolve ``auto``, and judge what was asked for together.

    Args:
        engine: Name of a kind, or ``auto``: the first one of the registry that can run.
        precision: Of that kind, or ``auto``: the first one that is fast on the device and that the
            model folder vouches for.
        device: ``cpu``, ``cuda`` or ``auto``.
        facts: Of the model folder; ``None`` where it is not known: auto then takes float32.

    Raises:
        EngineError: A name is unknown, or it cannot run here; says why in one line.
    """
    kinds = list(ENGINES.values()) if engine == AUTO else [engine_kind(engine)]
    for name, value, known in (
        ("precision", precision, precision_names()),
        ("device", device, device_names()),
    ):
        if value not in known:
            raise EngineError(f"{name}: got {value!r}, wanted one of {', '.join(known)}")
    refused: dict[str, str] = {}
    for kind in kinds:
        for place in kind.devices if device == AUTO else (device,):
            found, why = _precision(kind, precision, place, facts)
            if found:
                passed = [f"no {name}: {_reason(line)}" for name, line in refused.items()]
                reason = "; ".join(filter(None, [*passed, why]))
                return EngineChoice(kind.name, found, place, reason)
            refused[f"{kind.name} on {place}" if len(kind.devices) > 1 else kind.name] = why
    raise EngineError(_impossible(engine, precision, device, refused))


def _impossible(engine: str, precision: str, device: str, refused: Mapping[str, str]) -> str:
    """One line about a request that nothing here can serve."""
    asked = f"engine {engine} with precision {precision}"
    asked += f" on device {device}" if device != AUTO else ""
    if engine != AUTO:
        return f"{asked}: {next(iter(refused.values()))}"
    lines = ", ".join(f"{name}: {_reason(why)}" for name, why in refused.items())
    named = [n for n, v in (("precision", precision), ("device", device)) if v != AUTO]
    remedy = f"set {' and '.join(named)} to {AUTO}" if named else "docs/engines.md says how"
    return f"{asked}: nothing here can run it ({lines}); {remedy}"


def _precision(
    kind: EngineKind, precision: str, device: str, facts: ModelFacts | None
) -> tuple[str, str]:
    """The precision that a kind runs with and why others are passed by, or "" and the refusal."""
    if precision != AUTO:
        why = kind.refusal(precision, device, facts)
        return ("", why) if why else (precision, "")
    if why := kind.refusal(FLOAT32, device, facts):
        return "", why
    vouched = facts.precisions if facts is not None else (FLOAT32,)
    passed: list[str] = []
    for name in kind.precisions:
        if name == FLOAT32:
            break
        why = kind.refusal(name, device, facts) or kind.slowness(name, device)
        if not why and name not in vouched:
            why = "the model folder does not vouch for it (model.yaml, precisions)"
        if not why:
            return name, "; ".join([*passed, f"{name} is fast on this {device}"])
        passed.append(f"no {name}: {_reason(why)}")
    return FLOAT32, "; ".join(passed)


def _reason(refusal: str) -> str:
    """A refusal without its remedy, which nobody needs where something else is taken instead."""
    return refusal.partition("; ")[0]
