"""A store that is damaged, foreign, in use, or cannot be written: the daemon says what is wrong and
what to do, deletes nothing, and never needs a file to be deleted to start again."""
import collections
import http.client
import os
import shutil
import signal
import sqlite3
import subprocess

import pytest

from conftest import BUILD
from disks import SmallDisk, needs_root, read_only
from gateway import Gateway, adds_up
from line import Hand, fast_broker, punches
from sandbox import Sandbox
from waiting import wait_for

DELIVERED, QUEUED, HELD = 300, 200, 20
# Root may write everywhere; without its capabilities it is a user like others.
COMMON = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []


Stores = collections.namedtuple("Stores", "folder done unsettled")


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """Folders with the same store: ended in order, and killed, so that its log is there. And what
    was sent."""
    work = tmp_path_factory.mktemp("stores")
    work.chmod(0o755)
    done = punches(DELIVERED, label="done")
    waits = punches(QUEUED, label="wait", start=1770000000)
    lost = [dict(p, user="usr_999999") for p in punches(HELD, label="lost", step=90)]
    live = work / "live"
    live.mkdir()
    with fast_broker(under=work) as broker, Sandbox(BUILD, work / "cloud") as cloud, \
            Gateway(broker.port, cloud.base_url, cloud.ca, cloud.key, store=live / "punchd.db",
                    under=work, settings={"punches.max_age": "36500d"}) as g, \
            Hand(broker.port) as hand:
        g.wait_synced()
        hand.send_all(done, batch=20)
        g.wait_delivered(DELIVERED)
        cloud.kill()
        hand.send_all(waits, batch=20)
        hand.send_all(lost, batch=20)
        hand.send_all([{"id": "bad", "user": 7}])
        hand.wait_acked(done + waits + lost + [{"id": "bad"}])
        g.wait_status(lambda s: s["api"]["state"] == "offline", "the cloud is away")
        g.process.send_signal(signal.SIGSTOP)
        shutil.copytree(live, work / "killed")
        g.process.send_signal(signal.SIGCONT)
        g.stop()
    shutil.copytree(live, work / "ended")
    assert (work / "killed/punchd.db-wal").stat().st_size > 0
    return Stores(work, done, waits + lost)


class Place:
    """A copy of a store, and a gateway over it without broker and cloud."""

    def __init__(self, stores, kind, tmp_path, wrap=(), folder=None):
        self.folder = folder or tmp_path / "store"
        if kind:
            shutil.copytree(stores.folder / kind, self.folder)
        else:
            self.folder.mkdir()
        self.file = self.folder / "punchd.db"
        self.log = self.folder / "punchd.db-wal"
        self.gateway = Gateway(store=self.file, under=tmp_path, start=False, wrap=wrap,
                               settings={"punches.max_age": "36500d"})

    def refuses_the_settings(self, *gists):
        """What path names can never be a store: punchd -t says so, and no start gets so far."""
        before = self.contents()
        self.gateway.spawn()
        assert self.gateway.wait() == 78, self.gateway.messages()
        line, = [line for line in self.gateway.messages().splitlines() if ": path: " in line]
        for gist in gists + (str(self.file),):
            assert gist in line, line
        assert self.contents() == before

    def refuses(self, *gists):
        """It ends with 1 and one line that says all this; no file has changed."""
        before = self.contents()
        self.gateway.spawn()
        assert self.gateway.wait() == 1, self.gateway.messages()
        line = self.gateway.lines("store")[-1]
        for gist in gists + (str(self.file),):
            assert gist in line, line
        assert not self.gateway.lines("store_damaged")
        assert self.contents() == before

    def contents(self):
        """All files but the lock's, which says nothing, and SQLite's shared memory."""
        return {p.name: p.read_bytes() for p in self.folder.glob("*")
                if p.is_file() and not p.name.endswith((".lock", "-shm"))}

    def starts(self):
        return self.gateway.start()

    def set_aside(self):
        return {p.name.split("Z", 1)[1]: p.read_bytes()
                for p in self.folder.glob("punchd.db.damaged-*")}

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.gateway.done()


