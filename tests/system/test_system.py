"""The packages on a real machine: installed, started, killed, switched off, removed. Nothing is lost.

Each test has a machine of its own. Those marked slice are in every ./dev test.
"""
import json
import re

import pytest

import container
from site_of import KEY, SETTINGS, Site

UNIT = ("ActiveState", "SubState", "Result", "ExecMainStatus", "NRestarts", "MainPID", "StatusText")


def unit(machine):
    return machine.show("punchd", *UNIT)


def drop_in(machine, text, name="test"):
    machine.put(f"/etc/systemd/system/punchd.service.d/{name}.conf", text)
    machine.run("systemctl", "daemon-reload")


# ---- installing

@pytest.mark.slice
def test_installed_on_a_bare_machine(bare, debs):
    """It runs as soon as it is installed: without a key, a cloud, a network or a broker that it could
    use, and says what is missing."""
    bare.run("systemctl", "disable", "--now", "mosquitto")
    container.install(bare, debs.values())
    assert unit(bare)["ActiveState"] == "active"
    assert bare.run("systemctl", "is-enabled", "punchd").out.strip() == "enabled"
    assert "api_auth" in unit(bare)["StatusText"]
    bare.run("punchd", "-t")
    doctor = bare.run("punchctl", "doctor", check=False)
    assert doctor.code == 1
    for word in ("key", "broker"):
        assert word in doctor.out, doctor.out
    modes = {}
    for name in ("/etc/punchd", "/etc/punchd/conf.d", "/etc/punchd/punchd.conf", "/var/lib/punchd",
                 "/var/lib/punchd/punchd.db", "/run/punchd", "/run/punchd/punchd.sock"):
        modes[name] = bare.run("stat", "-c", "%U:%G %a", name).out.strip()
    assert modes == {
        "/etc/punchd": "root:root 755", "/etc/punchd/conf.d": "root:root 755",
        "/etc/punchd/punchd.conf": "root:root 644", "/var/lib/punchd": "punchd:punchd 700",
        "/var/lib/punchd/punchd.db": "punchd:punchd 600", "/run/punchd": "punchd:punchd 755",
        "/run/punchd/punchd.sock": "punchd:punchd 660"}


@pytest.mark.slice
def test_the_unit_is_sound_and_hardened(machine):
    verified = machine.run("systemd-analyze", "verify", "punchd.service")
    assert verified.out + verified.err == ""
    machine.run("systemd-analyze", "security", "--threshold=11", "punchd.service")
    print(machine.run("systemd-analyze", "security", "punchd.service").out.splitlines()[-1])


def test_what_the_service_sees(machine):
    """Its settings, its store, its socket, and nothing of anybody's."""
    machine.put("/home/alice/diary", "secret")
    machine.put("/srv/other", "secret")
    Site(machine)
    pid = unit(machine)["MainPID"]

    def look(command):
        return machine.shell(f"nsenter -t {pid} -m -- {command}", check=False)

    assert look("ls /etc/punchd/punchd.conf /var/lib/punchd/punchd.db /run/punchd/punchd.sock").code == 0
    for hidden in ("/home/alice", "/srv/other", "/root/.profile", "/boot", "/var/log"):
        assert look(f"ls {hidden}").code != 0, hidden
    for place in ("/etc", "/usr", "/run", "/var"):
        assert look(f"touch {place}/x").code != 0, place
    limits = machine.path(f"/proc/{pid}")  # the container's /proc is not in its tree
    assert not limits.exists()
    shown = machine.run("cat", f"/proc/{pid}/limits", f"/proc/{pid}/status").out
    assert re.search(r"Max core file size\s+0\s+0", shown)
    assert re.search(r"CapBnd:\s+0+\n", shown) and re.search(r"NoNewPrivs:\s+1\n", shown)


# ---- a punch's way, and what may come between

@pytest.mark.slice
def test_punches_go_through_whatever_happens(machine):
    site = Site(machine)
    site.wait_connected()
    site.punch()
    site.wait_all_there()
    # The terminals have said goodbye, which is an alarm of its own.
    machine.wait(lambda: unit(machine)["StatusText"] == "degraded (terminal_silent): 0 queued",
                 lambda: unit(machine)["StatusText"])

    # A reload takes good settings over…
    machine.put("/etc/punchd/conf.d/more.conf", "[log]\nlevel = debug\n")
    machine.run("systemctl", "reload", "punchd")
    machine.wait(lambda: "settings read again" in machine.journal(), "a reload")
    # …leaves the old ones where the new are at fault, and says where…
    machine.put("/etc/punchd/conf.d/more.conf", "[log]\nlevel = debug\n[api]\ntimeout = soon\n")
    machine.run("systemctl", "reload", "punchd")
    machine.wait(lambda: "the old ones stay" in machine.journal(), "a reload that is refused")
    assert "/etc/punchd/conf.d/more.conf:4: timeout: " in machine.journal()
    machine.wait(lambda: "newer settings are at fault" in unit(machine)["StatusText"], "its word")
    site.punch()
    # …and names what takes a restart.
    machine.put("/etc/punchd/conf.d/more.conf", "[api]\nmax_in_flight = 4\n")
    machine.run("systemctl", "reload", "punchd")
    machine.wait(lambda: "[api] max_in_flight" in machine.journal(), "a key that needs a restart")
    machine.run("systemctl", "restart", "punchd")
    site.wait_connected()
    site.punch()

    before = site.main_pid()
    machine.run("systemctl", "kill", "-s", "KILL", "punchd")
    site.punch()  # while it is away
    site.wait_restarted(before)
    site.wait_all_there()

    machine.reboot()
    site.wait_connected()
    site.punch()
    site.wait_all_there()

    machine.pull_the_plug()
    machine.boot()
    site.wait_connected()
    site.punch()
    site.wait_all_there()


