"""How fast punches go through, and what that costs of processor and memory.

Everything runs on the same machine and shares its processors: broker, cloud and terminals too.
"""
import contextlib
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

from conftest import BUILD
from gateway import Gateway
from line import fast_broker, morning, rfc3339
from sandbox import Sandbox
from terminal import Terminal

TERMINALS, USERS = 20, 200
SERIALS = [f"BIO-FP-{i:03d}" for i in range(1, TERMINALS + 1)]
COUNT, WAITING = 20000, 100000
IN_FLIGHT = 8
LOOK_S = 0.02  # asking takes processor time too


class Place:
    """Broker, cloud and gateway; the gateway is not started."""

    def __init__(self, stack):
        self.work = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        self.broker = stack.enter_context(fast_broker(under=self.work))
        self.cloud = Sandbox(BUILD, self.work / "cloud", users=USERS, devices=",".join(SERIALS))
        stack.enter_context(self.cloud)
        self.gateway = stack.enter_context(Gateway(
            self.broker.port, self.cloud.base_url, self.cloud.ca, self.cloud.key, under=self.work,
            settings={"log.level": "warning", "api.max_in_flight": IN_FLIGHT}, start=False))
        self.stack = stack
        self.runs = 0

    def start(self):
        self.gateway.start()
        self.gateway.wait_connected()
        self.gateway.wait_synced()

    def terminals(self, count, *more):
        """Twenty of them, which have so many punches together; each run's on a day of its own."""
        self.runs += 1
        return self.stack.enter_context(Terminal(
            self.broker.port, "--terminals", TERMINALS, "--count", count // TERMINALS, "--users", USERS,
            "--start", rfc3339(morning(1 + self.runs)), "--step", "1s", *more, under=self.work))

    def processor_s(self):
        stat = pathlib.Path(f"/proc/{self.gateway.process.pid}/stat").read_text()
        user, system = stat.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def resident_mib(self):
        text = pathlib.Path(f"/proc/{self.gateway.process.pid}/smaps_rollup").read_text()
        return [int(text.split(f"\n{name}:")[1].split()[0]) / 1024 for name in ("Rss", "Anonymous")]

    def until(self, key, count):
        """Wait until that many are counted. Returns the moment."""
        while self.gateway.status()["counts"][key] < count:
            time.sleep(LOOK_S)
        return time.monotonic()


def _median(runs, format_, what):
    """runs: a tuple of figures each."""
    print(f"{what:50} " + format_.format(*(statistics.median(x) for x in zip(*runs))), flush=True)


SPEED = "{:8.0f} punches/s {:6.2f} CPU s per 10,000"
MEMORY = "{:8.1f} MiB resident, {:.1f} of it anonymous"


def _timed(place, key, count, wanted, processor_s=0.0, start=None):
    """Until so many are counted: punches a second, and seconds of processor for 10,000."""
    start = time.monotonic() if start is None else start
    took = place.until(key, wanted) - start
    return count / took, (place.processor_s() - processor_s) * 10000 / count


def _live(place, key, count):
    wanted = place.gateway.status()["counts"][key] + count
    processor_s, start = place.processor_s(), time.monotonic()
    place.terminals(count)
    return _timed(place, key, count, wanted, processor_s, start)


def _waiting_at_the_broker(place, count):
    """Its session there keeps what terminals send while the gateway is away. All of its processor
    time counts, the start's too."""
    assert place.terminals(count, "--no-ack").wait(300)["unacked"] == 0
    start = time.monotonic()
    place.gateway.start()
    return _timed(place, "stored", count, count, start=start)


def intake(options):
    """From the broker to the disk, acknowledged; the cloud is away."""
    idle, waiting, full, live = [], [], [], []
    for _ in range(options.runs):
        with contextlib.ExitStack() as stack:
            place = Place(stack)
            place.start()
            idle.append(place.resident_mib())
            place.cloud.kill()
            place.gateway.stop()
            waiting.append(_waiting_at_the_broker(place, WAITING))
            full.append(place.resident_mib())
            live.append(_live(place, "stored", COUNT))
    _median(live, SPEED, f"{COUNT} live, {TERMINALS} terminals that wait for acks")
    _median(waiting, SPEED, f"{WAITING} that waited at the broker")
    _median(idle, MEMORY, "idle")
    _median(full, MEMORY, f"with {WAITING} queued")


def _backlog(place, count):
    """They wait in the store when the cloud comes back."""
    place.cloud.kill()
    before = place.gateway.status()["counts"]
    place.terminals(count)
    place.until("stored", before["stored"] + count)
    place.cloud.start()
    place.until("delivered", before["delivered"] + 1)
    processor_s = place.processor_s()
    return _timed(place, "delivered", count, before["delivered"] + count, processor_s)


def _bare(place, count):
    """libcurl alone, to the same cloud over as many connections."""
    out = subprocess.run(
        [BUILD / "tests/bench/bare_curl", place.cloud.base_url, place.cloud.ca, place.cloud.key,
         str(IN_FLIGHT), str(count), "bare"], check=True, stdout=subprocess.PIPE, text=True).stdout
    figures = dict(pair.split("=") for pair in out.split())
    assert int(figures["accepted"]) == count, out
    return count / float(figures["seconds"]), float(figures["cpu_s"]) * 10000 / count


def _ratio(runs, bare, what):
    """Of each run to the bare one of the same minute."""
    _median([[x / y for x, y in zip(a, b)] for a, b in zip(runs, bare)],
            "{:8.2f} of its speed {:7.2f} times its CPU", what)


def forward(options):
    """To a cloud without a limit, 8 requests at a time; and what libcurl alone does in the same
    minute."""
    live, backlog, bare = [], [], []
    for _ in range(options.runs):
        with contextlib.ExitStack() as stack:
            place = Place(stack)
            place.start()
            live.append(_live(place, "delivered", COUNT))
            bare.append(_bare(place, COUNT))
            backlog.append(_backlog(place, COUNT))
    _median(live, SPEED, f"{COUNT} live, from terminal to cloud")
    _median(bare, SPEED, f"{COUNT} POSTs by libcurl alone, {IN_FLIGHT} connections")
    _median(backlog, SPEED, f"{COUNT} from the store to the cloud")
    _ratio(live, bare, "live, beside libcurl alone")
    _ratio(backlog, bare, "from the store, beside libcurl alone")
