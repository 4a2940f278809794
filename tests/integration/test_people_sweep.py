"""Somebody is created in the cloud, while the cloud is away, answers are dropped or come late, its
list is shuffled from page to page, it honours idempotency keys or not, and punchd is killed at one
system call after the other from the asking to the end: the cloud has them once, and whoever asked was
told the truth.

A slice of it runs here, at other calls each day; PUNCHD_PEOPLE_TRIES=200 tries so many.
"""
import http.client
import json
import os
import re
import subprocess
import time

import pytest

from place import Place
from waiting import wait_for

TRIES = int(os.environ.get("PUNCHD_PEOPLE_TRIES", "12"))
DAY = int(time.time()) // 86400
CALL = re.compile(r"(?P<pid>\d+) +(?P<name>\w+)\(")
USERS = 230  # three pages
SETTINGS = {"api.timeout": "500ms", "api.retry_min": "10ms", "api.retry_max": "100ms"}

POST = "path=/users,method=POST"
# What goes wrong: faults of the cloud, None where it is away.
TROUBLES = {
    "well": [],
    "away": None,
    "lost before": [f"drop-before,{POST},count=1"],
    "lost after": [f"drop-after,{POST},count=1"],
    "lost twice": [f"drop-after,{POST},count=1", "shuffle", f"drop-before,{POST},count=1"],
    "late": [f"slow=800ms,{POST},count=1"],
}
STORIES = [(trouble, keys) for keys in ("honoured", "ignored") for trouble in TROUBLES]


def may_attach():
    """Whether a process may be followed that is no child of strace."""
    try:
        with open("/proc/sys/kernel/yama/ptrace_scope") as scope:
            return os.geteuid() == 0 or scope.read().strip() == "0"
    except OSError:
        return True


pytestmark = pytest.mark.skipif(not may_attach(), reason="needs root, to follow a running process")


