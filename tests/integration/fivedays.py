"""Five days of fifty people at three terminals, from one number: what the terminals tell, whom it is
about, and what becomes known in between. It knows nothing of how that is judged.

The days are those around the end of winter time of last year in Berlin (Thursday to Monday, the
clocks change in the night before Sunday), so that they are the same ones all year.

    BIO-FP-001  "gate"   states the direction; what it keeps in the middle of the week comes late
    BIO-FP-002  "fast"   states it too, and is seven minutes fast; its counter begins anew on day three
    BIO-FP-003  "bare"   states nothing
"""
import collections
import dataclasses
import datetime
import json
import random
import zoneinfo

from judge_oracle import IN, OPPOSITE, OUT, Rules, kind_of

GATE, FAST, BARE = TERMINALS = ("BIO-FP-001", "BIO-FP-002", "BIO-FP-003")
ZONE = "Europe/Berlin"
PEOPLE, STAFF = 50, 43  # the others are unknown at first
SETTINGS = {"site.time_zone": ZONE, "site.day_start": "04:00", "punches.max_age": "1000d",
            "punches.accept_from": "2000-01-01T00:00:00Z"}


def last_sunday_of_march(year):
    day = datetime.date(year, 3, 31)
    return day - datetime.timedelta(days=(day.weekday() + 1) % 7)


@dataclasses.dataclass(frozen=True)
class Person:
    number: int
    kind: str   # how terminals call them
    value: str
    user_id: str | None  # who it is in the end
    night: bool


@dataclasses.dataclass
class Sent:
    """One record as a terminal tells it."""
    terminal: str
    punch: dict

    @property
    def key(self):
        """What tells it from all others in what the gateway shows."""
        p = self.punch
        return (self.terminal, p["id"], kind_of(p), p["user"], p.get("time"))


