"""The first directory: users and devices are fetched whole, kept, and what becomes known later is
judged again."""
import sqlite3
import subprocess

import strace
from conftest import BUILD
from gateway import adds_up
from line import Hand, each_once, morning, rfc3339, user
from place import SERIAL, Place
from waiting import wait_for

EVENING = rfc3339(morning() + 9 * 3600)


def punch(record_id, user="usr_000001", **fields):
    return {"id": record_id, "user": user, "time": rfc3339(morning()), "type": "check_in"} | fields


def directory(place):
    return place.gateway.status()["directory"]


def cached(place):
    """What the stopped gateway keeps: users and devices, whole rows."""
    with sqlite3.connect(f"file:{place.gateway.store}?mode=ro", uri=True) as db:
        return (db.execute("SELECT * FROM user ORDER BY id").fetchall(),
                db.execute("SELECT * FROM device ORDER BY serial").fetchall())


def find(place, record_id):
    return next(p for p in place.gateway.punches() if p["record_id"] == record_id)


def test_all_pages_are_kept_and_resolved(tmp_path):
    with Place(tmp_path, users=250, devices="BIO-FP-001,BIO-FP-002") as place:
        assert (directory(place)["users"], directory(place)["devices"]) == (250, 2)
        assert (place.requests(), place.requests("GET /devices")) == (3, 1)
        with Hand(place.broker.port, "BIO-FP-002") as second:
            second.send(punch("last", "usr_000250"))
            second.wait_acked([{"id": "last"}])
            name = place.cloud.get("/users?limit=1&offset=249").data[0]["name"]
            assert second.acks == [{"id": "last", "status": "queued", "name": name}]
        place.gateway.wait_delivered(1)
        record, = place.cloud.records()
        assert (record["user_id"], record["device_id"]) == ("usr_000250", "dev_000002")
        place.gateway.stop()
        users, devices = cached(place)
        assert [u[0] for u in users] == [f"usr_{n:06d}" for n in range(1, 251)]
        assert [d[:2] for d in devices] == [("BIO-FP-001", "dev_000001"), ("BIO-FP-002", "dev_000002")]


def test_an_order_that_changes_from_page_to_page(tmp_path):
    with Place(tmp_path, "--fault", "shuffle,path=/users", users=350) as place:
        assert directory(place)["users"] == 350
        # One pass of random pages does not meet all of 350, ever.
        assert place.requests() >= 2 * 4
        assert "sync_shifted" in place.gateway.messages()


def test_people_who_come_while_the_list_is_read(tmp_path):
    with Place(tmp_path, "--fault", "slow=300ms,path=/users", users=199, start=False) as place:
        place.gateway.start()
        wait_for(lambda: place.requests() == 2, "the second page")
        place.cloud.put_user(id="usr_0", name="Came Late")
        place.gateway.wait_synced()
        assert directory(place)["users"] == 200


def test_unknown_ones_wait_until_a_sync_brings_them(tmp_path):
    with Place(tmp_path) as place, Hand(place.broker.port, "NEW-1") as new:
        assert place.send(punch("1", "usr_new")) == [
            {"id": "1", "status": "held", "reason": "unknown_user"}]
        new.send(punch("2"))
        new.wait_acked([{"id": "2"}])
        assert new.acks[0]["reason"] == "unknown_device"
        new.send(punch("3", "usr_new"))
        new.wait_acked([{"id": "3"}])
        assert new.acks[1]["reason"] == "unknown_device"
        status = place.gateway.wait_status(lambda s: s["alarms"], "the alarm")
        assert (status["state"], [a["code"] for a in status["alarms"]]) == ("degraded", ["held"])

        # A sync that brings nothing releases nothing.
        assert place.sync()["pass_error"] is None
        assert place.gateway.status()["queue"]["held"] == 3
        place.cloud.put_user(id="usr_new", name="New Comer")
        place.sync()
        place.gateway.wait_delivered(1)
        place.cloud.put_device(serial_number="NEW-1")
        place.sync()
        status = place.gateway.wait_delivered(3)
        adds_up(status)
        assert sorted((r["user_id"], r["device_id"]) for r in place.cloud.records()) == [
            ("usr_000001", "dev_000002"), ("usr_new", "dev_000001"), ("usr_new", "dev_000002")]
        wait_for(lambda: not place.gateway.alarms(), "the end of the alarm")


