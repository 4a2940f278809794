"""Malformed and odd messages through broker and daemon: each with its exact outcome, and no neighbour
harmed.

Each case says what it sends and what becomes of it, record by record; a plain punch behind it shows
that all of it was taken. The message's own terminal tells its punches from others'.
"""
import base64
import dataclasses
import itertools
import json

import pytest

from conftest import ROOT
from gateway import adds_up
from line import Hand, morning, rfc3339, unix
from place import Place
from waiting import wait_for

SAMPLES = ROOT / "tests/data/native"
TIME = rfc3339(morning())


def later(seconds):
    return rfc3339(morning() + seconds)


NO_ID = "id is no text of 1 to 64 characters"
NO_USER = "user is no text of 1 to 128 characters"
NO_KIND = "user_kind is none of id, pin, card, slot, email, phone"
NO_TYPE = "type is neither check_in nor check_out"
NO_TIME = "time is no text of 1 to 64 characters"
NO_OFFSET = "time without an offset from UTC"
NO_RFC3339 = "time is no RFC 3339 time"
NO_SERIAL = "the topic's serial is no name of 1 to 64 bytes"


@dataclasses.dataclass
class Is:
    """What becomes of a record. ack: the id that is acknowledged, None: none is."""
    state: str
    reason: str = None
    error: str = None
    ack: str = "1"
    raw: object = None  # of a malformed one; None: the message as it was sent
    id: str = None  # of a malformed one that gets no ack for it
    same: bool = False  # it is there already


def queued(ack="1"):
    return Is("queued", ack=ack)


def held(reason, ack="1"):
    return Is("held", reason, ack=ack)


def malformed(error, ack=None, raw=None, id=None):
    return Is("parked", "malformed", error, ack, raw, id)


def bad_time(error, ack="1"):
    return Is("parked", "bad_time", error, ack)


def same(ack="1"):
    return Is(None, ack=ack, same=True)


def record(**changes):
    """A good record, with fields changed, or taken away by None."""
    fields = {"id": "1", "user": "usr_000001", "time": TIME, "type": "check_in"} | changes
    return {k: v for k, v in fields.items() if v is not None}


def text(**changes):
    return json.dumps(record(**changes))


GOOD = text(id="good")
RAW_NULL = text().replace('"check_in"', "null")
NESTED_32 = text()[:-1] + ',"x":' + "[" * 31 + "]" * 31 + "}"
NESTED_33 = text()[:-1] + ',"x":' + "[" * 32 + "]" * 32 + "}"
TWICE = text()[:-1] + ',"id":"2"}'
LONG = text(x=" " * 3900)
PICTURE = text(user=7)[:-1] + ',"pic":"' + base64.b64encode(b"\xff\xd8picture" * 4000).decode() + '"}'

