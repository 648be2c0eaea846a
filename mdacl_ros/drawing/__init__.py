"""Drawing on RGB images: text, panels, boxes, the dominance gauge."""
