"""Webhooks: who is listened to, what an event changes, and that nobody else disturbs
(CLOUD-API.md, Webhooks; punchd(8), WEBHOOKS). Settling by events: test_webhook_doubt.py."""
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

import pytest

from conftest import BUILD, HERE
from fakecloud import FakeCloud
from fronts import Certificate
from hookcall import HMAC_SECRET, SECRET, Caller, event, record_of, signature, user_of
from line import morning, rfc3339, user
from place import SERIAL, Place
from ports import free_port
from waiting import wait_for

NOTHING = {"taken": 0, "duplicate": 0, "older": 0, "ignored": 0, "kept": 0, "settled": 0, "commits": 0}
QUIET = {"sync.users": "1d", "sync.devices": "1d"}


def secret_file(work, text=SECRET, name="secret"):
    path = work / name
    path.write_text(text + "\n")
    path.chmod(0o600)
    return path


def told_settings(work, port, **more):
    """Of a gateway that listens; the lists are fetched at the start only."""
    return QUIET | {"webhook.listen": f"127.0.0.1:{port}",
                    "webhook.secret_file": secret_file(work)} | more


class Told(Place):
    """A place whose gateway listens. signed: bodies must be. tls: with a certificate."""

    def __init__(self, work, *args, signed=False, tls=False, settings=None, **more):
        self.port = free_port()
        mine = told_settings(work, self.port)
        self.certificate = Certificate(work / "certificate") if tls else None
        if signed:
            mine["webhook.hmac_secret_file"] = secret_file(work, HMAC_SECRET, "hmac")
        if tls:
            mine |= {"webhook.cert_file": self.certificate.cert,
                     "webhook.key_file": self.certificate.key}
        self.caller = Caller(self.port, hmac_secret=HMAC_SECRET if signed else None,
                             ca=self.certificate.ca if tls else None)
        super().__init__(work, *args, settings=mine | (settings or {}), **more)

    def webhook(self):
        return self.gateway.status()["webhook"]

    def tell(self, kind, data, result="taken", **more):
        status, document = self.caller.post(event(kind, data, **more))
        assert (status, document["data"]["result"]) == (200, result), document

    def user(self, user_id):
        found = [u for u in self.gateway.get(f"/v1/users?q={user_id}")["data"] if u["id"] == user_id]
        return found[0] if found else None


@pytest.fixture
def told(tmp_path):
    with Told(tmp_path) as place:
        yield place


def counts(place):
    now = place.webhook()
    return {k: now[k] for k in NOTHING}


# ---- who is not listened to

def deep(levels):
    return b'{"id":"evt_1","type":"x","created_at":"2026-01-01T00:00:00Z","data":' + \
        b"[" * levels + b"]" * levels + b"}"


