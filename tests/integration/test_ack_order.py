"""The one guarantee, seen from the kernel: no acknowledgement leaves before the fdatasync that makes
its punch durable.

A punch's id stands in the row that is inserted, so the write of the log that carries it can be seen,
and the sync behind that write. The checker itself is checked with mutants of the daemon.
"""
import json
import re

import pytest

import strace
from conftest import BUILD
from gateway import Gateway, adds_up
from line import Hand, fast_broker, punches
from mqttwire import PUBACK, PUBLISH, packets
from mutant import POSSIBLE, copy_of_tree, mutant
from waiting import wait_for

TRACED = ("read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg,pwrite64,pwritev,pwritev2,"
          "fdatasync,fsync")
READS = ("read", "readv", "recvfrom", "recvmsg")
WRITES = ("write", "writev", "sendto", "sendmsg")
PUNCH = re.compile(r"(?:own/)?att/v1/[^/]+/punch")
ACK = re.compile(r"(?:own/)?att/v1/[^/]+/ack")
ID = re.compile(rb'"id": ?"([^"]+)"')

# Terminals that would speak the native scheme, were it not for their topics.
PROFILE = {
    "name": "own", "topic": "own/att/v1/{device}/punch", "records": "/", "accept": [],
    "device": ["topic:device"], "user": [["./user", "id"]], "record_id": ["./id"],
    "time": {"from": ["./time"], "formats": ["iso8601"]},
    "direction": {"from": "./type", "map": {"check_in": "check_in", "check_out": "check_out"}},
    "ack": {"topic": "own/att/v1/{device}/ack", "scope": "record",
            "payload": {"acks": [{"id": "{record_id}", "status": "stored"}]}},
}

LONE, WAITING, LISTS, LIST = 20, 400, 6, 50


class Trace:
    """What a traced gateway did with its broker's connections and its log."""

    def __init__(self, path, broker_port):
        self.broker_port = broker_port
        self.calls = strace.calls(path)
        self.log_writes = [c for c in self.calls if c.name.startswith("pwrite") and self._log(c)]
        self.syncs = [c for c in self.calls
                      if c.name in ("fdatasync", "fsync") and self._log(c) and c.result == 0]
        self.durable = self._durable()
        self.faults, self.pubacks, self.acked, self.published = [], 0, [], []
        for connection in sorted({c.what for c in self.calls if self._broker(c)}):
            self._follow(connection)

    @staticmethod
    def _log(call):
        return call.what.endswith("punchd.db-wal")

    def _broker(self, call):
        return call.what.endswith(f"->127.0.0.1:{self.broker_port}]")

    def _durable(self):
        """id -> when the first sync behind the write that carried it was over."""
        written = {}
        for call in self.log_writes:
            for word in re.findall(rb"[a-z]+-\d{6}", call.data):
                written.setdefault(word, call.ended)
        syncs = iter(self.syncs + [None])
        sync, durable = next(syncs), {}
        for word, when in sorted(written.items(), key=lambda pair: pair[1]):
            while sync and sync.begun < when:
                sync = next(syncs)
            if sync:
                durable[word] = sync.ended
        return durable

    def _packets(self, connection, names, mark):
        return packets((getattr(c, mark), c.data) for c in self.calls
                       if c.what == connection and c.name in names)

    def _follow(self, connection):
        came = [p for p in self._packets(connection, READS, "ended")
                if p.kind == PUBLISH and PUNCH.fullmatch(p.topic)]
        self.published += came
        for packet in self._packets(connection, WRITES, "begun"):
            if packet.kind == PUBACK:
                self.pubacks += 1
                self._look_at_puback(packet, came)
            elif packet.kind == PUBLISH and ACK.fullmatch(packet.topic):
                self._look_at_ack(packet)

    def _look_at_puback(self, packet, came):
        its = [p for p in came if p.mid == packet.mid and p.last < packet.first]
        if not its:
            self.faults.append(f"{packet} answers nothing")
            return
        for word in ID.findall(its[-1].payload):
            self._must_be_durable(word, packet)

    def _look_at_ack(self, packet):
        for entry in json.loads(packet.payload)["acks"]:
            self.acked.append(entry["id"])
            self._must_be_durable(entry["id"].encode(), packet)

    def _must_be_durable(self, word, packet):
        when = self.durable.get(word)
        if when is None or when >= packet.first:
            self.faults.append(f"{word} acknowledged by {packet}, durable: {when}")


