"""Punches whose answer was lost: whether the cloud honours keys is learnt, and decides what may be
sent again (CLOUD-API.md, Errors)."""
import signal

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


# ---- [api] in_doubt = hold

@pytest.fixture
def careful(tmp_path):
    with Place(tmp_path, users=20, settings={"api.in_doubt": "hold", "api.auth_retry": "50ms"}) as place:
        yield place


def hang_up(place, **settings):
    """Change settings of [api] and have them read."""
    before = len(place.gateway.lines("config"))
    place.gateway.settings.update({f"api.{k}": v for k, v in settings.items()})
    place.gateway.write_config()
    place.gateway.process.send_signal(signal.SIGHUP)
    wait_for(lambda: place.gateway.lines("config")[before:], "what SIGHUP does")


def act(place, record_id, verb):
    return place.gateway.request(
        "POST", f"/v1/punches/{found(place)[record_id]['id']}/{verb}", "{}")


def wait_held(place, *record_ids):
    def held():
        return {p["record_id"] for p in place.gateway.punches("&state=held&reason=in_doubt")}
    wait_for(lambda: held() == set(record_ids), f"{record_ids} are held as in_doubt")


def posts(place):
    return place.cloud.stats()["by_path"].get("POST /attendance", 0)


def key_of(place, record_id):
    trace = place.gateway.get(f"/v1/punches/{found(place)[record_id]['id']}")["data"]["trace"]
    return next(e["key"] for e in trace if e["event"] == "frozen")


def test_what_is_in_doubt_is_held_and_released(careful):
    place = careful
    place.cloud.add_fault("drop-after,path=/attendance,count=1")
    place.send(punch("lost"))
    wait_held(place, "lost")
    lost = found(place)["lost"]
    assert (lost["state"], lost["reason"], lost["in_doubt"], lost["frozen"]) == (
        "held", "in_doubt", True, True)
    assert "wait for something" in place.gateway.wait_alarm("held")
    # It stands before nobody: neither others of that person's day nor itself are sent again.
    place.send([punch("later", minute=60), punch("other", who=2)])
    place.gateway.wait_delivered(2)
    assert (posts(place), found(place)["lost"]) == (3, lost)
    status, document = place.gateway.request(
        "POST", f"/v1/punches/{lost['id']}/amend", '{"type":"check_out"}')
    assert status == 409 and "may have been sent" in document["error"]["message"]
    # Released it goes as it went, under its key.
    key = key_of(place, "lost")
    assert act(place, "lost", "release")[0] == 200
    place.gateway.wait_delivered(3)
    record, = (r for r in place.cloud.records() if r["idempotency_key"] == key)
    assert (record["posts"], key_of(place, "lost")) == (2, key)
    adds_up(place.gateway.status())


def test_released_and_lost_again(careful):
    """A release is for one send."""
    place = careful
    place.cloud.add_fault("drop-after,path=/attendance,count=2")
    place.send(punch("lost"))
    wait_held(place, "lost")
    assert act(place, "lost", "release")[0] == 200
    wait_for(lambda: posts(place) == 2, "it is sent again")
    wait_held(place, "lost")
    place.send(punch("other", who=2))
    place.gateway.wait_delivered(1)
    assert posts(place) == 3
    assert act(place, "lost", "release")[0] == 200
    place.gateway.wait_delivered(2)


def test_what_honours_keys_has_it_again(careful):
    """One is released, and says yes: the others go by themselves."""
    place = careful
    place.cloud.add_fault("skew=-90s,path=/attendance,count=3")
    place.cloud.add_fault("drop-after,path=/attendance,count=3")
    place.send([punch(f"lost{n}", who=n) for n in (1, 2, 3)])
    wait_held(place, "lost1", "lost2", "lost3")
    assert idempotent(place) == "unknown"
    assert act(place, "lost2", "release")[0] == 200
    place.gateway.wait_delivered(3)
    assert idempotent(place) == "yes" and len(place.cloud.records()) == 3
    # And the next one is sent again at once.
    place.cloud.add_fault("drop-after,path=/attendance,count=1")
    place.send(punch("next", who=4))
    place.gateway.wait_delivered(4)
    assert len(place.cloud.records()) == 4
    assert place.gateway.status()["queue"]["held"] == 0


