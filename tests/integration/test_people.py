"""People are created in the cloud from here: what may be asked for, what whoever asks is told, and that
nobody is made twice. Kills at each point are in test_people_sweep.py."""
import http.client
import json
import subprocess
import threading
import time
import urllib.parse

import pytest

from conftest import BUILD
from fakecloud import FakeCloud
from gateway import Gateway
from line import Hand, fast_broker, morning, rfc3339
from place import SERIAL, Place
from test_webhook import Told
from waiting import wait_for

ANN = {"name": "Ann Example", "email": "ann@example.com", "phone": "+919876543210",
       "department": "Operations"}
QUICK = {"api.retry_min": "10ms", "api.retry_max": "100ms", "api.timeout": "500ms"}
POST = "path=/users,method=POST"


def ask(place, person=None, **more):
    """(status, document)"""
    return place.gateway.request("POST", "/v1/users", json.dumps((person or ANN) | more))


def pending(place, more=""):
    return place.gateway.get("/v1/users/pending" + more)["data"]


def cancel(place, query):
    return place.gateway.request("DELETE", "/v1/users/pending?" + query)


def in_cloud(place, email=ANN["email"]):
    users = place.cloud.get("/users?limit=100").data
    return [u for u in users if u["email"].lower() == email.lower()]


def posts(place):
    return place.requests("POST /users")


def ctl(place, *args):
    """(exit code, stdout, stderr) of punchctl."""
    run = subprocess.run([BUILD / "punchctl", "--socket", place.gateway.relayed(), "--utc", *args],
                         capture_output=True, timeout=60)
    return run.returncode, run.stdout.decode(), run.stderr.decode()


def settled(place):
    def look():
        people = place.gateway.status()["people"]
        return people["queued"] + people["in_doubt"] == 0
    wait_for(look, f"all are settled\n{place.gateway.messages()[-3000:]}")


def punch(record_id, user, minute=0, **fields):
    return {"id": record_id, "user": user, "time": rfc3339(morning() + minute * 60),
            "type": "check_in"} | fields


@pytest.fixture
def place(tmp_path):
    with Place(tmp_path, settings=QUICK) as place:
        yield place


def test_created_linked_and_their_punches_go(place):
    place.gateway.wait_line("clock_trusted", "")  # after that nothing else has them judged again
    sent = [punch(str(i), "1001", 2 * i, type=("check_in", "check_out")[i % 2]) for i in range(6)]
    sent += [punch("mail", ANN["email"], 60, user_kind="email"), punch("other", "1002")]
    assert {a["reason"] for a in place.send(sent)} == {"unknown_user"}
    status, document = ask(place, link={"kind": "pin", "value": " 1001 "})
    assert status == 201, document
    made, = in_cloud(place)
    one = document["data"]
    assert (one["state"], one["user_id"], one["note"]) == ("created", made["id"], None)
    assert {k: made[k] for k in ANN} == ANN
    place.gateway.wait_delivered(7)
    assert {r["user_id"] for r in place.cloud.records()} == {made["id"]}
    assert place.gateway.status()["queue"]["held"] == 1
    known, = place.gateway.get("/v1/users?q=ann@example")["data"]
    assert known["id"] == made["id"]
    link, = place.gateway.get("/v1/links")["data"]
    assert (link["value"], link["user_id"], link["by"]["uid"]) == ("1001", made["id"], one["by"]["uid"])
    assert pending(place) == [] and len(pending(place, "?all=yes")) == 1
    assert posts(place) == 1
    # After a restart they are known without the cloud.
    place.cloud.stop()
    place.gateway.kill()
    place.gateway.start()
    place.gateway.wait_connected()
    assert place.send(punch("next", "1001", 120))[0]["status"] == "queued"


