"""Fourteen days without the cloud: what was fetched once serves, over restarts and power cuts."""
import collections
import random

import pytest

from clockwork import Clockwork
from gateway import adds_up
from line import DAY, rfc3339
from place import Place

DAYS, USERS = 14, 120


def tapped(day, n, at):
    """Number n comes in on that day."""
    return {"id": f"{day:02d}-{n:04d}", "user": f"usr_{n:06d}", "time": rfc3339(at),
            "type": "check_in"}


@pytest.fixture
def away(tmp_path):
    """Fourteen days ago, installed and synchronised once; then the cloud went away."""
    clock = Clockwork(tmp_path, wall_s=-DAYS * DAY)
    with Place(tmp_path, "--fault", f"skew=-{DAYS * DAY}s", users=USERS,
               env=clock.environment) as place:
        assert place.gateway.status()["directory"]["users"] == USERS
        users = place.cloud.get("/users?limit=100").data + place.cloud.get(
            "/users?limit=100&offset=100").data
        place.cloud.stop()
        yield place, clock, {u["id"]: u for u in users}


def next_day(place, clock, day):
    """The machine is off for the night: in order, by kill -9, or by a power cut whose clock comes
    back late."""
    if day % 3 == 0:
        place.gateway.stop()
    else:
        place.gateway.kill()
    clock.advance(DAY)
    if day % 3 == 1:
        clock.reboot(wall_s=clock.wall_s - DAY, synchronized=False)
    place.gateway.start()
    place.gateway.wait_connected()
    if day % 3 == 1:
        clock.set(wall_s=clock.wall_s + DAY, synchronized=True)


def test_everybody_is_known_for_fourteen_days(away):
    place, clock, users = away
    sent, r = {}, random.Random(14)
    for day in range(DAYS):
        if day:
            next_day(place, clock, day)
        punches = []
        for n in r.sample(range(1, USERS + 1), 40):
            user = users[f"usr_{n:06d}"]
            name = r.choice((user["id"], user["email"].upper(), user["phone"]))
            kind = {user["id"]: {}, user["phone"]: {"user_kind": "phone"}}.get(
                name, {"user_kind": "email"})
            punches.append(tapped(day, n, clock.now() - r.randint(60, 7200)) | {"user": name} | kind)
            sent[punches[-1]["id"]] = (user["id"], punches[-1])
        place.hand.acks.clear()
        place.hand.send(punches)
        place.hand.wait_acked(punches)
        assert [a["id"] for a in place.hand.acks] == [p["id"] for p in punches]
        for ack in place.hand.acks:
            user = users[sent[ack["id"]][0]]
            assert (ack["status"], ack["name"]) == ("queued", user["name"]), ack
        status = place.gateway.status()
        adds_up(status)
        assert (status["queue"]["queued"], status["queue"]["held"], status["queue"]["parked"],
                status["counts"]["refused"]) == (len(sent), 0, 0, 0)
        assert status["directory"]["users"] == USERS
    next_day(place, clock, DAYS)
    assert clock.wall_s == 0
    place.cloud.args = []
    place.cloud.start()
    status = place.gateway.wait_delivered(len(sent))
    adds_up(status)
    assert (status["queue"]["parked"], status["counts"]["refused"]) == (0, 0)
    assert collections.Counter((r["user_id"], r["timestamp"], r["type"])
                               for r in place.cloud.records()) == collections.Counter(
        (user_id, p["time"], p["type"]) for user_id, p in sent.values())
