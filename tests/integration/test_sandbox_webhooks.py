"""punch-sandbox's webhook: what it tells, in which order, how often, and what a restart leaves."""
import collections
import hashlib
import hmac
import http.client
import sqlite3
import threading

import pytest

from hookreceiver import Receiver
from sandbox import Sandbox
from waiting import wait_for

KINDS = ("user.created", "user.updated", "attendance.created", "device.status_changed")


def start(build, tmp_path, *args, **kwargs):
    return Sandbox(build, tmp_path / "cloud", *args, **kwargs)


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


def ids(events):
    return [e["id"] for e in events]


def settled(cloud):
    cloud.wait_stats(lambda s: s["webhook"]["waiting"] == 0, "no event to wait")
    return cloud.events()


# ---- webhooks

def test_events_of_every_type_in_order(build, tmp_path, receiver):
    with start(build, tmp_path, "--webhook", receiver.url) as cloud:
        user = cloud.post("/users", {"name": "A", "email": "a@example.org",
                                     "phone": "+919876543210"}).data
        changed = cloud.put_user(id=user["id"], name="B")
        record = cloud.post_attendance().data
        cloud.put_device(serial_number="BIO-FP-001", name="the status stays")
        device = cloud.put_device(serial_number="BIO-FP-001", status="inactive")
        events = receiver.wait(4)
        assert [(e["type"], e["data"]) for e in events] == [
            ("user.created", user), ("user.updated", changed), ("attendance.created", record),
            ("device.status_changed", device)]
        assert all(e["id"].startswith("evt_") for e in events)
        assert len({e["id"] for e in events}) == 4
        assert all(set(e) == {"id", "type", "created_at", "data"} for e in events)
        cloud.wait_stats(lambda s: s["webhook"] == {"waiting": 0, "delivered": 4, "given_up": 0},
                         "all to be delivered")


def test_only_new_records_make_events(build, tmp_path, receiver):
    with start(build, tmp_path, "--webhook", receiver.url) as cloud:
        cloud.post_attendance(key="k")
        cloud.post_attendance(key="k")
        cloud.post_attendance(user="usr_nobody")
        cloud.add_fault("drop-after,count=1")
        with pytest.raises((OSError, http.client.HTTPException)):
            cloud.post_attendance(key="lost")
        assert [e["data"]["id"] for e in receiver.wait(2)] == [r["id"] for r in cloud.records()]
        assert cloud.stats()["webhook"]["waiting"] + len(receiver.events) == 2


def test_a_refused_event_is_tried_again(build, tmp_path, receiver):
    receiver.failures = 2
    with start(build, tmp_path, "--webhook", receiver.url) as cloud:
        sent = [cloud.post_attendance().data["id"] for _ in range(4)]
        assert [e["data"]["id"] for e in receiver.wait(4)] == sent


def test_events_are_signed_where_asked(build, tmp_path, receiver):
    secret = tmp_path / "secret"
    secret.write_text("a secret of the webhook\n")
    with start(build, tmp_path, "--webhook", receiver.url, "--webhook-secret-file",
               secret) as cloud:
        cloud.post_attendance()
        receiver.wait(1)
        mac = hmac.new(b"a secret of the webhook", receiver.bodies[0], hashlib.sha256)
        assert receiver.signatures == ["sha256=" + mac.hexdigest()]


def test_a_dead_receiver_blocks_nobody(build, tmp_path):
    receiver = Receiver()
    receiver.close()
    with start(build, tmp_path, "--webhook", receiver.url) as cloud:
        for i in range(50):
            assert cloud.post_attendance(key=f"k{i}").status == 201
        counts = cloud.stats()["webhook"]
        assert counts["delivered"] == 0 and counts["waiting"] + counts["given_up"] == 50
        assert cloud.stop() == 0


