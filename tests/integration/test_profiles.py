"""Terminals that speak in a way of their own: every captured sample through broker and daemon gives
exactly its punches, acknowledgements and ignored count; and what profiles may not do."""
import datetime
import json
import pathlib
import re
import signal
import subprocess
import threading

import pytest

from conftest import BUILD, ROOT
from gateway import Gateway, adds_up
from line import Hand, fast_broker, morning, rfc3339
from place import Place
from waiting import wait_for

SAMPLES = ROOT / "tests/data/terminals"
PROFILES = ROOT / "etc/profiles"
ALL = " ".join(["native"] + sorted(p.stem for p in PROFILES.glob("*.json")))
# Records that are no punch, of samples that have others, and lines that can be none.
MORE_IGNORED = {"hikvision/05-acsevent-page.json": 1}
PARKED = {"zkteco-adms/08-garbage-line.txt": 1}


def samples():
    """All of them, in order; (where, entry)."""
    return [(f"{index.parent.name}/{entry['file']}", entry)
            for index in sorted(SAMPLES.glob("*/index.json"))
            for entry in json.loads(index.read_text())]


ZONES = sorted({entry.get("tz", "UTC") for _, entry in samples()})


class Ear(Hand):
    """A terminal that sends anything and hears everything."""

    def __init__(self, port):
        self.heard = []
        super().__init__(port, serial="LAST")
        ready = threading.Event()
        self.client.on_subscribe = lambda *_: ready.set()
        self.client.message_callback_add("#", lambda _c, _d, m: self._hear(m))
        self.client.subscribe("#", 1)
        assert ready.wait(20)

    def _hear(self, message):
        if message.topic == "att/v1/LAST/ack":
            self._on_message(None, None, message)
        with self.lock:
            self.heard.append((message.topic, message.payload))

    def through(self, topic, payload, retain=False):
        """Send it, and wait until the gateway has taken it: a plain punch behind it is acknowledged."""
        self.count = getattr(self, "count", 0) + 1
        last = {"id": str(self.count), "user": "usr_000001", "time": rfc3339(morning() + self.count)}
        self.client.publish(topic, payload, qos=1, retain=retain)
        self.send(last)
        self.wait_acked([last])

    def answers(self, sent):
        """What was published beside what was sent and the native scheme."""
        with self.lock:
            return [(t, p) for t, p in self.heard
                    if (t, p) not in sent and not t.startswith("att/v1/")]


@pytest.fixture
def broker(tmp_path):
    broker = fast_broker(under=tmp_path)
    yield broker
    broker.done()


def gateway(broker, tmp_path, profiles=ALL, folder=PROFILES, **settings):
    g = Gateway(broker.port, under=tmp_path, settings={
        "mqtt.profiles": profiles, "mqtt.profile_dir": folder} | settings)
    g.wait_connected()
    return g


def shown(punch):
    return (f"{punch['user']['kind']}:{punch['user']['value']}", punch["time"], punch["terminal"],
            punch["record_id"], punch["live"],
            punch["type"] if punch["type_from"] == "terminal" else None)


def wanted(expect):
    stamp = expect["time"]
    if stamp != "received":
        stamp = subprocess.run(["date", "-u", "-d", stamp, "+%Y-%m-%dT%H:%M:%SZ"], check=True,
                               capture_output=True, text=True).stdout.strip()
    return (expect["user"], stamp, expect["device"], expect.get("record_id"), expect.get("live"),
            expect.get("type"))


def within(part, whole):
    """A vendor may read what is beyond what a sample's ack lists."""
    return all(within(v, whole[k]) if isinstance(v, dict) else whole[k] == v
               for k, v in part.items())


def check_acks(entries, answers):
    acks = [(t, p) for t, p in answers if b"Online-Ack" not in p and b"SetSysTime" not in p]
    expected = [e["ack"] for e in entries if "ack" in e]
    assert len(acks) == len(expected), acks
    assert [t for t, p in answers if b"Online-Ack" in p] == [
        "mqtt/face/005a213b000b93cc" for e in entries if e["file"] == "08-online.json"]
    for (topic, payload), ack in zip(acks, expected):
        assert topic == ack["topic"]
        if "payload_text" in ack:
            assert payload.decode() == ack["payload_text"]
        else:
            assert within(ack["payload"], json.loads(payload)), payload


