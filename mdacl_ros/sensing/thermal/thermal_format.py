"""What a count of a 16-bit thermal image means: by camera family, and told from the counts.

| name | kelvin a count | cameras and what their drivers send |
|---|---|---|
| ``centikelvin`` | 0.01 | Lepton 2.5 / 3.5 with TLinear 0.01 (datasheet 500-0659-00-09, telemetry
  row C, word 49), radiometric Boson and Hadron 640R in TLinear, FLIR A-series with 10 mK |
| ``lepton_low_gain`` | 0.1 | Lepton with TLinear 0.1; A-series with 100 mK |
| ``optris`` | 0.1 | optris_drivers, libirimager: counts = 1000 + 10 times degrees C (its header:
  ``(image[i] - 1000) / 10``), published as ``mono16`` |
| ``infiray`` | 1/64 | InfiRay P2 Pro, Topdon TC001, P3: kelvin times 64 (P2Pro-Viewer) |
| ``seek`` | 1/64 | seekcamera THERMOGRAPHY_FIXED_10_6: fixed point with 6 fractional bits |
| ``counts`` | unknown | Boson, Tau, Lepton without radiometry: 14-bit counts without a unit |

Only differences matter to the tone curve, so a zero point (1000, -40 degrees) plays no part.
"""

from __future__ import annotations

from dataclasses import dataclass

AUTO = "auto"
"""``kelvin_scale`` for ``16UC1``, told from the counts where that is no temperature."""

COUNTS_SPAN = 250.0
"""Counts that may take the full range where the unit is not known; 10 K of a 14-bit core, about."""

CENTIKELVIN_SCALE = 0.01


@dataclass(frozen=True, slots=True)
class ThermalFormat:
    """One unit of 16-bit thermal images.

    Attributes:
        name: As the parameter ``thermal_format`` names it.
        kelvin_per_count: ``None``: not known.
        low: Least median that a scene can have, counts.
        high: Largest.
    """

    name: str
    kelvin_per_count: float | None
    low: float
    high: float


_MIN_KELVIN, _MAX_KELVIN = 223.0, 655.0  # the median of a scene: -50 degrees C to hot metal
_COLD, _HOT = -40.0, 400.0  # degrees C, the same for formats with a zero point

FORMATS = {
    item.name: item
    for item in (
        ThermalFormat("centikelvin", 0.01, 100 * _MIN_KELVIN, 100 * _MAX_KELVIN),
        ThermalFormat("lepton_low_gain", 0.1, 10 * _MIN_KELVIN, 10 * _MAX_KELVIN),
        ThermalFormat("optris", 0.1, 1000 + 10 * _COLD, 1000 + 10 * _HOT),
        ThermalFormat("infiray", 1 / 64, 64 * _MIN_KELVIN, 64 * _MAX_KELVIN),
        ThermalFormat("seek", 1 / 64, 0.0, 64 * (_HOT + 40)),
        ThermalFormat("counts", None, 0.0, 65535.0),
    )
}
"""All formats by name."""

SPAN_KELVIN = 10.0
"""Temperature difference that may take the full range."""

MOST_COUNTS = 16_383
"""Largest value of a 14-bit core: below it, counts without a unit are always possible."""


def kelvin_per_count(name: str, kelvin_scale: float) -> float:
    """Kelvin a count that a ``thermal_format`` means.

    Args:
        name: ``auto``, or one of :data:`FORMATS`. ``counts`` gives the scale at which
            :data:`SPAN_KELVIN` are :data:`COUNTS_SPAN` counts.
        kelvin_scale: The parameter of that name, for ``auto``.
    """
    if name == AUTO:
        return kelvin_scale
    scale = FORMATS[name].kelvin_per_count
    return SPAN_KELVIN / COUNTS_SPAN if scale is None else scale


def told_format(median: float) -> ThermalFormat:
    """The format that counts must have which ``kelvin_scale`` 0.01 cannot explain.

    Args:
        median: Of a ``16UC1`` image.

    Returns:
        ``centikelvin`` where that is a temperature; ``optris`` (a step of 0.1 K, as low gain has)
        or ``infiray`` where only these are; else ``counts``.
    """
    if FORMATS["centikelvin"].low <= median <= FORMATS["centikelvin"].high:
        return FORMATS["centikelvin"]
    # Both have steps of 0.1 K; a 14-bit core's counts of a scene lie higher.
    if FORMATS["optris"].low <= median <= 10 * 400.0:
        return FORMATS["optris"]
    if MOST_COUNTS < median < FORMATS["centikelvin"].low:
        return FORMATS["infiray"]
    return FORMATS["counts"]


def unit_remark(told: ThermalFormat) -> str:
    """That ``16UC1`` is not centikelvin, what it is taken for, and what to set; empty if it is."""
    if told.name == "centikelvin":
        return ""
    return (
        f"16UC1 thermal counts are no temperature of a scene at kelvin_scale 0.01 (below"
        f" {_MIN_KELVIN:.0f} K): taken as {told.name}; set thermal_format to your camera's"
        f" ({', '.join(FORMATS)}), or kelvin_scale"
    )
