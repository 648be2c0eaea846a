"""Recordings through the real node over DDS: player, monitor, fault injector."""
