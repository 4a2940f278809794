"""The broker as it fails. Each time the link comes back by itself, nothing that was acknowledged is
lost, the log says in words what an installer has to do, and the alarm begins and ends."""
import contextlib
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import threading
import time

import paho.mqtt.client as mqtt
import pytest

import meddle
import strace
from broker import Broker
from fakebroker import (CONNACK, FakeBroker, FullBacklog, publish, says_nothing, suback,
                        takes_in_and_says_no_more)
from gateway import Gateway, adds_up
from line import Hand, fast_broker, punches
from terminal import Terminal
from waiting import wait_for

PUNCH = "att/v1/BIO-FP-001/punch"


def stored(gateway):
    return gateway.status()["counts"]["stored"]


def one_more(broker, gateway, label):
    """A punch goes through."""
    before = stored(gateway)
    with Hand(broker.port, serial=f"T-{label}") as hand:
        punch = punches(1, label=label)
        hand.send_all(punch)
        hand.wait_acked(punch)
    assert stored(gateway) == before + 1


# ---- away, and back

def test_down_at_the_start_and_then_up(tmp_path):
    with Broker(under=tmp_path, start=False) as broker, Gateway(broker.port, under=tmp_path) as g:
        assert "nothing listens" in g.wait_alarm("mqtt_down")
        assert "is mosquitto running there?" in g.wait_line("mqtt_down", "nothing listens")
        assert "127.0.0.1: Connection refused" in g.lines("mqtt_down")[0]
        status = g.status()
        assert (status["state"], status["mqtt"]["connected"]) == ("degraded", False)
        assert g.request("GET", "/healthz")[0] == 503
        broker.start()
        g.wait_connected()
        g.wait_alarm("mqtt_down", False)
        one_more(broker, g, "up")


def test_restarted_while_messages_flow(tmp_path):
    """Terminals that trust the broker: what it has taken is theirs no more."""
    with fast_broker(under=tmp_path) as broker, Gateway(broker.port, under=tmp_path) as g:
        g.wait_connected()
        with Terminal(broker.port, "--terminals", 5, "--count", 400, "--rate", 200, "--no-ack",
                      "--batch", 1, "--resend", "1s", under=tmp_path) as terminals:
            for ups, mark in enumerate((200, 700, 1200), 1):
                wait_for(lambda: len(g.lines("mqtt_up")) == ups, f"link {ups}")
                g.wait_status(lambda s: s["counts"]["stored"] >= mark, f"{mark} stored")
                broker.restart()
            assert terminals.wait()["unacked"] == 0
            status = g.wait_status(lambda s: s["counts"]["stored"] == 2000, "2000 stored")
            adds_up(status)
            wait_for(lambda: len(g.lines("mqtt_up")) == 4, "link 4")
            assert {p["record_id"] for p in g.punches()} == {i for _, i in terminals.sent()}
        assert not g.lines("broker_forgot")


def test_killed_and_empty_while_terminals_go_on(tmp_path):
    """All that waited is gone, sessions too. Terminals wait for the gateway's own ack."""
    with fast_broker(under=tmp_path) as broker, Gateway(broker.port, under=tmp_path) as g:
        g.wait_connected()
        with Terminal(broker.port, "--terminals", 5, "--count", 200, "--rate", 200, "--resend",
                      "200ms", under=tmp_path) as terminals:
            g.wait_status(lambda s: s["counts"]["stored"] >= 200, "200 stored")
            broker.kill()
            terminals_knew = len(terminals.acked())
            broker.start()
            summary = terminals.wait()
            assert (summary["sent"], summary["unacked"]) == (1000, 0)
            assert 0 < terminals_knew < 1000
            status = g.wait_status(lambda s: s["counts"]["stored"] == 1000, "all stored")
            adds_up(status)
            assert {p["record_id"] for p in g.punches()} == {i for _, i in terminals.sent()}
        assert "/examples/mosquitto/punchd.conf" in g.wait_line("broker_forgot", "has forgotten")
        assert "send it again" in g.wait_alarm("broker_unsafe")
        # This time it saves what it knows.
        broker.restart()
        g.wait_alarm("broker_unsafe", False)
        assert 'session=kept' in g.lines("mqtt_up")[-1]


