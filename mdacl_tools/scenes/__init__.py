"""Procedural RGB-thermal scenes with ground truth: no data, no ROS, no network needed.

from mdacl_tools.scenes import Scene, SceneConfig, demo_scenario, random_scene

pair = Scene(SceneConfig(seed=3, light="night", smoke=0.8)).render(time_s=1.5)
for event in demo_scenario():
    print(event.camera, event.stamp_ns, event.image.shape)
"""

from mdacl_tools.scenes.config import Conditions, SceneConfig, SimulatedPair
from mdacl_tools.scenes.render_thermal import preview
from mdacl_tools.scenes.scenario import (
    Phase,
    Scenario,
    ScenarioEvent,
    demo_scenario,
    random_config,
    random_scene,
)
from mdacl_tools.scenes.scene import Scene

__all__ = [
    "Conditions",
    "Phase",
    "Scenario",
    "ScenarioEvent",
    "Scene",
    "SceneConfig",
    "SimulatedPair",
    "demo_scenario",
    "preview",
    "random_config",
    "random_scene",
]
