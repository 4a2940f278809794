"""The control socket: what it answers and to whom, and that it says what is true."""
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import socket
import stat
import subprocess
import tempfile
import time

import pytest

from gateway import Gateway, UnixConnection, adds_up
from line import Hand, morning, punches, rfc3339, unix
from place import SERIAL, Place
from waiting import wait_for

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
IDENTITY = re.compile(r"[0-9a-f]{32}")
NOBODY = 65534


def punch(record_id, user="usr_000001", minute=0, **fields):
    return {"id": record_id, "user": user, "time": rfc3339(morning() + minute * 60),
            "type": "check_in"} | fields


# What several tests only look at: punches in every state that there is.
EARLY, LATE = [punch(f"d{i}", f"usr_{i % 9 + 1:06d}", i) for i in range(30)], [
    punch("odd", time="yesterday"), punch("unknown", "usr_nobody", 3), punch("pin", "1001", 4),
    punch("refused", "usr_000008", 5), punch("queued", "usr_000009", 6)]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """30 delivered, 1 refused, 1 queued, 2 held, 2 parked as they came, 1 duplicate, 1 ignored."""
    with Place(tmp_path_factory.mktemp("site")) as place:
        place.send(EARLY)
        place.gateway.wait_delivered(30)
        place.cloud.remove_user("usr_000008")
        place.send(LATE[:4])
        place.hand.client.publish(f"att/v1/{SERIAL}/punch", '{"id":"bad"}', qos=1)
        place.hand.wait_acked([{"id": "bad"}])
        place.gateway.wait_status(lambda s: s["queue"]["parked"] == 3, "the refusal")
        place.cloud.stop()
        place.send(LATE[4:])
        place.hand.send(EARLY[0])
        place.gateway.wait_status(lambda s: s["counts"]["duplicate"] == 1, "the duplicate")
        place.gateway.wait_status(lambda s: s["api"]["state"] == "offline", "the cloud is away")
        yield place


# ---- the status document

def shape(document):
    if isinstance(document, dict):
        return {k: shape(v) for k, v in document.items()}
    return type(document).__name__


def test_status_is_whole_and_true(site):
    gateway = site.gateway
    site.hand.client.publish(f"att/v1/{SERIAL}/status", '{"online":true,"pending":0}', retain=True)
    s = gateway.wait_status(
        # While something is tried there is no next try.
        lambda s: s["terminals"][0]["online"] and len(s["alarms"]) == 3 and s["api"]["next_try"],
        "the terminal's word")
    adds_up(s)
    assert shape({k: v for k, v in s.items() if k not in ("alarms", "terminals")}) == {
        "version": "str", "site": "str", "uptime_s": "int", "state": "str",
        "mqtt": {"connected": "bool", "host": "str", "since": "str"},
        "api": {"state": "str", "idempotent": "str", "rate": {"limit": "int", "remaining": "int",
                                                              "reset": "str"},
                "next_try": "str", "last_success": "str", "in_flight": "int", "paused": "NoneType",
                "key": {"there": "bool", "warning": "NoneType"}},
        "queue": {"queued": "int", "held": "int", "parked": "int", "oldest_queued_s": "int",
                  # Nothing reckons these yet.
                  "drain_eta_s": "NoneType"},
        "counts": dict.fromkeys(("received", "stored", "duplicate", "suppressed", "delivered",
                                 "discarded", "ignored", "refused"), "int"),
        "directory": {"users": "int", "users_synced_at": "str", "devices": "int",
                      "devices_synced_at": "str", "pass": "int", "failed_pass": "int",
                      "pass_error": "NoneType"},
        "people": {"queued": "int", "in_doubt": "int", "refused": "int"},
        "store": {"bytes": "int", "free_bytes": "int", "min_free_bytes": "int",
                  "written_bytes": "NoneType"},
        "clock": {"synchronized": "bool"}, "webhook": "NoneType",
        "config": {"file": "str", "read": "str", "refused": "NoneType", "faults": "int",
                   "fault": "NoneType", "changed": "bool", "restart_keys": "list"}}
    assert (s["version"], s["site"], s["state"]) == ("0.1.0", "test", "degraded")
    assert [(a["code"], a["severity"]) for a in s["alarms"]] == [
        ("api_offline", "warning"), ("held", "warning"), ("parked", "warning")]
    assert all(a.keys() == {"code", "severity", "since", "message"} for a in s["alarms"])
    assert s["mqtt"]["connected"] is True and s["mqtt"]["host"] == "127.0.0.1"
    assert (s["api"]["state"], s["api"]["idempotent"]) == ("offline", "unknown")
    assert s["counts"] | s["queue"] | {"oldest_queued_s": 0} == {
        "received": 37, "stored": 36, "duplicate": 1, "suppressed": 0, "delivered": 30, "discarded": 0,
        "ignored": 0, "refused": 0, "queued": 1, "held": 2, "parked": 3, "oldest_queued_s": 0,
        "drain_eta_s": None}
    assert abs(s["queue"]["oldest_queued_s"] - (time.time() - unix(LATE[4]["time"]))) < 60
    assert (s["directory"]["users"], s["directory"]["devices"]) == (10, 1)
    free = os.statvfs(gateway.dir)
    assert abs(s["store"]["free_bytes"] - free.f_bavail * free.f_frsize) < 1 << 30
    on_disk = sum(p.stat().st_size for p in gateway.dir.glob("punchd.db*"))
    assert 0 < s["store"]["bytes"] <= on_disk
    terminal, = s["terminals"]
    assert terminal | {"last_seen": 0, "last_punch": 0} == {
        "serial": SERIAL, "name": SERIAL, "device_id": "dev_000001", "online": True, "last_seen": 0,
        "last_punch": 0, "pending": 0, "fw": None,
        # No live punch came.
        "skew_s": None}
    times = [s["mqtt"]["since"], s["api"]["next_try"], s["api"]["last_success"],
             s["api"]["rate"]["reset"], s["directory"]["users_synced_at"],
             s["directory"]["devices_synced_at"], terminal["last_seen"], terminal["last_punch"]]
    times += [a["since"] for a in s["alarms"]]
    assert all(STAMP.fullmatch(t) and abs(unix(t) - time.time()) < 600 for t in times)