def test_webhook_over_https(build, tmp_path):
    """Another sandbox has a CA and an https port: it answers 404, so the event is given up; without
    the CA not even that would reach it."""
    with Sandbox(build, tmp_path / "other") as other:
        url = f"https://127.0.0.1:{other.port}/v1/hook"
        with start(build, tmp_path, "--webhook", url, "--webhook-ca", other.ca) as cloud:
            cloud.post_attendance()
            other.wait_stats(lambda s: s["by_path"]["other"] >= 1, "the event to arrive")
            assert other.stats()["refused_401"] >= 1


# ---- what waits

@pytest.mark.parametrize("how", ["stop", "kill"])
@pytest.mark.parametrize("parallel", ["1", "8"])
def test_what_waits_outlives_a_restart(build, tmp_path, receiver, how, parallel):
    receiver.close()
    with start(build, tmp_path, "--webhook", receiver.url, "--webhook-parallel", parallel,
               "--webhook-tries", "1000") as cloud:
        sent = [cloud.post_attendance().data["id"] for _ in range(20)]
        wait_for(lambda: cloud.events()[0]["tries"] > 0, "a try")
        assert {e["state"] for e in cloud.events()} == {"waiting"}
        assert getattr(cloud, how)() == (0 if how == "stop" else -9)
        receiver.open()
        cloud.start()
        arrived = [e["data"]["id"] for e in receiver.wait(20)]
        assert sorted(arrived) == sent
        if parallel == "1":
            assert arrived == sent
        assert all(e["delivered"] and e["taken"] == 1 for e in settled(cloud))
        assert ids(cloud.events()) == [e["event"]["id"] for e in cloud.events()]
        cloud.restart()
        cloud.post_attendance()
        receiver.wait(21)
        assert len(set(ids(receiver.events))) == 21, "none is sent anew"


def test_an_event_is_given_up_and_can_be_sent_again(build, tmp_path, receiver):
    receiver.failures = 2
    with start(build, tmp_path, "--webhook", receiver.url, "--webhook-tries", "2") as cloud:
        cloud.post_attendance()
        cloud.put_user(id="usr_000001", name="B")
        receiver.wait(1)
        lost, taken = settled(cloud)
        assert (lost["state"], lost["delivered"], lost["tries"], lost["status"]) == (
            "given_up", False, 2, 500)
        assert (taken["state"], taken["delivered"], taken["tries"], taken["status"]) == (
            "delivered", True, 1, 200)
        assert cloud.stats()["webhook"] == {"waiting": 0, "delivered": 1, "given_up": 1}
        assert cloud.resend(id=lost["id"]) == 1
        assert receiver.wait(2)[1] == lost["event"]
        assert cloud.resend(type="user.updated") == 1
        assert receiver.wait(3)[2] == taken["event"]
        assert cloud.resend(all=True) == 2
        assert sorted(ids(receiver.wait(5)[3:])) == sorted([lost["id"], taken["id"]])
        for body, status, param in (({"id": "evt_none"}, 404, "id"), ({}, 400, "id"),
                                    ({"id": "a", "all": True}, 400, "id"),
                                    ({"all": False}, 400, "id"), ({"type": 5}, 400, "type")):
            answer = cloud.request("POST", "/_sandbox/events/resend", body, api_key=False)
            assert (answer.status, answer.error["param"]) == (status, param)


def test_asked_for_again_while_it_is_under_way(build, tmp_path, receiver):
    arrived, gate = threading.Event(), threading.Event()

    def answer(*_):
        arrived.set()
        return 200 if gate.wait(30) else 500

    receiver.answer = answer
    with start(build, tmp_path, "--webhook", receiver.url) as cloud:
        cloud.post_attendance()
        assert arrived.wait(30)
        assert cloud.resend(all=True) == 1
        gate.set()
        assert receiver.wait(2)[0] == receiver.events[1]
        assert [(e["state"], e["taken"]) for e in settled(cloud)] == [("delivered", 2)]


def test_without_a_webhook_there_are_no_events(build, tmp_path):
    with start(build, tmp_path) as cloud:
        cloud.post_attendance()
        assert cloud.events() == []