# name: (payload, outcomes)
CASES = {
    # ---- no JSON
    "no JSON": ("nonsense", [malformed("not JSON")]),
    "blanks": ("  \n ", [malformed("not JSON")]),
    "cut off": (text()[:-1], [malformed("not JSON")]),
    "something behind it": (text() + " x", [malformed("not JSON")]),
    "two objects": (text() + text(id="2"), [malformed("not JSON")]),
    "single quotes": (text().replace('"', "'"), [malformed("not JSON")]),
    "a comma too many": (text()[:-1] + ",}", [malformed("not JSON")]),
    "a byte-order mark": (b"\xef\xbb\xbf" + text().encode(), [malformed("not JSON")]),
    "UTF-16": (text().encode("utf-16"), [malformed("not UTF-8")]),
    "Latin-1": (text(name="Müller").encode().replace(b"\\u00fc", b"\xfc"),
                [malformed("not UTF-8")]),
    "an overlong byte": (text(name="#").encode().replace(b"#", b"\xc0\xaf"),
                         [malformed("not UTF-8")]),
    "a surrogate in UTF-8": (text(name="#").encode().replace(b"#", b"\xed\xa0\x80"),
                             [malformed("not UTF-8")]),
    "a lone surrogate": (text(name="\ud800"), [malformed("not JSON")]),
    "a NUL byte in it": (text().encode().replace(b"check", b"che\0k"), [malformed("not JSON")]),
    "NUL bytes behind it": (text().encode() + b"\0\0", [malformed("not JSON")]),
    "a newline in a text": (text(name="#").replace("#", "\n"), [malformed("not JSON")]),
    "a number too large": (text()[:-1] + ',"x":1e999}', [malformed("a number that is too large")]),
    # ---- no object
    "a number": ("1001", [malformed("neither an object nor an array")]),
    "a text": ('"punch"', [malformed("neither an object nor an array")]),
    "null": ("null", [malformed("neither an object nor an array")]),
    "an empty object": ("{}", [malformed("no id")]),
    "an empty array": ("[]", [malformed("an empty array")]),
    # ---- caps
    "64 KiB": (LONG + " " * (65536 - len(LONG)), [queued()]),
    "64 KiB and a byte": (LONG + " " * (65537 - len(LONG)),
                          [Is("parked", "too_large", "more than 64 KiB", None)]),
    "4 MiB": ("x " * (2 << 20), [Is("parked", "too_large", "more than 64 KiB", None)]),
    "32 levels": (NESTED_32, [queued()]),
    "33 levels": (NESTED_33, [malformed("nested deeper than 32 levels")]),
    "30,000 levels": ("[" * 30000 + "]" * 30000, [malformed(
        "nested deeper than 32 levels", raw="[" * 4096)]),
    "101 records": (json.dumps([record(id=str(i)) for i in range(101)]),
                    [malformed("an array of more than 100")]),
    "a key twice": (TWICE, [malformed("a key twice")]),
    "a key twice, deep in it": (text()[:-1] + ',"x":[{"a":1,"a":2}]}', [malformed("a key twice")]),
    # ---- id
    "no id": (text(id=None), [malformed("no id")]),
    "an empty id": (text(id=""), [malformed(NO_ID)]),
    "id a number": (text(id=123), [malformed(NO_ID)]),
    "id null": (text().replace('"1"', "null", 1), [malformed(NO_ID)]),
    "id with a NUL": (text(id="a\0b"), [malformed(NO_ID)]),
    "id of 64 characters": (text(id="ä" * 64), [queued("ä" * 64)]),
    "id of 65 characters": (text(id="ä" * 65), [malformed(NO_ID)]),
    "id of odd characters": (text(id='"\\\n/😀'), [queued('"\\\n/😀')]),
    # ---- user
    "no user": (text(user=None), [malformed("no user", "1")]),
    "an empty user": (text(user=""), [malformed(NO_USER, "1")]),
    "user a number": (text()[:-1].replace('"usr_000001"', "18446744073709551615") + "}",
                      [malformed(NO_USER, "1")]),
    "user an object": (text(user={"id": "usr_000001"}), [malformed(NO_USER, "1")]),
    "user of blanks": (text(user="  "), [malformed("user is blank", "1")]),
    "user of 128 characters": (text(user="ä" * 128), [held("unknown_user")]),
    "user of 129 characters": (text(user="ä" * 129), [malformed(NO_USER, "1")]),
    "an unknown user": (text(user="usr_999999"), [held("unknown_user")]),
    "a PIN": (text(user="1001"), [held("unknown_user")]),
    "a card": (text(user="04:a1:b2", user_kind="card"), [held("unknown_user")]),
    "an unknown kind": (text(user_kind="face"), [malformed(NO_KIND, "1")]),
    "a kind that is a number": (text(user_kind=1), [malformed(NO_KIND, "1")]),
    "a card of blanks": (text(user=":-", user_kind="card"), [malformed("user is blank", "1")]),
    # ---- type and the rest
    "another type": (text(type="break_out"), [malformed(NO_TYPE, "1")]),
    "type a number": (text(type=1), [malformed(NO_TYPE, "1")]),
    "type null": (RAW_NULL, [malformed(NO_TYPE, "1")]),
    "no type": (text(type=None), [queued()]),
    "live a text": (text(live="yes"), [malformed("live is neither true nor false", "1")]),
    "method an array": (text(method=[]), [malformed("method is no short text", "1")]),
    "unknown fields": (text(x={"y": [1, None]}, Type=5)[:-1] + ',"n":' + "9" * 400 + "}",
                       [malformed("a number that is too large")]),
    "unknown fields that fit": (text(x={"y": [1, None]}, Type=5)[:-1] + ',"n":' + "9" * 300 + "}",
                                [queued()]),
    # ---- time
    "time without an offset": (text(time=TIME[:-1]), [bad_time(NO_OFFSET)]),
    "time with a blank": (text(time=TIME.replace("T", " ")), [queued()]),
    "time in words": (text(time="yesterday"), [bad_time(NO_RFC3339)]),
    "a day that is none": (text(time="2026-02-30T08:00:00Z"), [bad_time(NO_RFC3339)]),
    "time in seconds": (text(time="1769925600"), [bad_time(NO_RFC3339)]),
    "time a number": (text(time=1769925600), [malformed(NO_TIME, "1")]),
    "an empty time": (text(time=""), [malformed(NO_TIME, "1")]),
    "time of blanks": (text(time=" "), [malformed("time is blank", "1")]),
    "a time long ago": (text(time="1970-01-01T00:00:00Z"), [held("stale")]),
    "the first year": (text(time="0000-01-01T23:59:00+23:59"), [held("stale")]),
    "the last year": (text(time="9999-12-31T00:00:59-23:59"), [held("future_time")]),
    "before the first year in UTC": (text(time="0000-01-01T00:00:00+23:59"), [bad_time(NO_RFC3339)]),
    "after the last year in UTC": (text(time="9999-12-31T23:59:59-23:59"), [bad_time(NO_RFC3339)]),
    # ---- arrays
    "bad among good": (
        "[" + ",".join([GOOD, "5", text(id=7), text(id="3", user=None), text(id="4", user="usr_000002")]) + "]",
        [queued("good"), malformed("not an object", raw="5"),
         malformed(NO_ID, raw=text(id=7)), malformed("no user", "3", raw=text(id="3", user=None)),
         queued("4")]),
    "no JSON among good": (
        f'[{GOOD}, nonsense,, {TWICE} ,{text(id="5", user="usr_000002")}]',
        [queued("good"), malformed("not JSON", raw="nonsense"), malformed("not JSON", raw=""),
         malformed("a key twice", raw=TWICE), queued("5")]),
    "Latin-1 among good": (
        b"[" + GOOD.encode() + b',{"name":"M\xfcller"},' + text(id="6", user="usr_000002").encode() + b"]",
        [queued("good"), malformed("not UTF-8", raw=b'{"name":"M\xfcller"}'), queued("6")]),
    "too deep among good": (f"[{GOOD},{NESTED_33}]",
                            [queued("good"), malformed("nested deeper than 32 levels",
                                                       raw=NESTED_33)]),
    "an array in an array": (f"[[{text()}],{GOOD}]",
                             [malformed("not an object", raw=f"[{text()}]"), queued("good")]),
    "bad times among good": (
        json.dumps([record(id="1", time=TIME[:-1]), record(id="2", time="9999-12-31T00:00:00Z"),
                    record(id="3")]),
        [bad_time(NO_OFFSET), held("future_time", "2"), queued("3")]),
    "a record twice": (f"[{GOOD},{GOOD}]", [queued("good"), same("good")]),
    "an id twice": (json.dumps([record(id="1"), record(id="1", type="check_out"),
                                record(id="1", user="usr_000002")]),
                    [queued(), queued(), queued()]),
    "100 records": (json.dumps([record(id=str(i), time=later(i * 120)) for i in range(100)]),
                    [queued(str(i)) for i in range(100)]),
    # ---- what is kept of it
    "a picture in it": (PICTURE, [malformed(NO_USER, raw=text(user=7)[:-1] + ',"pic":""}', id="1")]),
    "more than 4 KiB": (text(user=7, x=". " * 3000), [malformed(NO_USER, raw=text(
        user=7, x=". " * 3000)[:4096], id="1")]),
    "4 KiB": (text(user=7, x=". " * 1900), [malformed(NO_USER, "1")]),
}
TOPICS = {
    "an empty serial": ("att/v1//punch", [malformed(NO_SERIAL)]),
    "a serial of 64 bytes": (f"att/v1/{'s' * 64}/punch", [held("unknown_device")]),
    "a serial of 65 bytes": (f"att/v1/{'s' * 65}/punch", [malformed(NO_SERIAL)]),
    "a serial with a dollar": ("att/v1/$x/punch", [malformed(NO_SERIAL)]),
    "a serial in Greek": ("att/v1/Πύλη 1/punch", [held("unknown_device")]),
    "a level more": ("att/v1/BIO-FP-001/x/punch", []),
    "a level less": ("att/v1/punch", []),
    "another version": ("att/v2/BIO-FP-001/punch", []),
    "upper case": ("ATT/V1/BIO-FP-001/PUNCH", []),
}
serials = (f"T-{n}" for n in itertools.count(1))
lasts = itertools.count(1)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    devices = ",".join(f"T-{n}" for n in range(1, 200))
    with Place(tmp_path_factory.mktemp("site"), users=9, devices=devices) as place:
        # Nothing leaves, so that what a punch became on arrival is what it stays.
        place.cloud.stop()
        yield place
        adds_up(place.gateway.status())


