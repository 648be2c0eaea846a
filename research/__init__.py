"""Experiments behind the documentation: scripts of a checkout, not installed."""
