"""A broker, a cloud and gateways that all begin with the same lists, and the comparison of what they
made of their punches with the oracle's words."""
import collections
import json
import shutil
import threading

import paho.mqtt.client as mqtt

from clockwork import Clockwork
from conftest import BUILD
from gateway import Gateway, adds_up
from judge_oracle import Body, could_be, groups, judge, kind_of, normalise, prefix, tap_of, utc, \
    whose
from line import fast_broker, rfc3339, unix
from sandbox import Sandbox
from waiting import wait_for


class Publisher:
    """Speaks for all terminals over one link, so that what it says comes in this order."""

    def __init__(self, port):
        self.client = mqtt.Client(client_id="all-terminals", clean_session=True)
        self.client.max_inflight_messages_set(1000)
        self.client.max_queued_messages_set(0)
        there = threading.Event()
        self.client.on_connect = lambda *_: there.set()
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert there.wait(20), "the link of the terminals"

    def send(self, terminal, punches):
        return self.client.publish(f"att/v1/{terminal}/punch", json.dumps(punches), qos=1)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


class Yard:
    """What many runs share. The lists are fetched once, before the first; clock: untrusted from the
    start, since the cloud's own is wrong then."""

    def __init__(self, work, users, devices, settings, inactive=()):
        self.work, self.settings = work, settings
        self.clock = Clockwork(work, synchronized=False)
        self.broker = fast_broker(under=work)
        self.cloud = Sandbox(BUILD, work / "cloud", users=users, devices=",".join(devices)).start()
        for serial in inactive:
            self.cloud.put_device(serial_number=serial, status="inactive")
        self.cloud.add_fault("skew=90s")
        self.publisher = Publisher(self.broker.port)
        self.template = work / "template.db"
        gateway = self.gateway(fresh=True)
        gateway.start()
        gateway.wait_synced()
        assert not gateway.status()["clock"]["synchronized"]
        gateway.stop()
        shutil.copy(gateway.store, self.template)
        gateway.done()
        self.cloud.clear_faults()
        self.extra = set()
        self.seen = 0  # the cloud's records of runs before

    def gateway(self, fresh=False, **settings):
        """One that has not started yet, with the lists and nothing else in its store."""
        gateway = Gateway(self.broker.port, self.cloud.base_url, self.cloud.ca, self.cloud.key,
                          under=self.work, env=self.clock.environment, start=False,
                          settings={"log.level": "warning"} | self.settings | settings)
        gateway.told = set()  # what receive() has sent
        if not fresh:
            shutil.copy(self.template, gateway.store)
        return gateway

    def end_run(self, gateway):
        gateway.done()
        if not self.cloud.process:
            self.cloud.start()

    def new_run(self, people=()):
        """Begins with the cloud away. The cloud forgets what keys it knew, since other orders may give
        a punch another body."""
        records = self.cloud.records()
        self.cloud.forget_keys()
        self.seen = len(records)
        self.people(people)
        self.cloud.stop()

    def people(self, wanted):
        """Beside those of the start the cloud knows these user ids and no others. It must be there."""
        for user_id in self.extra - set(wanted):
            self.cloud.remove_user(user_id)
        for user_id in set(wanted) - self.extra:
            self.cloud.put_user(id=user_id, name=f"New {user_id}")
        self.extra = set(wanted)

    def records(self):
        return self.cloud.records()[self.seen:]

    def close(self):
        self.publisher.close()
        self.cloud.stop()
        self.broker.done()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


def receive(yard, gateway, messages, before=0):
    """Send messages, [(terminal, [punch])], and wait until all are stored; how many it has received
    since ever, at the least: what was stored when it was killed may come again."""
    for terminal, punches in messages:
        yard.publisher.send(terminal, punches)
        gateway.told |= {key_in(terminal, p, kind_of(p)) for p in punches}
    wanted = before + sum(len(p) for _, p in messages)
    gateway.wait_status(lambda s: s["counts"]["received"] >= wanted and
                        s["counts"]["stored"] >= len(gateway.told), f"{wanted} received")
    return wanted


def quiet_link(gateway):
    """For a second after connecting nobody can tell how long a message waited at the broker."""
    at = gateway.wait_status(lambda s: s["mqtt"]["connected"], "the broker link")["uptime_s"]
    gateway.wait_status(lambda s: s["uptime_s"] > at + 1, "a quiet link")


# ---- what it shows, and what the oracle says

def key_of(shown):
    return (shown["terminal"], shown["record_id"], shown["user"]["kind"], shown["user"]["value"],
            shown["time_sent"])


def key_in(terminal, punch, kind):
    return (terminal, punch["id"], kind, normalise(kind, punch["user"]), punch.get("time"))


def taps_of(shown, sent):
    """The oracle's taps, of what was sent ({key: (terminal, punch)}), in the order of the identities
    that the gateway shows. Nothing is lost, nothing invented, nothing there twice."""
    found = collections.Counter(map(key_of, shown))
    assert found == collections.Counter(sent.keys()), (
        (found - collections.Counter(sent.keys())).most_common(3),
        (collections.Counter(sent.keys()) - found).most_common(3))
    assert len({p["id"] for p in shown}) == len(shown)
    taps = []
    for p in shown:
        terminal, punch = sent[key_of(p)]
        taps.append(tap_of(p["id"], terminal, punch, utc(p["received"])))
        if taps[-1].time is not None:
            assert p["id"].startswith(prefix(punch["time"])), p
    return taps


