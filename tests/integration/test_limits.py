"""Where a double tap, a working day and a shift end, to the second, and what stands beside what has
gone: by cases worked out by hand from JUDGING.md §4 and §5, each a person's own."""
import pytest

from judge_oracle import IN, OUT, utc
from line import rfc3339
from place import Place

DOUBLE, NONE, NO_WAY = "double_tap", None, "no_direction"
# A Tuesday; the clocks went forward the Sunday before, and go back on 26 October.
DAY, SPRING, AUTUMN = "2025-04-01", "2025-03-30", "2025-10-26"


def at(time, day=DAY):
    """The site's wall clock, Berlin in summer."""
    return utc(f"{day}T{time}+02:00")


def later(seconds, time="12:00:00"):
    return at(time) + seconds


# name: ([(time, type that the terminal states)] that have gone, the same that come then, and what
# becomes of each of these: its type where it goes, else why not)
CASES = {
    "the window's end": ([], [(later(0), IN), (later(60), IN)], [IN, DOUBLE]),
    "past the window": ([], [(later(0), IN), (later(61), IN)], [IN, IN]),
    "a chain": ([], [(later(s), IN) for s in (0, 40, 80, 120, 141)], [IN, DOUBLE, IN, DOUBLE, IN]),
    "a chain, backwards": ([], [(later(s), IN) for s in (141, 120, 80, 40, 0)],
                           [IN, DOUBLE, IN, DOUBLE, IN]),
    "stated opposites": ([], [(later(0), IN), (later(5), OUT), (later(9), IN)], [IN, OUT, IN]),
    "one states nothing": ([], [(later(0), IN), (later(5), NONE)], [IN, DOUBLE]),
    "by turns": ([], [(later(s), NONE) for s in (1200, 0, 600)], [IN, IN, OUT]),
    "a second before the turn": ([], [(at("03:59:58"), NONE), (at("03:59:59") + 60, NONE),
                                      (at("15:00:00", "2025-03-31"), NONE)], [OUT, IN, IN]),
    "same day beyond a shift": ([], [(at("04:00:00"), NONE), (at("23:00:00"), NONE)], [IN, OUT]),
    "the turn itself": ([], [(at("03:59:59"), IN), (at("23:00:00"), NONE)], [IN, IN]),
    "a shift to the second": ([], [(at("20:00:00", "2025-03-31"), NONE), (at("08:00:00"), NONE)],
                              [IN, OUT]),
    "a second over a shift": ([], [(at("20:00:00", "2025-03-31"), NONE), (at("08:00:01"), NONE)],
                              [IN, IN]),
    "a night of eleven hours": ([], [(at("21:00:00", "2025-03-29") + 3600, IN),
                                     (at("10:00:00", SPRING), NONE)], [IN, OUT]),
    "a spring night of a shift": ([], [(at("22:00:00", "2025-03-29"), NONE),
                                       (at("10:00:00", SPRING), NONE)], [IN, OUT]),
    "an autumn night too long": ([], [(at("22:00:00", "2025-10-25"), NONE),
                                      (at("10:00:01", AUTUMN), NONE)], [IN, IN]),
    "beside one that went": ([(later(60), IN)], [(later(0), IN), (later(120), IN), (later(121), IN)],
                             [DOUBLE, DOUBLE, IN]),
    "an opposite of one that went": ([(later(60), IN)], [(later(0), OUT)], [OUT]),
    "one that went begins the day": ([(later(600), NONE)], [(later(0), NONE)], [NO_WAY]),
    "two before it": ([(later(600), NONE)], [(later(0), NONE), (later(300), NONE)], [IN, OUT]),
    "one before it, and one behind": ([(later(600), NONE)], [(later(0), NONE), (later(900), NONE)],
                                      [NO_WAY, OUT]),
    "stated before it": ([(later(600), NONE)], [(later(0), IN)], [IN]),
    "of another day": ([(at("12:00:00", "2025-04-02"), NONE)], [(later(0), NONE)], [IN]),
    "a second before its day": ([(at("04:00:00"), NONE)], [(at("03:59:59") - 60, NONE)], [IN]),
    "the first second of its day": ([(at("12:00:00"), NONE)], [(at("04:00:00"), NONE)], [NO_WAY]),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """case: what became of what came then."""
    settings = {"site.time_zone": "Europe/Berlin", "punches.max_age": "3650d"}
    with Place(tmp_path_factory.mktemp("limits"), users=len(CASES), settings=settings) as place:
        people = {case: f"usr_{n:06d}" for n, case in enumerate(CASES, 1)}

        def come(part):
            punches = [{"id": f"{part}{i}", "user": people[case], "time": rfc3339(time)} |
                       ({"type": said} if said else {})
                       for case, row in CASES.items() for i, (time, said) in enumerate(row[part])]
            for i in range(0, len(punches), 100):
                place.hand.send(punches[i:i + 100])
            place.gateway.wait_status(lambda s: s["counts"]["received"] >= len(punches), "all came")
            return len(punches)

        place.gateway.wait_delivered(come(0))
        place.cloud.stop()
        came = come(1)
        place.gateway.wait_status(lambda s: s["counts"]["stored"] > came, "all is judged")
        shown = {(p["user"]["user_id"], p["record_id"]): p["reason"] or p["type"]
                 for p in place.gateway.punches()}
        yield {case: [shown[people[case], f"1{i}"] for i in range(len(row[1]))]
               for case, row in CASES.items()}


@pytest.mark.parametrize("case", CASES)
def test_a_limit(found, case):
    assert found[case] == CASES[case][2]
