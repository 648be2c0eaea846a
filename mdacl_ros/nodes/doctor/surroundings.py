"""What can be checked without listening: DDS settings, shared memory, engine, GPU, calibration."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from mdacl_ros.errors import CalibrationError, MdaclError
from mdacl_ros.nodes.doctor.finding import Finding, bad, ok, warn
from mdacl_ros.nodes.parameters import NodeParameters
from mdacl_ros.resources import find_resource
from mdacl_ros.runtime.cache import EngineCache, cache_root
from mdacl_ros.runtime.loading import cache_parts
from mdacl_ros.sensing.rig import load_rig
from mdacl_ros.small_file import user_path
from mdacl_ros.types import Modality

PROFILES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")

DEFAULT_SEGMENT = 512 * 1024
"""Bytes of Fast DDS's shared-memory segment unless a profile says otherwise."""

LEAST_SHARED_MEMORY = 64 * 1024 * 1024
"""Free bytes wanted in /dev/shm; containers have 64 MB in all unless told otherwise."""

Size = tuple[int, int]


def check_dds(environment: Mapping[str, str], image_bytes: int) -> list[Finding]:
    """Middleware, its profile, and how far discovery reaches.

    Args:
        environment: ``os.environ``.
        image_bytes: Of the largest image on the topics, 0 for none.
    """
    middleware = environment.get("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp (default)")
    findings = [_discovery(environment)]
    if "fastrtps" not in middleware:
        return [*findings, ok("dds", f"middleware {middleware}")]
    named = next((environment[name] for name in PROFILES if environment.get(name)), "")
    shipped = str(find_resource("config/fastdds.xml"))
    if named and not Path(named).is_file():
        findings.append(bad("dds", f"no file {named}", f"export {PROFILES[0]}={shipped}"))
    elif named:
        findings.append(ok("dds", f"profile {named}"))
    elif image_bytes > DEFAULT_SEGMENT:
        findings.append(
            warn(
                "dds",
                f"images of {image_bytes // 1024} kB do not fit Fast DDS's default shared-memory "
                "segment of 512 kB: many will be lost",
                f"export {PROFILES[0]}={shipped} for camera drivers and node (Humble: "
                f"{PROFILES[1]})",
            )
        )
    elif image_bytes:
        findings.append(ok("dds", f"middleware {middleware}, images fit its shared memory"))
    else:
        findings.append(
            warn(
                "dds",
                f"middleware {middleware}, no image seen; its shared memory holds 512 kB, a "
                "640x480 rgb8 image has 900",
                f"export {PROFILES[0]}={shipped} for camera drivers and node",
            )
        )
    return findings


def _discovery(environment: Mapping[str, str]) -> Finding:
    """Domain and range: the usual reason for hearing nothing."""
    domain = environment.get("ROS_DOMAIN_ID", "0")
    reach = environment.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "SUBNET").upper()
    if environment.get("ROS_LOCALHOST_ONLY") == "1":
        reach = "LOCALHOST"
    what = f"ROS_DOMAIN_ID {domain}, discovery range {reach}"
    if reach == "OFF":
        return bad("discovery", what, "unset ROS_AUTOMATIC_DISCOVERY_RANGE: OFF hears nobody")
    if reach == "LOCALHOST":
        return ok("discovery", f"{what}: nodes on other machines are not heard")
    return ok("discovery", what)


def check_shared_memory(folder: Path = Path("/dev/shm")) -> Finding:
    """Room for images between processes."""
    if not folder.is_dir():
        return ok("shared memory", f"no {folder} on this system")
    free = shutil.disk_usage(folder).free
    if free < LEAST_SHARED_MEMORY:
        return warn(
            "shared memory",
            f"{free // 2**20} MB free in {folder}",
            "give the container more (docker run --shm-size=1g, or --ipc=host), or remove what "
            "ended processes left there (fastdds shm clean)",
        )
    return ok("shared memory", f"{free // 2**20} MB free in {folder}")


def check_engine(parameters: NodeParameters, cache: EngineCache | None = None) -> list[Finding]:
    """The engine: built already, and the hardware it wants."""
    name = parameters.engine
    width, height = parameters.input_size
    what = f"{name} {parameters.precision} {width}x{height} of model {parameters.model}"
    build = f"mdacl build --engine {name} --size {width}x{height}"
    findings = []
    try:
        model = parameters.model_folder()
        built = name == "torch" or (cache or EngineCache()).find(
            cache_parts(model, name, parameters.input_size)
        )
        findings.append(
            ok("engine", f"{what} is ready ({'nothing to build' if name == 'torch' else 'cached'})")
            if built
            else warn(
                "engine",
                f"{what} is not in {cache_root()}",
                f"{build}; else the node builds it at configure, which takes minutes",
            )
        )
    except (MdaclError, KeyError) as error:
        findings.append(bad("engine", str(error), "set the parameters model and engine"))
    return [*findings, _gpu(name)]


def _gpu(engine: str, driver: Path = Path("/proc/driver/nvidia/version")) -> Finding:
    """An NVIDIA GPU or a Jetson's, if the engine wants one."""
    jetson = Path("/etc/nv_tegra_release").is_file()
    if driver.is_file() or jetson:
        return ok("gpu", "NVIDIA driver is loaded")
    if engine == "tensorrt":
        return bad(
            "gpu",
            "no NVIDIA driver here, engine tensorrt wants one",
            "install the driver (in a container: --gpus all), or set engine to openvino",
        )
    return ok("gpu", f"none, engine {engine} does not need one")


def check_calibration(path: str, sizes: Mapping[Modality, Size | None]) -> Finding:
    """The rig file against the images that arrive.

    Args:
        path: The parameter ``calibration``; empty for none.
        sizes: ``(width, height)`` of each camera's images, where known.
    """
    if not path:
        return _without_calibration(sizes)
    try:
        rig = load_rig(user_path(path))
    except CalibrationError as error:
        return bad("calibration", str(error), "make one: mdacl calibrate, or calibration/README.md")
    models = {"rgb": rig.rgb, "thermal": rig.thermal}
    for camera, size in sizes.items():
        wanted = models[camera].size
        if size is not None and size != wanted:
            return bad(
                "calibration",
                f"{path} is for {camera} images of {wanted[0]}x{wanted[1]}, "
                f"{size[0]}x{size[1]} arrive",
                "calibrate at the size that is published, or set the driver back to it",
            )
    return ok("calibration", f"{path} ({rig.kind}, {rig.date or 'no date'}) fits the images")


def _without_calibration(sizes: Mapping[Modality, Size | None]) -> Finding:
    """Without a file both cameras must show the same view."""
    todo = "set parameter calibration to a rig file (mdacl calibrate makes one)"
    rgb, thermal = sizes.get("rgb"), sizes.get("thermal")
    if rgb and thermal and 0 in (*rgb, *thermal):
        return bad("calibration", "images of no size arrive", "see the cameras' drivers")
    if rgb and thermal and abs(rgb[0] / rgb[1] - thermal[0] / thermal[1]) > 0.01:
        return bad(
            "calibration",
            f"no rig file, and the images have different shapes ({rgb[0]}x{rgb[1]}, "
            f"{thermal[0]}x{thermal[1]}): thermal is not used",
            todo,
        )
    return warn("calibration", "no rig file: both images are taken to show the same view", todo)


def environment() -> Mapping[str, str]:
    """The variables of this process; the node's may differ."""
    return os.environ