class Town(Place):
    def __init__(self, work):
        super().__init__(work, "--fault", "no-unique", users=USERS, settings=SETTINGS,
                         env={"ASAN_OPTIONS": "detect_leaks=0"})
        self.trace = work / "strace"
        self.people = 0

    def next_person(self):
        self.people += 1
        return {"name": f"Person {self.people}", "email": f"person{self.people}@example.com",
                "phone": f"+49123{self.people:06d}", "department": "Sweep"}

    def follow(self, *inject):
        """Have strace follow the gateway; the process."""
        pid = self.gateway.process.pid
        strace = subprocess.Popen(["strace", "-f", "-qq", "-o", self.trace, "-p", str(pid), *inject],
                                  stderr=subprocess.DEVNULL)

        def attached():
            with open(f"/proc/{pid}/status") as status:
                return "TracerPid:\t0\n" not in status.read()

        # Where the gateway's own second comes first, it is killed before anybody has asked.
        wait_for(lambda: strace.poll() is not None or attached(), "strace is there")
        return strace

    def ask(self, person):
        """Ask once; the answer's status, None where none came."""
        try:
            status, document = self.gateway.request("POST", "/v1/users", json.dumps(person))
        except (OSError, http.client.HTTPException):
            return None
        assert status in (200, 201, 202, 409), document
        if status == 409:
            assert document["error"]["code"] in ("already_exists", "already_pending"), document
        return status

    def row_of(self, person):
        rows = [r for r in self.gateway.get("/v1/users/pending?all=yes")["data"]
                if r["email"] == person["email"]]
        assert len(rows) <= 1, rows
        return rows[0] if rows else None

    def in_cloud(self, person):
        found, offset = {}, 0
        while True:
            page = self.cloud.get(f"/users?limit=100&offset={offset}").json
            found |= {u["id"]: u for u in page["data"]}
            offset += 100
            if offset >= page["meta"]["total"]:
                return [u for u in found.values() if u["email"] == person["email"]]

    def settled(self):
        people = self.gateway.status()["people"]
        return people["queued"] + people["in_doubt"] == 0

    def begin(self, trouble, keys):
        if keys == "ignored":
            self.cloud.add_fault("no-idempotency")
        if TROUBLES[trouble] is None:
            self.cloud.stop()
        for fault in TROUBLES[trouble] or []:
            self.cloud.add_fault(fault)

    def come_back(self, keys):
        self.cloud.start()
        if keys == "ignored":
            self.cloud.add_fault("no-idempotency")

    def end(self, keys, person, told):
        """The gateway is up, and nothing more goes wrong than did: what became of them."""
        wait_for(self.settled, f"all are settled\n{self.gateway.messages()[-3000:]}")
        row = self.row_of(person)
        # Whoever was told something was told that they are kept.
        assert row or told is None, told
        while not row:
            assert self.ask(person) in (200, 201, 202, None)
            wait_for(self.settled, "all are settled")
            row = self.row_of(person)
        self.cloud.clear_faults()
        self.cloud.add_fault("no-unique")
        there = self.in_cloud(person)
        assert len(there) == 1, (there, row, self.gateway.messages()[-3000:])
        assert row["state"] in ("created", "adopted") and row["user_id"] == there[0]["id"], row
        assert {k: there[0][k] for k in person} == person

    def live(self, trouble, keys, person):
        """Ask, and watch until they are settled, or the gateway died; what whoever asked was told. The
        cloud is watched as long as can be: whoever asks the gateway adds to its calls."""
        process = self.gateway.process
        told = self.ask(person)
        if TROUBLES[trouble] is None and process.poll() is None:
            self.come_back(keys)
        else:
            wait_for(lambda: process.poll() is not None or self.in_cloud(person), "they are there")

        def over():
            try:
                return process.poll() is not None or self.settled()
            except (OSError, http.client.HTTPException):
                return None

        wait_for(over, "an end")
        return told

    def calls(self, trouble, keys):
        """What its main thread calls from the asking to the end, in order: (name, the how-manieth)."""
        person = self.next_person()
        self.begin(trouble, keys)
        strace = self.follow()
        told = self.live(trouble, keys, person)
        strace.terminate()
        strace.wait()
        threads, count = {}, {}
        for line in self.trace.read_text().splitlines():
            found = CALL.match(line)
            if found:
                key = found["pid"], found["name"]
                count[key] = count.get(key, 0) + 1
                threads.setdefault(found["pid"], []).append((found["name"], count[key]))
        self.end(keys, person, told)
        return max(threads.values(), key=len)

    def one_try(self, trouble, keys, name, nth):
        """Whether it was killed there; else it is killed behind the end."""
        person = self.next_person()
        self.begin(trouble, keys)
        strace = self.follow("-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={nth}")
        told = self.live(trouble, keys, person)
        killed = self.gateway.process.poll() is not None
        self.gateway.kill()
        strace.terminate()
        strace.wait()
        self.gateway.start()
        if self.cloud.process is None:
            self.come_back(keys)
        self.end(keys, person, told)
        return killed


def test_once_whatever_happens(tmp_path):
    with Town(tmp_path) as town:
        calls, killed = {}, 0
        for n in range(TRIES):
            trouble, keys = STORIES[n % len(STORIES)]
            # In a slice, one life's calls have to do: that of the longest.
            life = (trouble, keys) if TRIES > len(STORIES) else ("lost after", "honoured")
            if life not in calls:
                calls[life] = town.calls(*life)
            of = calls[life]
            turn, turns = n // len(STORIES), -(-TRIES // len(STORIES))
            place = (turn * len(of) // turns + (DAY + 7 * n) * 3) % len(of)
            killed += town.one_try(trouble, keys, *of[place])
        lives = sorted(len(c) for c in calls.values())
        print(f"{TRIES} tries, killed in {killed} of them, {lives} calls from the asking to the end: "
              "each is in the cloud once")
        assert killed > TRIES // 3
