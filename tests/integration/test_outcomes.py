"""Every kind of failure between the gateway and the cloud, with the real daemon: what is said of a
punch while it stands, that all arrive when it has ended, and that the cloud has seen each under one
key, with one body, as often as the trace says.

What a failure is at each single byte is test_curl_offsets.c's; servers and proxies that are not ours
are in test_servers.py; a kill between answer and settlement is in test_sweep.py.
"""
import email.utils
import json
import socket
import time

import pytest

from clockwork import Clockwork
from fakecloud import FakeCloud, answer, done_but, well
from gateway import Gateway, adds_up
from line import Hand, fast_broker, morning, rfc3339, user
from waiting import wait_for

HTML = "<!DOCTYPE html><html><body>Welcome to the hotel</body></html>"
PEOPLE = 10
SETTINGS = {"api.retry_min": "20ms", "api.retry_max": "100ms", "api.auth_retry": "200ms",
            "api.timeout": "1s", "api.plan": "100000"}


class Town:
    """Broker, cloud, gateway and a terminal. Punches come in twos, of two people."""

    def __init__(self, work):
        self.broker = fast_broker(under=work)
        self.cloud = FakeCloud(work, users=PEOPLE).__enter__()
        self.clock = Clockwork(work)
        self.gateway = Gateway(self.broker.port, self.cloud.base_url, self.cloud.ca, self.cloud.key,
                               under=work, settings=SETTINGS, env=self.clock.environment, start=False)
        self.hand = Hand(self.broker.port)
        self.times_retried = set()  # punches, by their time, that a person had sent under another key
        self.count = 0
        self.waiting = []
        self.start()

    def start(self):
        self.gateway.start()
        self.gateway.wait_connected()
        self.gateway.wait_synced()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.hand.close()
        self.gateway.done()
        self.cloud.__exit__()
        self.broker.done()

    def next_person(self, later=0):
        """Whose the next punch is, or one later."""
        return user((self.count + later) % PEOPLE + 1)

    def send(self, count=2):
        """So many punches, each of another person; their record ids."""
        many = []
        for _ in range(count):
            many.append({"id": f"p-{self.count:06d}", "user": self.next_person(),
                         "time": rfc3339(morning() + self.count * 120), "type": "check_in"})
            self.count += 1
        self.hand.send(many)
        self.hand.wait_acked(many)
        self.waiting += [p["id"] for p in many]
        return [p["id"] for p in many]

    def look(self, record):
        """The punch as it is shown, with its trace."""
        found, = [p for p in self.gateway.punches() if p["record_id"] == record]
        return self.gateway.get(f"/v1/punches/{found['id']}")["data"]

    def key_of(self, record):
        return events(self.look(record), "frozen")[-1]["key"]

    def wait_done(self, records, unseen=False):
        """Until each was answered well, after as many sends as the trace says and the cloud has seen.
        unseen: one that was lost may never have come. That it is delivered is in the store a second
        later: check_all."""
        for record in list(records):
            wait_for(lambda: attempts(self.look(record))[-1:] == [("done", 201)], f"{record} is done")
            self.waiting.remove(record)
            punch = self.look(record)
            left = [a for a in attempts(punch) if a[0] != "never_left"]
            seen = self.cloud.sends_of(self.key_of(record))
            assert punch["tries"] == len(attempts(punch))
            assert seen == len(left) or unseen and 1 <= seen <= len(left), (seen, punch["trace"])

    def check_all(self):
        """Each is delivered, and the cloud has seen of it one key and one body ever."""
        status = self.gateway.wait_status(lambda s: s["queue"]["queued"] == 0, "all are delivered")
        adds_up(status)
        keys = self.cloud.check_keys()
        for body, under in keys.items():
            assert len(under) == 1 + (json.loads(body)["timestamp"] in self.times_retried), under
        assert len(keys) == status["counts"]["delivered"] == status["counts"]["stored"]

    def retry(self, record, new_key):
        """By a person; whether it is to go under another key from then on."""
        punch = self.look(record)
        before = self.key_of(record)
        status, document = self.gateway.request("POST", f"/v1/punches/{punch['id']}/retry", "{}")
        assert status == 200, document
        if new_key:
            self.times_retried.add(punch["time"])
        wait_for(lambda: self.look(record)["state"] == "delivered", "it is delivered")
        assert (self.key_of(record) != before) == new_key
        self.waiting.remove(record)

    def calm(self):
        """No alarm of the API stands, so that the next one is this failure's."""
        self.gateway.wait_status(
            lambda s: not [a for a in s["alarms"] if a["code"].startswith("api_")], "no alarm")
        assert self.gateway.status()["api"]["state"] == "ok"


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with Town(tmp_path_factory.mktemp("town")) as town:
        yield town


