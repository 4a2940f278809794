"""What punch-sandbox keeps over restarts and kill -9, and how much it holds."""
import http.client
import json
import pathlib
import re
import resource
import signal
import socket
import sqlite3
import ssl
import subprocess
import threading

import pytest

from hookreceiver import Receiver
from sandbox import Sandbox
from waiting import wait_for


REPORT = "/reports/attendance?start_date=2023-01-01&end_date=2023-01-31&user_id=usr_000001"


def start(build, tmp_path, *args, **kwargs):
    return Sandbox(build, tmp_path / "cloud", *args, **kwargs)


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


# ---- what stays

def test_a_restart_keeps_records_keys_and_people(build, tmp_path):
    with start(build, tmp_path) as cloud:
        cloud.add_key("added")
        cloud.put_user(id="usr_late")
        cloud.remove_user("usr_000002")
        made = cloud.post("/users", {"name": "A", "email": "a@example.org",
                                     "phone": "+919876543210"}).data
        device = cloud.put_device(serial_number="BIO-FP-009", status="inactive")
        cloud.post_attendance(user="usr_late", key="k1")
        first = cloud.post_attendance(key="k2")
        refused = cloud.post_attendance(user="usr_nobody", key="k3")
        records, users, devices = cloud.records(), cloud.get("/users").data, cloud.get(
            "/devices").data
        assert cloud.stop() == 0

        cloud.start()
        assert cloud.records() == records
        assert cloud.get("/users", api_key="added").data == users
        assert cloud.get("/devices").data == devices and device in devices
        assert made in users and "usr_000002" not in [u["id"] for u in users]
        again = cloud.post_attendance(key="k2")
        assert (again.status, again.body) == (201, first.body)
        again = cloud.post_attendance(user="usr_nobody", key="k3")
        assert (again.status, again.body) == (404, refused.body)
        assert cloud.stats()["posts_by_key"] == {"k2": 2, "k3": 2}
        assert cloud.post_attendance().data["id"] > first.data["id"]


SCHEMA_1 = """
CREATE TABLE user (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
 email TEXT NOT NULL, phone TEXT NOT NULL, department TEXT, created_at INTEGER NOT NULL,
 updated_at INTEGER NOT NULL, gone INTEGER NOT NULL DEFAULT 0);
CREATE TABLE device (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
 serial_number TEXT NOT NULL UNIQUE, type TEXT NOT NULL, status TEXT NOT NULL, location TEXT,
 last_sync INTEGER, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
 gone INTEGER NOT NULL DEFAULT 0);
CREATE TABLE attendance (seq INTEGER PRIMARY KEY AUTOINCREMENT, user_id TEXT NOT NULL,
 device_id TEXT NOT NULL, type TEXT NOT NULL, at INTEGER NOT NULL, created_at INTEGER NOT NULL,
 key TEXT);
CREATE TABLE idempotency (key TEXT PRIMARY KEY, posts INTEGER NOT NULL, digest BLOB,
 status INTEGER, answer TEXT) WITHOUT ROWID;
CREATE TABLE api_key (key TEXT PRIMARY KEY, read_only INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO user VALUES (1, 'usr_old', 'O', 'o@example.org', '+911234567890', NULL, 1, 1, 0);
INSERT INTO attendance VALUES (7, 'usr_old', 'dev_000001', 'check_in', 1673856000, 1673856000, 'k');
INSERT INTO idempotency VALUES ('k', 3, NULL, NULL, NULL);
INSERT INTO api_key VALUES ('reader', 1);
PRAGMA user_version = 1;
"""


def test_a_file_of_the_first_version_is_taken_over(build, tmp_path):
    (tmp_path / "cloud" / "data").mkdir(parents=True)
    file = sqlite3.connect(tmp_path / "cloud" / "data" / "sandbox.db")
    file.executescript(SCHEMA_1)
    file.close()
    with start(build, tmp_path, users=0) as cloud:
        assert [u["id"] for u in cloud.get("/users", api_key="reader").data] == ["usr_old"]
        assert cloud.post("/attendance", {}, api_key="reader").status == 403
        assert [(r["id"], r["posts"]) for r in cloud.records()] == [("att_0000000007", 3)]
        assert cloud.post_attendance(user="usr_old", key="k").data["id"] == "att_0000000008"


