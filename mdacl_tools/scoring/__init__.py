"""Recordings judged offline: one line a frame, one report a recording, comparisons between reports.

The same recording gives the same numbers: nothing here reads the wall clock except what ends up
under ``timing``.
"""
