"""The oracle itself, by cases worked out by hand from JUDGING.md. No program runs here."""
import calendar
import datetime

import pytest

from judge_oracle import (AFTER, BEFORE, IN, OUT, Body, Following, Rules, Tap, could_be, judge, person,
                          prefix, same, utc)

NOON = utc("2026-03-24T12:00:00Z")
USERS = {f"usr_{n}": {"email": f"u{n}@example.org", "phone": f"+49 30 {n}"} for n in range(1, 4)}
DEVICES = {"A": ("dev_1", "active"), "B": ("dev_2", "active"), "OFF": ("dev_3", "inactive")}


def rules(**fields):
    return Rules(**{"users": USERS, "devices": DEVICES} | fields)


def tap(ident, at, said=None, terminal="A", user="usr_1", kind="id", **fields):
    """at: seconds after noon, or a whole time."""
    time = at if at is None or at > 10 ** 6 else NOON + at
    return Tap(ident, terminal, kind, user, time, said, fields.pop("received", NOON + 86400), **fields)


def told(taps, r=None, **more):
    """Each in short: its type where it goes, else why not."""
    found = judge(taps, r or rules(), **more)
    return [v.type if v.state == "sent" else v.reason for v in (found[t.ident] for t in taps)]


def at(text):
    return utc(text)


# ---- §1, §2

@pytest.mark.parametrize("text, wanted", [
    ("2026-03-24T12:00:00Z", NOON), ("2026-03-24T13:00:00+01:00", NOON),
    ("2026-03-24T06:30:00-05:30", NOON), (" 2026-03-24T12:00:00.999Z ", NOON),
    ("2026-03-24T12:00:00", None), ("yesterday", None)])
def test_times(text, wanted):
    assert utc(text) == wanted


def test_prefix_is_the_hour_as_it_stands():
    assert prefix("2026-03-24T12:59:59+09:00") == f"{NOON // 3600:08x}"


@pytest.mark.parametrize("other, is_same", [
    ({}, True), ({"time": " 2026-03-24T12:00:00Z"}, True), ({"user": " 04a2b3"}, True),
    ({"user": "04:A2-B3"}, True), ({"time": "2026-03-24T13:00:00+01:00"}, False),
    ({"id": "2"}, False), ({"type": IN}, False), ({"user_kind": "pin"}, False)])
def test_the_same_again(other, is_same):
    one = {"id": "1", "user": "04A2B3", "user_kind": "card", "time": "2026-03-24T12:00:00Z"}
    assert (same("A", one) == same("A", one | other)) is is_same
    assert same("A", one) != same("B", one)


# ---- §3

@pytest.mark.parametrize("kind, value, terminal, wanted", [
    ("id", "usr_1", "A", "usr_1"), ("id", "usr_9", "A", None), ("pin", "7", "A", "usr_2"),
    ("pin", "7", "B", "usr_3"), ("slot", "7", "A", None), ("slot", "7", "B", "usr_1"),
    ("email", "u2@example.org", "A", "usr_2"), ("phone", "+49303", "A", "usr_3"),
    ("card", "7", "A", None)])
def test_who_is_meant(kind, value, terminal, wanted):
    r = rules(links={("pin", "7", None): "usr_2", ("pin", "7", "B"): "usr_3",
                     ("slot", "7", "B"): "usr_1", ("slot", "7", None): "usr_2"})
    assert person(tap("a", 0, terminal=terminal, user=value, kind=kind), r) == wanted


# ---- §4

