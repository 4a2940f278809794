"""What punch-sandbox serves, and what that costs: over TLS on kept connections.

Client and server share the machine's processors. Memory is looked at before, between and after two
equal halves: what it has grown to by the middle is caches, what it grows after that is a leak.
"""
import contextlib
import json
import os
import pathlib
import re
import subprocess
import tempfile

from conftest import BUILD
from sandbox import Sandbox

CONNECTIONS = 8
USERS = 200  # bare_curl's
STEADY_S = 10


class Cost:
    """Processor time and memory of a process, from its making on."""

    def __init__(self, process):
        self.pid = process.pid
        self.begun_s = self.processor_s()
        self.resident = [self.resident_mib()]

    def processor_s(self):
        stat = pathlib.Path(f"/proc/{self.pid}/stat").read_text()
        user, system = stat.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def resident_mib(self):
        text = pathlib.Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        return int(text.split("\nRss:")[1].split()[0]) / 1024

    def used_s(self):
        return self.processor_s() - self.begun_s

    def note(self):
        self.resident.append(self.resident_mib())

    def shown(self):
        return " → ".join(f"{mib:.1f}" for mib in self.resident) + " MiB resident"


def h2load(cloud, paths, *more):
    """Requests a second, and how many were answered 2xx."""
    urls = [f"{cloud.base_url}{path}" for path in paths]
    run = subprocess.run(["h2load", "--h1", "-c", str(CONNECTIONS), "-t", "1", *map(str, more), "-H",
                          f"Authorization: Bearer {cloud.key}", *urls],
                         capture_output=True, text=True, check=True)
    return (float(re.search(r", ([\d.]+) req/s", run.stdout)[1]),
            int(re.search(r"(\d+) 2xx", run.stdout)[1]))


def gets(paths):
    return lambda cloud, count, _: h2load(cloud, paths, "-n", count)


def keyed_posts(cloud, count, half):
    """As punchd sends them: each under a key of its own."""
    run = subprocess.run([BUILD / "tests" / "bench" / "bare_curl", cloud.base_url, cloud.ca, cloud.key,
                          str(CONNECTIONS), str(count), f"bench{half}"],
                         capture_output=True, text=True, check=True)
    found = dict(word.split("=") for word in run.stdout.split())
    return count / float(found["seconds"]), int(found["accepted"])


def as_fast_as_it_goes(cloud, label, load, count):
    cost, rates, good = Cost(cloud.process), [], 0
    for half in (1, 2):
        rate, accepted = load(cloud, count // 2, half)
        cost.note()
        rates.append(rate)
        good += accepted
    print(f"{label:24s} {rates[0]:7.0f} and {rates[1]:7.0f} /s, {good} of {count} good, "
          f"{cost.used_s() / count * 10000:.2f} s of processor per 10,000; {cost.shown()}", flush=True)


def steady(cloud, label, paths, *more):
    """A thousand a second, asked for at a fixed pace."""
    cost, good = Cost(cloud.process), 0
    for _ in (1, 2):
        good += h2load(cloud, paths, "--rps", 1000 // CONNECTIONS, "-D", STEADY_S, *more)[1]
        cost.note()
    print(f"{label:24s} {good / (2 * STEADY_S):7.0f} /s for {2 * STEADY_S} s, "
          f"{cost.used_s() / (2 * STEADY_S) * 100:.0f} % of a processor; {cost.shown()}", flush=True)


def run(options):
    reads = ["/users?limit=100", "/devices", "/users?limit=20&offset=100"]
    with contextlib.ExitStack() as stack:
        work = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        cloud = stack.enter_context(Sandbox(BUILD, work / "cloud", users=USERS))
        body = work / "punch.json"
        body.write_text(json.dumps(cloud.punch()))
        post = ["-d", body, "-H", "Content-Type: application/json"]
        as_fast_as_it_goes(cloud, "GET /devices", gets(["/devices"]), 60000)
        as_fast_as_it_goes(cloud, "GET /users?limit=100", gets(["/users?limit=100"]), 10000)
        as_fast_as_it_goes(cloud, "POST, each with a key", keyed_posts, 60000)
        steady(cloud, "GETs at a pace", reads)
        steady(cloud, "POSTs at a pace", ["/attendance"], *post)
