"""The attendance report, computed from CLOUD-API.md and punchd.conf(5) and from nothing of punchd: what is
compared with what the gateway and the sandbox say.

    rules = Rules(zone="Asia/Kolkata", holidays={date(2026, 1, 26)})
    oracle.report(rules, date(2026, 1, 1), date(2026, 1, 31), users, punches)

users: [{"id", "name", "department"}]; punches: [(user id, "check_in" or "check_out", unix seconds)].
"""
import dataclasses
import datetime
import decimal
import random
import zoneinfo

DAY = datetime.timedelta(days=1)
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclasses.dataclass
class Rules:
    """Times are minutes after midnight. holidays: dates, or (month, day) of each year."""
    zone: str = "UTC"
    day_start: int = 4 * 60
    week: tuple = WEEK[:5]
    holidays: frozenset = frozenset()
    late_after: int = 9 * 60 + 15
    early_before: int = 17 * 60

    def works(self, day):
        return WEEK[day.weekday()] in self.week and day not in self.holidays and \
            (day.month, day.day) not in self.holidays

    def place(self, unix_s):
        """The working day of a time, and how far into it the clock on the wall shows, in seconds."""
        local = datetime.datetime.fromtimestamp(unix_s, zoneinfo.ZoneInfo(self.zone)).replace(tzinfo=None)
        start = datetime.timedelta(minutes=self.day_start)
        day = (local - start).date()
        return day, (local - (datetime.datetime.combine(day, datetime.time()) + start)).total_seconds()

    def into(self, minutes):
        return (minutes - self.day_start) % (24 * 60) * 60

    def settings(self):
        return {"site.time_zone": self.zone, "site.day_start": clock(self.day_start),
                "site.working_days": " ".join(self.week),
                "site.holidays": " ".join(f"{d[0]:02}-{d[1]:02}" if isinstance(d, tuple) else d.isoformat()
                                          for d in sorted(self.holidays, key=str)),
                "site.late_after": clock(self.late_after), "site.early_before": clock(self.early_before)}


def clock(minutes):
    return f"{minutes // 60:02}:{minutes % 60:02}"


def days(first, last):
    return [first + n * DAY for n in range((last - first).days + 1)]


def percent(part, whole):
    if whole == 0:
        return 0.0
    exact = decimal.Decimal(100 * part) / whole
    return float(exact.quantize(decimal.Decimal("0.01"), decimal.ROUND_HALF_UP))


def report(rules, first, last, users, punches, department=None, user_id=None):
    """summary and users of the document."""
    worked = [day for day in days(first, last) if rules.works(day)]
    seen = {}
    for who, kind, unix_s in punches:
        day, at = rules.place(unix_s)
        seen.setdefault((who, day), {"check_in": [], "check_out": []})[kind].append(at)
    rows, total = [], 0
    for user in sorted(users, key=lambda u: u["id"]):
        if (department and user["department"] != department) or (user_id and user["id"] != user_id):
            continue
        present = late = early = 0
        for day in worked:
            taps = seen.get((user["id"], day))
            if not taps or not taps["check_in"]:
                continue
            present += 1
            late += min(taps["check_in"]) > rules.into(rules.late_after)
            early += bool(taps["check_out"]) and max(taps["check_out"]) < rules.into(rules.early_before)
        total += present
        rows.append({"id": user["id"], "name": user["name"], "department": user["department"] or None,
                     "attendance": {"present_days": present, "absent_days": len(worked) - present,
                                    "late_days": late, "early_departure_days": early,
                                    "attendance_percentage": percent(present, len(worked))}})
    return {"summary": {"total_users": len(rows), "total_days": (last - first).days + 1,
                        "working_days": len(worked), "average_attendance": percent(total, len(worked) * len(rows))},
            "users": rows}


def month(rng):
    first = datetime.date(rng.randint(2019, 2025), rng.randint(1, 12), 1)  # one that is over
    return first, (first + 31 * DAY).replace(day=1) - DAY


def random_rules(rng, zone=None, **fixed):
    minutes = [0, 9 * 60 + 15, 17 * 60, 22 * 60, 6 * 60, rng.randrange(24 * 60)]
    chosen = {"zone": zone or rng.choice(["UTC", "Asia/Kolkata", "America/New_York", "Europe/Berlin", "Asia/Kathmandu"]),
              "day_start": rng.choice([0, 4 * 60, 12 * 60, 18 * 60 + 30]),
              "week": tuple(day for day in WEEK if rng.random() < 0.7) or ("sun",),
              "late_after": rng.choice(minutes), "early_before": rng.choice(minutes)}
    return Rules(**{**chosen, **fixed})


def random_punches(rng, rules, first, last, users):
    """Of each user some days, some of them in the night, some on the very second that decides."""
    zone, found = zoneinfo.ZoneInfo(rules.zone), []
    edges = [0, 1, -1, 3600, -3600]
    for user in users:
        for day in days(first - DAY, last + DAY):
            for kind, minutes in (("check_in", rules.late_after), ("check_out", rules.early_before)):
                for _ in range(rng.choice([0, 1, 1, 2])):
                    local = datetime.datetime.combine(day, datetime.time())
                    local += datetime.timedelta(seconds=minutes * 60 + rng.choice(edges)) if rng.random() < 0.7 \
                        else datetime.timedelta(seconds=rng.randrange(86400))
                    found.append((user["id"], kind, int(local.replace(tzinfo=zone).timestamp())))
    # One second of one person is one punch.
    return list({(who, at): (who, kind, at) for who, kind, at in found}.values())