def test_what_is_not_known_yet_is_null(tmp_path):
    with Gateway(under=tmp_path, key=None) as gateway:
        s = gateway.status()
        assert s["api"]["rate"] == {"limit": None, "remaining": None, "reset": None}
        assert s["api"]["last_success"] is None and s["queue"]["oldest_queued_s"] is None
        assert (s["directory"]["users"], s["directory"]["users_synced_at"],
                s["directory"]["devices_synced_at"]) == (0, None, None)
        assert s["mqtt"]["connected"] is False and s["terminals"] == []


# ---- punches

def ids(found):
    return [p["record_id"] for p in found]


def test_punches_are_whole(site):
    delivered, = site.gateway.punches("&user=usr_000003&to=" + rfc3339(morning() + 180))
    assert delivered | {"id": 0, "received": 0, "att_id": 0} == {
        "id": 0, "state": "delivered", "reason": None, "in_doubt": False, "frozen": True,
        "terminal": SERIAL, "device_id": "dev_000001",
        "user": {"kind": "id", "value": "usr_000003", "user_id": "usr_000003",
                 "name": delivered["user"]["name"]},
        "time": EARLY[2]["time"], "time_sent": EARLY[2]["time"], "received": 0, "type": "check_in",
        "type_from": "terminal", "record_id": "d2", "live": None, "att_id": 0, "tries": 1,
        "flags": [], "error": None}
    assert IDENTITY.fullmatch(delivered["id"]) and delivered["att_id"].startswith("att_")
    assert delivered["user"]["name"]
    pin, = site.gateway.punches("&user=pin:1001")
    assert pin["user"] == {"kind": "pin", "value": "1001", "user_id": None, "name": None}
    assert (pin["state"], pin["reason"], pin["frozen"], pin["tries"]) == (
        "held", "unknown_user", False, 0)


