"""Reports, from the punch to the file: the gateway's own and the cloud's against the oracle, in each format
equal, and what becomes of those that cannot be had."""
import csv
import datetime
import io
import json
import os
import random
import signal
import socket
import subprocess
import threading

import pytest

import pdftable
import report_oracle as oracle
from conftest import BUILD
from fakecloud import FakeCloud
from gateway import Gateway, UnixConnection
from line import fast_broker, rfc3339, unix
from place import SERIAL, Place
from screen import Terminal
from waiting import wait_for

# Punches of past years are taken; what is double is the terminal's to know.
OPEN = {"punches.max_age": "36500d", "punches.double_tap": "0"}
FIRST, LAST = datetime.date(2026, 1, 1), datetime.date(2026, 1, 31)
PDF = (BUILD / "punch-report-pdf").exists()


def people(place):
    return [{k: u[k] for k in ("id", "name", "department")} for u in place.gateway.get("/v1/users")["data"]]


def send(place, punches):
    """(user, type, unix seconds), each under a name of its own."""
    place.hand.send_all([{"id": f"{who}-{kind}-{at}", "user": who, "type": kind, "time": rfc3339(at)}
                         for who, kind, at in punches])


def path(first=FIRST, last=LAST, **query):
    return f"/v1/report?start_date={first}&end_date={last}" + "".join(f"&{k}={v}" for k, v in query.items())


def said(place, *dates, **query):
    """What the oracle says, too."""
    data = place.gateway.get(path(*dates, **query))["data"]
    return {key: data[key] for key in ("summary", "users")}


def ctl(place, *args, first=FIRST, last=LAST, timeout=60):
    env = dict(os.environ, PUNCHD_SOCKET=str(place.gateway.socket), PATH=f"{BUILD}:{os.environ['PATH']}")
    return subprocess.run([BUILD / "punchctl", "report", "--from", str(first), "--to", str(last), *map(str, args)],
                          capture_output=True, env=env, timeout=timeout)


def rows(text):
    """Of a CSV, by Python's own reader."""
    return list(csv.DictReader(io.StringIO(text, newline="")))


def as_row(user):
    """What the CSV's row of a user must say."""
    a = user["attendance"]
    return {"id": user["id"], "name": user["name"], "department": user["department"] or "",
            "present_days": str(a["present_days"]), "absent_days": str(a["absent_days"]),
            "late_days": str(a["late_days"]), "early_departure_days": str(a["early_departure_days"]),
            "attendance_percentage": f"{a['attendance_percentage']:.2f}"}


# ---- random months

STORIES = int(os.environ.get("PUNCHD_REPORT_STORIES", 4))


@pytest.mark.parametrize("seed", range(STORIES))
def test_the_gateways_own_is_the_oracles(tmp_path, seed):
    """Any zone, any turn of the day, any week and hours: what was sent, and nothing else."""
    rng = random.Random(seed)
    rules = oracle.random_rules(rng)
    first, last = oracle.month(rng)
    rules.holidays = frozenset([first + 3 * oracle.DAY, (first.month, 15)])
    with Place(tmp_path, users=8, settings={**rules.settings(), **OPEN}) as place:
        users = people(place)
        punches = oracle.random_punches(rng, rules, first, last, users)
        send(place, punches)
        assert said(place, first, last, source="local") == oracle.report(rules, first, last, users, punches)
        who, department = users[2]["id"], users[0]["department"]
        assert said(place, first, last, source="local", user_id=who) == \
            oracle.report(rules, first, last, users, punches, user_id=who)
        assert said(place, first, last, source="local", department=department.replace(" ", "+")) == \
            oracle.report(rules, first, last, users, punches, department=department)


