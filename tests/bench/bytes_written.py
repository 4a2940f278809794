"""How much reaches the disk for a punch: from its arrival to the note that it was delivered.

Measured at the block device below an ext4 of its own, with the real programs, in a fresh store and
in one with a million delivered punches. Punches come one by one, each when the one before is
settled, and in messages of 10 and of 100, which share their commits. The log has been full once
before anything is counted, as in a gateway that has run for a day; "new log" is before that, when
the file system writes the log's new length as well.

Per punch: "total" = "log" (its commits) + "file" (the log's pages moved into the file: as if they
were moved after these punches and not after each MiB, so it is at most so much). A flush is a wait
for the disk.
"""
import concurrent.futures
import contextlib
import pathlib
import sys
import tempfile
import time

import disk
import rows
from broker import Broker
from conftest import BUILD
from gateway import Gateway
from line import Hand, rfc3339
from mutant import POSSIBLE, copy_of_tree, mutant
from sandbox import Sandbox

USERS = 400
BURSTS = {1: 60, 10: 20, 100: 10}  # size: how many
ROW_BYTES = 800                    # of disk, for a row of any variant
WORKERS = 8                        # most of the time is waiting


class Variant:
    """Another choice: pragmas of the file, or changes of the sources."""

    def __init__(self, *pragmas, changes=(), by_hour=True):
        self.pragmas, self.changes, self.by_hour = pragmas, changes, by_hour


SHIPPED = "as shipped"
VARIANTS = {
    SHIPPED: Variant(),
    "page_size 512": Variant("page_size = 512"),
    "page_size 2048": Variant("page_size = 2048"),
    "page_size 4096": Variant("page_size = 4096"),
    "auto_vacuum full": Variant("auto_vacuum = FULL"),
    "auto_vacuum incremental": Variant("auto_vacuum = INCREMENTAL"),
    "outbox index over all states": Variant(changes=(
        ("src/store/schema.c", "punch_queued ON punch (time, seq) WHERE state = 0",
         "punch_queued ON punch (state, time, seq)"),)),
    "identities without their hour": Variant(by_hour=False, changes=(
        ("src/core/identity.c",
         "\treturn digest_end(&d, p->identity + 4, IDENTITY_SIZE - 4);",
         "\tint r = digest_end(&d, p->identity + 4, IDENTITY_SIZE - 4);\n\n"
         "\tmemcpy(p->identity, p->identity + 12, 4);\n\treturn r;"),)),
}


class Place:
    """A gateway whose store is on a disk of its own; everything else is beside it."""

    def __init__(self, stack, work, build, megabytes):
        self.disk = stack.enter_context(disk.Disk(work, megabytes))
        self.broker = stack.enter_context(Broker(saves=False, under=work))
        self.cloud = stack.enter_context(Sandbox(BUILD, work / "cloud", users=USERS))
        self.gateway = stack.enter_context(Gateway(
            self.broker.port, self.cloud.base_url, self.cloud.ca, self.cloud.key, under=work,
            store=self.disk.where / "punchd.db", build=build, settings={"log.level": "warning"},
            start=False))
        self.hand = stack.enter_context(Hand(self.broker.port))
        self.sent = 0
        self.began = int(time.time()) - 3000

    def fill(self, variant, count):
        self.gateway.start()
        self.gateway.stop()
        if count:
            rows.fill(self.gateway.store, count, variant.by_hour)
        if variant.pragmas:
            rows.reshape(self.gateway.store, variant.pragmas)

    def start(self):
        self.gateway.start()
        self.gateway.wait_connected()
        self.gateway.wait_synced()

    def burst(self, size):
        """One message, and wait until all of it is settled on disk."""
        wanted = self.gateway.status()["counts"]["delivered"] + size
        # Four a second, so that nobody taps twice within a minute.
        self.hand.send([{"id": f"{i:08d}", "user": f"usr_{i % USERS + 1:06d}",
                         "time": rfc3339(self.began + i // 4), "type": "check_in"}
                        for i in range(self.sent, self.sent + size)])
        self.sent += size
        # Rarely: whoever asks shares the processor with other measurements.
        while self.gateway.status()["counts"]["delivered"] < wanted:
            time.sleep(0.05)

    def fill_log(self):
        """Until it has been full, and was begun anew: its header counts that."""
        log = pathlib.Path(f"{self.gateway.store}-wal")
        first = log.read_bytes()[12:16]
        while log.read_bytes()[12:16] == first:
            self.burst(100)

    def measure(self, size):
        """The gateway runs; it is stopped afterwards, which moves the log into the file."""
        count = BURSTS[size] * size
        start = self.disk.written()
        for _ in range(BURSTS[size]):
            self.burst(size)
        log = self.disk.written()
        self.gateway.stop()
        end = self.disk.written()
        return [(end.bytes - start.bytes) / count, (log.bytes - start.bytes) / count,
                (end.bytes - log.bytes) / count, (log.flushes - start.flushes) / count]


def measure_store(name, build, count, work):
    """All lines of one variant and store."""
    with contextlib.ExitStack() as stack:
        place = Place(stack, work, build, 256 + count * ROW_BYTES // 2 ** 20)
        place.fill(VARIANTS[name], count)
        for size in BURSTS:
            place.start()
            if size == 1:
                yield name, count, "1, new log", place.measure(size)
                place.start()
            place.fill_log()
            yield name, count, str(size), place.measure(size)


def _measure_one(name, build, count, under):
    with tempfile.TemporaryDirectory(dir=under) as work:
        return list(measure_store(name, build, count, pathlib.Path(work)))


def _build(name, under):
    changes = VARIANTS[name].changes
    return mutant(copy_of_tree(pathlib.Path(under) / name.replace(" ", "-")), *changes) \
        if changes else BUILD


def _chosen(wanted):
    names = [name for name in VARIANTS if name == SHIPPED or (wanted is not None and wanted in name)]
    if POSSIBLE:
        return names
    print("the build folder is not in the tree: no variants of the sources", file=sys.stderr)
    return [name for name in names if not VARIANTS[name].changes]


def _report(waiting):
    print(f"{'':30} {'rows':>8} {'burst':>10} {'total B':>8} {'log B':>8} {'file B':>8} "
          f"{'flushes':>8}", flush=True)
    for one in waiting:
        for name, count, burst, figures in one.result():
            total, log, file, flushes = figures
            print(f"{name:30} {count:8} {burst:>10} {total:8.0f} {log:8.0f} {file:8.0f} {flushes:8.2f}",
                  flush=True)


def run(options):
    why = disk.possible()
    if why:
        print(f"skipped: {why}")
        return
    with tempfile.TemporaryDirectory(prefix="bench-") as under, \
            concurrent.futures.ProcessPoolExecutor(WORKERS) as pool:
        try:
            builds = {name: _build(name, under) for name in _chosen(options.variants)}
            _report([pool.submit(_measure_one, name, build, count, under)
                     for name, build in builds.items() for count in (0, options.rows)])
        finally:
            pool.shutdown(cancel_futures=True)
