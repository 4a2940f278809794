"""How long a live punch waits for its ack while a full lobby is judged again, and how long that takes.

100,000 punches of 5,000 people whom nobody knows are held. The figures beside an idle gateway's are
those that count: everything runs on the same machine.
"""
import contextlib
import json
import threading
import time

import meddle
from line import Hand, morning, rfc3339
from speed import SERIALS, Place
from waiting import wait_for

PEOPLE, EACH = 5000, 20
PROBES = 400
GAP_S = 0.01  # between one probe's ack and the next


def _fill(place):
    """None is a double tap, not even where 25 of them turn out to be one person."""
    start = morning(3)
    for n, serial in enumerate(SERIALS):
        with Hand(place.broker.port, serial) as hand:
            hand.send_all([{"id": f"{person}-{i}", "user": str(person), "user_kind": "pin",
                            "time": rfc3339(start + i * 3600 + person // 200 * 130)}
                           for i in range(EACH) for person in range(1 + n, PEOPLE + 1, len(SERIALS))],
                          batch=100)
    place.gateway.wait_status(lambda s: s["queue"]["held"] == PEOPLE * EACH, "the full lobby", 300)


class Probe:
    """A terminal that sends one punch after the other, each when the last is acknowledged."""

    def __init__(self, place):
        self.hand, self.sent = Hand(place.broker.port, SERIALS[0]), 0
        self.done = threading.Event()
        self.hand.client.on_message = lambda *_: self.done.set()
        self.start_s = morning(20)

    def one(self):
        """In seconds."""
        self.sent += 1
        self.done.clear()
        start = time.monotonic()
        self.hand.send({"id": f"probe-{self.sent}", "user": f"usr_{self.sent % 200 + 1:06d}",
                        "time": rfc3339(self.start_s + self.sent * 70), "type": "check_in"})
        assert self.done.wait(60), "an ack"
        return time.monotonic() - start

    def many(self, goes_on):
        found = []
        while goes_on(found):
            found.append(self.one())
            time.sleep(GAP_S)
        return sorted(found)


def _timed(place, probe, goes_on):
    """What the probes took, and the share of a processor that the gateway had meanwhile."""
    processor_s, start = place.processor_s(), time.monotonic()
    found = probe.many(goes_on)
    return found, (place.processor_s() - processor_s) / (time.monotonic() - start)


def _say(what, timed, idle):
    found, share = timed

    def at(share, values):
        return values[min(len(values) - 1, int(len(values) * share))] * 1000

    print(f"{what:38} p50 {at(.5, found):6.1f} ms  p99 {at(.99, found):6.1f} ms,"
          f" {at(.99, found) / at(.99, idle):5.1f} times idle  most {found[-1] * 1000:6.1f} ms"
          f"  {len(found)} probes, {share * 100:.0f} % of a processor", flush=True)


def _links(place, first, last):
    body = [{"kind": "pin", "value": str(n), "user_id": f"usr_{n % 200 + 1:06d}"}
            for n in range(first, last)]
    status, answer = place.gateway.request("PUT", "/v1/links", json.dumps({"links": body}),
                                           timeout=60)
    assert status == 200, answer


def _quiet(place):
    """Until what the start and the filling had it do is done."""
    def idles():
        before = place.processor_s()
        time.sleep(1)
        return place.processor_s() - before < 0.05

    wait_for(idles, "an idle gateway", 120)


def run(options):
    with contextlib.ExitStack() as stack:
        place = Place(stack)
        if options.sync_ms:
            place.gateway.env |= meddle.environment(place.work) | {
                "MEDDLE_SYNC_US": str(options.sync_ms * 1000)}
        place.start()
        place.cloud.kill()
        _fill(place)
        _quiet(place)
        probe = Probe(place)
        timed = _timed(place, probe, lambda found: len(found) < PROBES)
        while timed[1] > 0.3:  # the clock became trusted, or something else had it judge everything
            _quiet(place)
            timed = _timed(place, probe, lambda found: len(found) < PROBES)
        idle = timed[0]
        _say("idle", timed, idle)

        # A link of nobody's begins a pass over everything, and the next one before it ends.
        over = threading.Event()

        def keep_busy():
            n = PEOPLE
            while not over.wait(0.1):
                n += 1
                _links(place, n, n + 1)

        thread = threading.Thread(target=keep_busy)
        thread.start()
        try:
            busy = _timed(place, probe, lambda found: len(found) < PROBES)
        finally:
            over.set()
            thread.join()
        _say("judged again and again, all stay held", busy, idle)

        start = time.monotonic()
        _links(place, 1, PEOPLE + 1)
        put_s = time.monotonic() - start
        released = _timed(place, probe, lambda found: len(found) % 10 or
                          place.gateway.status()["queue"]["held"] > 0)
        _say("all released by one list of links", released, idle)
        print(f"{PEOPLE} links in one request took {put_s:.2f} s, {PEOPLE * EACH} punches were queued after"
              f" {time.monotonic() - start:.1f} s", flush=True)
