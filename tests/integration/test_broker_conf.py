"""What etc/mosquitto/punchd.conf promises, each against a real mosquitto, and against its defaults
where these would lose something: so the line is needed, and the test can fail."""
import json
import pathlib
import re
import socket
import subprocess
import threading

import paho.mqtt.client as mqtt
import pytest

from broker import MOSQUITTO, SHIPPED, Broker
from ports import free_port
from terminal import Terminal
from waiting import wait_for

TOPIC = "att/v1/T-1/punch"


class Client:
    """A paho client that is connected when it is made."""

    def __init__(self, port, client_id="", clean=True, username=None, password=None):
        self.connected, self.subscribed = threading.Event(), threading.Event()
        self.disconnected = threading.Event()
        self.acked = set()
        self.got = []
        self.session = None
        self.client = mqtt.Client(client_id=client_id, clean_session=clean,
                                  reconnect_on_failure=False)
        if username:
            self.client.username_pw_set(username, password)
        self.client.on_connect = self.on_connect
        self.client.on_subscribe = lambda *a: self.subscribed.set()
        self.client.on_publish = lambda _c, _d, mid: self.acked.add(mid)
        self.client.on_message = lambda _c, _d, m: self.got.append(m)
        self.client.on_disconnect = lambda *a: self.disconnected.set()
        self.client.on_socket_open = lambda _c, _d, sock: sock.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self.connected.wait(20)

    def on_connect(self, _client, _data, flags, code):
        assert code == 0
        self.session = flags["session present"]
        self.connected.set()

    def subscribe(self, topic="att/v1/+/punch"):
        self.client.subscribe(topic, 1)
        assert self.subscribed.wait(20)
        return self

    def publish(self, payload, qos=1, topic=TOPIC):
        """Returns when the broker has acknowledged it; QoS 0: when it is written."""
        info = self.client.publish(topic, payload, qos)
        wait_for(lambda: info.mid in self.acked, "the PUBACK")

    def close(self):
        self.client.disconnect()
        self.disconnected.wait(20)
        self.client.loop_stop()


def leave_session(port, **more):
    """The gateway subscribes, and goes away."""
    Client(port, client_id="gateway", clean=False, **more).subscribe().close()


def collect(port):
    """The gateway comes back: what waited for it, in order. A last message, which is queued behind
    them, tells that this was all."""
    terminal = Client(port)
    terminal.publish("end")
    terminal.close()
    gateway = Client(port, client_id="gateway", clean=False)
    assert gateway.session
    wait_for(lambda: gateway.got and gateway.got[-1].payload == b"end", "the end")
    gateway.close()
    return gateway.got[:-1]


def texts(messages):
    return [m.payload.decode() for m in messages]


def publish_numbers(port, count, qos=1):
    terminal = Client(port)
    for n in range(count):
        terminal.publish(f"number {n}", qos)
    # With QoS 0 the broker may still have some to read: this one is behind them.
    terminal.publish("read", topic="elsewhere")
    terminal.close()


def numbers(count):
    return [f"number {n}" for n in range(count)]


def test_acknowledged_messages_survive_kill_9(tmp_path):
    """The PUBACK leaves a moment before its message is on disk: the last one may be lost, so the
    test waits until that one is there. No other may."""
    with Broker(under=tmp_path) as broker:
        leave_session(broker.port)
        publish_numbers(broker.port, 50)
        wait_for(lambda: b"number 49" in broker.saved().read_bytes(), "the last one on disk")
        broker.kill()
        broker.start()
        assert texts(collect(broker.port)) == numbers(50)


def test_a_kill_under_load_costs_a_terminal_at_most_one(tmp_path):
    lost = []
    for _ in range(5):
        with Broker(under=tmp_path) as broker:
            leave_session(broker.port)
            with Terminal(broker.port, "--count", 0, "--no-ack", "--window", 20, under=tmp_path) as t:
                wait_for(lambda: len(t.acked()) > 100, "a hundred PUBACKs")
                broker.kill()
                t.stop()
                acked = {punch for _, punch in t.acked()}
            broker.start()
            kept = {json.loads(p)["id"] for p in texts(collect(broker.port))}
            lost.append(len(acked - kept))
    assert max(lost) <= 1