BAD = [
    ({"name": ""}, "name", "required"),
    ({"name": None}, "name", "required"),
    ({"name": 7}, "name", "no text"),
    ({"name": "a\u0000b"}, "name", "no text"),
    ({"name": "x" * 201}, "name", "200 bytes"),
    ({"name": "a\u001bb"}, "name", "no text"),
    ({"email": "ann"}, "email", "name@domain"),
    ({"email": "ann @example.com"}, "email", "name@domain"),
    ({"phone": "9876543210"}, "phone", "country code"),
    ({"phone": "+91 98765 43210"}, "phone", "+919876543210"),
    ({"phone": ""}, "phone", "required"),
    ({"department": "x" * 201}, "department", "200 bytes"),
    ({"department": []}, "department", "no text"),
    ({"link": "pin:1001"}, "link", "object"),
    ({"link": {"kind": "badge", "value": "1"}}, "link", "kind"),
    ({"link": {"kind": "slot", "value": "1"}}, "link", "device"),
    ({"link": {"kind": "pin", "value": " "}}, "link", "empty"),
]


def test_faults_are_named_before_anything_is_kept(place):
    for change, param, gist in BAD:
        status, document = ask(place, **change)
        error = document["error"]
        assert (status, error["code"], error["param"]) == (400, "invalid_request", param), document
        assert gist in error["message"], (change, error)
    status, document = ask(place, name="", phone="1", email="x")
    assert [f["param"] for f in document["error"]["faults"]] == ["name", "email", "phone"]
    for body in ("", "[]", "{", '{"name":"a","name":"b"}', json.dumps(ANN | {"role": "boss"}),
                 json.dumps(ANN | {"link": {"kind": "pin", "value": "1", "user_id": "usr_1"}})):
        status, document = place.gateway.request("POST", "/v1/users", body)
        assert (status, document["error"]["code"]) == (400, "bad_request"), (body, document)
    for query in ("?all=perhaps", "?role=x"):
        assert place.gateway.request("GET", "/v1/users/pending" + query)[0] == 400
    for query, code in (("", 400), ("id=1&email=a@b", 400), ("id=ffff", 404), ("id=1&force=1", 400),
                        ("email=nobody@example.com", 404)):
        assert cancel(place, query)[0] == code, query
    assert pending(place, "?all=yes") == [] and posts(place) == 0


def test_nobody_is_asked_for_twice(place):
    place.gateway.request("PUT", "/v1/links", json.dumps(
        {"kind": "pin", "value": "7", "user_id": "usr_000002"}))
    place.cloud.stop()
    assert ask(place, link={"kind": "card", "value": "04:a2"})[0] == 202
    others = {"email": "other@example.com", "phone": "+4912345678"}
    first = place.gateway.get("/v1/users?limit=1")["data"][0]
    for change, code in [
            ({}, "already_pending"),
            ({"email": "ANN@example.com", "phone": others["phone"]}, "already_pending"),
            ({"email": others["email"]}, "already_pending"),
            (others | {"link": {"kind": "card", "value": "04A2"}}, "already_linked"),
            (others | {"link": {"kind": "pin", "value": "7"}}, "already_linked"),
            (others | {"email": first["email"].upper()}, "already_exists"),
            (others | {"phone": first["phone"]}, "already_exists")]:
        status, document = ask(place, **change)
        assert (status, document["error"]["code"]) == (409, code), (change, document)
        assert document["error"]["id"] and document["error"]["message"]
    assert ask(place, **others, link={"kind": "card", "value": "04A2", "device": SERIAL})[0] == 202
    place.cloud.start()
    settled(place)
    assert len(in_cloud(place)) == len(in_cloud(place, others["email"])) == 1


def test_the_cloud_is_away_and_the_gateway_killed(place):
    place.cloud.stop()
    status, document = ask(place, link={"kind": "pin", "value": "1001"})
    one = document["data"]
    assert (status, one["state"], one["sent"]) == (202, "queued", None)
    assert one["error"]["code"] == "never_left" and one["waits_for"] in ("next_try", "turn")
    assert place.send(punch("1", "1001"))[0]["reason"] == "unknown_user"
    place.gateway.kill()
    place.gateway.start()
    shown, = pending(place)
    assert (shown["id"], shown["name"], shown["link"]["value"]) == (one["id"], ANN["name"], "1001")
    place.cloud.start()
    place.gateway.wait_delivered(1)
    made, = in_cloud(place)
    row, = pending(place, "?all=yes")
    assert row["user_id"] == made["id"] and row["state"] in ("created", "adopted")