@pytest.mark.slice
def test_the_watchdog_ends_what_stands_still(machine):
    """The period is made short, else it would be a minute."""
    drop_in(machine, "[Service]\nWatchdogSec=4\nTimeoutAbortSec=2\n")
    site = Site(machine)
    site.wait_connected()
    before = site.main_pid()
    machine.run("kill", "-STOP", before)
    site.punch()
    site.wait_restarted(before)
    assert unit(machine)["NRestarts"] == "1"
    assert "Watchdog timeout" in machine.journal()
    site.wait_all_there()
    # It lives longer than a period of its own accord.
    site.wait_status(lambda s: s["uptime_s"] >= 6, "a life of more than a period")
    assert unit(machine)["NRestarts"] == "1"


def test_it_comes_back_for_ever(machine):
    """A disk that fails may be put right in an hour, or a week: no limit of starts stops it."""
    drop_in(machine, "[Service]\nRestartSec=100ms\n")
    site = Site(machine)
    for _ in range(12):
        before = site.main_pid()
        machine.run("kill", "-KILL", before)
        site.wait_restarted(before)
    site.wait_connected()
    site.punch()
    site.wait_all_there()


def test_bad_settings_at_the_start(machine):
    """They would be refused again and again: it stays down, and says why."""
    site = Site(machine)
    machine.put("/etc/punchd/conf.d/bad.conf", "[api]\nplan = gold\n")
    assert machine.run("systemctl", "restart", "punchd", check=False).code != 0
    machine.wait(lambda: unit(machine)["ActiveState"] == "failed", "it stays down")
    assert unit(machine)["ExecMainStatus"] == "78"
    assert "/etc/punchd/conf.d/bad.conf:2: plan: " in machine.journal()
    machine.path("/etc/punchd/conf.d/bad.conf").unlink()
    machine.run("systemctl", "start", "punchd")
    site.wait_connected()
    site.punch()
    site.wait_all_there()


def test_the_broker_comes_later(machine):
    machine.run("systemctl", "disable", "--now", "mosquitto")
    site = Site(machine, broker=False)
    assert unit(machine)["ActiveState"] == "active"
    site.wait_status(lambda s: "mqtt_down" in {a["code"] for a in s["alarms"]}, "the alarm")
    site.start_broker()
    site.wait_connected()
    site.punch()
    site.wait_all_there()
    machine.run("systemctl", "restart", "mosquitto")
    site.punch()
    site.wait_all_there()


def test_it_ends_within_five_seconds(machine):
    """Also with answers that do not come and a broker that is gone."""
    site = Site(machine)
    site.wait_connected()
    site.tell_cloud("faults", spec="slow=20s,path=/attendance")
    site.punch()
    machine.run("systemctl", "stop", "mosquitto")
    done = machine.shell("a=$(date +%s%N); systemctl stop punchd; b=$(date +%s%N);"
                         " echo $(((b - a) / 1000000))")
    assert int(done.out) < 5000
    assert unit(machine)["Result"] == "success"
    assert not machine.path("/run/punchd").exists()


# ---- the key

def test_a_new_key_is_tried_at_once(machine):
    site = Site(machine, key=None)
    site.wait_connected()
    site.punch()
    assert "api_auth" in site.alarms()
    site.put_key("a-wrong-one")
    site.wait_status(lambda s: s["api"]["state"] == "auth_failed", "it is refused")
    site.put_key(KEY)
    site.wait_all_there()
    assert "api_auth" not in site.alarms()
    assert "a-wrong-one" not in machine.journal() and KEY not in machine.journal()
    assert "others can read it" not in machine.journal()


