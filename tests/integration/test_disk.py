"""A disk that is full, and a disk that fails: nothing is acknowledged that is not on it, nothing is
lost, and the daemon goes on by itself as soon as it can."""
import itertools
import json
import subprocess

import pytest

from conftest import BUILD
from disks import SmallDisk, needs_root
from gateway import Gateway, adds_up
from line import Hand, fast_broker, punches
from sandbox import Sandbox
from terminal import Terminal
from waiting import wait_for

def record_ids(gateway):
    return sorted(p["record_id"] for p in gateway.punches())


@needs_root
def test_a_disk_that_fills(tmp_path):
    with SmallDisk(tmp_path / "disk", 3072) as disk, fast_broker(under=tmp_path) as broker, \
            Gateway(broker.port, store=disk.path / "punchd.db", under=tmp_path) as g, \
            Terminal(broker.port, "--terminals", 20, "--count", 500, "--resend", "500ms",
                     under=tmp_path, keep=True, start=False) as terminals:
        g.wait_connected()
        terminals.start()
        message = g.wait_alarm("disk_low")
        assert "nothing is acknowledged until there is room" in message
        status = g.wait_status(lambda s: not s["mqtt"]["connected"], "away")
        assert status["state"] == "failing" and g.request("GET", "/healthz")[0] == 503
        assert "mqtt_down" not in g.alarms()  # it stays away by itself
        assert 0 <= status["store"]["free_bytes"] < 1 << 20
        # What terminals were told is there, and the rest is theirs still.
        acked = {i for _, i in terminals.acked()}
        assert 0 < len(acked) < 10000 and acked <= set(record_ids(g))
        # The plug is pulled: it starts on a disk that is full, and is what it was.
        g.kill()
        g.start()
        assert g.wait_status(lambda s: s["state"] == "failing", "failing")["counts"]["stored"] == \
            status["counts"]["stored"]
        disk.resize(30 * 1024)
        assert terminals.wait()["unacked"] == 0
        status = g.wait_status(lambda s: s["counts"]["stored"] == 10000, "all of them")
        adds_up(status)
        assert record_ids(g) == sorted(i for _, i in terminals.sent())
        g.wait_alarm("disk_low", False)
        assert g.status()["state"] != "failing"
        said = [line for line in g.lines("alarm") if "disk_low" in line]
        assert len(said) == 2  # once a run


@needs_root
def test_strangers_are_refused_first(tmp_path):
    """Below four times min_free; known terminals do not notice."""
    with SmallDisk(tmp_path / "disk", 3072) as disk, fast_broker(under=tmp_path) as broker, \
            Sandbox(BUILD, tmp_path / "cloud") as cloud, \
            Gateway(broker.port, cloud.base_url, cloud.ca, cloud.key,
                    store=disk.path / "punchd.db", under=tmp_path) as g, \
            Hand(broker.port) as known, Hand(broker.port, serial="STRANGER") as stranger:
        g.wait_synced()
        g.wait_connected()
        mine, theirs = punches(10, label="mine"), punches(3, label="theirs")
        assert "disk_low" not in g.alarms()
        stranger.send_all(theirs)
        known.send_all([{"id": "bad", "user": 7}])
        known.send_all(mine)
        known.wait_acked(mine)
        assert known.acked().keys() == {p["id"] for p in mine} and not stranger.acked()
        status = g.wait_delivered(10)
        assert (status["counts"]["stored"], status["counts"]["refused"]) == (10, 4)
        adds_up(status)
        assert "refused until 4096 KiB are" in g.wait_alarm("disk_low")
        assert g.status()["state"] == "degraded"
        assert any("no known device" in x for x in g.lines("refused"))
        assert any("cannot be read" in x for x in g.lines("refused"))
        # With room there are no strangers: what they kept is held until somebody knows them.
        disk.resize(30 * 1024)
        g.wait_alarm("disk_low", False)
        stranger.send_all(theirs)
        stranger.wait_acked(theirs)
        known.send_all([{"id": "bad", "user": 7}])
        status = g.wait_status(lambda s: s["queue"]["parked"] == 1, "the malformed one")
        assert {(p["terminal"], p["reason"]) for p in g.punches("&state=held")} == {
            ("STRANGER", "unknown_device")}
        assert status["counts"]["refused"] == 4
        adds_up(status)


@needs_root
def test_not_a_byte_is_free_at_the_start(tmp_path):
    """With its log still there it starts all the same; after an end in order it cannot, and says so."""
    with SmallDisk(tmp_path / "disk", 3072) as disk, fast_broker(under=tmp_path) as broker, \
            Gateway(broker.port, store=disk.path / "punchd.db", under=tmp_path) as g, \
            Hand(broker.port) as hand:
        many = punches(10)
        hand.send_all(many)
        hand.wait_acked(many)
        g.kill()
        disk.fill()
        g.start()
        g.wait_status(lambda s: s["state"] == "failing", "failing")
        disk.make_room()
        g.stop()
        disk.fill()
        g.spawn()
        assert g.wait() == 1
        assert "make room, nothing is lost" in g.wait_line("store", "the disk is full")
        disk.make_room()
        g.start()
        assert record_ids(g) == [p["id"] for p in many]


class Injected:
    """A process whose calls of one kind fail, from now until the end of the block."""

    def __init__(self, gateway, work, call, error):
        self.tracer = subprocess.Popen(
            ["strace", "-f", "-p", str(gateway.process.pid), "-e", f"trace={call}", "-e",
             f"inject={call}:error={error}", "-o", work / "injected"],
            stderr=subprocess.PIPE, text=True)
        assert "attached" in self.tracer.stderr.readline()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.tracer.terminate()
        self.tracer.communicate()


