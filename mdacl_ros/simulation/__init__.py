"""Procedural RGB-thermal scenes with ground truth: no data, no ROS, no network needed.

from mdacl_ros.simulation import Scene, SceneConfig, demo_scenario, random_scene

pair = Scene(SceneConfig(seed=3, light="night", smoke=0.8)).render(time_s=1.5)
for event in demo_scenario():
    print(event.camera, event.stamp_ns, event.image.shape)
"""

from mdacl_ros.simulation.config import Conditions, SceneConfig, SimulatedPair
from mdacl_ros.simulation.render_thermal import preview
from mdacl_ros.simulation.scenario import (
    Phase,
    Scenario,
    ScenarioEvent,
    demo_scenario,
    random_config,
    random_scene,
)
from mdacl_ros.simulation.scene import Scene

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