def test_the_key_as_a_credential(machine):
    """By the commands that stand in the example; and its price: a new key takes a restart."""
    site = Site(machine, key=None)
    example = "/usr/share/doc/punchd/examples/credential.conf"
    commands = re.findall(r"(?m)^#   (\S.*?(?:\\\n#.*)?)$", machine.path(example).read_text())
    assert len(commands) == 3
    for command in commands:
        command = re.sub(r"\\\n#\s*", "", command).partition("  #")[0]
        machine.shell(command, stdin=KEY + "\n")
    site.wait_connected()
    site.punch()
    site.wait_all_there()
    assert KEY not in machine.path("/etc/punchd/api.key.cred").read_text()
    site.tell_cloud("keys", add="another-key")
    site.tell_cloud("keys", remove=KEY)
    machine.shell("systemd-creds encrypt --name=api.key - /etc/punchd/api.key.cred",
                  stdin="another-key\n")
    site.punch()
    site.wait_status(lambda s: s["api"]["state"] == "auth_failed", "the old one is refused")
    machine.run("systemctl", "restart", "punchd")
    site.wait_all_there()


# ---- who may ask

def test_who_may_ask_and_is_named(machine):
    machine.run("useradd", "-m", "alice")
    machine.run("useradd", "-m", "mallory")
    machine.run("usermod", "-a", "-G", "punchd", "alice")
    site = Site(machine)
    site.wait_connected()
    site.punch(1, "--user", "id:nobody", terminals=1, users=())
    held = json.loads(site.ctl("--json", "punches", "--state", "held").out)["data"]
    assert machine.run("punchctl", "discard", held[0]["id"], "--note", "a test", user="alice").code == 0
    trace = json.loads(site.ctl("--json", "trace", held[0]["id"]).out)
    assert "alice" in json.dumps(trace), trace
    for words in (["status"], ["pause"]):
        assert machine.run("punchctl", *words, user="mallory", check=False).code == 3
    assert machine.run("cat", "/etc/punchd/api.key", user="mallory", check=False).code != 0


def test_another_group(machine):
    """By the drop-in that punchd(8) tells."""
    machine.run("useradd", "-m", "-G", "staff", "alice")
    site = Site(machine)
    machine.put("/etc/punchd/conf.d/group.conf", "[control]\ngroup = staff\n")
    drop_in(machine, "[Service]\nSupplementaryGroups=staff\nSystemCallFilter=@chown\n")
    machine.run("systemctl", "restart", "punchd")
    site.wait_connected()
    machine.run("punchctl", "status", user="alice")


def test_a_store_elsewhere(machine):
    machine.shell("install -d -o punchd -g punchd -m 700 /mnt/ssd/punchd")
    machine.put("/etc/punchd/conf.d/store.conf", "[store]\npath = /mnt/ssd/punchd/punchd.db\n")
    drop_in(machine, "[Service]\nBindPaths=/mnt/ssd/punchd\n")
    site = Site(machine)
    site.wait_connected()
    site.punch()
    site.wait_all_there()
    assert machine.path("/mnt/ssd/punchd/punchd.db").stat().st_size > 0


# ---- upgrade, removal, purge

@pytest.mark.slice
def test_installed_again_removed_and_purged(machine, debs):
    site = Site(machine)
    site.wait_connected()
    before = site.main_pid()
    machine.put("/etc/punchd/punchd.conf", machine.path("/etc/punchd/punchd.conf").read_text() +
                "[site]\nname = ours\n")
    machine.run("dpkg", "-i", f"/root/{debs['punchd'].name}")
    site.wait_restarted(before)
    assert site.status()["site"] == "ours"
    site.wait_connected()
    site.punch()
    site.wait_all_there()

    machine.run("apt-get", "remove", "-y", "punchd")
    assert not machine.path("/usr/sbin/punchd").exists()
    assert machine.path("/var/lib/punchd/punchd.db").exists()
    assert machine.path("/etc/punchd/api.key").exists()
    assert unit(machine)["ActiveState"] == "inactive"
    # The broker keeps what comes meanwhile; a terminal that waits for our own ack keeps it too.
    site.punch(5, "--no-ack")
    container.install(machine, [debs["punchd"]])
    site.wait_connected()
    site.wait_status(lambda s: s["counts"]["stored"] == site.sent, "what the broker kept")

    # With everything settled a purge leaves nothing of ours but the user.
    machine.run("systemctl", "stop", "cloud")
    site.punch()
    removed = machine.run("apt-get", "purge", "-y", "punchd")
    assert "are not delivered" in removed.out + removed.err
    assert machine.path("/var/lib/punchd/punchd.db").exists()
    assert not machine.path("/etc/punchd").exists()

    # Installed again it goes on with them.
    container.install(machine, [debs["punchd"]])
    machine.run("systemctl", "start", "cloud")
    machine.put("/etc/punchd/conf.d/cloud.conf", SETTINGS)
    machine.run("cp", "/var/lib/sandbox/ca.pem", "/etc/punchd/cloud.pem")
    site.put_key(KEY)
    machine.run("systemctl", "restart", "punchd")
    site.wait_all_there()
    machine.run("apt-get", "purge", "-y", "punchd")
    assert not machine.path("/var/lib/punchd").exists()