def test_held_ones_are_judged_again_after_a_restart_with_the_cloud_away(tmp_path):
    with Place(tmp_path) as place:
        assert place.send(punch("1", "usr_new"))[0]["status"] == "held"
        place.gateway.stop()
        place.cloud.put_user(id="usr_new", name="New Comer")
        place.cloud.stop()
        # As if it had died between the list's commit and the judging of what it brings.
        with sqlite3.connect(place.gateway.store) as db:
            db.execute("INSERT INTO user VALUES ('usr_new', 'New Comer', '', '', '', '')")
        place.gateway.start()
        status = place.gateway.wait_status(lambda s: s["queue"]["queued"] == 1, "it is judged")
        adds_up(status)
        assert status["directory"]["pass"] == 0
        place.cloud.start()
        place.gateway.wait_delivered(1)
        each_once(place.cloud.records(), [punch("1", "usr_new")])


def test_the_cached_lists_serve_while_new_ones_cannot_be_had(tmp_path):
    with Place(tmp_path, settings={"log.level": "info"}) as place:
        before = directory(place)
        place.gateway.stop()
        rows = cached(place)
        for path in ("/users", "/devices"):
            place.cloud.add_fault(f"html,path={path}")
        place.gateway.start()
        place.gateway.wait_connected()
        assert place.send(punch("1"))[0]["status"] == "queued"
        place.gateway.wait_delivered(1)
        after = place.gateway.wait_status(
            lambda s: s["directory"]["failed_pass"], "the failed pass")["directory"]
        assert after["pass_error"] and after["pass"] == 0
        for key in ("users", "devices", "users_synced_at", "devices_synced_at"):
            assert after[key] == before[key]
        wait_for(lambda: place.requests() >= 5, "it goes on trying")
        # Said once of each list, though it goes on.
        assert place.gateway.messages().count("sync_failed: ") == 2
        place.cloud.clear_faults()
        place.gateway.wait_synced()
        place.gateway.stop()
        assert cached(place) == rows


def missing(place):
    with sqlite3.connect(f"file:{place.gateway.store}?mode=ro", uri=True) as db:
        return db.execute("SELECT what, key, passes FROM missing ORDER BY key").fetchall()


def test_who_is_gone_is_still_sent_and_the_api_decides(tmp_path):
    with Place(tmp_path, users=3) as place:
        place.cloud.remove_user("usr_000001")
        assert place.sync()["users"] == 3
        assert missing(place) == [(1, "usr_000001", 1)]
        # The second pass is another run's.
        place.gateway.stop()
        place.start()
        assert directory(place)["users"] == 2
        assert missing(place) == [(1, "usr_000001", 2)]
        assert len(cached(place)[0]) == 3
        assert place.send(punch("1"))[0]["status"] == "queued"
        place.gateway.wait_status(lambda s: s["queue"]["parked"] == 1, "the refusal")
        refused = find(place, "1")
        assert (refused["reason"], refused["tries"]) == ("api_404", 1)
        assert refused["error"]["param"] == "user_id"


def test_who_is_back_is_not_gone(tmp_path):
    with Place(tmp_path, users=3) as place:
        user = place.cloud.get("/users?limit=1&offset=2").data[0]
        place.cloud.remove_user(user["id"])
        place.sync()
        assert place.sync()["users"] == 2
        place.cloud.put_user(**{key: user[key] for key in ("id", "name", "email", "phone")})
        assert place.sync()["users"] == 3
        assert missing(place) == []


def test_a_list_that_moves_while_it_is_read_makes_nobody_missing(tmp_path):
    """One leaves from the first page and one comes at the end while the second is on its way: the
    total stays, and the first of the second page was moved over the seam."""
    with Place(tmp_path, users=250) as place:
        for turn in range(2):
            place.cloud.add_fault("slow=500ms,path=/users")
            before = place.requests()
            place.gateway.request("POST", "/v1/sync")
            wait_for(lambda: place.requests() == before + 1, "the first page")
            wait_for(lambda: place.requests() == before + 2, "the second page is asked for")
            place.cloud.remove_user(f"usr_{turn + 1:06d}")
            place.cloud.put_user(id=f"usr_x{turn}", name="New")
            place.cloud.clear_faults()
            place.gateway.wait_status(
                lambda s, n=turn + 2: s["directory"]["pass"] == n, "the pass")
        assert missing(place) == []
        assert directory(place)["users"] >= 250


def test_a_page_that_fails_is_asked_for_again(tmp_path):
    """The pass goes on from there: a line that fails now and then would never let a long one end."""
    with Place(tmp_path, users=950, start=False, settings={"api.retry_min": "50ms"}) as place:
        place.cloud.add_fault("slow=100ms,path=/users")
        place.gateway.start()
        wait_for(lambda: place.requests() == 5, "half of the list")
        place.cloud.add_fault("status=503,path=/users,count=1")
        place.gateway.wait_synced()
        assert directory(place)["users"] == 950
        assert place.requests() == 10 + 1


