"""Perception with a blob finder in place of the network, for settings, processes and clusters."""

from __future__ import annotations

from pathlib import Path

from nodes.blob_engine import BlobEngine

from mdacl_ros.pipeline.perception import Perception, PerceptionConfig
from mdacl_tools.scoring.settings import EvaluationSettings


def build_blobs(settings: EvaluationSettings) -> Perception:
    return Perception(BlobEngine(), None, PerceptionConfig())


def blob_settings(**changes) -> EvaluationSettings:
    return EvaluationSettings(model=Path("blob"), **changes)
