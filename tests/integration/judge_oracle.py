"""What becomes of punches, reckoned anew from JUDGING.md §1 to §5, §7 and §9: slowly, in the order of
the text, and without a line of the daemon's. It knows nothing of stores, slices and deltas: it is
given all punches that there are, and says what each of them is then.

    judge(taps, rules)                  nothing was frozen before the last arrival
    judge(taps, rules, frozen={…})      some were, with these bodies

What it does not know: the identity's bytes. Where two punches have the same second, their order is
that of `Tap.ident`, for which a test takes the id that the gateway shows.
"""
import calendar
import dataclasses
import datetime
import itertools
import re
import zoneinfo

IN, OUT = "check_in", "check_out"
OPPOSITE = {IN: OUT, OUT: IN}
BEFORE, AFTER = "before", "after"
# §7: of several reasons the first is shown.
REASONS = ("no_time", "before_start", "stale", "future_time", "unknown_device", "inactive_device",
           "unknown_user", "no_direction")
# §8: what a release lifts.
LIFTED = ("stale", "before_start", "future_time", "inactive_device")
DAY = 24 * 3600


@dataclasses.dataclass
class Rules:
    """Settings, lists and links, as they are when all has come.

    terminals: name -> {"serial", "direction", "double_tap"}, each where it is set.
    users: ids -> {"email", "phone"}. devices: serial -> (dev id, status).
    links: (kind, value, device or None) -> user id.
    """
    zone: str = "UTC"
    day_start: int = 4 * 3600
    max_shift: int = 12 * 3600
    direction: str = "alternate"
    double_tap: int = 60
    max_age: int = 90 * DAY
    max_future: int = 300
    accept_from: int | None = None
    terminals: dict = dataclasses.field(default_factory=dict)
    users: dict = dataclasses.field(default_factory=dict)
    devices: dict = dataclasses.field(default_factory=dict)
    links: dict = dataclasses.field(default_factory=dict)

    def terminal(self, name, key, default):
        value = self.terminals.get(name, {}).get(key)
        return default if value is None else value

    def working_day(self, time):
        """§5: the site's zone, turning over at day_start."""
        local = datetime.datetime.fromtimestamp(time, zoneinfo.ZoneInfo(self.zone))
        seconds = local.hour * 3600 + local.minute * 60 + local.second
        return local.date() - datetime.timedelta(days=seconds < self.day_start)


@dataclasses.dataclass(frozen=True)
class Tap:
    """A stored punch. time: UTC seconds, None where it is not known (held as no_time; parked:
    why)."""
    ident: str
    terminal: str
    kind: str
    value: str
    time: int | None
    said: str | None = None
    received: int = 0
    parked: str | None = None


@dataclasses.dataclass(frozen=True)
class Body:
    """What is frozen (§6): it stays whatever comes."""
    user_id: str
    device_id: str
    type: str
    time: int


@dataclasses.dataclass(frozen=True)
class Verdict:
    """state: sent (queued or delivered), held, suppressed or parked. type: what it has or counts
    with; None for a suppressed one, which has none that matters."""
    state: str
    reason: str | None
    user_id: str | None
    device_id: str | None
    type: str | None
    time: int | None

    @property
    def body(self):
        return Body(self.user_id, self.device_id, self.type, self.time)


# ---- §1: what is the same punch again

def normalise(kind, value):
    value = value.strip()
    if kind == "card":
        return re.sub("[-: ]", "", value).upper()
    if kind == "email":
        return value.lower()
    if kind == "phone":
        return ("+" if value.startswith("+") else "") + re.sub("[^0-9]", "", value)
    return value


def kind_of(message):
    return message.get("user_kind") or ("id" if message["user"].startswith("usr_") else "pin")


def same(terminal, message):
    """A key that two messages with a time share exactly where they are one punch."""
    kind = kind_of(message)
    return (terminal, kind, normalise(kind, message["user"]), message["id"],
            message["time"].strip(), message.get("type"))


TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)")


def utc(text):
    """§2: whole seconds, truncated. None for what is no time, or has no offset."""
    m = TIME.fullmatch(text.strip())
    if not m:
        return None
    sign = -1 if m[2][0] == "-" else 1
    offset = 0 if m[2] == "Z" else sign * (int(m[2][1:3]) * 3600 + int(m[2][4:]) * 60)
    return calendar.timegm(datetime.datetime.fromisoformat(m[1]).timetuple()) - offset


