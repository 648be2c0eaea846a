"""RGB-thermal perception for robots: what is in front, and which camera that answer rests on."""

__version__ = "0.1.0"
