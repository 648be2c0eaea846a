"""Service ``~/reload_engine``: another engine without a pause in the answers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.lifecycle import LifecycleNode
from rclpy.task import Future
from std_srvs.srv import Trigger

from mdacl_ros.config.parameters import NodeParameters
from mdacl_ros.errors import MdaclError
from mdacl_ros.nodes import topics
from mdacl_ros.runtime.choice import EngineChoice
from mdacl_ros.runtime.engine import Engine


@dataclass(frozen=True, slots=True)
class Loaded:
    """A new engine, why it is this one, and the parameters that named it."""

    engine: Engine
    choice: EngineChoice
    parameters: NodeParameters


class EngineReload:
    """Loads an engine in a thread of its own while the old one goes on answering, then swaps.

    A service rather than the lifecycle: deactivate, cleanup, configure and activate do the same,
    but without answers for as long as loading, or building, takes.

    Args:
        node: The node that offers the service.
        load: Loads the engine that the parameters name; runs in the thread.
        use: Takes the new engine over, in the executor; returns what to answer.
    """

    def __init__(
        self,
        node: LifecycleNode,
        load: Callable[[], Loaded],
        use: Callable[[Loaded], str],
    ) -> None:
        self._node, self._load, self._use = node, load, use
        self._loading = threading.Lock()
        # A group of its own: the cameras' callbacks must not wait until the engine is there.
        self._service = node.create_service(
            Trigger,
            topics.RELOAD_ENGINE,
            self._on_request,
            callback_group=MutuallyExclusiveCallbackGroup(),
        )

    async def _on_request(
        self, _request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        """Answer once the new engine is in use, or say why it is not."""
        if not self._loading.acquire(blocking=False):
            response.message = "an engine is being loaded already; wait for it"
            return response
        try:
            response.message, response.success = self._use(await self._loaded()), True
        except MdaclError as error:
            response.message = str(error)
            self._node.get_logger().error(f"engine not reloaded: {error}")
        except Exception as error:  # rclpy would end the process for what a driver raised
            response.message = f"{type(error).__name__}: {error}"
            self._node.get_logger().error(f"engine not reloaded: {response.message}")
        finally:
            self._loading.release()
        return response

    def _loaded(self) -> Any:
        """An rclpy future of what was loaded."""
        future: Any = Future(executor=self._node.executor)

        def load() -> None:
            try:
                future.set_result(self._load())
            except Exception as error:  # handed to the one who awaits it
                future.set_exception(error)

        threading.Thread(target=load, name="engine_reload", daemon=True).start()
        return future
