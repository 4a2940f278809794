"""How long a live punch waits for its ack, and how many go to the cloud, while reports of half a million
punches are computed one after the other; and how long such a report takes."""
import contextlib
import datetime
import threading
import time

import rows
from rejudging import PROBES, Probe, _quiet, _say, _timed
from speed import Place

ROWS = 500000


class Reports:
    """One after the other, until it is over: how long each took."""

    def __init__(self, place):
        self.place, self.took, self.over = place, [], threading.Event()
        self.last = datetime.date.today()
        self.first = self.last - datetime.timedelta(days=rows.DAYS)
        self.thread = threading.Thread(target=self.run)

    def one(self, query=""):
        start = time.monotonic()
        status, data = self.place.gateway.request(
            "GET", f"/v1/report?start_date={self.first}&end_date={self.last}&source=local{query}", timeout=300)
        assert status == 200, data
        self.took.append(time.monotonic() - start)
        return data["data"]

    def run(self):
        while not self.over.is_set():
            self.one()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def run(options):
    with contextlib.ExitStack() as stack:
        place = Place(stack)
        place.gateway.start()
        place.gateway.stop()
        rows.fill(place.gateway.store, ROWS)
        place.start()
        _quiet(place)
        probe = Probe(place)
        timed = _timed(place, probe, lambda found: len(found) < PROBES)
        idle, delivered = timed[0], place.gateway.status()["counts"]["delivered"]
        _say("idle", timed, idle)
        before = place.resident_mib()[0]
        with Reports(place) as reports:
            timed = _timed(place, probe, lambda found: len(found) < PROBES or not reports.took)
        _say("while reports are computed", timed, idle)
        probe_count = len(timed[0])
        place.until("delivered", delivered + probe_count)
        print(f"a report of {ROWS} punches took {min(reports.took):.2f} to {max(reports.took):.2f} s beside that, "
              f"{len(reports.took)} of them; resident {before:.1f} MiB before, {place.resident_mib()[0]:.1f} after")
        reports.took.clear()
        data = reports.one()
        present = sum(u["attendance"]["present_days"] for u in data["users"])
        print(f"alone {reports.took[0]:.2f} s: {data['summary']['total_users']} people, {present} days present", flush=True)
