"""Local times of terminals become the points of time that Python's zoneinfo finds: a skipped one takes
the offset before the change and says so, a repeated one is the earlier."""
import datetime
import json
import random
import subprocess
import zoneinfo

import pytest

from conftest import BUILD

PROFILE = {"name": "z", "about": "a test's", "topic": "z/{device}/in", "format": "json", "records": "/",
           "accept": [], "device": ["topic:device"], "user": [["./u", "id"]], "record_id": ["./n"],
           "time": {"from": ["./t"], "formats": ["%Y-%m-%d %H:%M:%S"]}}

# Where clocks were or will be changed, and what lies before 1970 and far ahead.
CASES = {
    "America/New_York": ["2026-03-08 01:59:59", "2026-03-08 02:00:00", "2026-03-08 02:30:00",
                         "2026-03-08 02:59:59", "2026-03-08 03:00:00", "2026-11-01 00:59:59",
                         "2026-11-01 01:00:00", "2026-11-01 01:59:59", "2026-11-01 02:00:00",
                         "1969-12-31 19:00:00", "1950-07-01 12:00:00", "2080-07-01 12:00:00"],
    "Europe/London": ["2026-03-29 00:59:59", "2026-03-29 01:00:00", "2026-03-29 01:59:59",
                      "2026-03-29 02:00:00", "2026-10-25 00:59:59", "2026-10-25 01:00:00",
                      "2026-10-25 01:59:59", "2026-10-25 02:00:00", "1969-06-01 12:00:00",
                      "1971-10-31 02:30:00", "2080-03-31 01:30:00"],
    "Asia/Kolkata": ["2026-01-01 00:00:00", "2026-07-01 12:00:00", "1942-09-01 00:30:00",
                     "1945-10-15 00:30:00", "1969-12-31 23:59:59", "2080-01-01 05:30:00"],
    "Asia/Kathmandu": ["1985-12-31 23:59:59", "1986-01-01 00:00:00", "1986-01-01 00:14:59",
                       "1986-01-01 00:15:00", "2026-07-01 05:45:00", "1969-12-31 23:59:59"],
    "Australia/Lord_Howe": ["2026-04-05 01:29:59", "2026-04-05 01:30:00", "2026-04-05 01:59:59",
                            "2026-04-05 02:00:00", "2026-10-04 01:59:59", "2026-10-04 02:00:00",
                            "2026-10-04 02:29:59", "2026-10-04 02:30:00", "1981-03-01 00:15:00"],
    "Africa/Casablanca": ["2026-02-15 02:59:59", "2026-02-15 03:00:00", "2026-02-15 02:00:00",
                          "2026-03-22 01:59:59", "2026-03-22 02:00:00", "2026-03-22 02:59:59",
                          "2026-03-22 03:00:00", "2018-10-28 02:30:00", "1967-06-03 12:30:00"],
    "Pacific/Apia": ["2011-12-29 23:59:59", "2011-12-30 00:00:00", "2011-12-30 12:00:00",
                     "2011-12-30 23:59:59", "2011-12-31 00:00:00", "2012-04-01 03:30:00",
                     "2021-04-04 03:30:00", "1969-12-31 12:00:00"],
    "Europe/Dublin": ["2026-03-29 01:30:00", "2026-10-25 01:30:00", "1968-10-27 00:30:00"],
}
SWEEP = 400  # random times a zone


def converted(tmp_path, zone, times):
    """What the real program makes of them: (seconds since 1970, whether it was skipped)."""
    profile, payload = tmp_path / "z.json", tmp_path / "payload.json"
    profile.write_text(json.dumps(PROFILE))
    payload.write_text(json.dumps([{"u": "usr_1", "n": str(i), "t": t} for i, t in enumerate(times)]))
    run = subprocess.run([BUILD / "punchctl", "--json", "try-profile", "--zone", zone, profile,
                          "z/d/in", payload], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    records = json.loads(run.stdout)["records"]
    return [(datetime.datetime.fromisoformat(r["time"].replace("Z", "+00:00")).timestamp(),
             r.get("time_skipped", False)) for r in records]


def expected(zone, text):
    local = datetime.datetime.fromisoformat(text).replace(tzinfo=zoneinfo.ZoneInfo(zone))
    there = local.astimezone(datetime.timezone.utc)
    skipped = there.astimezone(local.tzinfo).replace(tzinfo=None) != local.replace(tzinfo=None)
    return there.timestamp(), skipped


def test_there_are_sixty():
    assert sum(map(len, CASES.values())) >= 60


@pytest.mark.parametrize("zone", CASES)
def test_where_clocks_change(tmp_path, zone):
    got = converted(tmp_path, zone, CASES[zone])
    wanted = [expected(zone, t) for t in CASES[zone]]
    assert dict(zip(CASES[zone], got)) == dict(zip(CASES[zone], wanted))


@pytest.mark.parametrize("zone", CASES)
def test_any_time(tmp_path, zone):
    """Half of them within a day of a change of 1970 to 2037, found by looking at each noon."""
    dice, info = random.Random(zone), zoneinfo.ZoneInfo(zone)
    days = [datetime.datetime(1970, 1, 1, 12) + datetime.timedelta(d) for d in range(68 * 365)]
    changes = [a for a, b in zip(days, days[1:]) if info.utcoffset(a) != info.utcoffset(b)]
    times = [dice.choice(days) + datetime.timedelta(seconds=dice.randrange(86400))
             for _ in range(SWEEP // 2)]
    times += [dice.choice(changes or days) + datetime.timedelta(seconds=dice.randrange(2 * 86400) - 43200)
              for _ in range(SWEEP // 2)]
    texts = [f"{t:%Y-%m-%d %H:%M:%S}" for t in times]
    got = converted(tmp_path, zone, texts)
    wanted = [expected(zone, t) for t in texts]
    assert [x for x in zip(texts, got, wanted) if x[1] != x[2]] == []


@pytest.mark.parametrize("text, utc", [
    ("2016-12-31 23:59:60", "2017-01-01T00:00:00"), ("2026-06-30 23:59:60", "2026-07-01T00:00:00")])
def test_leap_seconds_are_the_next_second(tmp_path, text, utc):
    (seconds, skipped), = converted(tmp_path, "UTC", [text])
    assert seconds == datetime.datetime.fromisoformat(utc + "+00:00").timestamp() and not skipped
