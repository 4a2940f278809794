"""punchctl against the real daemon, broker and cloud: every command, its documents, its exit codes."""
import contextlib
import itertools
import json
import os
import pwd
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time

import pytest

from conftest import BUILD, ROOT
from gateway import Gateway
from line import Hand, fast_broker, morning, punches, rfc3339, user
from sandbox import Sandbox
from screen import Emulator, Terminal
from waiting import wait_for

MANY = 1100  # more than two pages of punchctl's
EVIL = "Eve\x1b[2J\u202e\u009b31m"


class Run:
    """What punchctl said to one question."""

    def __init__(self, *args, socket=None, env=None, **kwargs):
        command = [BUILD / "punchctl"] + (["--socket", socket] if socket else [])
        environment = dict(os.environ, TZ="UTC", **(env or {}))
        kwargs.setdefault("capture_output", True)
        run = subprocess.run([str(c) for c in command + list(args)], env=environment, timeout=60,
                             **kwargs)
        self.code = run.returncode
        self.out = (run.stdout or b"").decode()
        self.err = (run.stderr or b"").decode()

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def rows(self):
        return [line.split("  ") for line in self.out.splitlines()]

    def __repr__(self):
        return f"exit {self.code}\n{self.out}\n{self.err}"


class Place:
    """Broker, cloud and gateway, with punches of every kind that this version knows."""

    def __init__(self, work):
        self.broker = fast_broker(under=work)
        self.cloud = Sandbox(BUILD, work / "cloud", users=20, devices="BIO-FP-001,BIO-FP-002").start()
        self.cloud.put_user(id=user(2), name=EVIL)
        self.gateway = Gateway(self.broker.port, self.cloud.base_url, self.cloud.ca, self.cloud.key,
                               under=work)
        self.gateway.wait_connected()
        self.gateway.wait_synced()

    def ask(self, *args, **kwargs):
        return Run(*args, socket=self.gateway.relayed(), **kwargs)

    def done(self):
        self.gateway.done()
        self.cloud.stop()
        self.broker.done()


def send_everything(place):
    """The cloud takes MANY and refuses one; one waits for its user, one cannot be read."""
    place.many = punches(MANY, users=15, step=30)
    place.cloud.remove_user(user(20))
    refused = punches(1, users=1, label="refused", start=morning(2))[0] | {"user": user(20)}
    unknown = punches(1, users=1, label="unknown", start=morning(2))[0] | {"user": "1001"}
    with Hand(place.broker.port) as one, Hand(place.broker.port, serial="BIO-FP-002") as two:
        one.send_all(place.many, batch=100)
        two.send_all([refused, unknown, {"id": "malformed"}])
        one.wait_acked(place.many)
        two.wait_acked([refused, unknown, {"id": "malformed"}])
    place.gateway.wait_status(
        lambda s: s["counts"]["delivered"] == MANY and s["queue"]["queued"] == 0, "all is sent")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("ctl"))
    try:
        send_everything(place)
        yield place
    finally:
        place.done()


@pytest.fixture
def shipped(tmp_path):
    """A mosquitto.conf like Debian's, with what we ship beside it."""
    path = tmp_path / "shipped.conf"
    path.write_text(f"persistence true\ninclude_dir {ROOT}/etc/mosquitto\n")
    return path


@pytest.fixture
def small(tmp_path):
    """A place of a test's own, which it may break."""
    place = Place(tmp_path)
    try:
        yield place
    finally:
        place.done()


def the_only(place, query):
    found = place.gateway.punches(query)
    assert len(found) == 1
    return found[0]


# ---- status and alarms

def test_status(place):
    run = place.ask("status")
    assert (run.code, run.err) == (0, "")
    for label in ("Broker", "Cloud", "Budget", "Queue", "Punches", "Directory", "Store", "Clock"):
        assert len(re.findall(f"(?m)^{label} ", run.out)) == 1, run
    assert re.search(r"(?m)^Queue +0 queued; 1 held, 2 parked$", run.out), run
    assert f"{MANY + 3} received: {MANY + 3} stored, 0 duplicate; {MANY} delivered" in run.out
    assert re.search(r"(?m)^BIO-FP-002 +dev_000002 ", run.out), run
    # Into a pipe: no colour, and nothing cut.
    assert "\x1b" not in run.out and "…" not in run.out


def test_status_as_json_is_what_punchd_said(place):
    document = place.ask("status", "--json").json
    own = place.gateway.status()
    assert document.keys() == own.keys()
    assert document["counts"] == own["counts"]
    assert document["api"]["key"] == {"there": True, "warning": None}


def test_alarms(place):
    run = place.ask("alarms")
    assert run.code == 0
    assert run.rows[0][0] == "SEVERITY"
    assert {"held", "parked"} <= set(run.out.split())
    codes = {a["code"] for a in place.ask("--json", "alarms").json["alarms"]}
    assert codes == place.gateway.alarms()