def test_a_file_of_a_newer_version_is_left_alone(build, tmp_path):
    with start(build, tmp_path) as cloud:
        data = cloud.directory / "data"
    file = sqlite3.connect(data / "sandbox.db")
    file.execute("PRAGMA user_version = 99")
    file.close()
    run = subprocess.run([build / "punch-sandbox", "--data", data, "--listen", "127.0.0.1:0"],
                         capture_output=True, text=True, timeout=30, check=False)
    assert (run.returncode, run.stdout) == (1, "") and "newer version" in run.stderr


@pytest.mark.parametrize("counting", ["fixed", "sliding", "bucket"])
def test_what_is_used_of_a_window_outlives_kill_9(build, tmp_path, counting):
    def remaining(**kwargs):
        answer = cloud.get("/users?limit=1", **kwargs)
        assert int(answer.headers["X-RateLimit-Limit"]) == 5
        return answer.status, int(answer.headers["X-RateLimit-Remaining"])

    plan = ("--plan", "5", "--window", "24h", "--counting", counting)
    with start(build, tmp_path, *plan, "--key", "other") as cloud:
        assert [remaining() for _ in range(3)] == [(200, 4), (200, 3), (200, 2)]
        assert remaining(api_key="other") == (200, 4)
        cloud.kill()
        cloud.start()
        assert [remaining() for _ in range(3)] == [(200, 1), (200, 0), (429, 0)]
        cloud.restart(*plan)
        assert remaining() == (429, 0)
        assert remaining(api_key="other") == (200, 3)
        cloud.remove_key("other")
        cloud.add_key("other")
        cloud.restart(*plan)
        assert remaining(api_key="other") == (200, 4), "a new key, a new window"
        cloud.restart("--plan", "5", "--window", "23h", "--counting", counting)
        assert remaining() == (200, 4), "other windows begin anew"


def test_a_removed_key_stays_removed(build, tmp_path):
    with start(build, tmp_path) as cloud:
        cloud.add_key("short-lived")
        cloud.remove_key("short-lived")
        cloud.restart()
        assert cloud.get("/users", api_key="short-lived").status == 401


def test_a_new_folder_has_a_key_a_removed_one_does_not_return(build, tmp_path):
    with start(build, tmp_path, key_option=False) as cloud:
        assert cloud.get("/users", api_key="sandbox-key").status == 200
        cloud.remove_key("sandbox-key")
        cloud.restart()
        assert cloud.get("/users", api_key="sandbox-key").status == 401


def test_more_users_can_be_asked_for_later(build, tmp_path):
    with start(build, tmp_path, users=3) as cloud:
        cloud.put_user(id="usr_000005", name="Chosen")
        cloud.users = 6
        cloud.restart()
        users = cloud.get("/users").data
        assert sorted(u["id"] for u in users) == [f"usr_{i:06}" for i in range(1, 7)]
        assert "Chosen" in [u["name"] for u in users]


def send_until_killed(cloud, answered, sent, started, name):
    connection = cloud.connect()
    for i in range(100000):
        key = f"{name}-{i}"
        sent.append(key)
        try:
            answer = cloud.ask(connection, "POST", "/v1/attendance", cloud.punch(),
                               {"Idempotency-Key": key})
        except (OSError, http.client.HTTPException):
            return
        assert answer.status == 201
        answered[key] = answer.data["id"]
        if len(answered) > 200:
            started.set()


def test_kill_9_keeps_what_was_answered(build, tmp_path):
    with start(build, tmp_path) as cloud:
        for turn in range(3):
            answered, sent, started = {}, [], threading.Event()
            threads = [threading.Thread(target=send_until_killed,
                                        args=(cloud, answered, sent, started, f"{turn}-{n}"))
                       for n in range(4)]
            for thread in threads:
                thread.start()
            assert started.wait(30)
            cloud.process.send_signal(signal.SIGKILL)
            for thread in threads:
                thread.join()
            cloud.kill()
            cloud.start()
            kept = {r["idempotency_key"]: r["id"] for r in cloud.records()}
            assert len(answered) > 200
            assert {key: kept.get(key) for key in answered} == answered
            # What was cut off in the middle can be sent again under its key, to one record.
            lost = set(sent) - set(answered)
            assert lost
            for key in lost:
                identity = cloud.post_attendance(key=key).data["id"]
                assert kept.get(key, identity) == identity
        keys = [r["idempotency_key"] for r in cloud.records()]
        assert len(keys) == len(set(keys))