GOOD = event("user.created", user_of(900100), event_id="evt_good")
BAD = {
    "a wrong secret": (404, {"path": "/webhook/" + SECRET[:-1] + "x"}, GOOD),
    "no secret": (404, {"path": "/webhook/"}, GOOD),
    "a wrong path": (404, {"path": "/hooks/" + SECRET}, GOOD),
    "the root": (404, {"path": "/"}, GOOD),
    "the secret with something behind it": (404, {"path": f"/webhook/{SECRET}/x"}, GOOD),
    "no signature": (401, {"headers": {"X-Webhook-Signature": ""}}, GOOD),
    "another's signature": (401, {"headers": {"X-Webhook-Signature": signature(
        json.dumps(GOOD).encode(), "some-other-secret-of-24-chars")}}, GOOD),
    "another body's signature": (401, {"headers": {"X-Webhook-Signature": signature(b"{}")}}, GOOD),
    "a signature in capitals": (401, {"headers": {"X-Webhook-Signature": signature(
        json.dumps(GOOD).encode()).upper()}}, GOOD),
    "no JSON": (400, {}, b"user.created"),
    "nothing": (400, {}, b""),
    "half an event": (400, {}, json.dumps(GOOD).encode()[:-9]),
    "a list": (400, {}, [GOOD]),
    "a key twice": (400, {}, b'{"id":"evt_1",' + json.dumps(GOOD).encode()[1:]),
    "no UTF-8": (400, {}, json.dumps(GOOD).encode().replace(b"Told", b"T\xffld")),
    "too deep": (400, {}, deep(32)),
    "far too deep": (400, {}, deep(100000)),
    "no id": (400, {}, {k: v for k, v in GOOD.items() if k != "id"}),
    "an id that is too long": (400, {}, GOOD | {"id": "e" * 65}),
    "no type": (400, {}, GOOD | {"type": 7}),
    "no time": (400, {}, GOOD | {"created_at": "2026-01-01"}),
    "a user without an id": (400, {}, GOOD | {"data": {"name": "x"}}),
    "a user who is a text": (400, {}, GOOD | {"data": "usr_1"}),
    "a device without a serial": (400, {}, GOOD | {"type": "device.status_changed",
                                                  "data": {"id": "dev_1"}}),
    "a record without a time": (400, {}, GOOD | {"type": "attendance.created", "data": {
        "id": "att_1", "user_id": "usr_1", "device_id": "dev_1", "type": "check_in"}}),
    "from the future": (400, {}, event("user.created", user_of(900100), created=time.time() + 3600)),
    "changed in the future": (400, {}, event("user.created", user_of(
        900100, updated=time.time() + 3600))),
    "too large": (413, {}, b'{"id":"' + b"x" * 300000 + b'"}'),
}


@pytest.mark.parametrize("tls", (False, True), ids=("plain", "tls"))
def test_each_bad_call_has_its_status_and_leaves_nothing(tmp_path, tls):
    with Told(tmp_path, signed=True, tls=tls) as place:
        before = counts(place)
        assert before == NOTHING
        for name, (status, how, body) in BAD.items():
            how = dict(how)
            if how.get("headers") == {"X-Webhook-Signature": ""}:
                code, document = Caller(place.port, ca=place.caller.ca).post(body)
            else:
                code, document = place.caller.post(body, **how)
            assert code == status, (name, code, document)
            assert document["error"]["code"] and document["error"]["message"], name
        for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"):
            status, _, headers = place.caller.call(method, f"/webhook/{SECRET}")
            assert (status, headers["Allow"]) == (405, "POST"), method
            assert place.caller.call(method, "/webhook/x")[0] == 404
        assert counts(place) == before
        assert place.webhook()["refused"] == {
            "path": 5 + 6, "method": 6, "signature": 4, "future": 2, "store": 0,
            "body": sum(status == 400 for status, *_ in BAD.values()) - 2}
        assert place.user("usr_900100") is None
        # And the good one is taken, however it is signed.
        body = json.dumps(GOOD).encode()
        for sign in (signature(body), signature(body, prefix="")):
            assert place.caller.post(body, {"X-Webhook-Signature": sign})[0] == 200
        assert place.user("usr_900100")["name"] == "Told 900100"
        assert counts(place) == NOTHING | {"taken": 1, "duplicate": 1, "commits": 2}
        # The line went on all the while.
        place.send({"id": "1", "user": user(1), "time": rfc3339(morning()), "type": "check_in"})
        place.gateway.wait_delivered(1)


@pytest.mark.parametrize("tls", (False, True), ids=("plain", "tls"))
def test_who_sends_too_much_reads_the_answer(tmp_path, tls):
    """Also who sends it all before he reads, or does not say how much will come."""
    with Told(tmp_path, tls=tls) as place:
        for size in (262145, 5000000) * 15:
            assert place.caller.post(b"x" * size)[0] == 413
        for chunks, status in ((50, 413), (2, 400)):
            conn = place.caller.connect()
            conn.request("POST", f"/webhook/{SECRET}", iter([b"x" * 100000] * chunks),
                         {"Transfer-Encoding": "chunked"}, encode_chunked=True)
            assert conn.getresponse().status == status
            conn.close()
        # Who only says how much will come is told at once.
        conn = place.caller.connect()
        conn.putrequest("POST", f"/webhook/{SECRET}")
        conn.putheader("Content-Length", "1000000000")
        conn.endheaders()
        assert conn.getresponse().status == 413


