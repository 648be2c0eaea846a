"""The commands of the workshop's nodes; see :mod:`mdacl_ros.nodes.start` for how they start.

python -m mdacl_tools.live.start player_node --ros-args -p input:=my_bag
"""

import sys

from mdacl_ros.nodes.start import start


def fault_injector_node() -> int:
    """Run the fault injector."""
    return start("fault_injector_node", "mdacl_tools.live")


def player_node() -> int:
    """Run the player."""
    return start("player_node", "mdacl_tools.live")


if __name__ == "__main__":
    sys.exit(start(sys.argv.pop(1), "mdacl_tools.live"))