@pytest.mark.parametrize("taps, wanted", [
    # Within the window, its end included, and just outside.
    ([tap("a", 0, IN), tap("b", 60, IN)], [IN, "double_tap"]),
    ([tap("a", 0, IN), tap("b", 61, IN)], [IN, IN]),
    # A chain is measured from the last counted one.
    ([tap("a", 0, IN), tap("b", 40, IN), tap("c", 80, IN), tap("d", 120, IN)],
     [IN, "double_tap", IN, "double_tap"]),
    # The order of arrival is nothing.
    ([tap("d", 120, IN), tap("c", 80, IN), tap("b", 40, IN), tap("a", 0, IN)],
     ["double_tap", IN, "double_tap", IN]),
    # Opposites that the terminal stated; one that it did not state is none.
    ([tap("a", 0, IN), tap("b", 10, OUT), tap("c", 20, IN)], [IN, OUT, IN]),
    ([tap("a", 0, IN), tap("b", 10)], [IN, "double_tap"]),
    # Another user, another terminal.
    ([tap("a", 0, IN), tap("b", 10, IN, user="usr_2"), tap("c", 20, IN, terminal="B")], [IN, IN, IN]),
    # The same second: the lesser identity counts.
    ([tap("b", 0, IN), tap("a", 0, IN)], ["double_tap", IN]),
    # Held ones count, those without a time do not.
    ([tap("a", 0, IN, user="x", kind="pin"), tap("b", 9, IN, user="x", kind="pin")],
     ["unknown_user", "double_tap"]),
    ([tap("a", None, IN), tap("b", 9, IN)], ["no_time", IN]),
    ([tap("a", None, IN, parked="bad_time"), tap("b", 9, IN)], ["bad_time", IN])])
def test_double_taps(taps, wanted):
    assert told(taps) == wanted


def test_no_window_but_for_the_same_second():
    off = rules(double_tap=0)
    assert told([tap("a", 0, IN), tap("b", 0, IN), tap("c", 1, IN)], off) == [IN, "double_tap", IN]
    assert told([tap("a", 0, IN), tap("b", 0, OUT)], off) == [IN, OUT]


def test_the_terminals_window_goes_first():
    r = rules(terminals={"A": {"double_tap": 300}, "B": {"double_tap": 0}})
    assert told([tap("a", 0, IN), tap("b", 300, IN)], r) == [IN, "double_tap"]
    assert told([tap("a", 0, IN, "B"), tap("b", 30, IN, "B")], r) == [IN, IN]


def test_two_names_of_one_person():
    taps = [tap("a", 0, IN), tap("b", 30, IN, user="7", kind="pin")]
    assert told(taps) == [IN, "unknown_user"]
    assert told(taps, rules(links={("pin", "7", None): "usr_1"})) == [IN, "double_tap"]


def test_frozen_ones_suppress_in_both_directions():
    frozen = {"b": Body("usr_1", "dev_1", IN, NOON + 60)}
    taps = [tap("a", 0, IN), tap("b", 60, IN), tap("c", 120, IN)]
    assert told(taps, frozen=frozen) == ["double_tap", IN, "double_tap"]
    assert told([tap("a", 0, OUT)] + taps[1:], frozen=frozen) == [OUT, IN, "double_tap"]
    # Nothing comes between frozen ones.
    both = {i: Body("usr_1", "dev_1", IN, NOON + s) for i, s in (("a", 0), ("b", 60))}
    assert told(taps, frozen=both) == [IN, IN, "double_tap"]


def test_a_released_one_counts():
    assert told([tap("a", 0, IN), tap("b", 30, IN), tap("c", 80, IN)], released={"b": {BEFORE}}) == [
        IN, IN, "double_tap"]


@pytest.mark.parametrize("beside, wanted", [
    ((), ["double_tap", IN, "double_tap"]), ({BEFORE}, [IN, IN, "double_tap"]),
    ({AFTER}, ["double_tap", IN, IN]), ({BEFORE, AFTER}, [IN, IN, IN])])