# ---- punches

def test_punches_are_listed_newest_first(place):
    run = place.ask("punches", "--utc")
    lines = run.out.splitlines()
    assert run.code == 0 and len(lines) == 51
    assert lines[0].split() == ["TIME", "USER", "TYPE", "TERMINAL", "STATE", "REASON", "ID"]
    ids = [p["id"] for p in place.gateway.punches()][:50]
    assert [line.split()[-1] for line in lines[1:]] == ids
    # Columns stand one below the other, in whatever script names are written.
    paper = Emulator(400, 60)
    paper.feed(run.out.replace("\n", "\r\n").encode())
    assert not run.out.isascii()
    for title in ("USER", "TYPE", "TERMINAL", "STATE", "REASON", "ID"):
        column = lines[0].index(f"  {title}") + 2
        for cells in paper.lines[:51]:
            assert cells[column - 2:column] == [" ", " "] and cells[column] != " "


@pytest.mark.parametrize("limit, count", [(1, 1), (500, 500), (501, 501), (1000, 1000),
                                          (1001, 1001), (5000, MANY + 3), (0, MANY + 3)])
def test_pages_become_one_list(place, limit, count):
    own = [p["id"] for p in place.gateway.punches()][:count]
    run = place.ask("punches", "--limit", str(limit))
    lines = run.out.splitlines()
    assert [line.split()[-1] for line in lines[1:]] == own
    document = place.ask("punches", "--limit", str(limit), "--json").json
    assert [p["id"] for p in document["data"]] == own
    assert (document["meta"]["next"] is None) == (count == MANY + 3)


