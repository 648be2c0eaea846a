"""Errors a user can mend: every message names what, where, got, wanted and the remedy."""

from __future__ import annotations


class MdaclError(Exception):
    """Base of the errors that are shown to a user as one line, without a traceback."""


class ImageError(MdaclError):
    """An image message that cannot be decoded (encoding, step, size, truncated data)."""


class ImageKindError(ImageError):
    """An image of a kind that its camera cannot have, as when two topics are exchanged."""


class CalibrationError(MdaclError):
    """A rig calibration that is missing, unreadable, or geometrically impossible."""


class ModelError(MdaclError):
    """A model folder or weights file that is missing, unreadable, or does not fit the network."""


class EngineError(MdaclError):
    """An engine that cannot be built, loaded or run on this machine."""


class RecordingError(MdaclError):
    """A recording (bag, video pair, data-set folder) that cannot be read."""


class ParameterError(MdaclError):
    """A parameter or option whose value is out of its range."""


class ScenarioError(MdaclError):
    """A fault scenario that is missing, unreadable, or has an impossible entry."""