@pytest.mark.parametrize("query, wanted", [
    ("state=held", ["pin", "unknown"]), ("state=queued", ["queued"]), ("state=suppressed", []),
    ("state=parked", ["bad", "refused", "odd"]), ("state=parked&reason=malformed", ["bad"]),
    ("reason=api_404", ["refused"]), ("reason=unknown_user", ["pin", "unknown"]),
    ("user=1001", ["pin"]), ("user=pin:1001", ["pin"]), ("user=card:1001", []),
    ("user=usr_nobody", ["unknown"]), ("user=id:usr_000009&state=queued", ["queued"]),
    (f"device={SERIAL}&state=held", ["pin", "unknown"]), ("device=dev_000001&state=queued", ["queued"]),
    ("device=other", []), (f"from={rfc3339(morning() + 28 * 60)}", ["d29", "d28"]),
    (f"from={rfc3339(morning() + 4 * 60)}&to={rfc3339(morning() + 5 * 60)}", ["pin", "d4"]),
    (f"to={rfc3339(morning())[:10]}", []), (f"from={rfc3339(morning(-1))[:10]}", []), ("state=delivered&limit=2", ["d29", "d28"]), ("state=&user=", None)])
def test_filters(site, query, wanted):
    found = site.gateway.get("/v1/punches?" + query)["data"]
    if wanted is None:
        assert len(found) == 36
    else:
        assert ids(found) == wanted


@pytest.mark.parametrize("query", [
    "state=lost", "reason=tired", "from=yesterday", "to=2026-02-30", "limit=0", "limit=1001",
    "limit=ten", "before=-1", "before=x", "in_doubt=maybe", "colour=red", "state", "before=0",
    "limit=18446744073709551617", "%00=1"])
def test_bad_questions(site, query):
    status, document = site.gateway.request("GET", "/v1/punches?" + query)
    assert status == 400
    assert document["error"]["code"] == "bad_request" and document["error"]["message"]


def pages(gateway, limit, query="", between=lambda: None):
    before, found = "", []
    while before is not None:
        page = gateway.get(f"/v1/punches?limit={limit}{query}{before}")
        assert len(page["data"]) <= limit
        found += page["data"]
        following = page["meta"]["next"]
        before = None if following is None else f"&before={following}"
        between()
    return found


def test_pages_join_without_gap_or_repeat(site):
    whole = site.gateway.punches()
    for limit in (1, 7, 35, 36, 37):
        assert pages(site.gateway, limit) == whole
    assert ids(pages(site.gateway, 1, "&state=held")) == ["pin", "unknown"]
    assert sorted(whole, key=lambda p: p["received"], reverse=True) == whole


def test_pages_while_new_ones_come(tmp_path):
    with Place(tmp_path) as place:
        place.cloud.stop()
        there = punches(200)
        place.hand.send_all(there, batch=100)
        place.hand.wait_acked(there)
        new = iter(punches(100, label="new", start=morning(2)))

        def one_more():
            ack, = place.send(next(new))
            assert ack["status"] == "queued"

        found = pages(place.gateway, 10, between=one_more)
        assert ids(found) == [p["id"] for p in reversed(there)]


def test_one_by_its_prefix(site):
    every = site.gateway.punches()
    one = every[3]
    by_prefix = site.gateway.get(f"/v1/punches/{one['id'][:20]}")["data"]
    assert {k: v for k, v in by_prefix.items() if k != "trace"} == one
    assert site.gateway.get(f"/v1/punches/{one['id'].upper()}")["data"]["id"] == one["id"]
    shared = os.path.commonprefix([p["id"] for p in every if p["time"]])
    assert len(shared) >= 2  # the same hour
    for asked, status, code in ((shared, 409, "not_unique"), (f"{one['id']}00", 404, "not_found"),
                                ("ffffffff", 404, "not_found"), ("xyz", 404, "not_found"),
                                ("%ff", 404, "not_found"), ("", 404, "not_found")):
        found = site.gateway.request("GET", f"/v1/punches/{asked}")
        assert (found[0], found[1]["error"]["code"]) == (status, code), asked


# ---- traces

def trace(gateway, record_id):
    found = next(p for p in gateway.punches() if p["record_id"] == record_id)
    return gateway.get(f"/v1/punches/{found['id']}")["data"]["trace"]


def events(found):
    return [e["event"] for e in found]


def in_time_order(found):
    times = [e["at"] for e in found if e["at"]]
    assert times == sorted(times)