@pytest.mark.parametrize("keys, fault", [
    ("honoured", "drop-after"), ("honoured", "slow=800ms"), *(("ignored", fault) for fault in (
        "drop-after", "drop-before", "garbage", "html", "status=500", "status=503", "slow=800ms"))])
def test_an_answer_that_proves_nothing(place, fault, keys):
    """The list is read before it goes again, and what is in it is not made again."""
    place.cloud.add_fault("no-unique")
    if keys == "ignored":
        place.cloud.add_fault("no-idempotency")
    place.cloud.add_fault(f"{fault},{POST},count=1")
    status, document = ask(place)
    assert status in (200, 201, 202), document
    settled(place)
    row, = pending(place, "?all=yes")
    made, = in_cloud(place)
    assert row["user_id"] == made["id"]
    if fault == "drop-after":
        assert (row["state"], posts(place)) == ("adopted", 1)


def test_a_list_that_moves_while_it_is_read(tmp_path):
    with Place(tmp_path, users=450, settings=QUICK) as place:
        for fault in ("no-unique", "no-idempotency", "shuffle"):
            place.cloud.add_fault(fault)
        place.cloud.add_fault(f"drop-after,{POST},count=1")
        assert ask(place)[0] in (200, 202)
        settled(place)
        row, = pending(place, "?all=yes")
        assert (row["state"], posts(place)) == ("adopted", 1)


def test_a_refusal_in_the_clouds_words(place):
    place.cloud.add_fault(f"status=422,{POST},count=1")
    status, document = ask(place)
    assert (status, document["error"]["code"], document["data"]["state"]) == (
        422, "invalid_request", "refused"), document
    # Whoever asked was told: nobody else needs to be.
    assert pending(place) == [] and place.gateway.status()["people"]["refused"] == 0
    place.cloud.add_fault(f"status=400,{POST},count=1")
    code, out, err = ctl(place, "users", "add", "--name", "Bob", "--email", "bob@example.com",
                         "--phone", "+4912345678")
    assert code == 1 and not out and "(invalid_request)" in err and "cloud's words" in err, err
    # It may be asked for again, rightly this time.
    assert ask(place)[0] == 201


def test_a_refusal_that_nobody_waited_for(place):
    place.cloud.stop()
    assert ask(place)[0] == 202
    place.cloud.args += ["--fault", f"status=422,{POST},count=1"]
    place.cloud.start()
    place.gateway.wait_status(lambda s: s["people"]["refused"] == 1, "it is refused")
    one, = pending(place)
    assert (one["state"], one["error"]["status"], one["error"]["code"]) == (
        "refused", 422, "invalid_request")
    checks = {c["check"]: c["result"] for c in json.loads(ctl(place, "doctor", "--json")[1])["checks"]}
    assert checks["new users"] == "warn"
    place.gateway.kill()
    place.gateway.start()
    assert place.gateway.status()["people"]["refused"] == 1
    assert cancel(place, "email=" + ANN["email"]) == (
        200, {"data": {"id": one["id"], "result": "told"}})
    assert pending(place) == [] and place.gateway.status()["people"]["refused"] == 0


def test_taken_back(place):
    place.cloud.stop()
    one = ask(place)[1]["data"]
    assert cancel(place, f"id={one['id'][:6]}")[1]["data"] == {"id": one["id"], "result": "cancelled"}
    assert place.gateway.status()["people"] == {"queued": 0, "in_doubt": 0, "refused": 0}
    place.gateway.kill()
    place.gateway.start()
    place.cloud.start()
    place.gateway.wait_synced()
    assert [r["state"] for r in pending(place, "?all=yes")] == ["cancelled"]
    assert in_cloud(place) == [] and posts(place) == 0
    assert ask(place)[0] == 201