class Week:
    def __init__(self, seed, today=None):
        self.random = random.Random(seed)
        self.zone = zoneinfo.ZoneInfo(ZONE)
        year = (today or datetime.date.today()).year - 1
        self.first = last_sunday_of_march(year) - datetime.timedelta(days=3)
        self.people = [self._person(n) for n in range(1, PEOPLE + 1)]
        self.counters = collections.Counter()
        self.sent = []
        for day in range(5):
            if day == 2:
                self.counters[FAST] = 0
            for terminal, at, person, said in sorted(self._day(day), key=lambda t: t[1]):
                self._tell(terminal, at, person, said)
        self._oddities()
        assert len({s.key for s in self.sent}) == len(self.sent)

    # ---- people

    def _person(self, n):
        night = n % 8 == 0
        user_id = f"usr_{n:06d}"
        if n > STAFF + 5:
            return Person(n, "pin", f"9{n:03d}", None, night)  # nobody ever says who this is
        if n > STAFF + 2:
            return Person(n, "pin", f"{1000 + n}", user_id, night)  # linked on day three
        if n > STAFF:
            return Person(n, "id", user_id, user_id, night)  # hired on day three
        # Some go by two names, and only links bring their punches together.
        return Person(n, "id", user_id, user_id, night)

    def links(self):
        """Made on day three. Numbers 1 to 4 have cards too, and sometimes use these."""
        found = [{"kind": "pin", "value": p.value, "user_id": p.user_id}
                 for p in self.people if p.kind == "pin" and p.user_id]
        found += [{"kind": "card", "value": self.card(n), "user_id": f"usr_{n:06d}"}
                  for n in range(1, 5)]
        return found + [{"kind": "slot", "value": "5", "device": BARE, "user_id": "usr_000005"},
                        {"kind": "slot", "value": "5", "device": GATE, "user_id": "usr_000006"}]

    @staticmethod
    def card(n):
        return f"04A2B3{n:02X}"

    def linked(self):
        """Beside the staff the cloud knows these, by whose PIN nobody can tell who they are."""
        return [p.user_id for p in self.people if p.user_id and p.kind == "pin"]

    def hired(self):
        """These come on day three."""
        return [p.user_id for p in self.people if p.kind == "id" and p.number > STAFF]

    def rules(self, links=True, hired=True):
        """As they are in the end, or before somebody was made known."""
        staff = {f"usr_{n:06d}": {} for n in range(1, STAFF + 1)}
        staff.update({user_id: {} for user_id in self.hired()} if hired else {})
        made = {(k["kind"], k["value"], k.get("device")): k["user_id"] for k in self.links()}
        return Rules(zone=ZONE, max_age=1000 * 86400, accept_from=946684800, users=staff,
                     devices={t: (f"dev_{i:06d}", "active") for i, t in enumerate(TERMINALS, 1)},
                     links=made if links else {})

    # ---- what they do

    def _local(self, day, minutes, second=None):
        """Seconds since 1970 of a time of that day on the wall; minutes may go beyond its end."""
        date = self.first + datetime.timedelta(days=day + minutes // 1440)
        wall = datetime.datetime(date.year, date.month, date.day, minutes % 1440 // 60, minutes % 60,
                                 self.random.randrange(60) if second is None else second,
                                 tzinfo=self.zone)
        return int(wall.timestamp())

    def _shift(self, day, person):
        """(time, type) of one working day."""
        r = self.random
        if person.night:
            found = [(self._local(day, 22 * 60 + r.randint(-30, 30)), IN),
                     (self._local(day, 30 * 60 + r.randint(-45, 45)), OUT)]
        else:
            found = [(self._local(day, 8 * 60 + r.randint(-45, 45)), IN)]
            if r.random() < 0.4:
                found += [(self._local(day, 12 * 60 + r.randint(-20, 10)), OUT),
                          (self._local(day, 12 * 60 + r.randint(20, 50)), IN)]
            found += [(self._local(day, 17 * 60 + r.randint(-60, 90)), OUT)]
            if r.random() < 0.05:  # overtime, past the turn of the day
                found[-1] = (self._local(day, 27 * 60 + r.randint(0, 120)), OUT)
        if r.random() < 0.08:
            found.pop()  # a forgotten check-out
        return found

    def _day(self, day):
        """(terminal, time, person, type) of all taps of that day, with all that people do twice."""
        r = self.random
        for person in self.people:
            if r.random() < 0.08:
                continue
            for at, said in self._shift(day, person):
                terminal = r.choice(TERMINALS)
                yield terminal, at, person, said
                again = r.random()
                if again < 0.12:  # some chains, some just outside of the window
                    for _ in range(r.choice((1, 1, 2, 3))):
                        at += r.choice((0, 3, 20, 40, 59, 60, 61, 70))
                        yield terminal, at, person, said
                elif again < 0.16:  # through the door and back
                    yield terminal, at + r.randint(5, 50), person, OPPOSITE[said]
                elif again < 0.18:  # at another terminal, too
                    yield r.choice(TERMINALS), at + r.randint(0, 30), person, said

    # ---- how terminals tell it

    def _time(self, terminal, at):
        if terminal == FAST:
            at += 7 * 60
        zone = self.zone if terminal == GATE else datetime.timezone.utc
        text = datetime.datetime.fromtimestamp(at, zone).isoformat()
        return text.replace("+00:00", "Z")

    def _name(self, terminal, person):
        if person.number <= 4 and self.random.random() < 0.3:
            return {"user": self.card(person.number), "user_kind": "card"}
        if person.number in (5, 6) and (terminal, person.number) in ((BARE, 5), (GATE, 6)) and \
                self.random.random() < 0.5:
            return {"user": "5", "user_kind": "slot"}
        return {"user": person.value}

    def _tell(self, terminal, at, person, said, **fields):
        self.counters[terminal] += 1
        punch = {"id": f"{self.counters[terminal]:06d}", "time": self._time(terminal, at)}
        punch.update(self._name(terminal, person))
        if terminal != BARE:
            punch["type"] = said
        punch.update(fields)
        self.sent.append(Sent(terminal, punch))
        if not fields and self.random.random() < 0.03:
            # Another topic or a catch-up run of the same terminal writes the same second otherwise.
            self.counters[terminal] += 1
            self.sent.append(Sent(terminal, punch | {
                "id": f"{self.counters[terminal]:06d}", "time": self._otherwise(punch["time"])}))

    @staticmethod
    def _otherwise(text):
        at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
        return at.astimezone(datetime.timezone(datetime.timedelta(hours=5, minutes=45))).isoformat()

    def _oddities(self):
        """A clock that lost its battery, one that is far ahead, one that has no zone."""
        first = self.people[0]
        for terminal in TERMINALS:
            for time in ("1970-01-01T00:01:40Z", "2001-09-09T01:46:40Z", "2090-01-01T00:00:00Z",
                         "2001-09-09T01:46:50Z", f"{self.first}T08:00:00"):
                self._tell(terminal, 0, first, IN, time=time)

    def timeless(self):
        """What BARE sends after a power cut, when it does not know the time either."""
        return [Sent(BARE, {"id": f"{n:06d}", "user": f"usr_{n:06d}"}) for n in (1, 7, 8)]

    # ---- in which order it comes

    def messages(self, seed):
        """The whole week in an order of its own: [(terminal, [Sent])]. Arrays of up to 100 and single
        punches, some of them twice."""
        r = random.Random(f"order {seed}")
        todo = list(self.sent)
        r.shuffle(todo)
        if seed % 4 == 1:  # nearly as it happened, and GATE's days two and three come two days late
            todo = sorted(self.sent, key=lambda s: self._told_at(s, r))
        elif seed % 4 == 2:  # the other way round
            todo = sorted(self.sent, key=lambda s: self._told_at(s, r), reverse=True)
        found = []
        while todo:
            size = r.choice((1, 3, 20, 100, 200))
            part, todo = todo[:size], todo[size:]
            if r.random() < 0.2:
                part += r.sample(self.sent, min(10, len(part)))  # sent again, or before their time
            for terminal in r.sample(TERMINALS, 3):
                own = [s for s in part if s.terminal == terminal]
                found += [(terminal, own[i:i + 100]) for i in range(0, len(own), 100)]
        return found

    def _told_at(self, sent, r):
        text = sent.punch["time"]
        if text.endswith("Z") or text[-6] in "+-":
            at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
        else:
            at = datetime.datetime.fromisoformat(text).replace(tzinfo=self.zone)
        day = (at.astimezone(self.zone).date() - self.first).days
        if sent.terminal == GATE and day in (1, 2):
            at += datetime.timedelta(days=2)
        return at.timestamp() + r.randint(0, 600)


def payload(part):
    return json.dumps([s.punch for s in part])
