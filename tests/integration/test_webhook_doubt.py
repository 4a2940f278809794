"""Punches whose answer was lost, and the events that say what became of them (CLOUD-API.md, Webhooks)."""
import json
import time

import pytest

import fakecloud
from clockwork import Clockwork
from fakecloud import FakeCloud
from gateway import adds_up
from hookcall import SECRET, Caller, event, record_of
from line import morning, rfc3339, unix, user
from place import Place
from ports import free_port
from test_webhook import Told, hang_up, told_settings
from waiting import wait_for


def punch(record_id, minute=0, who=1, **fields):
    return {"id": record_id, "user": user(who), "time": rfc3339(int(morning() + minute * 60)),
            "type": "check_in"} | fields


def found(place):
    return {p["record_id"]: p for p in place.gateway.punches()}


def trace(place, record_id):
    return place.gateway.get(f"/v1/punches/{found(place)[record_id]['id']}")["data"]["trace"]


def settled(place, record_id):
    """Its last entry, once it is delivered."""
    wait_for(lambda: found(place)[record_id]["state"] == "delivered", f"{record_id} is delivered")
    return trace(place, record_id)[-1]


def posts(place):
    return place.cloud.stats()["by_path"].get("POST /attendance", 0)


# ---- the sandbox tells of its records by itself

def told_by_the_cloud(work, **settings):
    port = free_port()
    return Place(work, "--webhook", f"http://127.0.0.1:{port}/webhook/{SECRET}", users=20,
                 settings=told_settings(work, port, **settings))


@pytest.mark.parametrize("rule", ("resend", "hold"))
def test_an_event_settles_what_was_lost_after_one_send(tmp_path, rule):
    with told_by_the_cloud(tmp_path, **{"api.in_doubt": rule}) as place:
        place.cloud.add_fault("drop-after,path=/attendance,count=3")
        place.send([punch(f"lost{n}", who=n) for n in (1, 2, 3)] + [punch("other", who=4)])
        place.gateway.wait_delivered(4)
        records = {r["user_id"]: r for r in place.cloud.records()}
        lost = [r for r, p in found(place).items() if "in_doubt" in p["flags"]]
        assert len(lost) == 3 and posts(place) == 4
        for record_id in lost:
            entry, one = settled(place, record_id), found(place)[record_id]
            assert (entry["event"], entry["by"]) == ("settled", "webhook")
            assert one["att_id"] == records[one["user"]["user_id"]]["id"] == entry["att_id"]
            assert (one["flags"], one["reason"], one["in_doubt"]) == (["in_doubt"], None, False)
        assert "by" not in trace(place, ({*found(place)} - {*lost}).pop())[-1]
        webhook = place.gateway.status()["webhook"]
        assert webhook["settled"] + webhook["kept"] >= 3
        assert len(place.gateway.lines("webhook_settled")) == 3
        assert place.gateway.status()["api"]["idempotent"] == "unknown"
        adds_up(place.gateway.status())


def test_a_frozen_one_that_gave_way_awaits_nothing(tmp_path):
    """Of one second the id decides who goes first: a body that is frozen when an earlier one comes gives
    way to it, and goes right after it. Nothing of it was sent, so no event is waited for."""
    with told_by_the_cloud(tmp_path, **{"punches.double_tap": "0"}) as place:
        for who in range(1, 13):
            place.send([punch(f"{who}-{way}", who=who, type=way) for way in ("check_in", "check_out")])
        place.gateway.wait_delivered(24)


def test_killed_between_the_record_and_its_event(tmp_path):
    """The next run has it in doubt, and hears of it before it sends."""
    with told_by_the_cloud(tmp_path) as place:
        place.cloud.add_fault("slow=2s,path=/attendance,count=1")
        place.send(punch("lost"))
        wait_for(lambda: posts(place) == 1, "it is under way")
        place.gateway.kill()
        wait_for(lambda: len(place.cloud.records()) == 1, "the record is made")
        place.gateway.start()
        assert settled(place, "lost")["by"] == "webhook"
        assert posts(place) == 1
        adds_up(place.gateway.status())


# ---- by hand

@pytest.fixture(params=("resend", "hold"))
def lost(request, tmp_path):
    """One punch is in doubt, and the cloud has told nothing."""
    with Told(tmp_path, settings={"api.in_doubt": request.param}) as place:
        place.cloud.add_fault("drop-after,path=/attendance,count=1")
        place.send(punch("lost"))
        wait_for(lambda: found(place)["lost"]["in_doubt"] and (
            found(place)["lost"]["tries"] or found(place)["lost"]["state"] == "held"),
            "it is in doubt")
        place.record, = place.cloud.records()
        place.frozen_s = unix(next(e["at"] for e in trace(place, "lost")
                                   if e["event"] == "frozen")[:19] + "Z")
        yield place


