"""SIGHUP: what takes effect at once does, what does not is named, and bad settings leave the old ones."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest

from conftest import BUILD, ROOT
from fronts import Certificate
from hookcall import HMAC_SECRET, SECRET, Caller, event, signature
from line import Hand, morning, rfc3339, unix, user
from place import SERIAL, Place
from ports import free_port
from waiting import wait_for

GATE = {"name": "gate", "topic": "gate/{device}/p", "accept": [], "device": ["topic:device"],
        "user": [["/u", "id"]], "record_id": ["/n"],
        "time": {"from": ["/t"], "formats": ["%Y-%m-%d %H:%M:%S"]}}


def punch(record_id, at=None, who=1, **fields):
    """Of that second, default 08:00 of yesterday."""
    return {"id": record_id, "user": user(who), "time": rfc3339(at or morning())} | fields


def found(place):
    return {p["record_id"]: p for p in place.gateway.punches()}


def extend(place, text):
    folder = place.gateway.dir / "conf.d"
    folder.mkdir(exist_ok=True)
    (folder / "more.conf").write_text(text)


def hang_up(place, said="settings read again", **settings):
    """Change settings and have them read; what was logged since."""
    gateway = place.gateway
    before = len(gateway.messages())
    gateway.settings.update({k.replace("__", "."): v for k, v in settings.items()})
    gateway.write_config()
    gateway.process.send_signal(signal.SIGHUP)
    wait_for(lambda: said in gateway.messages()[before:], f"{said}\n{gateway.log}")
    # The status shows what became of it, so that is over.
    gateway.status()
    return gateway.messages()[before:]


def pause(place):
    """So that nothing is frozen, and all is judged by what is in force."""
    assert place.gateway.request("POST", "/v1/pause", "{}")[0] == 200


# ---- each live key takes effect

LIVE = {}


def shows(key, **settings):
    """A test of that key; with which settings the gateway starts."""
    def keep(function):
        LIVE[key] = (function, {k.replace("__", "."): v for k, v in settings.items()})
        return function
    return keep


@shows("api.key_file", api__auth_retry="1d")
def _(place):
    place.cloud.add_key("other-key")
    place.cloud.remove_key(place.cloud.key)
    place.hand.send_all([punch("1")])
    place.gateway.wait_status(lambda s: s["api"]["state"] == "auth_failed", "it is refused")
    other = place.gateway.dir / "other.key"
    other.write_text("other-key")
    hang_up(place, api__key_file=other)
    place.gateway.wait_delivered(1)


@shows("api.in_doubt")
def _(place):
    hang_up(place, api__in_doubt="hold")
    place.cloud.add_fault("drop-after,path=/attendance,count=1")
    place.hand.send_all([punch("1")])
    wait_for(lambda: found(place).get("1", {}).get("reason") == "in_doubt", "it is held")


def put_profile(place, folder, **more):
    folder = place.gateway.dir / folder
    folder.mkdir(exist_ok=True)
    (folder / "gate.json").write_text(json.dumps(GATE | more))
    return folder


def at_gate(place, record_id, topic="gate/7/p", clock="08:00:00"):
    """Sent at the gate; then something that is heard for certain, behind it."""
    place.hand.client.publish(topic, json.dumps(
        {"u": user(2), "n": record_id, "t": f"{rfc3339(morning())[:10]} {clock}"}), qos=1)
    place.send(punch(f"behind {record_id}", who=3))
    return found(place).get(record_id)


@shows("mqtt.profiles")
def _(place):
    folder = put_profile(place, "profiles")
    hang_up(place, mqtt__profile_dir=folder)
    assert not at_gate(place, "1")
    hang_up(place, mqtt__profiles="native gate")
    assert at_gate(place, "2")


@shows("mqtt.profile_dir")
def _(place):
    folder = put_profile(place, "profiles")
    hang_up(place, mqtt__profile_dir=folder, mqtt__profiles="native gate")
    assert at_gate(place, "1") and not at_gate(place, "2", "other/7/p")
    other = put_profile(place, "others", topic="other/{device}/p")
    hang_up(place, mqtt__profile_dir=other)
    assert at_gate(place, "3", "other/7/p") and not at_gate(place, "4")


@shows("mqtt.max_payload")
def _(place):
    long = {"note": "x" * 2048}
    assert place.send(punch("1", **long))[0]["status"] == "queued"
    hang_up(place, mqtt__max_payload="1K")
    place.hand.send_all([punch("2", **long)])
    wait_for(lambda: "too_large" in {p["reason"] for p in place.gateway.punches()}, "it is parked")


def reported(place, first="2026-01-05", last="2026-01-11"):
    """The week's report: (working days, what it says of the first user)."""
    path = f"/v1/report?start_date={first}&end_date={last}&source=local&user_id={user(1)}"
    data = place.gateway.get(path)["data"]
    return data["summary"]["working_days"], data["users"][0]["attendance"]


