"""Twenty terminals, ten thousand punches, and a gateway that is killed again and again: nothing that
was acknowledged is lost, and nothing is invented.

PUNCHD_CRASH_KILLS: how often it is killed in the tests that kill, 50 by default; the punches grow
with it. `./dev crash [ROUNDS]` runs these tests for longer.
"""
import collections
import os
import random
import time

import pytest

from conftest import BUILD
from gateway import Gateway, adds_up
from line import (Hand, attendance_posts, each_once, fast_broker, in_order, morning, punches, rfc3339,
                  sends_decided)
from sandbox import Sandbox
from terminal import Terminal
from waiting import wait_for

KILLS = int(os.environ.get("PUNCHD_CRASH_KILLS", "50"))
TERMINALS, USERS = 20, 200
SERIALS = [f"BIO-FP-{i:03d}" for i in range(1, TERMINALS + 1)]
QUICK = {"api.retry_min": "5ms", "api.retry_max": "50ms"}
# Seconds that the system needs to drain, whatever happens; a lost punch would wait for ever.
DRAIN_S = 60 + KILLS


class Place:
    """Broker, cloud and gateway."""

    def __init__(self, work, *faults, settings=None):
        self.broker = fast_broker(under=work)
        faults = [word for fault in faults for word in ("--fault", fault)]
        self.cloud = Sandbox(BUILD, work / "cloud", "--seed", "7", *faults, users=USERS,
                             devices=",".join(SERIALS)).start()
        self.gateway = Gateway(self.broker.port, self.cloud.base_url, self.cloud.ca, self.cloud.key,
                               under=work, settings=QUICK | (settings or {}))
        self.gateway.wait_connected()
        self.gateway.wait_synced()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.gateway.done()
        self.cloud.stop()
        self.broker.done()


def terminals(place, work, count, *more):
    """Twenty of them, each with a minute between its punches."""
    return Terminal(place.broker.port, "--terminals", TERMINALS, "--count", count, "--users", USERS,
                    "--start", rfc3339(morning()), "--step", "60s", "--resend", "1s", *more,
                    under=work)


def wanted(journal):
    """What the cloud must hold: all that terminals have sent, since they ended with all of it
    acknowledged, by the gateway or (--no-ack) by the broker."""
    return collections.Counter(
        (punch["user"], f"dev_{SERIALS.index(serial) + 1:06d}", punch["time"], punch["type"])
        for (serial, _), punch in journal.sent().items())


def bodies(records):
    return collections.Counter(
        (r["user_id"], r["device_id"], r["timestamp"], r["type"]) for r in records)


def test_ten_thousand_from_twenty_terminals(tmp_path):
    with Place(tmp_path) as place, terminals(place, tmp_path, 500) as journal:
        summary = journal.wait()
        assert (summary["sent"], summary["acked"], summary["unacked"]) == (10000, 10000, 0)
        status = place.gateway.wait_delivered(10000, DRAIN_S)
        adds_up(status)
        records = place.cloud.records()
        assert len(records) == len({r["idempotency_key"] for r in records}) == 10000
        assert bodies(records) == wanted(journal)
        assert {ack["status"] for ack in journal.acked().values()} == {"queued"}
        assert status["counts"]["stored"] == 10000
        assert attendance_posts(place.cloud) == sends_decided(place.gateway) == 10000