def counts(place):
    status = place.gateway.status()
    adds_up(status)
    return {k: status["counts"][k] for k in ("received", "stored", "duplicate", "ignored",
                                             "refused")} | status["queue"]


def through(place, hand, topic, payload, retain=False):
    """Send it, and a plain punch behind it, and wait for that one's ack: what came before it is
    taken then."""
    n = next(lasts)
    last = f"last-{n}"
    hand.client.publish(topic, payload, qos=1, retain=retain)
    hand.send(record(id=last, user="usr_000009", time=later(n * 60)))
    hand.wait_acked([{"id": last}])
    return last


def trace_of(place, punch):
    return place.gateway.get(f"/v1/punches/{punch['id']}")["data"]["trace"]


def check_raw(place, found, wanted, topic, payload):
    """Topic and bytes of what could not be read. What is no UTF-8 is shown with ? for its bytes."""
    kept = payload if wanted.raw is None else wanted.raw
    kept = (kept.encode(errors="surrogatepass") if isinstance(kept, str) else kept)[:4096]
    try:
        shown = kept.decode()
    except UnicodeDecodeError:
        shown = "".join(chr(b) if b < 0x80 else "?" for b in kept)
    received = trace_of(place, found)[0]
    assert (received["event"], received["topic"], received["raw"]) == ("received", topic, shown)