def test_traces_tell_what_happened(site):
    received, judged, frozen, attempt, settled = delivered = trace(site.gateway, "d0")
    assert events(delivered) == ["received", "judged", "frozen", "attempt", "settled"]
    in_time_order(delivered)
    assert (judged["state"], judged["reason"]) == ("queued", None)
    assert (frozen["user_id"], frozen["device_id"], frozen["type"]) == (
        "usr_000001", "dev_000001", "check_in")
    assert IDENTITY.fullmatch(frozen["key"])
    assert (attempt["outcome"], attempt["status"]) == ("done", 201)
    assert settled["state"] == "delivered" and settled["att_id"].startswith("att_")

    held = trace(site.gateway, "unknown")
    assert events(held) == ["received", "judged"]
    assert (held[1]["state"], held[1]["reason"]) == ("held", "unknown_user")

    bad = trace(site.gateway, "bad")
    assert events(bad) == ["received", "judged"]
    assert (bad[0]["topic"], bad[0]["raw"]) == (f"att/v1/{SERIAL}/punch", '{"id":"bad"}')
    assert (bad[1]["state"], bad[1]["reason"]) == ("parked", "malformed")

    refused = trace(site.gateway, "refused")
    assert events(refused) == ["received", "judged", "frozen", "attempt"]
    assert (refused[3]["outcome"], refused[3]["status"]) == ("refused", 404)


def test_a_trace_of_many_attempts_and_a_restart(tmp_path):
    with Place(tmp_path) as place:
        gateway = place.gateway
        place.cloud.add_fault("status=503,path=/attendance,count=2")
        place.cloud.add_fault("drop-after,path=/attendance,count=1")
        place.send(punch("tried"))
        gateway.wait_delivered(1)
        tried = trace(gateway, "tried")
        assert events(tried) == ["received", "judged", "frozen"] + ["attempt"] * 4 + ["settled"]
        assert [(e["outcome"], e["status"]) for e in tried[3:7]] == [
            ("server_error", 503), ("server_error", 503), ("lost", None), ("done", 201)]
        in_time_order(tried)
        found, = gateway.punches()
        assert (found["tries"], found["in_doubt"]) == (4, False) and "in_doubt" in found["flags"]
        # Thousands later they are a sum.
        others = punches(4100, users=9, step=1, start=morning() + 600)
        place.hand.send_all(others, batch=100)
        gateway.wait_delivered(4101)
        summed = trace(gateway, "tried")
        assert events(summed) == ["received", "judged", "frozen", "attempt", "settled"]
        assert summed[3] | {"at": 0} == {
            "at": 0, "event": "attempt", "count": 4, "first": tried[3]["at"], "last": tried[6]["at"],
            "last_error": "lost", "status": None}
        # In doubt: not settled, and what was before this run is one word.
        place.cloud.add_fault("drop-after,path=/attendance")
        place.send(punch("doubtful", minute=700))
        wait_for(lambda: [p for p in gateway.punches("&in_doubt=yes") if p["tries"]], "it is in doubt")
        gateway.kill()
        place.cloud.stop()
        gateway.start()
        doubtful = next(p for p in gateway.punches("&in_doubt=yes") if p["record_id"] == "doubtful")
        assert (doubtful["state"], doubtful["in_doubt"], doubtful["frozen"]) == ("queued", True, True)
        earlier = [e for e in trace(gateway, "doubtful") if e["event"] != "attempt" or e["outcome"] !=
                   "never_left"]
        assert events(earlier) == ["received", "judged", "frozen"]
        assert events(trace(gateway, "tried")) == ["received", "judged", "frozen", "settled"]


# ---- HTTP