def work_on(place, day):
    place.send([punch(f"in {day}", unix(f"{day}T10:00:00Z"), type="check_in"),
                punch(f"out {day}", unix(f"{day}T16:00:00Z"), type="check_out")])


@shows("site.working_days")
def _(place):
    assert reported(place)[0] == 5
    hang_up(place, site__working_days="sat sun")
    assert reported(place)[0] == 2


@shows("site.holidays")
def _(place):
    hang_up(place, site__holidays="2026-01-06 01-08 01-10")
    assert reported(place)[0] == 3


@shows("site.late_after", punches__max_age="36500d")
def _(place):
    work_on(place, "2026-01-05")
    assert reported(place)[1]["late_days"] == 1
    hang_up(place, site__late_after="10:00")
    assert reported(place)[1]["late_days"] == 0


@shows("site.early_before", punches__max_age="36500d")
def _(place):
    work_on(place, "2026-01-05")
    assert reported(place)[1]["early_departure_days"] == 1
    hang_up(place, site__early_before="16:00")
    assert reported(place)[1]["early_departure_days"] == 0


@shows("site.max_shift")
def _(place):
    """From 20:00 to 06:00, over the turn of the day."""
    pause(place)
    place.send([punch("1", morning() - 12 * 3600), punch("2", morning() - 2 * 3600)])
    assert found(place)["2"]["type"] == "check_out"
    hang_up(place, site__max_shift="9h")
    wait_for(lambda: found(place)["2"]["type"] == "check_in", "another shift")


@shows("punches.direction")
def _(place):
    pause(place)
    place.send(punch("1"))
    assert found(place)["1"]["type"] == "check_in"
    hang_up(place, punches__direction="check_out")
    wait_for(lambda: found(place)["1"]["type"] == "check_out", "the other direction")


@shows("punches.double_tap")
def _(place):
    pause(place)
    place.send([punch("1"), punch("2", morning() + 100)])
    assert found(place)["2"]["state"] == "queued"
    hang_up(place, punches__double_tap="100s")
    wait_for(lambda: found(place)["2"]["state"] == "suppressed", "a double tap")


@shows("punches.max_age", punches__max_age="30d")
def _(place):
    assert place.send(punch("1", morning(40)))[0]["reason"] == "stale"
    hang_up(place, punches__max_age="50d")
    place.gateway.wait_delivered(1)


@shows("punches.accept_from")
def _(place):
    hang_up(place, punches__accept_from=rfc3339(morning(5)))
    assert place.send(punch("1", morning(6)))[0]["reason"] == "before_start"
    hang_up(place, punches__accept_from="")
    place.gateway.wait_delivered(1)


@shows("punches.max_future")
def _(place):
    assert place.send(punch("1", morning(-2)))[0]["reason"] == "future_time"
    hang_up(place, punches__max_future="10d")
    place.gateway.wait_delivered(1)


@shows("punches.unknown_user")
def _(place):
    place.send(punch("1", who=999))
    assert found(place)["1"]["state"] == "held"
    hang_up(place, punches__unknown_user="park")
    wait_for(lambda: found(place)["1"]["state"] == "parked", "it is parked")


@shows("punches.unknown_device")
def _(place):
    with Hand(place.broker.port, "NEW-1") as new:
        new.send_all([punch("1")])
        new.wait_acked([punch("1")])
    assert found(place)["1"]["state"] == "held"
    hang_up(place, punches__unknown_device="park")
    wait_for(lambda: found(place)["1"]["state"] == "parked", "it is parked")


@shows("punches.inactive_device")
def _(place):
    place.cloud.put_device(serial_number=SERIAL, status="maintenance")
    place.sync()
    assert place.send(punch("1"))[0]["reason"] == "inactive_device"
    hang_up(place, punches__inactive_device="forward")
    place.gateway.wait_delivered(1)


@shows("punches.greet")
def _(place):
    assert place.send(punch("1"))[0]["name"]
    hang_up(place, punches__greet="no")
    assert "name" not in place.send(punch("2", morning() + 3600))[0]


