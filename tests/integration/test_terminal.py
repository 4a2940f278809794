"""punch-terminal against a real broker, with a stand-in for the gateway that acknowledges."""
import collections
import json
import socket
import subprocess
import threading

import paho.mqtt.client as mqtt
import pytest

from broker import Broker
from terminal import Terminal
from waiting import wait_for


class StandIn:
    """Acknowledges what comes; `refuse` decides what gets no ack, `status` what the ack says."""

    def __init__(self, port, refuse=lambda punch, times: False, status=lambda punch: "queued",
                 prefix="", username=None, password=None):
        self.lock = threading.Lock()
        self.times = collections.Counter()  # (serial, id) -> how often it came
        self.bodies = collections.defaultdict(set)  # (serial, id) -> its bytes, as they came
        self.messages = []  # (serial, payload)
        self.online = {}  # serial -> its last status
        self.will = set()  # serials of which a last will came
        self.refuse, self.status, self.prefix = refuse, status, prefix
        self.subscribed = threading.Event()
        self.client = mqtt.Client(client_id="gateway", clean_session=True)
        if username:
            self.client.username_pw_set(username, password)
        self.client.on_connect = self.on_connect
        self.client.on_subscribe = lambda *a: self.subscribed.set()
        self.client.on_message = self.on_message
        self.client.on_socket_open = lambda _c, _d, sock: sock.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.client.reconnect_delay_set(1, 1)
        self.client.max_inflight_messages_set(0)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self.subscribed.wait(20)

    def on_connect(self, client, _data, _flags, _code):
        client.subscribe([(self.prefix + "att/v1/+/punch", 1), (self.prefix + "att/v1/+/status", 1)])

    def on_message(self, client, _data, message):
        serial, kind = message.topic[len(self.prefix):].split("/")[2:]
        if kind == "status":
            self.on_status(serial, json.loads(message.payload))
            return
        punches = json.loads(message.payload)
        punches = punches if isinstance(punches, list) else [punches]
        acks = []
        with self.lock:
            self.messages.append((serial, bytes(message.payload)))
            for punch in punches:
                key = serial, punch["id"]
                self.times[key] += 1
                self.bodies[key].add(json.dumps(punch))
                if not self.refuse(punch, self.times[key]):
                    acks.append({"id": punch["id"], "status": self.status(punch), "name": "Jürgen"})
        if acks:
            self.send(serial, "ack", {"acks": acks})

    def on_status(self, serial, status):
        self.online[serial] = status["online"]
        if status == {"online": False}:
            self.will.add(serial)

    def send(self, serial, kind, document):
        self.client.publish(f"{self.prefix}att/v1/{serial}/{kind}", json.dumps(document), qos=0)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


@pytest.fixture
def broker(tmp_path):
    # The tests play the gateway here, and not always well.
    with Broker(saves=False, under=tmp_path, listens=False) as b:
        yield b


@pytest.fixture
def play(broker, build, tmp_path):
    """Terminals on the test's broker, ended with the test."""
    made = []

    def start(*options, **more):
        made.append(Terminal(broker.port, *options, build=build, under=tmp_path, **more))
        return made[-1]

    yield start
    for t in made:
        t.done()


def numbers(summary, *names):
    return [summary[n] for n in names]


def test_every_punch_is_acknowledged_once(broker, play):
    with StandIn(broker.port) as gateway:
        t = play("--terminals", 20, "--count", 50, "--users", 50)
        s = t.wait()
        assert s["code"] == 0
        assert numbers(s, "sent", "acked", "queued", "unacked", "resent", "strange") == [
            1000, 1000, 1000, 0, 0, 0]
        assert set(t.sent()) == set(t.acked()) == set(gateway.times)
        assert set(gateway.times.values()) == {1}
        assert {s for s, _ in gateway.times} == {f"BIO-FP-{n:03d}" for n in range(1, 21)}