def test_a_released_one_takes_nothing_away(beside, wanted):
    taps = [tap("a", 0, IN), tap("b", 30, IN), tap("c", 80, IN)]
    frozen = {"b": Body("usr_1", "dev_1", IN, NOON + 30)}
    assert told(taps, frozen=frozen, released={"b": beside}) == wanted
    # It stands between, whether it has gone or not.
    far = {"c": Body("usr_1", "dev_1", OUT, NOON + 50)}
    taps = [tap("a", 0), tap("b", 30, IN), tap("c", 50, OUT)]
    assert told(taps, frozen=far, released={"b": beside})[0] == (
        IN if BEFORE in beside else "double_tap")


# ---- §5

def alternating(*seconds, **fields):
    return [tap(f"{i:02d}", s, **fields) for i, s in enumerate(seconds)]


def test_in_and_out_by_turns():
    assert told(alternating(0, 600, 1200)) == [IN, OUT, IN]
    assert told(alternating(0, 600, 1200)[::-1]) == [IN, OUT, IN]


@pytest.mark.parametrize("taps, wanted", [
    # Another terminal, a stated type, a held one and one of a stranger's device count.
    ([tap("a", 0, terminal="B"), tap("b", 600)], [IN, OUT]),
    ([tap("a", 0, OUT), tap("b", 600)], [OUT, IN]),
    ([tap("a", 0, terminal="NEW"), tap("b", 600)], ["unknown_device", OUT]),
    ([tap("a", 0, user="x", kind="pin"), tap("b", 600, user="x", kind="pin"), tap("c", 700)],
     ["unknown_user", "unknown_user", IN]),
    # Suppressed ones do not.
    ([tap("a", 0), tap("b", 30), tap("c", 600)], [IN, "double_tap", OUT])])
def test_what_counts_as_a_tap(taps, wanted):
    assert told(taps) == wanted


BERLIN = {"zone": "Europe/Berlin"}


@pytest.mark.parametrize("times, wanted", [
    # 03:59 in Berlin is the day before, 04:00 is not; the shift's length is what then decides.
    (["2026-03-24T22:00:00+01:00", "2026-03-25T03:59:00+01:00"], [IN, OUT]),
    (["2026-03-24T22:00:00+01:00", "2026-03-25T06:00:00+01:00"], [IN, OUT]),
    (["2026-03-24T08:00:00+01:00", "2026-03-24T23:00:00+01:00"], [IN, OUT]),
    # A forgotten check-out: the next day begins anew.
    (["2026-03-24T08:00:00+01:00", "2026-03-25T08:00:00+01:00"], [IN, IN]),
    (["2026-03-24T08:00:00+01:00", "2026-03-25T03:00:00+01:00"], [IN, OUT]),
    # The shift is measured on the clock's face no more than in fact: 23:00 to 12:00 over the change.
    (["2026-03-28T23:00:00+01:00", "2026-03-29T12:00:00+02:00"], [IN, OUT]),
    (["2026-03-28T23:00:00+01:00", "2026-03-29T13:00:00+02:00"], [IN, IN]),
    (["2026-10-24T23:00:00+02:00", "2026-10-25T11:00:00+01:00"], [IN, IN]),
    # A check-out of the same night is followed by a check-in.
    (["2026-03-24T22:00:00+01:00", "2026-03-25T06:00:00+01:00", "2026-03-25T06:30:00+01:00",
      "2026-03-25T22:00:00+01:00"], [IN, OUT, IN, OUT])])
def test_working_days(times, wanted):
    assert told(alternating(*map(at, times), received=at("2026-11-01T00:00:00Z")),
                rules(max_age=10 ** 9, **BERLIN)) == wanted


def test_a_working_day_by_the_sites_clock():
    r = rules(zone="Europe/Berlin")
    day = datetime.date
    assert [r.working_day(at(t)) for t in (
        "2026-03-29T01:59:59Z", "2026-03-29T02:00:00Z", "2026-10-25T02:59:59Z",
        "2026-10-25T03:00:00Z")] == [day(2026, 3, 28), day(2026, 3, 29), day(2026, 10, 24),
                                     day(2026, 10, 25)]
    assert calendar.timegm(day(2026, 3, 29).timetuple()) == at("2026-03-29T00:00:00Z")


