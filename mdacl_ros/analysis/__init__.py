"""The analyses of the papers: what missing, broken and well-fed cameras do to a detector."""

from mdacl_ros.analysis.corruption import CorruptionRow, CorruptionTable, corruption_retention
from mdacl_ros.analysis.removal import RemovalRow, RemovalTable, removal_ladder

__all__ = [
    "CorruptionRow",
    "CorruptionTable",
    "RemovalRow",
    "RemovalTable",
    "corruption_retention",
    "removal_ladder",
]