def test_filters(place):
    all_of_them = place.gateway.punches()
    middle = place.many[MANY // 2]["time"]

    def listed(*args):
        run = place.ask("punches", "--json", "--limit", "0", *args)
        assert run.code == 0, run
        return [p["id"] for p in run.json["data"]]

    def those(condition):
        return [p["id"] for p in all_of_them if condition(p)]

    assert listed("--state", "delivered") == those(lambda p: p["state"] == "delivered")
    assert listed("--state", "parked") == those(lambda p: p["state"] == "parked")
    assert listed("--reason", "malformed") == those(lambda p: p["reason"] == "malformed")
    assert listed("--reason", "api_404") == those(lambda p: p["reason"] == "api_404")
    assert listed("--user", user(3)) == those(lambda p: (p["user"] or {}).get("user_id") == user(3))
    assert listed("--user", "1001") == those(lambda p: (p["user"] or {}).get("value") == "1001")
    assert len(listed("--device", "BIO-FP-002")) == 3
    assert listed("--device", "dev_000001") == those(lambda p: p["device_id"] == "dev_000001")
    assert listed("--from", middle) == those(lambda p: p["time"] and p["time"] >= middle)
    assert listed("--to", middle) == those(lambda p: p["time"] and p["time"] < middle)
    assert listed("--from", middle, "--user", user(3), "--state", "delivered") == those(
        lambda p: p["time"] and p["time"] >= middle and (p["user"] or {}).get("user_id") == user(3))
    day = rfc3339(morning(2))[:10]
    assert len(listed("--from", day, "--to", day, "--utc")) == 2
    assert listed("--from", "1s") == []


def test_no_punches(place):
    run = place.ask("punches", "--user", "nobody")
    assert (run.code, run.out) == (0, "no punches\n")
    assert place.ask("punches", "--user", "nobody", "--json").json["data"] == []


def test_a_reason_that_punchd_does_not_know(place):
    run = place.ask("punches", "--reason", "moon")
    assert (run.code, run.out) == (1, "") and "moon" in run.err
    run = place.ask("punches", "--reason", "moon", "--json")
    assert run.code == 1 and run.json["error"]["code"] == "bad_request"


def test_names_from_strangers_are_shown_and_not_obeyed(place):
    query = ["punches", "--user", user(2), "--limit", "1"]
    run = place.ask(*query)
    assert "Eve\\x1b[2J\\u202e\\u009b31m" in run.out
    with Terminal([BUILD / "punchctl", "--socket", place.gateway.socket, *query]) as t:
        assert t.wait() == 0
        assert "Eve\\x1b[2J" in t.text()
        assert not re.search("\x1b\\[2J|\u202e|\u009b", t.output())
    with Terminal([BUILD / "punchctl", "--socket", place.gateway.socket, *query, "--json"]) as t:
        assert t.wait() == 0
        assert json.loads(t.output())["data"][0]["user"]["name"] == EVIL
        assert not re.search("\x1b|\u202e|\u009b", t.output())


# ---- trace

def test_trace_of_a_delivered_punch(place):
    punch = place.gateway.punches("&state=delivered")[0]
    run = place.ask("trace", punch["id"])
    assert run.code == 0
    history = run.out.partition("\n\n")[2].splitlines()
    assert history[0].split() == ["AT", "EVENT", "WHAT"]
    # The time of a judging is not kept: it shows as a dash.
    assert [re.match(r"(?:\S+ \S+|-)  +(\w+)  ", line)[1] for line in history[1:]] == [
        "received", "judged", "frozen", "attempt", "settled"]
    assert re.search(r"(?m)^state +delivered$", run.out)
    assert punch["att_id"] in run.out
    document = place.ask("trace", punch["id"], "--json").json["data"]
    assert document["id"] == punch["id"]
    assert [e["event"] for e in document["trace"]] == [
        "received", "judged", "frozen", "attempt", "settled"]


def test_trace_of_a_held_punch(place):
    punch = the_only(place, "&state=held")
    run = place.ask("trace", punch["id"])
    assert re.search(r"(?m)^reason +unknown_user$", run.out)
    assert re.search(r"(?m)^user +kind=pin value=1001$", run.out)
    assert "frozen  " not in run.out.split("EVENT")[1]
    events = [e["event"] for e in place.ask("trace", punch["id"], "--json").json["data"]["trace"]]
    assert events == ["received", "judged"]


def test_trace_of_parked_punches(place):
    malformed = the_only(place, "&reason=malformed")
    run = place.ask("trace", malformed["id"])
    assert 'topic=att/v1/BIO-FP-002/punch raw={"id": "malformed"}' in run.out
    refused = the_only(place, "&reason=api_404")
    run = place.ask("trace", refused["id"])
    assert re.search(r"(?m)^error +code=\S+ message=", run.out)
    assert "outcome=refused status=404" in run.out
    assert place.ask("trace", refused["id"], "--json").json["data"]["error"]["code"]


def test_a_unique_beginning_of_an_id_will_do(place):
    ids = sorted(p["id"] for p in place.gateway.punches())
    wanted = ids[len(ids) // 2]
    shared = max(len(os.path.commonprefix([wanted, other])) for other in ids if other != wanted)
    for length in (shared + 1, shared + 2, 32):
        run = place.ask("--json", "trace", wanted[:length])
        assert run.json["data"]["id"] == wanted
    assert place.ask("trace", wanted[:shared + 1].upper()).code == 0
    run = place.ask("trace", wanted[:shared])
    assert (run.code, run.out) == (1, "") and "give more digits" in run.err
    run = place.ask("trace", wanted[:shared], "--json")
    assert run.json["error"]["code"] == "not_unique"


@pytest.mark.parametrize("what", ["ffffffff", "0" * 32, "0" * 33, "xyz", "../status", "a b/?", "é"])
def test_a_punch_that_is_not_there(place, what):
    run = place.ask("trace", what)
    assert (run.code, run.out) == (1, "")
    assert "there is no " in run.err
    run = place.ask("trace", what, "--json")
    assert run.code == 1 and run.json["error"]["code"] == "not_found"


# ---- sync

def test_sync(place):
    before = place.gateway.status()["directory"]["pass"]
    run = place.ask("sync")
    assert run.code == 0 and "pass" in run.out
    place.gateway.wait_status(lambda s: s["directory"]["pass"] > before, "a pass")
    assert place.ask("sync", "--json").json["data"]["pass"] > before
    run = place.ask("sync", "--wait")
    assert run.code == 0 and re.fullmatch(r"pass \d+ is complete: \d+ users, 2 devices\n", run.out)
    document = place.ask("sync", "--wait", "--json").json
    assert document["directory"]["pass"] > before + 2 and document["directory"]["failed_pass"] == 0


def take_key(place, key):
    """Write it, and wait until it is seen."""
    seen = place.gateway.messages().count("the key file has changed")
    place.gateway.write_key(key)
    wait_for(lambda: place.gateway.messages().count("the key file has changed") > seen, "a new key")


def test_sync_that_fails(small):
    """With a wrong key; and again well with the right one."""
    take_key(small, "wrong")
    run = small.ask("sync", "--wait")
    assert (run.code, run.out) == (1, "")
    assert re.search(r"pass \d+ failed: .*API key is not valid", run.err), run
    run = small.ask("sync", "--wait", "--json")
    assert run.code == 1 and "not valid" in run.json["directory"]["pass_error"]
    take_key(small, small.cloud.key)
    assert small.ask("sync", "--wait").code == 0


def test_sync_that_takes_too_long(small):
    small.cloud.add_fault("slow=30s,path=/users")
    run = small.ask("sync", "--wait", "--timeout", "300ms")
    assert (run.code, run.out) == (1, "") and "did not end within 300 ms" in run.err
    small.cloud.kill()


# ---- wrong usage, help

@pytest.mark.parametrize("args", [[], ["nothing"], ["status", "more"], ["trace"], ["status", "-x"],
                                  ["punches", "--limit", "x"], ["punches", "--state", "gone"],
                                  ["punches", "--from", "soon"], ["sync", "--wait=yes"],
                                  ["status", "--socket"], ["--socket", "x" * 108, "status"]])
def test_wrong_usage_is_2(args):
    run = Run(*args)
    assert (run.code, run.out) == (2, "") and run.err.startswith("punchctl: ")


def test_help_and_version_need_no_punchd():
    for args in (["--help"], ["-h"], ["trace", "--help"], ["--version"], ["-V"]):
        run = Run(*args)
        assert (run.code, run.err) == (0, "") and run.out
    commands = re.findall(r"(?m)^  ([a-z]+) ", Run("--help").out)
    assert commands == ["status", "watch", "punches", "trace", "release", "retry", "discard", "amend", "users",
                        "devices", "sync", "pause", "resume", "lobby", "link", "unlink", "links", "report", "alarms",
                            "doctor"]
    assert all(Run(c, "--help").out.startswith(f"usage: punchctl {c}") for c in commands)


def test_what_cannot_be_written_is_1(place):
    with open("/dev/full", "wb") as full:
        run = place.ask("status", stdout=full, stderr=subprocess.PIPE, capture_output=False)
    assert run.code == 1 and "No space left" in run.err


# ---- punchd is not reachable

ASKING = [["status"], ["alarms"], ["punches"], ["trace", "00"], ["users"], ["devices"],
          ["sync"], ["sync", "--wait"]]


def assert_away(path, words, *more):
    """Every command that asks says 3, why, and nothing else."""
    for args in ASKING:
        run = Run(*args, *more, socket=path)
        assert (run.code, run.out) == (3, ""), (args, run)
        assert re.search(words, run.err), (args, run)
        assert run.err.count("\n") == 1


def test_no_socket(tmp_path):
    assert_away(tmp_path / "none", "punchd is not running: there is no .*systemctl status punchd")


def test_the_socket_of_the_environment(tmp_path):
    run = Run("status", env={"PUNCHD_SOCKET": str(tmp_path / "elsewhere")})
    assert run.code == 3 and "elsewhere" in run.err


def test_a_socket_that_nobody_listens_on(tmp_path):
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(tmp_path / "stale"))
    assert_away(tmp_path / "stale", "punchd is not running: nobody listens on")


def test_a_file_that_is_no_socket(tmp_path):
    (tmp_path / "file").write_text("")
    assert_away(tmp_path / "file", "nobody listens on")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be somebody else")
def test_no_permission(place, tmp_path):
    """The socket is root's; its folder lets others look."""
    nobody = pwd.getpwnam("nobody")
    program = tmp_path / "punchctl"
    shutil.copy(BUILD / "punchctl", program)

    def become():
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)

    def ask():
        return subprocess.run(["/bin/sh", "-c", f"exec 3<{program}; exec /proc/self/fd/3 --socket "
                               f"{place.gateway.socket} status"], capture_output=True, text=True,
                              preexec_fn=become)

    with open_to_others(program, place.gateway.dir):
        run = ask()
    assert run.returncode == 3, run
    assert "no permission to use" in run.stderr and "only its owner and root may" in run.stderr