def test_a_wrong_secret_and_a_wrong_path_are_one(told):
    def answer(path):
        status, document, headers = told.caller.call("POST", path, b"{}")
        return status, document, [(k, v) for k, v in headers.items() if k != "Date"]

    first = answer("/webhook/" + "x" * len(SECRET))
    assert first == answer("/nothing") == answer("/webhook") == answer(f"/webhook/{SECRET}x")
    assert first[0] == 404


def test_what_is_unknown_is_taken_and_ignored(told):
    told.tell("report.ready", {"id": "rep_1"}, "ignored")
    told.tell("attendance.created", record_of(user(1), rfc3339(morning())), "ignored")
    assert counts(told) | {"commits": 0} == NOTHING | {"ignored": 2}
    assert told.webhook()["last_event"]


def test_strangers_do_not_fill_the_journal(told):
    for _ in range(200):
        assert told.caller.post(b"{}", path="/webhook/guess")[0] == 404
    assert told.webhook()["refused"]["path"] == 200
    assert 0 < len(told.gateway.lines("webhook_refused")) <= 10


# ---- slow strangers, and many

def drip(place, done, opening, tls):
    """One byte a second, then nothing, until it is hung up on; how many went, and what came."""
    sent, answer = 0, b""
    with socket.create_connection(("127.0.0.1", place.port)) as raw:
        conn = raw
        try:
            if tls:
                context = ssl.create_default_context(cafile=str(place.caller.ca))
                conn = context.wrap_socket(raw, server_hostname="127.0.0.1")
            conn.settimeout(1)
            for byte in opening:
                conn.sendall(bytes([byte]))
                sent += 1
                try:
                    answer = conn.recv(100)
                    break
                except TimeoutError:
                    pass
            else:
                conn.settimeout(60)
                answer = conn.recv(100)
        except OSError:
            pass
    done.append((sent, answer))


def test_who_drips_is_cut_off_and_disturbs_nobody(tmp_path):
    """A head, a body, a handshake that never comes, and nothing at all; each within its deadline, on
    plain TCP and with TLS."""
    head = f"POST /webhook/{SECRET} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n".encode()
    (tmp_path / "plain").mkdir()
    (tmp_path / "tls").mkdir()
    with Told(tmp_path / "plain") as plain, Told(tmp_path / "tls", tls=True) as tls:
        done = []
        # A record of TLS that says it has 200 bytes.
        handshake = b"\x16\x03\x01\x00\xc8" + bytes(55)
        kinds = [(place, done, opening, place is tls and shakes) for place in (plain, tls)
                 for opening, shakes in ((b"", False), (handshake, False),
                                         (head[:60], True), (head, True))]
        threads = [threading.Thread(target=drip, args=kind) for kind in kinds]
        for thread in threads:
            thread.start()
        calls = 0
        while any(thread.is_alive() for thread in threads):
            for place in (plain, tls):
                place.tell("user.updated", user_of(900000 + calls))
            calls += 1
        # Others were served all the while, and nobody got more than the end, however busy he was.
        assert calls > 20 and len(done) == len(kinds)
        assert all(sent < 20 and not answer for sent, answer in done), done