def test_what_may_be_there_is_only_taken_back_by_force(place):
    place.cloud.add_fault("drop-before,path=/users,method=GET")
    place.cloud.add_fault(f"drop-before,{POST},count=1")
    answers = []
    asking = threading.Thread(target=lambda: answers.append(ask(place)))
    asking.start()
    place.gateway.wait_status(lambda s: s["people"]["in_doubt"] == 1, "it is in doubt")
    one, = pending(place)
    assert (one["state"], one["waits_for"], one["error"]["code"]) == ("in_doubt", "list", "lost")
    assert one["sent"]
    assert cancel(place, f"id={one['id']}")[1]["error"]["code"] == "in_doubt"
    code, out, err = ctl(place, "users", "cancel", ANN["email"])
    assert (code, out) == (1, "") and "force" in err
    code, out, err = ctl(place, "users", "cancel", ANN["email"], "--force")
    assert code == 0 and "the cloud may have them" in err
    # Whoever waited for the cloud's answer hears of it.
    asking.join()
    status, document = answers[0]
    assert (status, document["error"]["code"]) == (409, "cancelled")
    assert pending(place) == []
    row, = pending(place, "?all=yes")
    assert row["state"] == "cancelled" and "may have been sent" in row["note"]


def test_nothing_is_kept_where_there_is_no_room(tmp_path):
    with Place(tmp_path, settings=QUICK | {"store.min_free": "100000G"}, start=False) as place:
        place.gateway.start()
        place.gateway.wait_alarm("disk_low")
        status, document = ask(place)
        assert (status, document["error"]["code"]) == (503, "disk_low")
        assert pending(place, "?all=yes") == []


def test_a_webhook_settles_who_is_in_doubt(tmp_path):
    """The list cannot be had, and the event tells that they are there."""
    with Told(tmp_path, settings=QUICK) as place:
        place.send(punch("1", "1001"))
        place.cloud.add_fault("drop-before,path=/users,method=GET")
        place.cloud.add_fault(f"drop-after,{POST},count=1")
        asking = threading.Thread(target=ask, args=(place,),
                                  kwargs={"link": {"kind": "pin", "value": "1001"}})
        asking.start()
        place.gateway.wait_status(lambda s: s["people"]["in_doubt"] == 1, "it is in doubt")
        place.cloud.clear_faults()
        made, = in_cloud(place)
        place.cloud.add_fault("drop-before,path=/users,method=GET")
        place.tell("user.created", made)
        asking.join()
        row, = pending(place, "?all=yes")
        assert (row["state"], row["user_id"], posts(place)) == ("adopted", made["id"], 1)
        place.gateway.wait_delivered(1)


def test_whoever_asked_is_gone_when_the_answer_comes(place):
    place.cloud.add_fault(f"slow=400ms,{POST},count=1")
    with pytest.raises(OSError):
        place.gateway.request("POST", "/v1/users", json.dumps(ANN), timeout=0.2)
    settled(place)
    row, = pending(place, "?all=yes")
    assert row["state"] in ("created", "adopted") and len(in_cloud(place)) == 1