@contextlib.contextmanager
def open_to_others(*paths):
    """Let others look into the folders above these paths, for so long."""
    folders = {p for path in paths for p in [path, *path.parents] if p.is_dir()}
    modes = {p: p.stat().st_mode for p in folders if not p.stat().st_mode & 1}
    try:
        for p, mode in modes.items():
            p.chmod(mode | 0o11)
        yield
    finally:
        for p, mode in modes.items():
            p.chmod(mode)


class Other:
    """Something that listens and is not punchd: it answers every connection with these bytes; None:
    with nothing, ever."""

    def __init__(self, path, answer):
        self.path, self.answer = path, answer
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(16)
        self.kept = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            if self.answer is None:
                self.kept.append(connection)
                continue
            with contextlib.suppress(OSError):
                connection.recv(65536)
                connection.sendall(self.answer)
            connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.kept:
            connection.close()


def http_answer(body):
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


@pytest.mark.parametrize("answer, words", [
    (b"", "hung up before its answer was whole"),
    (b"220 mail.example ESMTP\r\n", "is not punchd"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", "hung up before its answer was whole"),
    (http_answer(b"<html>hello</html>"), "is not punchd: no JSON object came"),
    (http_answer(b"[1]"), "is not punchd: no JSON object came"),
    (http_answer(b'{"hello":1}'), "is that punchd\\?"),
], ids=["nothing", "smtp", "cut", "html", "list", "object"])
def test_something_else_listens(tmp_path, answer, words):
    with Other(tmp_path / "s", answer):
        assert_away(tmp_path / "s", words)


def test_an_answer_that_never_comes(tmp_path):
    with Other(tmp_path / "s", None):
        assert_away(tmp_path / "s", "did not answer within 50 ms", "--timeout", "50ms")


def test_an_answer_without_end(tmp_path):
    """More than any answer of punchd's is not kept."""
    endless = b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * (17 << 20)
    with Other(tmp_path / "s", endless):
        run = Run("status", socket=tmp_path / "s")
        assert run.code == 3 and "too large to be punchd's" in run.err


def test_pages_that_lead_nowhere_end(tmp_path):
    """A list whose next page is the same one again."""
    page = b'{"data":[{"id":"00"}],"meta":{"next":5}}'
    with Other(tmp_path / "s", http_answer(page)):
        run = Run("punches", "--limit", "0", socket=tmp_path / "s")
        assert run.code == 3 and "do not lead to older punches" in run.err


# ---- colours

@pytest.mark.parametrize("env, colours", [({}, True), ({"NO_COLOR": "1"}, False),
                                          ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)])
