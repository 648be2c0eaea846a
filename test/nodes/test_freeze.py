"""A camera that repeats its picture under new stamps, as the whole node tells it."""

from __future__ import annotations

from .bench import Bench, rgb_scene, thermal_scene, wait_until

T0 = 1_700_000_000_000_000_000
MS = 1_000_000
WARN, ERROR = 1, 2


class Rig:
    """Two cameras at 30 Hz; the frozen one shows its scene, the other one's pictures change."""

    def __init__(self, bench: Bench, frozen: str) -> None:
        assert bench.set_parameter("partner_timeout", 10.0)[0]  # stamps run ahead of the clock
        self.bench, self.frozen, self.frame = bench, frozen, 0

    def run(self, seconds: float, *, moving: bool = False) -> None:
        for _ in range(round(30 * seconds)):
            self.frame += 1
            for camera in ("rgb", "thermal"):
                image = rgb_scene() if camera == "rgb" else thermal_scene()
                if moving or camera != self.frozen:
                    image[:4, :4] = self.frame % 250
                self.bench.publish(camera, T0 + self.frame * 33 * MS, image)
            for camera in ("rgb", "thermal"):  # the subscriptions keep the newest frame only
                name = f"frames_{camera}"
                wait_until(lambda n=name: self.bench.counts()[n] == self.frame, name)


def test_the_images_status_tells_how_long_rgb_has_been_frozen(bench: Bench) -> None:
    rig = Rig(bench, "rgb")
    rig.run(0.5)
    _, message, _ = bench.wait_for_health(
        "images", lambda level, *_: level == WARN, "the freeze begins"
    )
    assert message.startswith("rgb repeats one image for 0.")
    assert "frozen, restart its driver" in message
    rig.run(3.5)
    level, message, _ = bench.wait_for_health(
        "images", lambda *status: float(status[2]["frozen_rgb_s"]) > 3.9, "the freeze lasts"
    )
    assert level == ERROR
    assert "rgb repeats one image for 3.9 s: frozen, restart its driver" in message
    assert bench.counts()["dropped_frozen_rgb"] > 90
    rig.run(0.1, moving=True)
    _, _, values = bench.wait_for_health("images", lambda level, *_: level == 0, "it is over")
    assert (float(values["frozen_rgb_s"]), int(values["freezes_rgb"])) == (0.0, 1)
    assert int(values["freezes_thermal"]) == 0


def test_a_shutter_of_a_second_is_told_and_does_not_cost_the_camera(bench: Bench) -> None:
    rig = Rig(bench, "thermal")
    rig.run(1.0)
    level, message, values = bench.wait_for_health(
        "images", lambda *status: float(status[2]["frozen_thermal_s"]) > 0.9, "the shutter"
    )
    seconds = float(values["frozen_thermal_s"])
    assert level == WARN
    assert f"thermal repeats one image for {seconds:.1f} s: probably its shutter (NUC)" in message
    rig.run(0.1, moving=True)
    bench.wait_for_health("images", lambda level, *_: level == 0, "it is over")
    counts = bench.counts()
    assert counts["dropped_frozen_thermal"] == counts["single_rgb"] == 0


def test_a_frozen_camera_that_falls_silent_is_silent(bench: Bench) -> None:
    rig = Rig(bench, "rgb")
    rig.run(1.0)
    bench.wait_for_health("cameras", lambda _l, m, _v: "rgb repeats one image" in m, "the freeze")
    assert bench.set_parameter("partner_timeout", 0.2)[0]
    _, message, _ = bench.wait_for_health(
        "cameras", lambda _l, m, _v: "repeats" not in m, "the silence"
    )
    assert "no usable frames from rgb" in message
    _, _, values = bench.wait_for_health("images", lambda level, *_: level == 0, "the silence")
    assert float(values["frozen_rgb_s"]) == 0.0