def test_mosquittos_own_defaults_lose_all_of_it(tmp_path):
    with Broker(shipped=None, under=tmp_path) as broker:
        leave_session(broker.port)
        publish_numbers(broker.port, 20)
        broker.kill()
        broker.start()
        gateway = Client(broker.port, client_id="gateway", clean=False)
        assert not gateway.session
        gateway.close()


def test_qos_0_is_kept_for_who_is_away(tmp_path):
    with Broker(under=tmp_path) as broker:
        leave_session(broker.port)
        publish_numbers(broker.port, 5, qos=0)
        got = collect(broker.port)
        assert texts(got) == numbers(5)
        assert {m.qos for m in got} == {1}


def without(name, tmp_path):
    """The shipped configuration without its lines that begin so."""
    path = tmp_path / "altered.conf"
    text = SHIPPED.read_text()
    path.write_text(re.sub(rf"(?m)^{name}.*\n", "", text))
    assert path.read_text() != text
    return path


def test_without_the_line_qos_0_is_lost(tmp_path):
    with Broker(shipped=without("upgrade_outgoing_qos", tmp_path), under=tmp_path) as broker:
        leave_session(broker.port)
        publish_numbers(broker.port, 5, qos=0)
        assert collect(broker.port) == []


def fill(broker, count, tmp_path):
    leave_session(broker.port)
    with Terminal(broker.port, "--terminals", 20, "--count", count // 20, "--no-ack", "--batch", 1,
                  under=tmp_path) as t:
        s = t.wait()
    assert (s["code"], s["acked"]) == (0, count)


def drain(broker, count, wait_s=60):
    """How many messages wait for the gateway, up to count; by a client that is fast."""
    r = subprocess.run(["mosquitto_sub", "-h", "127.0.0.1", "-p", str(broker.port), "-i", "gateway",
                        "-c", "-q", "1", "-t", "att/v1/+/punch", "-C", str(count), "-W", str(wait_s),
                        "-F", "%t %l"],
                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                       timeout=90)
    return r.stdout.count("\n")


def test_a_hundred_thousand_wait_and_survive_a_restart(tmp_path):
    """Saving at every change would write 30 MB a message at the end; what is asked here is how many
    may wait."""
    with Broker(saves=False, under=tmp_path) as broker:
        fill(broker, 100_000, tmp_path)
        broker.restart()
        assert drain(broker, 100_000) == 100_000


def test_mosquittos_own_limit_drops_what_it_acknowledged(tmp_path):
    with Broker(shipped=without("max_queued_messages", tmp_path), saves=False,
                under=tmp_path) as broker:
        fill(broker, 4000, tmp_path)
        # The end's own message was dropped as well, so count what comes until nothing does.
        assert 0 < drain(broker, 4000, wait_s=1) < 4000


def test_a_packet_over_the_cap_ends_the_connection(tmp_path):
    """Its sender notices, instead of seeing a success and losing it."""
    with Broker(under=tmp_path) as broker:
        leave_session(broker.port)
        terminal = Client(broker.port)
        terminal.publish(b"x" * (4 << 20))  # punchd's own cap: it must arrive
        terminal.client.publish(TOPIC, b"x" * (6 << 20), 1)
        assert terminal.disconnected.wait(20)
        assert len(terminal.acked) == 1
        terminal.client.loop_stop()
        assert [len(m.payload) for m in collect(broker.port)] == [4 << 20]


def test_many_go_out_before_an_acknowledgement(tmp_path):
    """The gateway commits what is there: the broker must not hold back after 20."""
    with Broker(saves=False, under=tmp_path) as broker:
        fill(broker, 2000, tmp_path)
        with socket.create_connection(("127.0.0.1", broker.port), timeout=20) as s:
            # CONNECT as "gateway", clean session off; nothing is ever acknowledged.
            s.sendall(b"\x10\x13\x00\x04MQTT\x04\x00\x00\x3c\x00\x07gateway")
            data = b""
            while count_publishes(data) < 1000:
                data += s.recv(65536)
            s.settimeout(0.3)
            with pytest.raises(TimeoutError):
                while True:
                    more = s.recv(65536)
                    assert more
                    data += more
        assert count_publishes(data) == 1000