def ask(gateway, data, timeout=30):
    """Send bytes as they are; all that comes until the end."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(timeout)
        s.connect(str(gateway.socket))
        try:
            s.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has heard enough
        return everything(s)


def everything(s):
    got = b""
    try:
        while more := s.recv(65536):
            got += more
    except ConnectionResetError:
        pass
    return got


def answer(got):
    """(status, headers, document or text)"""
    head, _, body = got.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert int(headers["Content-Length"]) == len(body)
    json_type = headers.get("Content-Type") == "application/json"
    return int(first.split()[1]), headers, json.loads(body) if json_type else body.decode()


def test_health(site, tmp_path):
    assert site.gateway.request("GET", "/healthz") == (200, "ok\n")  # warnings only
    site.broker.pause()
    with Gateway(under=tmp_path, key=None) as gateway:
        status = gateway.wait_status(lambda s: len(s["alarms"]) >= 2, "the alarms")
        code, document = gateway.request("GET", "/healthz")
        assert code == 503
        assert [a["code"] for a in document["alarms"]] == ["api_auth", "mqtt_down"]
        assert all(a["severity"] == "critical" for a in document["alarms"])
        assert {a["code"] for a in status["alarms"]} >= {"api_auth", "mqtt_down"}
    site.broker.resume()


@pytest.mark.parametrize("method, path, status, code, allow", [
    ("GET", "/", 404, "not_found", None), ("GET", "/v1/none", 404, "not_found", None),
    ("GET", "/v1/status/", 404, "not_found", None), ("GET", "//v1/status", 404, "not_found", None),
    ("GET", "/v1/punches/a/b", 404, "not_found", None), ("POST", "/v1/none", 404, "not_found", None),
    ("GET", "/v1/../v1/status", 404, "not_found", None),
    ("POST", "/v1/status", 405, "method_not_allowed", "GET, HEAD"),
    ("DELETE", "/v1/punches", 405, "method_not_allowed", "GET, HEAD"),
    ("PUT", "/v1/punches/ab", 405, "method_not_allowed", "GET, HEAD"),
    ("PATCH", "/healthz", 405, "method_not_allowed", "GET, HEAD"),
    ("OPTIONS", "/v1/sync", 405, "method_not_allowed", "POST"),
    ("GET", "/v1/sync", 405, "method_not_allowed", "POST"),
    ("DELETE", "/v1/check", 405, "method_not_allowed", "GET, HEAD, POST"),
    ("GET", "/v1/status?x=1", 400, "bad_request", None),
    ("POST", "/v1/sync?x=1", 400, "bad_request", None),
    ("GET", "/v1/status%00", 400, "bad_request", None),
    ("FROB", "/v1/status", 501, "not_implemented", None)])
def test_refusals_are_documents(site, method, path, status, code, allow):
    request = f"{method} {path} HTTP/1.1\r\nHost: punchd\r\n\r\n".encode()
    found, headers, document = answer(ask(site.gateway, request))
    assert (found, document["error"]["code"]) == (status, code)
    assert document["error"].keys() == {"code", "message"} and document["error"]["message"]
    assert headers.get("Allow") == allow


@pytest.mark.parametrize("request_bytes, status", [
    (b"garbage\r\n\r\n", 400), (b"GET\r\n\r\n", 400),
    (b"GET /v1/status HTTP/1.1\r\nno colon\r\n\r\n", 400),
    (b"GET /v1/status HTTP/1.1\r\nX: " + b"x" * 17000 + b"\r\n\r\n", 400),
    (b"GET /" + b"x" * 17000 + b" HTTP/1.1\r\n\r\n", 400),
    (b"GET /v1/status HTTP/1.1\r\n" + b"X: x\r\n" * 6000 + b"\r\n", 400),
    (b"POST /v1/sync HTTP/1.1\r\nContent-Length: 8388609\r\n\r\n", 413),
    (b"POST /v1/sync HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", 413),
    (b"POST /v1/sync HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
    (b"POST /v1/sync HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
     + (b"fff0\r\n" + b"x" * 0xfff0 + b"\r\n") * 129, 413)],
    ids=["garbage", "one word", "no colon", "long header", "long path", "many headers", "large body",
         "endless body", "negative body", "chunks"])
def test_what_cannot_be_read(site, request_bytes, status):
    found, _, document = answer(ask(site.gateway, request_bytes))
    assert found == status and document["error"]["message"]
    assert site.gateway.status()["version"]


def test_head_has_no_body(site):
    for path in ("/v1/status", "/healthz", "/v1/none"):
        got = ask(site.gateway, f"HEAD {path} HTTP/1.1\r\n\r\n".encode())
        head, _, body = got.partition(b"\r\n\r\n")
        assert body == b"" and b"Content-Length: " in head
        assert head.split()[1] == (b"404" if "none" in path else b"200")


def test_one_request_a_connection(tmp_path):
    """What is piped behind the first is not done."""
    with Gateway(under=tmp_path) as gateway:
        for extra in (b"", b"Connection: keep-alive\r\n", b"Proxy-Connection: keep-alive\r\n"):
            got = ask(gateway, b"POST http://punchd/v1/sync HTTP/1.1\r\n" + extra + b"\r\n" +
                      b"POST /v1/sync HTTP/1.1\r\n\r\n" * 3)
            assert got.count(b"HTTP/1.1 ") == 1
        last = answer(ask(gateway, b"POST /v1/sync HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"))
        assert (last[0], last[2]["data"]["pass"]) == (202, 5)  # the first was its own
        assert gateway.messages().count("a refresh of the directory was asked for") == 4


def is_closed(s):
    """Whether the other side has gone, without taking what it sent."""
    try:
        s.send(b"x")
    except (BrokenPipeError, ConnectionResetError):
        return True
    return False


def test_who_is_slow_and_who_is_not(tmp_path):
    """A request that is not whole after ten seconds is cut, however its bytes drip; an answer of
    which nothing is taken is given up; nobody else waits."""
    with Place(tmp_path) as place:
        gateway = place.gateway
        place.cloud.stop()
        many = punches(4000, users=10, step=1)
        place.hand.send_all(many, batch=100)
        gateway.wait_status(lambda s: s["counts"]["stored"] == 4000, "enough for a long answer")
        big = b"GET /v1/punches?limit=1000 HTTP/1.1\r\n\r\n"
        parts = {"silent": b"", "begun": b"GET /v1/sta", "headless": b"GET /v1/status HTTP/1.1\r\n",
                 "bodyless": b"POST /v1/sync HTTP/1.1\r\nContent-Length: 10\r\n\r\n12345",
                 "dripping": b"GET /v1/status HTTP/1.1\r\nX: ", "reading slowly": big, "deaf": big}
        slow = {}
        for name, first in parts.items():
            slow[name] = socket.socket(socket.AF_UNIX)
            slow[name].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow[name].connect(str(gateway.socket))
            slow[name].sendall(first)
        began, got, dripping = time.monotonic(), b"", True
        ended = {}
        while len(ended) < 5:
            assert time.monotonic() - began < 120, ended.keys()
            assert gateway.status()["counts"]["stored"] == 4000
            time.sleep(0.05)  # the drip
            got += slow["reading slowly"].recv(4096)
            if dripping:
                try:
                    slow["dripping"].send(b"x")
                except OSError:
                    dripping = False
            for name in set(parts) - {"reading slowly", "deaf"} - ended.keys():
                slow[name].setblocking(False)
                try:
                    end = slow[name].recv(4096)
                except BlockingIOError:
                    continue
                except ConnectionResetError:
                    end = b""
                assert end == b"", (name, end)
                ended[name] = time.monotonic() - began
        assert min(ended.values()) > 9, ended
        whole = got + everything(slow["reading slowly"])
        status, _, document = answer(whole)
        assert status == 200 and len(document["data"]) == 1000
        wait_for(lambda: is_closed(slow["deaf"]), "the answer is given up")
        assert len(everything(slow["deaf"])) < len(whole)
        assert gateway.messages().count("a refresh of the directory was asked for") == 0
        for s in slow.values():
            s.close()


def test_many_at_once(site):
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        found = list(pool.map(lambda _: site.gateway.request("GET", "/v1/punches?limit=36"),
                              range(400)))
    assert all(status == 200 and len(document["data"]) == 36 for status, document in found)


def test_few_descriptors(tmp_path):
    """While they run short callers wait, and all are served."""
    with Gateway(under=tmp_path, wrap=["prlimit", "--nofile=100", "--"]) as gateway:
        idle = [socket.socket(socket.AF_UNIX) for _ in range(60)]
        for s in idle:
            s.connect(str(gateway.socket))
        wait_for(lambda: len(os.listdir(f"/proc/{gateway.process.pid}/fd")) > 30, "they are taken")
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            later = pool.submit(gateway.status)
            assert len(os.listdir(f"/proc/{gateway.process.pid}/fd")) < 100
            for s in idle:
                s.close()
            assert later.result(30)["version"]
        assert "Too many open files" not in gateway.messages()


# ---- who may

@pytest.fixture
def public(tmp_path):
    """A folder that others can enter."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="punchd-control-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def as_another(gateway, method, path, uid=NOBODY, gid=NOBODY, groups=()):
    """What another user gets: the status, or 0 where it cannot even connect."""
    who = ["setpriv", f"--reuid={uid}", f"--regid={gid}"]
    who += [f"--groups={','.join(map(str, groups))}"] if groups else ["--clear-groups"]
    shown = subprocess.run(
        who + ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", method, "--unix-socket",
               str(gateway.socket), f"http://punchd{path}"], capture_output=True, text=True)
    return int(shown.stdout)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")


