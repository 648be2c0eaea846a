"""What can be checked without listening: DDS settings, shared memory, engine, GPU, calibration."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from mdacl_ros.config.parameters import NodeParameters
from mdacl_ros.doctor.finding import Finding, bad, ok, warn
from mdacl_ros.errors import CalibrationError, MdaclError
from mdacl_ros.local_ros import PROFILES
from mdacl_ros.resources import find_resource
from mdacl_ros.runtime.cache import EngineCache
from mdacl_ros.runtime.choice import EngineChoice
from mdacl_ros.runtime.cuda_device import CudaDevice, find_cuda
from mdacl_ros.runtime.engine_kind import CUDA
from mdacl_ros.runtime.loading import cache_parts
from mdacl_ros.runtime.model_facts import read_model_facts
from mdacl_ros.runtime.registry import ENGINES
from mdacl_ros.sensing.registration.rig import load_rig
from mdacl_ros.small_file import user_path
from mdacl_ros.types import Modality

DEFAULT_SEGMENT = 512 * 1024
"""Bytes of Fast DDS's shared-memory segment unless a profile says otherwise."""

LEAST_SHARED_MEMORY = 64 * 1024 * 1024
"""Free bytes wanted in /dev/shm; containers have 64 MB in all unless told otherwise."""

Size = tuple[int, int]


def check_dds(environment: Mapping[str, str], image_bytes: int) -> list[Finding]:
    """Middleware, its profile, and how far discovery reaches.

    Args:
        environment: The variables of the node, as far as it tells them; else our own.
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
        return bad(
            "discovery", what, "unset ROS_AUTOMATIC_DISCOVERY_RANGE: OFF finds no other process"
        )
    if reach == "LOCALHOST":
        return ok("discovery", f"{what}: nodes on other machines are not found")
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
    """The engine: which one and why, whether it can run, and whether it is built already."""
    try:
        choice = parameters.choose_engine()
        model = parameters.model_folder()
        read_model_facts(model)
        return [_built(parameters, choice, model, cache or EngineCache()), _gpu(choice)]
    except MdaclError as error:
        return [bad("engine", str(error), "set the parameters model, engine, precision, device")]


def _built(
    parameters: NodeParameters, choice: EngineChoice, model: Path, cache: EngineCache
) -> Finding:
    """Whether the first start has to build."""
    kind, size = ENGINES[choice.engine], parameters.input_size
    width, height = size
    what = f"{choice.engine} {choice.precision} {width}x{height} of model {parameters.model}"
    because = f"; {choice.reason}" if choice.reason else ""
    if not kind.builds:
        return ok("engine", f"{what} is ready (nothing to build){because}")
    if cache.find(cache_parts(model, kind, choice.precision, size)):
        return ok("engine", f"{what} is ready (cached){because}")
    build = f"mdacl build --engine {choice.engine} --precision {choice.precision}"
    return warn(
        "engine",
        f"{what} is not in {cache.root}{because}",
        f"{build} --size {width}x{height}; else the node builds it at configure, which takes "
        "minutes",
    )


def _gpu(choice: EngineChoice) -> Finding:
    """The GPU that CUDA offers, whether the engine runs on it or not."""
    found = find_cuda()
    if isinstance(found, CudaDevice):
        use = "used" if choice.device == CUDA else f"not used by engine {choice.engine}"
        return ok("gpu", f"{found.name}, CUDA {found.cuda}, {use}")
    return ok("gpu", f"{found}; engine {choice.engine} does not need one")


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
    """The variables of this process."""
    return os.environ
