"""Engines: a trained model folder made ready to answer on this machine."""

from mdacl_ros.runtime.engine import Engine, Progress
from mdacl_ros.runtime.loading import load_engine

__all__ = ["Engine", "Progress", "load_engine"]
