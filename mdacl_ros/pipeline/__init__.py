"""From a frame pair to detections and modality dominance, the same for robot and workshop.

pipeline = build_pipeline(PipelineConfig(calibration="rig.yaml"))
result = pipeline.process(FramePair(rgb, thermal, rgb.stamp_ns))
print(result.detections.boxes, result.dominance.reliance)
"""

from mdacl_ros.config.pipeline_config import PipelineConfig
from mdacl_ros.pipeline.perception import Perception, build_pipeline

__all__ = ["Perception", "PipelineConfig", "build_pipeline"]