def test_a_first_pass_goes_on_after_a_restart(tmp_path):
    with Place(tmp_path, users=950, start=False) as place:
        place.cloud.add_fault("slow=200ms,path=/users")
        place.gateway.start()
        wait_for(lambda: place.requests() == 7, "the seventh page is asked for")
        place.gateway.kill()
        place.cloud.clear_faults()
        place.start()
        assert directory(place)["users"] == 950
        # Ten pages, and once more the one that was under way.
        assert place.requests() <= 10 + 1
        # Who was read before is no more missing than the others.
        place.sync()
        assert missing(place) == []


def test_a_first_pass_begins_anew_where_the_list_changed_meanwhile(tmp_path):
    with Place(tmp_path, users=350, start=False) as place:
        place.cloud.add_fault("slow=200ms,path=/users")
        place.gateway.start()
        wait_for(lambda: place.requests() == 3, "the third page is asked for")
        place.gateway.kill()
        place.cloud.clear_faults()
        for number in range(1, 101):
            place.cloud.remove_user(f"usr_{number:06d}")
        place.start()
        place.gateway.stop()
        assert [u[0] for u in cached(place)[0]] == [f"usr_{n:06d}" for n in range(1, 351)]


def test_no_room_in_the_middle_of_a_list(tmp_path):
    with Place(tmp_path, "--plan", "5", "--window", "1s", users=950) as place:
        assert directory(place)["users"] == 950
        stats = place.cloud.stats()
        # Eleven good answers: no page was asked for twice because there was no room in between.
        assert stats["answers"]["200"] == 11, stats
        assert place.gateway.status()["api"]["rate"]["limit"] == 5


def test_each_list_has_its_interval(tmp_path):
    with Place(tmp_path, "--plan", "6000",
               settings={"sync.users": "1s", "sync.devices": "36500d"}) as place:
        wait_for(lambda: place.requests() >= 3, "users are fetched again")
        assert place.requests("GET /devices") == 1


def test_refreshes_take_a_tenth_of_the_requests_at_most(tmp_path):
    """A list of three pages every second would be three times what the smallest plan has in a day:
    the interval is stretched, where a list of one page with a large plan goes by the setting."""
    settings = {"sync.users": "1s", "sync.devices": "1s"}
    with Place(tmp_path, "--plan", "100", users=250, settings=settings) as place:
        place.send(punch("1"))
        for second in range(3):
            wait_for(lambda n=second: place.gateway.status()["uptime_s"] > n + 1, "a second")
        assert (place.requests(), place.requests("GET /devices")) == (3, 1)
        assert place.sync()["pass"] == 2  # who asks is not kept waiting
        assert (place.requests(), place.requests("GET /devices")) == (6, 2)


def test_what_has_not_changed_is_not_written_again(tmp_path):
    trace = tmp_path / "trace"

    def written(name):
        return [c for c in strace.calls(trace) if c.name.startswith("pwrite") and name in c.data]

    with Place(tmp_path, users=120) as place:
        place.gateway.stop()
        place.gateway.env["ASAN_OPTIONS"] = "detect_leaks=0"  # which cannot be done under strace
        place.gateway.wrap = [str(w) for w in strace.command(trace, "pwrite64,pwritev,pwritev2")]
        place.start()
        assert place.sync()["users"] == 120
        place.gateway.stop()
        assert not written(b"usr_0000") and written(b"users_pass")
        place.cloud.put_user(id="usr_000007", name="Other Name")
        place.start()
        place.gateway.stop()
        assert written(b"Other Name")


def test_a_device_that_is_not_active(tmp_path):
    with Place(tmp_path) as place:
        place.cloud.put_device(serial_number=SERIAL, status="maintenance")
        place.sync()
        ack, = place.send(punch("1"))
        assert (ack["status"], ack["reason"]) == ("held", "inactive_device")
        place.cloud.put_device(serial_number=SERIAL, status="active")
        place.sync()
        place.gateway.wait_delivered(1)


def test_strangers_are_parked_or_forwarded_by_setting(tmp_path):
    settings = {"punches.unknown_user": "park", "punches.unknown_device": "forward"}
    with Place(tmp_path, settings=settings) as place, Hand(place.broker.port, "NEW-1") as new:
        assert place.send(punch("1", "usr_new")) == [
            {"id": "1", "status": "parked", "reason": "unknown_user"}]
        new.send(punch("2"))
        new.wait_acked([{"id": "2"}])
        assert new.acks[0]["status"] == "queued"
        # The API is asked with the serial number, and decides.
        status = place.gateway.wait_status(lambda s: s["queue"]["parked"] == 2, "the refusal")
        adds_up(status)
        refused = find(place, "2")
        assert (refused["reason"], refused["device_id"]) == ("api_404", "NEW-1")


