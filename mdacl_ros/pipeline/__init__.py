"""From a frame pair to detections and modality dominance, the same for robot and workshop."""