def count_publishes(data):
    """Whole PUBLISH packets in what came."""
    at = count = 0
    while at + 5 <= len(data):
        length, shift, size = 0, 0, 1
        while True:
            byte = data[at + size]
            length |= (byte & 127) << shift
            shift, size = shift + 7, size + 1
            if byte < 128:
                break
        if at + size + length > len(data):
            break
        count += data[at] >> 4 == 3
        at += size + length
    return count


def wiped_by_a_stranger(broker):
    """Whether a client with the gateway's id and a clean session takes away what waits."""
    leave_session(broker.port, username="gw", password="a")
    terminal = Client(broker.port, username="t", password="b")
    for n in range(5):
        terminal.publish(str(n))
    terminal.close()
    Client(broker.port, client_id="gateway", username="t", password="b").close()
    gateway = Client(broker.port, client_id="gateway", clean=False, username="gw", password="a")
    session = gateway.session
    if session:
        wait_for(lambda: len(gateway.got) == 5, "five messages")
    gateway.close()
    return not session


@pytest.mark.parametrize("line, wiped", [([], True), (["use_username_as_clientid true"], False)])
def test_the_gateways_queue_and_its_client_id(tmp_path, line, wiped):
    """What the comment on use_username_as_clientid says."""
    with Broker(passwords={"gw": "a", "t": "b"}, extra=line, under=tmp_path) as broker:
        assert wiped_by_a_stranger(broker) == wiped


def test_acknowledgements_leave_at_once():
    """Nagle's algorithm would hold them back; strace tells whether the socket is set so."""
    with Broker() as broker:
        trace = broker.dir / "trace"
        tracer = subprocess.Popen(["strace", "-f", "-p", str(broker.process.pid), "-e",
                                   "trace=setsockopt", "-o", str(trace)], stderr=subprocess.PIPE,
                                  text=True)
        assert "attached" in tracer.stderr.readline()
        Client(broker.port).close()
        tracer.terminate()
        tracer.communicate()
        assert "TCP_NODELAY, [1]" in trace.read_text()


# Debian's mosquitto.conf, 12 and 13; in the latter the first line is commented out.
DEBIANS = ("pid_file /run/mosquitto/mosquitto.pid\npersistence true\n"
           "persistence_location /var/lib/mosquitto/\nlog_dest file /var/log/mosquitto/mosquitto.log\n"
           "include_dir /etc/mosquitto/conf.d\n")


def keys(text):
    return {line.split()[0] for line in text.splitlines() if line and not line.startswith("#")}


def test_it_sets_nothing_that_debians_own_configuration_sets():
    """Not every key may stand there twice, and a site that changes the main file is to be heard."""
    assert keys(SHIPPED.read_text()) & keys(DEBIANS) == set()
    installed = pathlib.Path("/etc/mosquitto/mosquitto.conf")
    if installed.exists():
        assert keys(SHIPPED.read_text()) & keys(installed.read_text()) == set()


def test_debians_own_configuration_takes_it(tmp_path):
    """Dropped into conf.d of Debian's mosquitto.conf, with its paths moved into the test's folder."""
    port = free_port()
    for name in ("conf.d", "lib", "log", "run"):
        (tmp_path / name).mkdir()
    text = DEBIANS
    for old, new in (("/run/mosquitto/", "run/"), ("/var/lib/mosquitto/", "lib/"),
                     ("/var/log/mosquitto/", "log/"), ("/etc/mosquitto/conf.d", "conf.d")):
        text = text.replace(old, f"{tmp_path}/{new}")
    (tmp_path / "mosquitto.conf").write_text(f"user root\n{text}")
    (tmp_path / "conf.d/punchd.conf").write_text(SHIPPED.read_text())
    (tmp_path / "conf.d/site.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    process = subprocess.Popen([MOSQUITTO, "-c", str(tmp_path / "mosquitto.conf")],
                               stderr=subprocess.PIPE, text=True)
    try:
        wait_for(lambda: process.poll() is not None or listens(port), "mosquitto")
        assert process.poll() is None, process.stderr.read()
        client = Client(port)
        client.publish("1")
        client.close()
    finally:
        process.terminate()
        _, words = process.communicate(timeout=20)
    # What it does not like is told there, and does not always stop it.
    bad = [w for w in words.splitlines() if "Error" in w or "Warning" in w]
    assert [w for w in bad if "should not be run as root" not in w] == []
    assert (tmp_path / "lib/mosquitto.db").exists()


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False