@shows("store.retention", punches__max_age="1h")
def _(place):
    """Purged is what is older than both; with max_age of an hour the punch was stale, and released. The
    newest one of all always stays."""
    place.send(punch("1", morning(9)))
    place.send(punch("2", who=2))
    identity = found(place)["1"]["id"]
    assert place.gateway.request("POST", f"/v1/punches/{identity}/release", "{}")[0] == 200
    place.gateway.wait_delivered(1)
    hang_up(place, store__min_free="2M")
    assert "1" in found(place)
    hang_up(place, store__retention="0")
    wait_for(lambda: "1" not in found(place), "it is purged")
    assert place.gateway.status()["counts"]["delivered"] == 1


@shows("store.min_free")
def _(place):
    hang_up(place, store__min_free="1000G")
    place.gateway.wait_alarm("disk_low")
    hang_up(place, store__min_free="1M")
    place.gateway.wait_alarm("disk_low", stands=False)


def asks_more_often(place, key, what):
    before = place.requests(what)
    hang_up(place, **{key: "1s"})
    wait_for(lambda: place.requests(what) >= before + 3, "the shorter interval")


@shows("sync.users")
def _(place):
    asks_more_often(place, "sync__users", "GET /users")


@shows("sync.devices")
def _(place):
    asks_more_often(place, "sync__devices", "GET /devices")


@shows("log.level", log__level="info")
def _(place):
    place.send(punch("1"))
    place.gateway.wait_delivered(1)
    assert not place.gateway.lines("sent")
    hang_up(place, log__level="debug")
    place.send(punch("2", morning() + 3600))
    wait_for(lambda: place.gateway.lines("sent"), "a line of less weight")


def listen(place, **settings):
    """Start it anew, listening for webhooks; who calls it."""
    port = free_port()
    place.gateway.stop()
    place.gateway.settings |= {"webhook.listen": f"127.0.0.1:{port}",
                               "webhook.secret_file": secret(place, SECRET)}
    place.gateway.settings |= {k.replace("__", "."): v for k, v in settings.items()}
    place.start()
    return Caller(port)


def secret(place, text, name="hook.secret"):
    path = place.gateway.dir / name
    path.write_text(text)
    path.chmod(0o600)
    return path


def status_of(caller, headers=None):
    return caller.post(event("report.ready", {}), headers)[0]


@shows("webhook.secret_file")
def _(place):
    caller = listen(place)
    assert status_of(caller) == 200
    hang_up(place, webhook__secret_file=secret(place, SECRET[::-1], "other"))
    assert status_of(caller) == 404
    caller.secret = SECRET[::-1]
    assert status_of(caller) == 200


@shows("webhook.hmac_secret_file")
def _(place):
    caller = listen(place)
    hang_up(place, webhook__hmac_secret_file=secret(place, HMAC_SECRET, "hmac"))
    assert status_of(caller) == 401
    caller.hmac_secret = HMAC_SECRET
    assert status_of(caller) == 200


@shows("webhook.signature_header")
def _(place):
    caller = listen(place, webhook__hmac_secret_file=secret(place, HMAC_SECRET, "hmac"))
    body = b'{"id":"evt_1","type":"x","created_at":"2026-01-01T00:00:00Z"}'
    assert caller.post(body, {"X-Other": signature(body)})[0] == 401
    hang_up(place, webhook__signature_header="X-Other")
    assert caller.post(body, {"X-Other": signature(body)})[0] == 200


def another_certificate(place):
    one, other = (Certificate(place.gateway.dir / name) for name in ("one", "other"))
    caller = listen(place, webhook__cert_file=one.cert, webhook__key_file=one.key)
    caller.ca = one.ca
    assert status_of(caller) == 200
    hang_up(place, webhook__cert_file=other.cert, webhook__key_file=other.key)
    caller.ca = other.ca
    assert status_of(caller) == 200


shows("webhook.cert_file")(another_certificate)
shows("webhook.key_file")(another_certificate)


@shows("terminal.serial")
def _(place):
    with Hand(place.broker.port, "gate") as gate:
        gate.send_all([punch("1")])
        gate.wait_acked([punch("1")])
    assert found(place)["1"]["reason"] == "unknown_device"
    extend(place, f'[terminal "gate"]\nserial = {SERIAL}\n')
    hang_up(place)
    place.gateway.wait_delivered(1)


@shows("terminal.time_zone")
def _(place):
    hang_up(place, mqtt__profile_dir=put_profile(place, "profiles"), mqtt__profiles="native gate")
    assert at_gate(place, "1")["time"].endswith("T08:00:00Z")
    extend(place, '[terminal "7"]\ntime_zone = Asia/Kathmandu\n')
    hang_up(place)
    assert at_gate(place, "2", clock="08:00:01")["time"].endswith("T02:15:01Z")


