"""What goes wrong with each camera: named kinds at five strengths, and random ones to train on."""

from mdacl_tools.corruption.named import CORRUPTIONS, STRENGTHS, Corruption, corrupt
from mdacl_tools.corruption.training import corrupt_rgb, corrupt_thermal

__all__ = ["CORRUPTIONS", "STRENGTHS", "Corruption", "corrupt", "corrupt_rgb", "corrupt_thermal"]