def test_statuses_are_counted_and_noted(broker, play):
    words = ["queued", "duplicate", "held", "parked", "suppressed", "delivered"]
    with StandIn(broker.port, status=lambda p: words[int(p["id"]) % 6]):
        t = play("--count", 60)
        s = t.wait()
        assert numbers(s, "queued", "duplicate", "held", "parked", "suppressed", "other") == [10] * 6
        assert {i: e["status"] for (_, i), e in t.acked().items()} == {
            f"{n:06d}": words[n % 6] for n in range(1, 61)}
        assert {e["name"] for e in t.acked().values()} == {"Jürgen"}


def test_what_gets_no_ack_is_sent_again_byte_for_byte(broker, play):
    with StandIn(broker.port, refuse=lambda p, times: times < 3) as gateway:
        s = play("--count", 30, "--resend", "200ms").wait()
        assert numbers(s, "code", "acked") == [0, 30]
        assert s["resent"] >= 60
        assert min(gateway.times.values()) >= 3
        assert all(len(bodies) == 1 for bodies in gateway.bodies.values())


def test_unacknowledged_punches_make_the_run_fail(broker, play):
    with StandIn(broker.port, refuse=lambda p, times: p["id"] == "000003"):
        t = play("--count", 5, "--timeout", "1s")
        s = t.wait()
        assert numbers(s, "code", "sent", "acked", "unacked") == [1, 5, 4, 1]
        assert ("BIO-FP-001", "000003") not in t.acked()


def test_the_keep_survives_kill_9(broker, play):
    """Killed again and again at work: each punch it ever told of reaches the gateway, with the
    same bytes, and no id is used twice."""
    lose = lambda punch, times: times == 1 and int(punch["id"]) % 7 == 0
    with StandIn(broker.port, refuse=lose) as gateway:
        t = play("--terminals", 5, "--count", 60, "--users", 9, "--rate", 100, "--resend", "500ms",
                 keep=True)
        for target in (50, 120, 200):
            wait_for(lambda: sum(gateway.times.values()) > target, f"{target} punches")
            t.kill()
            t.start()
        s = t.wait()
        assert s["code"] == 0
        assert s["kept"] > 0
        assert len(t.sent()) == 300
        assert set(t.sent()) == set(t.acked()) == set(gateway.times)
        assert all(len(bodies) == 1 for bodies in gateway.bodies.values())
        for e in t.events():
            if e["event"] in ("sent", "kept"):
                assert {k: v for k, v in e.items() if k != "event"} == {
                    k: v for k, v in t.sent()[e["serial"], e["id"]].items() if k != "event"}


def test_a_stopped_terminal_goes_on_where_it_was(broker, play):
    t = play("--count", 40, keep=True)
    wait_for(lambda: len(t.sent()) == 40, "40 punches made")
    s = t.stop()
    assert numbers(s, "code", "sent", "unacked") == [1, 40, 40]
    with StandIn(broker.port):
        s = t.start().wait()
    assert numbers(s, "code", "sent", "kept", "acked", "unacked") == [0, 40, 40, 40, 0]
    s = t.start("--count", 50, "--timeout", "300ms").wait()
    assert numbers(s, "sent", "kept") == [10, 0]
    assert max(i for _, i in t.sent()) == "000050"


def test_one_keep_serves_one_process(broker, play):
    t = play("--count", 1, keep=True)
    wait_for(t.sent, "the keep to be open")
    second = subprocess.run(t.command(), capture_output=True, text=True, timeout=20)
    assert second.returncode == 1
    assert "another process has this file" in second.stderr


def test_a_keep_that_is_something_else_is_left_alone(broker, play):
    t = play("--count", 1, keep=True, start=False)
    t.keep.write_bytes(b"this is no database, and long enough to see that" * 30)
    before = t.keep.read_bytes()
    t.start().wait()
    assert "this file is something else" in t.messages()
    assert t.keep.read_bytes() == before


def test_it_comes_back_after_the_broker_died(broker, play):
    with StandIn(broker.port) as gateway:
        t = play("--terminals", 10, "--count", 60, "--rate", 30, "--resend", "1s")
        wait_for(lambda: len(gateway.times) > 100, "some punches")
        gateway.subscribed.clear()
        broker.kill()
        wait_for(lambda: "not_connected" in t.messages(), "it says that the broker is gone")
        broker.start()
        assert gateway.subscribed.wait(30)
        s = t.wait()
        assert numbers(s, "code", "sent", "acked") == [0, 600, 600]
        assert s["reconnects"] >= 10
        assert set(t.acked()) == set(gateway.times)