@shows("terminal.direction")
def _(place):
    pause(place)
    place.send(punch("1"))
    extend(place, f'[terminal "{SERIAL}"]\ndirection = check_out\n')
    hang_up(place)
    wait_for(lambda: found(place)["1"]["type"] == "check_out", "the other direction")


@shows("terminal.double_tap")
def _(place):
    pause(place)
    place.send([punch("1"), punch("2", morning() + 30)])
    assert found(place)["2"]["state"] == "suppressed"
    extend(place, f'[terminal "{SERIAL}"]\ndouble_tap = 29s\n')
    hang_up(place)
    wait_for(lambda: found(place)["2"]["state"] == "queued", "no double tap")


def keys_of_the_table():
    """{key: whether it is live}, of the man page, which comes from the table."""
    page = (ROOT / "man/punchd.conf.5").read_text()
    return {f"{section}.{key}": mark == "Live" for section, key, mark in re.findall(
        r'(?ms)^\.\\" \[(\w+)\] (\w+)\n.*?^\.Em (\w+) :$', page)}


def test_every_live_key_has_its_test():
    assert set(LIVE) == {key for key, live in keys_of_the_table().items() if live}


@pytest.mark.parametrize("key", sorted(LIVE))
def test_live(tmp_path, key):
    show, settings = LIVE[key]
    with Place(tmp_path, settings=settings) as place:
        show(place)
        assert place.gateway.status()["config"]["restart_keys"] == []


# ---- all the others are named

OTHERS = {
    "api.base_url": "https://127.0.0.1:2/v1", "api.ca_file": "", "api.plan": "7", "api.timeout": "7s",
    "api.max_in_flight": "7", "api.retry_min": "7ms", "api.retry_max": "7s", "api.auth_retry": "7s",
    "api.proxy": "none", "api.pinned_public_key": "sha256//YhKJKSzoTt2b5FP18fvpHo7fJYqQCjAa3HWY3tvRMwE=",
    "mqtt.host": "localhost", "mqtt.port": "2", "mqtt.client_id": "other", "mqtt.username": "other",
    "mqtt.password_file": "PASSWORD", "mqtt.keepalive": "7s", "mqtt.topic_prefix": "other/",
    "site.name": "other", "site.time_zone": "Asia/Kathmandu", "site.day_start": "07:00",
    "store.path": "FOLDER/other.db", "control.socket": "FOLDER/other.sock", "control.group": "other",
    "webhook.listen": "127.0.0.1:2",
}


def test_every_other_key_is_named(tmp_path):
    assert set(OTHERS) == {key for key, live in keys_of_the_table().items() if not live}
    (tmp_path / "password").write_text("x")
    (tmp_path / "password").chmod(0o600)
    with Place(tmp_path) as place:
        gateway, before = place.gateway, dict(place.gateway.settings)
        gateway.settings["webhook.secret_file"] = secret(place, SECRET)
        for key, value in OTHERS.items():
            gateway.settings[key] = value.replace("FOLDER", str(gateway.dir)).replace(
                "PASSWORD", str(tmp_path / "password"))
        hang_up(place, "after a restart")
        wanted = ["[{}] {}".format(*key.split(".")) for key in keys_of_the_table() if key in OTHERS]
        wait_for(lambda: gateway.messages().count("after a restart") == len(wanted), "each is named")
        assert re.findall(r'after a restart key="(.*?)"', gateway.messages()) == wanted
        assert gateway.status()["config"]["restart_keys"] == wanted
        # Nothing of it is in force: the same site, store, broker and cloud.
        assert gateway.status()["site"] == "test"
        place.send(punch("1"))
        gateway.wait_delivered(1)
        # One that is as it was again waits for nothing.
        gateway.settings = before | {"api.timeout": "7s"}
        assert 'key="[api] timeout"' in hang_up(place, "after a restart")
        gateway.settings = before
        assert "after a restart" not in hang_up(place)
        assert gateway.status()["config"]["restart_keys"] == []


# ---- bad ones

def doctor(place):
    """How its check of the settings came out, and what it found."""
    run = subprocess.run([BUILD / "punchctl", "--socket", place.gateway.socket, "--json", "doctor"],
                         text=True, capture_output=True)
    check, = [c for c in json.loads(run.stdout)["checks"] if c["check"] == "settings"]
    return check["result"], check["found"]