@pytest.mark.parametrize("direction, wanted", [
    ("check_in", [IN, IN, IN]), ("check_out", [OUT, OUT, OUT]),
    ("hold", ["no_direction"] * 3), ("alternate", [IN, OUT, IN])])
def test_settings_of_direction(direction, wanted):
    taps = alternating(0, 600, 1200)
    assert told(taps, rules(direction=direction)) == wanted
    assert told(taps, rules(terminals={"A": {"direction": direction}}, direction="hold")) == wanted


def test_one_without_a_type_is_passed_over():
    taps = [tap("a", 0), tap("b", 600, terminal="B"), tap("c", 1200)]
    assert told(taps, rules(terminals={"B": {"direction": "hold"}})) == [IN, "no_direction", OUT]


def test_no_direction_beside_a_frozen_one():
    """It came late, and what stands behind it has gone as what it would be."""
    frozen = {"b": Body("usr_1", "dev_1", IN, NOON + 600)}
    assert told(alternating(0), frozen={}) == [IN]
    taps = [tap("a", 0), tap("b", 600), tap("c", 1200)]
    assert told(taps, frozen=frozen) == ["no_direction", IN, OUT]
    # It counts with that type: one between the two is the opposite.
    assert told([tap("a", 0), tap("a2", 300)] + taps[1:], frozen=frozen) == [IN, OUT, IN, OUT]
    # Stated by the terminal it may repeat; on another day as well.
    assert told([tap("a", 0, IN)] + taps[1:], frozen=frozen) == [IN, IN, OUT]
    frozen = {"b": Body("usr_1", "dev_1", IN, NOON + 86400)}
    assert told([tap("a", 0), tap("b", 86400)], frozen=frozen) == [IN, IN]


# ---- §7

@pytest.mark.parametrize("one, wanted", [
    (tap("a", 0, IN, "OFF"), "inactive_device"), (tap("a", 0, IN, "NEW", "x", "pin"), "unknown_device"),
    (tap("a", 0, None, "A", "x", "pin"), "unknown_user"),
    (tap("a", -91 * 86400, IN, "NEW"), "stale"), (tap("a", -10 ** 9, IN, "NEW"), "before_start"),
    (tap("a", 86400 + 301, IN, "NEW"), "future_time"), (tap("a", 86400 + 300, IN), IN)])
def test_the_first_reason_is_shown(one, wanted):
    r = rules(accept_from=at("2000-01-01T00:00:00Z"), direction="hold")
    assert told([one], r, now=NOON + 86400) == [wanted]


@pytest.mark.parametrize("ahead, then, wanted", [
    (301, 0, "future_time"), (301, 1, IN), (86400, 86100, IN), (86401, 86401, "future_time")])
def test_future_times_are_released_when_due(ahead, then, wanted):
    assert told([tap("a", ahead, IN, received=NOON)], now=NOON + then) == [wanted]


# ---- with the cloud there

def test_following():
    there = Following(rules())
    there.come([tap("b", 600)])
    there.freeze_all()
    there.come([tap("a", 0), tap("c", 1200)])
    there.freeze_all()
    found = there.verdicts()
    assert [(found[i].state, found[i].type) for i in "abc"] == [("held", IN), ("sent", IN),
                                                               ("sent", OUT)]


def test_could_be():
    b, a = tap("b", 600), tap("a", 0)
    for type_, wanted in ((IN, True), (OUT, True)):
        assert could_be("b", Body("usr_1", "dev_1", type_, b.time), [b, a], rules()) is wanted
        assert could_be("b", Body("usr_1", "dev_1", type_, b.time), [a, b], rules()) is (type_ == OUT)
    assert not could_be("b", Body("usr_2", "dev_1", IN, b.time), [b, a], rules())
