"""Camera faults as data: a YAML scenario, typed faults, pure functions on a stream of messages."""