def test_bad_settings_leave_the_old_ones(tmp_path):
    """All of them, also of keys that are good; each fault is logged with its place, as -t tells it."""
    with Place(tmp_path) as place:
        gateway = place.gateway
        before = gateway.status()["config"]
        assert before["file"] == str(gateway.config) and before["read"]
        assert (before["refused"], before["faults"], before["fault"], before["changed"]) == \
            (None, 0, None, False)
        assert doctor(place)[0] == "ok"
        said = hang_up(place, "the old ones stay", punches__max_age="soon", punches__greet="no",
                       site__time_zone="Mars/Olympus", api__timeout="7s")
        told = subprocess.run([gateway.program, "-t", "-c", gateway.config], text=True,
                              capture_output=True).stderr.splitlines()
        assert [re.sub(r"^.*?:\d+: (\w+): .*", r"\1", line) for line in told] == ["max_age", "time_zone"]
        for line in told:
            assert f"config: {line}" in said
        assert place.send(punch("1"))[0]["name"]
        now = gateway.status()["config"]
        assert (now["faults"], now["fault"], now["read"]) == (2, told[0], before["read"])
        assert now["refused"] and not now["changed"] and now["restart_keys"] == []
        result, words = doctor(place)
        assert result == "FAIL" and words.endswith(told[0]) and "2 faults" in words
        # Mended, but not read yet; then read.
        gateway.settings.update({"punches.max_age": "90d", "site.time_zone": "UTC"})
        gateway.write_config()
        assert gateway.status()["config"]["changed"] and doctor(place)[0] == "warn"
        hang_up(place)
        assert "name" not in place.send(punch("2", morning() + 3600))[0]
        now = gateway.status()["config"]
        assert (now["refused"], now["faults"], now["changed"]) == (None, 0, False)
        assert doctor(place) == ("warn", "not in force before a restart: [api] timeout")


def refused(place):
    """SIGHUP, which changes nothing; what was logged."""
    gateway = place.gateway
    before = len(gateway.messages())
    gateway.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "the old ones stay" in gateway.messages()[before:], "it is refused")
    return gateway.messages()[before:]


def test_files_that_are_gone_or_bad(tmp_path):
    with Place(tmp_path, start=False) as place:
        gateway = place.gateway
        folder = put_profile(place, "profiles")
        gateway.settings |= {"mqtt.profiles": "native gate", "mqtt.profile_dir": folder}
        extend(place, "[punches]\ngreet = no\n[api]\ntimeout = 7s\n")
        place.start()

        def works(record_id):
            assert "name" not in place.send(punch(record_id, who=4))[0]
            assert at_gate(place, f"gate {record_id}")

        works("1")
        (folder / "gate.json").write_text("{}")
        assert f"profiles: {folder}/gate.json: /" in refused(place)
        works("2")
        put_profile(place, "profiles")
        gateway.config.rename(gateway.dir / "aside")
        assert f"{gateway.config}:1: cannot be read: there is no such file" in refused(place)
        works("3")
        gateway.config.mkdir()
        assert f"{gateway.config}:1: cannot be read: it is no regular file" in refused(place)
        gateway.config.rmdir()
        (gateway.dir / "aside").rename(gateway.config)
        (gateway.dir / "conf.d/zz.conf").symlink_to("nowhere")
        assert f"{gateway.dir}/conf.d/zz.conf:1: cannot be read: there is no such file" in refused(place)
        works("4")
        # Without conf.d its keys have their defaults again: at once, or after a restart.
        shutil.rmtree(gateway.dir / "conf.d")
        assert gateway.status()["config"]["changed"]
        assert 'key="[api] timeout"' in hang_up(place, "after a restart")
        assert place.send(punch("5", who=4))[0]["name"]
        assert at_gate(place, "gate 5")


def test_a_main_file_that_may_not_be_read(tmp_path):
    """As after an editor that root ran: the daemon is somebody else."""
    if os.getuid() != 0:
        pytest.skip("needs root")
    shared = pathlib.Path(subprocess.run(["mktemp", "-d", "/tmp/punchd-reload-XXXXXX"], check=True,
                                         text=True, capture_output=True).stdout.strip())
    shutil.copy(BUILD / "punchd", shared / "punchd")
    shared.chmod(0o755)
    wrap = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
    try:
        with Place(shared, start=False, wrap=wrap, build=shared) as place:
            gateway = place.gateway
            for path in (gateway.dir, gateway.key_file):
                os.chown(path, 65534, 65534)
            for path in (place.cloud.ca, *place.cloud.ca.parents):
                if shared in path.parents or path == place.cloud.ca:
                    path.chmod(0o755)
            place.start()
            gateway.config.chmod(0o600)
            assert f"{gateway.config}:1: cannot be read: Permission denied" in refused(place)
            place.send(punch("1"))
            gateway.wait_delivered(1)
    finally:
        shutil.rmtree(shared)
