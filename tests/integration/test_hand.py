"""What a person does to punches by hand: release, retry, discard, amend."""
import json
import os
import subprocess

import pytest

from conftest import BUILD
from gateway import adds_up
from line import morning, rfc3339, user
from place import Place
from waiting import wait_for

DAY = 24 * 60


def punch(record_id, minute=0, who=1, **fields):
    return {"id": record_id, "user": user(who), "time": rfc3339(int(morning() + minute * 60))} | fields


def found(place):
    return {p["record_id"]: p for p in place.gateway.punches()}


def act(place, record_id, verb, **body):
    """(status, document) of an action on the punch of that record."""
    path = f"/v1/punches/{found(place)[record_id]['id']}/{verb}"

    def answered():
        """A probe of a cloud that is away may just be on its way."""
        status, document = place.gateway.request("POST", path, json.dumps(body))
        busy = status == 409 and document["error"]["code"] == "busy"
        return None if busy else (status, document)
    return wait_for(answered, "it is not on its way")


def done(place, record_id, verb, **body):
    status, document = act(place, record_id, verb, **body)
    assert status == 200, document
    return document


def refused(place, record_id, verb, gist, **body):
    before = found(place)[record_id]
    status, document = act(place, record_id, verb, **body)
    assert status == 409 and document["error"]["code"] == "refused", document
    assert gist in document["error"]["message"]
    assert found(place)[record_id] == before


def deeds(place, record_id):
    trace = place.gateway.get(f"/v1/punches/{found(place)[record_id]['id']}")["data"]["trace"]
    return [e for e in trace if e["event"] == "hand"]