@needs_root
def test_root_and_the_group_may(public):
    with Gateway(under=public, settings={"control.group": "nogroup"}) as gateway:
        gateway.dir.chmod(0o755)
        mode = gateway.socket.stat()
        assert (stat.S_IMODE(mode.st_mode), mode.st_gid) == (0o660, NOBODY)
        calls = (("GET", "/v1/status", 200), ("POST", "/v1/sync", 202))
        for method, path, status in calls:
            assert gateway.request(method, path)[0] == status
            # By the group of the process, by a further group, and as a member from the group file.
            assert as_another(gateway, method, path) == status
            assert as_another(gateway, method, path, gid=12345, groups=(NOBODY,)) in (status, 403)
            assert as_another(gateway, method, path, uid=12345, gid=12345) == 0
        # The socket opened wide by hand: everybody may look, and nobody else may act.
        gateway.socket.chmod(0o666)
        assert as_another(gateway, "GET", "/v1/status", uid=12345, gid=12345) == 200
        assert as_another(gateway, "POST", "/v1/sync", uid=12345, gid=12345) == 403
        assert gateway.messages().count("was asked for uid=65534") >= 1


@needs_root
@pytest.mark.parametrize("group", ["", "there-is-no-such-group"])
def test_without_a_group_only_the_owner_may(public, group):
    with Gateway(under=public, settings={"control.group": group}) as gateway:
        gateway.dir.chmod(0o755)
        assert stat.S_IMODE(gateway.socket.stat().st_mode) == 0o600
        assert as_another(gateway, "GET", "/v1/status") == 0
        assert gateway.status()["version"]
        assert ("the group cannot be let in" in gateway.messages()) == bool(group)