# ---- damaged

PAGE = 16  # of the file's header: where it says its page size


def page_size(data):
    return int.from_bytes(data[PAGE:PAGE + 2], "big")


def wreck(file, page):
    """Overwrite a page, counted from 1."""
    data = bytearray(file.read_bytes())
    size = page_size(data)
    data[(page - 1) * size:page * size] = bytes([0xA5]) * size
    file.write_bytes(data)


def pages_of(file, name, kind):
    """Pages of a table or an index, of that kind, by SQLite's own statistics."""
    found = subprocess.run(
        ["sqlite3", f"file:{file}?immutable=1", f"SELECT pageno FROM dbstat WHERE name = '{name}' AND "
         f"pagetype = '{kind}' ORDER BY pageno"], check=True, stdout=subprocess.PIPE, text=True)
    return [int(n) for n in found.stdout.split()]


def wreck_header(place):
    data = bytearray(place.file.read_bytes())
    data[:100] = bytes([0x5A]) * 100
    place.file.write_bytes(data)


def wreck_leaf(place):
    wreck(place.file, pages_of(place.file, "punch", "leaf")[3])


def wreck_index(place):
    wreck(place.file, pages_of(place.file, "sqlite_autoindex_punch_1", "leaf")[1])


def wreck_root(place):
    wreck(place.file, pages_of(place.file, "punch", "internal")[0])


def wreck_log(place):
    """A frame in the midst of it: SQLite would forget all that lies behind."""
    data = bytearray(place.log.read_bytes())
    size = 24 + int.from_bytes(data[8:12], "big")
    middle = 32 + (len(data) - 32) // size // 2 * size
    data[middle:middle + size] = bytes([0xA5]) * size
    place.log.write_bytes(data)


def empty(place):
    place.file.write_bytes(b"")


def nothing(_place, _sent):
    """The opening meets it."""


def ask(place, _sent):
    """Whoever reads all of it meets it: who asks for a list, or the daemon itself at its purge."""
    def read():
        try:
            place.gateway.punches()
        except (AssertionError, OSError, http.client.HTTPException):
            pass
        return place.gateway.process.poll() is not None

    wait_for(read, "an end at the damage")


def send_again(place, sent):
    """Whoever looks whether a punch is there already meets it."""
    g = place.gateway
    g.stop()
    with fast_broker(under=place.folder.parent) as broker, Hand(broker.port) as hand:
        g.settings["mqtt.port"] = broker.port
        g.start()
        g.wait_connected()
        for i in range(0, len(sent), 20):
            hand.send(sent[i:i + 20])
        assert g.wait() == 1
        assert len(hand.acked()) < len(sent)


DAMAGES = {
    # what: (of which store, how it is met, how many punches may be gone)
    wreck_header: ("ended", nothing, 0),
    wreck_root: ("ended", nothing, 0),
    wreck_log: ("killed", nothing, 60),
    wreck_leaf: ("ended", ask, 30),
    wreck_index: ("ended", send_again, 0),
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda d: d.__name__)
def test_a_damaged_store(stores, tmp_path, damage):
    kind, meet, gone = DAMAGES[damage]
    with Place(stores, kind, tmp_path) as place:
        damage(place)
        damaged = place.contents()
        g = place.gateway
        if meet is ask:
            g.spawn()
        else:
            g.start()
        if meet is not nothing:
            # It ends that run, and is looked into by the next.
            assert not g.lines("store_damaged")
            meet(place, stores.done + stores.unsettled)
            if g.process:
                assert g.wait() == 1
            assert "the store is damaged" in g.wait_line("store_failed", "checked at the next start")
            place.starts()
            assert g.wait_line("store_check", "damage was met in the last run")
        line = g.wait_line("store_damaged", "it is set aside")
        assert str(place.file) in line
        check_saved(place, stores, gone, log_lost=kind == "killed")
        # It lies there as it was.
        aside = place.set_aside()
        if meet is nothing:
            assert aside[""] == damaged["punchd.db"]
            assert aside.get("-wal") == damaged.get("punchd.db-wal")
        else:
            assert len(aside[""]) >= len(damaged["punchd.db"])
        g.stop()
        g.start()
        g.wait_alarm("store_replaced")
        assert len(g.lines("store_damaged")) == 1