@pytest.mark.parametrize("call", ["fdatasync", "pwrite64"])
def test_a_disk_that_fails(tmp_path, call):
    """It is unknown what is on disk: nothing is acknowledged, and it ends."""
    first, burst = punches(5, label="first"), punches(50, label="burst")
    with fast_broker(under=tmp_path) as broker, Gateway(broker.port, under=tmp_path) as g, \
            Hand(broker.port) as hand:
        g.wait_connected()  # before its first session nobody keeps anything for it
        hand.send_all(first)
        hand.wait_acked(first)
        with Injected(g, tmp_path, call, "EIO"):
            hand.send_all(burst)
            assert g.wait() == 1
        assert hand.acked().keys() == {p["id"] for p in first}
        line = g.wait_line("store_failed", "what is on it is unknown")
        assert "nothing is lost" in line and "storing punches" in line and str(g.store) in line
        g.start()
        hand.wait_acked(burst)
        status = g.status()
        assert status["counts"]["stored"] == 55
        assert record_ids(g) == sorted(p["id"] for p in first + burst)
        adds_up(status)


def test_a_write_that_finds_the_disk_full(tmp_path):
    """Though it is said to have room, as under a quota."""
    first, burst = punches(5, label="first"), punches(50, label="burst")
    with fast_broker(under=tmp_path) as broker, Gateway(broker.port, under=tmp_path) as g, \
            Hand(broker.port) as hand:
        hand.send_all(first)
        hand.wait_acked(first)
        with Injected(g, tmp_path, "pwrite64", "ENOSPC"):
            hand.send_all(burst)
            assert "a quota?" in g.wait_alarm("disk_low")
            assert "make room" in g.wait_line("disk_full", "nothing is lost")
            assert g.status()["state"] == "failing"
            # It is tried again by itself, and said once.
            wait_for(lambda: len(g.lines("mqtt_down")) >= 2, "another try")
            assert hand.acked().keys() == {p["id"] for p in first}
            assert "disk_low" in g.alarms()
        hand.wait_acked(burst)
        g.wait_alarm("disk_low", False)
        status = g.status()
        assert (status["counts"]["stored"], status["counts"]["duplicate"]) == (55, 0)
        adds_up(status)
        assert len(g.lines("disk_full")) == 1
        assert len([line for line in g.lines("alarm") if "disk_low" in line]) == 1


BADGE = {
    "name": "badge", "about": "a test's", "topic": "badge/{device}/in", "format": "json", "accept": [],
    "device": ["topic:device"], "user": [["/who", "id"]], "record_id": ["/n"],
    "time": {"from": ["/at"], "formats": ["epoch_s"]},
    "ack": {"topic": "badge/{device}/ok", "payload": {"n": "{record_id}"}},
}


@needs_root
def test_what_people_do_on_a_full_disk(tmp_path):
    """It is done whole or not at all, and they are told; so is what a profile acknowledges."""
    profiles = tmp_path / "profiles"
    profiles.mkdir()
    (profiles / "badge.json").write_text(json.dumps(BADGE))
    with SmallDisk(tmp_path / "disk", 3072) as disk, fast_broker(under=tmp_path) as broker, \
            Gateway(broker.port, store=disk.path / "punchd.db", under=tmp_path,
                    settings={"mqtt.profiles": "native badge", "mqtt.profile_dir": profiles}) as g, \
            Hand(broker.port) as hand:
        g.wait_connected()
        held = punches(1)[0] | {"user": "1001"}
        hand.send_all([held])
        hand.wait_acked([held])
        before = g.punches()[0]
        told = []
        hand.client.message_callback_add(
            "badge/B1/ok", lambda c, d, m: told.append(json.loads(m.payload)["n"]))
        hand.client.subscribe("badge/B1/ok", 1)
        disk.fill()
        others = itertools.count(5000)
        wait_for(lambda: g.request("PUT", "/v1/links", json.dumps(
            {"kind": "pin", "value": str(next(others)), "user_id": "usr_000001"}))[0] == 500,
            "the last block of the store's log is used up")
        links = g.get("/v1/links")["data"]
        link = json.dumps({"kind": "pin", "value": "1001", "user_id": "usr_000001"})
        deed = f"/v1/punches/{before['id']}/"
        for method, path, body in (("PUT", "/v1/links", link),
                                   ("POST", deed + "discard", "{}"),
                                   ("POST", deed + "amend", '{"type": "check_out", "note": "n"}')):
            status, answer = g.request(method, path, body)
            assert status == 500 and "No space left" in answer["error"]["message"], answer
        hand.client.publish("badge/B1/in", json.dumps(
            {"who": "usr_000001", "n": "7", "at": 1769932800}), qos=1).wait_for_publish(30)
        g.wait_alarm("disk_low")
        assert g.get("/v1/links")["data"] == links and g.punches()[0] == before and not told
        # What is on the disk is what was said.
        g.kill()
        disk.make_room()
        g.start()
        assert g.get("/v1/links")["data"] == links and \
            {p["record_id"]: p for p in g.punches()}[before["record_id"]] == before
        assert g.request("PUT", "/v1/links", link)[0] == 200
        wait_for(lambda: told == ["7"], "the badge's acknowledgement")
        assert g.request("POST", deed + "discard", "{}")[0] == 200
        adds_up(g.status())