# ---- the socket's file

def test_a_socket_that_nobody_listens_on_is_replaced(tmp_path):
    with Gateway(under=tmp_path) as gateway:
        gateway.kill()
        assert gateway.socket.is_socket()
        gateway.start()
        gateway.stop()
        assert not gateway.socket.exists()


def test_what_is_no_socket_is_left_alone(tmp_path):
    with Gateway(under=tmp_path, start=False) as gateway:
        gateway.socket.write_text("mine")
        gateway.spawn()
        assert gateway.wait() == 1
        assert gateway.socket.read_text() == "mine"
        assert str(gateway.socket) in gateway.messages()


@pytest.mark.parametrize("path, code, said", [
    ("/nowhere/at/all.sock", 1, "socket=/nowhere/at/all.sock"),  # its folder may come
    ("/tmp/" + "x" * 110, 78, "socket: a socket's path has at most 107 bytes")])
def test_where_no_socket_can_be(tmp_path, path, code, said):
    with Gateway(under=tmp_path, start=False, settings={"control.socket": path}) as gateway:
        gateway.spawn()
        assert gateway.wait() == code
        assert said in gateway.messages()


# ---- alarms

def test_alarms_come_and_go_with_their_causes(tmp_path):
    with Place(tmp_path) as place:
        gateway = place.gateway

        def begins(code):
            wait_for(lambda: code in gateway.alarms(), code)

        def ends(code):
            wait_for(lambda: code not in gateway.alarms(), "the end of " + code)

        assert gateway.status()["state"] == "ok"
        place.broker.stop()
        begins("mqtt_down")
        assert gateway.request("GET", "/healthz")[0] == 503
        place.broker.start()
        ends("mqtt_down")
        assert gateway.request("GET", "/healthz")[0] == 200
        place.cloud.stop()
        place.hand.send_all([punch("1")])
        begins("api_offline")
        place.cloud.start()
        ends("api_offline")
        place.send(punch("2", "usr_new"))
        begins("held")
        place.cloud.put_user(id="usr_new")
        place.sync()
        ends("held")
        gateway.wait_delivered(2)
        assert gateway.status()["state"] == "ok"
        said = [line for line in gateway.messages().splitlines() if line.startswith("alarm")]
        for code in ("mqtt_down", "api_offline", "held"):
            assert [line.split(":")[0] for line in said if line.endswith(f"code={code}")] == [
                "alarm", "alarm_over"]