@pytest.mark.parametrize("zone", ZONES)
def test_samples(broker, tmp_path, zone):
    chosen = [(w, e) for w, e in samples() if e.get("tz", "UTC") == zone]
    ear = Ear(broker.port)
    sent = []
    with gateway(broker, tmp_path, **{"site.time_zone": zone}) as g:
        for where, entry in chosen:
            payload = (SAMPLES / where).read_bytes()
            sent.append((entry["topic"], payload))
            ear.through(entry["topic"], payload, entry["retain"])
        entries = [e for _, e in chosen]
        status, found = g.status(), g.punches()
        adds_up(status)
        expected = [wanted(x) for e in entries for x in e["expect"]]
        punches = [p for p in found if p["terminal"] != "LAST" and p["reason"] != "malformed"]
        timed = {shown(p) for p in punches if p["time_sent"]}
        assert timed == {x for x in expected if x[1] != "received"}
        assert len(punches) == len(set(expected))
        assert [shown(p)[0] for p in punches if not p["time_sent"]] == \
            [x[0] for x in expected if x[1] == "received"]
        counts = status["counts"]
        parked = sum(PARKED.get(w, 0) for w, _ in chosen)
        assert counts["ignored"] == sum(
            bool(e["profile"] and not e["expect"] and "nomatch" not in e) + MORE_IGNORED.get(w, 0)
            for w, e in chosen)
        assert counts["received"] == len(expected) + parked + ear.count
        assert counts["duplicate"] == len(expected) - len(set(expected))
        assert sum(p["reason"] == "malformed" for p in found) == parked
        wait_for(lambda: len(ear.answers(sent)) >= sum("ack" in e for e in entries), "the acks")
        check_acks(entries, ear.answers(sent))
        check_presence(entries, status)
    ear.close()


def check_presence(entries, status):
    online = {t["serial"]: t["online"] for t in status["terminals"]}
    for topic, serial, state in (("mqtt/face/heartbeat", "005a213b000b93cc", True),
                                 ("access_device/v2/event/offline", "VF203B002", False),
                                 ("tele/gate/LWT", "gate", True)):
        if any(e["topic"] == topic for e in entries):
            assert online[serial] is state, (serial, status["terminals"])


def profile(**changes):
    good = {"name": "own", "topic": "own/{device}/p", "accept": [], "device": ["topic:device"],
            "user": [["/u", "pin"]], "time": {"from": ["/t"], "formats": ["epoch_s"]},
            "ack": {"topic": "own/{device}/a", "payload_text": "{/u}"}}
    return {k: v for k, v in (good | changes).items() if v is not None}


def write(folder, *profiles):
    folder.mkdir(exist_ok=True)
    for one in profiles:
        (folder / f"{one['name']}.json").write_text(json.dumps(one))
    return folder


def punch(user):
    return json.dumps({"u": user, "t": morning()})


def test_ack_only_for_what_is_on_disk_and_never_to_ourselves(broker, tmp_path):
    """A topic that another profile listens on is not published to, and a second ack is not sent
    where the profile says once."""
    first = profile(ack={"topic": "own/{device}", "payload_text": "{/u}", "once": True})
    other = profile(name="other", topic="own/loop", device=["const:x"], ack=None)
    folder = write(tmp_path / "p", first, other)
    ear = Ear(broker.port)
    sent = []
    with gateway(broker, tmp_path, "native own other", folder) as g:
        for topic, payload in (("own/7/p", punch(1)), ("own/loop/p", punch(2)),
                               ("own/7/p", punch(1)), ("own/7/p", punch(3))):
            sent.append((topic, payload.encode()))
            ear.through(topic, payload)
        wait_for(lambda: len(ear.answers(sent)) >= 2, "two acks")
        assert ear.answers(sent) == [("own/7", b"1"), ("own/7", b"3")]
        assert g.status()["counts"]["duplicate"] == 1
        assert g.lines("profile")
    ear.close()