def test_one_at_a_time_a_refused_event_holds_up_the_next(build, tmp_path, receiver):
    refused = []
    receiver.answer = lambda body, _: 503 if b'"usr_000001"' in body and not refused.append(
        body) and len(refused) < 4 else 200
    with start(build, tmp_path, "--webhook", receiver.url) as cloud:
        sent = [cloud.post_attendance(user=f"usr_00000{n}").data["id"] for n in (1, 2, 3)]
        assert [e["data"]["id"] for e in receiver.wait(3)] == sent
        assert receiver.statuses == [503] * 3 + [200] * 3


def test_several_at_once_go_their_own_way(build, tmp_path, receiver):
    together = threading.Barrier(4)

    def answer(body, _):
        if b'"usr_000001"' in body:
            return 503
        together.wait(20)
        return 200

    receiver.answer = answer
    with start(build, tmp_path, "--webhook", receiver.url, "--webhook-parallel", "8") as cloud:
        for n in (1, 2, 3, 4, 5):
            cloud.post_attendance(user=f"usr_00000{n}")
        receiver.wait(4)
        assert {e["data"]["user_id"] for e in receiver.events} == {
            f"usr_00000{n}" for n in (2, 3, 4, 5)}
        assert cloud.stats()["webhook"]["waiting"] == 1


def test_only_the_newest_settled_events_are_kept(build, tmp_path, receiver):
    receiver.close()
    with start(build, tmp_path, "--webhook", receiver.url) as cloud:
        cloud.post_attendance()
        cloud.stop()
        file = sqlite3.connect(cloud.directory / "data" / "sandbox.db")
        file.execute("WITH RECURSIVE i (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM i LIMIT 10500)"
                     " INSERT INTO event (n, id, type, body, state, due_ms)"
                     " SELECT n, 'evt_' || n, 'user.created', '{}', 1 + n % 3, 0 FROM i")
        file.commit()
        file.close()
        cloud.start()
        wait_for(lambda: len(cloud.events()) == 10001, "the oldest to go")
        assert [e["seq"] for e in cloud.events()[:2]] == [1, 502]
        assert cloud.events()[0]["state"] == "waiting"
    receiver.open()


def test_devices_change_by_a_schedule(build, tmp_path, receiver):
    with start(build, tmp_path, "--webhook", receiver.url, "--device-schedule",
               "BIO-FP-001=inactive@0,on fire@50ms,on fire@100ms", "--device-schedule",
               "BIO-FP-002=active@0,active@1h", "--device-schedule", "nothing=x@0",
               devices="BIO-FP-001,BIO-FP-002") as cloud:
        events = receiver.wait(2)
        assert [(e["type"], e["data"]["serial_number"], e["data"]["status"]) for e in events] == [
            ("device.status_changed", "BIO-FP-001", "inactive"),
            ("device.status_changed", "BIO-FP-001", "on fire")]
        devices = cloud.get("/devices").data
        assert devices[0] == events[1]["data"]
        assert devices[0]["updated_at"] > devices[0]["created_at"]
        assert (devices[1]["status"], devices[1]["updated_at"]) == (
            "active", devices[1]["created_at"])
        assert len(cloud.events()) == 2


# ---- faults

def punches(cloud, count):
    return [cloud.post_attendance().data["id"] for _ in range(count)]


def test_duplicates(build, tmp_path, receiver):
    with start(build, tmp_path, "--webhook", receiver.url, "--fault",
               "webhook-duplicate,count=3") as cloud:
        punches(cloud, 5)
        receiver.wait(8)
        events = settled(cloud)
        assert [e["taken"] for e in events] == [2, 2, 2, 1, 1]
        assert collections.Counter(receiver.bodies).most_common(3)[2][1] == 2
        assert collections.Counter(ids(receiver.events)) == {e["id"]: e["taken"] for e in events}


def test_late_ones_are_overtaken(build, tmp_path, receiver):
    with start(build, tmp_path, "--webhook", receiver.url, "--fault",
               "webhook-delay=500ms,count=2") as cloud:
        sent = punches(cloud, 5)
        arrived = [e["data"]["id"] for e in receiver.wait(5)]
        assert arrived == sent[2:] + sent[:2]