@pytest.fixture
def town(shared):
    """All is well, and nothing waits."""
    shared.cloud.manner = None
    shared.wait_done(shared.waiting)
    return shared


def events(punch, event):
    return [e for e in punch["trace"] if e["event"] == event]


def attempts(punch):
    return [(e["outcome"], e["status"]) for e in events(punch, "attempt")]


def stands(town, records, outcome, status, state, in_doubt):
    """Until each has met it; and what is shown then."""
    for record in records:
        wait_for(lambda: attempts(town.look(record)), f"an attempt for {record}")
    assert town.gateway.status()["api"]["state"] == state
    for record in records:
        punch = town.look(record)
        assert set(attempts(punch)) == {(outcome, status)}, punch["trace"]
        assert (punch["state"], punch["reason"], punch["in_doubt"]) == ("queued", None, in_doubt)
    if in_doubt:
        assert all(town.look(r)["frozen"] for r in records)


# ---- no request leaves

def reset_connection(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def stall(sock):
    while sock.recv(4096):
        pass


def refused(cloud):
    cloud.close()
    return cloud.open


def syn_lost(cloud):
    cloud.close()
    cloud.open_hole()

    def end():
        cloud.close()
        cloud.open()
    return end


def greets_by(greeting):
    def begin(cloud):
        cloud.greeting = greeting
        cloud.drop()

        def end():
            cloud.greeting = None
            cloud.drop()
        return end
    return begin


def has(flaw):
    def begin(cloud):
        cloud.flaw = flaw
        cloud.drop()

        def end():
            cloud.flaw = None
        return end
    return begin


NO_ROAD = {
    "refused": (refused, "Failed to connect"),
    "SYN lost": (syn_lost, "timed out"),
    "reset before TLS": (greets_by(reset_connection), "reset by peer"),
    "TLS stalled": (greets_by(stall), "timed out"),
    "plain HTTP": (greets_by(lambda s: s.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")), "wrong version"),
    "untrusted": (has("untrusted"), "certificate"),
    "expired": (has("expired"), "certificate has expired; is this machine's clock right?"),
    "not yet valid": (has("not yet valid"), "not yet valid; is this machine's clock right?"),
}


@pytest.mark.parametrize("kind", NO_ROAD)
def test_never_left(town, kind):
    begin, gist = NO_ROAD[kind]
    before, said = len(town.cloud.sends), len(town.gateway.lines("sent"))
    end = begin(town.cloud)
    records = town.send()
    try:
        stands(town, records, "never_left", None, "offline", False)
        assert any(gist in line for line in town.gateway.lines("sent")[said:])
        assert len(town.cloud.sends) == before
    finally:
        end()
    town.wait_done(records)


def test_name_is_not_known(town):
    """A label of over 63 bytes is no name. The right one is read at the next start."""
    town.calm()
    town.check_all()
    town.gateway.stop()
    right = town.gateway.settings["api.base_url"]
    town.gateway.settings["api.base_url"] = f"https://{'x' * 64}.example/v1"
    town.gateway.start()
    town.gateway.wait_connected()
    records = town.send()
    stands(town, records, "never_left", None, "offline", False)
    assert "cannot be reached" in town.gateway.wait_alarm("api_offline")
    for record in records:  # nobody has seen a key, so nothing of them need stand
        wait_for(lambda: not town.look(record)["frozen"], f"{record} is thawed")
    town.gateway.stop()
    town.gateway.settings["api.base_url"] = right
    town.start()
    town.wait_done(records)


# ---- lost

def cut_request(x):
    """It reads half of the request's body."""
    x.read(less=20)
    x.reset()


def gone(x):
    x.read()


def reset(x):
    x.read()
    x.reset()


def silent(x):
    x.read()
    x.wait_gone()


def half_headers(x):
    x.read()
    x.say(b"HTTP/1.1 201 Created\r\nContent-Len")


def half_body(x):
    x.read()
    x.answer(201, '{"data":{"id":"att_', {"Content-Length": 500})


def reset_within_answer(x):
    half_body(x)
    x.reset()


def noise(x):
    x.read()
    x.say(bytes(range(256)) * 4)


LOST = {
    "reset during the request": cut_request,
    "closed after the request": gone,
    "reset after the request": reset,
    "closed after the record was made": done_but(gone),
    "silence": silent,
    "half headers": half_headers,
    "half a body": half_body,
    "reset within the answer": done_but(reset_within_answer),
    "garbage": noise,
}


@pytest.mark.parametrize("kind", LOST)
def test_lost(town, kind):
    town.cloud.manner = LOST[kind]
    records = town.send()
    stands(town, records, "lost", None, "offline", True)
    town.cloud.manner = None
    town.wait_done(records)


def test_alarm_of_what_is_lost(town):
    """A connection that breaks is no proxy's page."""
    town.calm()
    town.cloud.manner = half_body
    town.send()
    assert "cannot be reached" in town.gateway.wait_alarm("api_offline")
    assert "api_garbled" not in town.gateway.alarms()


def test_kept_connection_is_gone(town):
    """Reset before the request: each by one send at the most, whichever was first."""
    for _ in range(5):
        records = town.send()
        town.cloud.drop()
        town.wait_done(records, unseen=True)


# ---- answered, and not done

ERROR = {"error": {"code": "invalid_request", "message": "no", "param": "user_id"}}
BIG = b"[" + b" " * 8_000_000 + b"]"


def open_ended(x):
    """A 200 that nothing follows, and nothing said how much would."""
    x.read()
    x.answer(200, length=False, headers={"Connection": "close"})


# name: manner, outcome, status, in doubt, alarm
FAILURES = {
    "HTML with 200": (answer(200, HTML, {"Content-Type": "text/html"}), "garbled", 200, True, "api_garbled"),
    "noise with 201": (done_but(answer(201, bytes(range(256)))), "garbled", 201, True, None),
    "half JSON with 201": (done_but(answer(201, '{"data":{"id":')), "garbled", 201, True, None),
    "body too large": (answer(200, BIG), "garbled", 200, True, "api_garbled"),
    "200 that ends behind its headers": (open_ended, "garbled", 200, True, None),
    "301": (answer(301, headers={"Location": "/v2/attendance"}), "road_fault", 301, False, "api_garbled"),
    "302 to a portal": (answer(302, HTML, {"Location": "https://127.0.0.1:1/login"}), "road_fault", 302,
                        False, None),
    "400 of a proxy": (answer(400, HTML), "road_fault", 400, False, "api_garbled"),
    "402": (answer(402, ERROR), "road_fault", 402, False, None),
    "404 of a wrong path": (answer(404, HTML), "road_fault", 404, False, None),
    "404 without a code": (answer(404, {"error": {"message": "no"}}), "road_fault", 404, False, None),
    "405": (answer(405, ERROR), "road_fault", 405, False, None),
    "407": (answer(407, HTML), "road_fault", 407, False, None),
    "410": (answer(410, ERROR), "road_fault", 410, False, None),
    "413": (answer(413, ERROR), "road_fault", 413, False, None),
    "415": (answer(415, ERROR), "road_fault", 415, False, None),
    "422 without an object": (answer(422, {"errors": []}), "road_fault", 422, False, None),
    "408": (answer(408), "server_error", 408, False, "api_offline"),
    "501": (answer(501, ERROR), "server_error", 501, False, None),
    "503": (answer(503, HTML), "server_error", 503, False, None),
    "503 with Retry-After": (answer(503, ERROR, {"Retry-After": "1"}), "server_error", 503, False, None),
    "500": (answer(500, ERROR), "server_doubt", 500, True, "api_offline"),
    "500 that is done": (done_but(answer(500)), "server_doubt", 500, True, None),
    "502": (answer(502, HTML), "server_doubt", 502, True, None),
    "504": (done_but(answer(504, HTML)), "server_doubt", 504, True, None),
}


@pytest.mark.parametrize("kind", FAILURES)
def test_failure(town, kind):
    manner, outcome, status, in_doubt, alarm = FAILURES[kind]
    if alarm:
        town.calm()
    town.cloud.manner = manner
    records = town.send()
    stands(town, records, outcome, status, "backoff", in_doubt)
    if alarm:
        town.gateway.wait_alarm(alarm)
    town.cloud.manner = None
    town.wait_done(records)


# ---- taken as done

def of(people, manner):
    """So for these; for others all is well."""
    def play(x):
        return (manner if json.loads(x.read())["user_id"] in people else well)(x)
    return play


DONE = {
    "a JSON array": (answer(200, []), "done_no_id", 200),
    "JSON without data": (answer(200, {"ok": True}), "done_no_id", 200),
    "data without an id": (answer(201, {"data": {"id": 7}}), "done_no_id", 201),
    "empty": (answer(200), "done_no_id", 200),
    "204": (lambda x: x.read() is None or x.answer(204, length=False) or True, "done_no_id", 204),
    "409 with the record": (answer(409, {"data": {"id": "att_409"}}), "done", 409),
    "409, a duplicate": (answer(409, {"error": {"code": "duplicate"}}), "done", 409),
    "409, it exists": (answer(409, {"error": {"code": "already_exists"}}), "done", 409),
}


def test_taken_as_done(town):
    found = {}
    for kind, (manner, outcome, status) in DONE.items():
        town.cloud.manner = manner
        found[kind] = town.send()
        for record in found[kind]:
            wait_for(lambda: attempts(town.look(record)), f"an attempt for {record}")
            assert attempts(town.look(record)) == [(outcome, status)], kind
            town.waiting.remove(record)
    town.cloud.manner = None
    town.check_all()
    for kind, records in found.items():
        for punch in map(town.look, records):
            att_id = "att_409" if kind == "409 with the record" else None
            assert (punch["state"], punch["att_id"]) == ("delivered", att_id)
            assert punch["flags"] == ([] if att_id else ["no_id"])


# ---- refused, forbidden, too many

@pytest.mark.parametrize("status", [400, 404, 422])
def test_refused(town, status):
    """One alone is parked, with the API's words; a person may have it sent again, under another key."""
    error = {"code": f"bad_{status}", "message": "It is not known to us", "param": "user_id"}
    town.cloud.manner = of(town.next_person(), answer(status, {"error": error}))
    refused, other = town.send()
    wait_for(lambda: town.look(refused)["state"] == "parked", "it is parked")
    punch = town.look(refused)
    assert (punch["reason"], punch["in_doubt"], punch["tries"]) == (f"api_{status}", False, 1)
    assert {k: punch["error"][k] for k in error} == error
    assert attempts(punch) == [("refused", status)]
    town.wait_done([other])
    town.cloud.manner = None
    town.retry(refused, new_key=True)


def test_key_is_refused(town):
    town.calm()
    town.cloud.manner = answer(401, {"error": {"code": "invalid_api_key"}})
    records = town.send()
    stands(town, records, "unauthorized", 401, "auth_failed", False)
    assert "refuses the key" in town.gateway.wait_alarm("api_auth")
    town.cloud.manner = None
    town.wait_done(records)


def test_key_is_forbidden(town):
    """All of it: that is nobody's punch's fault, and none is parked when it ends."""
    town.calm()
    town.cloud.manner = answer(403, {"error": {"code": "forbidden"}})
    records = town.send(3)
    stands(town, records[:2], "forbidden", 403, "auth_failed", False)
    assert "forbids this key" in town.gateway.wait_alarm("api_auth")
    town.cloud.manner = None
    town.wait_done(records)


def test_one_punch_is_forbidden(town):
    town.cloud.manner = of(town.next_person(), answer(403, {"error": {"code": "forbidden"}}))
    forbidden, other = town.send()
    wait_for(lambda: attempts(town.look(forbidden)), "it is answered")
    # The other one may have passed before that, which says nothing.
    third, = town.send(1)
    wait_for(lambda: town.look(forbidden)["state"] == "parked", "it is parked")
    punch = town.look(forbidden)
    assert (punch["reason"], punch["in_doubt"], punch["error"]["code"]) == ("api_403", False, "forbidden")
    assert set(attempts(punch)) == {("forbidden", 403)}
    town.wait_done([other, third])
    town.cloud.manner = None
    town.retry(forbidden, new_key=True)


def test_two_that_are_forbidden_hold_up_nobody(town):
    """A probe is one of theirs no second time before everybody else's."""
    people = {town.next_person(), town.next_person(1)}
    town.cloud.manner = of(people, answer(403, {"error": {"code": "forbidden"}}))
    forbidden = town.send()
    stands(town, forbidden, "forbidden", 403, "auth_failed", False)
    for _ in range(3):
        town.wait_done(town.send(1))
    town.cloud.manner = None
    town.wait_done(forbidden)


@pytest.mark.parametrize("form", ["seconds", "date"])
@pytest.mark.parametrize("status, outcome, state", [(429, "rate_limited", "rate_limited"),
                                                    (503, "server_error", "backoff")])
def test_retry_after(town, status, outcome, state, form):
    """Who asks again before that is told so again; so there is one such answer."""
    def play(x):
        x.read()
        if time.monotonic() >= over.setdefault("at", time.monotonic() + 1):
            return well(x)
        date = email.utils.formatdate(time.time() + town.cloud.skew_s + 1, usegmt=True)
        x.answer(status, {"error": {"code": "wait"}},
                 {"Retry-After": "1" if form == "seconds" else date})
        return True

    over = {}
    town.cloud.manner = play
    record, = town.send(1)
    stands(town, [record], outcome, status, state, False)
    town.wait_done([record])
    assert attempts(town.look(record)) == [(outcome, status), ("done", 201)]


def test_conflict(town):
    """A 409 that proves nothing: asked again after 30 s, then parked; a person's retry keeps the key."""
    town.cloud.manner = of(town.next_person(), answer(409, {"error": {"code": "conflict"}}))
    record, other = town.send()
    wait_for(lambda: attempts(town.look(record)), "an attempt")
    punch = town.look(record)
    assert (punch["state"], punch["in_doubt"]) == ("queued", True)
    assert attempts(punch) == [("conflict", 409)]
    town.wait_done([other])
    town.cloud.skew_s += 31
    town.clock.advance(31)
    wait_for(lambda: town.look(record)["state"] == "parked", "it is parked")
    punch = town.look(record)
    assert (punch["reason"], attempts(punch)) == ("api_409", [("conflict", 409)] * 2)
    town.cloud.manner = None
    town.retry(record, new_key=False)
    assert town.cloud.sends_of(town.key_of(record)) == 3


def test_a_record_of_something_else(town):
    """Done all the same; the alarm stands for an hour, so this comes last."""
    town.calm()

    def play(x):
        body = json.loads(x.read())
        x.answer(201, {"data": body | {"id": "att_other", "created_at": "2026-01-01T00:00:00Z",
                                       "user_id": "usr_another"}})
        return True

    town.cloud.manner = play
    record, = town.send(1)
    assert "differs from what was sent" in town.gateway.wait_alarm("api_garbled")
    town.wait_done([record])
    wait_for(lambda: town.look(record)["state"] == "delivered", "it is delivered")
    assert town.look(record)["att_id"] == "att_other"


def test_all_have_arrived(town):
    town.check_all()