def the_record(place, **other):
    return {k: place.record[k] for k in ("id", "user_id", "device_id", "type", "timestamp")} | other


def test_near_misses_settle_nothing(lost):
    place, at = lost, unix(lost.record["timestamp"])
    for other in ({"user_id": user(2)}, {"device_id": "dev_000002"}, {"type": "check_out"},
                  {"timestamp": rfc3339(at + 1)}, {"timestamp": rfc3339(at - 1)},
                  {"user_id": user(1) + "x"}):
        place.tell("attendance.created", the_record(place, **other), "ignored")
    # What was there before it froze is not of its sending.
    for created in (place.frozen_s - 1, place.frozen_s - 3600):
        place.tell("attendance.created", the_record(place), "ignored", created=created)
    assert found(place)["lost"]["state"] != "delivered" and posts(place) == 1
    # The same second is.
    place.tell("attendance.created", the_record(place), "settled", created=place.frozen_s)
    assert settled(place, "lost")["att_id"] == place.record["id"]
    assert posts(place) == 1
    # One event settles one punch, and nothing twice; and who waited behind it waits no longer.
    place.tell("attendance.created", the_record(place), "ignored")
    place.send(punch("next", minute=60))
    place.gateway.wait_delivered(2)
    assert posts(place) == 2


def test_another_zone_and_a_fraction_are_the_same_second(lost):
    there = lost.record["timestamp"].replace("T08:00:00Z", "T10:00:00.700+02:00")
    assert there != lost.record["timestamp"]
    lost.tell("attendance.created", the_record(lost, timestamp=there), "settled")
    assert settled(lost, "lost")["by"] == "webhook"


def test_what_was_settled_by_an_event_stays_so_over_a_kill(lost):
    lost.tell("attendance.created", the_record(lost), "settled")
    lost.gateway.kill()
    lost.gateway.start()
    lost.gateway.wait_connected()
    lost.send(punch("next", minute=60))
    lost.gateway.wait_delivered(2)
    assert posts(lost) == 2 and settled(lost, "lost")["by"] == "webhook"
    adds_up(lost.gateway.status())


def test_a_cloud_whose_clock_is_off(tmp_path):
    """Freezing and event are both reckoned on it. Headers leave up to a second open, so a punch is
    settled by its own event, or waits; and no event of now is taken for one of the future."""
    with told_by_the_cloud(tmp_path) as place:
        for who, off_s in enumerate((-90, 7200), 1):
            place.cloud.set_clock(off_s)
            for _ in range(10):  # by several answers its clock is known well
                place.sync()
            before = place.gateway.status()["webhook"]["received"]
            place.cloud.add_fault("drop-after,path=/attendance,count=1")
            place.send(punch(f"lost {off_s}", who=who))
            wait_for(lambda: place.gateway.status()["webhook"]["received"] > before, "its event")
            wait_for(lambda: found(place)[f"lost {off_s}"]["state"] == "delivered" or
                     found(place)[f"lost {off_s}"]["tries"], "it is decided")
        records = {r["user_id"]: r["id"] for r in place.cloud.records()}
        shown = found(place).values()
        assert all(p["att_id"] in (None, records[p["user"]["user_id"]]) for p in shown)
        assert place.gateway.status()["webhook"]["refused"]["future"] == 0


# ---- the event comes first

class Site:
    """A cloud that does as a test wants, and a gateway that listens."""

    def __init__(self, work, **settings):
        self.port = free_port()
        self.caller = Caller(self.port)
        self.cloud = FakeCloud(work)
        self.cloud.open()
        self.place = Place(work, settings=told_settings(work, self.port, **{
            "api.base_url": self.cloud.base_url, "api.ca_file": self.cloud.ca} | settings),
            start=False)
        self.gateway = self.place.gateway
        self.gateway.write_key(self.cloud.key)

    def __enter__(self):
        self.place.start()
        return self

    def __exit__(self, *exc):
        self.place.__exit__(*exc)
        self.cloud.close()

    def tell(self, record, result):
        status, document = self.caller.post(event("attendance.created", record))
        assert (status, document["data"]["result"]) == (200, result), document


