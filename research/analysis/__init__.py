"""Training dynamics, gates and features, linear probes: the analyses of the papers."""