def test_colours_are_for_terminals(place, env, colours):
    with Terminal([BUILD / "punchctl", "--socket", place.gateway.socket, "status"],
                  env=env) as t:
        assert t.wait() == 0
        assert ("\x1b[" in t.output()) == colours


def test_json_has_no_colours_anywhere(place):
    with Terminal([BUILD / "punchctl", "--socket", place.gateway.socket, "status", "--json"]) as t:
        assert t.wait() == 0
        json.loads(t.output())


# ---- watch into a pipe

class Watch:
    """punchctl watch as lines."""

    def __init__(self, socket, *args):
        self.process = subprocess.Popen(
            [str(BUILD / "punchctl"), "--socket", str(socket), "watch", "--interval", "20ms", *args],
            stdout=subprocess.PIPE, text=True)
        self.lines = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line)

    def wait_line(self, pattern):
        return wait_for(lambda: next((line for line in self.lines if re.search(pattern, line)), None),
                        f"a line {pattern} in {self.lines}")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.terminate()
        self.process.wait(20)
        self.reader.join(20)


def test_watch_tells_what_changes(small):
    known = punches(2, users=2)
    unknown = punches(1, label="u", start=morning(2))[0] | {"user": "1001"}
    with Watch(small.gateway.socket) as text, Watch(small.gateway.socket, "--json") as documents:
        text.wait_line("queue 0 queued, 0 held, 0 parked")
        documents.wait_line('"event":"queue"')
        with Hand(small.broker.port) as hand:
            hand.send_all(known + [unknown])
            hand.wait_acked(known + [unknown])
        for p in small.gateway.punches():
            if p["state"] != "held":
                text.wait_line(f"punch {p['id']} delivered .* check_in at BIO-FP-001 ")
        text.wait_line("punch [0-9a-f]{32} held unknown_user pin:1001 check_in at BIO-FP-001 ")
        text.wait_line("alarm held warning: 1 punches wait")
        text.wait_line("queue 0 queued, 1 held, 0 parked")
        small.broker.kill()
        text.wait_line("alarm mqtt_down critical: ")
        small.broker.start()
        text.wait_line("alarm over mqtt_down")
        small.gateway.kill()
        text.wait_line("punchd away: punchd is not running: nobody listens on")
        small.gateway.start()
        text.wait_line("punchd back")
        documents.wait_line('"event":"back"')
    # A name that would repaint a screen comes as text.
    assert not any("\x1b" in line for line in text.lines)
    assert any("Eve\\x1b[2J" in line for line in text.lines)
    # A punch is told once for each state.
    told = [line.split(" punch ")[1].split()[:2] for line in text.lines if " punch " in line]
    assert len(told) == len({tuple(t) for t in told})
    events = [json.loads(line) for line in documents.lines]
    assert {e["event"] for e in events} == {
        "queue", "punch", "alarm", "alarm_over", "away", "back"}
    assert {e["punch"]["id"] for e in events if e["event"] == "punch"} == {
        p["id"] for p in small.gateway.punches()}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", e["at"]) for e in events)


def test_watch_ends_after_so_many_looks(place, tmp_path):
    run = place.ask("watch", "--count", "3", "--interval", "10ms")
    assert run.code == 0
    # What was there at the first look is no news.
    assert " punch " not in run.out and run.out.count("queue 0 queued, 1 held, 2 parked") == 1
    run = Run("watch", "--count", "2", "--interval", "10ms", socket=tmp_path / "none")
    assert run.code == 3 and run.out.count("punchd away") == 1


# ---- watch on a terminal

@contextlib.contextmanager
def on_screen(socket, *args, **kwargs):
    command = [BUILD / "punchctl", "--socket", socket, "watch", "--interval", "50ms", *args]
    with Terminal(command, **kwargs) as t:
        yield t


