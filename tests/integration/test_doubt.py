"""Punches whose answer was lost: whether the cloud honours keys is learnt, and decides what may be
sent again (CLOUD-API.md, Errors)."""
import pytest

from gateway import adds_up
from line import morning, rfc3339, user
from place import Place
from waiting import wait_for


def punch(record_id, minute=0, who=1, **fields):
    return {"id": record_id, "user": user(who), "time": rfc3339(int(morning() + minute * 60)),
            "type": "check_in"} | fields


def found(place):
    return {p["record_id"]: p for p in place.gateway.punches()}


def idempotent(place):
    return place.gateway.status()["api"]["idempotent"]


@pytest.fixture
def place(tmp_path):
    with Place(tmp_path) as place:
        assert idempotent(place) == "unknown"
        yield place


def lose_one(place, *faults):
    """The first answer for a punch is lost, and the one to its second send counts."""
    for fault in faults:
        place.cloud.add_fault(fault)
    place.send(punch("lost"))
    place.gateway.wait_delivered(1)
    assert "in_doubt" in found(place)["lost"]["flags"]


# ---- what is learnt

# Made a minute and a half ago, by the cloud's clock.
LONG_AGO = ("drop-after,path=/attendance,count=1", "skew=-90s,path=/attendance,count=1")


def test_an_old_record_says_yes(place):
    lose_one(place, *LONG_AGO)
    assert idempotent(place) == "yes"
    assert len(place.cloud.records()) == 1
    # It is known in the next run, and forgotten with the key.
    place.gateway.stop()
    place.gateway.start()
    assert idempotent(place) == "yes"
    place.cloud.add_key("another-key")
    place.gateway.write_key("another-key")
    wait_for(lambda: idempotent(place) == "unknown", "it is forgotten")
    place.gateway.stop()
    place.gateway.start()
    assert idempotent(place) == "unknown"


def test_another_base_url_is_another_cloud(place):
    lose_one(place, *LONG_AGO)
    place.gateway.stop()
    place.gateway.settings["api.base_url"] += "/."
    place.gateway.start()
    assert idempotent(place) == "unknown"


def test_a_new_record_says_nothing(place):
    """The first send made a record, too; but nobody can know. The cloud's clock is not ours."""
    lose_one(place, "no-idempotency", "drop-after,path=/attendance,count=1",
             "skew=-90s,path=/attendance")
    assert idempotent(place) == "unknown"
    assert len(place.cloud.records()) == 2


def test_two_records_say_no(place):
    lose_one(place, "no-idempotency", "cut,path=/attendance,count=1")
    status = place.gateway.status()
    assert status["api"]["idempotent"] == "no"
    message = place.gateway.wait_alarm("cloud_doubles")
    assert found(place)["lost"]["id"] in message
    alarm, = (a for a in place.gateway.status()["alarms"] if a["code"] == "cloud_doubles")
    assert alarm["severity"] == "warning"
    line, = place.gateway.lines("cloud_doubles")
    first, second = (r["id"] for r in place.cloud.records())
    assert f"first={first}" in line and f"second={second}" in line
    assert found(place)["lost"]["att_id"] == second
    # The alarm and what is known stand after a restart.
    place.gateway.stop()
    place.gateway.start()
    assert idempotent(place) == "no"
    assert place.gateway.wait_alarm("cloud_doubles") == message
    adds_up(place.gateway.status())


def test_one_record_for_two_sends_says_yes(place):
    lose_one(place, "cut,path=/attendance,count=1")
    assert idempotent(place) == "yes"
    assert len(place.cloud.records()) == 1