def difference(shown, verdicts):
    """Where the gateway and the oracle do not agree: [(what was sent, gateway, oracle)]."""
    found = []
    for p in shown:
        v = verdicts[p["id"]]
        state = "sent" if p["state"] in ("queued", "delivered") else p["state"]
        is_ = [state, p["reason"]]
        said = [v.state, v.reason]
        if v.state == "sent" and state == "sent":
            is_ += [p["user"]["user_id"], p["device_id"], p["type"], p["time"]]
            said += [v.user_id, v.device_id, v.type, rfc3339(v.time)]
        if v.state == "held" and state == "held" and v.time is not None:
            is_ += [p["user"]["user_id"], p["type"]]
            said += [v.user_id, v.type]
        if is_ != said:
            found.append((key_of(p), is_, said))
    return found


def in_doubt(gateway, arrivals, rules, now=None, frozen=None, released=None):
    """ident -> Body of what was frozen when the last run was killed, and may have left (§6): nothing
    re-judges it. It was right at a moment. arrivals: taps in order of arrival. frozen: what had gone
    before. released: by a person."""
    found = {p["id"]: Body(p["user"]["user_id"], p["device_id"], p["type"], utc(p["time"]))
             for p in gateway.punches("&in_doubt=yes") if p["in_doubt"]}
    for ident, body in found.items():
        assert could_be(ident, body, arrivals, rules, frozen, now=now, released=released), (
            ident, body)
    return found


def wait_agreed(gateway, judged, what, timeout=30):
    """Until what it shows is what judged(shown) says; what it shows."""
    last = []

    def look():
        shown = gateway.punches()
        last[:] = difference(shown, judged(shown))
        return None if last else shown

    try:
        return wait_for(look, what, timeout)
    except AssertionError as e:
        raise AssertionError(f"{what}: {len(last)} differ (sent, gateway, oracle):\n" +
                             "\n".join(map(str, last[:12])) +
                             f"\n{gateway.messages()[-2000:]}") from e


def records_agree(records, verdicts):
    """The cloud has exactly what the oracle sends, each once."""
    keys = [r["idempotency_key"] for r in records]
    assert None not in keys and len(set(keys)) == len(keys)
    found = collections.Counter((r["user_id"], r["device_id"], r["type"], r["timestamp"])
                                for r in records)
    said = collections.Counter((v.user_id, v.device_id, v.type, rfc3339(v.time))
                               for v in verdicts.values() if v.state == "sent")
    assert found == said, ((found - said).most_common(5), (said - found).most_common(5))


def in_order(records, rules):
    """JUDGING.md §9, of what nothing held back."""
    last = collections.defaultdict(str)
    for r in records:
        key = r["user_id"], rules.working_day(unix(r["timestamp"]))
        assert last[key] <= r["timestamp"], f"{r} came after {last[key]}"
        last[key] = r["timestamp"]


def settled(gateway, verdicts):
    """All that can go is gone, and the gateway shows what the oracle says."""
    wanted = sum(v.state == "sent" for v in verdicts.values())

    def look():
        status = gateway.status()
        return status if status["directory"]["pass"] and status["queue"]["queued"] == 0 and \
            status["counts"]["delivered"] >= wanted else None

    try:
        status = wait_for(look, f"{wanted} delivered", 30)
    except AssertionError as e:
        raise AssertionError(f"{e}: {gateway.status()}\n" + "\n".join(
            map(str, difference(gateway.punches(), verdicts)[:12]))) from e
    adds_up(status)
    assert difference(gateway.punches(), verdicts) == []


def by_arrival(taps, shown, messages):
    """The taps in the order in which they came first. messages: [(terminal, [punch])]."""
    ident = {key_of(p): p["id"] for p in shown}
    first = {}
    for terminal, punches in messages:
        for p in punches:
            first.setdefault(ident[key_in(terminal, p, kind_of(p))], len(first))
    return sorted(taps, key=lambda t: first[t.ident])


def raced_rightly(yard, gateway, messages, sent, rules, now):
    """The cloud was there all the time, and what went when is not known. Each body was right at a
    moment, and what did not go is what the oracle says of it beside those that went."""
    shown = gateway.punches()
    ident = {p["att_id"]: p["id"] for p in shown if p["att_id"]}
    went = [(ident[r["id"]], Body(r["user_id"], r["device_id"], r["type"], utc(r["timestamp"])))
            for r in yard.records()]
    frozen = dict(went)
    assert len(frozen) == len(went) == sum(p["state"] == "delivered" for p in shown)
    taps = by_arrival(taps_of(shown, sent), shown, messages)
    assert difference(shown, judge(taps, rules, now=now, frozen=frozen)) == []
    for arrivals in groups(taps, lambda t: whose(t, rules)):
        own = {t.ident for t in arrivals}
        mine = [(i, b) for i, b in went if i in own]
        for i, body in mine:
            assert could_be(i, body, arrivals, rules, others=mine, now=now), (i, body, arrivals, mine)