def check_saved(place, stores, gone, log_lost=False):
    """What was saved, and as what, and that it is said."""
    g = place.gateway
    status = g.status()
    adds_up(status)
    all_of_it = DELIVERED + QUEUED + HELD + 1
    found = {p["record_id"]: p for p in g.punches()}
    assert all_of_it - gone <= len(found) <= all_of_it
    assert len(found) == status["counts"]["stored"]
    for p in stores.unsettled:
        if p["id"] in found:
            now = found[p["id"]]
            assert (now["state"], now["reason"]) == ("held", "restored"), now
    # A delivery that stood in a lost frame of the log is forgotten: a person decides.
    states = {(found[p["id"]]["state"], found[p["id"]]["reason"])
              for p in stores.done if p["id"] in found}
    assert ("delivered", None) in states
    assert states <= {("delivered", None)} | ({("held", "restored")} if log_lost else set())
    assert status["queue"]["queued"] == 0
    message = g.wait_alarm("store_replaced")
    assert f"{len(found)} punches were saved" in message and "held as restored" in message
    assert f"{all_of_it - len(found)} are known to be lost" in message
    line = g.lines("store_replaced")[0]
    assert ".damaged-" in line and f"saved={len(found)} " in line


def test_an_emptied_store(stores, tmp_path):
    """It was a store, so an empty file is no new one."""
    with Place(stores, "ended", tmp_path) as place:
        empty(place)
        g = place.starts()
        assert "nobody can tell" in g.wait_alarm("store_replaced")
        assert g.status()["counts"]["stored"] == 0
        assert place.set_aside()[""] == b""


def test_a_store_that_is_taken_away_under_it(stores, tmp_path):
    """SQLite would go on into a file without a name: acknowledged, and lost at the end."""
    many = punches(10, label="later")
    with Place(stores, "ended", tmp_path) as place, fast_broker(under=tmp_path) as broker, \
            Hand(broker.port) as hand:
        g = place.gateway
        g.settings["mqtt.port"] = broker.port
        g.start()
        g.wait_connected()
        place.file.rename(place.folder / "elsewhere")
        hand.send_all(many)
        assert g.wait() == 1
        line = g.wait_line("store_failed", "moved, deleted or replaced while punchd ran")
        assert "Put it back with its -wal" in line and str(place.file) in line
        assert not hand.acked()
        (place.folder / "elsewhere").rename(place.file)
        g.start()
        hand.wait_acked(many)
        assert g.status()["counts"]["stored"] == DELIVERED + QUEUED + HELD + 1 + 10


# ---- not ours, not now, not here

def newer(place):
    with sqlite3.connect(place.file) as db:
        db.execute("ALTER TABLE punch ADD COLUMN invented TEXT")
        db.execute("PRAGMA user_version = 99")
    db.close()


def another_database(place):
    with sqlite3.connect(place.file) as db:
        db.execute("CREATE TABLE recipe (name TEXT)")
        db.execute("INSERT INTO recipe VALUES ('bread')")
    db.close()


def no_database(place):
    place.file.write_text("Dear diary,\n" * 1000)


def a_folder(place):
    place.file.mkdir()


def a_link(place):
    place.file.symlink_to(place.folder / "elsewhere")


@pytest.mark.parametrize("make, kind, gists", [
    (newer, "ended", ["made by a newer punchd", "install that version again", "format 99"]),
    (another_database, None, ["not a store of punchd", "left alone", "check [store] path"]),
    (no_database, None, ["not a store of punchd", "left alone", "no database"]),
], ids=lambda v: getattr(v, "__name__", ""))
def test_a_file_that_is_not_its_store(stores, tmp_path, make, kind, gists):
    with Place(stores, kind, tmp_path) as place:
        make(place)
        place.refuses(*gists)
        place.refuses(*gists)