def test_a_backlog_does_not_starve_them(tmp_path):
    with Place(tmp_path, "--plan", "60", "--window", "2s", settings=QUICK) as place:
        place.cloud.stop()
        many = [punch(str(i), f"usr_{i % 10 + 1:06d}", i // 10 * 5,
                      type=("check_in", "check_out")[i // 10 % 2]) for i in range(500)]
        place.hand.send_all(many)
        place.hand.wait_acked(many)
        assert ask(place)[0] == 202
        place.cloud.start()
        settled(place)
        status = place.gateway.status()
        assert status["queue"]["queued"] > 100, status["queue"]
        assert pending(place, "?all=yes")[0]["user_id"]


def test_not_while_forwarding_is_paused(place):
    assert ctl(place, "pause")[0] == 0
    code, out, _ = ctl(place, "users", "add", "--name", "Ann", "--email", "a@b.example", "--phone",
                       "+4912345678")
    assert code == 0 and "queued" in out and "punchctl resume" in out, out
    assert posts(place) == 0
    assert ctl(place, "resume")[0] == 0
    settled(place)
    assert posts(place) == 1 and len(in_cloud(place, "a@b.example")) == 1


def test_somebody_else_made_them_meanwhile(place):
    """By hand in the cloud, with another name; and one who only shares the number."""
    place.cloud.stop()
    assert ask(place)[0] == 202
    assert ask(place, name="Bob", email="bob@example.com", phone="+4912345678")[0] == 202
    place.gateway.kill()
    place.cloud.start()
    there = place.cloud.put_user(name="Anne Example", email="Ann@Example.com", phone=ANN["phone"],
                                 department=ANN["department"])
    place.cloud.put_user(name="Bert", email="bert@example.com", phone="+4912345678")
    place.cloud.add_fault(f"status=503,{POST}")  # until the list has come
    place.gateway.start()
    place.gateway.wait_synced()
    place.cloud.clear_faults()
    settled(place)
    bob, = pending(place)
    assert (bob["state"], bob["error"]["code"], bob["error"]["param"]) == (
        "refused", "already_exists", "phone"), bob
    ann, = [r for r in pending(place, "?all=yes") if r["name"] == ANN["name"]]
    assert (ann["state"], ann["user_id"]) == ("adopted", there["id"])
    assert "Anne Example" in ann["note"]
    assert len(in_cloud(place)) == 1 and in_cloud(place, "bob@example.com") == []


def test_a_link_that_was_made_meanwhile_stays(place):
    place.cloud.stop()
    assert ask(place, link={"kind": "pin", "value": "1001"})[0] == 202
    place.gateway.request("PUT", "/v1/links", json.dumps(
        {"kind": "pin", "value": "1001", "user_id": "usr_000002"}))
    place.cloud.start()
    settled(place)
    row, = pending(place, "?all=yes")
    assert row["user_id"] and "not linked: pin:1001 is usr_000002" in row["note"], row
    assert [l["user_id"] for l in place.gateway.get("/v1/links")["data"]] == ["usr_000002"]


def test_punchctl_offers_what_waits_in_the_lobby(place):
    place.send([punch("1", "1001"), punch("2", "7", user_kind="slot"), punch("3", "1001", 5)])
    code, out, err = ctl(place, "users", "add", "--name", "Ann", "--email", "a@b.example", "--phone",
                         "+4912345678")
    made, = in_cloud(place, "a@b.example")
    assert code == 0 and not err and out.startswith(f"{made['id']} was created in the cloud"), out
    assert f"punchctl link pin:1001 {made['id']} " in out
    assert f"punchctl link slot:7 {made['id']} --device {SERIAL} " in out
    assert ctl(place, "link", "pin:1001", made["id"])[0] == 0
    place.gateway.wait_delivered(2)
    code, out, err = ctl(place, "users", "add", "--name", "Ann", "--email", "a@b.example", "--phone",
                         "+4912345678", "--link", "card:1")
    assert code == 1 and f"punchctl link card:1 {made['id']}" in err, err


@pytest.mark.parametrize("args, gist", [
    (["add"], "needs --name, --email and --phone"),
    (["add", "x"], "options alone"),
    (["pending", "x"], "options alone"),
    (["cancel"], "an ID or an e-mail address"),
    (["x", "y"], "one QUERY"),
    (["--name", "x"], "takes no --name"),
    (["pending", "--force"], "takes no --force"),
    (["add", "--name", "a", "--email", "b", "--phone", "c", "--link", "1001"], "KIND:VALUE"),
    (["add", "--name", "a", "--email", "b", "--phone", "c", "--device", "d"], "there is none"),
])
def test_wrong_usage(tmp_path, args, gist):
    run = subprocess.run([BUILD / "punchctl", "--socket", tmp_path / "none", "users", *args],
                         capture_output=True, timeout=60, text=True)
    assert run.returncode == 2 and gist in run.stderr, run.stderr


def make_user(cloud, x, **changes):
    """In the fake cloud, which knows no keys and makes whatever it is asked to."""
    body = json.loads(x.read())
    user = body | {"id": f"usr_{len(cloud.users) + 1:06d}", "created_at": "2026-01-01T00:00:00Z",
                   "updated_at": "2026-01-01T00:00:00Z"} | changes
    cloud.users.append(user)
    return user


@pytest.fixture
def town(tmp_path):
    """A cloud without keys, and a gateway; punches do not matter."""
    class Town:
        broker = fast_broker(under=tmp_path)
        cloud = FakeCloud(tmp_path).__enter__()
        gateway = Gateway(broker.port, cloud.base_url, cloud.ca, cloud.key, under=tmp_path,
                          settings=QUICK)

        def requests(self, _):
            return len(self.cloud.sends)

    town = Town()
    town.gateway.wait_synced()
    yield town
    town.gateway.done()
    town.cloud.__exit__()
    town.broker.done()


def asked_in_vain(town):
    with pytest.raises((OSError, http.client.HTTPException)):
        ask(town)


def test_one_body_and_one_key_ever(town):
    def lost_before(x):
        x.read()
        x.reset()
        return False

    def made(x):
        x.answer(201, {"data": make_user(town.cloud, x)})
        return True

    town.cloud.manner = lost_before
    asking = threading.Thread(target=asked_in_vain, args=(town,))
    asking.start()
    wait_for(lambda: len(town.cloud.sends) >= 3, "it is tried again and again")
    town.gateway.kill()
    asking.join()
    town.gateway.start()
    town.cloud.manner = made
    settled(town)
    assert len({s.key for s in town.cloud.sends}) == 1
    assert len({s.body for s in town.cloud.sends if s.body is not None}) == 1
    assert json.loads(town.cloud.sends[-1].body) == ANN
    assert len(town.cloud.users) == 11


@pytest.mark.parametrize("made_when", ["before the kill", "after the next start"])
def test_killed_while_the_request_is_at_the_cloud(town, made_when):
    """The next run's list has nobody at first; the cloud takes its time."""
    work = threading.Event()

    def slow(x):
        body = x.read()
        work.wait(30)
        x.read = lambda: body
        make_user(town.cloud, x)
        town.cloud.manner = well
        x.wait_gone()
        return False

    def well(x):
        x.answer(201, {"data": make_user(town.cloud, x)})
        return True

    town.cloud.manner = slow
    asking = threading.Thread(target=asked_in_vain, args=(town,))
    asking.start()
    wait_for(lambda: town.cloud.sends, "it is at the cloud")
    if made_when == "before the kill":
        work.set()
        wait_for(lambda: len(town.cloud.users) == 11, "it is made")
    town.gateway.kill()
    asking.join()
    town.gateway.start()
    one, = pending(town, "?all=yes")
    assert one["state"] in ("in_doubt", "adopted")
    town.gateway.wait_synced()
    work.set()
    settled(town)
    row, = pending(town, "?all=yes")
    assert (row["state"], row["user_id"]) == ("adopted", "usr_000011")
    assert len(town.cloud.sends) == 1 and len(town.cloud.users) == 11


@pytest.mark.parametrize("there, state, code", [
    (ANN | {"phone": "+91 98765 43210"}, "adopted", None),  # as another program wrote it
    (ANN | {"phone": "+4911111111"}, "refused", "already_exists"),
    (None, "refused", "already_exists"),
])
def test_a_409_has_the_list_read(town, there, state, code):
    """It may be said of them, or of somebody else."""
    def conflict(x):
        if there and len(town.cloud.users) == 10:
            make_user(town.cloud, x, **there)
        else:
            x.read()
        x.answer(409, {"error": {"code": "already_exists", "message": "this e-mail is taken",
                                 "param": "email", "type": "conflict_error"}})
        return True

    town.cloud.manner = conflict
    status, document = ask(town)
    settled(town)
    row, = pending(town, "?all=yes")
    assert row["state"] == state, row
    if code:
        assert row["error"]["code"] == code and row["error"]["param"] == "email"
    if state == "adopted":
        assert row["user_id"] == "usr_000011" and status == 200
    assert len(town.cloud.users) == (11 if there else 10)


def test_a_list_that_was_begun_too_early_proves_nothing(town):
    """They come into the cloud while its list is read, on a page that was read before; and that ends
    when nothing of the request is at work any more."""
    cloud, asked = town.cloud, []
    cloud.users += [dict(cloud.users[0], id=f"usr_x{n:05d}", email=f"x{n}@example.com",
                         phone=f"+4912345{n:05d}") for n in range(300)]

    def lost(x):
        asked.append(json.loads(x.read()))
        x.reset()
        return False

    def pages(x):
        query = dict(urllib.parse.parse_qsl(x.path.partition("?")[2]))
        offset = int(query.get("offset", 0))
        if offset > 0 and len(asked) == 1 and len(cloud.users) == 310:
            cloud.users.insert(0, asked[0] | {"id": "usr_late", "updated_at": "2026-01-01T00:00:00Z"})
        time.sleep(0.4)  # 1.6 s the whole; the request is given up for 1 s
        # Without a total, a list that grows is not seen to.
        x.answer(200, {"data": cloud.users[offset:offset + 100]} if "users" in x.path
                 else {"data": cloud.devices})
        return True

    cloud.manner, cloud._list = lost, pages
    assert ask(town)[0] in (200, 202)
    settled(town)
    row, = pending(town, "?all=yes")
    assert (row["state"], row["user_id"], len(cloud.sends)) == ("adopted", "usr_late", 1)


def test_made_and_told_otherwise(town):
    """By something on the road, or by a server that stumbles behind it."""
    for n, (status, body) in enumerate([(500, ""), (503, {"error": {"code": "unavailable"}}), (302, ""),
                                        (404, "<html>"), (413, ""), (408, "")]):
        def well_but(x):
            make_user(town.cloud, x)
            x.answer(status, body)
            return True

        town.cloud.manner = well_but
        assert ask(town, email=f"ann{n}@example.com", phone=f"+491234567{n}")[0] in (200, 202)
        settled(town)
        row = pending(town, "?all=yes")[-1]
        assert (row["state"], row["user_id"]) == ("adopted", f"usr_{11 + n:06d}")
    assert len(town.cloud.sends) == 6


def test_a_2xx_without_an_id(town):
    for n, body in enumerate([{"ok": True}, "", {"data": {"id": ""}}, {"data": {"id": "x" * 65}}]):
        def well_but(x):
            make_user(town.cloud, x)
            x.answer(201, body)
            return True

        town.cloud.manner = well_but
        assert ask(town, email=f"ann{n}@example.com", phone=f"+491234567{n}")[0] == 200
        row = pending(town, "?all=yes")[-1]
        assert (row["state"], row["user_id"]) == ("adopted", f"usr_{11 + n:06d}")
    assert len(town.cloud.users) == 14 and len(town.cloud.sends) == 4


def test_a_no_that_is_about_the_key(town):
    """Nothing is in doubt, and it goes on when that is over."""
    def no(status):
        def play(x):
            x.read()
            x.answer(status, {"error": {"code": "no", "message": "not now"}})
            return True
        return play

    def made(x):
        x.answer(201, {"data": make_user(town.cloud, x)})
        return True

    for n, status in enumerate([401, 403, 429]):
        town.cloud.manner = no(status)
        code, document = ask(town, email=f"ann{n}@example.com", phone=f"+491234567{n}")
        one = document["data"]
        assert (code, one["state"], one["sent"], one["error"]["status"]) == (
            202, "queued", None, status)
        town.cloud.manner = made
        assert town.gateway.request("POST", "/v1/resume")[0] == 200
        settled(town)
        assert len(town.cloud.users) == 11 + n


# ---- devices

def test_devices_on_both_sides(tmp_path):
    with Place(tmp_path, devices=f"{SERIAL},BIO-FP-002,BIO-FP-003") as place:
        place.cloud.put_device(serial_number="BIO-FP-003", status="inactive")
        place.sync()
        place.send(punch("1", "usr_000001"))
        for serial, count in (("STRANGER", 3), ("BIO-FP-003", 2)):
            with Hand(place.broker.port, serial) as other:
                many = [punch(str(i), "usr_000001", 5 * i) for i in range(count)]
                other.send(many)
                other.wait_acked(many)
        devices = {d["serial"]: d for d in place.gateway.get("/v1/devices")["data"]}
        assert list(devices) == [SERIAL, "BIO-FP-002", "BIO-FP-003", "STRANGER"]
        facts = {s: (d["known"], d["seen"], d["held"], d["held_for_device"], d["terminals"])
                 for s, d in devices.items()}
        assert facts == {SERIAL: (True, True, 0, 0, [SERIAL]), "BIO-FP-002": (True, False, 0, 0, []),
                         "BIO-FP-003": (True, True, 2, 2, ["BIO-FP-003"]),
                         "STRANGER": (False, True, 3, 3, ["STRANGER"])}
        assert devices["STRANGER"]["device_id"] is None and devices["STRANGER"]["status"] is None
        in_cloud_now = {d["serial_number"]: d for d in place.cloud.get("/devices").data}
        for serial in (SERIAL, "BIO-FP-003"):
            assert all(devices[serial][k] == in_cloud_now[serial][k]
                       for k in ("name", "type", "status", "location"))
        code, out, _ = ctl(place, "devices")
        line, = [l for l in out.splitlines() if "STRANGER" in l]
        assert code == 0 and "register a device with this serial number" in line and " 3 " in line
        assert "no terminal ever came" in next(l for l in out.splitlines() if "BIO-FP-002" in l)
        hint, = [l for l in ctl(place, "doctor")[1].splitlines() if "unknown terminals" in l]
        assert "STRANGER, for which 3 punches wait" in hint, hint
        # After a restart what is held is known all the same; and once it is registered, they go.
        place.gateway.kill()
        place.start()
        stranger, = [d for d in place.gateway.get("/v1/devices")["data"] if d["serial"] == "STRANGER"]
        assert (stranger["held_for_device"], stranger["last_seen"]) == (3, None)
        place.cloud.put_device(serial_number="STRANGER", status="active")
        place.sync()
        place.gateway.wait_delivered(4)
        devices = {d["serial"]: d for d in place.gateway.get("/v1/devices")["data"]}
        assert devices["STRANGER"]["known"] and devices["STRANGER"]["held"] == 0
        place.sync()
        assert place.gateway.get("/v1/devices")["data"][0]["last_sync"] == in_cloud_now[SERIAL]["last_sync"]


def test_a_terminal_with_another_name_in_the_cloud(tmp_path):
    with Place(tmp_path, start=False) as place:
        place.gateway.settings['terminal "005a21b0".serial'] = "BIO-FP-009"
        place.start()
        with Hand(place.broker.port, "005a21b0") as other:
            other.send(punch("1", "usr_000001"))
            other.wait_acked([punch("1", "usr_000001")])
        unknown, = [d for d in place.gateway.get("/v1/devices")["data"] if not d["known"]]
        assert (unknown["serial"], unknown["terminals"]) == ("BIO-FP-009", ["005a21b0"])
        hint, = [l for l in ctl(place, "doctor")[1].splitlines() if "unknown terminals" in l]
        assert "BIO-FP-009 (calls itself 005a21b0), for which 1 punches wait" in hint, hint
