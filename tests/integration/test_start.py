"""Starting, configuring, stopping: with the real program, and a broker and a cloud where they matter."""
import os
import re
import signal
import subprocess

import pytest

from broker import Broker
from conftest import BUILD, ROOT
from gateway import Gateway, adds_up
from line import Hand, each_once, fast_broker, morning, punches, rfc3339
from place import Place
from waiting import wait_for

PUNCHD = BUILD / "punchd"


def run(*args, **kwargs):
    return subprocess.run([PUNCHD, *args], text=True, capture_output=True, timeout=60, **kwargs)


def punch(record_id, days_ago=1, **fields):
    return {"id": record_id, "user": "usr_000001", "time": rfc3339(morning(days_ago)),
            "type": "check_in"} | fields


# ---- the command line

def test_help_and_version():
    for option in ("-h", "--help"):
        shown = run(option)
        assert (shown.returncode, shown.stderr) == (0, "")
        assert shown.stdout.startswith("usage: punchd ")
        assert all(f" -{letter}" in shown.stdout for letter in "ctpVh")
    assert {run(option).stdout for option in ("-V", "--version")} == {"punchd 0.1.0\n"}
    assert run("-V").returncode == 0


@pytest.mark.parametrize("args", [("-x",), ("--nonsense",), ("-c",), ("more",), ("-t", "more")])
def test_usage(args):
    shown = run(*args)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert "usage: punchd" in shown.stderr


# ---- settings

def test_later_files_go_before_earlier_ones(tmp_path):
    (tmp_path / "conf.d").mkdir()
    for name, site in (("punchd.conf", "main"), ("conf.d/10-a.conf", "ten"), ("conf.d/9.conf", "nine"),
                       ("conf.d/Z.conf", "zed"), ("conf.d/.zz.conf", "hidden"),
                       ("conf.d/zz.conf.old", "old"), ("conf.d/zz", "other")):
        (tmp_path / name).write_text(f"[site]\nname = {site}\n")
    (tmp_path / "conf.d/00.conf").write_text("[log]\nlevel = debug\n")
    shown = run("-p", "-c", tmp_path / "punchd.conf").stdout
    assert "\nname = zed\n" in shown and "\nlevel = debug\n" in shown


def test_what_is_printed_reads_back(tmp_path):
    (tmp_path / "password").write_text("the-brokers-password\n")
    (tmp_path / "key").write_text("the-apis-key\n")
    (tmp_path / "punchd.conf").write_text(
        f"[api]\nkey_file = {tmp_path}/key\nplan = 777\nretry_max = 90m\n[mqtt]\nusername=;odd\n"
        f"password_file={tmp_path}/password\n[punches]\naccept_from = 2026-02-01T08:00:00+02:00\n"
        "[store]\nmin_free = 1536K\n[site]\nname = Tür 7 ; the back one\n"
        "[terminal \"T 1\"]\nserial = BIO-7\ndouble_tap = 300s\n")
    first = run("-p", "-c", tmp_path / "punchd.conf")
    assert (first.returncode, first.stderr) == (0, "")
    assert "the-apis-key" not in first.stdout and "the-brokers-password" not in first.stdout
    for line in ("username=;odd", "plan = 777", "retry_max = 90m", "accept_from = 2026-02-01T06:00:00Z",
                 "min_free = 1536K", "name = Tür 7", '[terminal "T 1"]', "serial = BIO-7",
                 "double_tap = 5m"):
        assert line in first.stdout.splitlines()
    (tmp_path / "again.conf").write_text(first.stdout)
    assert run("-p", "-c", tmp_path / "again.conf").stdout == first.stdout
    assert run("-t", "-c", tmp_path / "again.conf").returncode == 0


def limits():
    """{key: (least, most)} of every key that has a range or a list of words, by the man page, which
    comes from the table."""
    page = (ROOT / "man/punchd.conf.5").read_text()
    found = {}
    for section, key, kind in re.findall(
            r'(?ms)^\.\\" \[(\w+)\] (\w+)\n.*?^\.Em \w+ :\n(.*?)\.\n', page):
        kind = " ".join(kind.split())
        if m := re.search(r"(?:from |or )(\S+) to (\S+)$", kind):
            found[f"{section}.{key}"] = m[1], m[2]
        elif re.fullmatch(r"\w+(, \w+)* or \w+", kind):
            found[f"{section}.{key}"] = kind.split(",")[0].split(" or ")[0], kind.split()[-1]
    return {key: found[key] for key in found if not key.startswith("terminal.")}