def test_people_punch_while_the_broker_is_away(broker, play):
    broker.stop()
    t = play("--count", 50, "--rate", 500)
    wait_for(lambda: len(t.sent()) == 50, "50 punches without a broker")
    assert "Connection refused" in t.messages()
    broker.start()
    with StandIn(broker.port):
        assert numbers(t.wait(), "code", "acked") == [0, 50]


def test_stored_records_come_in_arrays(broker, play):
    with StandIn(broker.port) as gateway:
        s = play("--count", 250, "--batch", 100, "--window", 300).wait()
        assert numbers(s, "code", "acked", "resent") == [0, 250, 0]
        sizes = [len(json.loads(payload)) for _, payload in gateway.messages]
        assert sizes == [100, 100, 50]
        ids = [p["id"] for _, payload in gateway.messages for p in json.loads(payload)]
        assert ids == [f"{n:06d}" for n in range(1, 251)]
        assert {p["live"] for _, payload in gateway.messages for p in json.loads(payload)} == {False}


def test_the_window_bounds_what_is_under_way(broker, play):
    with StandIn(broker.port, refuse=lambda p, times: True) as gateway:
        s = play("--count", 0, "--window", 7, "--timeout", "1s").wait()
        assert numbers(s, "sent", "unacked", "code") == [7, 7, 1]
        assert len(gateway.times) == 7


def test_time_order_and_types_are_known_beforehand(broker, play):
    with StandIn(broker.port):
        t = play("--terminals", 4, "--count", 60, "--users", 7, "--start", "2026-02-01T08:00:00+02:00",
                 "--step", "90s", "--utc-offset", "+02:00", "--serial", "T%d")
        assert t.wait()["code"] == 0
    sent = t.sent()
    assert sent["T1", "000001"]["time"] == "2026-02-01T08:00:00+02:00"
    assert sent["T4", "000003"]["time"] == "2026-02-01T08:03:00+02:00"
    by_user = collections.defaultdict(list)
    for e in sent.values():
        by_user[e["user"]].append((e["time"], e["type"]))
    assert len(by_user) == 7
    for punches in by_user.values():
        punches.sort()
        assert len({time for time, _ in punches}) == len(punches)
        assert [kind for _, kind in punches] == [
            ("check_in", "check_out")[n % 2] for n in range(len(punches))]


def test_users_and_fields_as_asked_for(broker, play, tmp_path):
    people = tmp_path / "people"
    people.write_text("# staff\ncard:04A1B2C3\n\nslot:17\n")
    with StandIn(broker.port):
        t = play("--user", "pin:1001", "--user", "1002", "--users-file", people, "--count", 4,
                 "--no-type", "--no-time")
        t.wait()
        told = [(e.get("user_kind"), e["user"]) for _, e in sorted(t.sent().items())]
        assert told == [("pin", "1001"), (None, "1002"), ("card", "04A1B2C3"), ("slot", "17")]
        assert all("type" not in e and "time" not in e for e in t.sent().values())


def seconds_off(punch):
    import datetime
    when = datetime.datetime.fromisoformat(punch["time"].replace("Z", "+00:00"))
    return (when - datetime.datetime.now(datetime.timezone.utc)).total_seconds()


def test_a_clock_that_is_off_is_set_by_command(broker, play):
    with StandIn(broker.port) as gateway:
        t = play("--count", 0, "--rate", 20, "--time-offset", "-7200")
        first = wait_for(lambda: list(t.sent().values()), "a punch")[0]
        assert -7300 < seconds_off(first) < -7100
        wait_for(lambda: gateway.online.get("BIO-FP-001"), "it says that it is online")
        gateway.send("BIO-FP-001", "cmd", {"id": "c1", "op": "set_time",
                                           "time": "2030-01-01T00:00:00Z"})
        wait_for(lambda: any(p["time"].startswith("2030-01-01T00:") for p in t.sent().values()),
                 "a punch by the new clock")
        command = [e for e in t.events() if e["event"] == "cmd"]
        assert [(c["id"], c["op"]) for c in command] == [("c1", "set_time")]