def test_reload(broker, tmp_path):
    """SIGHUP: a new profile is heard, one that is gone is not; a bad one leaves all as it was."""
    folder = write(tmp_path / "p", profile(), profile(name="new", topic="new/{device}/p", ack=None))
    ear = Ear(broker.port)
    with gateway(broker, tmp_path, "native own", folder) as g:
        def reload(names, told):
            before = len(g.lines("config"))
            g.settings["mqtt.profiles"] = names
            g.write_config()
            g.process.send_signal(signal.SIGHUP)
            wait_for(lambda: any(told in line for line in g.lines("config")[before:]), told)

        def terminals():
            return {p["terminal"] for p in g.punches()} - {"LAST"}

        ear.through("new/1/p", punch(1))
        ear.through("own/1/p", punch(1))
        assert terminals() == {"1"} and len(g.punches("&device=1")) == 1
        reload("native new", "settings read again")
        ear.through("new/2/p", punch(1))
        ear.through("own/3/p", punch(1))
        assert terminals() == {"1", "2"}
        (folder / "new.json").write_text("{}")
        reload("native new own", "the new settings are at fault")
        ear.through("new/4/p", punch(1))
        assert terminals() == {"1", "2", "4"}
    ear.close()


def test_too_large(broker, tmp_path):
    folder = write(tmp_path / "p", profile())
    ear = Ear(broker.port)
    with gateway(broker, tmp_path, "native own", folder, **{"mqtt.max_payload": "2K"}) as g:
        ear.through("own/1/p", punch(1) + " " * 2048)
        ear.through("att/v1/9/punch", json.dumps({"id": "1", "user": "1"}) + " " * 2048)
        parked = g.punches("&state=parked")
        assert [(p["reason"], p["error"]["message"]) for p in parked] == \
            [("too_large", "more than max_payload")] * 2
    ear.close()


def test_killed_between_commit_and_ack(broker, tmp_path):
    """What was acknowledged is there after kill -9, and comes again as a duplicate that is
    acknowledged again."""
    folder = write(tmp_path / "p", profile())
    ear = Ear(broker.port)
    with gateway(broker, tmp_path, "native own", folder) as g:
        ear.through("own/1/p", punch(1))
        wait_for(lambda: ear.answers([("own/1/p", punch(1).encode())]), "the ack")
        g.kill()
        g.start()
        assert [p["user"]["value"] for p in g.punches("&device=1")] == ["1"]
        g.wait_connected()
        ear.through("own/1/p", punch(1))
        wait_for(lambda: len(ear.answers([("own/1/p", punch(1).encode())])) == 2, "the second ack")
        assert g.status()["counts"]["duplicate"] == 1
    ear.close()


def check(tmp_path, profiles, folder):
    g = Gateway(under=tmp_path, start=False,
                settings={"mqtt.profiles": profiles, "mqtt.profile_dir": folder})
    g.write_config()
    done = subprocess.run([str(pathlib.Path(BUILD) / "punchd"), "-t", "-c", str(g.config)],
                          capture_output=True, text=True)
    faults = done.stderr.replace(f"{folder}/", "").replace(f"{g.config}", "CONF")
    g.done()
    return done.returncode, faults


def test_check(tmp_path):
    """punchd -t tells each fault with file and path."""
    folder = write(tmp_path / "p", profile(), profile(name="bad", tpoic=1, accept=[["/a", "is"]]),
                   profile(name="same", topic="own/7/{device}"))
    assert check(tmp_path, ALL, PROFILES) == (0, "")
    code, faults = check(tmp_path, "own bad", folder)
    assert code == 1 and re.sub(r"(?m)^CONF:\d+: profiles: ", "", faults) == (
        "bad.json: /tpoic: there is no such key\n"
        "bad.json: /accept/0: the operation is none of in, notin, nonempty, anyin, gt\n")
    assert len(set(re.findall(r"(?m)^CONF:(\d+): profiles: ", faults))) == 1
    code, faults = check(tmp_path, "own same nowhere", folder)
    assert code == 1
    assert re.sub(r"^CONF:\d+: profiles: ", "", faults.splitlines()[0]) == (
        "same.json: /topic: `own/7/{device}` and the topic of the profile own, `own/{device}/p`, "
        "can be the same: a message would be read two ways")
    assert "there is no profile `nowhere`" in faults
    assert check(tmp_path, "", folder)[1].endswith("it names none: nothing would be heard\n")