def live(work, build=BUILD, prefix="", settings=None):
    """A gateway that is sent lone punches, a backlog that waits at the broker, and lists. Returns its
    trace, and the ids in each part."""
    path = work / "trace"
    lone = punches(LONE, label="lone", step=1)
    waiting = punches(WAITING, label="wait", step=1)
    lists = punches(LISTS * LIST, label="list", step=1)
    with fast_broker(under=work) as broker, Hand(broker.port, prefix=prefix) as hand:
        with Gateway(broker.port, under=work, build=build, settings=settings,
                     start=False) as g:
            g.start()
            g.wait_connected()
            g.stop()
            hand.send_all(waiting)
            g.wrap = strace.command(path, TRACED)
            g.start()
            hand.wait_acked(waiting)
            for one in lone:
                hand.send(one)
                hand.wait_acked([one])
            hand.send_all(lists, batch=LIST)
            hand.wait_acked(lists)
            wait_for(lambda: g.status()["counts"]["stored"] == LONE + WAITING + LISTS * LIST,
                     "all of them")
            adds_up(g.status())
            g.end()
        trace = Trace(path, broker.port)
    return trace, [[p["id"] for p in part] for part in (lone, waiting, lists)]


@pytest.mark.parametrize("scheme", ("native", "own"))
def test_nothing_is_acknowledged_before_it_is_on_disk(tmp_path, scheme):
    (tmp_path / "own.json").write_text(json.dumps(PROFILE))
    trace, (lone, waiting, lists) = live(
        tmp_path, prefix="" if scheme == "native" else "own/",
        settings={"mqtt.profiles": scheme, "mqtt.profile_dir": tmp_path})
    assert not trace.faults, trace.faults[:5]
    # It was really seen: each message has its PUBACK, each punch its ack and its write.
    assert trace.pubacks == len(trace.published) == LONE + WAITING + LISTS
    assert sorted(trace.acked) == sorted(lone + waiting + lists)
    assert {w.decode() for w in trace.durable} >= set(trace.acked)
    # A burst shares its sync; a lone punch has one of its own.
    syncs = {part[0][:4]: len({trace.durable[i.encode()] for i in part})
             for part in (lone, waiting, lists)}
    assert syncs["wait"] <= WAITING / 5 and syncs["lone"] == LONE, syncs


# ---- does the checker see anything? Mutants of the daemon, made in a copy of the tree.

MUTANTS = {
    "acknowledged before the commit":
        ("src/edge/mqtt.c", "\tif (m->on.drained(m->on.arg) < 0) {",
         "\twrite_out(m);\n\tif (m->on.drained(m->on.arg) < 0) {"),
    "acknowledged by libmosquitto itself":
        ("src/edge/mqtt.c", "mosquitto_threaded_set(client, true)",
         "mosquitto_threaded_set(client, false)"),
    "commits without a sync":
        ("src/store/store_open.c", "PRAGMA synchronous = FULL", "PRAGMA synchronous = NORMAL"),
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    if not POSSIBLE:
        pytest.skip("the build folder is not in the tree: no mutants can be made")
    return copy_of_tree(tmp_path_factory.mktemp("mutants") / "tree")


@pytest.mark.parametrize("name", MUTANTS)
def test_the_checker_sees(name, tree, tmp_path):
    trace, _ = live(tmp_path, build=mutant(tree, MUTANTS[name]))
    # Not one packet by chance, but each of its kind.
    assert len(trace.faults) >= LONE + WAITING, trace.faults[:5]