def check(place, serial, topic, payload, outcomes, before, last, acks):
    new = [o for o in outcomes if not o.same]
    found = [p for p in place.gateway.punches(f"&device={serial}") if p["record_id"] != last][::-1]
    assert [(p["state"], p["reason"]) for p in found] == [(o.state, o.reason) for o in new]
    for punch, wanted in zip(found, new):
        if wanted.error is None:
            assert punch["error"] is None
        else:
            assert punch["error"]["message"] == wanted.error
        if wanted.reason in ("malformed", "too_large"):
            check_raw(place, punch, wanted, topic, payload)
            assert (punch["user"], punch["time"], punch["type"]) == (None, None, None)
            assert punch["record_id"] == (wanted.ack or wanted.id)
    assert [a["id"] for a in acks] == [o.ack for o in outcomes if o.ack is not None]
    for ack, wanted in zip(acks, [o for o in outcomes if o.ack is not None]):
        assert ack["status"] == ("duplicate" if wanted.same else wanted.state)
        assert ack.get("reason") == (None if wanted.same else wanted.reason)
    after = counts(place)
    assert after["received"] - before["received"] == len(outcomes) + 1
    assert after["duplicate"] - before["duplicate"] == len(outcomes) - len(new)
    for state in ("queued", "held", "parked"):
        more = sum(o.state == state for o in new) + (state == "queued")
        assert after[state] - before[state] == more, state
    assert (after["ignored"], after["refused"]) == (before["ignored"], before["refused"])


