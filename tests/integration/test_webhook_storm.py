"""A burst of events: few commits, each event once, and the directory is the cloud's, whatever their order
and however often the gateway is killed meanwhile."""
import concurrent.futures
import http.client
import http.server
import json
import random
import threading
import time

import pytest

from hookcall import HMAC_SECRET, Caller, event, user_of
from ports import free_port
from test_webhook import Told, secret_file
from waiting import wait_for

ROUNDS, PEOPLE, DEVICES = 5, 180, 20  # 1,000 events


class Collector:
    """The cloud's webhook: keeps each body as it came."""

    def __init__(self):
        bodies = self.bodies = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                bodies.append((self.rfile.read(int(self.headers["Content-Length"])),
                               self.headers["X-Webhook-Signature"]))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def deliver(caller, body, sign, deadline):
    """As a cloud does: again and again until it is taken."""
    while True:
        assert time.monotonic() < deadline
        try:
            status, document = caller.post(body, {"X-Webhook-Signature": sign})
            assert status in (200, 503), document
            if status == 200:
                return document["data"]["result"]
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.02)


def storm(caller, bodies, workers=16, seconds=120):
    deadline = time.monotonic() + seconds
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        yield from pool.map(lambda b: deliver(caller, *b, deadline), bodies)


FIELDS = ("id", "name", "email", "phone", "department", "updated_at")


def directory(place):
    users = {u["id"]: {k: u[k] for k in FIELDS}
             for u in place.gateway.get("/v1/users?limit=1000")["data"]}
    # Of a device that is changed in other ways than its status there is no event.
    devices = {d["serial"]: (d["device_id"], d["status"])
               for d in place.gateway.get("/v1/devices")["data"]}
    return users, devices


def of_the_cloud(cloud):
    users, offset = {}, 0
    while True:
        page = cloud.get(f"/users?limit=100&offset={offset}").data
        users |= {u["id"]: {k: u.get(k) or "" for k in FIELDS} for u in page}
        offset += len(page)
        if not page:
            break
    devices = {d["serial_number"]: (d["id"], d["status"])
               for d in cloud.get("/devices").data}
    return users, devices


def test_a_thousand_events_with_duplicates_reordered_and_killed_thrice(tmp_path):
    """The lists cannot be had while it goes on: only the events can have made the directory."""
    chance = random.Random(7)
    collector = Collector()
    serials = [f"BIO-{n:03d}" for n in range(DEVICES)]
    with Told(tmp_path, "--webhook", collector.url, "--webhook-secret-file",
              secret_file(tmp_path, HMAC_SECRET, "hmac"), signed=True, users=PEOPLE // 2,
              devices=",".join(serials)) as place:
        for what in ("users", "devices"):
            place.cloud.add_fault(f"status=503,path=/{what},method=GET")
        for n in range(ROUNDS):
            place.cloud.set_clock(20 * n + 1)  # whole seconds: each round's updated_at is its own
            for who in range(1, PEOPLE + 1):
                place.cloud.put_user(id=f"usr_{who:06d}", name=f"Round {n} {who}",
                                     email=f"r{n}-{who}@example.com", phone=f"+49{n}{who:08d}")
            for serial in serials:
                place.cloud.put_device(serial_number=serial, status=chance.choice(
                    ("active", "inactive", "maintenance")) if n else f"odd-{n}")
        wait_for(lambda: place.cloud.stats()["webhook"]["waiting"] == 0, "all are told")
        events = list(collector.bodies)
        kinds = [json.loads(b)["type"] for b, _ in events]
        assert kinds.count("user.created") == PEOPLE - PEOPLE // 2 and len(events) >= 900
        bodies = events + chance.sample(events, len(events) // 3)
        chance.shuffle(bodies)
        results = []
        for result in storm(place.caller, bodies):
            results.append(result)
            if len(results) in (300, 600, 900):
                place.gateway.kill()
                place.gateway.start()
        place.cloud.set_clock(20 * ROUNDS + 30)
        assert set(results) <= {"taken", "older", "duplicate"}
        assert results.count("duplicate") >= len(bodies) - len(events)
        assert results.count("taken") + results.count("older") <= len(events)
        mine = directory(place)
        place.cloud.clear_faults()
        assert mine == of_the_cloud(place.cloud)
    collector.close()


@pytest.mark.parametrize("tls", (False, True), ids=("plain", "tls"))
def test_what_comes_together_is_committed_together(tmp_path, tls):
    with Told(tmp_path, tls=tls) as place:
        bodies = [(json.dumps(event("user.created", user_of(910000 + n))).encode(), "")
                  for n in range(1000)]
        began, cpu = time.monotonic(), cpu_s(place)
        results = list(storm(place.caller, bodies, 32))
        took = time.monotonic() - began
        assert results == ["taken"] * 1000
        webhook = place.webhook()
        print(f"{took:.2f} s, {cpu_s(place) - cpu:.2f} s of CPU, {webhook['commits']} commits")
        assert webhook["taken"] == 1000 and webhook["commits"] <= 400
        assert place.gateway.status()["directory"]["users"] == 1010


def cpu_s(place):
    fields = open(f"/proc/{place.gateway.process.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_a_lone_event_is_not_kept_waiting(tmp_path):
    """A commit for each that comes alone."""
    with Told(tmp_path) as place:
        for n in range(5):
            place.tell("user.created", user_of(910000 + n))
        assert place.webhook()["commits"] == 5
