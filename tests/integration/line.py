"""What tests of the whole line share: a fast broker, a terminal played by hand, and laws that hold
for whatever went wrong."""
import calendar
import collections
import json
import socket
import threading
import time

import paho.mqtt.client as mqtt

import contract
from broker import Broker
from waiting import wait_for

DAY = 24 * 3600
# As shipped, but saved only when the broker ends: saving at every change is the disk's speed.
FAST = ("max_queued_messages 1000000", "max_inflight_messages 1000", "max_inflight_bytes 0",
        "upgrade_outgoing_qos true", "set_tcp_nodelay true", "autosave_interval 0")


def fast_broker(**kwargs):
    return Broker(shipped=None, extra=FAST, **kwargs)


def morning(days_ago=1):
    """08:00 UTC of a day that is over, so that nothing lies in the future or is stale."""
    return int(time.time()) // DAY * DAY - days_ago * DAY + 8 * 3600


def rfc3339(unix_s):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(unix_s))


def unix(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def user(n):
    return f"usr_{n:06d}"


def punches(count, users=10, start=None, step=60, first=0, label="p", kinds=("check_in", "check_out")):
    """count punches of so many users in turn, each with an id of its own; a user's kinds alternate."""
    start = morning() if start is None else start
    return [{"id": f"{label}-{i:06d}", "user": user(i % users + 1), "time": rfc3339(start + i * step),
             "type": kinds[i // users % len(kinds)]} for i in range(first, first + count)]


class Hand:
    """A terminal played by hand: it sends what it is told, and keeps every ack. What docs/api/asyncapi.yaml
    calls no punch must be parked as malformed, and nothing else."""

    def __init__(self, port, serial="BIO-FP-001", prefix="", qos=1, **login):
        self.serial, self.prefix, self.qos = serial, prefix, qos
        self.acks = []  # in order of arrival: {"id", "status", …}
        self.sound = collections.defaultdict(set)  # by id: what the contract says of what was sent
        self.lock = threading.Lock()
        self.subscribed = threading.Event()
        self.client = mqtt.Client(client_id=f"hand-{prefix}{serial}", clean_session=True)
        if login:
            self.client.username_pw_set(login["username"], login["password"])
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.on_message = self._on_message
        self.client.on_socket_open = lambda _c, _d, s: s.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.client.max_inflight_messages_set(0)
        self.client.max_queued_messages_set(0)
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self.subscribed.wait(20), "the terminal's subscription"

    def _on_connect(self, client, _data, _flags, _code):
        client.subscribe(f"{self.prefix}att/v1/{self.serial}/ack", 1)

    def _on_message(self, _client, _data, message):
        with self.lock:
            acks = json.loads(message.payload)["acks"]
            self.acks += acks
            for ack in acks:
                self._compare(ack)

    def _note(self, punch):
        whole = contract.MQTT.fault("#/components/schemas/Punches", punch)
        for one in punch if isinstance(punch, list) else [punch]:
            record_id = one.get("id") if isinstance(one, dict) else None
            if isinstance(record_id, str):
                fault = whole and contract.MQTT.fault("#/components/schemas/Punch", one)
                self.sound[record_id].add(fault is None)

    def _compare(self, ack):
        sound = self.sound.get(ack["id"])
        if sound and len(sound) == 1 and ack["status"] != "duplicate" and \
                (ack.get("reason") != "malformed") != (sound == {True}):
            contract.note(f"the contract says {sound} of punch {ack['id']}, punchd: {ack}")

    def send(self, punch):
        """One punch, or a list of them as one message. Returns what waits for the broker."""
        self._note(punch)
        return self.client.publish(
            f"{self.prefix}att/v1/{self.serial}/punch", json.dumps(punch), qos=self.qos)

    def send_all(self, many, batch=1):
        """All of them, and wait until the broker has them."""
        sent = [self.send(many[i] if batch == 1 else many[i:i + batch])
                for i in range(0, len(many), batch)]
        for one in sent:
            one.wait_for_publish(60)
        assert all(one.is_published() for one in sent)

    def acked(self):
        with self.lock:
            return {ack["id"]: ack["status"] for ack in self.acks}

    def wait_acked(self, many, timeout=60):
        wanted = {p["id"] for p in many}
        wait_for(lambda: wanted <= self.acked().keys(), f"acks of {len(wanted)} punches", timeout)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


# ---- laws

def in_order(records):
    """Records of one user and day arrived in time order (JUDGING.md §9); days turn at 04:00 UTC."""
    last = collections.defaultdict(str)
    for r in records:
        key = r["user_id"], (unix(r["timestamp"]) - 4 * 3600) // DAY
        assert last[key] <= r["timestamp"], f"{r} came after {last[key]}"
        last[key] = r["timestamp"]


def body_of(record):
    return record["user_id"], record["timestamp"], record["type"]


def each_once(records, sent):
    """The cloud holds every punch that was sent, each once, and nothing else."""
    keys = collections.Counter(r["idempotency_key"] for r in records)
    assert None not in keys and not [k for k, n in keys.items() if n > 1]
    wanted = collections.Counter((p["user"], p["time"], p["type"]) for p in sent)
    assert collections.Counter(map(body_of, records)) == wanted


def sends_decided(gateway):
    """How many answers for punches the gateway has taken note of, by its log: one a send."""
    return gateway.messages().count("sent: the API answered for a punch")


def attendance_posts(cloud):
    return cloud.stats()["by_path"]["POST /attendance"]
