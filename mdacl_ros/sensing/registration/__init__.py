"""Thermal pixels onto RGB pixels: rig calibration, cached maps, residual."""
