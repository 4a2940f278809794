"""What is seen of terminals: presence, silence, clocks."""
import calendar
import itertools
import json
import time

from line import Hand, rfc3339, user
from place import SERIAL, Place
from waiting import wait_for

OTHER = "BIO-FP-002"

HEARTBEAT = {
    "name": "beat", "about": "a test's", "topic": "beat/{device}/in", "format": "json",
    "accept": [], "device": ["topic:device"], "user": [["/who", "id"]], "record_id": ["/n"],
    "time": {"from": ["/at"], "formats": ["epoch_s"]},
    "presence": [{"topic": "beat/{device}/alive", "format": "json", "device": ["topic:device"],
                  "online": [["/up", "nonempty"]], "timeout_s": 1}],
}


def say(place, serial, retain=False, **status):
    place.hand.client.publish(f"att/v1/{serial}/status", json.dumps(status), qos=1, retain=retain)


def seen(place, serial=SERIAL):
    return next((t for t in place.gateway.status()["terminals"] if t["serial"] == serial), {})


def silent(place):
    return next((a for a in place.gateway.status()["alarms"] if a["code"] == "terminal_silent"), None)


def tap(place, number, off_s=0, who=1, **more):
    place.send({"id": f"n{number}", "user": user(who), "time": rfc3339(int(time.time()) + off_s),
                "live": True} | more)


def test_what_terminals_say_of_themselves(tmp_path):
    with Place(tmp_path, devices=f"{SERIAL},{OTHER}") as place:
        assert silent(place) is None  # nobody was ever heard of
        say(place, SERIAL, online=True, pending=7, fw="1.4.2")
        wait_for(lambda: seen(place).get("fw") == "1.4.2", "its firmware is shown")
        assert (seen(place)["online"], seen(place)["pending"]) == (True, 7)
        device = {d["serial"]: d for d in place.gateway.get("/v1/devices")["data"]}
        assert (device[SERIAL]["fw"], device[SERIAL]["pending"], device[OTHER]["fw"]) == ("1.4.2", 7, None)
        # Odd ones change nothing.
        for odd in ({"online": "yes", "pending": 9}, {"online": True, "pending": -1, "fw": 7}):
            say(place, SERIAL, **odd)
        say(place, SERIAL, online=True, fw="\u001b[31mred" + "ä" * 100)
        wait_for(lambda: seen(place)["fw"].startswith("\u001b[31mred"), "the last one came")
        assert seen(place)["pending"] == 7 and len(seen(place)["fw"].encode()) <= 64
        # Its last will.
        say(place, SERIAL, retain=True, online=False)
        message = place.gateway.wait_alarm("terminal_silent")
        assert message.startswith(f"1 terminal is not heard any more: {SERIAL}.")
        tap(place, 1)
        wait_for(lambda: silent(place) is None, "it is back")
        # A stranger's is nobody's alarm, and is listed.
        say(place, "STRANGER", online=False)
        wait_for(lambda: seen(place, "STRANGER"), "it is listed")
        assert seen(place, "STRANGER")["device_id"] is None and silent(place) is None


def test_what_is_set_inactive_is_not_missed(tmp_path):
    with Place(tmp_path) as place:
        say(place, SERIAL, online=False)
        place.gateway.wait_alarm("terminal_silent")
        place.cloud.put_device(serial_number=SERIAL, name="Gate", status="inactive")
        place.sync()
        wait_for(lambda: silent(place) is None, "nobody misses it")


def test_a_family_that_falls_silent(tmp_path):
    """Also one that was not heard since the start, if it ever brought a punch."""
    profiles = tmp_path / "profiles"
    profiles.mkdir()
    (profiles / "beat.json").write_text(json.dumps(HEARTBEAT))
    with Place(tmp_path, settings={"mqtt.profiles": "native beat", "mqtt.profile_dir": profiles}) as place:
        publish = place.hand.client.publish
        publish(f"beat/{SERIAL}/in", json.dumps({"who": user(1), "n": "1", "at": int(time.time())}), qos=1)
        place.gateway.wait_delivered(1)
        place.gateway.wait_alarm("terminal_silent")

        def beats():
            publish(f"beat/{SERIAL}/alive", '{"up":1}', qos=1)
            return silent(place) is None
        wait_for(beats, "it is heard again")
        place.gateway.kill()
        place.gateway.start()
        assert SERIAL in place.gateway.wait_alarm("terminal_silent")


