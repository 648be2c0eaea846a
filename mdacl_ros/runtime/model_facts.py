"""What an engine has to know of a model besides its weights; read without torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mdacl_ros.errors import ModelError
from mdacl_ros.network.model_yaml import read_model_yaml


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The part of ``model.yaml`` that the robot needs.

    Attributes:
        labels: Class names in label order.
        estimate: (slope, offset) that turns fusion energies into sensitivities, see
            :func:`mdacl_ros.dominance_reading.read_dominance`.
    """

    labels: tuple[str, ...]
    estimate: tuple[float, float]


def read_model_facts(model: Path) -> ModelFacts:
    """Read a model folder's facts.

    Raises:
        ModelError: ``model.yaml`` is missing or lacks labels.
    """
    values = read_model_yaml(model)
    labels = values["detector"].get("labels")
    if not labels:
        raise ModelError(f"{model}/model.yaml: detector.labels is missing; wanted class names")
    estimate = values.get("dominance_estimate", {})
    return ModelFacts(
        labels=tuple(str(x) for x in labels),
        estimate=(float(estimate.get("slope", 1.0)), float(estimate.get("offset", 0.0))),
    )