def test_more_connections_than_there_is_room_for(told):
    """Who dawdles longest makes room: the daemon's descriptors are not used up, and others are served
    while those who came last may still speak."""
    idle = [socket.create_connection(("127.0.0.1", told.port)) for _ in range(600)]
    told.tell("user.updated", user_of(900200))
    assert len(os.listdir(f"/proc/{told.gateway.process.pid}/fd")) < 256 + 64
    idle[450].setblocking(False)
    with pytest.raises(BlockingIOError):
        idle[450].recv(1)
    assert idle[0].recv(1) == b""
    for n in range(20):
        told.tell("user.updated", user_of(900201 + n))
    for conn in idle:
        conn.close()
    told.tell("user.updated", user_of(900230))


@pytest.mark.skipif(os.getuid() != 0, reason="needs root for a network of its own")
def test_one_address_does_not_take_all_the_room(tmp_path):
    run = subprocess.run(["unshare", "-n", sys.executable, HERE / "hookcrowd.py", tmp_path], text=True,
                         capture_output=True, timeout=120)
    assert run.returncode == 0, run.stderr
    shown = json.loads(run.stdout)
    assert (shown["first"], shown["others"], shown["own"]) == ("HTTP/1.1 200 OK", "HTTP/1.1 200 OK", "")
    assert shown["alive"] == 32


# ---- people and devices

def test_a_new_person_empties_their_lobby(tmp_path):
    """Forty punches under every kind of name; the list is not asked meanwhile."""
    with Told(tmp_path) as place:
        person = user_of(900300)
        names = [("id", person["id"]), ("email", person["email"].upper()),
                 ("phone", person["phone"])]
        lobby = [{"id": f"l-{i}", "user": names[i % 3][1], "user_kind": names[i % 3][0],
                  "time": rfc3339(morning() + i * 600), "type": ("check_in", "check_out")[i % 2]}
                 for i in range(40)]
        for one in lobby:
            place.hand.send(one)
        place.hand.wait_acked(lobby)
        status = place.gateway.status()
        assert status["queue"]["held"] == 40, status["queue"]
        asked = place.requests("GET /users")
        place.cloud.put_user(**{k: v for k, v in person.items() if k != "updated_at"})
        began = time.monotonic()
        place.tell("user.created", person)
        place.gateway.wait_status(lambda s: s["queue"]["held"] == 0, "the lobby is empty")
        print(f"released after {time.monotonic() - began:.3f} s")
        assert place.requests("GET /users") == asked
        place.gateway.wait_delivered(40)
        assert {r["user_id"] for r in place.cloud.records()} == {person["id"]}


def test_a_device_changes_at_once(told):
    def punch(n):
        return {"id": str(n), "user": user(n), "time": rfc3339(morning()), "type": "check_in"}

    device = {"id": "dev_000001", "name": "Door", "serial_number": SERIAL, "type": "fingerprint",
              "status": "inactive", "location": "here", "updated_at": rfc3339(time.time() + 1)}
    told.tell("device.status_changed", device)
    assert told.send(punch(1))[0]["reason"] == "inactive_device"
    told.tell("device.status_changed", device | {
        "status": "active", "updated_at": rfc3339(time.time() + 2)})
    told.gateway.wait_delivered(1)
    told.tell("device.status_changed", device | {
        "status": "maintenance", "updated_at": rfc3339(time.time() + 3)})
    assert told.send(punch(2))[0]["reason"] == "inactive_device"


def test_older_never_overwrites_newer(told):
    now = time.time()
    told.tell("user.created", user_of(900400, updated=now - 60, name="First"))
    told.tell("user.updated", user_of(900400, updated=now - 20, name="Third"))
    told.tell("user.updated", user_of(900400, updated=now - 40, name="Second"), "older")
    told.tell("user.created", user_of(900400, updated=now - 60, name="First"), "older")
    assert told.user("usr_900400")["name"] == "Third"
    # What an event does not date is of its own time.
    undated = user_of(900400, name="Fourth")
    del undated["updated_at"]
    told.tell("user.updated", undated, "older", created=now - 30)
    told.tell("user.updated", undated, created=now - 10)
    assert told.user("usr_900400")["name"] == "Fourth"


