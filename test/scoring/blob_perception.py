"""Perception with a blob finder in place of the network, for settings, processes and clusters."""

from __future__ import annotations

from nodes.blob_engine import BlobEngine

from mdacl_ros.config.parameters import PIPELINE
from mdacl_ros.pipeline import Perception, PipelineConfig
from mdacl_tools.scoring.settings import EvaluationSettings


def build_blobs(settings: EvaluationSettings) -> Perception:
    return Perception(BlobEngine(), None, PipelineConfig())


def blob_settings(**changes) -> EvaluationSettings:
    """Settings of an evaluation, with parameters of the pipeline by their names."""
    pipeline = {name: changes.pop(name) for name in PIPELINE if name in changes}
    return EvaluationSettings(PipelineConfig(**pipeline), **changes)