@pytest.mark.parametrize("make, gists", [
    (a_folder, ["is a folder", "name a file in it"]),
    (a_link, ["symbolic link", "name the file itself"]),
], ids=lambda v: getattr(v, "__name__", ""))
def test_a_path_that_can_be_no_store(stores, tmp_path, make, gists):
    with Place(stores, None, tmp_path) as place:
        make(place)
        place.refuses_the_settings(*gists)


def test_a_missing_folder(stores, tmp_path):
    with Place(stores, None, tmp_path) as place:
        place.folder.rmdir()
        place.refuses("the store's folder does not exist", "make it")
        place.folder.mkdir()
        place.starts()


def test_an_empty_file_and_none(stores, tmp_path):
    """Both are a new store."""
    with Place(stores, None, tmp_path) as place:
        place.file.touch()
        place.starts().stop()
        assert place.file.read_bytes().startswith(b"SQLite format 3")
        place.file.unlink()
        g = place.starts()
        assert "store_replaced" not in g.alarms()
        # Nobody deletes it by the way: it is said that there was one.
        assert g.wait_line("store_new", "was here before")


def test_two_daemons_on_one_store(stores, tmp_path):
    with Place(stores, "ended", tmp_path) as place:
        first = place.starts()
        second = Gateway(store=place.file, under=tmp_path, start=False)
        try:
            second.spawn()
            assert second.wait() == 1
            assert "two gateways must not share one file" in second.wait_line("store", "in use")
            assert "another punchd is using it" in second.lines("store")[0]
        finally:
            second.done()
        assert first.status()["counts"]["stored"] == DELIVERED + QUEUED + HELD + 1


def test_another_program_holds_it(stores, tmp_path):
    with Place(stores, "ended", tmp_path) as place:
        holder = sqlite3.connect(place.file, isolation_level=None)
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        try:
            place.gateway.spawn()
            assert place.gateway.wait() == 1
            assert "another program holds it" in place.gateway.wait_line("store", "in use")
        finally:
            holder.close()
        g = place.starts()
        assert g.status()["counts"]["stored"] == DELIVERED + QUEUED + HELD + 1


def test_a_file_that_may_not_be_written(stores, tmp_path):
    with Place(stores, "ended", tmp_path, wrap=COMMON) as place:
        place.file.chmod(0o400)
        place.refuses("cannot be written", "check the owner of the file and its folder")
        place.file.chmod(0o600)
        place.starts()


def test_a_folder_that_may_not_be_written(stores, tmp_path):
    with Place(stores, "ended", tmp_path, wrap=COMMON) as place:
        for lock in place.folder.glob("*.lock"):
            lock.unlink()
        place.folder.chmod(0o500)
        try:
            place.refuses("cannot be written", "check the owner of the file and its folder")
        finally:
            place.folder.chmod(0o700)
        place.starts()


@needs_root
def test_a_disk_that_may_not_be_written(stores, tmp_path):
    with Place(stores, "ended", tmp_path) as place:
        with read_only(place.folder):
            place.refuses("the disk is read-only", "kernel's log")
        place.starts()


@needs_root
def test_no_room_to_save_what_can_be_read(stores, tmp_path):
    """It waits for room, and has touched nothing."""
    size = (stores.folder / "ended/punchd.db").stat().st_size // 1024 + 512
    with SmallDisk(tmp_path / "small", size) as disk, \
            Place(stores, "ended", tmp_path, folder=disk.path / "store") as place:
        wreck_header(place)
        before = place.contents()
        place.gateway.spawn()
        assert place.gateway.wait() == 1
        line = place.gateway.wait_line("store", "make room, nothing is lost")
        assert "KiB must be free beside it" in line
        assert place.contents() == before
        disk.resize(size * 4)
        place.starts()
        check_saved(place, stores, 0)