def heads(terminal):
    return sum(line.startswith("punchd 0.") for line in terminal.lines())


def test_watch_draws_in_place(small):
    first, second = punches(1, label="a"), punches(1, label="b", start=morning() + 3600)
    with on_screen(small.gateway.socket) as t, Hand(small.broker.port) as hand:
        wait_for(lambda: "no punches yet" in t.text(), "an empty view")
        hand.send_all(first)
        wait_for(lambda: t.text().count("delivered  -") == 1, "the punch on the screen")
        hand.send_all(second)
        wait_for(lambda: t.text().count("delivered  -") == 2, "both punches on the screen")
        assert heads(t) == 1 and t.lines()[0].startswith("punchd 0.")
        assert [line for line in t.lines() if line.startswith("Budget ")]
        assert t.lines()[-1] == "q ends"
        assert t.emulator.alternate and not t.emulator.cursor
        assert t.emulator.colours
        # Only when it took the screen was that erased: frames replace each other line by line.
        assert t.emulator.erased == 1
        frames = t.raw.split(b"\x1b[H")[2:]
        assert len(frames) > 2 and all(b"\x1b[K" in f for f in frames)
        t.keys("q")
        assert t.wait() == 0
        assert t.was_restored
        assert not t.emulator.alternate and t.emulator.cursor


def test_watch_follows_the_window(place):
    with on_screen(place.gateway.socket, columns=120, rows=30) as t:
        wait_for(lambda: t.lines()[-1] == "q ends", "a page")
        assert sum("delivered" in line for line in t.lines()) >= 10
        for columns, rows in ((60, 20), (30, 8), (10, 2), (200, 50)):
            t.resize(columns, rows)
            wait_for(lambda: t.lines()[0].startswith("punchd 0") and (
                rows < 20 or t.lines()[-1]), f"a page of {rows} rows")
            lines = t.lines()
            assert len(lines) == rows and (rows < 20 or lines[-1] == "q ends")
            assert all(len(line) < columns for line in lines), lines
            assert sum(line.startswith("punchd 0") for line in lines) == 1


def test_watch_goes_on_while_punchd_is_away(small):
    with on_screen(small.gateway.socket) as t:
        wait_for(lambda: heads(t) == 1, "a page")
        small.gateway.kill()
        wait_for(lambda: t.lines()[0].startswith("punchd does not answer since "), "word of that")
        # What it said last stays to be seen.
        assert [line for line in t.lines() if line.startswith("Broker ")]
        small.gateway.start()
        wait_for(lambda: t.lines()[0].startswith("punchd 0."), "the page again")
        t.keys("q")
        assert t.wait() == 0


def test_watch_begins_without_punchd(tmp_path):
    with on_screen(tmp_path / "none") as t:
        wait_for(lambda: t.lines()[0].startswith("no punchd since "), "word of that")
        t.keys("q")
        assert t.wait() == 0
    with on_screen(tmp_path / "none", "--count", "2") as t:
        assert t.wait() == 3
        assert t.was_restored


def test_watch_gives_the_terminal_back(place):
    """Whatever ends it. A key that is none of its own does not."""
    for end in (lambda t: t.keys("\x03"), lambda t: t.signal(signal.SIGTERM),
                lambda t: t.signal(signal.SIGHUP), lambda t: t.keys("x\x1b[Aq")):
        with on_screen(place.gateway.socket) as t:
            wait_for(lambda: heads(t) == 1, "a page")
            t.keys("\x1bOQz")
            assert not t.as_it_was()
            end(t)
            assert t.wait() == 0
            assert t.was_restored
            assert not t.emulator.alternate and t.emulator.cursor


def test_watch_can_be_stopped_and_goes_on(place):
    """Ctrl-Z, as a shell sees it. What it wrote last is the way back to the first screen."""
    with on_screen(place.gateway.socket) as t:
        wait_for(lambda: heads(t) == 1, "a page")
        t.signal(signal.SIGTSTP)
        _, status = os.waitpid(t.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status) and t.as_it_was()
        wait_for(lambda: not t.emulator.alternate, "the first screen")
        t.signal(signal.SIGCONT)
        wait_for(lambda: t.emulator.alternate and heads(t) == 1, "the page again")
        t.keys("q")
        assert t.wait() == 0


def test_watch_can_be_left_while_punchd_does_not_answer(tmp_path):
    with Other(tmp_path / "s", None) as other:
        with on_screen(tmp_path / "s", "--timeout", "1h") as t:
            wait_for(lambda: other.kept, "its question")
            t.keys("q")
            assert t.wait() == 0
            assert t.was_restored


# ---- doctor

def checks(run):
    """{name: result}, where a name with several lines has its worst."""
    worst = {}
    for line in run.json["checks"]:
        name, order = line["check"], ["ok", "warn", "FAIL"]
        worst[name] = max(worst.get(name, "ok"), line["result"], key=order.index)
    return worst