def held_back(site):
    """A manner: the record is made, and its answer waits until site.end says how it ends."""
    import threading
    site.arrived, site.go, site.end = threading.Event(), threading.Event(), "drop"

    def play(x):
        body = json.loads(x.read())
        record = x.cloud.records.setdefault(x.send.key, body | {
            "id": f"att_{len(x.cloud.records) + 1:06d}",
            "created_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())})
        site.record = record
        site.arrived.set()
        assert site.go.wait(60)
        if site.end == "answer":
            x.answer(201, {"data": record})
            return True
        return False
    return play


@pytest.mark.parametrize("end", ("drop", "kill", "answer"))
def test_an_event_before_the_answer(tmp_path, end):
    with Site(tmp_path) as site:
        site.cloud.manner = held_back(site)
        site.place.send(punch("early"))
        assert site.arrived.wait(30)
        site.tell(site.record, "kept")
        # It is one event's: a second one of the same record has nothing left to say.
        site.tell(site.record, "ignored")
        assert found(site.place)["early"]["state"] == "queued"
        site.cloud.manner = None
        if end == "kill":
            site.gateway.kill()
        site.end = end
        site.go.set()
        if end == "kill":
            site.gateway.start()
        entry = settled(site.place, "early")
        assert entry.get("by") == (None if end == "answer" else "webhook")
        assert entry["att_id"] == site.record["id"]
        assert len(site.cloud.sends) == 1 and len(site.cloud.records) == 1
        # What was kept settles no other, also after a restart.
        site.gateway.kill()
        site.gateway.start()
        site.gateway.wait_connected()
        site.place.send(punch("next", minute=60))
        site.gateway.wait_delivered(2)
        assert len(site.cloud.sends) == 2


def test_two_records_of_one_punch_say_no(tmp_path):
    """Let go by a person, and doubled by a cloud that ignores keys: the first record's event comes late."""
    with Told(tmp_path, settings={"api.in_doubt": "hold"}) as place:
        place.cloud.add_fault("no-idempotency")
        place.cloud.add_fault("drop-after,path=/attendance,count=1")
        place.send(punch("lost"))
        wait_for(lambda: found(place)["lost"]["reason"] == "in_doubt", "it is held")
        identity = found(place)["lost"]["id"]
        assert place.gateway.request("POST", f"/v1/punches/{identity}/release", "{}")[0] == 200
        place.gateway.wait_delivered(1)
        first, second = place.cloud.records()
        assert found(place)["lost"]["att_id"] == second["id"]
        keys = ("id", "user_id", "device_id", "type", "timestamp")
        place.tell("attendance.created", {k: second[k] for k in keys}, "ignored")
        assert place.gateway.status()["api"]["idempotent"] == "unknown"
        place.tell("attendance.created", {k: first[k] for k in keys})
        assert place.gateway.status()["api"]["idempotent"] == "no"
        assert identity in place.gateway.wait_alarm("cloud_doubles")


def test_a_clock_that_nobody_knows_settles_nothing(tmp_path):
    """Without a Date the freezing is not known on the cloud's clock."""
    def no_date(x):
        x.read()
        return False

    class Dateless(FakeCloud):
        def _list(self, x):
            real, x.answer = x.answer, lambda status, body=b"", headers=None, length=True: real(
                status, body, {"Date": "now"}, length)
            return super()._list(x)

    port = free_port()
    cloud = Dateless(tmp_path)
    cloud.open()
    try:
        with Place(tmp_path, settings=told_settings(tmp_path, port, **{
                "api.base_url": cloud.base_url, "api.ca_file": cloud.ca}), start=False) as place:
            place.gateway.write_key(cloud.key)
            place.start()
            cloud.manner = no_date
            place.send(punch("lost"))
            wait_for(lambda: found(place)["lost"]["tries"] == 1, "it is in doubt")
            record = record_of(user(1), rfc3339(morning()))
            answer = Caller(port).post(event("attendance.created", record))
            assert answer[1]["data"]["result"] == "ignored"
            assert found(place)["lost"]["state"] == "queued"
    finally:
        cloud.close()


def test_it_goes_again_after_two_minutes(tmp_path):
    """No event comes. Until then others go, and a resume or SIGHUP does not cut it short."""
    clock = Clockwork(tmp_path)
    port = free_port()
    with Place(tmp_path, settings=told_settings(tmp_path, port), env=clock.environment) as place:
        place.cloud.add_fault("drop-before,path=/attendance,count=1")
        place.send(punch("lost"))
        wait_for(lambda: found(place)["lost"]["tries"] == 1, "it is in doubt")
        assert place.gateway.request("POST", "/v1/resume", "{}")[0] == 200
        hang_up(place, punches__greet="no")
        place.send([punch(f"other{n}", who=n) for n in range(2, 6)])
        place.gateway.wait_delivered(4)
        clock.advance(110)
        place.sync()
        assert (found(place)["lost"]["tries"], posts(place)) == (1, 5)
        clock.advance(11)
        place.sync()  # libevent's own timers have another clock: something wakes it
        place.gateway.wait_delivered(5)
        assert posts(place) == 6
