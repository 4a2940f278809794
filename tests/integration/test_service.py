"""punchd as a service: what it tells systemd, over a socket of the test's own in systemd's place."""
import os
import signal
import socket

import pytest

from gateway import Gateway
from line import morning, rfc3339
from place import Place
from waiting import wait_for

PERIOD_US = 4_000_000  # of the watchdog: it is fed four times in it, from the round of every second


class Systemd:
    """Keeps what a service says (sd_notify(3))."""

    def __init__(self, under):
        self.path = str(under / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.setblocking(False)
        self.said = []

    def env(self, **more):
        return {"NOTIFY_SOCKET": self.path, "WATCHDOG_USEC": str(PERIOD_US)} | more

    def listen(self):
        while True:
            try:
                self.said += self.socket.recv(65536).decode().splitlines()
            except BlockingIOError:
                return self.said

    def heard(self, word):
        return [line for line in self.listen() if line.startswith(word)]

    def wait(self, word, count=1):
        wait_for(lambda: len(self.heard(word)) >= count, f"{count} of {word} in {self.said}")

    def status(self):
        found = self.heard("STATUS=")
        return found[-1] if found else ""

    def close(self):
        self.socket.close()


@pytest.fixture
def systemd(tmp_path):
    listener = Systemd(tmp_path)
    yield listener
    listener.close()


def test_ready_without_broker_cloud_or_key(tmp_path, systemd):
    with Gateway(key=None, under=tmp_path, env=systemd.env(), start=False) as gateway:
        gateway.spawn()
        systemd.wait("READY=1")
        # It was said when the socket was open, and not before.
        assert gateway.status()["mqtt"]["connected"] is False
        assert gateway.end() == 0
        assert systemd.listen()[-1] == "STOPPING=1"
        assert len(systemd.heard("READY=1")) == 1


def test_not_ready_where_it_cannot_start(tmp_path, systemd):
    with Gateway(under=tmp_path, env=systemd.env(), start=False,
                 settings={"control.socket": tmp_path / "none" / "sock"}) as gateway:
        gateway.spawn()
        assert gateway.wait(20) == 1
        assert systemd.heard("READY=1") == []


def test_the_watchdog_is_fed_by_the_main_loop(tmp_path, systemd):
    with Gateway(under=tmp_path, env=systemd.env()) as gateway:
        systemd.wait("WATCHDOG=1", 3)
        gateway.process.send_signal(signal.SIGSTOP)
        wait_for(lambda: stopped(gateway.process.pid), "stopped")
        before = len(systemd.heard("WATCHDOG=1"))
        with pytest.raises(OSError):  # nobody answers: it is the loop that stands
            gateway.request("GET", "/v1/status", timeout=3)
        assert len(systemd.heard("WATCHDOG=1")) == before
        gateway.process.send_signal(signal.SIGCONT)
        systemd.wait("WATCHDOG=1", before + 2)


def stopped(pid):
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] == "T"


@pytest.mark.parametrize("env", [{"WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": ""}])
def test_a_watchdog_that_is_not_ours(tmp_path, systemd, env):
    with Gateway(under=tmp_path, env=systemd.env(**env)) as gateway:
        systemd.wait("READY=1")
        wait_for(lambda: gateway.status()["uptime_s"] >= 3, "some rounds")
        assert systemd.heard("WATCHDOG=1") == []


def test_how_it_is_in_one_line(tmp_path, systemd):
    with Place(tmp_path, env=systemd.env()) as place:
        wait_for(lambda: systemd.status() == "STATUS=ok: 0 queued", "all is well")
        place.cloud.stop()
        place.send({"id": "1", "user": "usr_000001", "time": rfc3339(morning(1)), "type": "check_in"})
        wait_for(lambda: systemd.status() == "STATUS=degraded (api_offline): 1 queued", "it waits")
        place.send({"id": "2", "user": "nobody", "time": rfc3339(morning(1)), "type": "check_in"})
        wait_for(lambda: systemd.status() == "STATUS=degraded (api_offline, held): 1 queued", "held")
