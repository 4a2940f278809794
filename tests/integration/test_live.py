"""Live punches while a backlog drains: they go first, with what goes before them on their day, and what
is said of the end is so."""
import time

import pytest

from line import DAY, rfc3339
from place import Place
from waiting import wait_for

USERS, BACKLOG, LIMIT = 60, 600, 100


def user(n):
    return f"usr_{n:06d}"


def punch(name, n, at, live=True):
    return {"id": name, "user": user(n), "time": rfc3339(at), "type": "check_in", "live": live}


def backlog(now):
    """Ten a person over seven days, kept by the terminal until now."""
    return [punch(f"b{i:05d}", 1 + i % USERS, now - 11 * DAY + i * 960, live=False)
            for i in range(BACKLOG)]


def send(place, punches):
    for i in range(0, len(punches), 100):
        place.send(punches[i:i + 100])


@pytest.fixture
def waiting(tmp_path):
    """A gateway with a backlog, and no cloud; the plan allows a sixth of it in each window."""
    with Place(tmp_path, users=USERS) as place:
        place.cloud.stop()
        place.cloud.args = ["--plan", LIMIT, "--window", "3s"]
        place.now = int(time.time())
        send(place, backlog(place.now))
        yield place


def drained(place, count):
    place.gateway.wait_delivered(count, timeout=150)
    records = place.cloud.records()
    assert len(records) == count
    assert place.cloud.stats()["refused_429"] <= 1  # the first window was used before
    return records


def test_live_ones_go_first(waiting):
    place, now = waiting, waiting.now
    early = [punch(f"m{n}", n, now - 1800, live=False) for n in (1, 2)]
    place.send(early)
    place.cloud.start()
    place.gateway.wait_delivered(LIMIT // 2)
    live = [punch(f"l{n}", n, int(time.time())) for n in (1, 2, 50)]
    place.send(live)
    begun = len(place.cloud.records())
    at = {n: p["time"] for n, p in zip((1, 2, 50), live)}
    records = drained(place, BACKLOG + 5)
    order = [(r["user_id"], r["timestamp"]) for r in records]
    for n in (1, 2, 50):
        # Within two windows of when it came, and long before the backlog's end.
        assert order.index((user(n), at[n])) <= begun + 2 * LIMIT
    for n in (1, 2):
        assert order.index((user(n), rfc3339(now - 1800))) < order.index((user(n), at[n]))
    # What is not live goes in order of time, as far as eight side by side keep it.
    rest = [t for u, t in order if t < rfc3339(now - DAY)]
    assert all(abs(i - j) <= 40 for i, j in enumerate(sorted(range(len(rest)), key=rest.__getitem__)))


def test_live_ones_of_before_a_crash(waiting):
    place = waiting
    live = [punch(f"l{n}", n, int(time.time())) for n in (7, 8)]
    place.send(live)
    place.gateway.kill()
    place.cloud.start()
    place.gateway.start()
    records = drained(place, BACKLOG + 2)
    order = [(r["user_id"], r["timestamp"]) for r in records]
    for n, p in zip((7, 8), live):
        assert order.index((user(n), p["time"])) <= 2 * LIMIT


def test_end_is_foretold(waiting):
    place = waiting
    queue = place.gateway.status()["queue"]
    assert (queue["queued"], queue["drain_eta_s"]) == (BACKLOG, None)  # nobody can tell
    place.cloud.start()
    seen = []

    def look():
        status = place.gateway.status()
        if status["api"]["rate"]["limit"] == LIMIT:
            seen.append((status["queue"]["queued"], status["queue"]["drain_eta_s"], time.monotonic()))
        return status["queue"]["queued"] == 0
    wait_for(look, "all is sent", timeout=150)
    end = seen[-1][2]
    assert seen[-1][1] is None
    told = [(eta, end - at) for queued, eta, at in seen
            if queued > 2 * LIMIT and eta is not None]
    assert len(told) > 10
    # A machine that stands still now and then makes it later, never much earlier.
    off = sorted((really - eta) / really for eta, really in told)
    assert -0.35 < off[len(off) // 2] < 0.35
