"""Two camera streams become pairs, or single frames while one camera is dead."""