def test_odd_messages_from_the_gateway_end_nothing(broker, play):
    with StandIn(broker.port, refuse=lambda p, times: True) as gateway:
        t = play("--count", 2)
        wait_for(lambda: len(gateway.times) == 2, "both punches")
        gateway.client.publish("att/v1/BIO-FP-001/ack", "{nonsense")
        gateway.send("BIO-FP-001", "ack", {"acks": [{"id": "000001"}]})
        gateway.send("BIO-FP-001", "ack", {"acks": [{"id": "1", "status": "queued"},
                                                    {"id": "000003", "status": "queued"}]})
        gateway.send("BIO-FP-001", "cmd", {"id": "c1", "op": "dance"})
        gateway.send("BIO-FP-001", "ack", {"acks": [{"id": "000002", "status": "held",
                                                     "reason": "unknown_user"}]})
        wait_for(t.acked, "the good ack")
        s = t.stop()
        assert numbers(s, "acked", "held", "unacked", "strange", "garbled") == [1, 1, 1, 2, 2]
        assert t.acked()["BIO-FP-001", "000002"]["reason"] == "unknown_user"
        assert "dance" in t.messages()


def test_a_second_ack_is_late(broker, play):
    with StandIn(broker.port, refuse=lambda p, times: p["id"] == "000002") as gateway:
        t = play("--count", 2)
        wait_for(t.acked, "the first ack")
        gateway.send("BIO-FP-001", "ack", {"acks": [{"id": "000001", "status": "duplicate"}]})
        gateway.send("BIO-FP-001", "ack", {"acks": [{"id": "000002", "status": "queued"}]})
        assert numbers(t.wait(), "acked", "duplicate", "late") == [2, 0, 1]


def test_qos_0_and_trusting_the_broker(broker, play):
    broker.extra = ["log_type all"]
    broker.restart()
    with StandIn(broker.port) as gateway:
        assert numbers(play("--qos", 0, "--count", 40).wait(), "code", "acked") == [0, 40]
        assert len(gateway.times) == 40
    text = broker.log.read_text(errors="replace")
    assert text.count("(d0, q0, r0, m0, 'att/v1/BIO-FP-001/punch'") >= 40
    s = play("--no-ack", "--count", 40, "--serial", "T-2").wait()
    assert numbers(s, "code", "acked", "other", "queued") == [0, 40, 40, 0]


def test_retained_and_under_a_prefix(broker, play):
    with StandIn(broker.port, prefix="site7/"):
        s = play("--prefix", "site7/", "--count", 3, "--retain").wait()
        assert numbers(s, "code", "acked") == [0, 3]
    with StandIn(broker.port, prefix="site7/") as gateway:
        wait_for(lambda: gateway.times, "the retained punch")
        assert gateway.times == {("BIO-FP-001", "000003"): 1}


def test_status_and_last_will(broker, play):
    with StandIn(broker.port, refuse=lambda p, times: True) as gateway:
        t = play("--count", 1)
        wait_for(lambda: gateway.online.get("BIO-FP-001"), "online")
        t.stop()
        wait_for(lambda: gateway.online.get("BIO-FP-001") is False, "offline")
        assert not gateway.will
        t.start()
        wait_for(lambda: gateway.online.get("BIO-FP-001"), "online again")
        t.kill()
        wait_for(lambda: gateway.will == {"BIO-FP-001"}, "the last will")


def test_a_thousand_terminals(broker, play):
    with StandIn(broker.port) as gateway:
        t = play("--terminals", 1000, "--serial", "T-%04d", "--count", 2, "--users", 1000)
        s = t.wait()
        assert numbers(s, "code", "sent", "acked", "reconnects") == [0, 2000, 2000, 0]
        assert len({serial for serial, _ in gateway.times}) == 1000
        assert set(gateway.times.values()) == {1}