# ---- black holes: 20 s each until the daemon gives up, so all at once

def cpu_s(gateway):
    fields = pathlib.Path(f"/proc/{gateway.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Holes:
    """Gateways before brokers that do not answer, and all of them asked again and again meanwhile."""

    def __init__(self, gateways):
        self.gateways = gateways
        self.slowest = 0.0
        self.cpu_at_first = {name: cpu_s(g) for name, g in gateways.items()}
        self.begun = time.monotonic()

    def until_said(self, wanted):
        """wanted: what each has to log."""
        waiting = dict(wanted)
        while waiting:
            assert time.monotonic() < self.begun + 60, f"nothing said: {waiting}"
            for name, g in self.gateways.items():
                asked = time.monotonic()
                g.status()
                self.slowest = max(self.slowest, time.monotonic() - asked)
                if waiting.get(name) and any(waiting[name] in x for x in g.lines("mqtt_down")):
                    del waiting[name]
            time.sleep(0.05)

    def busy(self):
        """Each one's share of a processor."""
        took = time.monotonic() - self.begun
        return {n: (cpu_s(g) - self.cpu_at_first[n]) / took for n, g in self.gateways.items()}


def test_black_holes(tmp_path):
    """The control socket answers all the while, and nothing spins."""
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        no_syn, paused = enter(FullBacklog()), enter(Broker(under=tmp_path))
        silent, no_suback = FakeBroker(says_nothing), FakeBroker(takes_in_and_says_no_more)
        ports = {"no SYN": no_syn.port, "silent": enter(silent).port, "paused": paused.port,
                 "no SUBACK": enter(no_suback).port, "no name server": 1}
        settings = {"no name server": {"mqtt.host": "hangs.test"},
                    "paused": {"mqtt.keepalive": "5s"}}
        gateways = {name: enter(Gateway(port, settings=settings.get(name), under=tmp_path,
                                        env=meddle.environment(tmp_path)))
                    for name, port in ports.items()}
        gateways["paused"].wait_connected()
        paused.pause()
        holes = Holes(gateways)
        holes.until_said({"no SYN": "check host, port, network and firewall",
                          "silent": "does not speak MQTT in time",
                          "no SUBACK": "does not speak MQTT in time",
                          "no name server": "the name server does not answer",
                          "paused": "no answer to a ping"})
        assert holes.slowest < 2, "the loop stood still"
        assert max(holes.busy().values()) < 0.2, holes.busy()
        for name, gist in {"no SYN": "does not answer", "silent": "does not speak MQTT",
                           "no SUBACK": "does not speak MQTT", "paused": "broke",
                           "no name server": "name is not found"}.items():
            # It may stand before the first try has ended, and says so.
            wait_for(lambda: gist in gateways[name].wait_alarm("mqtt_down"), f"{name}: {gist}")
        # The holes close.
        paused.resume()
        no_syn.close()
        late = enter(Broker(under=tmp_path, start=False))
        late.port = no_syn.port
        late.start()
        for name in ("paused", "no SYN"):
            gateways[name].wait_connected()
        for name in ("paused", "no SYN"):
            gateways[name].wait_alarm("mqtt_down", False)


def test_a_name_that_does_not_resolve(tmp_path):
    with Broker(under=tmp_path) as broker, \
            Gateway(broker.port, settings={"mqtt.host": "nowhere.test"}, under=tmp_path,
                    env=meddle.environment(tmp_path)) as g:
        line = g.wait_line("mqtt_down", "check [mqtt] host and the network")
        assert "host=nowhere.test" in line and "Name or service not known" in line
        assert "name is not found" in g.wait_alarm("mqtt_down")


def test_a_name_with_two_addresses(tmp_path):
    """As localhost, which is ::1 too, where mosquitto may not listen."""
    with Broker(under=tmp_path) as broker, \
            Gateway(broker.port, settings={"mqtt.host": "both.test"}, under=tmp_path,
                    env=meddle.environment(tmp_path)) as g:
        g.wait_connected()
        assert "127.0.0.9: Connection refused" in g.lines("mqtt_down")[0]


def test_a_broker_whose_bytes_trickle(tmp_path):
    punch = b'{"id":"slow-1","user":"usr_000001","time":"2026-02-01T08:00:00Z","type":"check_in"}'
    acked = threading.Event()

    def trickle(link):
        link.expect(1)
        link.send(CONNACK, 0.02)
        link.send(suback(link.expect(8), [1, 1]), 0.02)
        link.send(publish(PUNCH, punch, 1), 0.02)
        assert link.expect(4) == b"\x00\x01"
        acked.set()
        link.swallow()

    with FakeBroker(trickle) as broker, Gateway(broker.port, under=tmp_path) as g:
        asked = 0
        while not acked.is_set():
            g.status()
            asked += 1
        assert asked > 10
        assert g.punches()[0]["record_id"] == "slow-1"


# ---- not let in

def test_a_refused_password(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("wrong\n")
    secret.chmod(0o600)
    with Broker(passwords={"gw": "right", "t": "t"}, under=tmp_path) as broker, \
            Gateway(broker.port, under=tmp_path, settings={
                "mqtt.username": "gw", "mqtt.password_file": secret}) as g:
        line = g.wait_line("mqtt_down", "the broker refuses the login")
        assert "check [mqtt] username and password_file" in line
        assert "refuses the login" in g.wait_alarm("mqtt_down")
        assert "wrong" not in g.messages()
        secret.write_text("right\n")
        g.wait_connected()


class Guarded(Broker):
    """With mosquitto's dynamic security, which refuses subscriptions in the SUBACK, as its access
    list files do not."""

    PLUGIN = next(pathlib.Path("/usr/lib").glob("*/mosquitto_dynamic_security.so"), None)

    def __init__(self, under):
        rules = under / "rules.json"
        subprocess.run(["mosquitto_ctrl", "dynsec", "init", rules, "admin", "secret"], check=True,
                       stdout=subprocess.DEVNULL)
        super().__init__(under=under, extra=[f"plugin {self.PLUGIN}",
                                             f"plugin_opt_config_file {rules}"])
        self.rule("createClient", "gw", "-p", "secret")
        self.rule("createRole", "taker")
        self.rule("addClientRole", "gw", "taker")

    def rule(self, *words):
        subprocess.run(["mosquitto_ctrl", "-h", "127.0.0.1", "-p", str(self.port), "-u", "admin",
                        "-P", "secret", "dynsec", *words], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)


@pytest.mark.skipif(not Guarded.PLUGIN, reason="mosquitto without dynamic security")
def test_a_refused_subscription(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret\n")
    secret.chmod(0o600)
    with Guarded(tmp_path) as broker, Gateway(broker.port, under=tmp_path, settings={
            "mqtt.username": "gw", "mqtt.password_file": secret}) as g:
        line = g.wait_line("mqtt_down", "the broker refuses our subscription")
        assert "check its access list" in line and "att/v1/+/punch" in line
        assert "refuses our subscription" in g.wait_alarm("mqtt_down")
        assert not g.status()["mqtt"]["connected"] and not g.lines("mqtt_up")
        broker.rule("addRoleACL", "taker", "subscribePattern", "att/v1/#", "allow")
        g.wait_connected()
        g.wait_alarm("mqtt_down", False)
        # However often it was refused, it was said once.
        said = [x for x in g.messages().splitlines() if x.startswith("alarm: ") and "mqtt_down" in x]
        assert len(said) == 1


def test_another_client_with_our_id(tmp_path):
    """They throw each other out, again and again: it is said, with the id, and not without end."""
    with fast_broker(under=tmp_path) as broker, Gateway(broker.port, under=tmp_path, settings={
            "log.level": "info"}) as g:
        g.wait_connected()
        other = mqtt.Client(client_id="punchd-test", clean_session=False)
        other.reconnect_delay_set(1, 1)
        other.connect("127.0.0.1", broker.port)
        other.loop_start()
        try:
            line = g.wait_line("mqtt_down", "another client with our client id", 60)
            assert "client_id=punchd-test" in line
            g.wait_alarm("mqtt_down")
            ups = len(g.lines("mqtt_up"))
        finally:
            other.disconnect()
            other.loop_stop()
        g.wait_alarm("mqtt_down", False, 60)
        assert ups <= 4 and len(g.lines("mqtt_down")) <= 3
        one_more(broker, g, "alone")


# ---- what waits for the gateway

def peak_kib(gateway):
    text = pathlib.Path(f"/proc/{gateway.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", text)[1])


def test_a_hundred_thousand_wait(tmp_path):
    """Taken in bursts, within bounded memory."""
    count, trace = 100_000, tmp_path / "trace"
    # AddressSanitizer keeps what was freed, and cannot look for leaks under strace.
    sanitizer = {"ASAN_OPTIONS": "quarantine_size_mb=0:thread_local_quarantine_size_kb=0:"
                                 "detect_leaks=0"}
    with Broker(saves=False, under=tmp_path) as broker, \
            Gateway(broker.port, under=tmp_path, settings={"log.level": "info"},
                    env=sanitizer) as g:
        g.wait_connected()
        idle = peak_kib(g)
        g.stop()
        with Terminal(broker.port, "--terminals", 20, "--count", count // 20, "--no-ack", "--batch",
                      1, under=tmp_path) as terminals:
            assert terminals.wait(120)["unacked"] == 0
        g.wrap = strace.command(trace, "fdatasync", "--seccomp-bpf")
        g.start()
        status = g.wait_status(lambda s: s["counts"]["stored"] >= count, "all of them", 120)
        adds_up(status)
        assert status["counts"]["stored"] == count and status["counts"]["duplicate"] == 0
        grown = peak_kib(g) - idle
        g.end()
    syncs = sum(c.what.endswith("-wal") for c in strace.calls(trace))
    print(f"{count} in {syncs} commits; resident grew by {grown} KiB at most")
    assert count / 2000 < syncs < count / 50
    assert grown < 6 * 1024


def test_qos_0_terminals_while_the_gateway_is_away(tmp_path):
    """As shipped, the broker keeps it for who has subscribed with QoS 1."""
    with Broker(under=tmp_path) as broker, Gateway(broker.port, under=tmp_path) as g:
        g.wait_connected()
        for end, label in ((g.stop, "stopped"), (g.kill, "killed")):
            end()
            many = punches(20, label=label)
            with Hand(broker.port, serial=label, qos=0) as hand:
                hand.send_all(many)
                g.start()
                hand.wait_acked(many)
        assert stored(g) == 40


def test_a_burst_that_the_store_refused_comes_again(tmp_path):
    """Another program holds the file: nothing is acknowledged, and nothing is lost."""
    with fast_broker(under=tmp_path) as broker, Gateway(broker.port, under=tmp_path) as g, \
            Hand(broker.port) as hand:
        g.wait_connected()
        first, many = punches(1, label="first"), punches(50, label="busy")
        hand.send_all(first)
        hand.wait_acked(first)
        holder = sqlite3.connect(g.store, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        try:
            hand.send_all(many)
            assert "tried again" in g.wait_line("store_busy", "nothing was acknowledged")
            assert "another program" in g.wait_alarm("store_failed")
            assert g.status()["state"] == "failing"
            assert "comes again" in g.wait_line("mqtt_down", "could not be stored")
            assert hand.acked().keys() == {"first-000000"} and stored(g) == 1
        finally:
            holder.execute("ROLLBACK")
            holder.close()
        hand.wait_acked(many)
        g.wait_alarm("store_failed", False)
        status = g.status()
        assert (status["counts"]["stored"], status["counts"]["duplicate"]) == (51, 0)
        adds_up(status)


# ---- what the gateway says of itself

class Watcher:
    """Sees the gateway's status topic, as one who was there, or as one who comes now."""

    def __init__(self, broker):
        self.seen = []
        self.client = mqtt.Client()
        self.client.on_message = lambda _c, _d, m: self.seen.append((m.payload, bool(m.retain)))
        self.client.on_connect = lambda *_: self.client.subscribe("att/v1/gw/test/status", 1)
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()

    def wait(self, online, retained):
        text = b'{"online":true' if online else b'{"online":false'
        wait_for(lambda: self.seen, f"status {online}")
        payload, retain = self.seen.pop(0)
        assert payload.startswith(text) and b'"version":"' in payload and retain == retained

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.client.disconnect()
        self.client.loop_stop()


def test_status_and_last_will(tmp_path):
    with fast_broker(under=tmp_path) as broker, Gateway(broker.port, under=tmp_path) as g:
        g.wait_connected()
        with Watcher(broker) as watcher:
            watcher.wait(True, retained=True)
            for end in (g.kill, g.stop):
                end()
                watcher.wait(False, retained=False)
                with Watcher(broker) as late:
                    late.wait(False, retained=True)
                g.start()
                watcher.wait(True, retained=False)
            assert not watcher.seen


# ---- a message that kills

KILLER = {"id": "evil", "user": meddle.MARK, "time": "2026-02-01T08:00:00Z"}


@pytest.mark.parametrize("what, retained", [("punch", False), ("status", True)])
def test_a_message_that_kills_again_and_again(tmp_path, what, retained):
    """As a bug in the parser would. It ends parked, unread; all others flow."""
    topic = f"att/v1/BIO-FP-001/{what}"
    before, behind = punches(20, label="before"), punches(20, label="behind")
    with fast_broker(under=tmp_path) as broker, Hand(broker.port) as hand, \
            Gateway(broker.port, under=tmp_path, env=meddle.environment(tmp_path)) as g:
        g.wait_connected()
        g.stop()
        hand.send_all(before)
        hand.client.publish(topic, json.dumps(KILLER), 1, retained)
        hand.send_all(behind)
        deaths = run_until_it_lives(g, lambda: stored(g) == 41)
        assert deaths == 4  # twice in a burst, twice alone
        hand.wait_acked(before + behind)
        assert "evil" not in hand.acked()
        parked = g.punches("&state=parked")
        assert [(p["reason"], p["terminal"]) for p in parked] == [("crashed", "BIO-FP-001")]
        line = g.wait_line("crashed", "it is parked and not read any more")
        assert "please report it" in line and topic in line
        assert "taking messages one by one" in g.wait_line("careful", "again and again")
        adds_up(g.status())
        # Sent once more, or retained, it is known, and kills nobody.
        for _ in range(2):
            hand.client.publish(topic, json.dumps(KILLER), 1)
            one_more(broker, g, f"again-{stored(g)}")
            assert len(g.punches("&state=parked")) == 1
            g.stop()
            g.start()


def run_until_it_lives(gateway, done):
    """Start it whenever it dies, as systemd does. How often it died before it was done."""
    for deaths in range(10):
        gateway.spawn()
        if wait_for(lambda: gateway.process.poll() is not None or lives(gateway, done), "its end"):
            if gateway.process.poll() is None:
                return deaths
        gateway.wait()
    raise AssertionError(f"it dies for ever\n{gateway.messages()[-4000:]}")


def lives(gateway, done):
    try:
        return done()
    except OSError:
        return False