@pytest.mark.parametrize("name", CASES)
def test_payload(site, name):
    payload, outcomes = CASES[name]
    serial = next(serials)
    topic = f"att/v1/{serial}/punch"
    with Hand(site.broker.port, serial) as hand:
        before = counts(site)
        last = through(site, hand, topic, payload)
        check(site, serial, topic, payload, outcomes, before, last, hand.acks[:-1])
        if not outcomes:
            return
        # The same again, whatever it is, is there already.
        before = counts(site)
        through(site, hand, topic, payload)
        after = counts(site)
        assert after["duplicate"] - before["duplicate"] == len(outcomes)
        assert after["stored"] - before["stored"] == 1


@pytest.mark.parametrize("name", TOPICS)
def test_topic(site, name):
    topic, outcomes = TOPICS[name]
    serial = topic.split("/")[2]
    with Hand(site.broker.port, next(serials)) as hand:
        before = counts(site)
        last = through(site, hand, topic, text())
        assert not [a for a in hand.acks if a["id"] != last]
        after = counts(site)
        assert after["received"] - before["received"] == len(outcomes) + 1
        for wanted, punch in zip(outcomes, site.gateway.punches()[1:]):
            assert (punch["state"], punch["reason"]) == (wanted.state, wanted.reason)
            assert punch["terminal"] == serial[:64]
            if wanted.error:
                assert punch["error"]["message"] == wanted.error
                assert trace_of(site, punch)[0]["topic"] == topic
                assert trace_of(site, punch)[0]["raw"] == text()


def test_retained(site):
    serial = next(serials)
    topic = f"att/v1/{serial}/punch"
    with Hand(site.broker.port, serial) as hand:
        before = counts(site)
        # A subscriber that is there already gets it without its mark; one that comes later with it.
        through(site, hand, topic, text(), retain=True)
        assert counts(site)["queued"] - before["queued"] == 2
        site.gateway.stop()
        site.gateway.start()
        site.gateway.wait_status(
            lambda s: s["counts"]["duplicate"] > before["duplicate"], "it comes again")
        # Without a time of its own nobody knows when that was: what waited for us is a punch that
        # is held, what is retained is none.
        before = counts(site)
        site.gateway.stop()
        hand.client.publish(topic, text(time=None), qos=1, retain=True).wait_for_publish(20)
        site.gateway.start()
        site.gateway.wait_status(
            lambda s: s["counts"]["ignored"] > before["ignored"], "it is ignored")
        after = counts(site)
        assert (after["received"] - before["received"], after["held"] - before["held"]) == (1, 1)
        assert after["ignored"] - before["ignored"] == 1
    # Taken back: an empty message is nothing at all.
    with Hand(site.broker.port, next(serials)) as hand:
        before = counts(site)
        through(site, hand, topic, b"", retain=True)
        after = counts(site)
        assert after["received"] - before["received"] == 1
        assert after["ignored"] == before["ignored"]