NAMES = {"punchd", "settings", "broker link", "broker session", "broker settings", "API key", "API", "lost answers",
         "rate budget", "queue", "held", "parked", "users", "devices", "disk", "clock", "terminals",
         "new users", "other alarms", "conservation"}


def test_doctor_of_a_sound_system(small, shipped):
    with Hand(small.broker.port) as hand:
        hand.send_all(punches(3))
    small.gateway.wait_delivered(3)
    run = small.ask("doctor", "--broker-conf", shipped)
    assert run.code == 0, run
    lines = run.out.splitlines()
    assert len(lines) == len(NAMES)
    assert {re.match(r"(ok|warn|FAIL) +(.+?)  ", line)[2] for line in lines} == NAMES
    run = small.ask("doctor", "--json", "--broker-conf", shipped)
    # Without a clock that is known to be right, punchd warns; that is the machine's.
    assert set(checks(run).items()) - {("clock", "warn")} <= {(n, "ok") for n in NAMES}
    assert all(c["advice"] is None for c in run.json["checks"] if c["result"] == "ok")
    assert run.json["result"] in ("ok", "warn")


def test_doctor_of_terminals(small):
    """One that the cloud does not know, one that said goodbye, one whose clock is off."""
    def at(serial, hand, number, off_s):
        hand.send(punches(1, label=f"{serial}-{number}", start=int(time.time()) + off_s)[0] |
                  {"live": True, "user": user(number % 9 + 1)})

    with Hand(small.broker.port, "STRANGER") as hand, Hand(small.broker.port, "BIO-FP-001") as off:
        at("STRANGER", hand, 1, 0)
        hand.client.publish("att/v1/BIO-FP-001/status", '{"online":true}', qos=1)
        number = itertools.count()

        def told():
            at("BIO-FP-001", off, next(number), 400)
            return "terminal clocks" in checks(small.ask("doctor", "--json"))
        if small.gateway.status()["clock"]["synchronized"]:
            wait_for(told, "its clock")
        wait_for(lambda: checks(small.ask("doctor", "--json")).get("unknown terminals") == "warn",
                 "the stranger is told")
        assert checks(small.ask("doctor", "--json"))["terminals"] == "ok"
        assert " STRANGER" in next(line for line in small.ask("doctor").out.splitlines()
                                   if "unknown terminals" in line)
        off.client.publish("att/v1/BIO-FP-001/status", '{"online":false}', qos=1)
        wait_for(lambda: checks(small.ask("doctor", "--json"))["terminals"] == "warn", "it is silent")


def test_doctor_of_a_broken_one(small, tmp_path):
    """A wrong key that others can read, no broker, a punch that waits, one that cannot be read, a
    broker whose settings are Debian's."""
    settings = tmp_path / "mosquitto.conf"
    settings.write_text("persistence true\n")
    with Hand(small.broker.port) as hand:
        hand.send_all([{"id": "malformed"}, punches(1)[0] | {"user": "1001"}])
        hand.wait_acked([{"id": "malformed"}, {"id": "p-000000"}])
    take_key(small, "wrong")
    assert small.ask("sync", "--wait").code == 1
    small.gateway.key_file.chmod(0o644)
    small.broker.kill()
    wait_for(lambda: small.gateway.status()["api"]["key"]["warning"], "word of the key's mode")
    wait_for(lambda: {"api_auth", "mqtt_down", "held", "parked"} <= small.gateway.alarms(), "alarms")
    run = small.ask("doctor", "--json", "--broker-conf", settings)
    assert run.code == 1
    found = checks(run)
    assert {n for n, result in found.items() if result == "FAIL"} == {
        "broker link", "API", "broker settings"}
    assert {n for n, result in found.items() if result == "warn"} - {"clock"} == {
        "API key", "held", "parked", "users", "devices"}
    assert found["conservation"] == found["disk"] == found["other alarms"] == "ok"
    assert run.json["result"] == "FAIL"
    text = small.ask("doctor", "--broker-conf", settings)
    assert text.code == 1
    assert re.search("(?m)^FAIL  API  +auth_failed: .*401", text.out), text
    assert re.search("(?m)^warn  API key  +.*api.key: others can read it .mode 0644.: chown root:punchd, chmod 640",
                     text.out), text
    assert re.search("(?m)^FAIL  broker settings  +max_queued_messages 1000, which is the default: ",
                     text.out), text


def test_doctor_without_a_key(small, shipped):
    small.gateway.write_key(None)
    wait_for(lambda: "api_auth" in small.gateway.alarms(), "the alarm")
    run = small.ask("doctor", "--json", "--broker-conf", shipped)
    assert run.code == 1 and checks(run)["API key"] == "FAIL"
    assert any("api.key: there is no such file" in c["found"] for c in run.json["checks"])