class SlowList(FakeCloud):
    """Its list of users is made up when it is asked for, and comes when `go` is set."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.go, self.asked = threading.Event(), threading.Event()
        self.go.set()

    def _list(self, x):
        users, self_users = json.loads(json.dumps(self.users)), self.users
        if "/users" in x.path:
            self.asked.set()
            assert self.go.wait(60)
        self.users = users
        try:
            return super()._list(x)
        finally:
            self.users = self_users


def test_a_list_that_was_asked_for_before_does_not_undo_it(tmp_path):
    port = free_port()
    with SlowList(tmp_path) as cloud, Place(
            tmp_path, settings=told_settings(tmp_path, port, **{
                "api.base_url": cloud.base_url, "api.ca_file": cloud.ca}), start=False) as place:
        place.gateway.write_key(cloud.key)
        place.start()
        cloud.go.clear()
        cloud.asked.clear()
        status, document = place.gateway.request("POST", "/v1/sync")
        assert cloud.asked.wait(30)
        caller = Caller(port)
        changed = cloud.users[2] | {"name": "Newer", "updated_at": rfc3339(time.time())}
        new = user_of(900500)
        for kind, data in (("user.updated", changed), ("user.created", new)):
            assert caller.post(event(kind, data))[0] == 200
        cloud.go.set()
        wanted = document["data"]["pass"]
        place.gateway.wait_status(lambda s: s["directory"]["pass"] >= wanted, "the pass")
        users = {u["id"]: u for u in place.gateway.get("/v1/users?limit=1000")["data"]}
        assert users[changed["id"]]["name"] == "Newer"
        assert users[new["id"]]["name"] == new["name"] and not users[new["id"]]["gone"]
        # A newer one in the list counts, and so does one of whom no event has told.
        cloud.users[2] = changed | {"name": "Newest", "updated_at": rfc3339(time.time() + 5)}
        cloud.users[3] = cloud.users[3] | {"name": "Restored", "updated_at": "2020-01-01T00:00:00Z"}
        place.sync()
        users = {u["id"]: u for u in place.gateway.get("/v1/users?limit=1000")["data"]}
        assert users[changed["id"]]["name"] == "Newest"
        assert users[cloud.users[3]["id"]]["name"] == "Restored"


def test_two_of_one_second_send_for_the_list(told):
    """Only the list can say which is right."""
    person = told.cloud.put_user(id="usr_000002", name="As in the list")
    told.tell("user.updated", person | {"name": "One"})
    asked = told.requests("GET /users")
    told.tell("user.updated", person | {"name": "Another", "updated_at": person["updated_at"]})
    wait_for(lambda: told.requests("GET /users") > asked, "the list is asked")
    wait_for(lambda: told.user("usr_000002")["name"] == "As in the list", "the list counts")


# ---- once, and durable

def test_an_event_has_its_effect_once_also_over_a_kill(told):
    first = event("user.created", user_of(900600, name="First"))
    assert told.caller.post(first)[1]["data"]["result"] == "taken"
    told.gateway.kill()
    told.gateway.start()
    assert told.caller.post(first)[1]["data"]["result"] == "duplicate"
    assert told.user("usr_900600")["name"] == "First"
    # By its id, whatever else it says.
    second = first | {"data": user_of(900601)}
    assert told.caller.post(second)[1]["data"]["result"] == "duplicate"
    assert told.user("usr_900601") is None


def hang_up(place, **settings):
    before = len(place.gateway.lines("config"))
    place.gateway.settings.update({k.replace("__", "."): v for k, v in settings.items()})
    place.gateway.write_config()
    place.gateway.process.send_signal(signal.SIGHUP)
    wait_for(lambda: place.gateway.lines("config")[before:], "what SIGHUP does")
    place.gateway.status()


def test_what_cannot_be_stored_is_to_be_sent_again(told):
    hang_up(told, store__min_free="1000G")
    told.gateway.wait_alarm("disk_low")
    status, document = told.caller.post(GOOD)
    assert (status, document["error"]["code"]) == (503, "store_failed")
    assert told.user("usr_900100") is None and told.webhook()["refused"]["store"] == 1
    hang_up(told, store__min_free="1M")
    told.gateway.wait_alarm("disk_low", stands=False)
    assert told.caller.post(GOOD)[1]["data"]["result"] == "taken"
    assert told.user("usr_900100")


# ---- settings

def test_secrets_and_certificates_are_changed_while_it_runs(tmp_path):
    with Told(tmp_path, signed=True, tls=True) as place:
        other = Certificate(tmp_path / "other")
        secret_file(tmp_path, "another-secret-of-the-path-99")
        secret_file(tmp_path, "another-secret-that-signs-99", "hmac")
        assert place.caller.post(GOOD)[0] == 200
        hang_up(place, webhook__cert_file=other.cert, webhook__key_file=other.key,
                webhook__signature_header="X-Other")
        new = Caller(place.port, "another-secret-of-the-path-99", ca=other.ca)
        body = json.dumps(GOOD).encode()
        sign = signature(body, "another-secret-that-signs-99")
        assert new.post(body, {"X-Other": sign})[0] == 200
        assert new.post(body, {"X-Webhook-Signature": sign})[0] == 401
        assert new.post(body, {"X-Other": signature(body)})[0] == 401
        assert Caller(place.port, ca=other.ca).post(GOOD)[0] == 404
        with pytest.raises(ssl.SSLError):
            place.caller.post(GOOD)
        # A bad one is refused, and the old one stays.
        secret_file(tmp_path, "too-short")
        hang_up(place)
        assert "the old ones stay" in place.gateway.messages()
        assert new.post(body, {"X-Other": sign})[0] == 200
        # Whatever was said, no secret was.
        seen = place.gateway.messages() + json.dumps(place.gateway.status())
        for secret in (SECRET, HMAC_SECRET, "another-secret-", "too-short"):
            assert secret not in seen


def test_only_tls_from_1_2(tmp_path):
    with Told(tmp_path, tls=True) as place:
        with socket.create_connection(("127.0.0.1", place.port)) as raw:
            context = ssl.create_default_context(cafile=str(place.caller.ca))
            with context.wrap_socket(raw, server_hostname="127.0.0.1") as conn:
                assert conn.version() in ("TLSv1.2", "TLSv1.3")
        assert Caller(place.port).connect().sock is None
        with pytest.raises(Exception):
            Caller(place.port).post(GOOD)


def test_a_port_that_is_taken(tmp_path):
    with Told(tmp_path, start=False) as place, socket.socket() as taken:
        taken.bind(("127.0.0.1", place.port))
        taken.listen()
        place.gateway.spawn()
        assert place.gateway.wait() == 1
        assert place.gateway.lines("webhook")


def doctor(place):
    run = subprocess.run([BUILD / "punchctl", "--socket", place.gateway.socket, "--json", "doctor"],
                         text=True, capture_output=True)
    return {c["check"]: (c["result"], c["found"]) for c in json.loads(run.stdout)["checks"]}.get(
        "webhooks")


def test_the_doctor_looks_at_it(tmp_path):
    with Told(tmp_path, signed=True) as place:
        where = f"127.0.0.1:{place.port}"
        assert doctor(place) == ("warn", f"at {where}, nothing came since punchd started")
        place.tell("report.ready", {}, "ignored")
        result, found = doctor(place)
        assert result == "ok" and found.startswith(f"at {where}, the last event ")
        assert Caller(place.port).post(GOOD)[0] == 401
        assert doctor(place) == ("warn", f"at {where}, 1 calls with the secret were refused")


def test_off_by_default(tmp_path):
    with Place(tmp_path, settings=QUIET) as place:
        assert place.gateway.status()["webhook"] is None and doctor(place) is None