def test_what_cannot_be_committed_is_answered_500_and_forgotten(build, tmp_path, receiver):
    """A limit on the size of files stands for a full disk."""
    with start(build, tmp_path, "--webhook", receiver.url) as cloud:
        cloud.post_attendance(key="before")
        log = tmp_path / "cloud" / "data" / "sandbox.db-wal"
        resource.prlimit(cloud.process.pid, resource.RLIMIT_FSIZE,
                         (log.stat().st_size, resource.RLIM_INFINITY))
        answers = [cloud.post_attendance(key="full") for _ in range(2)]
        assert [a.status for a in answers] == [500, 500]
        assert answers[0].error["code"] == "internal_error"
        resource.prlimit(cloud.process.pid, resource.RLIMIT_FSIZE,
                         (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert [r["idempotency_key"] for r in cloud.records()] == ["before"]
        assert cloud.post_attendance(key="full").status == 201
        records = cloud.records()
        assert [r["idempotency_key"] for r in records] == ["before", "full"]
        # No event of what was rolled back.
        assert [e["data"]["id"] for e in receiver.wait(2)] == [r["id"] for r in records]


# ---- the CA

def test_the_ca_stays_and_the_certificate_follows_the_names(build, tmp_path):
    with start(build, tmp_path) as cloud:
        data = tmp_path / "cloud" / "data"
        ca, certificate = cloud.ca.read_bytes(), (data / "server.pem").read_bytes()
        cloud.restart()
        assert (data / "server.pem").read_bytes() == certificate
        assert (data / "ca.key").stat().st_mode & 0o777 == 0o600
        assert (data / "server.key").stat().st_mode & 0o777 == 0o600
        for names in (["--name", "192.0.2.7"], ["--name", "192.0.2.7", "--name", "cloud.example"]):
            cloud.restart(*names)
            assert (data / "server.pem").read_bytes() != certificate
            certificate = (data / "server.pem").read_bytes()
        assert cloud.ca.read_bytes() == ca
        for name in ("cloud.example", "192.0.2.7", "127.0.0.1"):
            context = ssl.create_default_context(cafile=str(cloud.ca))
            with socket.create_connection(("127.0.0.1", cloud.port), timeout=30) as raw:
                context.wrap_socket(raw, server_hostname=name).close()


@pytest.mark.parametrize("file", ["server.pem", "server.key", "ca.pem", "ca.key"])
def test_a_damaged_certificate_is_made_anew(build, tmp_path, file):
    with start(build, tmp_path) as cloud:
        (tmp_path / "cloud" / "data" / file).write_text("damaged")
        cloud.restart()
        assert cloud.get("/users").status == 200


def test_a_key_of_another_certificate_is_noticed(build, tmp_path):
    with start(build, tmp_path) as cloud:
        data = tmp_path / "cloud" / "data"
        (data / "server.key").write_bytes((data / "ca.key").read_bytes())
        cloud.restart()
        assert cloud.get("/users").status == 200
        (data / "ca.key").write_bytes((data / "server.key").read_bytes())
        cloud.restart()
        assert cloud.get("/users").status == 200


def test_a_listening_address_is_named(build, tmp_path):
    with start(build, tmp_path, "--listen", "127.0.0.2:0") as cloud:
        assert cloud.base_url.startswith("https://127.0.0.2:")
        text = subprocess.run(["openssl", "x509", "-noout", "-ext", "subjectAltName", "-in",
                               tmp_path / "cloud" / "data" / "server.pem"], check=True,
                              capture_output=True, text=True, timeout=30).stdout
        for name in ("IP Address:127.0.0.2", "IP Address:127.0.0.1", "DNS:localhost",
                     "IP Address:0:0:0:0:0:0:0:1"):
            assert name in text


# ---- how much

def pipeline(cloud, names, statuses):
    """Many POSTs on one connection without waiting for each answer."""
    connection = cloud.connect()
    connection.connect()
    stream = connection.sock
    requests = []
    for name in names:
        body = json.dumps(cloud.punch())
        requests.append(f"POST /v1/attendance HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                        f"{cloud.key}\r\nContent-Type: application/json\r\nIdempotency-Key: "
                        f"{name}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
    for i in range(0, len(requests), 50):
        burst = requests[i:i + 50]
        stream.sendall(b"".join(burst))
        found, rest = 0, b""
        while found < len(burst):
            piece = stream.recv(65536)
            assert piece, "closed early"
            rest += piece
            found = rest.count(b"\r\n\r\n{")
        statuses += [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", rest)]
    connection.close()


def test_ten_thousand_posts_from_many_connections(build, tmp_path):
    with start(build, tmp_path) as cloud:
        statuses, names = [], [f"key-{i}" for i in range(10000)]
        threads = [threading.Thread(target=pipeline, args=(cloud, names[i::8], statuses))
                   for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert statuses.count(201) == len(statuses) == 10000
        records = cloud.records()
        assert sorted(r["idempotency_key"] for r in records) == sorted(names)
        assert [r["seq"] for r in records] == list(range(1, 10001))
        # Each connection's order is kept.
        mine = set(names[3::8])
        assert [r["idempotency_key"] for r in records if r["idempotency_key"] in mine] == names[
            3::8]
        stats = cloud.stats()
        assert stats["records"] == stats["keys"] == 10000
        assert stats["by_path"]["POST /attendance"] == stats["answers"]["201"] == 10000
        assert stats["keys_again"] == stats["replayed"] == 0


def test_a_hundred_thousand_records_are_held_and_listed(build, tmp_path):
    with start(build, tmp_path) as cloud:
        cloud.stop()
        fill = ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) "
                "INSERT INTO attendance (user_id, device_id, type, at, created_at, key) "
                "SELECT 'usr_' || substr('00000' || (1 + i % 9), -6), 'dev_000001', 'check_in',"
                " 1672560000 + i * 25, 1700000000, 'key-' || i FROM n;")
        subprocess.run(["sqlite3", tmp_path / "cloud" / "data" / "sandbox.db", fill], check=True,
                       timeout=60)
        cloud.start()
        records = cloud.records()
        assert len(records) == 100000
        assert records[-1]["idempotency_key"] == "key-100000"
        page = cloud.request("GET", "/_sandbox/attendance?after=99990&limit=5", api_key=False)
        assert [r["seq"] for r in page.data] == list(range(99991, 99996))
        assert page.json["meta"] == {"total": 100000, "last": 99995}
        report = cloud.get("/reports/attendance?start_date=2023-01-01&end_date=2023-01-31").data
        assert report["summary"]["working_days"] == 22
        assert [u["attendance"]["present_days"] for u in report["users"]] == [21] * 9 + [0]
        assert cloud.post_attendance(key="one-more").data["id"] == "att_0000100001"


def anonymous_bytes(cloud):
    text = pathlib.Path(f"/proc/{cloud.process.pid}/smaps_rollup").read_text()
    return int(text.split("\nAnonymous:")[1].split()[0]) * 1024


def test_memory_does_not_grow_with_requests(build, tmp_path):
    """The first of them fill caches. Of the others each may leave 32 bytes: half of the smallest
    allocation that somebody forgets."""
    with start(build, tmp_path, "--plan", "1000000", "--window", "24h", users=200) as cloud:
        cloud.post_attendance(key="again")

        def ask(rounds):
            for _ in range(rounds):
                assert cloud.get("/users?limit=100").status == 200
                assert cloud.get("/nothing").status == 404
                assert cloud.get("/users", api_key="wrong").status == 401
                assert cloud.post_attendance(key="again").status == 201
                assert cloud.post_attendance(user="usr_nobody").status == 404
                assert cloud.post("/users", "{").status == 400
                assert cloud.get("/devices", api_key="reads").status == 200
                assert cloud.post_attendance(api_key="reads").status == 403
                assert cloud.get(REPORT).status == 200

        cloud.add_key("reads", rights="read")
        ask(100)
        before = anonymous_bytes(cloud)
        ask(500)
        assert anonymous_bytes(cloud) - before < 500 * 9 * 32


def test_sigterm_with_requests_running_ends_at_once(build, tmp_path):
    with start(build, tmp_path, "--fault", "slow=5m") as cloud:
        connections = [cloud.connect() for _ in range(3)]
        for connection in connections:
            connection.request("GET", "/v1/users", headers={"Authorization": "Bearer " + cloud.key})
        cloud.wait_stats(lambda s: s["running"] == 3, "three running requests")
        assert cloud.stop() == 0