def test_without_a_time_of_its_own(tmp_path):
    """The receipt time; the same record id again is the same punch."""
    with Place(tmp_path) as place:
        # What came within a second of connecting may have waited at the broker.
        place.gateway.wait_status(
            lambda s: s["clock"]["synchronized"] and s["uptime_s"] > 2, "trust and a quiet link")
        place.hand.send(record(time=None))
        place.hand.send(record(time=None))
        wait_for(lambda: len(place.hand.acks) == 2, "both acks")
        assert [a["status"] for a in place.hand.acks] == ["queued", "duplicate"]
        punch, = place.gateway.punches()
        assert punch["time_sent"] is None and punch["time"][:19] == punch["received"][:19]
        # At the broker for nobody knows how long.
        place.gateway.stop()
        place.hand.send(record(id="2", time=None)).wait_for_publish(20)
        place.gateway.start()
        place.hand.wait_acked([{"id": "2"}])
        assert place.hand.acks[-1]["reason"] == "no_time"


def test_strangers_may_not_fill_the_disk(site):
    """A thousand of what cannot be read are kept of a terminal."""
    serial = next(serials)
    topic = f"att/v1/{serial}/punch"
    with Hand(site.broker.port, serial) as hand:
        before = counts(site)
        for i in range(11):
            hand.client.publish(topic, json.dumps([i] * 100), qos=1)
        hand.send(record(id="last"))
        hand.wait_acked([{"id": "last"}])
        after = counts(site)
        assert after["parked"] - before["parked"] == 1000
        assert after["refused"] - before["refused"] == 100
        assert after["received"] - before["received"] == 1001
        # Punches of the same terminal are taken as ever, and so is what others cannot say.
        assert hand.acked() == {"last": "queued"}


# ---- the samples that makers of terminals are given

@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """Sent to a gateway that takes punches of any age."""
    index = json.loads((SAMPLES / "index.json").read_text())
    ever = {"punches.max_age": "36500d", "punches.max_future": "36500d"}
    with Place(tmp_path_factory.mktemp("samples"), settings=ever) as place:
        place.cloud.stop()
        for sample in index:
            place.hand.client.publish(sample["topic"], (SAMPLES / sample["file"]).read_bytes(),
                                      qos=1, retain=sample["retain"])
        place.hand.send(record(id="last"))
        place.hand.wait_acked([{"id": "last"}])
        yield index, place


def test_samples_become_what_their_index_says(samples):
    index, place = samples
    wanted = {}
    for expected in (e for sample in index for e in sample["expect"]):
        key = (expected["record_id"], expected.get("type"))
        assert wanted.setdefault(key, expected) == expected
    # Two of them are of one person in one second: one counts, whichever it is.
    kept = place.gateway.punches("&state=held") + place.gateway.punches("&state=suppressed")
    found = {(p["record_id"], p["type"] if p["type_from"] == "terminal" else None): p for p in kept}
    assert found.keys() == wanted.keys()
    for key, expected in wanted.items():
        punch = found[key]
        assert f"{punch['user']['kind']}:{punch['user']['value']}" == expected["user"]
        assert punch["time_sent"] == expected["time"] or unix(punch["time"])
        assert (punch["terminal"], punch["live"]) == (expected["device"], expected["live"])
        assert (punch["type_from"] == "terminal") == ("type" in expected)
    parked, = place.gateway.punches("&state=parked")
    assert (parked["reason"], parked["error"]["message"]) == ("bad_time", NO_OFFSET)
    status = place.gateway.status()
    adds_up(status)
    sent = sum(len(sample["expect"]) or "why" in sample for sample in index) + 1
    assert status["counts"]["received"] == sent


def test_samples_are_acknowledged_as_their_index_says(samples):
    index, place = samples
    wanted = [a["id"] for s in index for a in s.get("ack", {"payload": {"acks": []}})["payload"]["acks"]]
    parked = [a["id"] for a in place.hand.acks if a["status"] == "parked"]
    assert [a["id"] for a in place.hand.acks if a["status"] != "parked"] == wanted + ["last"]
    assert len(parked) == 1


def test_samples_of_presence(samples):
    index, place = samples
    last = [s["presence"] for s in index if "presence" in s][-1]
    terminal, = [t for t in place.gateway.status()["terminals"] if t["serial"] == "BIO-FP-001"]
    # It sent a punch behind its last will, so it is there.
    assert last == "offline" and terminal["online"] is True