def prefix(text):
    """§1: the identity begins with the time as sent, in whole hours, read as if UTC."""
    at = datetime.datetime.fromisoformat(TIME.fullmatch(text.strip())[1])
    return f"{calendar.timegm(at.timetuple()) // 3600 & 0xffffffff:08x}"


def tap_of(ident, terminal, message, received):
    """A message without a time is one whose time is not known yet."""
    kind = kind_of(message)
    if "time" not in message:
        return Tap(ident, terminal, kind, normalise(kind, message["user"]), None, message.get("type"),
                   received)
    time = utc(message["time"])
    return Tap(ident, terminal, kind, normalise(kind, message["user"]), time, message.get("type"),
               received, "bad_time" if time is None else None)


# ---- §3: whose, and where

def person(tap, rules):
    """The user id, None where nobody knows."""
    serial = rules.terminal(tap.terminal, "serial", tap.terminal)
    for device in dict.fromkeys((tap.terminal, serial)):
        if (tap.kind, tap.value, device) in rules.links:
            return rules.links[tap.kind, tap.value, device]
    if tap.kind != "slot" and (tap.kind, tap.value, None) in rules.links:
        return rules.links[tap.kind, tap.value, None]
    if tap.kind == "id":
        return tap.value if tap.value in rules.users else None
    if tap.kind in ("email", "phone"):
        for user_id, user in rules.users.items():
            if normalise(tap.kind, user.get(tap.kind, "")) == tap.value:
                return user_id
    return None


def whose(tap, rules):
    """By whom punches are walked: the resolved user, `kind:value` until resolved. The same slot at
    two terminals is two people."""
    found = person(tap, rules)
    if found is not None:
        return found
    return (tap.kind, tap.value, tap.terminal if tap.kind == "slot" else None)


def device(tap, rules):
    return rules.devices.get(rules.terminal(tap.terminal, "serial", tap.terminal), (None, None))


# ---- §4: double taps

def by_time(taps):
    return sorted((t for t in taps if t.time is not None), key=lambda t: (t.time, t.ident))


def groups(taps, key):
    found = {}
    for tap in taps:
        found.setdefault(key(tap), []).append(tap)
    return found.values()


def suppressed(taps, rules, frozen, released):
    """ident -> where what suppresses it lies, of all double taps. A frozen punch belongs to whom its body names. What a person
    released beside another one suppresses nothing on that one's side, and nothing is measured past
    it."""
    def owner(tap):
        return frozen[tap.ident].user_id if tap.ident in frozen else whose(tap, rules)

    found = {}
    for walk in groups(by_time(taps), lambda t: (owner(t), t.terminal)):
        window = rules.terminal(walk[0].terminal, "double_tap", rules.double_tap)

        def near(a, b):
            return abs(a.time - b.time) <= window and \
                not (a.said and b.said and a.said != b.said)

        def spares(tap, side):
            return side in released.get(tap.ident, ())

        before = None
        for i, tap in enumerate(walk):
            if tap.ident not in frozen and tap.ident not in released:
                after = next((t for t in walk[i + 1:] if t.ident in frozen or spares(t, BEFORE)), None)
                sides = set()
                if before and near(before, tap) and not spares(before, AFTER):
                    sides.add(BEFORE)
                if after and near(tap, after) and not spares(after, BEFORE):
                    sides.add(AFTER)
                if sides:
                    found[tap.ident] = sides
                    continue
            before = tap
    return found


# ---- §5: which way

def directions(taps, rules, frozen):
    """ident -> type (None: nobody says), of taps that are neither suppressed nor discarded; and the
    idents of those that would repeat a frozen one."""
    types, repeats = {}, set()

    def owner(tap):
        return frozen[tap.ident].user_id if tap.ident in frozen else whose(tap, rules)

    def policy(tap):
        return rules.terminal(tap.terminal, "direction", rules.direction)

    for walk in groups(by_time(taps), owner):
        # Those without a type are passed over.
        walk_typed = [t for t in walk
                      if t.ident in frozen or t.said or policy(t) != "hold"]
        for tap in walk:
            if tap not in walk_typed:
                types[tap.ident] = None
        for i, tap in enumerate(walk_typed):
            if tap.ident in frozen:
                types[tap.ident] = frozen[tap.ident].type
            elif tap.said:
                types[tap.ident] = tap.said
            elif policy(tap) != "alternate":
                types[tap.ident] = policy(tap)
            else:
                types[tap.ident] = alternate(walk_typed[:i], tap, types, rules)
                later = walk_typed[i + 1] if i + 1 < len(walk_typed) else None
                if later and later.ident in frozen and \
                        rules.working_day(later.time) == rules.working_day(tap.time) and \
                        frozen[later.ident].type == types[tap.ident]:
                    repeats.add(tap.ident)
    return types, repeats