def ctl(place, *args):
    run = subprocess.run([BUILD / "punchctl", "--socket", place.gateway.relayed(), "--utc", *args],
                         capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
    return run.returncode, run.stdout.decode(), run.stderr.decode()


def sent(place):
    return {(r["user_id"], r["timestamp"], r["type"]) for r in place.cloud.records()}


@pytest.fixture
def place(tmp_path):
    with Place(tmp_path) as place:
        yield place


def test_release(place):
    old = punch("old", minute=-100 * DAY)
    place.send([old, punch("a"), punch("double", minute=0.5), punch("who", who=999)])
    assert (found(place)["old"]["reason"], found(place)["double"]["reason"]) == ("stale", "double_tap")
    answer = done(place, "old", "release", note="the terminal was in a drawer")
    assert answer["data"]["state"] == "queued" and "released" in answer["data"]["flags"]
    done(place, "double", "release")
    place.gateway.wait_delivered(3)
    assert (user(1), old["time"], "check_in") in sent(place)
    refused(place, "who", "release", "link the person first")
    refused(place, "old", "release", "delivered")
    deed, = deeds(place, "old")
    assert deed["action"] == "release" and deed["note"] == "the terminal was in a drawer"
    assert deed["by"]["uid"] == os.getuid() and deed["by"]["name"]
    assert deed["before"]["reason"] == "stale" and deed["before"]["time"] == old["time"]
    adds_up(place.gateway.status())


def test_a_released_double_tap_takes_nothing_away(tmp_path):
    """Both are real, a person said: also where the second one goes first, and after a restart."""
    with Place(tmp_path, settings={"punches.direction": "hold"}) as place:
        place.send([punch("first"), punch("second", minute=0.5, type="check_in")])
        assert (found(place)["first"]["reason"], found(place)["second"]["reason"]) == (
            "no_direction", "double_tap")
        done(place, "second", "release")
        place.gateway.wait_delivered(1)
        assert found(place)["first"]["reason"] == "no_direction"
        place.gateway.kill()
        place.start()
        done(place, "first", "amend", type="check_out")
        place.gateway.wait_delivered(2)
        # What comes later lies beside the first one, and behind the second.
        place.send([punch("before", minute=-0.5), punch("between", minute=0.25),
                    punch("behind", minute=1)])
        assert {found(place)[r]["reason"] for r in ("before", "between", "behind")} == {"double_tap"}
        adds_up(place.gateway.status())


def test_discard_gives_the_double_tap_its_place(place):
    place.cloud.stop()
    place.send([punch("a"), punch("b"), punch("c", minute=60)])
    counted, double = sorted("ab", key=lambda r: found(place)[r]["state"] == "suppressed")
    done(place, counted, "discard")
    assert found(place)[counted]["state"] == "discarded"
    assert (found(place)[double]["state"], found(place)[double]["type"]) == ("queued", "check_in")
    done(place, double, "discard")
    assert found(place)["c"]["type"] == "check_in"  # the first one of the day now
    refused(place, double, "discard", "already")
    adds_up(place.gateway.status())
    # It is on disk when it is answered.
    place.gateway.kill()
    place.cloud.start()
    place.gateway.start()
    place.gateway.wait_delivered(1)
    assert len(place.cloud.records()) == 1


def test_amend(place):
    place.cloud.stop()
    place.send([punch("in"), punch("out", minute=60), punch("who", who=999, minute=5),
                {"id": "bad", "user": user(2), "time": "2026-02-01 08:00:00"}])
    done(place, "in", "amend", type="check_out", note="she forgot yesterday")
    assert (found(place)["in"]["type"], found(place)["in"]["type_from"]) == ("check_out", "person")
    assert found(place)["out"]["type"] == "check_in"
    assert "amended" in found(place)["in"]["flags"]
    # Another time puts it elsewhere among the others of its day.
    done(place, "in", "amend", time=rfc3339(morning() + 7200))
    assert found(place)["out"]["type"] == "check_in"
    done(place, "who", "amend", user_id=user(3))
    assert (found(place)["who"]["state"], found(place)["who"]["user"]["user_id"]) == ("queued", user(3))
    assert found(place)["bad"]["state"] == "parked"
    refused(place, "bad", "retry", "amend its time")
    done(place, "bad", "amend", time="received")
    assert found(place)["bad"]["state"] == "queued"
    place.cloud.start()
    place.gateway.wait_delivered(4)
    assert {(user(1), rfc3339(morning() + 7200), "check_out"),
            (user(1), rfc3339(morning() + 3600), "check_in"),
            (user(3), rfc3339(morning() + 300), "check_in")} <= sent(place)
    assert [d["before"].get("type") for d in deeds(place, "in")] == ["check_in", "check_out"]
    refused(place, "in", "amend", "delivered", type="check_in")


def test_retry_after_a_refusal_goes_under_a_new_key(place):
    place.cloud.add_fault("status=404,path=/attendance,count=1")
    place.send(punch("no"))
    wait_for(lambda: found(place)["no"]["reason"] == "api_404", "it is refused")
    first = next(e["key"] for e in place.gateway.get(
        f"/v1/punches/{found(place)['no']['id']}")["data"]["trace"] if e["event"] == "frozen")
    done(place, "no", "amend", user_id=user(2))
    assert found(place)["no"]["state"] == "parked"
    done(place, "no", "retry")
    place.gateway.wait_delivered(1)
    record, = place.cloud.records()
    assert record["user_id"] == user(2) and record["idempotency_key"] != first
    refused(place, "no", "retry", "not parked")


def test_what_may_have_been_sent(place):
    """Its body stands: it is discarded with a warning, or goes under its key."""
    place.cloud.add_fault("drop-after,path=/attendance")
    place.send(punch("lost"))
    wait_for(lambda: found(place)["lost"]["in_doubt"] and found(place)["lost"]["tries"], "in doubt")
    place.cloud.stop()
    status, document = act(place, "lost", "amend", type="check_out")
    assert status == 409 and document["error"]["message"].startswith("it may have been sent")
    answer = wait_for(lambda: (lambda r: r[1] if r[0] == 200 else None)(act(place, "lost", "discard")),
                      "it is discarded")
    assert "may have been sent" in answer["warning"]
    assert found(place)["lost"]["state"] == "discarded"
    place.cloud.start()
    place.send(punch("next", minute=60))
    place.gateway.wait_status(lambda s: s["counts"]["discarded"] == 1, "it stays so")
    place.gateway.kill()
    place.gateway.start()
    assert found(place)["lost"]["state"] == "discarded"


def test_what_was_answered_outlives_a_kill(place):
    """Each deed is on disk before it is answered."""
    place.cloud.stop()
    place.send([punch("released"), punch("amended", minute=30), punch("discarded", minute=60)])
    place.send([punch("old", minute=-100 * DAY)])
    done(place, "old", "release", note="the terminal was in a drawer")
    place.gateway.kill()
    place.gateway.start()
    done(place, "amended", "amend", type="check_out", note="asked")
    place.gateway.kill()
    place.gateway.start()
    done(place, "discarded", "discard")
    place.gateway.kill()
    place.gateway.start()
    now = found(place)
    assert (now["old"]["state"], now["amended"]["type"], now["discarded"]["state"]) == (
        "queued", "check_out", "discarded")
    assert [deeds(place, r)[0]["action"] for r in ("old", "amended", "discarded")] == [
        "release", "amend", "discard"]
    place.cloud.start()
    place.gateway.wait_delivered(3)
    adds_up(place.gateway.status())


def test_many(place):
    place.cloud.stop()
    stale = [punch(f"s{i:04d}", minute=-100 * DAY + 2 * i, who=i % 9 + 1) for i in range(1200)]
    place.hand.send_all(stale, batch=100)
    place.gateway.wait_status(lambda s: s["queue"]["held"] == 1200, "all are held")
    place.send([punch(f"w{i}", minute=2 * i, who=900) for i in range(3)])
    code, out, err = ctl(place, "release", "--state", "held", "--note", "from the drawer")
    assert (code, out) == (0, "1200 changed, 3 refused\n")
    assert err.count("link the person first") == 3
    assert place.gateway.status()["queue"]["held"] == 3
    code, out, _ = ctl(place, "--json", "discard", "--reason", "unknown_user")
    assert code == 0 and json.loads(out)["data"]["changed"] == 3
    assert ctl(place, "discard", "--reason", "unknown_user")[0] == 1
    adds_up(place.gateway.status())
    place.cloud.start()
    place.gateway.wait_delivered(1200)


def test_punchctl(place):
    place.cloud.stop()
    place.send([punch("a"), punch("b", minute=30)])
    a, b = (found(place)[r]["id"] for r in "ab")
    wait_for(lambda: ctl(place, "amend", a[:20], "--type", "check_out", "--note", "asked her") ==
             (0, f"{a[:16]} is queued\n", ""), "it is amended")
    assert "asked her" in ctl(place, "trace", a)[1]
    assert ctl(place, "amend", a, "--type", "check_out")[0] == 2
    assert ctl(place, "amend", a, "--note", "x")[0] == 2
    assert ctl(place, "discard")[0] == 2
    assert ctl(place, "discard", a, "--state", "queued")[0] == 2
    code, out, err = ctl(place, "discard", "ffff", a)
    assert code == 1 and "no punch ffff" in err
    # One that is a probe of the cloud just now is for a moment later.
    wait_for(lambda: ctl(place, "discard", a, b) and found(place)["a"]["state"] == "discarded" and
             found(place)["b"]["state"] == "discarded", "both are discarded")
    code, out, err = ctl(place, "retry", a)
    assert code == 1 and "not parked" in err


@pytest.mark.parametrize("path, body, gist", [
    ("{id}/amend", "{}", "give type"),
    ("{id}/amend", '{"type":"in"}', "check_in or check_out"),
    ("{id}/amend", '{"time":"2026-02-01"}', "time is"),
    ("{id}/amend", '{"user_id":"%s"}' % ("u" * 65), "user_id is no id"),
    ("{id}/amend", '{"user_id":7}', "user_id is no text"),
    ("{id}/discard", "[]", "no JSON object"),
    ("{id}/discard", "{", "no JSON object"),
    ("{id}/discard", '{"note":"a\\nb"}', "a note is"),
    ("{id}/discard", '{"note":"%s"}' % ("x" * 513), "a note is"),
    ("{id}/discard", '{"not":"x"}', "there is no not here"),
    ("{id}/discard", '{"note":"a\\u0000b"}', "no JSON object"),
    ("discard", "{}", "say which"),
    ("discard", '{"note":"x"}', "say which"),
    ("discard", '{"state":"gone"}', "no state gone"),
    ("discard", '{"reason":"odd"}', "no reason odd"),
    ("discard", '{"from":"x"}', "from is no time"),
    ("discard", '{"state":"held","before":"-1"}', "before is no number"),
])
def test_odd_requests_change_nothing(odd, path, body, gist):
    status, document = odd.gateway.request(
        "POST", "/v1/punches/" + path.replace("{id}", found(odd)["a"]["id"]), body)
    assert status == 400 and gist in document["error"]["message"], document
    assert found(odd)["a"]["state"] == "queued" and not deeds(odd, "a")


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    with Place(tmp_path_factory.mktemp("odd")) as place:
        place.cloud.stop()
        place.send(punch("a"))
        yield place


def test_paths(odd):
    for method, path, status in (("POST", "/v1/punches/ffff/discard", 404), ("POST", "/v1/punches/zz/retry", 404),
                                 ("GET", "/v1/punches/00/discard", 405), ("POST", "/v1/punches/00/burn", 404),
                                 ("POST", "/v1/punches//discard", 404), ("POST", "/v1/punches", 405),
                                 ("POST", "/v1/punches/00/discard/x", 404)):
        assert odd.gateway.request(method, path, "{}")[0] == status, path