def test_terminals_are_told_the_time(tmp_path):
    """Once the clock is trusted, as the profile says, and not again before it is due."""
    with Place(tmp_path, settings={"mqtt.profiles": ALL, "mqtt.profile_dir": PROFILES,
                                   "site.time_zone": "Asia/Manila"}) as place:
        ear = Ear(place.broker.port)

        def told():
            return [(t, json.loads(p)) for t, p in ear.answers([]) if b"SetSysTime" in p]

        for name in ("08-online", "10-heartbeat"):
            file = SAMPLES / f"mqtt-face/{name}.json"
            ear.through("mqtt/face/basic" if "online" in name else "mqtt/face/heartbeat",
                        file.read_bytes())
        wait_for(told, "the time")
        up = place.gateway.status()["uptime_s"]
        place.gateway.wait_status(lambda s: s["uptime_s"] > up + 2, "two looks at the clocks")
        ((topic, payload),) = told()
        assert topic == "mqtt/face/005a213b000b93cc"
        stamp = datetime.datetime.fromisoformat(payload["info"]["SysTime"] + "+08:00")
        now = datetime.datetime.now(datetime.timezone.utc)
        assert abs(now - stamp) < datetime.timedelta(hours=1)
        ear.close()


# ---- punchctl try-profile: without a daemon

def attempt(name, topic, file, *options):
    return subprocess.run([str(pathlib.Path(BUILD) / "punchctl"), "try-profile", str(name), topic,
                           str(file), "--json", *options], capture_output=True, text=True)


def test_try_profile_says_what_punchd_does():
    for where, entry in samples():
        if not entry["profile"] or "nomatch" in entry:
            continue
        done = attempt(PROFILES / f"{entry['profile']}.json", entry["topic"], SAMPLES / where,
                       "--zone", entry.get("tz", "UTC"))
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert [(r["user"], r["time"], r["terminal"], r.get("record_id"), r.get("live"), r.get("type"))
                for r in found.get("records", []) if r["becomes"] == "punch"] == [
            (x[0], "when it is received" if x[1] == "received" else x[1], *x[2:])
            for x in map(wanted, entry["expect"])], where
        check_acks([entry] if "ack" in entry else [], [
            (p["topic"], p["payload"].encode()) for p in found.get("publishes", [])])


def test_try_profile_refuses(tmp_path):
    folder = write(tmp_path / "p", profile(), profile(name="bad", tpoic=1))
    file = tmp_path / "payload"
    file.write_text(punch(1))
    for name, topic, told in ((folder / "own.json", "else/7/p", "does not listen on else/7/p"),
                              (folder / "bad.json", "own/7/p", "/tpoic: there is no such key"),
                              ("nowhere", "own/7/p", "No such file")):
        done = attempt(name, topic, file)
        assert (done.returncode, done.stdout) == (1, "") and told in done.stderr
    assert attempt(folder / "own.json", "own/7/p", file, "--zone", "Nowhere").returncode == 2


# ---- families that nobody here has seen: a profile alone, no code

FAMILIES = sorted((ROOT / "tests/data/families").glob("*.json"))


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.stem)
def test_family(tmp_path, family):
    told = json.loads(family.read_text())
    name = write(tmp_path / "p", told["profile"]) / f"{told['profile']['name']}.json"
    for number, sample in enumerate(told["samples"]):
        file = tmp_path / str(number)
        file.write_text(sample["payload"])
        done = attempt(name, sample["topic"], file, "--zone", sample.get("zone", "UTC"))
        assert (done.returncode, done.stderr) == (0, "")
        assert json.loads(done.stdout) == {"records": sample["becomes"]}


def test_the_walk_in_the_docs(tmp_path):
    """docs/profiles.md: what is to be ignored is. Its punch is tried by test_examples.py."""
    text = (ROOT / "docs/profiles.md").read_text()
    part = {name: body for name, body in re.findall(r"(?ms)^```\w+ (\w+)\n(.*?)^```", text)}
    (tmp_path / "keypad.json").write_text(part["profile"])
    (tmp_path / "ignored").write_text(part["ignored"])
    done = subprocess.run([str(pathlib.Path(BUILD) / "punchctl"), "try-profile", "--json",
                           str(tmp_path / "keypad.json"), "zigbee2mqtt/hall",
                           str(tmp_path / "ignored")], capture_output=True, text=True)
    assert json.loads(done.stdout) == {"records": [{"becomes": "ignored", "terminal": "hall"}]}


def test_the_docs_have_every_key():
    known = re.search(r"profile_keys\[\] = \{(.*?)NULL\}",
                      (ROOT / "src/core/profile_load.c").read_text(), re.S)[1]
    rows = re.findall(r"(?m)^\| (`.*?) \|", (ROOT / "docs/profiles.md").read_text())
    assert set(re.findall(r'"(\w+)"', known)) - {"columns"} == set(
        re.findall(r"`(\w+)`", " ".join(rows)))