def test_a_cloud_that_ignores_keys(careful):
    """Nothing is doubled that nobody released."""
    place = careful
    place.cloud.add_fault("no-idempotency")
    place.cloud.add_fault("drop-after,path=/attendance,count=3")
    place.send([punch(f"lost{n}", who=n) for n in range(1, 9)])
    place.gateway.wait_delivered(5)
    assert place.gateway.status()["queue"]["held"] == 3
    assert len(place.cloud.records()) == 8


def test_after_a_kill_what_was_frozen_is_held(careful):
    place = careful
    place.cloud.add_fault("slow=30s,path=/attendance,count=1")
    place.send(punch("under way"))
    wait_for(lambda: posts(place) == 1, "it is under way")
    place.gateway.kill()
    place.cloud.clear_faults()
    place.gateway.start()
    wait_held(place, "under way")
    place.gateway.wait_connected()
    place.send(punch("later", minute=60))
    place.gateway.wait_delivered(1)
    assert (posts(place), found(place)["under way"]["state"]) == (2, "held")
    # What was released and not sent by then may have been sent: it is held again.
    place.cloud.stop()
    assert act(place, "under way", "release")[0] == 200
    place.gateway.kill()
    place.gateway.start()
    wait_held(place, "under way")
    place.cloud.start()
    assert act(place, "under way", "release")[0] == 200
    place.gateway.wait_delivered(2)


def test_the_setting_changes_while_it_runs(place):
    """resend, hold, resend: nothing is lost, and nothing judges what is held."""
    place.cloud.add_fault("drop-after,path=/attendance")
    place.send([punch("a"), punch("b", who=2)])
    wait_for(lambda: len([p for p in place.gateway.punches("&in_doubt=yes") if p["tries"]]) == 2,
             "both are in doubt")
    hang_up(place, in_doubt="hold")
    wait_held(place, "a", "b")
    place.cloud.clear_faults()
    sent = posts(place)
    frozen = found(place)
    place.send(punch("c", who=3))
    place.gateway.wait_delivered(1)
    hang_up(place, timeout="31s")
    place.sync()
    assert found(place) | {"c": 0} == frozen | {"c": 0}
    assert posts(place) == sent + 1
    hang_up(place, in_doubt="resend")
    place.gateway.wait_delivered(3)
    assert sorted(r["posts"] > 1 for r in place.cloud.records()) == [False, True, True]


def test_held_by_one_run_and_resent_by_the_next(careful):
    place = careful
    place.cloud.add_fault("drop-after,path=/attendance,count=1")
    place.send(punch("lost"))
    wait_held(place, "lost")
    place.gateway.stop()
    place.gateway.settings["api.in_doubt"] = "resend"
    place.gateway.start()
    place.gateway.wait_delivered(1)
    assert len(place.cloud.records()) == 1


def test_what_is_in_doubt_and_what_is_not(careful):
    """The table of CLOUD-API.md: what was certainly not done goes again by itself."""
    place = careful
    doubts = ["drop-before", "drop-after", "garbage", "cut", "html", "status-after=500", "status=502"]
    others = ["status=503", "status=408", "html=302", "status=401"]
    for who, fault in enumerate(doubts + others, 1):
        place.cloud.add_fault(f"{fault},path=/attendance,count=1")
        place.send(punch(fault, who=who))
        wait_for(lambda: found(place)[fault]["state"] != "queued", f"{fault} is decided")
    shown = {fault: (p["state"], p["reason"]) for fault, p in found(place).items()}
    assert shown == dict.fromkeys(doubts, ("held", "in_doubt")) | dict.fromkeys(
        others, ("delivered", None))
    # Nor what never left.
    place.cloud.stop()
    place.send(punch("never", minute=60))
    place.gateway.wait_status(lambda s: s["api"]["state"] == "offline", "the cloud is away")
    place.cloud.start()
    place.gateway.wait_delivered(len(others) + 1)
    adds_up(place.gateway.status())