def test_ids_that_begin_again(broker, play):
    with StandIn(broker.port) as gateway:
        t = play("--count", 3, keep=True)
        t.wait()
        assert t.start("--counter-reset", "--count", 2).wait()["sent"] == 2
        assert gateway.times == {("BIO-FP-001", "000001"): 2, ("BIO-FP-001", "000002"): 2,
                                 ("BIO-FP-001", "000003"): 1}
    t.start("--count", 4, "--timeout", "300ms").wait()
    t.start("--counter-reset").wait()
    assert "ids would be used again" in t.messages()


def test_raw_bytes_go_as_they_are(broker, build, tmp_path):
    got = []
    client = mqtt.Client()
    client.on_message = lambda _c, _d, m: got.append((m.topic, m.payload))
    client.connect("127.0.0.1", broker.port)
    client.subscribe("#", 1)
    client.loop_start()
    file = tmp_path / "raw"
    file.write_bytes(b"\0{\xff broken")
    r = subprocess.run([build / "punch-terminal", "--port", str(broker.port), "--publish-raw", file,
                        "--topic", "att/v1/X/punch"], timeout=30)
    assert r.returncode == 0
    wait_for(lambda: got, "the message")
    client.disconnect()
    client.loop_stop()
    assert got == [("att/v1/X/punch", b"\0{\xff broken")]


def test_passwords(build, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("open sesame\n")
    users = {"T-1": "open sesame", "T-2": "open sesame", "gw": "x"}
    with Broker(passwords=users, under=tmp_path) as broker, \
            StandIn(broker.port, username="gw", password="x"):
        with Terminal(broker.port, "--terminals", 2, "--serial", "T-%d", "--username", "%s",
                      "--password-file", secret, build=build) as t:
            assert numbers(t.wait(), "code", "acked") == [0, 2]
        secret.write_text("wrong\n")
        with Terminal(broker.port, "--serial", "T-1", "--username", "%s", "--password-file", secret,
                      build=build) as t:
            wait_for(lambda: "refuses the user name or password" in t.messages(), "its complaint")
            assert t.stop()["code"] == 1


@pytest.mark.parametrize("options, words", [
    (["--nonsense"], "nonsense"),
    (["extra"], "extra"),
    (["--port", "70000"], "out of range"),
    (["--count", "many"], "takes N"),
    (["--batch", "101"], "out of range"),
    (["--rate", "-1"], "takes N"),
    (["--types", "both"], "takes WHICH"),
    (["--start", "2026-02-01T08:00:00"], "lacks its offset"),
    (["--start", "yesterday"], "takes TIME"),
    (["--step", "5s"], "--step goes with --start"),
    (["--time-offset", "late"], "takes"),
    (["--no-time", "--time-offset", "5"], "--no-time"),
    (["--user", "badge:12"], "KIND:VALUE"),
    (["--users", "5", "--user", "pin:1"], "leave out"),
    (["--user-format", "%s"], "pattern"),
    (["--serial", "a/b"], "a/b"),
    (["--serial", "A", "--serial", "A"], "twice"),
    (["--serial", "A", "--serial", "B%d"], "pattern"),
    (["--serial", "A", "--terminals", "2"], "differ"),
    (["--publish-raw", "x"], "--topic"),
    (["--password-file", "/nonexistent", "--username", "x"], "/nonexistent"),
    (["--password-file", "x"], "--username"),
    (["--prefix", "a/#/"], "serial"),
])
def test_bad_options_are_told(build, options, words):
    r = subprocess.run([build / "punch-terminal", *options], capture_output=True, text=True,
                       timeout=20)
    assert r.returncode == 2
    assert words in r.stderr
    assert r.stdout == ""


def test_help_and_version(build):
    for option, words in (("--help", "--publish-raw FILE"), ("--version", "punch-terminal ")):
        r = subprocess.run([build / "punch-terminal", option], capture_output=True, text=True,
                           timeout=20)
        assert r.returncode == 0 and words in r.stdout and r.stderr == ""
