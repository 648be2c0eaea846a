"""The workshop: recordings, scores, reports, training, calibration; a robot never loads it."""