@pytest.mark.parametrize("end", [0, 1])
def test_what_the_check_takes_starts(tmp_path, end):
    """Every range at its end: nothing that punchd -t takes keeps punchd from starting."""
    ranges = limits()
    assert len(ranges) > 20 and ranges["mqtt.port"] == ("1", "65535")
    assert ranges["store.min_free"][1] == "1048576G" and ranges["punches.greet"] == ("yes", "no")
    settings = {key: ends[end] for key, ends in ranges.items() if key != "log.level"}
    with Gateway(under=tmp_path, settings=settings) as gateway:
        shown = run("-t", "-c", gateway.config)
        assert (shown.returncode, shown.stderr) == (0, "")
        wait_for(lambda: gateway.lines("sync_failed"), "a request")
        gateway.stop()


def test_odd_texts(tmp_path):
    """They are good for -t, so they are for broker and store."""
    folder = tmp_path / "ä = x;b #c"
    folder.mkdir()
    (folder / "password").write_text("pässword\n")
    with fast_broker(under=tmp_path) as broker:
        with Gateway(broker.port, under=tmp_path, store=folder / "日本.db", settings={
                "mqtt.client_id": "gw ü;#1", "mqtt.username": "gw 日本;x",
                "mqtt.password_file": folder / "password", "mqtt.topic_prefix": "a b/ü/",
                "mqtt.host": "localhost", "site.name": "Tür 7 = 日本", "control.group": "no such group"}) as gateway:
            gateway.wait_connected()
            assert gateway.status()["site"] == "Tür 7 = 日本"
            with Hand(broker.port, prefix="a b/ü/") as hand:
                hand.send_all([punch("1")])
                hand.wait_acked([punch("1")])


# ---- the key

def put_nothing(path):
    path.unlink(missing_ok=True)


def put_empty(path):
    path.write_text("")


def put_folder(path):
    path.unlink(missing_ok=True)
    path.mkdir()


def put_lines(path):
    path.write_text("sandbox-key\nsandbox-key\n")


def put_odd(path):
    path.write_text("sandbox key\n")


KEYLESS = {put_nothing: "no such file", put_empty: "empty", put_folder: "regular file",
           put_lines: "more than one line", put_odd: "characters"}


def keyless(place, put, work):
    """A gateway of its own whose key cannot be had, and its terminal."""
    gateway = Gateway(place.broker.port, place.cloud.base_url, place.cloud.ca, under=work, start=False,
                      settings={"mqtt.topic_prefix": put.__name__ + "/", "mqtt.client_id": put.__name__,
                                # The key's own pause is long: what ends it is the new file.
                                "api.auth_retry": "1d"})
    put(gateway.key_file)
    gateway.spawn()
    return gateway, Hand(place.broker.port, prefix=put.__name__ + "/")


def test_without_a_key_punches_are_kept(tmp_path):
    many = [punch("1"), punch("2", type="check_out")]
    with Place(tmp_path, start=False) as place:
        all_of_them = {put: keyless(place, put, tmp_path) for put in KEYLESS}
        for put, (gateway, hand) in all_of_them.items():
            gateway.wait_started().wait_connected()
            hand.send_all(many)
            hand.wait_acked(many)
        for put, (gateway, hand) in all_of_them.items():
            status = gateway.wait_status(
                lambda s: "api_auth" in {a["code"] for a in s["alarms"]}, "the alarm")
            alarm = next(a for a in status["alarms"] if a["code"] == "api_auth")
            assert alarm["severity"] == "critical"
            assert KEYLESS[put] in gateway.messages()
            assert gateway.request("GET", "/healthz")[0] == 503
            # No list yet: nobody is known.
            assert status["queue"]["held"] == 2
            adds_up(status)
            if gateway.key_file.is_dir():
                gateway.key_file.rmdir()
            gateway.write_key(place.cloud.key)
        for gateway, hand in all_of_them.values():
            gateway.wait_delivered(2)
            wait_for(lambda: not gateway.alarms(), "the end of the alarm")
            hand.close()
            gateway.done()
        assert place.cloud.stats()["refused_401"] == 0


def test_a_key_that_is_refused_and_then_changed(tmp_path):
    with Place(tmp_path, start=False, settings={"api.auth_retry": "1d"}) as place:
        place.gateway.write_key("wrong-key")
        place.gateway.start()
        place.gateway.wait_connected()
        wait_for(lambda: "api_auth" in place.gateway.alarms(), "the alarm")
        place.send(punch("1"))
        assert place.gateway.status()["api"]["state"] == "auth_failed"
        # One request found out; the day is not over.
        assert place.cloud.stats()["refused_401"] <= 2
        place.gateway.write_key(place.cloud.key)
        place.gateway.wait_delivered(1)
        wait_for(lambda: not place.gateway.alarms(), "the end of the alarm")


