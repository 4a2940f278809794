"""punchd -u: whoever takes a store away is told how many of its punches are not settled. The Debian
package's purge rests on it."""
import sqlite3
import subprocess

import pytest

from conftest import BUILD
from line import morning, rfc3339, user
from place import Place


def unsettled(store):
    """(exit code, what it printed, whether it said why not)"""
    run = subprocess.run([BUILD / "punchd", "-u", store], capture_output=True, timeout=60)
    return run.returncode, run.stdout.decode(), run.stderr.decode().startswith("punchd: /")


@pytest.fixture
def place(tmp_path):
    with Place(tmp_path) as place:
        yield place


def punch(record_id, who=1, name=None):
    return {"id": record_id, "user": name or user(who), "time": rfc3339(int(morning())),
            "type": "check_in"}


def test_what_is_queued_held_or_parked(place):
    gateway = place.gateway
    assert place.send(punch("delivered"))[0]["status"] == "queued"
    gateway.wait_delivered(1)
    assert unsettled(gateway.store) == (1, "", True), "it is in use"
    gateway.stop()
    assert unsettled(gateway.store) == (0, "0\n", False)

    gateway.start()
    gateway.wait_connected()
    assert gateway.request("POST", "/v1/pause")[0] == 200
    acks = place.send([punch("queued", who=2), punch("held", name="4711"), {"id": "parked"}])
    assert [ack["status"] for ack in acks] == ["queued", "held", "parked"]
    gateway.stop()
    assert unsettled(gateway.store) == (0, "3\n", False)

    # Of a kill the log is still there.
    gateway.start()
    gateway.wait_connected()
    place.send(punch("late", who=3))
    gateway.kill()
    assert unsettled(gateway.store) == (0, "4\n", False)

    gateway.start()
    assert gateway.request("POST", "/v1/resume")[0] == 200
    gateway.wait_delivered(3)
    gateway.stop()
    assert unsettled(gateway.store) == (0, "2\n", False)


def test_what_was_acknowledged_before_it_was_parsed(place):
    place.gateway.stop()
    with sqlite3.connect(place.gateway.store) as db:
        db.execute("INSERT INTO guarded (topic, payload, retained, dup, parses)"
                   " VALUES ('att/v1/T/punch', x'7b', 0, 0, 0)")
    db.close()
    assert unsettled(place.gateway.store) == (0, "1\n", False)


def test_what_cannot_be_told(tmp_path):
    missing = tmp_path / "punchd.db"
    assert unsettled(missing) == (1, "", True)
    assert list(tmp_path.iterdir()) == [], "none is made"
    missing.write_bytes(b"x" * 8192)
    assert unsettled(missing) == (1, "", True)