def test_shuffled_ones_all_arrive_in_another_order(build, tmp_path, receiver):
    with start(build, tmp_path, "--webhook", receiver.url, "--seed", "7", "--fault",
               "webhook-shuffle=500ms") as cloud:
        sent = punches(cloud, 30)
        arrived = [e["data"]["id"] for e in receiver.wait(30)]
        assert sorted(arrived) == sent and arrived != sent


def test_dropped_ones_never_come(build, tmp_path, receiver):
    with start(build, tmp_path, "--webhook", receiver.url) as cloud:
        cloud.add_fault("webhook-drop,type=user.updated")
        cloud.add_fault("webhook-drop,type=attendance.created,count=1")
        punches(cloud, 2)
        cloud.put_user(id="usr_000001", name="B")
        cloud.put_user(id="usr_new")
        assert [e["type"] for e in receiver.wait(2)] == ["attendance.created", "user.created"]
        assert [(e["type"], e["state"], e["tries"]) for e in settled(cloud)] == [
            ("attendance.created", "dropped", 0), ("attendance.created", "delivered", 1),
            ("user.updated", "dropped", 0), ("user.created", "delivered", 1)]
        assert [f["picked"] for f in cloud.faults()] == [1, 1]


def test_a_wrong_signature_comes_once(build, tmp_path, receiver):
    secret = tmp_path / "secret"
    secret.write_text("a secret of the webhook\n")

    def answer(body, signature):
        mac = hmac.new(b"a secret of the webhook", body, hashlib.sha256)
        return 200 if signature == "sha256=" + mac.hexdigest() else 401

    receiver.answer = answer
    with start(build, tmp_path, "--webhook", receiver.url, "--webhook-secret-file", secret,
               "--fault", "webhook-bad-signature") as cloud:
        punches(cloud, 3)
        receiver.wait(3)
        assert receiver.statuses == [401, 200] * 3


@pytest.mark.parametrize("spec", [
    "webhook-drop,path=/users", "webhook-drop,method=GET", "webhook-drop,type=user.deleted",
    "webhook-delay", "webhook-drop=1", "webhook-duplicate=x", "status=503,type=user.created",
])
def test_bad_faults_of_events_are_refused(build, tmp_path, spec):
    with start(build, tmp_path) as cloud:
        answer = cloud.request("POST", "/_sandbox/faults", {"spec": spec}, api_key=False)
        assert (answer.status, answer.error["param"]) == (400, "spec")


def test_a_storm_with_kills_tells_everything(build, tmp_path, receiver):
    """1,000 events, doubled, late and shuffled, the sandbox killed thrice: each arrives."""
    with start(build, tmp_path, "--webhook", receiver.url, "--webhook-parallel", "8", "--seed", "3",
               "--fault", "webhook-duplicate=100ms,p=0.3", "--fault", "webhook-shuffle=300ms",
               "--fault", "webhook-delay=500ms,p=0.1") as cloud:
        for part in range(4):
            for n in range(250):
                kind = n % 4
                if kind == 0:
                    cloud.put_user(id=f"usr_{part}_{n}")
                elif kind == 1:
                    cloud.put_user(id=f"usr_{part}_{n - 1}", name=f"Name {n}")
                elif kind == 2:
                    cloud.post_attendance()
                else:
                    cloud.put_device(serial_number="BIO-FP-001", status=f"s{n}")
            if part < 3:
                cloud.kill()
                cloud.start()
        events = settled(cloud)
        assert len(events) == 1000 and {e["state"] for e in events} == {"delivered"}
        assert {e["type"] for e in events} == set(KINDS)
        arrived = {e["id"]: e for e in receiver.events}
        assert arrived == {e["id"]: e["event"] for e in events}
        assert len(receiver.events) > 1100
        assert ids(receiver.events) != sorted(ids(receiver.events))