def test_a_key_that_others_can_read(tmp_path):
    """It is used all the same. What is root's and of one of punchd's groups is for punchd alone."""
    with Place(tmp_path, start=False) as place:
        said, key = place.gateway.messages, place.gateway.key_file
        seen = iter(range(1, 100))

        def changed():
            count = next(seen)
            wait_for(lambda: said().count("the key file has changed") == count, "it is seen")

        key.chmod(0o644)
        place.start()
        assert said().count("others can read") == said().count("(mode 0644)") == 1
        key.chmod(0o604)
        changed()
        assert "(mode 0604): chown root:punchd, chmod 640" in said()
        key.chmod(0o640)
        changed()
        strange = os.getuid() != 0
        assert ("(mode 0640)" in said()) == strange
        if not strange:
            os.chown(key, -1, 65534)
            changed()
            assert "(mode 0640)" in said()
            os.chown(key, 65534, os.getgid())
            changed()
            # said once, as long as it is the same
            assert said().count("others can read") == 3
        key.chmod(0o600)
        changed()
        assert said().count("others can read") == 3
        assert place.gateway.status()["api"]["key"]["warning"] is None


def test_the_credential_of_systemd(tmp_path):
    (tmp_path / "credentials").mkdir()
    with Place(tmp_path, start=False, settings={"api.key_file": ""},
               env={"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")}) as place:
        (tmp_path / "credentials/api.key").write_text(place.cloud.key)
        # systemd lets the service's user in by an access list, whose mask shows as the group's mode.
        (tmp_path / "credentials/api.key").chmod(0o440)
        if os.getuid() == 0:
            os.chown(tmp_path / "credentials/api.key", -1, 65534)
        place.start()
        assert "others can read" not in place.gateway.messages()


# ---- the end

def test_the_end_comes_while_requests_run(tmp_path):
    """Whatever they were answered, nothing is lost and nothing doubled."""
    with Place(tmp_path, "--fault", "slow=4s,path=/attendance") as place:
        many = punches(20, users=10)
        place.hand.send_all(many)
        place.hand.wait_acked(many)
        wait_for(lambda: place.cloud.stats()["running"] == 8, "requests that run")
        assert place.gateway.end(timeout=5) == 0
        assert not place.gateway.socket.exists()
        wait_for(lambda: place.cloud.stats()["running"] == 0, "the cloud has done them")
        place.cloud.clear_faults()
        place.gateway.start()
        status = place.gateway.wait_delivered(20)
        adds_up(status)
        each_once(place.cloud.records(), many)
        assert len([p for p in place.gateway.punches() if "in_doubt" in p["flags"]]) == 8


def test_the_end_comes_while_nothing_answers(tmp_path):
    """No broker, no cloud, a list that is being fetched."""
    with Gateway(under=tmp_path) as gateway:
        assert gateway.end(signal.SIGINT, timeout=5) == 0


# ---- two of them

def second(first, **settings):
    """Another one with the settings of the first; its exit code and its words."""
    other = Gateway(under=first.dir, start=False, settings=first.settings | settings)
    other.write_key("sandbox-key")
    other.spawn()
    return other.wait(20), other.messages()


def test_two_on_one_store(tmp_path):
    with Place(tmp_path) as place:
        since = place.gateway.status()["mqtt"]
        code, said = second(place.gateway, **{"control.socket": tmp_path / "other.sock"})
        assert code == 1
        line, = [line for line in said.splitlines() if line.startswith("store: ")]
        assert "another" in line and str(place.gateway.store) in line
        assert not (tmp_path / "other.sock").exists()
        assert place.send(punch("1"))[0]["status"] == "queued"
        assert place.gateway.status()["mqtt"] == since


def test_two_on_one_socket(tmp_path):
    with Place(tmp_path) as place:
        since = place.gateway.status()["mqtt"]
        code, said = second(place.gateway, **{"store.path": tmp_path / "other.db"})
        assert code == 1
        line, = [line for line in said.splitlines() if line.startswith("control: ")]
        assert str(place.gateway.socket) in line and "in use" in line
        # The first has its socket, and its broker: the second did not take its client id away.
        assert place.send(punch("1"))[0]["status"] == "queued"
        assert place.gateway.status()["mqtt"] == since


def test_a_broker_that_wants_a_password(tmp_path):
    (tmp_path / "password").write_text("right-password\n")
    login = {"mqtt.username": "gw", "mqtt.password_file": tmp_path / "password"}
    with Broker(shipped=None, passwords={"gw": "right-password", "t": "t"}, under=tmp_path) as broker:
        with Gateway(broker.port, settings=login, under=tmp_path) as gateway:
            gateway.wait_connected()
            with Hand(broker.port, username="t", password="t") as hand:
                hand.send(punch("1"))
                hand.wait_acked([{"id": "1"}])