def test_doctor_sees_a_law_that_is_broken(small):
    """A punch that is gone from the file: only a count of all rows sees it."""
    with Hand(small.broker.port) as hand:
        hand.send_all(punches(10))
    small.gateway.wait_delivered(10)
    assert small.gateway.get("/v1/check")["data"] == {
        "check": 0, "running": False, "rows": 0, "of": 0, "last": None}
    assert checks(small.ask("doctor", "--json"))["conservation"] == "ok"
    last = small.gateway.get("/v1/check")["data"]
    assert last["last"]["result"] == "holds" and last["last"]["check"] == last["check"] == 1
    small.gateway.stop()
    with contextlib.closing(sqlite3.connect(small.gateway.store)) as db:
        db.execute("DELETE FROM punch WHERE seq = 5")
        db.commit()
    small.gateway.start()
    assert small.gateway.status()["counts"]["delivered"] == 10
    run = small.ask("doctor", "--json")
    assert run.code == 1
    check = next(c for c in run.json["checks"] if c["check"] == "conservation")
    assert check["result"] == "FAIL"
    assert check["found"] == "broken: 9 punches are delivered, 10 should be"
    assert "the store's counts do not add up" in small.gateway.messages()
    # punchd goes on: what it has is still worth sending.
    assert small.gateway.process.poll() is None


def test_doctor_without_punchd(tmp_path, shipped):
    run = Run("doctor", "--broker-conf", shipped, socket=tmp_path / "none")
    assert run.code == 3
    assert re.match("FAIL  punchd  +punchd is not running: there is no ", run.out)
    assert re.search("(?m)^ok    broker settings  ", run.out)
    run = Run("doctor", "--json", "--broker-conf", tmp_path / "no.conf", socket=tmp_path / "none")
    assert run.code == 3 and run.err == ""
    assert checks(run) == {"punchd": "FAIL", "broker settings": "warn"}
    with Other(tmp_path / "s", http_answer(b'{"hello":1}')):
        run = Run("doctor", "--json", "--broker-conf", shipped, socket=tmp_path / "s")
        assert run.code == 3 and checks(run)["punchd"] == "FAIL"


def test_doctor_looks_at_a_broker_elsewhere_only_by_a_copy(tmp_path, shipped):
    with Gateway(settings={"mqtt.host": "192.0.2.1"}, under=tmp_path) as gateway:
        run = Run("doctor", "--json", socket=gateway.socket)
        assert checks(run)["broker settings"] == "warn"
        assert any("the broker is on 192.0.2.1" in c["found"] for c in run.json["checks"])
        run = Run("doctor", "--json", "--broker-conf", shipped, socket=gateway.socket)
        assert checks(run)["broker settings"] == "ok"


def test_doctor_on_a_terminal_gives_advice_a_line(place):
    with Terminal([BUILD / "punchctl", "--socket", place.gateway.socket, "doctor"], columns=160,
                  rows=60) as t:
        t.wait()
        lines = t.lines()
    held = next(i for i, line in enumerate(lines) if re.match("warn  held ", line))
    assert re.match(" +→ punchctl punches --state held", lines[held + 1])


# ---- bash completion

def completed(*words):
    """What bash offers for the last of these words."""
    script = f". {ROOT}/etc/completion/punchctl.bash\n" \
        "COMP_WORDS=(\"$@\") COMP_CWORD=$(($# - 1))\n_punchctl\nprintf '%s\\n' \"${COMPREPLY[@]}\""
    run = subprocess.run(["bash", "-uc", script, "bash", "punchctl", *words], check=True, text=True,
                         capture_output=True)
    assert run.stderr == ""
    return run.stdout.split()


def test_completion(tmp_path):
    assert completed("") == ["status", "watch", "punches", "trace", "release", "retry", "discard",
                             "amend", "users", "devices", "sync", "pause", "resume", "lobby", "link",
                             "unlink", "links", "report", "alarms", "doctor", "try-profile"]
    assert completed("--json", "st") == ["status"]
    assert completed("--socket", "/x", "al") == ["alarms"]
    assert completed("punches", "--st") == ["--state"]
    assert completed("punches", "--state", "d") == ["delivered", "discarded"]
    assert completed("punches", "--state", "=", "d") == ["delivered", "discarded"]
    assert len(completed("punches", "--state", "=")) == 6
    assert completed("punches", "--state", "held", "--reason", "unknown") == [
        "unknown_user", "unknown_device"]
    assert completed("--state", "=", "held", "--j") == ["--json"]
    assert completed("status", "--state") == []
    assert completed("punches", "--limit", "") == []
    assert completed("status", "") == []
    (tmp_path / "punchd.sock").write_text("")
    assert completed("--socket", f"{tmp_path}/pu") == [f"{tmp_path}/punchd.sock"]
