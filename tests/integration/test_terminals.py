"""Settings of one terminal: what it is called in the cloud, its zone, direction and double taps."""
import datetime
import json
import pathlib
import signal
import time

import pytest

from line import Hand, morning, rfc3339, user
from place import Place
from waiting import wait_for

SETTINGS = """
[terminal "gate"]
serial = BIO-FP-002
direction = check_out
double_tap = 5m
[terminal "door"]
serial = BIO-FP-003
time_zone = Asia/Kathmandu
"""

# A family of its own whose times are local, with a window of its own.
PROFILE = {
    "name": "lodge", "about": "a test's", "topic": "lodge/{device}/in", "format": "json",
    "accept": [], "device": ["topic:device"], "user": [["/who", "id"]], "record_id": ["/n"],
    "time": {"from": ["/at"], "formats": ["%Y-%m-%d %H:%M:%S"]}, "double_tap_s": 600,
    "clock": {"topic": "lodge/{device}/set", "payload_text": "{now:%Y-%m-%dT%H:%M:%S}", "every_s": 3600},
}


def extend(gateway, text):
    folder = pathlib.Path(f"{gateway.config.parent}/conf.d")
    folder.mkdir(exist_ok=True)
    (folder / "terminals.conf").write_text(text)


def punch(record_id, minute, second=0, who=1, **more):
    return {"id": record_id, "user": user(who), "time": rfc3339(morning() + minute * 60 + second)} | more


def found(gateway):
    return {p["record_id"]: p for p in gateway.punches()}


@pytest.fixture
def place(tmp_path):
    with Place(tmp_path, devices="BIO-FP-001,BIO-FP-002,BIO-FP-003", start=False) as place:
        extend(place.gateway, SETTINGS)
        place.gateway.start()
        place.gateway.wait_connected()
        place.gateway.wait_synced()
        yield place


def test_a_terminal_by_another_name(place):
    gateway = place.gateway
    with Hand(place.broker.port, "gate") as gate:
        sent = [punch("first", 0), punch("second", 4), punch("third", 6)]
        gate.send_all(sent)
        gate.wait_acked(sent)
        assert gate.acked() == {"first": "queued", "second": "suppressed", "third": "queued"}
    gateway.wait_delivered(2)
    first = found(gateway)["first"]
    assert (first["terminal"], first["type"], first["type_from"]) == ("gate", "check_out", "setting")
    device = {d["serial"]: d for d in gateway.get("/v1/devices")["data"]}["BIO-FP-002"]
    assert first["device_id"] == device["device_id"] and device["last_punch"]
    shown = {t["name"]: t for t in gateway.status()["terminals"]}["gate"]
    assert (shown["serial"], shown["device_id"]) == ("BIO-FP-002", device["device_id"])


def test_live(place):
    """A changed window is one for what waits, too."""
    gateway, hand = place.gateway, place.hand
    place.cloud.stop()
    sent = [punch("a", 0), punch("b", 2), punch("c", 10)]
    hand.send_all(sent)
    hand.wait_acked(sent)
    assert [p["type"] for p in map(found(gateway).get, "abc")] == ["check_in", "check_out", "check_in"]
    gateway.settings["punches.double_tap"] = "3m"
    gateway.write_config()
    gateway.process.send_signal(signal.SIGHUP)
    wait_for(lambda: found(gateway)["b"]["state"] == "suppressed", "b is a double tap")
    assert [p["type"] for p in map(found(gateway).get, "ac")] == ["check_in", "check_out"]
    gateway.settings["punches.direction"] = "hold"
    gateway.write_config()
    gateway.process.send_signal(signal.SIGHUP)
    wait_for(lambda: found(gateway)["a"]["reason"] == "no_direction", "a is held")
    # The same after a restart with other settings.
    gateway.kill()
    gateway.settings["punches.direction"] = "check_in"
    gateway.start()
    wait_for(lambda: [p["type"] for p in map(found(gateway).get, "ac")] == ["check_in"] * 2, "both come")


def test_a_zone_and_a_window_of_a_family(tmp_path):
    profiles = tmp_path / "profiles"
    profiles.mkdir()
    (profiles / "lodge.json").write_text(json.dumps(PROFILE))
    with Place(tmp_path, devices="BIO-FP-001,BIO-FP-003", settings={"mqtt.profiles": "native lodge", "mqtt.profile_dir": profiles},
               start=False) as place:
        gateway = place.gateway
        extend(gateway, SETTINGS)
        gateway.start()
        gateway.wait_connected()
        gateway.wait_synced()
        place.cloud.stop()
        clocks = []
        place.hand.client.message_callback_add(
            "lodge/door/set", lambda c, d, m: clocks.append(m.payload.decode()))
        place.hand.client.subscribe("lodge/door/set", 1)

        def send(n, at, device="door"):
            place.hand.client.publish(f"lodge/{device}/in", json.dumps(
                {"who": user(1), "n": n, "at": at}), qos=1)
            return wait_for(lambda: found(gateway).get(n), "it is stored")

        day = rfc3339(morning())[:10]
        assert send("1", f"{day} 09:00:00")["time"] == f"{day}T03:15:00Z"
        assert send("2", f"{day} 09:09:00")["state"] == "suppressed"
        # It is told the time of its own zone, as it tells it.
        told = wait_for(lambda: clocks, "its clock is set")[0]
        assert abs(datetime.datetime.fromisoformat(told + "+05:45").timestamp() - time.time()) < 120
        # The window is the family's after a restart, too, before it was heard again.
        gateway.kill()
        gateway.start()
        assert found(gateway)["2"]["state"] == "suppressed"
        # Its neighbour has the site's zone.
        assert send("3", f"{day} 12:00:00", "BIO-FP-001")["time"] == f"{day}T12:00:00Z"


@pytest.mark.parametrize("text, words", [
    ('[terminal "x"]\ntime_zone = Mars/Base\n', ":2: time_zone: `Mars/Base` is no zone"),
    ('[terminal x]\n', ":1: a terminal's section is written"),
])
def test_faults_are_told_by_line(tmp_path, text, words):
    with Place(tmp_path, start=False) as place:
        extend(place.gateway, text)
        place.gateway.spawn()
        assert place.gateway.wait() == 78
        assert "terminals.conf" + words in place.gateway.messages()