def alternate(earlier, tap, types, rules):
    today = [t for t in earlier if rules.working_day(t.time) == rules.working_day(tap.time)]
    young = [t for t in earlier if tap.time - t.time <= rules.max_shift]
    for found in (today, young):
        if found:
            return OPPOSITE[types[found[-1].ident]]
    return IN


# ---- §7: all of it

def judge(taps, rules, now=None, frozen=None, released=None):
    """ident -> Verdict of each. now: where something may lie in the future. released: ident ->
    where the one lay that had suppressed it: BEFORE, AFTER, both or none of them."""
    frozen, released = frozen or {}, released or {}
    gone = suppressed(taps, rules, frozen, released)
    types, repeats = directions([t for t in taps if t.ident not in gone], rules, frozen)
    return {t.ident: verdict(t, rules, now, frozen, released, gone, types, repeats) for t in taps}


def verdict(tap, rules, now, frozen, released, gone, types, repeats):
    if tap.ident in frozen:
        b = frozen[tap.ident]
        return Verdict("sent", None, b.user_id, b.device_id, b.type, b.time)
    user_id, (device_id, status) = person(tap, rules), device(tap, rules)
    if tap.parked:
        return Verdict("parked", tap.parked, user_id, device_id, None, None)
    if tap.ident in gone:
        return Verdict("suppressed", "double_tap", user_id, device_id, None, tap.time)
    type_ = types.get(tap.ident)
    holds = {
        "no_time": tap.time is None,
        "before_start": tap.time is not None and rules.accept_from is not None and
        tap.time < rules.accept_from,
        "stale": tap.time is not None and tap.received - tap.time > rules.max_age,
        # What was too far ahead when it came waits for a person, and so for ever.
        "future_time": tap.time is not None and now is not None and
        (tap.time > now + rules.max_future or tap.time - tap.received > DAY),
        "unknown_device": device_id is None,
        "inactive_device": device_id is not None and status != "active",
        "unknown_user": user_id is None,
        "no_direction": tap.time is not None and (type_ is None or tap.ident in repeats),
    }
    for reason in REASONS:
        if holds[reason] and not (tap.ident in released and reason in LIFTED):
            return Verdict("held", reason, user_id, device_id, type_, tap.time)
    return Verdict("sent", None, user_id, device_id, type_, tap.time)


# ---- with the cloud there

class Following:
    """It is told what comes, what becomes known (rules), and when all that may go has gone."""

    def __init__(self, rules, now=None):
        self.rules, self.now = rules, now
        self.taps, self.frozen, self.released = [], {}, {}

    def come(self, taps):
        self.taps += taps

    def freeze_all(self):
        """The queue was drained before anything else came."""
        self.frozen |= {i: v.body for i, v in self.verdicts().items() if v.state == "sent"}

    def doubles(self):
        return suppressed(self.taps, self.rules, self.frozen, self.released)

    def release(self, ident):
        """A person lets a double tap go."""
        self.released[ident] = self.doubles()[ident]

    def verdicts(self):
        return judge(self.taps, self.rules, now=self.now, frozen=self.frozen,
                     released=self.released)


def could_be(ident, body, arrivals, rules, frozen=None, others=(), now=None, released=None):
    """Whether there was a moment at which this body was right: after one of the arrivals from the
    punch's own on. arrivals: taps in order of arrival, of this person at least. frozen: what was
    fixed before any of that. others: [(ident, body)] of those that may have been, in the cloud's
    order: so many of the first as it takes. released: in the order in which they were, the same."""
    first = next(i for i, tap in enumerate(arrivals) if tap.ident == ident)
    rest = [(i, b) for i, b in others if i != ident]
    free = list((released or {}).items())
    for end, count, freed in itertools.product(
            range(first + 1, len(arrivals) + 1), range(len(rest) + 1), range(len(free) + 1)):
        there = {tap.ident for tap in arrivals[:end]}
        fixed = {i: b for i, b in (frozen or {}).items() if i in there} | dict(rest[:count])
        if fixed.keys() <= there:
            found = judge(arrivals[:end], rules, now, fixed, dict(free[:freed]))[ident]
            if found.state == "sent" and found.body == body:
                return True
    return False