def test_a_clock_is_learnt_and_set(tmp_path):
    """From live punches alone; told once an hour at the most."""
    with Place(tmp_path) as place, Hand(place.broker.port, "listener") as listener:
        commands = []
        listener.client.message_callback_add(
            f"att/v1/{SERIAL}/cmd", lambda c, d, m: commands.append(json.loads(m.payload)))
        listener.client.subscribe(f"att/v1/{SERIAL}/cmd", 1)
        place.gateway.wait_line("clock_trusted", "")
        for i in range(3):
            tap(place, i, off_s=-86400 * 3 + 100 * i, live=False)
        assert seen(place)["skew_s"] is None
        numbers = itertools.count(3)

        def taps_until(look):
            """What comes in the first seconds after connecting may have waited, and tells nothing."""
            number = next(numbers)
            tap(place, number, off_s=200, who=number % 9 + 1)
            return look()

        # Three are enough; it is told then, and what was learnt of the old clock is forgotten.
        wait_for(lambda: taps_until(lambda: commands), "it is told the time")
        assert commands[0]["op"] == "set_time" and commands[0]["id"]
        told = calendar.timegm(time.strptime(commands[0]["time"], "%Y-%m-%dT%H:%M:%SZ"))
        assert abs(time.time() - told) < 60
        assert place.gateway.wait_line("terminal_clock", "ahead_s=")
        wait_for(lambda: taps_until(lambda: seen(place)["skew_s"] is not None), "it is learnt again")
        assert 190 < seen(place)["skew_s"] < 210
        assert len(commands) == 1
        # What it sent stays as it was sent.
        times = {p["record_id"]: (p["time"], p["time_sent"]) for p in place.gateway.punches()}
        assert all(a == b for a, b in times.values())


def test_names_that_are_made_up_hide_nobody(tmp_path):
    with Place(tmp_path, devices=f"{SERIAL},{OTHER}") as place:
        for n in range(1200):
            say(place, f"MADE-UP-{n}", online=True)
        wait_for(lambda: len(place.gateway.status()["terminals"]) == 1000, "so many are listed")
        say(place, SERIAL, online=True)
        say(place, OTHER, online=False)
        wait_for(lambda: seen(place).get("online") and seen(place, OTHER).get("online") is False,
                 "those that are devices are seen")
        assert place.gateway.wait_alarm("terminal_silent").startswith("1 terminal is not heard")
        # A name of the flood that turns out to be a device makes room for another stranger.
        place.cloud.put_device(serial_number="MADE-UP-7", name="Gate")
        place.sync()
        say(place, "MADE-UP-7", online=False)
        wait_for(lambda: "MADE-UP-7" in (silent(place) or {}).get("message", ""), "it is nobody's any more")


def test_silence_is_what_it_was_while_the_broker_was_away(tmp_path):
    """It counts on where it was, and what stands stays."""
    profiles = tmp_path / "profiles"
    profiles.mkdir()
    beat = json.loads(json.dumps(HEARTBEAT))
    beat["presence"][0]["timeout_s"] = 2
    (profiles / "beat.json").write_text(json.dumps(beat))
    with Place(tmp_path, settings={"mqtt.profiles": "native beat", "mqtt.profile_dir": profiles}) as place:
        place.hand.client.publish(
            f"beat/{SERIAL}/in", json.dumps({"who": user(1), "n": "1", "at": int(time.time())}), qos=1)
        place.gateway.wait_delivered(1)
        place.gateway.wait_alarm("terminal_silent")
        since = silent(place)["since"]
        for _ in range(3):
            place.broker.kill()
            place.gateway.wait_status(lambda s: not s["mqtt"]["connected"], "the broker is away")
            assert silent(place)["since"] == since
            place.broker.start()
            place.gateway.wait_connected()
            assert silent(place)["since"] == since