def test_people_and_devices_are_listed(tmp_path, build):
    def ctl(*words):
        done = subprocess.run([build / "punchctl", "--socket", place.gateway.relayed(), *words],
                              capture_output=True, text=True, check=True)
        return done.stdout.splitlines(), done.stderr

    with Place(tmp_path, users=120, devices="BIO-FP-001,BIO-FP-002") as place:
        place.cloud.put_user(id="usr_000007", name="Ólafur Ärnalds", department="Boiler \x1b[1mroom")
        place.cloud.remove_user("usr_000003")
        place.sync()
        place.sync()
        # Page by page: everybody once, by id.
        ids, path = [], "/v1/users?limit=50"
        while path:
            page = place.gateway.get(path)
            ids += [(u["id"], u["gone"]) for u in page["data"]]
            following = page["meta"]["next"]
            path = following and f"/v1/users?limit=50&after={following}"
        assert ids == [(f"usr_{n:06d}", n == 3) for n in range(1, 121)]
        found, = place.gateway.get("/v1/users?q=bOILer")["data"]
        assert (found["id"], found["name"]) == ("usr_000007", "Ólafur Ärnalds")
        assert place.gateway.get("/v1/users?q=nobody")["data"] == []
        assert place.gateway.request("GET", "/v1/users?limit=0")[0] == 400

        place.send(punch("1"))
        first, second = place.gateway.get("/v1/devices")["data"]
        assert (first["serial"], first["device_id"]) == ("BIO-FP-001", "dev_000001")
        assert (first["status"], first["gone"]) == ("active", False)
        assert first["last_punch"] and second["last_punch"] is None

        rows, more = ctl("users", "boiler")
        assert len(rows) == 2 and rows[1].startswith("usr_000007") and not more
        assert r"Boiler \x1b[1mroom" in rows[1]
        rows, more = ctl("users", "--limit", "3")
        assert [row.split()[0] for row in rows] == ["ID", "usr_000001", "usr_000002", "usr_000003"]
        assert rows[3].split()[-1] == "gone" and "there are more" in more
        assert ctl("users", "nobody")[0] == ["no users"]
        rows, _ = ctl("devices")
        assert [row.split()[0] for row in rows] == ["SERIAL", "BIO-FP-001", "BIO-FP-002"]


def test_what_could_not_be_stored_is_stored_by_the_next_pass(tmp_path):
    """A page that memory had and the store had not was no news ever after."""
    with Place(tmp_path) as place:
        place.cloud.put_user(id="usr_new", name="New Comer")
        with sqlite3.connect(place.gateway.store, isolation_level=None) as db:
            db.execute("BEGIN IMMEDIATE")
            place.sync()
            assert place.gateway.status()["directory"]["pass_error"]
            db.execute("ROLLBACK")
        place.gateway.wait_status(lambda s: s["directory"]["pass"] == 2, "the next try")
        place.gateway.stop()
        assert "usr_new" in [user[0] for user in cached(place)[0]]


def test_names_that_are_long_or_hostile(tmp_path):
    """Kept so far as 256 bytes go, shown so that no screen obeys them."""
    names = {1: "Ä" * 127 + "\U0001F600" * 9873, 2: "\x1b[2J\x07\u202eevil\u0085\x7f", 3: "  ", 4: "अदिति \u200d शर्मा"}
    with Place(tmp_path, users=10) as place:
        for n, name in names.items():
            place.cloud.put_user(id=user(n), name=name)
        place.sync()
        wanted = names | {1: "Ä" * 127}
        kept = {u["id"]: u["name"] for u in place.gateway.get("/v1/users?limit=20")["data"]}
        assert {n: kept[user(n)] for n in names} == wanted
        acks = place.send([punch(f"p{n}", user(n)) for n in names])
        assert dict(zip(names, (a["name"] for a in acks))) == wanted
        shown = subprocess.run([BUILD / "punchctl", "--socket", place.gateway.socket, "users"],
                               capture_output=True, timeout=30).stdout.decode()
        assert "\\x1b[2J" in shown and not set(shown) & set("\x1b\x07\u202e\u0085\x7f")
        place.gateway.wait_delivered(4)
        place.gateway.kill()
        place.gateway.start()
        kept = {u["id"]: u["name"] for u in place.gateway.get("/v1/users?limit=20")["data"]}
        assert {n: kept[user(n)] for n in names} == wanted