@pytest.mark.parametrize("seed", range(STORIES // 2))
def test_the_clouds_is_the_oracles_and_the_gateways(tmp_path, seed):
    """With equal settings, and everything delivered: the three agree, in each format."""
    rng = random.Random(seed + 1000)
    rules = oracle.random_rules(rng, zone=rng.choice(["UTC", "Asia/Kolkata"]), day_start=0)
    first, last = oracle.month(rng)
    with Place(tmp_path, "--working-days", " ".join(rules.week), "--late-after", oracle.clock(rules.late_after),
               "--early-before", oracle.clock(rules.early_before), "--report-zone", rules.zone,
               "--pdf-program", BUILD / "punch-report-pdf",
               users=8, settings={**rules.settings(), **OPEN}) as place:
        users = people(place)
        punches = oracle.random_punches(rng, rules, first, last, users)
        send(place, punches)
        place.gateway.wait_delivered(len(punches))
        wanted = oracle.report(rules, first, last, users, punches)
        assert said(place, first, last, source="cloud") == wanted
        assert said(place, first, last, source="local") == wanted
        done = ctl(place, "--compare", first=first, last=last)
        assert (done.returncode, done.stderr) == (0, b""), done
        assert b"are equal" in done.stdout and b"all are counted and delivered" in done.stdout
        for source in ((), ("--local",)):
            done = ctl(place, "--format", "csv", *source, first=first, last=last)
            got = [{k: v for k, v in row.items() if not k.startswith("report_")} for row in rows(done.stdout.decode())]
            assert got == [as_row(user) for user in wanted["users"]]
            if PDF:
                out = tmp_path / f"report-{len(source)}.pdf"
                done = ctl(place, *source, "-o", out, first=first, last=last)
                assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
                found = [[pdftable.letters(cell).rstrip("%") for cell in row] for row in pdftable.read(out)[1]]
                assert found == [[pdftable.letters(cell) for cell in as_row(user).values()] for user in wanted["users"]]


# ---- what it does not know

def in_and_out(who, day, into=9, out=17):
    return [(who, "check_in", unix(f"{day}T{into:02}:00:00Z")), (who, "check_out", unix(f"{day}T{out:02}:00:00Z"))]


def test_how_complete_it_is(tmp_path):
    with Place(tmp_path, users=3, settings=OPEN) as place:
        send(place, in_and_out("usr_000001", "2026-01-05"))
        place.gateway.wait_delivered(2)
        place.send({"id": "held", "user": "77", "user_kind": "pin", "time": "2026-01-06T09:00:00Z"})
        place.send({"id": "parked", "user": "usr_000001", "time": "2026-01-06T09:00"})
        place.send({"id": "other month", "user": "77", "user_kind": "pin", "time": "2026-03-06T09:00:00Z"})
        place.gateway.request("POST", "/v1/pause", "{}")
        send(place, in_and_out("usr_000002", "2026-01-05"))
        data = place.gateway.get(path(source="local"))["data"]
        c = data["completeness"]
        assert {k: c[k] for k in ("queued", "held", "in_doubt", "unlisted")} == \
            {"queued": 2, "held": 1, "in_doubt": 0, "unlisted": 0}
        # One without a time is of the day on which it came, which turns over at day_start.
        assert c["parked"] == 0
        day = rfc3339(unix(data["generated_at"]) - 4 * 3600)[:10]
        assert place.gateway.get(path(day, day, source="local"))["data"]["completeness"]["parked"] == 1
        assert c["users_synced_at"] == place.gateway.status()["directory"]["users_synced_at"]
        # The gateway is there since just now; before that there may have been others.
        assert c["complete_from"] > str(LAST)
        # Queued ones count: they will be there.
        assert [u["attendance"]["present_days"] for u in data["users"]] == [1, 1, 0]
        # Of one person: what is theirs, and what may be.
        c = place.gateway.get(path(source="local", user_id="usr_000003"))["data"]["completeness"]
        assert (c["queued"], c["held"]) == (0, 1)
        # In every row of the CSV, also where there is nobody.
        for more in ({}, {"department": "nowhere"}):
            found = rows(place.gateway.request("GET", path(source="local", format="csv", **more))[1])
            assert len(found) == (1 if more else 3)
            assert {row["report_held"] for row in found} == {"1"}
            assert {row["report_users_synced_at"] for row in found} == {c["users_synced_at"]}
        done = ctl(place, "--compare")
        assert done.returncode == 1
        lines = done.stdout.decode().splitlines()
        assert any(line.split()[0] == "usr_000002" and "attendance.present_days" in line for line in lines)
        assert "punches of the period: 1 held and not counted, 2 counted and not in the cloud yet" in lines
        done = ctl(place, "--compare", "--json")
        document = json.loads(done.stdout)
        assert done.returncode == 1 and document["completeness"]["queued"] == 2
        assert {"id": "usr_000002", "field": "attendance.present_days", "cloud": 0, "local": 1} in document["differences"]
        assert not [d for d in document["differences"] if d["id"] == "usr_000001"]


def test_while_the_cloud_is_away(tmp_path):
    """The gateway's own needs nobody, and the cloud's is refused in words that name it."""
    with Place(tmp_path, users=3, settings=OPEN) as place:
        place.cloud.stop()
        send(place, in_and_out("usr_000001", "2026-01-05"))
        place.gateway.wait_status(lambda s: s["api"]["state"] in ("offline", "backoff"), "the cloud is away")
        data = place.gateway.get(path(source="local"))["data"]
        assert data["users"][0]["attendance"]["present_days"] == 1 and data["completeness"]["queued"] == 2
        place.gateway.wait_status(lambda s: s["api"]["state"] == "offline", "it is seen to be away")
        status, document = place.gateway.request("GET", path(), timeout=90)
        assert status == 503 and document["error"]["code"] in ("offline", "api_offline"), document
        done = ctl(place, "-o", tmp_path / "report.json")
        assert done.returncode == 1 and b"--local" in done.stderr
        assert not (tmp_path / "report.json").exists()


def test_terminals_that_are_silent(tmp_path):
    today = datetime.date.today()
    with Place(tmp_path, users=2, settings=OPEN) as place:
        place.send({"id": "1", "user": "usr_000001"})
        place.hand.client.publish(f"att/v1/{SERIAL}/status", '{"online":false}', 1, True)
        place.gateway.wait_alarm("terminal_silent")
        found = place.gateway.get(path(today, today, source="local"))["data"]["completeness"]["silent_terminals"]
        assert [t["serial"] for t in found] == [SERIAL] and found[0]["since"].startswith(str(today.year))
        # It fell silent after that month.
        assert place.gateway.get(path(source="local"))["data"]["completeness"]["silent_terminals"] == []
        if PDF:
            out = tmp_path / "report.pdf"
            assert ctl(place, "--local", "-o", out, first=today, last=today).returncode == 0
            assert f"Terminal {SERIAL} has been silent since" in pdftable.text(out, "-layout")


def test_what_was_purged_is_told(tmp_path):
    """Of a month whose punches are gone it says from when on it is whole."""
    with Place(tmp_path, users=2, settings={**OPEN, "store.retention": "1s", "punches.accept_from": "2020-01-01T00:00:00Z",
                                            "punches.max_age": "1d"}) as place:
        yesterday = datetime.date.today() - 2 * oracle.DAY
        send(place, in_and_out("usr_000001", yesterday))
        for record in place.gateway.punches():
            place.gateway.request("POST", f"/v1/punches/{record['id']}/discard", "{}")
        before = place.gateway.get(path(yesterday - 5 * oracle.DAY, yesterday, source="local"))["data"]["completeness"]
        assert before["complete_from"] is None
        place.send({"id": "later", "user": "usr_000001"})  # the newest row always stays
        def purged():
            place.gateway.process.send_signal(signal.SIGHUP)  # it looks for what to purge
            return len(place.gateway.punches()) == 1

        wait_for(purged, "the old ones are purged")
        after = place.gateway.get(path(yesterday - 5 * oracle.DAY, yesterday + oracle.DAY, source="local"))["data"]["completeness"]
        assert after["complete_from"] == str(yesterday + oracle.DAY)


# ---- what cannot be had

@pytest.mark.parametrize("query,code,gist", [
    ("start_date=2026-02-29&end_date=2026-03-01", 400, "start_date is no day of the calendar"),
    ("start_date=2026-01-01&end_date=2026-1-31", 400, "end_date is no day of the calendar"),
    ("start_date=2026-01-31&end_date=2026-01-01", 400, "end_date is before start_date"),
    ("start_date=2000-01-01&end_date=2026-01-01", 400, "a report is of at most 3660 days"),
    ("start_date=2026-01-01", 400, "end_date is missing"),
    ("start_date=2026-01-01&end_date=2026-01-31&format=xls", 400, "format is json, csv or pdf, not xls"),
    ("start_date=2026-01-01&end_date=2026-01-31&source=moon", 400, "source is cloud or local, not moon"),
    ("start_date=2026-01-01&end_date=2026-01-31&colour=red", 400, "takes no parameter colour"),
    (f"start_date=2026-01-01&end_date=2026-01-31&user_id={'x' * 600}", 400, "at most 500 bytes"),
    ("start_date=2026-01-01&end_date=2026-01-31&source=local&format=pdf", 501, "punchd-report"),
    ("start_date=2026-01-01&end_date=2026-01-31&source=local&user_id=usr_none", 404, "there is no such user"),
    ("start_date=2026-01-01&end_date=2026-01-31&user_id=usr_none", 404, "there is no such user"),
])
def test_what_is_refused(place, query, code, gist):
    status, document = place.gateway.request("GET", f"/v1/report?{query}")
    assert status == code and gist in document["error"]["message"], document


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with Place(tmp_path_factory.mktemp("place"), users=3, settings=OPEN) as place:
        yield place


@pytest.mark.parametrize("args,gist", [
    (["--from", "2026-02-30"], "--from takes a time"),
    (["--to", "2025-12-31"], "--to is before --from"),
    (["--format", "xls"], "--format takes one of these words: json csv pdf"),
    (["--compare", "--local"], "leave out --local"),
    (["--json", "--format", "csv"], "--json or --format"),
])
def test_usage(place, args, gist):
    done = ctl(place, *args)
    assert (done.returncode, done.stdout) == (2, b"") and gist in done.stderr.decode()


def test_on_a_terminal(place):
    env = dict(os.environ, PUNCHD_SOCKET=str(place.gateway.socket))
    base = [str(BUILD / "punchctl"), "report", "--from", str(FIRST), "--to", str(LAST)]
    with Terminal(base + ["--local"], env=env, columns=120) as terminal:
        assert terminal.wait() == 0
        assert "22 working days of 31, 3 people" in terminal.text() and "ATTENDANCE" in terminal.text()
    with Terminal(base + ["--format", "pdf"], env=env, columns=120) as terminal:
        assert terminal.wait() == 2
        assert "a PDF is nothing for a terminal" in terminal.text()


@pytest.mark.skipif(not PDF, reason="built --without-report")
def test_without_the_program_for_pdf(place, tmp_path):
    env = {"PUNCHD_SOCKET": str(place.gateway.socket), "PATH": str(tmp_path)}
    done = subprocess.run([BUILD / "punchctl", "report", "--from", str(FIRST), "--to", str(LAST), "--local", "-o",
                           tmp_path / "report.pdf"], capture_output=True, env=env)
    assert done.returncode == 1 and b"apt install punchd-report" in done.stderr
    assert list(tmp_path.iterdir()) == []


# ---- a cloud that answers badly

USER = {"id": "usr_000001", "name": "One", "department": None,
        "attendance": {"present_days": 1, "absent_days": 21, "late_days": 0, "early_departure_days": 0,
                       "attendance_percentage": 4.55}}
GOOD = json.dumps({"data": {"report_id": "rep_1", "start_date": "2026-01-01", "end_date": "2026-01-31", "department": None,
                            "generated_at": "2026-02-01T00:00:00Z",
                            "summary": {"total_users": 400, "total_days": 31, "working_days": 22, "average_attendance": 4.55},
                            "users": [USER] * 400}}).encode()


class ReportCloud(FakeCloud):
    report = None  # plays an Exchange

    def _list(self, x):
        return self.report(x) if "/reports/" in x.path else super()._list(x)


@pytest.fixture
def bad(tmp_path):
    class Bad:
        pass
    with fast_broker(under=tmp_path) as broker, ReportCloud(tmp_path, users=2) as cloud:
        bad = Bad()
        bad.cloud = cloud
        bad.gateway = Gateway(broker.port, cloud.base_url, cloud.ca, cloud.key, under=tmp_path,
                              settings={**OPEN, "api.timeout": "2s"})
        bad.gateway.wait_synced()
        yield bad
        bad.gateway.done()


def cut(at, **headers):
    def play(x):
        x.answer(200, GOOD[:at], {"Content-Length": len(GOOD), **headers}, length=False)
        return False
    return play


def slowly(x):
    x.answer(200, GOOD[:1000], {"Content-Length": len(GOOD)}, length=False)
    x.wait_gone()
    return False


def say(status, body=b"", headers=None):
    def play(x):
        x.answer(status, body, headers)
        return True
    return play


BAD = {
    "cut at the first byte": (cut(1), "broke off"),
    "cut in the middle": (cut(len(GOOD) // 2), "broke off"),
    "cut before the last byte": (cut(len(GOOD) - 1), "broke off"),
    "it stalls": (slowly, "broke off"),
    "html": (say(200, b"<html>hello</html>", {"Content-Type": "text/html"}), "not the report that was asked for"),
    "another file": (say(200, b"id,name\n", {"Content-Type": "text/csv"}), "not the report that was asked for"),
    "a proxy's page": (say(502, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"}), ""),
    "503": (say(503, {"error": {"code": "maintenance", "message": "back at six"}}), "back at six (maintenance)"),
    "400": (say(400, {"error": {"code": "invalid_request", "message": "too many days", "param": "end_date"}}),
            "too many days (invalid_request)"),
    "403": (say(403, {"error": {"code": "forbidden", "message": "not with this key"}}), "not with this key (forbidden)"),
    "401": (say(401, {"error": {"code": "invalid_api_key", "message": "who are you"}}), "who are you (invalid_api_key)"),
}


@pytest.mark.parametrize("how", BAD)
def test_a_cloud_that_answers_badly(bad, tmp_path, how):
    """A line that says what it was, and no file, nor half of one, nor a change to an older one."""
    bad.cloud.report, gist = BAD[how]
    out = tmp_path / "out"
    out.mkdir()
    (out / "old.json").write_text("an older one")
    for name in ("new.json", "old.json"):
        done = ctl(bad, "-o", out / name)
        assert done.returncode == 1 and done.stdout == b"", done
        if name == "new.json":  # the second one may be told that the first one failed
            assert gist in done.stderr.decode() and done.stderr.count(b"\n") == 1, done.stderr
        if how in ("403", "401"):
            break
    assert {p.name: p.read_text() for p in out.iterdir()} == {"old.json": "an older one"}
    # It holds up nothing else.
    assert bad.gateway.status()["state"] in ("ok", "degraded")


def test_the_clouds_words_with_status(bad):
    bad.cloud.report = BAD["400"][0]
    assert bad.gateway.request("GET", path()) == (400, {"error": {
        "code": "invalid_request", "message": "too many days", "param": "end_date", "cloud_status": 400}})
    bad.cloud.report = BAD["503"][0]
    status, document = bad.gateway.request("GET", path())
    assert (status, document["error"]["cloud_status"]) == (502, 503)


def test_a_whole_one_comes_as_it_is(bad, tmp_path):
    bad.cloud.report = say(200, GOOD)
    out = tmp_path / "report.json"
    assert ctl(bad, "-o", out).returncode == 0
    assert out.read_bytes() == GOOD
    assert ctl(bad).stdout == GOOD


def raw(gateway, request):
    """All that comes, until the gateway closes."""
    with socket.socket(socket.AF_UNIX) as conn:
        conn.settimeout(30)
        conn.connect(str(gateway.socket))
        conn.sendall(request.encode())
        got = b""
        while piece := conn.recv(65536):
            got += piece
        return got


@pytest.mark.parametrize("source", ["cloud", "local"])
def test_head_and_the_old_protocol(bad, source):
    """A HEAD has the head alone; HTTP/1.0 gets the same bytes, which the end of the connection ends."""
    bad.cloud.report = say(200, GOOD)
    where = path(source=source)
    head = raw(bad.gateway, f"HEAD {where} HTTP/1.1\r\nHost: punchd\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ") and head.endswith(b"\r\n\r\n") and head.count(b"\r\n\r\n") == 1
    old = raw(bad.gateway, f"GET {where} HTTP/1.0\r\n\r\n").partition(b"\r\n\r\n")
    assert b"chunked" not in old[0] and json.loads(old[2])["data"]["end_date"] == str(LAST)
    assert source == "local" or old[2] == GOOD


def test_what_breaks_off_has_no_end(bad):
    """The last chunk is missing, which is how a client knows."""
    bad.cloud.report = cut(len(GOOD) // 2)
    got = raw(bad.gateway, f"GET {path()} HTTP/1.1\r\nHost: punchd\r\n\r\n")
    assert not got.endswith(b"0\r\n\r\n")
    bad.cloud.report = say(200, GOOD)
    assert raw(bad.gateway, f"GET {path()} HTTP/1.1\r\nHost: punchd\r\n\r\n").endswith(b"0\r\n\r\n")


def big(size, piece=65536, done=None):
    """A CSV of so many bytes, for whoever takes it."""
    def play(x):
        x.answer(200, b"", {"Content-Type": "text/csv", "Content-Length": size}, length=False)
        sent = 0
        try:
            while sent < size:
                x.say(b"x" * min(piece, size - sent))
                sent += piece
        finally:
            if done is not None:
                done.append(sent)
        return False
    return play


# What was freed stays in AddressSanitizer's quarantine, and counts.
PLAIN = pytest.mark.skipif("asan" in BUILD.name, reason="memory is not the program's own in this build")


def memory(gateway):
    with open(f"/proc/{gateway.process.pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM")) * 1024


@PLAIN
def test_a_large_one_is_never_held(bad, tmp_path):
    """100 MB go through a gateway that grows by less than 8, to a file with the same bytes."""
    size, before = 100_000_000, memory(bad.gateway)
    bad.cloud.report = big(size)
    out = tmp_path / "report.csv"
    assert ctl(bad, "-o", out).returncode == 0
    assert out.stat().st_size == size
    assert memory(bad.gateway) - before < 8_000_000


@PLAIN
def test_who_takes_it_slowly_slows_the_cloud(bad):
    """What nobody takes stays with the cloud; who hangs up ends its answer."""
    sent, before = [], memory(bad.gateway)
    bad.cloud.report = big(50_000_000, done=sent)
    connection = UnixConnection(bad.gateway.socket, 30)
    connection.request("GET", path(format="csv"))
    answer = connection.getresponse()
    assert answer.status == 200 and answer.getheader("Content-Disposition") == \
        'attachment; filename="attendance-2026-01-01-2026-01-31.csv"'
    assert answer.read(1000) == b"x" * 1000
    for _ in range(20):  # meanwhile others are served
        bad.gateway.status()
    assert not sent and memory(bad.gateway) - before < 8_000_000
    answer.close()
    connection.close()
    wait_for(lambda: sent, "the cloud is told that it may stop")
    assert sent[0] < 50_000_000
    bad.gateway.status()


def test_who_hangs_up_before_it_begins_ends_it_too(bad):
    """The cloud still computes, nothing was sent yet: it is not left to it."""
    asked, gone = threading.Event(), threading.Event()

    def compute(x):
        asked.set()
        x.wait_gone()
        gone.set()
        return False

    bad.cloud.report = compute
    connection = UnixConnection(bad.gateway.socket, 30)
    connection.request("GET", path())
    assert asked.wait(20)
    assert not gone.is_set()
    connection.close()
    # Left to itself it would take ten times the time-out.
    assert gone.wait(10), "the cloud is told that nobody waits"


def test_a_429_is_waited_out(bad):
    """Somebody else used the window up: who asked is not told so, but gets his report a moment later."""
    answers = [say(429, {"error": {"code": "rate_limit_exceeded", "message": "slow down"}}, {"Retry-After": "1"}),
               say(200, GOOD)]
    bad.cloud.report = lambda x: answers.pop(0)(x)
    assert bad.gateway.request("GET", path(), timeout=90) == (200, json.loads(GOOD))
    assert answers == []


@pytest.mark.parametrize("signo", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_download_that_is_interrupted(bad, tmp_path, signo):
    bad.cloud.report = slowly
    out = tmp_path / "out"
    out.mkdir()
    env = dict(os.environ, PUNCHD_SOCKET=str(bad.gateway.socket))
    child = subprocess.Popen([BUILD / "punchctl", "report", "--from", str(FIRST), "--to", str(LAST), "-o", out / "report.json"],
                             env=env, stderr=subprocess.DEVNULL)
    wait_for(lambda: any(p.stat().st_size for p in out.iterdir()), "something has come")
    child.send_signal(signo)
    assert child.wait(30) == -signo
    assert list(out.iterdir()) == []


def test_the_gateway_ends_meanwhile(bad, tmp_path):
    """Neither waits for the other: it ends at once, and the file does not appear."""
    bad.cloud.report = slowly
    done = []
    thread = threading.Thread(target=lambda: done.append(ctl(bad, "-o", tmp_path / "report.json")))
    thread.start()
    wait_for(lambda: any(p.name.startswith(".report.json.") and p.stat().st_size for p in tmp_path.iterdir()),
             "something has come")
    assert bad.gateway.end() == 0
    thread.join(30)
    assert done[0].returncode == 1 and b"broke off" in done[0].stderr
    assert not [p for p in tmp_path.iterdir() if "report.json" in p.name]


# ---- the rate limit

def test_it_waits_for_its_turn(tmp_path):
    """Where the window is used up, it is not refused: it comes with the next window."""
    with Place(tmp_path, "--plan", "10", "--window", "3s", users=3, settings={**OPEN, "api.plan": "10"}) as place:
        send(place, [p for n in range(1, 13) for p in in_and_out("usr_000001", f"2026-01-{n:02}")])
        place.gateway.wait_delivered(5)
        status, document = place.gateway.request("GET", path(), timeout=90)
        assert status == 200, document