def torment(place, work, seed, *more):
    """Kill the gateway at random moments while terminals send, then let it drain. Every other end, by
    chance, is one in order, so that bursts are met as often as the careful mode after two kills.
    Returns what terminals know."""
    dice = random.Random(seed)
    count = max(500, KILLS * 10)
    with terminals(place, work, count, "--rate", "25", "--batch", "5", *more) as journal:
        # All before the last tenth, so that each kill meets terminals that send.
        for mark in sorted(dice.sample(range(TERMINALS * count * 9 // 10), KILLS)):
            place.gateway.wait_status(lambda s: s["counts"]["stored"] >= mark, f"{mark} punches")
            # Its last answer came between two bursts: the kill must not.
            time.sleep(dice.random() * 0.02)
            place.gateway.kill()
            place.gateway.start()
            if dice.random() < 0.5:
                place.gateway.stop()
                place.gateway.start()
        summary = journal.wait(DRAIN_S)
        assert (summary["sent"], summary["unacked"]) == (TERMINALS * count, 0)
        status = place.gateway.wait_delivered(TERMINALS * count, DRAIN_S)
        adds_up(status)
        assert status["counts"]["stored"] == TERMINALS * count
        return wanted(journal)


def test_killed_while_the_cloud_drops_answers(tmp_path):
    with Place(tmp_path, "drop-after,path=/attendance,p=0.05") as place:
        # Terminals that trust the broker: what the gateway has told it is gone from there.
        acknowledged = torment(place, tmp_path, 1, "--no-ack")
        records = place.cloud.records()
        # Something was in doubt: keys were sent again, and honoured.
        assert place.cloud.stats()["keys_again"] > KILLS
        assert len(records) == len({r["idempotency_key"] for r in records})
        assert bodies(records) == acknowledged


def test_killed_while_the_cloud_ignores_keys(tmp_path):
    with Place(tmp_path, "drop-after,path=/attendance,p=0.05", "no-idempotency") as place:
        acknowledged = torment(place, tmp_path, 2)
        held = bodies(place.cloud.records())
        assert held.keys() == acknowledged.keys()
        doubled = {body for body, n in held.items() if n > 1}
        listed = {(p["user"]["user_id"], p["device_id"], p["time"], p["type"])
                  for p in place.gateway.punches() if "in_doubt" in p["flags"]}
        assert doubled and doubled <= listed
        assert len(listed) < sum(acknowledged.values()) / 2


def test_twenty_thousand_while_the_cloud_is_away(tmp_path):
    with Place(tmp_path) as place, Hand(place.broker.port) as hand:
        gateway, cloud = place.gateway, place.cloud
        # Not in order of arrival: the newest half first.
        many = punches(20000, users=USERS, step=1)
        cloud.kill()
        hand.send_all(many[10000:], batch=100)
        hand.send_all(many[:10000], batch=100)
        hand.wait_acked(many)
        status = gateway.wait_status(lambda s: "api_offline" in {a["code"] for a in s["alarms"]},
                                     "the alarm")
        assert (status["queue"]["queued"], status["api"]["state"]) == (20000, "offline")
        adds_up(status)
        cloud.start()
        status = gateway.wait_delivered(20000, DRAIN_S)
        adds_up(status)
        records = cloud.records()
        each_once(records, many)
        in_order(records)
        wait_for(lambda: not gateway.alarms(), "the end of the alarms")


def resident_kib(gateway):
    text = open(f"/proc/{gateway.process.pid}/status").read()
    return int(text.split("VmRSS:")[1].split()[0])


def test_memory_does_not_grow_with_the_backlog(tmp_path, monkeypatch):
    # AddressSanitizer keeps what was freed for a while.
    monkeypatch.setenv("ASAN_OPTIONS", "quarantine_size_mb=0:thread_local_quarantine_size_kb=0")
    with Place(tmp_path, settings={"log.level": "info"}) as place, Hand(place.broker.port) as hand:
        place.cloud.kill()
        few, many = punches(100, users=USERS, step=1, label="few"), punches(
            100000, users=USERS, step=1, start=morning(3), label="many")
        hand.send_all(few, batch=100)
        hand.wait_acked(few)
        place.gateway.wait_status(lambda s: s["api"]["state"] == "offline", "the cloud is away")
        before = resident_kib(place.gateway)
        hand.send_all(many, batch=100)
        hand.wait_acked(many)
        status = place.gateway.status()
        assert status["queue"]["queued"] == 100100
        adds_up(status)
        after = resident_kib(place.gateway)
        print(f"resident: {before} KiB with 100 queued, {after} KiB with 100,100")
        assert after - before < 4 * 1024
